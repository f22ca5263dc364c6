// The messages of an ONNX model (onnx.proto), by the numbers that its schema gives their fields.

import type { DType } from "../../core/dtype.ts";
import type { Shape } from "../../core/shape.ts";
import { encodeMessage, type Field, Float, type Message, packed } from "./protobuf.ts";

/** The types of elements: ours, and the int64 of shapes and positions. */
export type OnnxType = DType | "int64";

/** What a tensor is. */
export interface OnnxTensorType {
  readonly shape: Shape;
  readonly dtype: OnnxType;
}

/** TensorProto.DataType. */
const elementTypes: Readonly<Record<OnnxType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  uint32: 12,
  bfloat16: 16,
};

/** The number that an element type has in attributes. */
export function elementType(dtype: OnnxType): number {
  return elementTypes[dtype];
}

/** An attribute: a whole number, several of them, or a word. */
export type OnnxAttribute = number | readonly number[] | string | Float;

/** NodeProto. */
export interface OnnxNode {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A tensor whose elements are in the model, or beside it. */
export interface Initializer extends OnnxTensorType {
  readonly name: string;
  /** Little-endian; a bool takes a byte. */
  readonly bytes: Uint8Array;
  /** Where in a file beside the model the bytes are. */
  readonly external?: { readonly location: string; readonly offset: number };
}

/** An input or an output. */
export interface OnnxPort extends OnnxTensorType {
  readonly name: string;
}

/** A whole model. */
export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

function attributeMessage([name, value]: readonly [string, OnnxAttribute]): Message {
  const types = { float: 1, int: 2, string: 3, ints: 7 };
  if (value instanceof Float) return [[1, name], [2, value], [20, types.float]];
  if (typeof value === "number") return [[1, name], [3, value], [20, types.int]];
  if (typeof value === "string") return [[1, name], [4, value], [20, types.string]];
  return [[1, name], ...value.map((n): Field => [8, n]), [20, types.ints]];
}

function nodeMessage({ type, name, inputs, output, attributes }: OnnxNode): Message {
  return [
    ...inputs.map((input): Field => [1, input]),
    ...output.map((out): Field => [2, out]),
    [3, name],
    [4, type],
    ...Object.entries(attributes).map((pair): Field => [5, attributeMessage(pair)]),
  ];
}

function tensorMessage({ name, shape, dtype, bytes, external }: Initializer): Message {
  const type: Field[] = [[1, packed(shape)], [2, elementTypes[dtype]], [8, name]];
  if (!external) return [...type, [9, bytes]];
  const entries = { ...external, length: bytes.length };
  const stored = Object.entries(entries).map(([key, value]): Field => [
    13,
    [[1, key], [2, String(value)]],
  ]);
  const isExternal = 1;
  return [...type, ...stored, [14, isExternal]];
}

function portMessage({ name, shape, dtype }: OnnxPort): Message {
  const dimensions = shape.map((extent): Field => [1, [[1, extent]]]);
  return [[1, name], [2, [[1, [[1, elementTypes[dtype]], [2, dimensions]]]]]];
}

/** The version of the format that an opset belongs to. */
function formatVersion(opset: number): number {
  return opset <= 18 ? 8 : opset <= 20 ? 9 : 10;
}

/** The bytes of a model. */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const { name, opset, nodes, initializers, inputs, outputs } = model;
  const graph: Message = [
    ...nodes.map((node): Field => [1, nodeMessage(node)]),
    [2, name],
    ...initializers.map((tensor): Field => [5, tensorMessage(tensor)]),
    ...inputs.map((port): Field => [11, portMessage(port)]),
    ...outputs.map((port): Field => [12, portMessage(port)]),
  ];
  return encodeMessage([
    [1, formatVersion(opset)],
    [2, "@zenith/jax"],
    [7, graph],
    [8, [[1, ""], [2, opset]]],
  ]);
}
