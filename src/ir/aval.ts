// Abstract values: what tracing knows of an array.

import type { DType, WeakKind } from "../core/dtype.ts";
import { sameShape, type Shape } from "../core/shape.ts";

/** The shape and dtype of an array that is not there yet; `weak` marks what came of JS numbers alone. */
export interface Aval {
  /** The extents of the axes. */
  readonly shape: Shape;
  /** The element type. */
  readonly dtype: DType;
  /** Set where the type gives way to that of the arrays it meets. */
  readonly weak?: WeakKind;
}

/** JAX's notation: `float16[32,64]`, with `~` before a weak type. */
export function showAval(aval: Aval): string {
  return `${aval.weak ? "~" : ""}${aval.dtype}[${aval.shape.join(",")}]`;
}

/** Whether two avals have the same shape and dtype. */
export function sameAval(a: Aval, b: Aval): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** One value inside a graph; identity is what counts. */
export interface Variable {
  /** Its shape and dtype. */
  readonly aval: Aval;
}
