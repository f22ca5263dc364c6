// Experiment C: layer normalisation of features around +-800. Their squares are infinite in float16, so a
// variance taken in that type is infinite and its inverse root 0: every feature becomes 0, without a NaN that
// anyone would see, and nothing is learned. The library's layer norm takes its statistics in float32.

import {
  lossScale,
  type Metrics,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  trainStep,
} from "@zenith/jax";

/** How one run went. */
export interface NormRun {
  /** Which normalisation. */
  readonly name: string;
  /** The share of examples that are classified rightly in the end. */
  readonly accuracy: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
  /** Steps that were skipped because something was not finite. */
  readonly skipped: number;
}

interface Classifier {
  readonly scale: NDArray;
  readonly bias: NDArray;
  readonly kernel: NDArray;
}

/** A normalisation of the last axis with a scale and a bias. */
export type Norm = (x: NDArray, scale: NDArray, bias: NDArray) => NDArray;

const size = 800;
const classes = 4;
const features = 32;
const examples = 64;

/** The library's own. */
export const libraryNorm: Norm = (x, scale, bias) => nn.layerNorm(x, { scale, bias });

/** As one would write it: every step in the type of x. */
export const handWrittenNorm: Norm = (x, scale, bias) => {
  const centered = x.sub(x.mean({ axis: -1, keepdims: true }));
  const variance = centered.square().mean({ axis: -1, keepdims: true });
  return centered.mul(jnp.rsqrt(variance.add(1e-6))).mul(scale).add(bias);
};

/** Rows of +800 and -800: each class has its own signs, of which each example turns around some. */
export function data(): [x: NDArray, labels: NDArray] {
  const [signs, flips] = [...random.split(random.key(7))] as [NDArray, NDArray];
  const labels = jnp.arange(examples).mod(classes);
  const prototypes = random.normal(signs, [classes, features]).greater(0);
  const flipped = random.uniform(flips, [examples, features]).less(0.1);
  const positive = jnp.take(prototypes.astype("int32"), labels, { axis: 0 }).notEqual(
    flipped.astype("int32"),
  );
  return [jnp.where(positive, size, -size).astype("float32"), labels];
}

async function train(name: string, steps: number, policy: string, norm: Norm): Promise<NormRun> {
  const [x, labels] = data();
  const { init, step } = trainStep({
    loss: ({ scale, bias, kernel }: Classifier, x: NDArray, labels: NDArray) => {
      const logits = norm(x, scale, bias).matmul(kernel).astype("float32");
      const right = nn.logSoftmax(logits).mul(nn.oneHot(labels, classes)).sum({ axis: -1 });
      const correct = jnp.argmax(logits, { axis: -1 }).equal(labels);
      return [right.mean().neg(), correct.astype("float32").mean()];
    },
    optimizer: optim.adam(0.02),
    policy,
    lossScale: lossScale.fixed(128),
  });
  let state = init({
    scale: jnp.ones([features]),
    bias: jnp.zeros([features]),
    kernel: random.normal(random.key(8), [features, classes]).mul(0.1),
  });
  const all: Metrics<NDArray>[] = [];
  for (let i = 0; i < steps; i++) {
    all[i - 1]?.aux.dispose();
    const [next, metrics] = step(state, x, labels);
    state = next;
    all.push(metrics);
  }
  const skipped = await Promise.all(all.map(({ skipped }) => skipped.item()));
  const last = all[steps - 1]!;
  return {
    name,
    accuracy: Number(await last.aux.item()),
    firstLoss: Number(await all[0]!.loss.item()),
    lastLoss: Number(await last.loss.item()),
    skipped: skipped.filter(Boolean).length,
  };
}

/** Trains a classifier with the library's layer norm in three types, and with one written by hand in float16. */
export async function normOverflow(steps: number): Promise<NormRun[]> {
  return [
    await train("nn.layerNorm, float32", steps, "float32", libraryNorm),
    await train("nn.layerNorm, float16", steps, "mixed_float16", libraryNorm),
    await train("nn.layerNorm, bfloat16", steps, "mixed_bfloat16", libraryNorm),
    await train("by hand, float32", steps, "float32", handWrittenNorm),
    await train("by hand, float16", steps, "mixed_float16", handWrittenNorm),
  ];
}
