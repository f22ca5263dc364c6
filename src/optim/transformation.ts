// Gradient transformations: what an optimizer is, how one is made of rules for trees, and how several become
// one. As optax (Babuschkin et al., 2020) has them, but for one thing: gradients become float32 where they
// enter, and updates, moments and all arithmetic stay float32 until `applyUpdates` rounds once.

import { describe, isPlainObject } from "../core/errors.ts";
import { liftedTree } from "../numpy/lift.ts";
import { mapFloats, toFloat32 } from "./float_trees.ts";

/**
 * Turns gradients into updates of parameters, keeping what it remembers in a state: a tree of arrays. Both
 * functions are pure and can be traced.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.adam(1e-3);
 * let params = { w: jnp.ones([3]) };
 * const state = optimizer.init(params);
 * const grads = { w: jnp.array([0.5, -1, 2]) };
 * const [updates] = optimizer.update(grads, state, params);
 * params = optim.applyUpdates(params, updates);
 * console.log(await params.w.toList()); // [0.999, 1.001, 0.999]
 * ```
 */
export interface GradientTransformation<State = unknown> {
  /** The state before the first step, for parameters of this structure and these shapes. */
  init(params: unknown): State;
  /** The updates that gradients become, in float32, and the next state. */
  update<Updates>(
    grads: Updates,
    state: State,
    params?: unknown,
  ): [updates: Updates, state: State];
}

/** The state of what remembers nothing. */
export type EmptyState = Readonly<Record<never, never>>;

/** How a transformation works on trees whose leaves are float32. */
export interface TransformationRules<State> {
  /** What the user called: errors begin with it. */
  readonly what: string;
  /** The keys of its state. */
  readonly fields: readonly (keyof State & string)[];
  /** Whether `update` cannot do without the parameters. */
  readonly needsParams?: boolean;
  init(params: unknown): State;
  update(updates: unknown, state: State, params: unknown): [updates: unknown, state: State];
}

/** Makes a transformation of its rules: checks what it is given, and frees what it made on the way. */
export function transformation<State>(
  rules: TransformationRules<State>,
): GradientTransformation<State> {
  const { what, fields, needsParams } = rules;
  return {
    init: (params) => liftedTree(what, () => rules.init(floats(what, { params })), params),
    update: <Updates>(grads: Updates, state: State, params?: unknown) => {
      if (needsParams && params === undefined) {
        throw new TypeError(`Cannot ${what}: update requires params as its third argument`);
      }
      checkState(what, state, fields);
      return liftedTree(
        what,
        () => {
          const own = params === undefined ? undefined : floats(what, { params, grads });
          return rules.update(toFloat32(what, "grads", grads), state, own);
        },
        grads,
        state,
        params,
      ) as [Updates, State];
    },
  };
}

/** The first of some trees, checked to be of floating arrays and like the others. */
function floats(what: string, trees: Readonly<Record<string, unknown>>): unknown {
  return mapFloats(what, trees, (leaf) => leaf);
}

function checkState(what: string, state: unknown, fields: readonly string[]): void {
  if (isPlainObject(state) && fields.every((field) => Object.hasOwn(state, field))) return;
  throw new TypeError(
    `Cannot ${what}: state must be what init returned, { ${fields.join(", ")} }, got ${
      describe(state)
    }`,
  );
}

/** Checks an argument that must be a gradient transformation. */
export function checkTransformation(what: string, given: unknown): void {
  const { init, update } = (given ?? {}) as Partial<GradientTransformation>;
  if (typeof init === "function" && typeof update === "function") return;
  throw new TypeError(
    `Cannot ${what}: a gradient transformation { init, update } is required, got ${
      describe(given)
    }`,
  );
}

/** A transformation without a state: a function of updates, and of the parameters where they are given. */
export function stateless(
  what: string,
  update: (updates: unknown, params: unknown) => unknown,
  needsParams = false,
): GradientTransformation<EmptyState> {
  return transformation<EmptyState>({
    what,
    fields: [],
    needsParams,
    init: () => ({}),
    update: (updates, state, params) => [update(updates, params), state],
  });
}

/**
 * One transformation after the other: the updates of each are the gradients of the next. The state is the
 * array of theirs.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.chain(optim.clipByGlobalNorm(1), optim.sgd(0.1));
 * const params = { w: jnp.zeros([2]) };
 * const [updates] = optimizer.update({ w: jnp.array([3, 4]) }, optimizer.init(params), params);
 * console.log(await updates.w.toList()); // [-0.06, -0.08]
 * ```
 */
export function chain<States extends readonly unknown[]>(
  ...transforms: { [K in keyof States]: GradientTransformation<States[K]> }
): GradientTransformation<States> {
  const what = "chain";
  const members = transforms as unknown as readonly GradientTransformation[];
  members.forEach((member) => checkTransformation(what, member));
  return {
    init: (params) =>
      liftedTree(
        what,
        () => members.map((member) => member.init(params)),
        params,
      ) as unknown as States,
    update: <Updates>(grads: Updates, state: States, params?: unknown) => {
      if (!Array.isArray(state) || state.length !== members.length) {
        throw new TypeError(
          `Cannot ${what}: state must be what init returned, an array of ${members.length}, got ${
            describe(state)
          }`,
        );
      }
      return liftedTree(
        what,
        () => {
          let updates = grads;
          const next = members.map((member, i) => {
            const [changed, own] = member.update(updates, state[i], params);
            updates = changed;
            return own;
          });
          return [updates, next];
        },
        grads,
        state,
        params,
      ) as unknown as [Updates, States];
    },
  };
}
