// The words a policy is written in: names of types and their aliases, and specs such as
// "params=float32,compute=float16".
import type { FloatDType } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";

/** The types that a policy decides, as a spec or `Policy.with` gives them. */
export interface PolicyDtypes {
  /** The type that parameters are kept in. */
  readonly paramDtype: FloatDType;
  /** The type that operands and activations have. */
  readonly computeDtype: FloatDType;
  /** The type that products are summed in: float32, which is what every kernel does. */
  readonly accumulateDtype: "float32";
  /** The type that a module's result has. */
  readonly outputDtype: FloatDType;
}

/** A floating type, or one of the short names that policies understand. */
export type PolicyDtypeName = FloatDType | "f32" | "full" | "f16" | "bf16" | "half";

const typeNames: Readonly<Record<PolicyDtypeName, FloatDType>> = {
  float32: "float32",
  float16: "float16",
  bfloat16: "bfloat16",
  f32: "float32",
  full: "float32",
  f16: "float16",
  bf16: "bfloat16",
  half: "float16",
};

function isDtypeName(name: unknown): name is PolicyDtypeName {
  return typeof name === "string" && Object.hasOwn(typeNames, name);
}

type SpecKey = "params" | "compute" | "output" | "accumulate";

const specKeys: Readonly<Record<string, SpecKey>> = {
  params: "params",
  compute: "compute",
  output: "output",
  accumulate: "accumulate",
  p: "params",
  c: "compute",
  o: "output",
  a: "accumulate",
};

/**
 * The floating type that a name or an alias stands for.
 *
 * @throws TypeError that starts with `Cannot <what>` and lists the allowed names.
 */
export function checkPolicyDtype(what: string, name: unknown): FloatDType {
  if (isDtypeName(name)) return typeNames[name];
  const allowed = Object.keys(typeNames).join(", ");
  throw new TypeError(`Cannot ${what}: the type must be one of ${allowed}; got ${describe(name)}`);
}

/**
 * Checks the type that products are summed in.
 *
 * @throws TypeError for all but float32: no kernel sums in a half type, which would lose what mixed
 * precision is for.
 */
export function checkAccumulateDtype(what: string, name: unknown): "float32" {
  const dtype = checkPolicyDtype(what, name);
  if (dtype === "float32") return dtype;
  throw new TypeError(
    `Cannot ${what}: accumulate must be float32, the only type that products are summed in, got ${
      describe(name)
    }`,
  );
}

function parseEntry(what: string, entry: string): [SpecKey, string] {
  const parts = entry.split("=").map((part) => part.trim());
  if (parts.length !== 2) {
    throw new TypeError(
      `Cannot ${what}: each entry must be key=type, got ${
        describe(entry)
      }; an example is "params=float32,compute=float16"`,
    );
  }
  const [key, type] = parts;
  if (Object.hasOwn(specKeys, key)) return [specKeys[key], type];
  const allowed = Object.keys(specKeys).join(", ");
  throw new TypeError(`Cannot ${what}: the key must be one of ${allowed}; got ${describe(key)}`);
}

/** True if `text` can only be meant as a spec, not as a policy's name. */
export function isPolicySpec(text: string): boolean {
  return text.includes("=");
}

/**
 * Reads a spec: entries `key=type` between commas, in any order. Keys that are absent are float32, but
 * `output`, which is what `compute` is.
 *
 * @throws TypeError for an unknown key or type, and for a key that is given twice.
 */
export function parsePolicySpec(spec: string): PolicyDtypes {
  const what = `use policy ${describe(spec)}`;
  const given = new Map<SpecKey, string>();
  for (const entry of spec.split(",")) {
    const [key, type] = parseEntry(what, entry);
    if (given.has(key)) {
      throw new TypeError(`Cannot ${what}: each key may be given once, got ${key} twice`);
    }
    given.set(key, type);
  }
  const typeOf = (key: SpecKey, unset: FloatDType): FloatDType =>
    given.has(key) ? checkPolicyDtype(what, given.get(key)) : unset;
  const computeDtype = typeOf("compute", "float32");
  return {
    paramDtype: typeOf("params", "float32"),
    computeDtype,
    accumulateDtype: checkAccumulateDtype(what, given.get("accumulate") ?? "float32"),
    outputDtype: typeOf("output", computeDtype),
  };
}

/** The spec of these types, with every key; it reads back to the same types. */
export function writePolicySpec(dtypes: PolicyDtypes): string {
  const { paramDtype, computeDtype, outputDtype, accumulateDtype } = dtypes;
  return `params=${paramDtype},compute=${computeDtype},output=${outputDtype},` +
    `accumulate=${accumulateDtype}`;
}
