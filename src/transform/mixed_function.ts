// A function under mixed precision: traced, rewritten, and run as one program or recorded in the trace in force.

import { asNDArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { type TreeStructure, unflatten } from "../core/pytree.ts";
import { allOperations } from "../ir/operation.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { checkOverrides, ModulePolicies } from "../precision/module_policies.ts";
import { checkMovedOperations, type MovedOperations } from "../precision/operation_rules.ts";
import {
  getPolicy,
  type Policy,
  type PolicyLike,
  resolvePolicy,
  wasPolicySet,
  withPolicy,
} from "../precision/policy.ts";
import { type CallLayout, CallLayouts } from "./call_layout.ts";
import { jit } from "./jit.ts";
import { insideMixedPrecision, isInsideMixedPrecision } from "./mixed_scope.ts";
import { applyRewritten, type DecidedNode, type PrecisionPlan } from "./precision_rewrite.ts";
import { bindRegion } from "./region.ts";
import { flattenResult, leafAval, leafValue } from "./trace_tree.ts";
import type { AnyFunction } from "./traced_call.ts";

/** What `applyMixedPrecision` may be told. */
export interface MixedPrecisionOptions {
  /** Short for the policy that computes in this type and keeps parameters in float32. */
  readonly dtype?: "float32" | "float16" | "bfloat16";
  /** The policy; by default the one in force at each call, `mixed_float16` while none was ever set. */
  readonly policy?: PolicyLike;
  /** Names of operations that take operands in the compute type, as products do. */
  readonly half?: readonly string[];
  /** Names of operations, products among them, that leave float32 operands as they are. */
  readonly full?: readonly string[];
  /** Policies of modules, by their paths or patterns of paths such as `"encoder/block*"`. */
  readonly overrides?: Readonly<Record<string, PolicyLike>>;
}

const what = "applyMixedPrecision";

const policiesOfTypes: Readonly<Record<string, string>> = {
  float32: "float32",
  float16: "mixed_float16",
  bfloat16: "mixed_bfloat16",
};

function statedPolicy({ dtype, policy }: MixedPrecisionOptions): Policy | undefined {
  if (dtype !== undefined && policy !== undefined) {
    throw new TypeError(`Cannot ${what}: give dtype or policy, not both`);
  }
  if (policy !== undefined) return resolvePolicy(policy);
  if (dtype === undefined) return undefined;
  if (typeof dtype === "string" && Object.hasOwn(policiesOfTypes, dtype)) {
    return resolvePolicy(policiesOfTypes[dtype]!);
  }
  throw new TypeError(
    `Cannot ${what}: dtype must be float32, float16 or bfloat16, got ${describe(dtype)}`,
  );
}

/** How a function is traced and told of. */
interface ApplyOptions {
  /** Whether the function sees its arguments in the compute type, rather than as they are. */
  readonly seesComputeType?: boolean;
  readonly report?: (decided: DecidedNode) => void;
}

/** The options, checked. */
export class MixedPrecision {
  readonly #policy: Policy | undefined;
  readonly #moved: MovedOperations;
  readonly #overrides: Readonly<Record<string, Policy>>;
  readonly #warned = new Set<string>();

  constructor(options: MixedPrecisionOptions) {
    checkOptions(what, options, ["dtype", "policy", "half", "full", "overrides"]);
    this.#policy = statedPolicy(options);
    this.#moved = checkMovedOperations(what, options, allOperations().map(({ name }) => name));
    this.#overrides = checkOverrides(what, options.overrides);
  }

  /** The policy of a call that is made now. */
  get policy(): Policy {
    return this.#policy ?? (wasPolicySet() ? getPolicy() : resolvePolicy("mixed_float16"));
  }

  /** Traces a function of values and applies the rewritten graph in the trace in force. */
  apply(
    fn: (inputs: readonly Value[]) => readonly Value[],
    inputs: readonly Value[],
    { seesComputeType = false, report }: ApplyOptions = {},
  ): readonly Value[] {
    const { policy } = this;
    const { computeDtype } = policy;
    const plan: PrecisionPlan = {
      policies: new ModulePolicies(policy, this.#overrides),
      moved: this.#moved,
      report,
    };
    const graph = traceGraph(
      (...xs) => withPolicy(policy, () => insideMixedPrecision(() => fn(xs))),
      inputs.map(({ aval }) => {
        const enters = seesComputeType && isFloating(aval.dtype) && !aval.weak;
        return enters ? { ...aval, dtype: computeDtype } : aval;
      }),
    );
    const results = applyRewritten(graph, inputs, plan);
    plan.policies.unused.forEach((pattern) => this.#warn(pattern));
    return results;
  }

  #warn(pattern: string): void {
    if (this.#warned.has(pattern)) return;
    this.#warned.add(pattern);
    console.warn(
      `applyMixedPrecision: the rule ${describe(pattern)} of overrides matches no module path`,
    );
  }
}

/** What a mixed function is to its caller. */
export interface MixedFunctionOptions extends Pick<ApplyOptions, "seesComputeType"> {
  /** Results get the policy's output type, and numbers among the options are not traced. */
  readonly isModule?: boolean;
}

/** A function and what it is rewritten by. */
export class MixedFunction {
  readonly #fn: AnyFunction;
  readonly #precision: MixedPrecision;
  readonly #layouts: CallLayouts;
  readonly #options: MixedFunctionOptions;
  readonly #program: (layout: CallLayout, values: readonly NDArray[]) => unknown;

  constructor(fn: AnyFunction, precision: MixedPrecision, options: MixedFunctionOptions = {}) {
    this.#fn = fn;
    this.#precision = precision;
    this.#options = options;
    this.#layouts = new CallLayouts(options.isModule ? 2 : Infinity);
    this.#program = jit((layout: CallLayout, values: readonly NDArray[]) => {
      const { results, structure } = this.#rewritten(layout, values);
      return unflatten<unknown>(structure, results);
    }, { staticArgnums: 0, name: fn.name || what });
  }

  /** Calls it: one program outside of traces, recorded in the one in force otherwise. */
  call(args: readonly unknown[]): unknown {
    const { layout, values } = this.#layouts.of(args);
    if (!isInsideMixedPrecision()) return this.#program(layout, values as NDArray[]);
    // Part of another function under mixed precision, whose rules must not be applied on top of these.
    const leaves = values.map((leaf) => leafValue(leaf, what));
    const decided: DecidedNode[] = [];
    let structure: TreeStructure | undefined;
    const graph = traceGraph((...xs) => {
      const inner = this.#rewritten(layout, xs, (node) => decided.push(node));
      structure = inner.structure;
      return inner.results;
    }, leaves.map((leaf) => leaf.aval));
    return unflatten(structure!, bindRegion(what, graph, leaves, decided));
  }

  /** What is decided for every operation of a call. */
  explain(args: readonly unknown[]): readonly DecidedNode[] {
    const { layout, values } = this.#layouts.of(args);
    const decided: DecidedNode[] = [];
    traceGraph(
      (...xs) => this.#rewritten(layout, xs, (node) => decided.push(node)).results,
      values.map((leaf) => leafAval(leaf, "explainPrecision")),
    );
    return decided;
  }

  #rewritten(
    layout: CallLayout,
    values: readonly Value[],
    report?: (decided: DecidedNode) => void,
  ): { results: readonly NDArray[]; structure: TreeStructure } {
    let structure: TreeStructure | undefined;
    const results = this.#precision.apply(
      (xs) => {
        const [leaves, shape] = flattenResult(this.#fn(...layout.fill(xs)), what);
        structure = shape;
        return leaves;
      },
      values,
      { ...this.#options, report },
    ).map(asNDArray);
    const { policy } = this.#precision;
    return {
      results: this.#options.isModule ? policy.castToOutput(results) : results,
      structure: structure!,
    };
  }
}
