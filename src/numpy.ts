// The `numpy` namespace: JAX's functions of arrays, which users alias `jnp`.

export * from "./numpy/arithmetic.ts";
export * from "./numpy/comparison.ts";
export * from "./numpy/creation.ts";
export * from "./numpy/elementary.ts";
export * from "./numpy/matrices.ts";
export * from "./numpy/ranges.ts";
export * from "./numpy/reduction.ts";
export {
  atleast1d,
  atleast2d,
  atleast3d,
  broadcastArrays,
  broadcastTo,
  expandDims,
  flatten,
  moveaxis,
  ravel,
  reshape,
  squeeze,
  swapaxes,
  transpose,
} from "./numpy/movement.ts";
export { arraySplit, concatenate, dstack, hstack, split, stack, vstack } from "./numpy/joining.ts";
export { slice, take, takeAlongAxis } from "./numpy/indexing.ts";
export { at } from "./numpy/index_update.ts";
export { pad } from "./numpy/padding.ts";
export { flip, repeat, roll, rot90, tile } from "./numpy/rearranging.ts";
export { argsort, type SearchOptions, searchsorted, sort } from "./numpy/sorting.ts";
export { cumprod, cumsum, diff } from "./numpy/accumulation.ts";
export { einsum } from "./numpy/einsum.ts";
export { diagonal, trace } from "./numpy/diagonal.ts";
export { dot, inner, kron, matmul, outer, tensordot, vdot } from "./numpy/linear_algebra.ts";
