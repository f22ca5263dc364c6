// The methods of NDArray, declared with `this` as the array type so that this file knows nothing of the class.

import type { ElementwiseMethods } from "./methods/elementwise.ts";
import type { IndexingMethods } from "./methods/indexing.ts";
import type { LinearAlgebraMethods } from "./methods/linear_algebra.ts";
import type { MovementMethods } from "./methods/movement.ts";
import type { ReductionMethods } from "./methods/reduction.ts";

/** Every function of `numpy` that takes an array first, as a method. */
export interface ArrayMethods
  extends
    ElementwiseMethods,
    ReductionMethods,
    MovementMethods,
    IndexingMethods,
    LinearAlgebraMethods {}
