// Arrays from numbers, shapes and host data. Everything but host data is made by the device: inside a traced
// function it becomes part of the graph, while host data is uploaded and captured.

import { type ArrayLike, asArray, dtypeOption, type NDArray, operand } from "../array.ts";
import { checkDType, type DType } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import type { LikeOptions } from "../methods/elementwise.ts";
import { astype as castTo, convert, toValue } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { broadcastTo } from "../ops/movement.ts";
import { lifted } from "./lift.ts";

export type { LikeOptions };

/** The type of what is created. */
export interface DTypeOption {
  /** By default float32, or what the values given suggest. */
  readonly dtype?: DType;
}

/**
 * An array of host data. Numbers give float32, booleans bool, a typed array its own type
 * (`Float16Array` float16). An array that is on the device already is converted, or shared as it is.
 *
 * @throws {RangeError} if nested arrays are ragged; TypeError for anything but numbers and booleans.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[1, 2], [3, 4]], { dtype: "bfloat16" });
 * console.log(x.shape, x.nbytes, await x.toList()); // [2, 2] 8 [[1, 2], [3, 4]]
 * ```
 */
export function array(data: ArrayLike, options: DTypeOption = {}): NDArray {
  return makeArray("array", data, options);
}

/** As {@linkcode array}: arrays are immutable, so nothing is ever copied that need not be. */
export function asarray(data: ArrayLike, options: DTypeOption = {}): NDArray {
  return makeArray("asarray", data, options);
}

function makeArray(what: string, data: ArrayLike, options: DTypeOption): NDArray {
  checkOptions(what, options, ["dtype"]);
  const dtype = dtypeOption(options.dtype, what);
  if (typeof data === "number" || typeof data === "boolean") {
    const own = typeof data === "boolean" ? "bool" : "float32";
    return lifted(what, () => constant(Number(data), dtype ?? own));
  }
  const made = asArray(data, what, dtype);
  return lifted(what, () => dtype ? convert(made, dtype) : made, data);
}

/**
 * The same elements in another type: rounded to nearest even between floats, cut to whole numbers and held
 * within range from floats to integers; anything but 0 is true, NaN too.
 *
 * @throws {TypeError} if there is no such type.
 */
export function astype(x: ArrayLike, dtype: DType): NDArray {
  checkDType(dtype, "astype");
  return lifted("astype", () => convert(operand(x, "astype"), dtype), x);
}

/** An array of zeros. */
export function zeros(shape: Shape, options: DTypeOption = {}): NDArray {
  checkOptions("zeros", options, ["dtype"]);
  return filled("zeros", shape, 0, options.dtype ?? "float32");
}

/** An array of ones. */
export function ones(shape: Shape, options: DTypeOption = {}): NDArray {
  checkOptions("ones", options, ["dtype"]);
  return filled("ones", shape, 1, options.dtype ?? "float32");
}

/** An array of a shape whose elements mean nothing: here zeros, as in JAX. */
export function empty(shape: Shape, options: DTypeOption = {}): NDArray {
  checkOptions("empty", options, ["dtype"]);
  return filled("empty", shape, 0, options.dtype ?? "float32");
}

/** An array of one value, which may be an array that broadcasts to the shape. Numbers give float32, booleans bool. */
export function full(shape: Shape, value: ArrayLike, options: DTypeOption = {}): NDArray {
  checkOptions("full", options, ["dtype"]);
  return filled("full", shape, value, options.dtype);
}

/** Zeros in the shape and type of another array. */
export function zerosLike(x: ArrayLike, options: LikeOptions = {}): NDArray {
  return filledLike("zerosLike", x, 0, options);
}

/** Ones in the shape and type of another array. */
export function onesLike(x: ArrayLike, options: LikeOptions = {}): NDArray {
  return filledLike("onesLike", x, 1, options);
}

/** One value in the shape and type of another array. */
export function fullLike(x: ArrayLike, value: ArrayLike, options: LikeOptions = {}): NDArray {
  return filledLike("fullLike", x, value, options);
}

function filled(what: string, shape: Shape, value: ArrayLike, dtype: DType | undefined): NDArray {
  const checked = checkShape(what, shape);
  const type = dtypeOption(dtype, what);
  return lifted(what, () => {
    const given = operand(value, what);
    const literal = typeof given === "object" ? undefined : Number(given);
    if (literal !== undefined) {
      const own = typeof given === "boolean" ? "bool" : "float32";
      return broadcastTo(constant(literal, type ?? own), checked);
    }
    const element = given as NDArray;
    return broadcastTo(castTo(element, type ?? element.dtype), checkFits(what, element, checked));
  }, value);
}

function checkFits(what: string, { shape }: NDArray, to: Shape): Shape {
  const lead = to.length - shape.length;
  if (lead >= 0 && shape.every((extent, i) => extent === 1 || extent === to[lead + i])) return to;
  throw new RangeError(
    `Cannot ${what}: the value must broadcast to the shape, got ${describe(shape)} and ${
      describe(to)
    }`,
  );
}

function filledLike(what: string, x: ArrayLike, value: ArrayLike, options: LikeOptions): NDArray {
  checkOptions(what, options, ["dtype", "shape"]);
  const like = toValue(operand(x, what)).aval;
  return filled(what, options.shape ?? like.shape, value, options.dtype ?? like.dtype);
}
