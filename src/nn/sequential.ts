// Modules one after the other, and modules around which their input is carried.

import { type ArrayLike, asArray, NDArray } from "../array.ts";
import { describe, showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { nameScope } from "../ir/trace.ts";
import { lifted } from "../numpy/lift.ts";
import { add } from "../ops/arithmetic.ts";
import {
  type ApplyOptions,
  checkApplyOptions,
  checkParameterNames,
  initChildren,
  type Module,
  type ParamsOf,
  partKeys,
} from "./module.ts";

/** A module of whatever parameters. */
export interface LayerModule {
  /** What it is called in messages. */
  readonly name: string;
  /** Makes the parameters. */
  init(key: NDArray): unknown;
  /** The module as a function of its parameters and its input. */
  apply(params: never, x: NDArray, options?: ApplyOptions): NDArray;
}

/** A module, or a function without parameters such as an activation. */
export type Layer = LayerModule | ((x: NDArray) => NDArray);

/** Parameters of {@linkcode sequential}: those of layer i are `layers_i`; functions have none. */
export type SequentialParams<Layers extends readonly Layer[]> = {
  [
    I in keyof Layers as I extends `${number}` | number
      ? Layers[I] extends { init(key: NDArray): unknown } ? `layers_${I}` : never
      : never
  ]: ParamsOf<Layers[I]>;
};

function isModule(layer: Layer): layer is LayerModule {
  return typeof layer === "object" && layer !== null && typeof layer.init === "function" &&
    typeof layer.apply === "function";
}

/**
 * Layers one after the other: each takes what the one before gave. Modules and plain functions may be mixed;
 * parameters are named by place, `layers_0`, `layers_1` and so on, as in Flax's `Sequential`. A key is split
 * among the modules.
 *
 * @throws {TypeError} if a layer is neither a module nor a function.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const model = nn.sequential([
 *   nn.dense({ inFeatures: 4, features: 16 }),
 *   nn.gelu,
 *   nn.dense({ inFeatures: 16, features: 2 }),
 * ]);
 * const params = model.init(random.key(0));
 * console.log(Object.keys(params)); // ["layers_0", "layers_2"]
 * console.log(model.apply(params, jnp.ones([3, 4])).shape); // [3, 2]
 * ```
 */
export function sequential<const Layers extends readonly Layer[]>(
  layers: Layers,
): Module<SequentialParams<Layers>> {
  if (!Array.isArray(layers)) {
    throw new TypeError(
      `Cannot sequential: an array of layers is required, got ${describe(layers)}`,
    );
  }
  const named = layers.map((layer: Layer, i): [name: string, layer: Layer] => {
    if (isModule(layer) || typeof layer === "function") return [`layers_${i}`, layer];
    throw new TypeError(
      `Cannot sequential: layers must be modules or functions, got ${describe(layer)} at ${i}`,
    );
  });
  const modules = Object.fromEntries(
    named.filter((entry): entry is [string, LayerModule] => isModule(entry[1])),
  );
  const names = Object.keys(modules);
  return {
    name: "sequential",
    init: (key) => initChildren(key, modules) as SequentialParams<Layers>,
    apply: (params, x, options = {}) => {
      checkApplyOptions("sequential", options);
      checkParameterNames("sequential", params, names);
      return lifted("sequential", () => {
        const keys = partKeys(options, names.length);
        let value: NDArray = asArray(x, "sequential");
        for (const [name, layer] of named) {
          if (!isModule(layer)) value = layer(value);
          else {
            const own = { ...options, key: keys[names.indexOf(name)] };
            const mine = (params as Record<string, unknown>)[name] as never;
            value = nameScope(name, () => layer.apply(mine, value, own));
          }
        }
        return value;
      }, x);
    },
  };
}

/**
 * x plus what a module makes of it (He, Zhang, Ren and Sun, 2015). The parameters are the module's own.
 *
 * @throws {TypeError} if it is given no module.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const layer = nn.residual(nn.dense({ inFeatures: 4, features: 4 }));
 * const params = layer.init(random.key(0));
 * console.log(layer.apply(params, jnp.ones([3, 4])).shape); // [3, 4]
 * ```
 */
export function residual<Params, Options = ApplyOptions>(
  module: Module<Params, Options>,
): Module<Params, Options> {
  if (!isModule(module as unknown as Layer)) {
    throw new TypeError(`Cannot residual: a module is required, got ${describe(module)}`);
  }
  return {
    name: module.name,
    init: (key) => module.init(key),
    apply: (params, x: ArrayLike, options) =>
      lifted("residual", () => {
        const array = asArray(x, "residual");
        const change = module.apply(params, array, options);
        const keeps = change instanceof NDArray && sameShape(change.shape, array.shape);
        if (keeps) return add(array, change);
        throw new RangeError(
          `Cannot residual: ${module.name} must give an array of the shape ${
            showShape(array.shape)
          } of x, got ${describe(change)}`,
        );
      }),
  };
}
