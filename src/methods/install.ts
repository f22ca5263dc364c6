// Puts the functions of `numpy` on arrays: a method is the same function without its first argument.

import { NDArray } from "../array.ts";
import { cumprod, cumsum, diff } from "../numpy/accumulation.ts";
import * as arithmetic from "../numpy/arithmetic.ts";
import * as comparison from "../numpy/comparison.ts";
import { astype, fullLike, onesLike, zerosLike } from "../numpy/creation.ts";
import { diagonal, trace } from "../numpy/diagonal.ts";
import * as elementary from "../numpy/elementary.ts";
import { at } from "../numpy/index_update.ts";
import { slice, take, takeAlongAxis } from "../numpy/indexing.ts";
import { arraySplit, split } from "../numpy/joining.ts";
import { diag, tril, triu } from "../numpy/matrices.ts";
import * as linearAlgebra from "../numpy/linear_algebra.ts";
import * as movement from "../numpy/movement.ts";
import { pad } from "../numpy/padding.ts";
import * as rearranging from "../numpy/rearranging.ts";
import * as reduction from "../numpy/reduction.ts";
import { argsort, sort } from "../numpy/sorting.ts";
import type { ElementwiseMethods } from "./elementwise.ts";
import type { IndexingMethods } from "./indexing.ts";
import type { LinearAlgebraMethods } from "./linear_algebra.ts";
import type { MovementMethods } from "./movement.ts";
import type { ReductionMethods } from "./reduction.ts";

/** A function for every method that an interface declares. */
type MethodTable<Methods> = {
  readonly [Name in keyof Methods]: (x: NDArray, ...rest: never[]) => unknown;
};

const elementwiseTable: MethodTable<ElementwiseMethods> = {
  ...arithmetic,
  ...comparison,
  ...elementary,
  astype,
  zerosLike,
  onesLike,
  fullLike,
  tril,
  triu,
  diag,
};

const reductionTable: MethodTable<ReductionMethods> = { ...reduction };

const { reshape, ravel, flatten, transpose, swapaxes, moveaxis, expandDims, squeeze } = movement;
const { broadcastTo, atleast1d, atleast2d, atleast3d } = movement;
const { flip, repeat, roll, rot90, tile } = rearranging;

const movementTable: MethodTable<MovementMethods> = {
  reshape,
  ravel,
  flatten,
  transpose,
  swapaxes,
  moveaxis,
  expandDims,
  squeeze,
  broadcastTo,
  atleast1d,
  atleast2d,
  atleast3d,
  split,
  arraySplit,
  flip,
  pad,
  repeat,
  roll,
  rot90,
  tile,
};

const indexingTable: MethodTable<IndexingMethods> = {
  slice,
  at,
  take,
  takeAlongAxis,
  sort,
  argsort,
  cumsum,
  cumprod,
  diff,
};

const { matmul, dot, vdot, inner, outer, tensordot, kron } = linearAlgebra;

const linearAlgebraTable: MethodTable<LinearAlgebraMethods> = {
  matmul,
  dot,
  vdot,
  inner,
  outer,
  tensordot,
  kron,
  diagonal,
  trace,
};

function install(table: Readonly<Record<string, (x: NDArray, ...rest: never[]) => unknown>>): void {
  for (const [name, fn] of Object.entries(table)) {
    const call = fn as (x: NDArray, ...rest: unknown[]) => unknown;
    const method = {
      [name](this: NDArray, ...rest: unknown[]): unknown {
        return call(this, ...rest);
      },
    }[name];
    Object.defineProperty(NDArray.prototype, name, {
      value: method,
      writable: true,
      configurable: true,
    });
  }
}

for (
  const table of [
    elementwiseTable,
    reductionTable,
    movementTable,
    indexingTable,
    linearAlgebraTable,
  ]
) {
  install({ ...table });
}
