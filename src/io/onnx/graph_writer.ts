// The nodes and constant tensors of an ONNX graph, as rules add them.

import { encodeValues } from "../../core/element_data.ts";
import type { DType } from "../../core/dtype.ts";
import { sameShape, type Shape, sizeOf } from "../../core/shape.ts";
import {
  elementType,
  type Initializer,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensorType,
  type OnnxType,
} from "./model.ts";

/** A tensor of the graph by its name. */
export interface OnnxValue extends OnnxTensorType {
  readonly name: string;
}

/** The attributes of a node. */
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

/** Collects the nodes of one graph. */
export class OnnxGraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Initializer[] = [];
  readonly #constants = new Map<string, OnnxValue>();
  #next = 0;
  /** The module path that the nodes written next come from. */
  path = "";

  constructor(
    /** The version of the operators. */
    readonly opset: number,
  ) {}

  /** Adds a node of several results. */
  nodesOf(
    type: string,
    inputs: readonly OnnxValue[],
    results: readonly OnnxTensorType[],
    attributes: OnnxAttributes = {},
  ): OnnxValue[] {
    const number = this.#next++;
    const name = `${this.path ? `${this.path}/` : ""}${type}_${number}`;
    const outputs = results.map(({ shape, dtype }, i) => ({
      name: i ? `${name}_${i}` : name,
      shape,
      dtype,
    }));
    this.nodes.push({
      type,
      name,
      inputs: inputs.map((input) => input.name),
      output: outputs.map((output) => output.name),
      attributes,
    });
    return outputs;
  }

  /** Adds a node of one result. */
  node(
    type: string,
    inputs: readonly OnnxValue[],
    result: OnnxTensorType,
    attributes: OnnxAttributes = {},
  ): OnnxValue {
    return this.nodesOf(type, inputs, [result], attributes)[0]!;
  }

  /** Gives a value the name of an output. */
  output(value: OnnxValue, name: string): void {
    this.nodes.push({
      type: "Identity",
      name: `${name}_output`,
      inputs: [value.name],
      output: [name],
      attributes: {},
    });
  }

  /** A tensor of the model's own; `bytes` as the device has them. */
  tensor(name: string, bytes: Uint8Array, { shape, dtype }: OnnxTensorType): OnnxValue {
    this.initializers.push({ name, shape, dtype, bytes });
    return { name, shape, dtype };
  }

  /** A constant tensor; the same one is kept once. */
  constants(values: readonly number[], dtype: OnnxType, shape: Shape = [values.length]): OnnxValue {
    const bytes = onnxBytes(dtype, values);
    const key = `${dtype}[${shape}]${bytes}`;
    let known = this.#constants.get(key);
    if (!known) {
      known = this.tensor(`constant_${this.#constants.size}`, bytes, { shape, dtype });
      this.#constants.set(key, known);
    }
    return known;
  }

  /** A scalar. */
  constant(value: number, dtype: OnnxType): OnnxValue {
    return this.constants([value], dtype, []);
  }

  /** A list of axes, extents or positions. */
  list(values: readonly number[]): OnnxValue {
    return this.constants(values, "int64");
  }

  /** The same elements in another type. */
  cast(x: OnnxValue, dtype: OnnxType): OnnxValue {
    if (x.dtype === dtype) return x;
    return this.node("Cast", [x], { shape: x.shape, dtype }, { to: elementType(dtype) });
  }

  /** The same elements under another shape. */
  reshape(x: OnnxValue, shape: Shape): OnnxValue {
    if (sameShape(x.shape, shape)) return x;
    // A 0 would otherwise stand for the extent that was there.
    const attributes: OnnxAttributes = sizeOf(shape) === 0 ? { allowzero: 1 } : {};
    return this.node("Reshape", [x, this.list(shape)], { shape, dtype: x.dtype }, attributes);
  }

  /** Stretched as numpy does. */
  expand(x: OnnxValue, shape: Shape): OnnxValue {
    if (sameShape(x.shape, shape)) return x;
    return this.node("Expand", [x, this.list(shape)], { shape, dtype: x.dtype });
  }

  /** With its axes in another order. */
  transpose(x: OnnxValue, axes: readonly number[]): OnnxValue {
    if (axes.every((axis, i) => axis === i)) return x;
    const shape = axes.map((axis) => x.shape[axis]!);
    return this.node("Transpose", [x], { shape, dtype: x.dtype }, { perm: axes });
  }
}

/** The bytes that elements have in a model: those of the device, but for a bool, which takes one. */
export function onnxBytes(dtype: OnnxType, values: ArrayLike<number>): Uint8Array {
  if (dtype === "int64") {
    return new Uint8Array(BigInt64Array.from(Array.from(values), BigInt).buffer);
  }
  if (dtype === "bool") return Uint8Array.from(values, (value) => Number(value !== 0));
  return encodeValues(dtype as DType, values);
}
