// Scheduling: decides which variables are stored and which are computed in place inside another's kernel.
// Each stored variable becomes one task; elementwise work joins the kernel that produces its input or the
// one that reads its output.

import { sameShape, sizeOf } from "../core/shape.ts";
import { denseView, isDense, moveChain } from "../core/view.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { contractionOperand } from "./contraction_operand.ts";
import { isCheap } from "./recompute.ts";
import {
  acceptsEpilogue,
  largeArray,
  largestExpression,
  mostHeld,
  type Schedule,
  type Task,
} from "./task.ts";

/** Rows or columns of a product that share one reading of the other operand, about. */
const tileExtent = 32;

/** Elements rounded again that cost as much as a kernel that rounds them once. */
const roundedAgain = 2 ** 17;

const inPlaceKinds = new Set(["elementwise", "iota", "constant", "view", "pad", "concatenate"]);

/** Whether an operation can be computed inside another kernel. */
function isInPlace(node: Node): boolean {
  return inPlaceKinds.has(node.operation.lower.kind);
}

/**
 * Plans a simplified, expanded graph.
 * @param stored variables to store in any case, where a kernel would otherwise bind too many arrays.
 */
export function schedule(graph: Graph, stored: Iterable<Variable> = []): Schedule {
  return new Scheduler(graph, stored).run();
}

class Scheduler {
  readonly #graph: Graph;
  readonly #producers = new Map<Variable, Node>();
  readonly #consumers = new Map<Variable, Node[]>();
  readonly #stored: Set<Variable>;
  /** The tasks, named by a stored root or an anchor node, that use a variable's value. */
  readonly #users = new Map<Variable, Set<object>>();
  readonly #fused = new Map<Variable, Node>();
  readonly #outputs: ReadonlySet<Variable>;

  constructor(graph: Graph, stored: Iterable<Variable>) {
    this.#stored = new Set(stored);
    this.#graph = graph;
    this.#outputs = new Set(graph.outputs);
    for (const node of graph.nodes) {
      node.outputs.forEach((v) => this.#producers.set(v, node));
      for (const v of new Set(node.inputs)) {
        if (!this.#consumers.has(v)) this.#consumers.set(v, []);
        this.#consumers.get(v)!.push(node);
      }
    }
  }

  run(): Schedule {
    this.#graph.inputs.forEach((v) => this.#stored.add(v));
    this.#graph.outputs.forEach((v) => this.#stored.add(v));
    this.#limitExpressions();
    for (let i = this.#graph.nodes.length - 1; i >= 0; i--) this.#visit(this.#graph.nodes[i]!);
    this.#fuseEpilogues();
    return {
      tasks: this.#tasks(),
      inlined: (v) => this.#stored.has(v) ? undefined : this.#producers.get(v),
      producer: (v) => this.#producers.get(v),
      aliasOf: (v) => this.#aliasOf(v),
    };
  }

  /** Stores a value wherever an expression would grow past what drivers compile, or holds much memory. */
  #limitExpressions(): void {
    const below = new Map<Variable, { nodes: Set<Node>; held: Set<Variable> }>();
    for (const node of this.#graph.nodes) {
      if (!isInPlace(node)) continue;
      const [variable] = node.outputs as [Variable];
      const nodes = new Set<Node>([node]);
      const held = new Set<Variable>();
      for (const v of node.inputs) {
        const inner = below.get(v);
        inner?.nodes.forEach((n) => nodes.add(n));
        inner?.held.forEach((u) => held.add(u));
        if (!inner && this.#producers.has(v) && sizeOf(v.aval.shape) >= largeArray) held.add(v);
      }
      if (nodes.size > largestExpression || held.size > mostHeld) this.#stored.add(variable);
      else if (!this.#stored.has(variable)) below.set(variable, { nodes, held });
    }
  }

  /** Decides about a node once all that use it are decided. */
  #visit(node: Node): void {
    if (!isInPlace(node)) {
      node.outputs.forEach((v) => this.#stored.add(v));
      this.#storeOperands(node);
      return;
    }
    const [variable] = node.outputs as [Variable];
    const users = this.#usersOf(variable);
    if (this.#stored.has(variable) || isCheap(node, this.#producers)) return;
    if (users.size > 1 || this.#isStretched(variable) || this.#isPartStretched(node)) {
      this.#stored.add(variable);
    }
  }

  /** Kernels outside the expression compiler read stored arrays; contractions take simple views of them. */
  #storeOperands(node: Node): void {
    const { lower } = node.operation;
    const { kind } = lower;
    if (kind === "kernel" || kind === "attention" || kind === "composite") {
      node.inputs.forEach((v) => this.#stored.add(v));
    }
    if (kind === "rows") node.inputs.slice(lower.rowInputs).forEach((v) => this.#stored.add(v));
    if (kind === "contraction") this.#storeFactors(node);
  }

  /** A contraction reads simple views of stored arrays; it rounds them itself where it reads them little. */
  #storeFactors(node: Node): void {
    for (const v of node.inputs) {
      const inlined = (u: Variable) => this.#stored.has(u) ? undefined : this.#producers.get(u);
      const operand = contractionOperand(v, inlined);
      if (!operand) this.#stored.add(v);
      else if (operand.rounded && this.#isReadOften(node, v)) this.#stored.add(operand.rounded);
      else this.#stored.add(operand.base);
    }
  }

  /** Whether reading an operand again for every tile of the result costs more than rounding it once for all. */
  #isReadOften(node: Node, operand: Variable): boolean {
    const { shape } = node.outputs[0]!.aval;
    const [m, n] = shape.slice(-2) as [number, number];
    const reads = operand === node.inputs[0]
      ? Math.ceil(n / tileExtent)
      : Math.ceil(m / tileExtent);
    return sizeOf(operand.aval.shape) * (reads - 1) > roundedAgain;
  }

  #usersOf(variable: Variable): Set<object> {
    const known = this.#users.get(variable);
    if (known) return known;
    const users = new Set<object>();
    for (const consumer of this.#consumers.get(variable) ?? []) {
      const [result] = consumer.outputs as [Variable];
      if (!isInPlace(consumer)) users.add(consumer);
      else if (this.#stored.has(result)) users.add(result);
      else this.#usersOf(result).forEach((u) => users.add(u));
    }
    this.#users.set(variable, users);
    return users;
  }

  /** Whether a consumer would compute the value several times to stretch it over a larger shape. */
  #isStretched(variable: Variable): boolean {
    const size = sizeOf(variable.aval.shape);
    return (this.#consumers.get(variable) ?? []).some((c) =>
      isInPlace(c) && sizeOf(c.outputs[0]!.aval.shape) > size
    );
  }

  /** Whether that holds of a part of what was computed: a random key, say, taken out of several. */
  #isPartStretched({ operation, outputs: [variable] }: Node): boolean {
    if (operation.lower.kind !== "elementwise") return false;
    const size = sizeOf(variable!.aval.shape);
    const follow = (v: Variable): boolean =>
      (this.#consumers.get(v) ?? []).some((consumer) => {
        const [result] = consumer.outputs as [Variable];
        const { kind } = consumer.operation.lower;
        if (kind === "elementwise") return sizeOf(result.aval.shape) > size;
        return kind === "view" && !this.#stored.has(result) && follow(result);
      });
    return follow(variable!);
  }

  /** Lets the one expression that reads a kernel's result become its epilogue. */
  #fuseEpilogues(): void {
    const taken = new Set<Variable>();
    for (const node of this.#graph.nodes) {
      const [variable] = node.outputs as [Variable];
      if (!acceptsEpilogue(node) || node.outputs.length > 1 || this.#outputs.has(variable)) {
        continue;
      }
      const root = this.#epilogueRoot(variable);
      if (!root || taken.has(root)) continue;
      taken.add(root);
      this.#stored.delete(variable);
      this.#fused.set(root, node);
    }
  }

  /** The stored variable at the end of an expression that uses each element of `variable` in its place. */
  #epilogueRoot(variable: Variable): Variable | undefined {
    const roots = new Set<Variable>();
    const size = sizeOf(variable.aval.shape);
    const followed = new Set<Variable>();
    const follow = (v: Variable): boolean =>
      followed.has(v) || !!followed.add(v) && (this.#consumers.get(v) ?? []).every((consumer) => {
          const [result] = consumer.outputs as [Variable];
          const { lower } = consumer.operation;
          if (!isInPlace(consumer) || sizeOf(result.aval.shape) !== size) return false;
          if (lower.kind === "elementwise") {
            if (!sameShape(v.aval.shape, result.aval.shape)) return false;
          } else if (
            lower.kind !== "view" || lower.movement([v.aval], consumer.params).kind !== "reshape"
          ) {
            return false;
          }
          if (!this.#stored.has(result)) return follow(result);
          roots.add(result);
          return true;
        });
    if (!follow(variable) || roots.size !== 1) return undefined;
    const [root] = roots;
    // A mere reshape shares the result's bytes: nothing is left to fuse.
    return this.#aliasOf(root!) ? undefined : root;
  }

  /** Walks movements back to a stored variable; the result aliases it if its elements lie in order. */
  #aliasOf(variable: Variable): Variable | undefined {
    if (!this.#stored.has(variable)) return undefined;
    const movements = [];
    let base = variable;
    do {
      const node = this.#producers.get(base);
      if (node?.operation.lower.kind !== "view") return undefined;
      movements.unshift(node.operation.lower.movement(node.inputs.map((v) => v.aval), node.params));
      base = node.inputs[0]!;
    } while (!this.#stored.has(base));
    let chain: readonly ReturnType<typeof denseView>[] = [denseView(base.aval.shape)];
    for (const movement of movements) chain = moveChain(chain, movement);
    const dense = chain.every(isDense) && sizeOf(base.aval.shape) === sizeOf(variable.aval.shape);
    return dense ? base : undefined;
  }

  #tasks(): Task[] {
    const tasks: Task[] = [];
    const anchors = new Set(this.#fused.values());
    for (const node of this.#graph.nodes) {
      const [first] = node.outputs as [Variable];
      if (isInPlace(node)) {
        if (!this.#stored.has(first) || this.#aliasOf(first)) continue;
        tasks.push({ roots: [first], anchor: this.#fused.get(first) });
      } else if (!anchors.has(node)) tasks.push({ roots: node.outputs, anchor: node });
    }
    return tasks;
  }
}
