// Running a traced graph outside of any trace: compiled once for its text, so that transformed functions
// called again and again (grad, vmap, jvp without jit) run as one program.

import { type Backend, currentBackend, type Executable } from "../backend/backend.ts";
import { storageOf } from "../backend/eager.ts";
import { type Graph, showGraph } from "../ir/graph.ts";
import { runObserver } from "../ir/run_observer.ts";
import { checkUsable, isTracing, replayGraph } from "../ir/trace.ts";
import { makeValue, type Value } from "../ir/value.ts";

/** Programs kept a backend; the oldest go first. */
const keptPrograms = 256;

const programs = new WeakMap<Backend, Map<string, Executable>>();

function programOf(graph: Graph): Executable {
  const backend = currentBackend();
  let kept = programs.get(backend);
  if (!kept) programs.set(backend, kept = new Map());
  const key = showGraph(graph);
  let program = kept.get(key);
  if (!program) {
    if (kept.size >= keptPrograms) kept.delete(kept.keys().next().value!);
    kept.set(key, program = backend.compile(graph, graph.inputs.map(() => false)));
  }
  return program;
}

/** The results of a graph: recorded in the trace in force, or computed at once. */
export function runGraph(graph: Graph, inputs: readonly Value[], what: string): readonly Value[] {
  return isTracing() ? replayGraph(graph, inputs) : preparedGraph(graph, what)(inputs);
}

/** A graph made ready to be computed again and again, outside of any trace. */
export function preparedGraph(
  graph: Graph,
  what: string,
): (inputs: readonly Value[]) => readonly Value[] {
  const backend = currentBackend();
  const program = programOf(graph);
  return (inputs) => {
    const values = [...inputs, ...graph.captures];
    values.forEach((v) => checkUsable(what, v));
    const results = program.run(values.map((v) => storageOf(v, backend, what)));
    const outputs = graph.outputs.map(({ aval }, i) =>
      makeValue(aval, { kind: "stored", storage: results[i]! })
    );
    runObserver()?.program(what, graph, values, outputs);
    return outputs;
  };
}
