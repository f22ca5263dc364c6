// Forward functions as ONNX models, for the engines and tools that read them.

import { NDArray } from "../../array.ts";
import { checkOptions, describe, isPlainObject } from "../../core/errors.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Node } from "../../ir/graph.ts";
import { scope } from "../../transform/scope.ts";
import { type TracedProgram, traceProgram } from "../export/traced_program.ts";
import { translate } from "../export/translate.ts";
import { elementwiseRules } from "./elementwise_rules.ts";
import { onnxBytes, OnnxGraphWriter, type OnnxValue } from "./graph_writer.ts";
import { indexingRules } from "./indexing_rules.ts";
import { encodeModel, type Initializer, type OnnxModel } from "./model.ts";
import type { OnnxRules } from "./rule.ts";
import { structuralRules } from "./structural_rules.ts";

const what = "toOnnx";

const rules: OnnxRules = { ...elementwiseRules, ...structuralRules, ...indexingRules };

/** What `toOnnx` may be told, behind the arguments. */
export interface ToOnnxOptions {
  /** The version of ONNX's operators, from 17 to 21; 18 unless told otherwise. */
  readonly opset?: number;
  /** What the inputs of each argument are called in place of `arg0`, `arg1` and so on. */
  readonly inputNames?: readonly string[];
  /** The name of a file to be kept beside the model, which then holds the weights. */
  readonly weightsFile?: string;
}

/** A model whose weights are in a file of their own. */
export interface OnnxFiles {
  /** The model. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** What the file beside it has to hold. */
  readonly weights: Uint8Array<ArrayBuffer>;
}

/** One file, or two where the options name one for the weights. */
export type OnnxOf<Args extends readonly unknown[]> = Args extends
  readonly [...unknown[], { readonly weightsFile: string }] ? OnnxFiles : Uint8Array<ArrayBuffer>;

const optionNames = ["opset", "inputNames", "weightsFile"];

/** Options are a plain object with the name of one: no argument of a function would have it without an array. */
function splitOptions(given: readonly unknown[]): [args: readonly unknown[], ToOnnxOptions] {
  const last = given[given.length - 1];
  const areOptions = isPlainObject(last) &&
    optionNames.some((name) => Object.hasOwn(last, name) && !(last[name] instanceof NDArray));
  if (!areOptions) return [given, {}];
  checkOptions(what, last, optionNames);
  return [given.slice(0, -1), last];
}

function checkOpset(opset: unknown): number {
  if (Number.isInteger(opset) && Number(opset) >= 17 && Number(opset) <= 21) return Number(opset);
  throw new RangeError(`Cannot ${what}: opset must be from 17 to 21, got ${describe(opset)}`);
}

function checkNames(names: unknown, count: number): readonly string[] | undefined {
  if (names === undefined) return undefined;
  const fits = Array.isArray(names) && names.length === count &&
    names.every((name) => typeof name === "string" && name !== "");
  if (fits) return names;
  throw new TypeError(
    `Cannot ${what}: inputNames must have a name for each of ${count} arguments, got ${
      describe(names)
    }`,
  );
}

/** Writes a node down, or leaves it to be taken apart. */
function write(
  writer: OnnxGraphWriter,
  { operation: { name }, params, outputs, path }: Node,
  inputs: readonly OnnxValue[],
): readonly OnnxValue[] | undefined {
  const avals = outputs.map(({ aval }) => aval);
  writer.path = path;
  if (avals.every(({ shape }) => sizeOf(shape) === 0)) {
    return avals.map(({ shape, dtype }) => writer.constants([], dtype, shape));
  }
  if (!Object.hasOwn(rules, name)) return undefined;
  const result = rules[name]!({ writer, inputs, params, outputs: avals });
  return result && "name" in result ? [result] : result;
}

/** Where weights begin in a file: at multiples that memory can be mapped by. */
const alignment = 64;

/** Smaller tensors than this stay in the model: engines look at shapes and axes before they load. */
const smallest = 1024;

/** Moves the large tensors out of a model, into one file. */
function beside(
  initializers: readonly Initializer[],
  location: string,
): { readonly initializers: readonly Initializer[]; readonly weights: Uint8Array<ArrayBuffer> } {
  let length = 0;
  const placed = initializers.map((tensor) => {
    if (tensor.bytes.length < smallest) return tensor;
    const offset = Math.ceil(length / alignment) * alignment;
    length = offset + tensor.bytes.length;
    return { ...tensor, external: { location, offset } };
  });
  const weights = new Uint8Array(length);
  for (const { bytes, external } of placed as Initializer[]) {
    if (external) weights.set(bytes, external.offset);
  }
  return { initializers: placed, weights };
}

/** Translates a traced function. */
function modelOf(
  { name, graph, inputs, outputs, captures }: TracedProgram,
  writer: OnnxGraphWriter,
): OnnxModel {
  const taken = inputs.map(({ name, aval: { shape, dtype } }) => ({ name, shape, dtype }));
  const weights = captures.map((x, i) =>
    writer.tensor(`weight_${i}`, onnxBytes(x.dtype, x.dataSync()), x)
  );
  const results = translate<OnnxValue>(
    graph,
    [...taken, ...weights],
    (node, operands) => write(writer, node, operands),
    what,
  );
  outputs.forEach(({ name }, i) => writer.output(results[i]!, name));
  return {
    name,
    opset: writer.opset,
    nodes: writer.nodes,
    initializers: writer.initializers,
    inputs: taken,
    outputs: outputs.map(({ name, aval: { shape, dtype } }) => ({ name, shape, dtype })),
  };
}

/**
 * A forward function as an ONNX model.
 *
 * The inputs are the leaves of the arguments, named by their paths as in `arg0.dense.kernel`; the outputs are
 * those of the result, `result` or `result.0`. Arrays that the function uses without taking them are weights of
 * the model: `toOnnx((x) => model.apply(params, x), x)` has them inside, `toOnnx(model.apply, params, x)` as
 * inputs, and the option `weightsFile` puts them in a file beside the model. float16 stays float16: products of
 * halves are summed as the engine does, everything but sums, differences, products and quotients is computed in
 * float32. bfloat16 is written as the standard has it, which few engines run. Nodes are named by module paths.
 * Nothing is run, and only the shapes and dtypes of the arguments matter.
 *
 * @param fn a function of arrays and trees of arrays. @param args its arguments: arrays, numbers, `ShapeDtype`s
 * and trees of them; and at the end the options, if there are any.
 * @throws {TypeError} where the function uses an operation that ONNX has nothing for, naming it and its path,
 * and where the arguments or the result are no trees of arrays. @throws {RangeError} for another opset.
 *
 * @example
 * ```ts
 * import { init, type NDArray, nn, random, ShapeDtype, toOnnx } from "@zenith/jax";
 *
 * await init();
 * const model = nn.dense({ inFeatures: 64, features: 10 });
 * const params = model.init(random.key(0));
 * const predict = (x: NDArray): NDArray => nn.softmax(model.apply(params, x));
 * const bytes = toOnnx(predict, new ShapeDtype([1, 64], "float32"), { inputNames: ["x"] });
 * console.log(bytes.length); // the file model.onnx
 * ```
 */
export function toOnnx<const Args extends readonly unknown[]>(
  fn: (...args: never[]) => unknown,
  ...args: Args
): OnnxOf<Args> {
  const [own, { opset = 18, inputNames, weightsFile }] = splitOptions(args);
  const writer = new OnnxGraphWriter(checkOpset(opset));
  const roots = checkNames(inputNames, own.length);
  if (weightsFile !== undefined && (typeof weightsFile !== "string" || weightsFile === "")) {
    throw new TypeError(
      `Cannot ${what}: weightsFile must be a file's name, got ${describe(weightsFile)}`,
    );
  }
  // What the function makes while it is traced has had its use when the weights are read.
  const model = scope(() => modelOf(traceProgram(fn, own, what, roots), writer));
  if (weightsFile === undefined) {
    return encodeModel(model) as OnnxOf<Args>;
  }
  const files = beside(model.initializers, weightsFile);
  return {
    model: encodeModel({ ...model, initializers: files.initializers }),
    weights: files.weights,
  } as OnnxOf<Args>;
}
