// Experiment A: gradients too small for float16, and the loss scales that keep them. A student network of
// outputs scaled down to thousandths fits a teacher of such outputs. An error of e thousandths then has a
// gradient of 2e-6 e / 96 before the scaling, and float16 rounds what is at most 2**-25 to 0: every error below
// 1.43 thousandths. No error is larger at first, so nothing is learnt. A scale of 1024 takes that limit down to
// 1.4e-3 thousandths; for less than a millionth of the first loss to be left then, the first errors must be
// about as large as one another, and so the teacher ends in a tanh.

import {
  type LossScale,
  lossScale,
  type Metrics,
  type NDArray,
  numpy as jnp,
  optim,
  random,
  trainStep,
  tree,
} from "@zenith/jax";

/** How one run went. */
export interface UnderflowRun {
  /** Which policy and loss scale. */
  readonly name: string;
  readonly firstLoss: number;
  readonly lastLoss: number;
  /** The norm of the gradient of the first step, not scaled. */
  readonly firstGradNorm: number;
  /** How many weights changed, of how many. */
  readonly moved: number;
  readonly weights: number;
  /** The loss scale of the last step. */
  readonly lastScale: number;
}

/** The student's parameters. */
export interface Network {
  readonly w1: NDArray;
  readonly b1: NDArray;
  readonly w2: NDArray;
  readonly b2: NDArray;
}

const outputScale = 1e-3;
const examples = 6;
const features = 16;
const hidden = 32;

/** A network whose outputs are small at first, so that its errors are the teacher's outputs. */
function makeStudent(key: NDArray): Network {
  const [k1, k2] = [...random.split(key)] as [NDArray, NDArray];
  return {
    w1: random.normal(k1, [features, hidden]).div(Math.sqrt(features)),
    b1: jnp.zeros([hidden]),
    w2: random.normal(k2, [hidden, features]).mul(0.1 / Math.sqrt(hidden)),
    b2: jnp.zeros([features]),
  };
}

function teach(key: NDArray, x: NDArray): NDArray {
  return jnp.tanh(x.matmul(random.normal(key, [features, features]))).mul(outputScale);
}

function apply({ w1, b1, w2, b2 }: Network, x: NDArray): NDArray {
  return jnp.tanh(x.matmul(w1).add(b1)).matmul(w2).add(b2).mul(outputScale);
}

/** The mean squared error of the student. */
export function loss(network: Network, x: NDArray, y: NDArray): NDArray {
  return apply(network, x).astype("float32").sub(y.astype("float32")).square().mean();
}

/** The student before training, and what it is to learn. */
export function problem(): [student: Network, x: NDArray, y: NDArray] {
  const x = random.normal(random.key(1), [examples, features]);
  return [makeStudent(random.key(3)), x, teach(random.key(2), x)];
}

async function train(
  name: string,
  steps: number,
  policy: string,
  scale: LossScale,
): Promise<UnderflowRun> {
  const [student, x, y] = problem();
  const { init, step } = trainStep({
    loss,
    // Adam's usual eps of 1e-8 is more than these gradients are.
    optimizer: optim.adam(optim.cosineDecay(0.01, steps), { eps: 1e-12 }),
    policy,
    lossScale: scale,
  });
  let state = init(student);
  const [next, first] = step(state, x, y);
  state = next;
  let last: Metrics<undefined> = first;
  for (let i = 1; i < steps; i++) [state, last] = step(state, x, y);
  const before = await numbers(student);
  const after = await numbers(state.params);
  return {
    name,
    firstLoss: Number(await first.loss.item()),
    lastLoss: Number(await last.loss.item()),
    firstGradNorm: Number(await first.gradNorm.item()),
    moved: before.filter((weight, i) => weight !== after[i]).length,
    weights: before.length,
    lastScale: Number(await last.lossScale.item()),
  };
}

async function numbers(network: Network): Promise<number[]> {
  const arrays = tree.leaves(network as unknown) as NDArray[];
  return (await Promise.all(arrays.map(async (leaf) => Array.from(await leaf.data())))).flat();
}

/** Trains the student in float32, and in float16 without a loss scale and with several. */
export async function gradientUnderflow(steps: number): Promise<UnderflowRun[]> {
  const half = "mixed_float16";
  return [
    await train("float32", steps, "float32", lossScale.noOp()),
    await train("float16, no scale", steps, half, lossScale.noOp()),
    await train("float16, fixed(1024)", steps, half, lossScale.fixed(1024)),
    await train("float16, fixed(2**15)", steps, half, lossScale.fixed(2 ** 15)),
    await train("float16, dynamic", steps, half, lossScale.dynamic({ period: 50 })),
  ];
}
