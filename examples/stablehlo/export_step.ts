// Exports a training step on the handwritten digits for JAX, trains with it here, and saves what it began from
// and what came of it, for train_sharded.py to do the same on several devices.
//
//   deno run -A examples/stablehlo/export_step.ts FOLDER [POLICY]

import {
  castToHalf,
  init,
  losses,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  saveSafetensors,
  toStableHLO,
  trainStep,
} from "@zenith/jax";
import { loadDigits } from "../digits/rows.ts";

const [folder, policy = "float32"] = Deno.args;
if (!folder) throw new TypeError("Cannot export: a folder is required as the first argument");

const batch = 128;
const count = 20;

await init();
const { train: { pixels, truth } } = await loadDigits();
const images = jnp.array(pixels.slice(0, batch * 8)).div(16);
const labels = jnp.array(truth.slice(0, batch * 8), { dtype: "int32" });

const model = nn.sequential([
  nn.dense({ inFeatures: 64, features: 128 }),
  nn.gelu,
  nn.dense({ inFeatures: 128, features: 10 }),
]);
const training = trainStep({
  loss: (params: ReturnType<typeof model.init>, x: NDArray, y: NDArray) => {
    const logits = model.apply(castToHalf(params), castToHalf(x)) as NDArray;
    return jnp.mean(losses.softmaxCrossEntropyWithIntegerLabels(logits, y));
  },
  optimizer: optim.sgd(0.1, { momentum: 0.9 }),
  policy,
});

const nth = (x: NDArray, step: number) => {
  const start = step % 8 * batch;
  return x.slice([start, start + batch]);
};
let state = training.init(model.init(random.key(0)));
await Deno.mkdir(folder, { recursive: true });
await Deno.writeTextFile(
  `${folder}/step.mlir`,
  toStableHLO(training.step, state, nth(images, 0), nth(labels, 0)),
);
await saveSafetensors(`${folder}/start.safetensors`, { arg0: state, images, labels });
for (let step = 0; step < count; step++) {
  [state] = training.step(state, nth(images, step), nth(labels, step));
}
await saveSafetensors(`${folder}/end.safetensors`, { arg0: state });
console.log(`trained ${count} steps of ${batch} digits under ${policy}; files are in ${folder}`);
