// Policies of single modules: which one holds at a path, when rules name paths and patterns of paths.

import { describe, isPlainObject } from "../core/errors.ts";
import { isGlob, pathGlob } from "./path_glob.ts";
import { type Policy, type PolicyLike, resolvePolicy } from "./policy.ts";

/** The policy of a module and of all inside of it. */
export interface ModulePolicy {
  readonly policy: Policy;
  /** The module's path; empty for the whole function. */
  readonly module: string;
  /** The rule that says so; none for the whole function. */
  readonly pattern?: string;
}

/** Whether a module is another one or lies inside of it. */
export function contains(outer: ModulePolicy, inner: ModulePolicy): boolean {
  return outer.module === "" || `${inner.module}/`.startsWith(`${outer.module}/`);
}

interface Rule {
  readonly pattern: string;
  readonly policy: Policy;
  matches(path: string): boolean;
}

/** The rules of `overrides`, over a policy for everything that they do not name. */
export class ModulePolicies {
  readonly #whole: ModulePolicy;
  readonly #rules: readonly Rule[];
  readonly #known = new Map<string, ModulePolicy>();
  readonly #used = new Set<string>();

  constructor(policy: Policy, overrides: Readonly<Record<string, Policy>>) {
    this.#whole = { policy, module: "" };
    this.#rules = Object.entries(overrides).map(([pattern, own]) => {
      const matches = isGlob(pattern) ? pathGlob(pattern) : (path: string) => path === pattern;
      return { pattern, policy: own, matches };
    });
  }

  /** What holds outside of all rules. */
  get whole(): ModulePolicy {
    return this.#whole;
  }

  /** The rules that have named no module so far. */
  get unused(): string[] {
    return this.#rules.map(({ pattern }) => pattern).filter((name) => !this.#used.has(name));
  }

  /**
   * What holds at a path: the rule that names the innermost module on it; of one module the rule with its exact
   * path comes before patterns.
   *
   * @throws {TypeError} where two patterns name one module.
   */
  at(path: string): ModulePolicy {
    if (this.#rules.length === 0 || path === "") return this.#whole;
    let found = this.#known.get(path);
    if (!found) {
      const rule = this.#ruleOf(path);
      found = rule
        ? { policy: rule.policy, module: path, pattern: rule.pattern }
        : this.at(path.slice(0, Math.max(path.lastIndexOf("/"), 0)));
      this.#known.set(path, found);
    }
    return found;
  }

  #ruleOf(path: string): Rule | undefined {
    const matching = this.#rules.filter((rule) => rule.matches(path));
    matching.forEach(({ pattern }) => this.#used.add(pattern));
    const exact = matching.find(({ pattern }) => pattern === path);
    if (exact || matching.length < 2) return exact ?? matching[0];
    throw new TypeError(
      `Cannot applyMixedPrecision: one rule of overrides must decide for ${describe(path)}, got ${
        matching.map(({ pattern }) => describe(pattern)).join(" and ")
      }; name the path itself to decide`,
    );
  }
}

/** Checks the option `overrides`. */
export function checkOverrides(what: string, overrides: unknown): Record<string, Policy> {
  if (overrides === undefined) return {};
  if (!isPlainObject(overrides)) {
    throw new TypeError(
      `Cannot ${what}: overrides must be an object of policies by module path, such as { "encoder/**/norm*": "float32" }, got ${
        describe(overrides)
      }`,
    );
  }
  return Object.fromEntries(
    Object.entries(overrides).map(([path, policy]) => [path, resolvePolicy(policy as PolicyLike)]),
  );
}
