// The loss scale that finds itself: it grows while gradients are finite and falls where they are not, by the
// rule of jmp's DynamicLossScale.

import { type ArrayLike, fromHost, type NDArray, operand } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { registerNode } from "../core/pytree.ts";
import { liftedList } from "../numpy/lift.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { greaterEqual, maximum, minimum } from "../ops/comparison.ts";
import { logicalAnd, logicalNot } from "../ops/logic.ts";
import type { Operand } from "../ops/operand.ts";
import { where } from "../ops/selection.ts";
import { type LossScale, scaleLoss, unscaleTree } from "./loss_scale.ts";

/** Options of {@linkcode dynamic}; all but the period are powers of two. */
export interface DynamicLossScaleOptions {
  /** The scale to begin with; by default 2**15. */
  readonly initial?: number;
  /** What the scale is multiplied or divided by when it changes; by default 2. */
  readonly factor?: number;
  /** Finite steps in a row before the scale grows; by default 2000. */
  readonly period?: number;
  /** What the scale never falls below; by default 1. */
  readonly minimum?: number;
  /** What the scale never grows above; by default 2**24. */
  readonly maximum?: number;
}

/** The state of a dynamic loss scale: scalars, each a leaf. */
export interface DynamicLossScaleFields {
  /** The scale now, float32. */
  readonly value: NDArray;
  /** Finite steps in a row since the scale last changed, int32. */
  readonly finiteSteps: NDArray;
  /** What the scale is multiplied or divided by, float32. */
  readonly factor: NDArray;
  /** Finite steps in a row before the scale grows, int32. */
  readonly period: NDArray;
  /** What the scale never falls below, float32. */
  readonly minimum: NDArray;
  /** What the scale never grows above, float32. */
  readonly maximum: NDArray;
}

const fieldNames = ["value", "finiteSteps", "factor", "period", "minimum", "maximum"] as const;

/** A scale that grows after a period of finite steps and falls after each step that was not. */
export class DynamicLossScale implements LossScale, DynamicLossScaleFields {
  /** The scale now, a float32 scalar. */
  readonly value: NDArray;
  /** Finite steps in a row since the scale last changed, an int32 scalar. */
  readonly finiteSteps: NDArray;
  /** What the scale is multiplied or divided by, a float32 scalar. */
  readonly factor: NDArray;
  /** Finite steps in a row before the scale grows, an int32 scalar. */
  readonly period: NDArray;
  /** What the scale never falls below, a float32 scalar. */
  readonly minimum: NDArray;
  /** What the scale never grows above, a float32 scalar. */
  readonly maximum: NDArray;

  /** Made by `lossScale.dynamic`. */
  constructor({ value, finiteSteps, factor, period, minimum, maximum }: DynamicLossScaleFields) {
    this.value = value;
    this.finiteSteps = finiteSteps;
    this.factor = factor;
    this.period = period;
    this.minimum = minimum;
    this.maximum = maximum;
  }

  /** The loss times the scale, in float32. */
  scale(loss: ArrayLike): NDArray {
    return scaleLoss(loss, this.value);
  }

  /** The tree with its floating arrays in float32 and divided by the scale, which is exact. */
  unscale<T>(tree: T): T {
    return unscaleTree(tree, this.value);
  }

  /**
   * The scale for the next step. `finite`, a bool scalar, says whether this step's gradients were: if not, the
   * scale falls; with the last of a period of finite steps in a row it grows.
   *
   * @throws {RangeError} if `finite` is no scalar.
   */
  adjust(finite: ArrayLike): DynamicLossScale {
    const { factor, period, minimum: least, maximum: most } = this;
    const next = liftedList("adjust", () => {
      const good = astype(scalarOf(finite), "bool");
      const count = add(this.finiteSteps, 1);
      const full = greaterEqual(count, period);
      const grown = minimum(mul(this.value, factor), most);
      const fallen = maximum(div(this.value, factor), least);
      return [
        where(good, where(full, grown, this.value), fallen),
        where(logicalAnd(good, logicalNot(full)), count, 0),
        factor,
        period,
        least,
        most,
      ];
    }, ...fieldsOf(this));
    return fromFields(next);
  }
}

function scalarOf(finite: ArrayLike): Operand {
  const flag = operand(finite, "adjust");
  if (typeof flag !== "object" || flag.ndim === 0) return flag;
  throw new RangeError(
    `Cannot adjust: finite must be a scalar, got shape ${showShape(flag.shape)}; see allFinite`,
  );
}

function fieldsOf(scale: DynamicLossScale): NDArray[] {
  return fieldNames.map((name) => scale[name]);
}

function fromFields(values: readonly unknown[]): DynamicLossScale {
  const [value, finiteSteps, factor, period, minimum, maximum] = values as NDArray[];
  return new DynamicLossScale({ value, finiteSteps, factor, period, minimum, maximum });
}

registerNode(DynamicLossScale, {
  flatten: (scale) => [fieldsOf(scale), null],
  unflatten: (_, values) => fromFields(values),
  names: fieldNames,
});

/** Only these multiply and divide without rounding; float32 holds them and their inverses from 2**-126 to 2**126. */
function isPowerOfTwo(x: unknown): x is number {
  return typeof x === "number" && Math.abs(Math.log2(x)) <= 126 && Number.isInteger(Math.log2(x)) &&
    2 ** Math.log2(x) === x;
}

function checkDynamic(options: Required<DynamicLossScaleOptions>): void {
  const { factor, period, initial, minimum, maximum } = options;
  const fail = (required: string, got: unknown): never => {
    throw new RangeError(
      `Cannot make a dynamic loss scale: ${required}, got ${describe(got)}`,
    );
  };
  for (const name of ["initial", "factor", "minimum", "maximum"] as const) {
    if (isPowerOfTwo(options[name])) continue;
    fail(`${name} must be a power of two between 2**-126 and 2**126`, options[name]);
  }
  if (factor <= 1) fail("factor must be above 1", factor);
  if (!Number.isInteger(period) || period < 1 || period >= 2 ** 31) {
    fail("period must be a whole number of steps from 1 on", period);
  }
  if (minimum > initial || initial > maximum) {
    fail("initial must lie between minimum and maximum", [minimum, initial, maximum]);
  }
}

/**
 * A loss scale that finds itself. After `period` finite steps in a row it is multiplied by `factor`; after a step
 * whose gradients were not all finite it is divided by it at once, and the steps are counted from 0 again. It
 * stays within `minimum` and `maximum`. All are powers of two, so that scaling and unscaling are exact.
 *
 * @throws {RangeError} if one of them is no power of two, the factor is not above 1, the period not a whole
 * number from 1 on, or the initial scale not within the limits; TypeError for an unknown option.
 *
 * @example
 * ```ts
 * import { allFinite, init, lossScale, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * let scale = lossScale.dynamic({ initial: 1024 });
 * scale = scale.adjust(allFinite({ w: jnp.array([1, Infinity]) }));
 * console.log(await scale.value.item()); // 512
 * ```
 */
export function dynamic(options: DynamicLossScaleOptions = {}): DynamicLossScale {
  const known = ["initial", "factor", "period", "minimum", "maximum"];
  checkOptions("make a dynamic loss scale", options, known);
  const { initial = 2 ** 15, factor = 2, period = 2000, minimum = 1, maximum = 2 ** 24 } = options;
  checkDynamic({ initial, factor, period, minimum, maximum });
  const float = (x: number) => fromHost([x], [], "float32");
  const int = (x: number) => fromHost([x], [], "int32");
  return new DynamicLossScale({
    value: float(initial),
    finiteSteps: int(0),
    factor: float(factor),
    period: int(period),
    minimum: float(minimum),
    maximum: float(maximum),
  });
}
