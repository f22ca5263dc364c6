// Windows of a text, drawn by number: which ones a step learns from does not depend on the steps before it.

import { jit, type NDArray, numpy as jnp, random } from "@zenith/jax";

/** How many windows are drawn at once, and of how many tokens each. */
export interface WindowSizes {
  readonly batch: number;
  readonly length: number;
}

/** A text on the device, and the windows in it. */
export class Windows implements Disposable {
  readonly #key: NDArray;
  readonly #text: NDArray;
  readonly #draw: (text: NDArray, key: NDArray, number: NDArray | number) => NDArray;

  /** Windows with a token more than `length`, for what follows the last one. */
  constructor(bytes: Uint8Array, key: NDArray, { batch, length }: WindowSizes) {
    const places = bytes.length - length;
    if (places < 1) {
      throw new RangeError(
        `Cannot draw windows: a text of ${
          length + 1
        } bytes or more is required, got ${bytes.length}`,
      );
    }
    this.#key = key;
    this.#text = jnp.array(bytes, { dtype: "int32" });
    this.#draw = jit((text: NDArray, key: NDArray, number: NDArray | number) => {
      const starts = random.randint(random.foldIn(key, number), [batch, 1], 0, places);
      return jnp.take(text, starts.add(jnp.arange(length + 1)));
    });
  }

  /** The windows of a number: `[batch, length + 1]`. */
  draw(number: NDArray | number): NDArray {
    return this.#draw(this.#text, this.#key, number);
  }

  [Symbol.dispose](): void {
    this.#text.dispose();
    this.#key.dispose();
  }
}
