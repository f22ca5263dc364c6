// Experiment B: weights kept in half precision stall, because an update below half the distance to the next
// half number is rounded away. A linear regression by plain gradient descent, whose solution every type holds,
// so that what is left of the loss is what the optimizer did not reach.

import {
  type FloatDType,
  grad,
  jit,
  type NDArray,
  numpy as jnp,
  optim,
  random,
  tree,
} from "@zenith/jax";

/** How one run went. */
export interface StalledRun {
  /** The type of the weights, and what keeps their updates. */
  readonly name: string;
  readonly firstLoss: number;
  readonly lastLoss: number;
}

type Transformation = optim.GradientTransformation;

/** The weights that are to be found: every type holds them. */
export const solution = [1, -0.5, 0.75, 1.25, -1.5, 0.25, -1, 0.5];
const examples = 64;

/** What keeps the part of an update that a half weight cannot hold. */
const keepers:
  readonly (readonly [name: string, wrap: (inner: Transformation) => Transformation])[] = [
    ["alone", (inner) => inner],
    ["masterWeights", optim.masterWeights],
    ["kahan", optim.kahan],
    ["stochasticRounding", (inner) => optim.stochasticRounding(inner, random.key(0))],
  ];

/** The loss of weights, in float32 whatever their type. */
export function regression(): (w: NDArray) => NDArray {
  const x = random.uniform(random.key(3), [examples, solution.length], { minval: -1, maxval: 1 });
  const y = x.matmul(jnp.array(solution));
  return (w) => x.matmul(w.astype("float32")).sub(y).square().mean();
}

async function train(
  name: string,
  steps: number,
  dtype: FloatDType,
  optimizer: Transformation,
): Promise<StalledRun> {
  const loss = jit(regression());
  const step = jit((w: NDArray, state: unknown): [NDArray, unknown] => {
    const [updates, next] = optimizer.update(grad(loss)(w), state, w);
    return [optim.applyUpdates(w, updates), next];
  }, { donateArgnums: [0, 1] });
  let w: NDArray = jnp.zeros([solution.length], { dtype });
  const firstLoss = Number(await loss(w).item());
  let state = optimizer.init(w);
  for (let i = 0; i < steps; i++) [w, state] = step(w, state);
  const lastLoss = Number(await loss(w).item());
  for (const array of tree.leaves([w, state] as unknown) as NDArray[]) array.dispose();
  return { name, firstLoss, lastLoss };
}

/** Trains weights in float32, and in both half types alone and with every keeper of updates. */
export async function stalledWeights(steps: number): Promise<StalledRun[]> {
  const runs = [await train("float32", steps, "float32", optim.sgd(0.02))];
  for (const dtype of ["float16", "bfloat16"] as const) {
    for (const [name, wrap] of keepers) {
      runs.push(await train(`${dtype}, ${name}`, steps, dtype, wrap(optim.sgd(0.02))));
    }
  }
  return runs;
}
