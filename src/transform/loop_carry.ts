// What the loops have in common: a carry that keeps its shapes and dtypes from step to step.

import { promoteTypes } from "../core/dtype.ts";
import { leavesWithPath } from "../core/pytree.ts";
import { sameShape } from "../core/shape.ts";
import { asNDArray, type NDArray } from "../array.ts";
import { type Aval, showAval } from "../ir/aval.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { flattenArrays, type FlatTree } from "./arguments.ts";
import {
  type AnyFunction,
  runTraced,
  traceCall,
  type TracedCall,
  type TreeOfAvals,
} from "./traced_call.ts";

/** A step of a loop, traced for a carry that it keeps. */
export interface TracedStep {
  readonly carry: FlatTree;
  readonly step: TracedCall;
}

/**
 * Traces a step whose first argument is the carry. What came of JS numbers takes the dtype that the step
 * gives it.
 *
 * @param others the step's other arguments. @param resultOf where in the step's results the carry is.
 */
export function traceStep(
  what: string,
  fn: AnyFunction,
  init: unknown,
  others: readonly TreeOfAvals[],
  checkResult: (step: TracedCall, carry: FlatTree) => void,
): TracedStep {
  let carry = flattenArrays(init, what, "init");
  let step = traceCall(fn, [carry, ...others], what);
  checkResult(step, carry);
  if (carry.leaves.some((leaf) => leaf.aval.weak)) {
    const made: NDArray[] = [...carry.made];
    const leaves = carry.leaves.map((leaf, i) => {
      if (!leaf.aval.weak) return leaf;
      const { dtype } = promoteTypes([leaf.aval, { ...step.graph.outputs[i]!.aval }]);
      made.push(asNDArray(astype(leaf, dtype)));
      return made[made.length - 1]!;
    });
    carry = { ...carry, leaves, made };
    step = traceCall(fn, [carry, ...others], what);
    checkResult(step, carry);
  }
  carry.leaves.forEach(({ aval }, i) => {
    const after = step.graph.outputs[i]!.aval;
    if (keeps(aval, after)) return;
    const { path } = leavesWithPath(init, "init")[i]!;
    throw new TypeError(
      `Cannot ${what}: the carry must keep its shape and dtype, got ${
        showAval(aval)
      } for ${path} and ${showAval(after)} after a step; convert it with astype`,
    );
  });
  return { carry, step };
}

function keeps(before: Aval, after: Aval): boolean {
  return before.dtype === after.dtype && sameShape(before.shape, after.shape);
}

/** A value whose dtype is no longer that of the array it meets next. */
export function strong(x: Value): Value {
  return x.aval.weak ? astype(x, x.aval.dtype) : x;
}

/** Handles of the loop's own on what it begins with: every step gives up those of the one before. */
export function ownHandles(values: readonly Value[], what: string): readonly Value[] {
  return runTraced(values, (xs) => xs.map(strong), what);
}
