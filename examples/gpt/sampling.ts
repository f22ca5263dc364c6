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

/** What a step goes on from and replaces. */
interface Writing {
  /** `[1, length]`: what is known so far, and room for the rest. */
  readonly text: NDArray;
  readonly cache: GptCache;
}

/** One step, compiled once: the cache takes in the token at a place, and what follows it stands behind those known. */
function decoder(model: Gpt, temperature: number) {
  const draw = (logits: NDArray, key: NDArray): NDArray =>
    temperature === 0
      ? jnp.argmax(logits, { axis: -1 })
      : random.categorical(key, logits.div(temperature));
  const step = (
    params: GptParams,
    { text, cache }: Writing,
    key: NDArray,
    place: number,
    known: number,
  ): Writing => {
    const token = jnp.take(text, place, { axis: 1 }).reshape([1, 1]);
    const [logits, next] = model.decode(params, token, cache);
    const drawn = draw(logits.astype("float32"), random.foldIn(key, known));
    return { text: jnp.where(jnp.arange(text.size).equal(known), drawn, text), cache: next };
  };
  return jit(step, { donateArgnums: 1, name: "the decoding step" });
}

/** The bytes that follow the prompt. */
export function sample(model: Gpt, params: GptParams, plan: SamplePlan): Promise<Uint8Array> {
  const { prompt, count, length, temperature, key } = plan;
  const step = decoder(model, temperature);
  return scope(async () => {
    const bytes = new Uint8Array(prompt.length + count);
    bytes.set(prompt);
    let text = jnp.array(bytes, { dtype: "int32" }).reshape([1, bytes.length]);
    let cache = model.initCache(params, 1, length);
    let held = 0;
    let known = prompt.length;
    for (let place = 0; known < bytes.length; place++, held++) {
      if (held === length) {
        // Positions past those of the training mean nothing to the model: it reads the later half again.
        place -= length >> 1;
        held = 0;
        cache = model.initCache(params, 1, length);
      }
      ({ text, cache } = step(params, { text, cache }, key, place, known));
      if (place === known - 1) known++;
    }
    return Uint8Array.from(await text.data()).subarray(prompt.length);
  });
}
