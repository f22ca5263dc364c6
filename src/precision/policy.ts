// Precision policies: which type parameters, operands, results and gradients have, and which policy is
// in force.
import { AsyncLocalStorage } from "node:async_hooks";
import { type FloatDType, type HalfDType, isHalf } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import {
  checkAccumulateDtype,
  checkPolicyDtype,
  isPolicySpec,
  parsePolicySpec,
  type PolicyDtypeName,
  type PolicyDtypes,
  writePolicySpec,
} from "./policy_spec.ts";
import { castTree } from "./tree_cast.ts";

export type { PolicyDtypeName, PolicyDtypes } from "./policy_spec.ts";

/** What may be changed by `Policy.with`; aliases such as `half` are understood. */
export interface PolicyChanges {
  /** The type that parameters are kept in. */
  readonly paramDtype?: PolicyDtypeName;
  /** The type that operands and activations have, and gradients in flight. */
  readonly computeDtype?: PolicyDtypeName;
  /** The type that products are summed in: only float32. */
  readonly accumulateDtype?: PolicyDtypeName;
  /** The type that a module's result has. */
  readonly outputDtype?: PolicyDtypeName;
}

const changeKeys = ["paramDtype", "computeDtype", "accumulateDtype", "outputDtype"];

/**
 * Which floating type each part of a computation has. Immutable; made from a name or a spec by
 * `mixedPrecisionPolicy`, or from another policy by `with`.
 *
 * @example
 * ```ts
 * import { mixedPrecisionPolicy } from "@zenith/jax";
 *
 * const policy = mixedPrecisionPolicy("mixed_float16");
 * console.log(policy.computeDtype, policy.paramDtype); // float16 float32
 * console.log(String(policy.with({ outputDtype: "float32" })));
 * // params=float32,compute=float16,output=float32,accumulate=float32
 * ```
 */
export class Policy implements PolicyDtypes {
  /** The name in the table of policies, or the spec where the table has no such policy. */
  readonly name: string;
  /** The type that parameters are kept in. */
  readonly paramDtype: FloatDType;
  /** The type that operands and activations have. */
  readonly computeDtype: FloatDType;
  /** The type that products are summed in: always float32. */
  readonly accumulateDtype: "float32";
  /** The type that a module's result has. */
  readonly outputDtype: FloatDType;
  /** The type of gradients in flight: that of their primals, `computeDtype`. */
  readonly gradientDtype: FloatDType;
  readonly #spec: string;

  /** Policies of the same types are interchangeable, whatever they were made from. */
  constructor(dtypes: PolicyDtypes) {
    const what = "make a policy";
    checkOptions(what, dtypes ?? null, changeKeys);
    this.paramDtype = checkPolicyDtype(what, dtypes.paramDtype);
    this.computeDtype = checkPolicyDtype(what, dtypes.computeDtype);
    this.accumulateDtype = checkAccumulateDtype(what, dtypes.accumulateDtype);
    this.outputDtype = checkPolicyDtype(what, dtypes.outputDtype);
    this.gradientDtype = this.computeDtype;
    this.#spec = writePolicySpec(this);
    this.name = nameOfSpec.get(this.#spec) ?? this.#spec;
    Object.freeze(this);
  }

  /**
   * The same policy with other types; those that are not given stay.
   *
   * @throws TypeError for an unknown key or type, and for any `accumulateDtype` but float32.
   */
  with(changes: PolicyChanges = {}): Policy {
    const what = "change a policy";
    checkOptions(what, changes, changeKeys);
    const {
      paramDtype = this.paramDtype,
      computeDtype = this.computeDtype,
      accumulateDtype = this.accumulateDtype,
      outputDtype = this.outputDtype,
    } = changes;
    return new Policy({
      paramDtype: checkPolicyDtype(what, paramDtype),
      computeDtype: checkPolicyDtype(what, computeDtype),
      accumulateDtype: checkAccumulateDtype(what, accumulateDtype),
      outputDtype: checkPolicyDtype(what, outputDtype),
    });
  }

  /** The floating leaves of `tree` in `paramDtype`; all other leaves as they are. */
  castToParam<T>(tree: T): T {
    return castTree(tree, this.paramDtype);
  }

  /** The floating leaves of `tree` in `computeDtype`; all other leaves as they are. */
  castToCompute<T>(tree: T): T {
    return castTree(tree, this.computeDtype);
  }

  /** The floating leaves of `tree` in `outputDtype`; all other leaves as they are. */
  castToOutput<T>(tree: T): T {
    return castTree(tree, this.outputDtype);
  }

  /** The full spec, which reads back to the same policy. */
  toString(): string {
    return this.#spec;
  }
}

/** A policy, its name, or its spec. */
export type PolicyLike = Policy | string;

function typesOf(params: FloatDType, compute: FloatDType): PolicyDtypes {
  return {
    paramDtype: params,
    computeDtype: compute,
    accumulateDtype: "float32",
    outputDtype: compute,
  };
}

const namedTypes: Readonly<Record<string, PolicyDtypes>> = {
  float32: typesOf("float32", "float32"),
  mixed_float16: typesOf("float32", "float16"),
  mixed_bfloat16: typesOf("float32", "bfloat16"),
  float16: typesOf("float16", "float16"),
  bfloat16: typesOf("bfloat16", "bfloat16"),
  half: typesOf("float16", "float16"),
};

const nameOfSpec = new Map<string, string>();
for (const [name, dtypes] of Object.entries(namedTypes)) {
  const spec = writePolicySpec(dtypes);
  // "half" comes after the policy it is another name of.
  if (!nameOfSpec.has(spec)) nameOfSpec.set(spec, name);
}

const float32Policy = new Policy(namedTypes.float32);

/**
 * The policy that a policy, a name or a spec stands for.
 *
 * @throws TypeError that lists what is allowed, for an unknown name, key or type and a key given twice.
 */
export function resolvePolicy(policy: PolicyLike): Policy {
  if (policy instanceof Policy) return policy;
  if (typeof policy === "string") {
    if (isPolicySpec(policy)) return new Policy(parsePolicySpec(policy));
    if (Object.hasOwn(namedTypes, policy)) return new Policy(namedTypes[policy]);
  }
  const allowed = Object.keys(namedTypes).join(", ");
  throw new TypeError(
    `Cannot use policy ${describe(policy)}: it must be one of ${allowed}, or a spec such as ` +
      `"params=float32,compute=float16,output=float32"`,
  );
}

let processPolicy: Policy | undefined;
const scopedPolicy = new AsyncLocalStorage<Policy>();

/**
 * Sets the policy of the whole process and returns it. Inside `withPolicy` the scope's own stays in
 * force.
 *
 * @throws TypeError that lists what is allowed, for an unknown name, key or type.
 *
 * @example
 * ```ts
 * import { getPolicy, mixedPrecisionPolicy } from "@zenith/jax";
 *
 * mixedPrecisionPolicy("mixed_bfloat16");
 * console.log(getPolicy().computeDtype); // bfloat16
 * ```
 */
export function mixedPrecisionPolicy(policy: PolicyLike): Policy {
  return processPolicy = resolvePolicy(policy);
}

/** The policy in force here: that of the innermost `withPolicy`, else the process's, else float32. */
export function getPolicy(): Policy {
  return policyInForce() ?? float32Policy;
}

function policyInForce(): Policy | undefined {
  return scopedPolicy.getStore() ?? processPolicy;
}

/**
 * Runs `fn` under a policy and returns what it returns. If that is a promise, the policy holds across
 * the `await`s inside, and nowhere outside.
 *
 * @throws TypeError for an unknown policy, or if `fn` is not a function; and whatever `fn` throws.
 *
 * @example
 * ```ts
 * import { getPolicy, withPolicy } from "@zenith/jax";
 *
 * console.log(withPolicy("mixed_float16", () => getPolicy().name)); // mixed_float16
 * ```
 */
export function withPolicy<R>(policy: PolicyLike, fn: () => R): R {
  const resolved = resolvePolicy(policy);
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot run with a policy: a function is required second, got ${describe(fn)}`,
    );
  }
  return scopedPolicy.run(resolved, fn);
}

/** True once a policy was set for the process, and inside of `withPolicy`. */
export function wasPolicySet(): boolean {
  return policyInForce() !== undefined;
}

/**
 * The type that `castToHalf` casts to: float16 while no policy was ever set, then the compute type, or
 * undefined under a policy that computes in float32.
 */
export function halfDType(): HalfDType | undefined {
  const policy = policyInForce();
  if (policy === undefined) return "float16";
  return isHalf(policy.computeDtype) ? policy.computeDtype : undefined;
}

/**
 * Text that tells policies apart in a cache key. Without an argument, of the policy in force; a process
 * that never set one has a key of its own, because `castToHalf` then differs from float32's.
 */
export function policyKey(policy: Policy | undefined = policyInForce()): string {
  return policy === undefined ? "unset" : policy.toString();
}
