// Comparison: which elements are equal, greater, and which of two is the greater one.

import { type DType, isFloating } from "../core/dtype.ts";
import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { mul, sub } from "./arithmetic.ts";
import { astype } from "./cast.ts";
import { binary, defineElementwise, type Partials } from "./define.ts";
import type { Operand } from "./operand.ts";
import { areNumbers, isNaNBits, orderBits } from "./wgsl_bits.ts";

/** Defines `x <symbol> y`; floats by IEEE 754, whatever the compiler assumes of NaN. */
function defineComparison(
  name: string,
  symbol: string,
  ofBooleans: (x: string, y: string) => string,
  test: (x: number, y: number) => boolean,
): Operation {
  return defineElementwise({
    name,
    exact: true,
    result: "bool",
    reference: ([x, y]) => Number(test(x!, y!)),
    wgsl: ([x, y], { inputs: [dtype] }) => {
      if (dtype === "bool") return ofBooleans(x!, y!);
      const plain = `(${x} ${symbol} ${y})`;
      if (!isFloating(dtype!)) return plain;
      return symbol === "!="
        ? `(${plain} | !${areNumbers(x!, y!)})`
        : `(${plain} & ${areNumbers(x!, y!)})`;
    },
  });
}

/** x == y. */
export const equalOperation: Operation = defineComparison(
  "equal",
  "==",
  (x, y) => `(${x} == ${y})`,
  (x, y) => x === y,
);
/** x != y. */
export const notEqualOperation: Operation = defineComparison(
  "notEqual",
  "!=",
  (x, y) => `(${x} != ${y})`,
  (x, y) => x !== y,
);
/** x < y. */
export const lessOperation: Operation = defineComparison(
  "less",
  "<",
  (x, y) => `(!${x} & ${y})`,
  (x, y) => x < y,
);
/** x <= y. */
export const lessEqualOperation: Operation = defineComparison(
  "lessEqual",
  "<=",
  (x, y) => `(!${x} | ${y})`,
  (x, y) => x <= y,
);
/** x > y. */
export const greaterOperation: Operation = defineComparison(
  "greater",
  ">",
  (x, y) => `(${x} & !${y})`,
  (x, y) => x > y,
);
/** x >= y. */
export const greaterEqualOperation: Operation = defineComparison(
  "greaterEqual",
  ">=",
  (x, y) => `(${x} | !${y})`,
  (x, y) => x >= y,
);

/** The greater or the lesser of two by their bits: NaN wins, and 0 is above -0. */
function extreme(
  name: "max" | "min",
  [x, y]: readonly string[],
  dtype: DType,
): string {
  if (dtype === "bool") return name === "max" ? `(${x} | ${y})` : `(${x} & ${y})`;
  if (!isFloating(dtype)) return `${name}(${x}, ${y})`;
  const [high, low] = name === "max" ? [x!, y!] : [y!, x!];
  const chosen = `select(${y}, ${x}, ${orderBits(high)} >= ${orderBits(low)})`;
  return `select(select(${chosen}, ${y}, ${isNaNBits(y!)}), ${x}, ${isNaNBits(x!)})`;
}

/** All to the one that was chosen; equal ones share, as JAX has it. */
function shares([x, y]: readonly Value[], output: Value): Partials {
  const [first, second] = [x!, y!].map((v) => astype(equal(v, output), "float32")) as [
    Value,
    Value,
  ];
  const half = mul(0.5, mul(first, second));
  return [sub(first, half), sub(second, half)];
}

/** The greater of two; NaN wins. */
export const maximumOperation: Operation = defineElementwise({
  name: "maximum",
  exact: true,
  reference: ([x, y]) => Math.max(x!, y!),
  wgsl: (args, { output }) => extreme("max", args, output),
  partials: shares,
});

/** The lesser of two; NaN wins. */
export const minimumOperation: Operation = defineElementwise({
  name: "minimum",
  exact: true,
  reference: ([x, y]) => Math.min(x!, y!),
  wgsl: (args, { output }) => extreme("min", args, output),
  partials: shares,
});

/** Whether elements are equal; NaN is equal to nothing. */
export const equal: (x: Operand, y: Operand) => Value = binary(equalOperation);
/** Whether elements differ; NaN differs from everything. */
export const notEqual: (x: Operand, y: Operand) => Value = binary(notEqualOperation);
/** Whether x < y. */
export const less: (x: Operand, y: Operand) => Value = binary(lessOperation);
/** Whether x <= y. */
export const lessEqual: (x: Operand, y: Operand) => Value = binary(lessEqualOperation);
/** Whether x > y. */
export const greater: (x: Operand, y: Operand) => Value = binary(greaterOperation);
/** Whether x >= y. */
export const greaterEqual: (x: Operand, y: Operand) => Value = binary(greaterEqualOperation);
/** The greater of two elements; NaN wins. */
export const maximum: (x: Operand, y: Operand) => Value = binary(maximumOperation);
/** The lesser of two elements; NaN wins. */
export const minimum: (x: Operand, y: Operand) => Value = binary(minimumOperation);
