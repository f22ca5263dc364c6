// Eager execution: outside of any trace an operation is a graph of one node, compiled once for its avals.

import { roundTo } from "../core/half.ts";
import { encodeValues } from "../core/element_data.ts";
import { denseView, isDense, moveChain } from "../core/view.ts";
import { type Aval, showAval } from "../ir/aval.ts";
import type { Variable } from "../ir/graph.ts";
import { type Operation, type Params, paramsKey } from "../ir/operation.ts";
import { installEagerInterpreter, type Interpreter } from "../ir/trace.ts";
import { makeValue, type Storage, type Value } from "../ir/value.ts";
import { type Backend, currentBackend, type Executable } from "./backend.ts";

/** Programs kept a backend; the oldest go first, since shapes that never come again would pile up. */
const keptPrograms = 4096;

/** Scalars kept a backend, so that `x.mul(0.1)` in a loop uploads its literal once. */
const keptScalars = 256;

interface EagerCache {
  readonly programs: Map<string, Executable>;
  readonly scalars: Map<string, Storage>;
}

const caches = new WeakMap<Backend, EagerCache>();

function cacheOf(backend: Backend): EagerCache {
  let cache = caches.get(backend);
  if (!cache) caches.set(backend, cache = { programs: new Map(), scalars: new Map() });
  return cache;
}

/** Looks a key up and moves it to the young end; makes it, dropping the oldest, where it is not there. */
function remember<T>(
  map: Map<string, T>,
  key: string,
  limit: number,
  make: () => T,
  drop: (value: T) => void,
): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  if (map.size >= limit) {
    const [oldest, value] = map.entries().next().value!;
    map.delete(oldest);
    drop(value);
  }
  const made = make();
  map.set(key, made);
  return made;
}

/** The storage of a value, which must live on the backend in use. */
export function storageOf(value: Value, backend: Backend, what: string): Storage {
  const { content } = value;
  if (content.kind !== "stored") {
    throw new Error(`Cannot ${what}: the array has no value here; it is ${content.kind}`);
  }
  if (content.storage.backend !== backend) {
    throw new Error(
      `Cannot ${what}: the array ${
        showAval(value.aval)
      } belongs to a device that init() has replaced; make it again`,
    );
  }
  return content.storage;
}

/** Runs every operation at once on the backend in use. */
class EagerInterpreter implements Interpreter {
  apply(
    operation: Operation,
    params: Params,
    inputs: readonly Value[],
    outputs: readonly Aval[],
  ): readonly Value[] {
    const backend = currentBackend();
    if (operation.lower.kind === "constant") return [scalar(backend, outputs[0]!, params)];
    const storages = inputs.map((v) => storageOf(v, backend, operation.name));
    if (sharesStorage(operation, params, inputs)) {
      storages[0]!.retain();
      return [makeValue(outputs[0]!, { kind: "stored", storage: storages[0]! })];
    }
    const program = programOf(backend, operation, params, inputs.map((v) => v.aval), outputs);
    return program.run(storages).map((storage, i) =>
      makeValue(outputs[i]!, { kind: "stored", storage })
    );
  }
}

/** Whether the result is the input's bytes under another shape. */
function sharesStorage(operation: Operation, params: Params, inputs: readonly Value[]): boolean {
  const { lower } = operation;
  if (lower.kind !== "view") return false;
  const [x] = inputs.map((v) => v.aval) as [Aval];
  const movement = lower.movement([x], params);
  return movement.kind === "reshape" && moveChain([denseView(x.shape)], movement).every(isDense);
}

function scalar(backend: Backend, aval: Aval, params: Params): Value {
  const { value } = params as { value: number };
  const rounded = roundTo(aval.dtype, value);
  const key = `${aval.dtype} ${Object.is(rounded, -0) ? "-0" : rounded}`;
  const upload = () => backend.upload(aval, encodeValues(aval.dtype, [rounded]));
  const storage = remember(cacheOf(backend).scalars, key, keptScalars, upload, (s) => s.release());
  storage.retain();
  return makeValue(aval, { kind: "stored", storage });
}

function programOf(
  backend: Backend,
  operation: Operation,
  params: Params,
  inputs: readonly Aval[],
  outputs: readonly Aval[],
): Executable {
  let key = `${operation.name}${paramsKey(params)}`;
  for (const { dtype, shape } of inputs) key += `|${dtype}${shape}`;
  const compileOne = () => {
    const from: Variable[] = inputs.map((aval) => ({ aval }));
    const to: Variable[] = outputs.map((aval) => ({ aval }));
    const node = { operation, params, inputs: from, outputs: to, path: "" };
    return backend.compile(
      { inputs: from, captures: [], nodes: [node], outputs: to },
      inputs.map(() => false),
    );
  };
  return remember(cacheOf(backend).programs, key, keptPrograms, compileOne, () => {});
}

installEagerInterpreter(new EagerInterpreter());
