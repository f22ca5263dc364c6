// Text from a trained GPT, a token at a time: each step takes one token and what the blocks remember of those
// before it, so that it costs the same wherever it stands, and no step waits for the host.

import { jit, type NDArray, numpy as jnp, random, scope } from "@zenith/jax";
import type { Gpt, GptCache, GptParams } from "./model.ts";

/** What is to be written. */
export interface SamplePlan {
  /** The bytes to go on from; at least one. */
  readonly prompt: Uint8Array;
  /** How many bytes to write. */
  readonly count: number;
  /** How many tokens the model was trained to look at. */
  readonly length: number;
  /** By how much unlikely tokens are held back: at 0 the likeliest is taken, at 1 each as often as it is likely. */
  readonly temperature: number;
  readonly key: NDArray;
}

/** One step, compiled once: the token after one at some place. The cache is replaced in place. */
function decoder(model: Gpt, temperature: number) {
  const next = (logits: NDArray, key: NDArray): NDArray =>
    temperature === 0
      ? jnp.argmax(logits, { axis: -1 })
      : random.categorical(key, logits.div(temperature));
  return jit(
    (params: GptParams, cache: GptCache, token: NDArray, key: NDArray, place: number) => {
      const [logits, seen] = model.decode(params, token, cache);
      const drawn = next(logits.astype("float32"), random.foldIn(key, place));
      return { token: drawn, cache: seen };
    },
    { donateArgnums: 1, name: "the decoding step" },
  );
}

/** The bytes that follow the prompt. */
export function sample(model: Gpt, params: GptParams, plan: SamplePlan): Promise<Uint8Array> {
  const { prompt, count, length, temperature, key } = plan;
  if (count === 0) return Promise.resolve(new Uint8Array());
  const step = decoder(model, temperature);
  return scope(async () => {
    const tokens = [...prompt].map((byte) => jnp.array([[byte]], { dtype: "int32" }));
    let cache = model.initCache(params, 1, length);
    let held = 0;
    for (let place = 0; tokens.length < prompt.length + count; place++) {
      if (held === length) {
        // Positions past those of the training mean nothing to the model: it reads the later half again.
        place -= length >> 1;
        held = 0;
        cache = model.initCache(params, 1, length);
      }
      const next = step(params, cache, tokens[place], key, place);
      cache = next.cache;
      held++;
      if (place === tokens.length - 1) tokens.push(next.token);
      else next.token.dispose();
    }
    const written = jnp.concatenate(tokens.slice(prompt.length), { axis: 1 });
    return Uint8Array.from(await written.data());
  });
}
