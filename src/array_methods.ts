// The methods of NDArray, declared with `this` as the array type so that this file knows nothing of the class.

import type { DType } from "./core/dtype.ts";
import type { Shape } from "./core/shape.ts";

/** Every function of `numpy` that takes an array first, as a method. */
export interface ArrayMethods {
  matmul(y: this | number): this;
  add(y: this | number): this;
  astype(dtype: DType): this;
  reshape(shape: Shape): this;
}
