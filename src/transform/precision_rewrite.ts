// Mixed precision as a walk over a traced graph, which applies every operation again, to operands in the types
// that its rule asks for. What comes out is recorded in the trace in force, so that it can be differentiated,
// batched and compiled like anything else.

import { type DType, isFloating } from "../core/dtype.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import type { PrecisionRule } from "../ir/operation.ts";
import { bind, onBehalfOf, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype, type CastParams } from "../ops/cast.ts";
import type { ModulePolicies, ModulePolicy } from "../precision/module_policies.ts";
import type { MovedOperations } from "../precision/operation_rules.ts";
import { bindFunction, functionRulesOf, type GraphRewrite } from "./function_operation.ts";
import { meetingType, Slot } from "./precision_slot.ts";

/** Why an operation computes in the type that it does. */
export type Decision = PrecisionRule | "astype" | "literal";

/** An operation of the rewritten graph. */
export interface DecidedNode {
  readonly node: Node;
  /** The module path from the root of the rewritten function. */
  readonly path: string;
  readonly decision: Decision;
  /** Whether an option named the operation. */
  readonly moved: boolean;
  readonly module: ModulePolicy;
  readonly results: readonly Aval[];
}

/** What a rewrite goes by. */
export interface PrecisionPlan {
  readonly policies: ModulePolicies;
  readonly moved: MovedOperations;
  /** Told of every operation, in order. */
  report?(decided: DecidedNode): void;
}

/** Applies a graph with its arguments entering in the policy's compute type; results come as they are. */
export function applyRewritten(
  graph: Graph,
  inputs: readonly Value[],
  plan: PrecisionPlan,
): readonly Value[] {
  const { whole } = plan.policies;
  const slots = [...inputs, ...graph.captures].map((x) => Slot.of(x, "input", whole));
  return walk(graph, slots, plan, "").map((slot, i) => {
    const { dtype } = graph.outputs[i]!.aval;
    const isFixed = slot.kind === "literal" || !isFloating(slot.aval.dtype);
    return isFixed ? slot.as(dtype) : slot.within(whole);
  });
}

/** Applies the nodes of a graph; `root` is the path of what the graph's own paths start from. */
function walk(
  graph: Graph,
  inputs: readonly Slot[],
  plan: PrecisionPlan,
  root: string,
): readonly Slot[] {
  const slots = new Map<Variable, Slot>();
  graph.inputs.forEach((v, i) => slots.set(v, inputs[i]!));
  for (const node of graph.nodes) {
    const path = [root, node.path].filter((part) => part !== "").join("/");
    const step = new Step(node, node.inputs.map((v) => slots.get(v)!), plan, path);
    const results = onBehalfOf(node, () => step.results());
    node.outputs.forEach((v, i) => slots.set(v, results[i]!));
  }
  return graph.outputs.map((v) => slots.get(v)!);
}

/** What picks elements of its first input: rounding those is cheaper than to round the input and pick then. */
const picking: ReadonlySet<string> = new Set(["take", "takeAlongAxis"]);

/** One node of the graph, with what its inputs have become. */
class Step {
  readonly #node: Node;
  readonly #inputs: readonly Slot[];
  readonly #plan: PrecisionPlan;
  readonly #path: string;
  readonly #module: ModulePolicy;

  constructor(node: Node, inputs: readonly Slot[], plan: PrecisionPlan, path: string) {
    this.#node = node;
    this.#inputs = inputs;
    this.#plan = plan;
    this.#path = path;
    this.#module = plan.policies.at(path);
  }

  results(): readonly Slot[] {
    const { operation, params, outputs } = this.#node;
    if (operation.name === "constant" && isFloating(outputs[0]!.aval.dtype)) {
      return [Slot.number(params.value as number, this.#module)];
    }
    if (operation.name === "astype") return this.#cast(params as CastParams);
    const moved = this.#plan.moved.get(operation.name);
    const rule = moved ?? operation.precision;
    const rules = functionRulesOf(operation);
    if (rules?.rewritten) {
      const values = this.#inputs.map((slot, i) => this.#handedOver(slot, i));
      const rewrite: GraphRewrite = (graph, positions) => this.#inside(graph, positions, values);
      return this.#settled(bindFunction(rules.rewritten(rewrite), values), rule, false);
    }
    if (rule === "follow" && picking.has(operation.name) && this.#inputs[0]!.kind === "input") {
      return this.#picked();
    }
    const results = bind(operation, params, ...this.#operands(rule));
    if (rule !== "half" && this.#hasOnlyLiterals()) return this.#literals(results);
    return this.#settled(results, rule, moved !== undefined);
  }

  /** Elements of an input, which enter in the compute type when they are used. */
  #picked(): readonly Slot[] {
    const { operation, params } = this.#node;
    const results = bind(operation, params, ...this.#inputs.map((slot) => slot.own));
    const slots = results.map((x) => Slot.of(x, "input", this.#module));
    this.#report(
      slots.map((slot) => ({ ...slot.aval, dtype: slot.dtypeWithin(this.#module) })),
      "follow",
      false,
    );
    return slots;
  }

  /** A conversion that the program asks for stays; one of promotion is made again where operands meet. */
  #cast({ dtype, weak, implicit }: CastParams): readonly Slot[] {
    const [slot] = this.#inputs as [Slot];
    if (implicit && isFloating(dtype)) return [slot];
    const converted = astype(slot.within(this.#module), dtype, weak);
    return this.#settled([converted], implicit ? "follow" : "astype", false);
  }

  /** The operands, in the types that a rule asks for. */
  #operands(rule: PrecisionRule): readonly Value[] {
    const wanted = this.#floatingTypes(rule);
    return this.#inputs.map((slot, i) => {
      const dtype = wanted.get(i);
      return dtype ? slot.as(dtype) : slot.own;
    });
  }

  /** The dtypes of the operands that are floating in the traced program. */
  #floatingTypes(rule: PrecisionRule): ReadonlyMap<number, DType> {
    const traced = this.#node.inputs.map((v) => v.aval.dtype);
    const floating = traced.flatMap((dtype, i) => isFloating(dtype) ? [i] : []);
    if (rule === "keep") return new Map(floating.map((i) => [i, traced[i]!]));
    const slots = floating.map((i) => this.#inputs[i]!);
    const common = meetingType(slots, this.#module, this.#node.operation.operandTypes);
    return new Map(floating.map((i) => {
      const own = common ?? this.#inputs[i]!.dtypeWithin(this.#module);
      // What promotion was to make a float of is one for its rule.
      const dtype = isFloating(own) ? own : traced[i]!;
      return [i, rule === "half" && dtype === "float32" ? this.#module.policy.computeDtype : dtype];
    }));
  }

  /** Whether literals are all that decides the type of floating results. */
  #hasOnlyLiterals(): boolean {
    const { inputs, outputs } = this.#node;
    if (!isFloating(outputs[0]!.aval.dtype)) return false;
    const deciding = this.#inputs.filter((_, i) => isFloating(inputs[i]!.aval.dtype));
    return deciding.every(({ kind }) => kind === "literal") &&
      (deciding.length > 0 || inputs.length === 0);
  }

  #literals(results: readonly Value[]): readonly Slot[] {
    this.#report(results.map((x) => x.aval), "literal", false);
    return results.map((x) => Slot.of(x, "literal", this.#module));
  }

  #settled(results: readonly Value[], decision: Decision, moved: boolean): readonly Slot[] {
    this.#report(results.map((x) => x.aval), decision, moved);
    return results.map((x) => Slot.of(x, "settled", this.#module));
  }

  #report(results: readonly Aval[], decision: Decision, moved: boolean): void {
    this.#plan.report?.({
      node: this.#node,
      path: this.#path,
      decision,
      moved,
      module: this.#module,
      results,
    });
  }

  /** An input of a function that is rewritten inside: open types are decided there. */
  #handedOver(slot: Slot, at: number): Value {
    const { dtype } = this.#node.inputs[at]!.aval;
    if (isFloating(dtype) && !isFloating(slot.aval.dtype)) return slot.as(dtype);
    return slot.kind === "settled" ? slot.within(this.#module) : slot.own;
  }

  /** Rewrites a graph of a function; what it returns of literals alone comes in the compute type. */
  #inside(graph: Graph, positions: readonly number[], values: readonly Value[]): Graph {
    const module = this.#module;
    const avals = graph.inputs.map(({ aval }, i) => ({
      ...aval,
      dtype: values[positions[i]!]!.aval.dtype,
    }));
    return traceGraph((...xs) => {
      const slots = xs.map((x, i) => Slot.of(x, this.#inputs[positions[i]!]!.kind, module));
      return walk(graph, slots, this.#plan, this.#path).map((slot, i) => {
        const { dtype } = graph.outputs[i]!.aval;
        if (!isFloating(dtype)) return slot.own;
        if (slot.kind === "literal") return slot.as(module.policy.computeDtype);
        return isFloating(slot.aval.dtype) ? slot.within(module) : slot.as(dtype);
      });
    }, avals);
  }
}
