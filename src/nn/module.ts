// What a module is: a plain record of functions over an explicit tree of parameters, and the checks and the
// composition that all modules share.

import { type ArrayLike, NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe, isPlainObject, showShape } from "../core/errors.ts";
import { sameShape, type Shape } from "../core/shape.ts";
import { scopePath } from "../ir/trace.ts";
import { liftedTree } from "../numpy/lift.ts";
import * as random from "../random/namespace.ts";

/** What every module's `apply` may be told; modules in which nothing is random have no use for it. */
export interface ApplyOptions {
  /** Where randomness comes from: required by dropout unless `deterministic` is true. */
  readonly key?: NDArray;
  /** Whether dropout lets everything through; by default false. */
  readonly deterministic?: boolean;
}

/**
 * A part of a neural network: a plain record, whose parameters are a tree that its caller keeps. It never
 * consults the precision policy: parameters and x promote as in JAX.
 *
 * @example
 * ```ts
 * import { init, type NDArray, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const scaling: nn.Module<{ factor: NDArray }> = {
 *   name: "scaling",
 *   init: () => ({ factor: jnp.full([], 2) }),
 *   apply: ({ factor }, x) => jnp.mul(x, factor),
 * };
 * const model = nn.sequential([scaling, nn.relu]);
 * console.log(await model.apply(model.init(random.key(0)), [-1, 3]).toList()); // [0, 6]
 * ```
 */
export interface Module<Params = unknown, Options = ApplyOptions> {
  /** What it is called in messages. */
  readonly name: string;
  /** Makes the parameters, in float32; the same key gives the same ones. */
  init(key: NDArray): Params;
  /** The module as a function of its parameters and its input. */
  apply(params: Params, x: ArrayLike, options?: Options): NDArray;
}

/** The parameters of a module. */
export type ParamsOf<M> = M extends { init(key: NDArray): infer Params } ? Params : never;

/** Where in a tree of parameters the module stands that is being applied: `params.attn.query`. */
function parameterPath(name?: string): string {
  const scopes = scopePath();
  return ["params", ...scopes ? scopes.split("/") : [], ...name ? [name] : []].join(".");
}

/** Checks that parameters are an object with certain keys and no others. */
export function checkParameterNames(what: string, params: unknown, names: readonly string[]): void {
  if (!isPlainObject(params)) {
    throw new TypeError(
      `Cannot ${what}: ${parameterPath()} must be the object that init returns, got ${
        describe(params)
      }`,
    );
  }
  const missing = names.find((name) => params[name] === undefined);
  if (missing !== undefined) {
    throw new TypeError(`Cannot ${what}: ${parameterPath(missing)} is missing`);
  }
  const extra = Object.keys(params).find((name) => !names.includes(name));
  if (extra !== undefined && params[extra] !== undefined) {
    throw new TypeError(
      `Cannot ${what}: ${parameterPath(extra)} is no parameter of it; it has ${
        names.join(", ") || "none"
      }`,
    );
  }
}

/** Checks that parameters are floating arrays of certain shapes, none missing and none more. */
export function checkParameters(
  what: string,
  params: unknown,
  shapes: Readonly<Record<string, Shape>>,
): void {
  checkParameterNames(what, params, Object.keys(shapes));
  for (const [name, shape] of Object.entries(shapes)) {
    const parameter = (params as Record<string, unknown>)[name];
    if (!(parameter instanceof NDArray) || !isFloating(parameter.dtype)) {
      throw new TypeError(
        `Cannot ${what}: ${parameterPath(name)} must be a floating array of shape ${
          showShape(shape)
        }, got ${describe(parameter)}`,
      );
    }
    if (!sameShape(parameter.shape, shape)) {
      throw new RangeError(
        `Cannot ${what}: ${parameterPath(name)} must have shape ${showShape(shape)}, got ${
          showShape(parameter.shape)
        }`,
      );
    }
  }
}

/** The keys of {@linkcode ApplyOptions}. */
const applyOptionNames = ["key", "deterministic"] as const;

/** Checks what `apply` was told; `own` are the options of this kind of module alone. */
export function checkApplyOptions(
  what: string,
  options: ApplyOptions,
  own: readonly string[] = [],
): void {
  checkOptions(what, options, [...own, ...applyOptionNames]);
  const { deterministic } = options;
  if (deterministic === undefined || typeof deterministic === "boolean") return;
  const advice = (deterministic as unknown) instanceof NDArray
    ? "; a traced function must close over it, or take it as a static argument"
    : "";
  throw new TypeError(
    `Cannot ${what}: deterministic must be true or false, got ${describe(deterministic)}${advice}`,
  );
}

/** Checks a size that a module is made with. */
export function checkCount(what: string, name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  const Wrong = typeof value === "number" ? RangeError : TypeError;
  throw new Wrong(`Cannot ${what}: ${name} must be a positive integer, got ${describe(value)}`);
}

/** Checks that the last axes of an input have certain extents. */
export function checkLastAxes(what: string, x: NDArray, extents: Shape): void {
  const from = x.ndim - extents.length;
  if (from >= 0 && extents.every((extent, i) => x.shape[from + i] === extent)) return;
  throw new RangeError(
    `Cannot ${what}: x must end in axes of ${showShape(extents)}, got shape ${showShape(x.shape)}`,
  );
}

/** The parameters of modules by name, each from a key of its own. */
export function initChildren(
  key: NDArray,
  children: Readonly<Record<string, Pick<Module, "init">>>,
): Record<string, unknown> {
  return liftedTree("init", () => {
    const names = Object.keys(children);
    const keys = [...random.split(key, names.length)];
    return Object.fromEntries(names.map((name, i) => [name, children[name]!.init(keys[i]!)]));
  });
}

/** Keys for the parts of a module, one after the other; none where none was given. */
export function partKeys(options: ApplyOptions, count: number): readonly (NDArray | undefined)[] {
  const { key, deterministic } = options;
  if (key === undefined || deterministic) return Array.from({ length: count }, () => undefined);
  return [...random.split(key, count)];
}
