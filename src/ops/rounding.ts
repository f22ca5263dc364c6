// Rounding to whole numbers. Integers and booleans are whole already and stay as they are.

import { isFloating } from "../core/dtype.ts";
import type { Operation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { toValue } from "./cast.ts";
import { defineElementwise } from "./define.ts";
import type { Operand } from "./operand.ts";
import { roundHalfToEven } from "./special_functions.ts";

/** Defines a rounding under WGSL's own name for it; the result is a value of the input's dtype. */
function defineRounding(name: string, reference: (x: number) => number): Operation {
  return defineElementwise({
    name,
    accepts: "floats",
    exact: true,
    derivative: { kind: "zero" },
    reference: ([x]) => reference(x!),
    wgsl: ([x]) => `${name}(${x})`,
  });
}

/** The nearest whole number below. */
export const floorOperation: Operation = defineRounding("floor", Math.floor);
/** The nearest whole number above. */
export const ceilOperation: Operation = defineRounding("ceil", Math.ceil);
/** The nearest whole number towards 0. */
export const truncOperation: Operation = defineRounding("trunc", Math.trunc);
/** The nearest whole number; of two the even one, which is what WGSL's round promises too. */
export const roundOperation: Operation = defineRounding("round", roundHalfToEven);

function rounding(operation: Operation): (x: Operand) => Value {
  return (x) => {
    const value = toValue(x);
    return isFloating(value.aval.dtype) ? bind1(operation, {}, value) : value;
  };
}

/** Rounds down. */
export const floor: (x: Operand) => Value = rounding(floorOperation);
/** Rounds up. */
export const ceil: (x: Operand) => Value = rounding(ceilOperation);
/** Rounds towards 0. */
export const trunc: (x: Operand) => Value = rounding(truncOperation);
/** Rounds to the nearest whole number, ties to even. */
export const round: (x: Operand) => Value = rounding(roundOperation);
