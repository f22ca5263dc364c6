// The loss of a training step: put under a policy, checked, scaled and differentiated.

import { NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { leaves, leavesWithPath, map } from "../core/pytree.ts";
import { add, div } from "../numpy/arithmetic.ts";
import { astype, zeros } from "../numpy/creation.ts";
import { broadcastTo, reshape } from "../numpy/movement.ts";
import { mean } from "../numpy/reduction.ts";
import { castToFull } from "../precision/casts.ts";
import type { Policy } from "../precision/policy.ts";
import { valueAndGrad } from "../transform/grad.ts";
import { MixedFunction, MixedPrecision } from "../transform/mixed_function.ts";
import { scan } from "../transform/scan.ts";
import type { LossScale } from "./loss_scale.ts";

/** A loss as `trainStep` takes it: a scalar, or `[scalar, aux]`. */
export type Loss<Params, Batch extends readonly unknown[], Aux> = (
  params: Params,
  ...batch: Batch
) => NDArray | readonly [loss: NDArray, aux: Aux];

/** A loss with its types left open. */
export type AnyLoss = Loss<unknown, readonly unknown[], unknown>;

/** What one backward pass gives. */
export interface BackwardPass {
  /** The loss, not scaled, in float32. */
  readonly loss: NDArray;
  /** What else the loss returned. */
  readonly aux: unknown;
  /** The gradients of the scaled loss. */
  readonly grads: unknown;
}

/** A loss as a float32 scalar and aux. */
export type SplitLoss = (
  params: unknown,
  ...batch: readonly unknown[]
) => [loss: NDArray, aux: unknown];

/**
 * The loss under mixed precision: it sees parameters and batch in the policy's compute type, casts inside follow
 * the policy, and what it traces to is rewritten as by `applyMixedPrecision`.
 */
export function underPolicy(loss: AnyLoss, policy: Policy): SplitLoss {
  const split = (params: unknown, ...batch: unknown[]) => splitResult(loss(params, ...batch));
  const mixed = new MixedFunction(split, new MixedPrecision({ policy }), { seesComputeType: true });
  return (...args) => mixed.call(args) as [NDArray, unknown];
}

/** Throws a TypeError where a tree has a leaf that is no array, number or boolean, naming its path. */
export function checkArrays(required: string, tree: unknown, root: string): void {
  const known = (leaf: unknown) =>
    leaf instanceof NDArray || typeof leaf === "number" || typeof leaf === "boolean";
  if (leaves(tree).every(known)) return;
  const { path, leaf } = leavesWithPath(tree, root).find(({ leaf }) => !known(leaf))!;
  throw new TypeError(
    `Cannot step: ${required} arrays, numbers and booleans, got ${describe(leaf)} at ${path}`,
  );
}

/** What a loss returned as a float32 scalar and aux. */
function splitResult(result: unknown): [loss: NDArray, aux: unknown] {
  const [loss, aux] = Array.isArray(result) && result.length === 2 ? result : [result, undefined];
  const required = "the loss must return a floating scalar or [scalar, aux]";
  if (loss instanceof Promise) {
    throw new TypeError(`Cannot step: ${required}, got a Promise; it must not be async`);
  }
  if (!(loss instanceof NDArray)) {
    throw new TypeError(`Cannot step: ${required}, got ${describe(loss)}`);
  }
  if (loss.ndim > 0) {
    throw new RangeError(
      `Cannot step: ${required}, got shape ${
        showShape(loss.shape)
      }; reduce it, for example with numpy.mean`,
    );
  }
  if (!isFloating(loss.dtype)) throw new TypeError(`Cannot step: ${required}, got ${loss.dtype}`);
  checkArrays("aux must hold", aux, "aux");
  return [castToFull(loss), aux];
}

/** Differentiates the scaled loss of one batch. */
export function backwardPass(
  loss: SplitLoss,
  scale: LossScale,
  params: unknown,
  batch: readonly unknown[],
): BackwardPass {
  const scaledLoss = (...args: [unknown, ...unknown[]]): [NDArray, [NDArray, unknown]] => {
    const [value, aux] = loss(...args);
    return [scale.scale(value), [value, aux]];
  };
  const [[, [value, aux]], grads] = valueAndGrad(scaledLoss, { hasAux: true })(params, ...batch);
  return { loss: value, aux, grads };
}

/**
 * The same for a batch in `count` parts, one after the other, each a share of the leading axis: loss and
 * gradients are averaged in float32, and what aux the parts have is stacked along a new leading axis.
 */
export function accumulatedPass(
  loss: SplitLoss,
  scale: LossScale,
  params: unknown,
  batch: readonly unknown[],
  count: number,
): BackwardPass {
  const none = map((leaf: NDArray) => zeros(leaf.shape), params);
  const [total, [losses, aux]] = scan(
    (sum: unknown, part: unknown) => {
      const { loss: value, aux, grads } = backwardPass(loss, scale, params, part as unknown[]);
      return [map((a: NDArray, b: NDArray) => add(a, astype(b, "float32")), sum, grads), [
        value,
        aux,
      ]];
    },
    none,
    partsOf(batch, count),
  ) as [unknown, [NDArray, unknown]];
  return { loss: mean(losses), aux, grads: map((leaf: NDArray) => div(leaf, count), total) };
}

/** The arrays of a batch with the parts along a new leading axis; scalars go to every part. */
function partsOf(batch: readonly unknown[], count: number): unknown {
  const paths = leavesWithPath(batch, "batch");
  let next = 0;
  return map((leaf: NDArray | number | boolean) => {
    const { path } = paths[next++]!;
    if (!(leaf instanceof NDArray) || leaf.ndim === 0) return broadcastTo(leaf, [count]);
    const [extent, ...rest] = leaf.shape as [number, ...number[]];
    if (extent % count === 0) return reshape(leaf, [count, extent / count, ...rest]);
    throw new RangeError(
      `Cannot step: accumulate must divide the leading axis of every array of the batch, got ${count} and shape ${
        showShape(leaf.shape)
      } at ${path}`,
    );
  }, batch as unknown);
}
