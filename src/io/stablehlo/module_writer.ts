// The text of a StableHLO module in MLIR's generic form: one line an operation, its results numbered.

import { type DType, dtypes } from "../../core/dtype.ts";
import { encodeValues } from "../../core/element_data.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";

/** The type of a tensor. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A tensor of the module, by the name of the result that it is. */
export interface TensorValue extends TensorType {
  /** `%3`, as later operations call it. */
  readonly id: string;
}

/** The attributes of an operation, each as MLIR writes it: `array<i64: 0, 1>`. */
export type Attributes = Readonly<Record<string, string>>;

/** What an operation has besides its operands. */
export interface OperationParts {
  readonly attributes?: Attributes;
  /** The body that joins two scalars, of a reduction, a scatter or a sort. */
  readonly body?: (arguments_: readonly TensorValue[]) => TensorValue;
  /** The types of the body's arguments; by default two scalars of each operand's type. */
  readonly bodyTypes?: readonly TensorType[];
}

/** Writes a tensor's type: `tensor<4x8xf16>`. */
export function showType({ shape, dtype }: TensorType): string {
  return `tensor<${[...shape, dtypes[dtype].stableName].join("x")}>`;
}

/** A text as MLIR quotes it: what is not plain ASCII as the hexadecimal digits of its UTF-8. */
export function quoted(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const shown = Array.from(bytes, (byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : `\\${hexadecimal([byte])}`;
  });
  return `"${shown.join("")}"`;
}

/** Bytes as upper-case digits, two each. */
export function hexadecimal(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
}

/** A list of whole numbers as an attribute. */
export function integers(values: readonly number[]): string {
  return values.length ? `array<i64: ${values.join(", ")}>` : "array<i64>";
}

/** One number of a dtype, by its bits where it is floating. */
function scalarText(value: number, dtype: DType): string {
  const { kind } = dtypes[dtype];
  if (kind === "bool") return String(value !== 0);
  if (kind !== "float") return String(value);
  return `0x${hexadecimal(encodeValues(dtype, [value]).toReversed())}`;
}

/** Collects the operations of one function. */
export class ModuleWriter {
  readonly #lines: string[] = [];
  #next = 0;
  #depth = 2;
  /** The module path that the operations written next come from. */
  path = "";

  /** The operations written so far. */
  get text(): string {
    return this.#lines.join("\n");
  }

  /** Writes an operation of several results, named without its `stablehlo.`. */
  operations(
    name: string,
    operands: readonly TensorValue[],
    results: readonly TensorType[],
    { attributes = {}, body, bodyTypes }: OperationParts = {},
  ): TensorValue[] {
    const values = results.map(({ shape, dtype }) => ({ id: `%${this.#next++}`, shape, dtype }));
    const left = values.map(({ id }) => id).join(", ");
    const given = `"stablehlo.${name}"(${operands.map(({ id }) => id).join(", ")})`;
    const pairs = Object.entries(attributes).map(([key, value]) => `${key} = ${value}`);
    const tail = `${pairs.length ? ` {${pairs.join(", ")}}` : ""} : ${
      signature(operands, results)
    }${this.path ? ` loc(${quoted(this.path)})` : ""}`;
    if (!body) {
      this.#line(`${left} = ${given}${tail}`);
      return values;
    }
    this.#line(`${left} = ${given} ({`);
    this.#body(body, bodyTypes ?? pairsOf(operands));
    this.#line(`})${tail}`);
    return values;
  }

  /** Writes an operation of one result. */
  operation(
    name: string,
    operands: readonly TensorValue[],
    result: TensorType,
    parts: OperationParts = {},
  ): TensorValue {
    return this.operations(name, operands, [result], parts)[0]!;
  }

  /** A scalar, or a tensor with the same number everywhere. */
  constant(value: number, dtype: DType, shape: Shape = []): TensorValue {
    return this.#dense(scalarText(value, dtype), { shape, dtype });
  }

  /** A tensor with these elements, as the device has them: exact, NaN's bits included. */
  array(bytes: Uint8Array, { shape, dtype }: TensorType): TensorValue {
    if (sizeOf(shape) === 0) return this.#dense("", { shape, dtype });
    // A bool is a word on the device, and packed differently from one version of MLIR to another.
    const stored = dtype === "bool" ? "uint32" : dtype;
    return this.convert(this.#dense(`"0x${hexadecimal(bytes)}"`, { shape, dtype: stored }), dtype);
  }

  /** The same elements in another dtype. */
  convert(x: TensorValue, dtype: DType): TensorValue {
    return x.dtype === dtype ? x : this.operation("convert", [x], { shape: x.shape, dtype });
  }

  /** Stretched as numpy does: axes of extent 1, and new ones in front. */
  broadcast(x: TensorValue, shape: Shape): TensorValue {
    if (x.shape.length === shape.length && x.shape.every((n, axis) => n === shape[axis])) return x;
    const lead = shape.length - x.shape.length;
    return this.operation("broadcast_in_dim", [x], { shape, dtype: x.dtype }, {
      attributes: { broadcast_dimensions: integers(x.shape.map((_, axis) => lead + axis)) },
    });
  }

  /** The result of a comparison, by its direction: EQ, NE, LT, LE, GT or GE. */
  compare(direction: string, x: TensorValue, y: TensorValue): TensorValue {
    return this.operation("compare", [x, y], { shape: x.shape, dtype: "bool" }, {
      attributes: { comparison_direction: `#stablehlo<comparison_direction ${direction}>` },
    });
  }

  #dense(elements: string, type: TensorType): TensorValue {
    const value = `dense<${elements}> : ${showType(type)}`;
    return this.operation("constant", [], type, { attributes: { value } });
  }

  #body(body: NonNullable<OperationParts["body"]>, types: readonly TensorType[]): void {
    const inner = types.map(({ shape, dtype }) => ({ id: `%${this.#next++}`, shape, dtype }));
    const shown = inner.map((x) => `${x.id}: ${showType(x)}`).join(", ");
    this.#line(`^bb0(${shown}):`);
    this.#depth++;
    const result = body(inner);
    this.#line(`"stablehlo.return"(${result.id}) : (${showType(result)}) -> ()`);
    this.#depth--;
  }

  #line(text: string): void {
    this.#lines.push("  ".repeat(this.#depth) + text);
  }
}

function signature(operands: readonly TensorType[], results: readonly TensorType[]): string {
  const right = results.map(showType).join(", ");
  return `(${operands.map(showType).join(", ")}) -> ${results.length === 1 ? right : `(${right})`}`;
}

/** Two scalars of each operand's type, as the comparison of a sort takes them. */
function pairsOf(operands: readonly TensorType[]): TensorType[] {
  return operands.flatMap(({ dtype }) => [{ shape: [], dtype }, { shape: [], dtype }]);
}
