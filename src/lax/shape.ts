// Functions of `lax` about shapes and types: coordinates, explicit broadcasts, conversions.

import { type ArrayLike, asArray, asNDArray, type NDArray } from "../array.ts";
import { checkDType, type DType } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { checkShape, normalizeAxes, normalizeAxis, type Shape } from "../core/shape.ts";
import { astype } from "../numpy/creation.ts";
import { concatenate as numpyConcatenate } from "../numpy/joining.ts";
import { lifted } from "../numpy/lift.ts";
import { flip } from "../numpy/rearranging.ts";
import { bitcast, isWordDType } from "../ops/bitcast.ts";
import { iota as iotaOf } from "../ops/constant.ts";
import { broadcastTo, reshape, slice as window } from "../ops/movement.ts";

/** The numbers from 0 to `size - 1`, in a numeric type. */
export function iota(dtype: DType, size: number): NDArray {
  return coordinates("iota", dtype, typeof size === "number" ? [size] : size, 0);
}

/** The coordinate along one axis at every place of a shape. */
export function broadcastedIota(dtype: DType, shape: Shape, dimension: number): NDArray {
  return coordinates("broadcastedIota", dtype, shape, dimension);
}

function coordinates(what: string, dtype: DType, shape: Shape, dimension: number): NDArray {
  const type = checkDType(dtype, what);
  if (type === "bool") {
    throw new TypeError(`Cannot ${what}: dtype must be numeric, got bool`);
  }
  const extents = checkShape(what, shape);
  return asNDArray(iotaOf(extents, normalizeAxis(what, dimension, extents.length), type));
}

/**
 * The array in a larger shape: its axis i becomes axis `broadcastDimensions[i]`, and extents of 1 stretch.
 *
 * @throws {RangeError} if the dimensions do not rise, or an extent fits neither.
 */
export function broadcastInDim(
  x: ArrayLike,
  shape: Shape,
  broadcastDimensions: readonly number[],
): NDArray {
  const what = "broadcastInDim";
  return lifted(what, () => {
    const array = asArray(x, what);
    const wanted = checkShape(what, shape);
    const axes = normalizeAxes(what, broadcastDimensions, wanted.length);
    const rising = axes.every((axis, i) => axis === broadcastDimensions[i]);
    if (!rising || axes.length !== array.ndim) {
      throw new RangeError(
        `Cannot ${what}: one dimension for each axis of shape ${
          showShape(array.shape)
        } is required, in rising order, got ${describe(broadcastDimensions)}`,
      );
    }
    axes.forEach((axis, i) => {
      if (array.shape[i] === 1 || array.shape[i] === wanted[axis]) return;
      throw new RangeError(
        `Cannot ${what}: every extent must be 1 or match the one it becomes, got ${
          showShape(array.shape)
        } and ${showShape(wanted)} along ${describe(broadcastDimensions)}`,
      );
    });
    const placed = wanted.map((_, axis) =>
      axes.includes(axis) ? array.shape[axes.indexOf(axis)]! : 1
    );
    return broadcastTo(reshape(array, placed), wanted);
  }, x);
}

/** New leading axes: the array repeated along each. */
export function broadcast(x: ArrayLike, sizes: readonly number[]): NDArray {
  return lifted("broadcast", () => {
    const array = asArray(x, "broadcast");
    return broadcastTo(array, [...checkShape("broadcast", sizes), ...array.shape]);
  }, x);
}

/** The array in another type, as `numpy.astype`. */
export function convertElementType(x: ArrayLike, dtype: DType): NDArray {
  return astype(x, dtype);
}

/**
 * The bits of an array under another type of 32 bits: float32, int32 or uint32. For the patterns of half types
 * see the `bits` method.
 *
 * @throws {TypeError} for types of other widths.
 */
export function bitcastConvertType(x: ArrayLike, dtype: DType): NDArray {
  const what = "bitcastConvertType";
  const wanted = checkDType(dtype, what);
  return lifted(what, () => {
    const array = asArray(x, what);
    if (isWordDType(array.dtype) && isWordDType(wanted)) {
      return array.dtype === wanted ? array : bitcast(array, wanted);
    }
    throw new TypeError(
      `Cannot ${what}: both types must be float32, int32 or uint32, got ${array.dtype} and ${wanted}`,
    );
  }, x);
}

/** The arrays one after the other along an axis; see `numpy.concatenate`. */
export function concatenate(arrays: readonly ArrayLike[], dimension: number): NDArray {
  return numpyConcatenate(arrays, { axis: dimension });
}

/** Reverses the order of the elements along dimensions. */
export function rev(x: ArrayLike, dimensions: readonly number[]): NDArray {
  return flip(x, { axis: dimensions });
}

/**
 * The elements from `starts` up to before `limits`, in `strides` (1 by default): one number of each for each
 * axis, with nothing cut or counted from the end.
 *
 * @throws {RangeError} if the window is not inside the array.
 */
export function slice(
  x: ArrayLike,
  starts: readonly number[],
  limits: readonly number[],
  strides?: readonly number[],
): NDArray {
  return lifted("slice", () => {
    const array = asArray(x, "slice");
    const steps = strides ?? array.shape.map(() => 1);
    for (const [name, list] of Object.entries({ starts, limits, strides: steps })) {
      if (Array.isArray(list) && list.length === array.ndim && list.every(Number.isInteger)) {
        continue;
      }
      throw new TypeError(
        `Cannot slice: ${name} must be one integer for each axis of shape ${
          showShape(array.shape)
        }, got ${describe(list)}`,
      );
    }
    const counts = array.shape.map((extent, axis) => {
      const [start, limit, step] = [starts[axis]!, limits[axis]!, steps[axis]!];
      if (start >= 0 && start <= limit && limit <= extent && step > 0) {
        return Math.ceil((limit - start) / step);
      }
      throw new RangeError(
        `Cannot slice: 0 <= start <= limit <= ${extent} and a positive stride are required along axis ${axis}, got ${start}, ${limit} and ${step}`,
      );
    });
    return window(array, starts, steps, counts);
  }, x);
}

/** As {@linkcode slice}, along one axis, the first by default. */
export function sliceInDim(
  x: ArrayLike,
  start: number,
  limit: number,
  stride: number = 1,
  axis: number = 0,
): NDArray {
  const array = asArray(x, "sliceInDim");
  const along = normalizeAxis("sliceInDim", axis, array.ndim);
  const list = (here: number, elsewhere: (extent: number) => number) =>
    array.shape.map((extent, a) => a === along ? here : elsewhere(extent));
  return slice(array, list(start, () => 0), list(limit, (n) => n), list(stride, () => 1));
}
