// explainPrecision: what mixed precision decides for every operation of a function, and why.

import { byteSize, type DType } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { functionRulesOf } from "./function_operation.ts";
import { MixedFunction, MixedPrecision } from "./mixed_function.ts";
import { isModule, mixedFunctionOf, type ModuleLike } from "./mixed_precision.ts";
import type { DecidedNode } from "./precision_rewrite.ts";
import { regionOf, type RegionRules } from "./region.ts";
import type { AnyFunction } from "./traced_call.ts";

/**
 * What decided an operation's type: the list that it is on, the program itself (`keep` where it is about bits,
 * `astype` where it asks for the type), that it is made of literals alone, or a `fullPrecision` around it.
 */
export type PrecisionRuleName =
  | "half"
  | "full"
  | "follow"
  | "keep"
  | "astype"
  | "literal"
  | "fullPrecision";

/** One operation of a function under mixed precision. */
export interface PrecisionRow {
  /** The operation's name, as in the printed graph. */
  readonly operation: string;
  /** The path of the module that it is part of; empty outside of modules. */
  readonly path: string;
  /** The type of its result. */
  readonly dtype: DType;
  /** The shape of its result. */
  readonly shape: Shape;
  /** The bytes of its results, were they stored. */
  readonly bytes: number;
  /** What decided the type. */
  readonly rule: PrecisionRuleName;
  /** The same in words. */
  readonly reason: string;
}

const reasons: Readonly<Record<PrecisionRuleName, string>> = {
  half: "operands in the compute type, summed in float32",
  full: "computed in float32, stored in its inputs' type",
  follow: "follows its inputs",
  keep: "about bits: the types of the program",
  astype: "the program asks for this type",
  literal: "made of literals: takes the type of what it meets",
  fullPrecision: "inside of fullPrecision",
};

function reasonOf({ decision, moved, module }: DecidedNode): string {
  const own = moved ? `named in the option ${decision}` : reasons[decision];
  return module.pattern === undefined
    ? own
    : `${own}; ${module.policy.name} by the rule ${describe(module.pattern)}`;
}

function rowOf(decided: DecidedNode, rule: PrecisionRuleName, reason: string): PrecisionRow {
  const [{ dtype, shape }] = decided.results as [DecidedNode["results"][number]];
  const bytes = decided.results.reduce((sum, x) => sum + byteSize(x.dtype, sizeOf(x.shape)), 0);
  return {
    operation: decided.node.operation.name,
    path: decided.path,
    dtype,
    shape,
    bytes,
    rule,
    reason,
  };
}

function rowsOf(decided: DecidedNode): readonly PrecisionRow[] {
  const region = regionOf(functionRulesOf(decided.node.operation));
  return region
    ? rowsInside(region, decided)
    : [rowOf(decided, decided.decision, reasonOf(decided))];
}

/** The rows of a region of its own rules, or of none. */
function rowsInside(region: RegionRules, around: DecidedNode): readonly PrecisionRow[] {
  const below = (path: string) => [around.path, path].filter((part) => part !== "").join("/");
  if (region.decided) {
    return region.decided.flatMap((inner) => rowsOf({ ...inner, path: below(inner.path) }));
  }
  return region.graph.nodes.filter(({ operation }) => operation.name !== "constant").map((node) => {
    const results = node.outputs.map((v) => v.aval);
    const inner = { ...around, node, results, path: below(node.path) };
    return rowOf(inner, "fullPrecision", reasons.fullPrecision);
  });
}

/** The operations of a function under mixed precision, in order; as text they are a table. */
export class PrecisionReport extends Array<PrecisionRow> {
  /** What `map` and its like make of the rows is an array like any other. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** One line an operation: its type and shape, bytes, path and rule. */
  override toString(): string {
    const lines = Array.from(this, ({ operation, path, dtype, shape, bytes, rule, reason }) => [
      operation,
      `${dtype}[${shape.join(",")}]`,
      `${bytes} B`,
      path || "-",
      `${rule}: ${reason}`,
    ]);
    const table = [["operation", "result", "bytes", "path", "rule"], ...lines];
    const widths = table[0]!.map((_, column) =>
      Math.max(...table.map((line) => line[column]!.length))
    );
    return table.map((line) =>
      line.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
    ).join("\n");
  }

  /** What `console.log` prints. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}

/**
 * What mixed precision decides for every operation of a call, without running it: its type, its bytes, and the rule
 * that decided. The result is an array of rows that prints as a table.
 *
 * @param fn a function or module that `applyMixedPrecision` returned; any other is explained as
 * `applyMixedPrecision(fn)` would compute it.
 * @param args what it is called with: arrays, or a `ShapeDtype` in place of an array.
 * @throws {TypeError} if it is given neither a function nor a module.
 *
 * @example
 * ```ts
 * import { applyMixedPrecision, explainPrecision, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const f = applyMixedPrecision((x: NDArray, w: NDArray) => jnp.exp(x.matmul(w)), { dtype: "float16" });
 * const report = explainPrecision(f, jnp.ones([4, 8]), jnp.ones([8, 2]));
 * console.log(report.map(({ operation, dtype, rule }) => `${operation} ${dtype} ${rule}`));
 * // ["dotGeneral float16 half", "exp float16 full"]
 * console.log(report);
 * ```
 */
export function explainPrecision(
  fn: AnyFunction | ModuleLike,
  ...args: readonly unknown[]
): PrecisionReport {
  const isOfModule = isModule(fn);
  const target: unknown = isOfModule ? fn.apply : fn;
  if (typeof target !== "function") {
    throw new TypeError(
      `Cannot explainPrecision: a function or a module is required, got ${describe(fn)}`,
    );
  }
  const mixed = mixedFunctionOf(target as AnyFunction) ??
    new MixedFunction(target as AnyFunction, new MixedPrecision({}), { isModule: isOfModule });
  const report = new PrecisionReport();
  for (const decided of mixed.explain(args)) report.push(...rowsOf(decided));
  return report;
}
