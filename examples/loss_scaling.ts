// Why float16 training needs a loss scale: a network whose gradients are too small for float16, trained without
// a scale, with a fixed one and with one that finds itself.
//
//   deno run examples/loss_scaling.ts [--steps N] [--backend webgpu|cpu]

import {
  finfo,
  grad,
  init,
  jit,
  type LossScale,
  lossScale,
  type NDArray,
  numpy as jnp,
  optim,
  random,
  trainStep,
} from "@zenith/jax";
import { checkBackend, commandLine, readFlags, wholeNumber } from "./program/flags.ts";
import { table } from "./program/table.ts";

const USAGE = `Shows what becomes of small gradients in float16, and how a loss scale keeps them.

  --steps N         training steps of each run; 200 unless told otherwise
  --backend NAME    webgpu or cpu; webgpu where there is an adapter unless told otherwise
  --help            print this`;

/** Finite steps after which the dynamic scale doubles; so short because the runs are. */
const PERIOD = 50;

interface Network {
  readonly w1: NDArray;
  readonly w2: NDArray;
}

/** Two layers whose outputs are in thousandths, as of a sensor that reports millivolts in volts. */
function network({ w1, w2 }: Network, x: NDArray): NDArray {
  return jnp.tanh(x.matmul(w1)).matmul(w2).mul(1e-3);
}

/** Weights whose outputs are small at first, so that the errors are what there is to learn. */
function makeNetwork(): Network {
  const [first, second] = [...random.split(random.key(3))] as [NDArray, NDArray];
  return {
    w1: random.normal(first, [16, 32]).div(4),
    w2: random.normal(second, [32, 16]).div(60),
  };
}

/** What is to be learnt: thousandths too. */
function teach(x: NDArray): NDArray {
  return jnp.tanh(x.matmul(random.normal(random.key(2), [16, 16]))).mul(1e-3);
}

function loss(weights: Network, x: NDArray, y: NDArray): NDArray {
  return network(weights, x).astype("float32").sub(y.astype("float32")).square().mean();
}

/** Follows one gradient through the type that it is stored in on its way back. */
async function showOneGradient(): Promise<void> {
  const { smallestSubnormal } = finfo("float16");
  const inFlight = (scale: number) =>
    jit(grad((x: NDArray) => x.astype("float16").mul(1e-3).astype("float32").mul(1e-5 * scale)));
  const lost = await inFlight(1)(jnp.array(1)).item();
  const kept = await inFlight(1024)(jnp.array(1)).item() as number;
  console.log(`The smallest float16 number is ${smallestSubnormal.toPrecision(3)}.
A gradient of 1e-8 is stored as ${lost}; of a loss times 1024 it is ${
    kept.toPrecision(4)
  }, and divided by
1024 in float32 ${
    (kept / 1024).toPrecision(4)
  }: what little is wrong with it is float16's rounding.\n`);
}

/** Trains a student to do what a teacher does; gives a row of the table. */
async function train(
  name: string,
  policy: string,
  scale: LossScale,
  steps: number,
): Promise<string[]> {
  const x = random.normal(random.key(1), [6, 16]);
  const y = teach(x);
  const { init: start, step } = trainStep({
    loss,
    // Adam divides by the size of gradients, so that it learns from the smallest; its usual eps is larger than they.
    optimizer: optim.adam(optim.cosineDecay(0.01, steps), { eps: 1e-12 }),
    policy,
    lossScale: scale,
  });
  const begun = start(makeNetwork());
  const before = Array.from(await begun.params.w2.data());
  const [next, first] = step(begun, x, y);
  let [state, last] = [next, first];
  for (let i = 1; i < steps; i++) [state, last] = step(state, x, y);
  const after = await state.params.w2.data();
  const moved = before.reduce((count, weight, i) => count + Number(weight !== after[i]), 0);
  const ratio = Number(await last.loss.item()) / Number(await first.loss.item());
  return [
    name,
    Number(await first.gradNorm.item()).toPrecision(3),
    `${moved} of ${before.length}`,
    ratio.toExponential(1),
    String(await last.lossScale.item()),
  ];
}

function readScalingFlags(args: readonly string[]) {
  const { steps, backend } = readFlags(args, { string: ["steps", "backend"], boolean: [] });
  return { steps: wholeNumber("steps", steps ?? "200", 1), backend: checkBackend(backend) };
}

const { steps, backend } = commandLine(USAGE, readScalingFlags);
await init({ backend });
await showOneGradient();
console.log(`A network with such gradients, ${steps} steps:\n`);
const header = ["", "first gradient", "weights moved", "loss, last over first", "last scale"];
const rows = [
  await train("float32", "float32", lossScale.noOp(), steps),
  await train("float16, no scale", "mixed_float16", lossScale.noOp(), steps),
  await train("float16, fixed(1024)", "mixed_float16", lossScale.fixed(1024), steps),
  await train("float16, dynamic", "mixed_float16", lossScale.dynamic({ period: PERIOD }), steps),
];
console.log(table(header, rows));
console.log(`
Without a scale every gradient is rounded to 0: no weight moves, and nothing says so. A fixed scale
learns until its gradients vanish too, 1024 times later. The dynamic one doubles with every ${PERIOD} steps that
stay finite, halves where one does not, and skips that step.`);
