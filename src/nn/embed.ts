// A table of vectors, one for each class.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions } from "../core/errors.ts";
import { take } from "../numpy/indexing.ts";
import { lifted } from "../numpy/lift.ts";
import { contract } from "../numpy/linear_algebra.ts";
import { type Initializer, varianceScaling } from "./initializers.ts";
import {
  checkApplyOptions,
  checkCount,
  checkLastAxes,
  checkParameters,
  type Module,
} from "./module.ts";

/** The sizes of {@linkcode embed} and how its table is made. */
export interface EmbedOptions {
  /** How many vectors there are. */
  readonly numEmbeddings: number;
  /** How long each is. */
  readonly features: number;
  /** Makes the table; by default normal numbers with variance 1 / features. */
  readonly embeddingInit?: Initializer;
}

/** Parameters of {@linkcode embed}. */
export interface EmbedParams {
  /** `[numEmbeddings, features]`. */
  embedding: NDArray;
}

/** What {@linkcode embed} gives. */
export interface EmbedModule extends Module<EmbedParams> {
  /** The products of x with every vector, as logits of the classes: `[..., features]` to `[..., numEmbeddings]`. */
  attend(params: EmbedParams, x: ArrayLike): NDArray;
}

/**
 * Vectors by number: integers of any shape become an array with one more axis of `features`. `attend` is the
 * way back, for a head that shares the table. As Flax's `Embed`.
 *
 * @throws {RangeError} if a size is not positive, or, when it is applied, the table has another shape.
 * @throws {TypeError} when it is applied, if x holds no integers.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const tokens = nn.embed({ numEmbeddings: 100, features: 8 });
 * const params = tokens.init(random.key(0));
 * const x = tokens.apply(params, jnp.array([[5, 7, 99]], { dtype: "int32" }));
 * console.log(x.shape, tokens.attend(params, x).shape); // [1, 3, 8] [1, 3, 100]
 * ```
 */
export function embed(options: EmbedOptions): EmbedModule {
  checkOptions("embed", options ?? null, ["numEmbeddings", "features", "embeddingInit"]);
  const numEmbeddings = checkCount("embed", "numEmbeddings", options.numEmbeddings);
  const features = checkCount("embed", "features", options.features);
  const embeddingInit = options.embeddingInit ??
    varianceScaling(1, "fan_in", "normal", { outAxis: 0 });
  const shapes = { embedding: [numEmbeddings, features] };
  return {
    name: "embed",
    init: (key) => ({ embedding: embeddingInit(key, shapes.embedding) }),
    apply: (params, x, applyOptions = {}) => {
      checkApplyOptions("embed", applyOptions);
      return lifted("embed", () => {
        checkParameters("embed", params, shapes);
        return take(params.embedding, x, { axis: 0 });
      });
    },
    attend: (params, x) =>
      lifted("attend", () => {
        checkParameters("attend", params, shapes);
        const query = asArray(x, "attend");
        checkLastAxes("attend", query, [features]);
        return contract(query, params.embedding, {
          contracting: [[query.ndim - 1], [1]],
          batch: [[], []],
        });
      }),
  };
}
