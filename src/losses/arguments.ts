// What losses take: floating arrays, and rows of classes among which a mask may choose.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { normalizeAxes, sameShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { expandDims } from "../numpy/movement.ts";
import { astype } from "../ops/cast.ts";
import { broadcastTo, reshape, transpose } from "../ops/movement.ts";

/** Options of losses over classes. */
export interface ClassOptions {
  /** The axis that the classes lie along, or several that are one together; by default the last. */
  readonly axis?: number | readonly number[];
  /**
   * Which elements count: truth values of the shape of the first argument, or without its axes of classes to
   * choose whole examples. What does not count adds nothing, and has no gradient.
   */
  readonly where?: ArrayLike;
}

/** An argument that must be floating. */
export function floatingArray(what: string, name: string, x: ArrayLike): NDArray {
  const array = asArray(x, what);
  if (isFloating(array.dtype)) return array;
  throw new TypeError(
    `Cannot ${what}: ${name} must be floating, got ${array.dtype}; convert them with astype`,
  );
}

/** Arrays of one shape as rows `[..., classes]`: the axes of classes become one, the last. */
export class ClassRows {
  readonly #what: string;
  readonly #name: string;
  readonly #shape: Shape;
  readonly #classAxes: readonly number[];
  readonly #otherAxes: readonly number[];

  /** Rows of an argument and its axes. */
  constructor(what: string, name: string, array: NDArray, axis: ClassOptions["axis"] = -1) {
    this.#what = what;
    this.#name = name;
    this.#shape = array.shape;
    this.#classAxes = normalizeAxes(what, axis, array.ndim);
    this.#otherAxes = array.shape.flatMap((_, i) => this.#classAxes.includes(i) ? [] : [i]);
    if (this.#extent === 0) {
      throw new RangeError(
        `Cannot ${what}: at least one class is required, got ${name} of shape ${
          showShape(array.shape)
        }`,
      );
    }
  }

  /** The shape of what has one value an example. */
  get outer(): Shape {
    return this.#otherAxes.map((axis) => this.#shape[axis]!);
  }

  get #extent(): number {
    return sizeOf(this.#classAxes.map((axis) => this.#shape[axis]!));
  }

  /** An array of the same shape, or one that broadcasts to it, as rows. */
  of(x: Value): Value {
    const order = [...this.#otherAxes, ...this.#classAxes];
    return reshape(transpose(broadcastTo(x, this.#shape), order), [...this.outer, this.#extent]);
  }

  /** A mask as rows of truth values. */
  mask(where: ArrayLike): Value {
    const given = asArray(where, this.#what);
    const whole = given.ndim === this.#shape.length ? given : expandDims(given, this.#classAxes);
    const fits = whole.ndim === this.#shape.length &&
      whole.shape.every((extent, i) => extent === 1 || extent === this.#shape[i]);
    if (fits) return this.of(astype(whole, "bool"));
    throw new RangeError(
      `Cannot ${this.#what}: where must have the shape ${
        showShape(this.#shape)
      } of ${this.#name}, or ${showShape(this.outer)}, got ${showShape(given.shape)}`,
    );
  }

  /** Another array of the same shape as rows. */
  same(name: string, x: NDArray): Value {
    if (sameShape(x.shape, this.#shape)) return this.of(x);
    throw new RangeError(
      `Cannot ${this.#what}: ${name} must have the shape ${
        showShape(this.#shape)
      } of ${this.#name}, got ${showShape(x.shape)}`,
    );
  }
}
