// applyMixedPrecision: a function or a module computed as a policy says, by rewriting what it traces to.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { describe, isPlainObject } from "../core/errors.ts";
import { liftedTree } from "../numpy/lift.ts";
import { MixedFunction, MixedPrecision, type MixedPrecisionOptions } from "./mixed_function.ts";
import type { AnyFunction } from "./traced_call.ts";

export type { MixedPrecisionOptions } from "./mixed_function.ts";

/** A record of functions over parameters, as those of `nn` are. */
export interface ModuleLike {
  /** What it is called in messages. */
  readonly name: string;
  /** Makes the parameters. */
  init(key: NDArray): unknown;
  /** The module as a function of its parameters and its input. */
  // deno-lint-ignore no-explicit-any -- what parameters, input and options are is up to the module.
  apply(params: any, x: any, options?: any): unknown;
}

const mixedFunctions = new WeakMap<AnyFunction, MixedFunction>();

/** What a function that `applyMixedPrecision` returned does; undefined for any other. */
export function mixedFunctionOf(fn: AnyFunction): MixedFunction | undefined {
  return mixedFunctions.get(fn);
}

/** Whether a value is a module. */
export function isModule(target: unknown): target is ModuleLike {
  return isPlainObject(target) && typeof target.init === "function" &&
    typeof target.apply === "function";
}

function mixed(mixedFunction: MixedFunction, call: AnyFunction): AnyFunction {
  mixedFunctions.set(call, mixedFunction);
  return call;
}

function ofFunction(fn: AnyFunction, precision: MixedPrecision): AnyFunction {
  const own = new MixedFunction(fn, precision);
  return mixed(own, (...args) => own.call(args));
}

/** A function of a module: of parameters, an input that may be anything like an array, and options. */
function ofModule(fn: AnyFunction, precision: MixedPrecision): AnyFunction {
  const own = new MixedFunction(fn, precision, { isModule: true });
  return mixed(
    own,
    (params: unknown, x: ArrayLike, ...rest: unknown[]) =>
      liftedTree("apply", () => own.call([params, asArray(x, "apply"), ...rest]), params, x, rest),
  );
}

/**
 * The same function or module, computed as a policy says. It is traced, and the graph is rewritten, so that it
 * works on code that knows nothing of policies:
 *
 * - Floating arguments, and floating arrays that the function uses without taking them as arguments, enter in the
 *   policy's compute type. JS numbers and arrays made of them alone take the type of what they meet.
 * - Products (`matmul`, `einsum`, attention, convolution) take operands in the compute type and sum in float32.
 * - exp, log, pow, softmax, normalisations, reductions and their like compute in float32 and round once, to their
 *   input's type; losses of `losses` are float32.
 * - Everything else follows its inputs, which promote as ever; what `astype` and the casts ask for is kept.
 *
 * A function's result is left as it comes; a module's, and what its other functions give, has the policy's output
 * type. Functions of a module whose name starts with `init` are left alone. The rewrite comes before
 * differentiation: gradients have their leaf's type, and in flight the type of their primal. Inside of another
 * function under mixed precision the inner rules hold.
 *
 * Called outside of transforms the result runs as one compiled program, like a function under `jit`: arrays and
 * numbers are traced, everything else in the arguments is part of the program, and so are numbers among a
 * module's options.
 *
 * `overrides` gives modules policies of their own, by their path in the tree of parameters: `"encoder/norm"` for
 * one, `*` for any part of a name and `**` for any number of names. The innermost module that a rule names
 * decides, an exact path before patterns. What enters such a module is cast to its compute type, and what leaves
 * it to its output type. A rule that matches nothing is a warning on the console.
 *
 * @throws {TypeError} for options and names of operations that there are not, for an operation in both lists, and
 * at a call where two patterns name the same module.
 *
 * @example
 * ```ts
 * import { applyMixedPrecision, init, type NDArray, nn, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const layer = (w: NDArray, x: NDArray) => nn.softmax(x.matmul(w).mul(0.5));
 * const half = applyMixedPrecision(layer, { dtype: "float16" });
 * console.log(half(jnp.ones([8, 4]), jnp.ones([2, 8])).dtype); // float16
 * ```
 */
export function applyMixedPrecision<T extends AnyFunction | ModuleLike>(
  target: T,
  options: MixedPrecisionOptions = {},
): T {
  const precision = new MixedPrecision(options);
  if (typeof target === "function") return ofFunction(target, precision) as T;
  if (isModule(target)) {
    const entries = Object.entries(target as ModuleLike).map(([key, field]) => {
      const runs = typeof field === "function" && !key.startsWith("init");
      return [key, runs ? ofModule((field as AnyFunction).bind(target), precision) : field];
    });
    return Object.fromEntries(entries) as T;
  }
  throw new TypeError(
    `Cannot applyMixedPrecision: a function or a module { name, init, apply } is required, got ${
      describe(target)
    }`,
  );
}
