// A small regression for the tests of training: a line in two variables, and losses of it.

import { type NDArray, numpy as jnp, tree } from "@zenith/jax";

/** The parameters of a line. */
export interface Line {
  readonly w: NDArray;
  readonly b: NDArray;
}

/** Parameters to start from. */
export function startLine(): Line {
  return { w: jnp.array([[0.5], [-0.25]]), b: jnp.zeros([1]) };
}

/** Six points, whose line is y = x0 - 0.5 x1 + 0.25. */
export function points(): [x: NDArray, y: NDArray] {
  const x = jnp.array([[1, 2], [-1, 0.5], [0.5, -2], [2, 1], [-0.5, -1], [1.5, 0]]);
  return [x, x.matmul(jnp.array([[1], [-0.5]])).add(0.25)];
}

/** What the line gives. */
export function predict({ w, b }: Line, x: NDArray): NDArray {
  return x.matmul(w).add(b);
}

/** The mean squared error, in float32. */
export function squaredLoss(line: Line, x: NDArray, y: NDArray): NDArray {
  return predict(line, x).astype("float32").sub(y.astype("float32")).square().mean();
}

/** The elements of every array of a tree, one array behind the other. */
export async function elements(of: unknown): Promise<number[]> {
  const arrays = tree.leaves(of) as NDArray[];
  return (await Promise.all(arrays.map(async (leaf) => Array.from(await leaf.data())))).flat();
}
