// Tracing: every operation goes to the interpreter in force. At the bottom of the stack one runs it on the
// backend; while a function is traced, one on top records it in a graph instead.

import { checkSize } from "../core/shape.ts";
import type { Aval } from "./aval.ts";
import type { Graph, Node, Variable } from "./graph.ts";
import { type Operation, outputAvals, type Params } from "./operation.ts";
import { runObserver } from "./run_observer.ts";
import { SourceLine } from "./source_line.ts";
import { makeValue, type Value } from "./value.ts";

/** What happens when an operation is applied. */
export interface Interpreter {
  apply(
    operation: Operation,
    params: Params,
    inputs: readonly Value[],
    outputs: readonly Aval[],
  ): readonly Value[];
}

const stack: Interpreter[] = [];

/** Installs the interpreter at the bottom of the stack, which computes on the backend. */
export function installEagerInterpreter(interpreter: Interpreter): void {
  stack[0] = interpreter;
}

/** Whether operations are being recorded rather than run. */
export function isTracing(): boolean {
  return stack.length > 1;
}

/** Applies an operation under the interpreter in force. */
export function bind<P extends Params>(
  operation: Operation<P>,
  params: P,
  ...inputs: Value[]
): readonly Value[] {
  const record = operation as unknown as Operation;
  for (const input of inputs) checkUsable(record.name, input);
  const outputs = outputAvals(record, inputs.map((v) => v.aval), params);
  // Also where nothing of the size is ever stored: kernels count elements in u32.
  for (const { shape } of outputs) checkSize(record.name, shape);
  const results = stack[stack.length - 1]!.apply(record, params, inputs, outputs);
  if (!isTracing()) runObserver()?.operation(record, params, inputs, results);
  return results;
}

/** As {@linkcode bind}, for operations of one result. */
export function bind1<P extends Params>(
  operation: Operation<P>,
  params: P,
  ...inputs: Value[]
): Value {
  return bind(operation, params, ...inputs)[0]!;
}

/** Throws where a value was disposed or donated, or belongs to a trace that has ended. */
export function checkUsable(what: string, value: Value): void {
  const { content } = value;
  if (content.kind === "consumed") {
    throw new Error(
      `Cannot ${what}: the array was consumed by ${content.by}; keep a copy, or do not dispose or donate it before its last use`,
    );
  }
  if (content.kind === "traced" && !stack.includes(content.trace as Interpreter)) {
    throw new Error(
      `Cannot ${what}: a traced value was used after its function returned; return it from the traced function instead of storing it elsewhere`,
    );
  }
}

let scopes: readonly string[] = [];

/** Runs `fn` with `name` on the module path of every operation that it records; no name adds nothing. */
export function nameScope<T>(name: string, fn: () => T): T {
  return name === "" ? fn() : withScopes([...scopes, name], fn);
}

function withScopes<T>(inner: readonly string[], fn: () => T): T {
  const outer = scopes;
  scopes = inner;
  try {
    return fn();
  } finally {
    scopes = outer;
  }
}

let recordings = 0;
let here: Pick<Node, "source" | "pass"> = {};

/** Has every operation traced from now on carry its line of the user's program, until the function returned is called. */
export function recordSources(): () => void {
  recordings++;
  let isOn = true;
  return () => {
    if (isOn) recordings--;
    isOn = false;
  };
}

/** Whether traces made now carry source lines. */
export function isRecordingSources(): boolean {
  return recordings > 0;
}

/** What is done for a node of a graph is recorded with its path, source and pass. */
export type NodePlace = Pick<Node, "path" | "source" | "pass">;

/** Runs `fn` on behalf of a node: what it records stands where the node does. */
export function onBehalfOf<T>(place: NodePlace, fn: () => T): T {
  const outer = here;
  here = { source: place.source ?? outer.source, pass: place.pass ?? outer.pass };
  try {
    return nameScope(place.path, fn);
  } finally {
    here = outer;
  }
}

/** The module path here, as in `encoder/attn`; empty outside of any scope. */
export function scopePath(): string {
  return scopes.join("/");
}

/** Records operations as the nodes of a graph. */
class GraphTracer implements Interpreter {
  readonly nodes: Node[] = [];
  readonly captures = new Map<Value, Variable>();

  apply(
    operation: Operation,
    params: Params,
    inputs: readonly Value[],
    outputs: readonly Aval[],
  ): readonly Value[] {
    const node: Node = {
      operation,
      params,
      inputs: inputs.map((v) => this.variableOf(v)),
      outputs: outputs.map((aval) => ({ aval })),
      path: scopePath(),
      ...recordings > 0 && { source: here.source ?? new SourceLine(), pass: here.pass },
    };
    this.nodes.push(node);
    return node.outputs.map((variable) => this.toValue(variable));
  }

  toValue(variable: Variable): Value {
    return makeValue(variable.aval, { kind: "traced", trace: this, variable });
  }

  /** The variable of a value of this trace; anything else becomes a hidden input. */
  variableOf(value: Value): Variable {
    const { content } = value;
    if (content.kind === "traced" && content.trace === this) return content.variable;
    let variable = this.captures.get(value);
    if (!variable) this.captures.set(value, variable = { aval: value.aval });
    return variable;
  }
}

/**
 * Traces a function of values into a graph. Values that it closes over become hidden inputs, never
 * literals. Nothing is run. Paths in the graph are relative to where it will be applied.
 */
export function traceGraph(
  fn: (...inputs: Value[]) => readonly Value[],
  avals: readonly Aval[],
): Graph {
  const tracer = new GraphTracer();
  const inputs = avals.map((aval) => ({ aval }));
  stack.push(tracer);
  try {
    const results = withScopes([], () => fn(...inputs.map((v) => tracer.toValue(v))));
    results.forEach((v) => checkUsable("return a value from a traced function", v));
    const outputs = results.map((v) => tracer.variableOf(v));
    return {
      inputs: [...inputs, ...tracer.captures.values()],
      captures: [...tracer.captures.keys()],
      nodes: tracer.nodes,
      outputs,
    };
  } finally {
    stack.pop();
  }
}

/** Applies a graph's operations one by one under the interpreter in force. Captures are filled in. */
export function replayGraph(graph: Graph, inputs: readonly Value[]): readonly Value[] {
  const values = new Map<Variable, Value>();
  const all = [...inputs, ...graph.captures];
  graph.inputs.forEach((v, i) => values.set(v, all[i]!));
  for (const node of graph.nodes) {
    const args = node.inputs.map((v) => values.get(v)!);
    const results = onBehalfOf(node, () => bind(node.operation, node.params, ...args));
    node.outputs.forEach((v, i) => values.set(v, results[i]!));
  }
  return graph.outputs.map((v) => values.get(v)!);
}
