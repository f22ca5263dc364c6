// Training the digits network under one policy: an epoch at a time, with what is to be shown of each.

import {
  castToCompute,
  jit,
  losses,
  type Metrics,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  scope,
  trainStep,
  withPolicy,
} from "@zenith/jax";
import { type Digits, PIXELS } from "./rows.ts";

/** How far the training came with an epoch. */
export interface EpochReport {
  readonly policy: string;
  readonly epoch: number;
  /** The mean loss of the epoch's batches. */
  readonly loss: number;
  /** The share of test digits that are read right. */
  readonly accuracy: number;
  readonly lossScale: number;
  /** Steps since the beginning whose gradients were not finite. */
  readonly skipped: number;
  readonly stepMs: number;
}

/** What decides how a training goes. */
export interface TrainingPlan {
  readonly policy: string;
  readonly epochs: number;
  readonly seed: number;
}

interface Layer {
  readonly kernel: NDArray;
  readonly bias: NDArray;
}

const BATCH = 96;
const SIZES = [PIXELS, 256, 128, 10];

/** Weights as He et al. (2015) draw them. */
function initialLayers(key: NDArray): Layer[] {
  const keys = [...random.split(key, SIZES.length - 1)] as NDArray[];
  return keys.map((layerKey, i) => ({
    kernel: random.normal(layerKey, [SIZES[i], SIZES[i + 1]]).mul(Math.sqrt(2 / SIZES[i])),
    bias: jnp.zeros([SIZES[i + 1]]),
  }));
}

/** Pixels from 0 to 16 in, one logit a digit out. Which type it computes in is not its concern. */
function network(layers: readonly Layer[], pixels: NDArray): NDArray {
  return layers.reduce((h, { kernel, bias }, i) => {
    const out = h.matmul(kernel).add(bias);
    return i < layers.length - 1 ? nn.gelu(out) : out;
  }, pixels.div(16));
}

/** The mean cross entropy. */
function crossEntropy(layers: readonly Layer[], pixels: NDArray, truth: NDArray): NDArray {
  return losses.softmaxCrossEntropyWithIntegerLabels(network(layers, pixels), truth).mean();
}

/** Trains from the seed's weights and gives a report after each epoch. */
export async function* train(
  { policy, epochs, seed }: TrainingPlan,
  digits: { readonly train: Digits; readonly test: Digits },
): AsyncGenerator<EpochReport> {
  const [pixels, truth] = onDevice(digits.train);
  const accuracyOn = tester(policy, digits.test);
  const batches = Math.floor(digits.train.truth.length / BATCH);
  const { init, step } = trainStep({
    loss: crossEntropy,
    optimizer: optim.adamw(optim.cosineDecay(2e-3, epochs * batches), { weightDecay: 0.01 }),
    policy,
    maxGradNorm: 1,
  });
  const [weightsKey, orderKey] = [...random.split(random.key(seed))] as [NDArray, NDArray];
  let state = scope(() => init(initialLayers(weightsKey)));
  let skipped = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = scope(() => random.permutation(random.foldIn(orderKey, epoch), truth.size));
    const steps: Metrics<undefined>[] = [];
    const started = performance.now();
    for (let batch = 0; batch < batches; batch++) {
      const [next, metrics] = scope(() => {
        const rows = order.slice([batch * BATCH, (batch + 1) * BATCH]);
        return step(state, jnp.take(pixels, rows, { axis: 0 }), jnp.take(truth, rows));
      });
      state = next;
      steps.push(metrics);
    }
    order.dispose();
    // Nothing waits for the device before this line: one read fetches the whole epoch's numbers.
    const lossOfBatch = await Promise.all(steps.map((metrics) => metrics.loss.item()));
    const stepMs = (performance.now() - started) / batches;
    const skips = await Promise.all(steps.map((metrics) => metrics.skipped.item()));
    skipped += skips.filter(Boolean).length;
    const accuracy = await accuracyOn(state.params);
    const scale = await steps[steps.length - 1].lossScale.item() as number;
    const loss = lossOfBatch.reduce<number>((sum, each) => sum + Number(each), 0) / batches;
    yield { policy, epoch, loss, accuracy, lossScale: scale, skipped, stepMs };
  }
}

function onDevice({ pixels, truth }: Digits): [pixels: NDArray, truth: NDArray] {
  return [jnp.array(pixels), jnp.array(truth, { dtype: "int32" })];
}

/** A function that gives the share of digits that weights read right, computing as the policy does. */
function tester(policy: string, digits: Digits): (layers: readonly Layer[]) => Promise<number> {
  const [pixels, truth] = onDevice(digits);
  const share = jit((layers: readonly Layer[], pixels: NDArray, truth: NDArray) => {
    const read = jnp.argmax(network(castToCompute(layers), castToCompute(pixels)), { axis: 1 });
    return read.equal(truth).astype("float32").mean();
  });
  return async (layers) => {
    const result = withPolicy(policy, () => share(layers, pixels, truth));
    const accuracy = await result.item() as number;
    result.dispose();
    return accuracy;
  };
}
