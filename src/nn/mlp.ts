// The feed-forward part of a transformer.

import { asArray, type NDArray } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { nameScope } from "../ir/trace.ts";
import { lifted } from "../numpy/lift.ts";
import { mul } from "../ops/arithmetic.ts";
import { gelu } from "./activations.ts";
import { dense, type DenseParams } from "./dense.ts";
import {
  checkApplyOptions,
  checkCount,
  checkParameterNames,
  initChildren,
  type Module,
} from "./module.ts";

/** The sizes of {@linkcode mlp} and what it does. */
export interface MlpOptions {
  /** The extent of the last axis of the input and of the result. */
  readonly features: number;
  /** The extent in between; by default 4 times the features. */
  readonly hidden?: number;
  /** What is applied in between; by default `gelu`. */
  readonly activation?: (x: NDArray) => NDArray;
  /** Whether the activation of a third projection multiplies what is in between; by default false. */
  readonly gated?: boolean;
  /** Whether the projections add a bias; by default true. */
  readonly useBias?: boolean;
}

/** Parameters of {@linkcode mlp}. */
export interface MlpParams {
  /** Kernel `[features, hidden]`. */
  up: DenseParams;
  /** Kernel `[features, hidden]`; there with `gated`. */
  gate?: DenseParams;
  /** Kernel `[hidden, features]`. */
  down: DenseParams;
}

/**
 * Two layers with an activation between, `down(activation(up(x)))`; with `gated` it is
 * `down(activation(gate(x)) up(x))` (Shazeer, 2020).
 *
 * @throws {RangeError} if a size is not positive.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const layer = nn.mlp({ features: 8, hidden: 24, activation: nn.silu, gated: true });
 * const params = layer.init(random.key(0));
 * console.log(layer.apply(params, jnp.ones([2, 8])).shape); // [2, 8]
 * ```
 */
export function mlp(options: MlpOptions): Module<MlpParams> {
  checkOptions("mlp", options ?? null, ["features", "hidden", "activation", "gated", "useBias"]);
  const { activation = gelu, gated = false, useBias = true } = options;
  if (typeof activation !== "function") {
    throw new TypeError(`Cannot mlp: activation must be a function, got ${describe(activation)}`);
  }
  const features = checkCount("mlp", "features", options.features);
  const hidden = checkCount("mlp", "hidden", options.hidden ?? 4 * features);
  const widen = dense({ inFeatures: features, features: hidden, useBias });
  const down = dense({ inFeatures: hidden, features, useBias });
  const parts = { up: widen, ...gated ? { gate: widen } : {}, down };
  return {
    name: "mlp",
    init: (key) => initChildren(key, parts) as unknown as MlpParams,
    apply: (params, x, applyOptions = {}) => {
      checkApplyOptions("mlp", applyOptions);
      checkParameterNames("mlp", params, Object.keys(parts));
      return lifted("mlp", () => {
        const array = asArray(x, "mlp");
        const up = nameScope("up", () => widen.apply(params.up, array));
        const between = gated
          ? mul(activation(nameScope("gate", () => widen.apply(params.gate!, array))), up)
          : activation(up);
        return nameScope("down", () => down.apply(params.down, between as NDArray));
      });
    },
  };
}
