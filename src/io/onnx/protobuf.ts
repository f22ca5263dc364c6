// The wire format of Protocol Buffers, as far as writing a model takes it: fields of numbers, texts, bytes and
// other messages, one after the other.

/** The content of a message. */
export type Message = readonly Field[];

/** A field by its number in the message's schema: a whole number, a float32, a text, bytes or a message. */
export type Field = readonly [number: number, value: FieldValue];

type FieldValue = number | Float | string | Uint8Array | Message;

/** A number of the schema's type `float`, which is written otherwise than a whole one. */
export class Float {
  constructor(readonly value: number) {}
}

/** A field of many whole numbers in one. */
export function packed(values: readonly number[]): Uint8Array {
  return new Uint8Array(values.flatMap(varint));
}

/** Seven bits a byte, lowest first; negative numbers as 64-bit ones. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const wireTypes = { varint: 0, lengthDelimited: 2, fourBytes: 5 };

/** The pieces of a field: large ones are not copied before the whole is put together. */
function fieldParts([number, value]: Field): Uint8Array[] {
  const tag = (type: keyof typeof wireTypes) => varint(number * 8 + wireTypes[type]);
  if (typeof value === "number") return [new Uint8Array([...tag("varint"), ...varint(value)])];
  if (value instanceof Float) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value.value, true);
    return [new Uint8Array(tag("fourBytes")), bytes];
  }
  const parts = typeof value === "string"
    ? [new TextEncoder().encode(value)]
    : value instanceof Uint8Array
    ? [value]
    : value.flatMap(fieldParts);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [new Uint8Array([...tag("lengthDelimited"), ...varint(length)]), ...parts];
}

/** The bytes of a message. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const parts = message.flatMap(fieldParts);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
