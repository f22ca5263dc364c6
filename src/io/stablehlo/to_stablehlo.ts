// Programs as StableHLO: the text with which a traced function leaves for XLA, and so for TPUs and clusters.

import { encodeValues } from "../../core/element_data.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Node } from "../../ir/graph.ts";
import { scope } from "../../transform/scope.ts";
import { type Port, type TracedProgram, traceProgram } from "../export/traced_program.ts";
import { translate } from "../export/translate.ts";
import { elementwiseRules } from "./elementwise_rules.ts";
import { indexingRules } from "./indexing_rules.ts";
import { ModuleWriter, quoted, showType, type TensorValue } from "./module_writer.ts";
import type { StableHloRules } from "./rule.ts";
import { structuralRules } from "./structural_rules.ts";

const what = "toStableHLO";

const rules: StableHloRules = { ...elementwiseRules, ...structuralRules, ...indexingRules };

/** Writes a node down, or leaves it to be taken apart. */
function write(
  writer: ModuleWriter,
  { operation: { name }, params, outputs, path }: Node,
  inputs: readonly TensorValue[],
): readonly TensorValue[] | undefined {
  const avals = outputs.map(({ aval }) => aval);
  writer.path = path;
  // No rule has to ask whether there is anything to compute.
  if (avals.every(({ shape }) => sizeOf(shape) === 0)) {
    return avals.map((aval) => writer.array(new Uint8Array(), aval));
  }
  if (!Object.hasOwn(rules, name)) return undefined;
  const result = rules[name]!({ writer, inputs, params, outputs: avals });
  return result && "id" in result ? [result] : result;
}

function parameter({ name, aval }: Port, index: number): TensorValue & { readonly text: string } {
  const { shape, dtype } = aval;
  const id = `%arg${index}`;
  return { id, shape, dtype, text: `${id}: ${showType(aval)} {jax.arg_info = ${quoted(name)}}` };
}

/** Translates a traced function and puts the module around it. */
function moduleText({ name, graph, inputs, outputs, captures }: TracedProgram): string {
  const writer = new ModuleWriter();
  const parameters = inputs.map(parameter);
  const constants = captures.map((x) => writer.array(encodeValues(x.dtype, x.dataSync()), x));
  const results = translate<TensorValue>(
    graph,
    [...parameters, ...constants],
    (node, operands) => write(writer, node, operands),
    what,
  );
  const types = outputs.map(({ aval }) => showType(aval));
  const returned = outputs.map((port, i) => `${types[i]} {jax.result_info = ${quoted(port.name)}}`);
  const last = results.length
    ? `func.return ${results.map(({ id }) => id).join(", ")} : ${types.join(", ")}`
    : "func.return";
  return `module @${name} attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(${parameters.map(({ text }) => text).join(", ")}) -> (${
    returned.join(", ")
  }) {
${writer.text}
    ${last}
  }
}
`;
}

/**
 * A function as the text of a StableHLO module, which JAX and every other engine on XLA loads, compiles for its
 * devices and shards over them. Any function that `jit` takes can be exported: gradients, and the `step` of a
 * `trainStep` with its loss scale and optimizer.
 *
 * `@main` takes the leaves of the arguments and returns those of the result, each tree's in order; the attributes
 * `jax.arg_info` and `jax.result_info` name them, as in `arg0.dense.kernel`. Arrays that the function uses
 * without taking them, and numbers, stand in the text by their bits. Products of half operands have float32
 * sums, which are then rounded; functions of half operands are computed in float32. Module paths are locations.
 * Nothing is run, and only the shapes and dtypes of the arguments matter. `examples/stablehlo` has the loader
 * for JAX.
 *
 * @param fn a function of arrays and trees of arrays. @param args its arguments: arrays, numbers, `ShapeDtype`s
 * and trees of them.
 * @throws {TypeError} where the arguments or the result are something else.
 *
 * @example
 * ```ts
 * import { init, type NDArray, ShapeDtype, toStableHLO } from "@zenith/jax";
 *
 * await init();
 * const layer = (w: NDArray, x: NDArray): NDArray => x.matmul(w).tanh();
 * const half = (...shape: number[]) => new ShapeDtype(shape, "float16");
 * console.log(toStableHLO(layer, half(8, 4), half(2, 8)));
 * ```
 */
export function toStableHLO(
  fn: (...args: never[]) => unknown,
  ...args: readonly unknown[]
): string {
  // What the function makes while it is traced has had its use when the text is there.
  return scope(() => moduleText(traceProgram(fn, args, what)));
}
