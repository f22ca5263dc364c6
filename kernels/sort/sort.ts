// Sorting and top-k along the last axis: values become keys whose unsigned order is theirs, (key, position)
// pairs are sorted stably, and the positions fetch the values back, bit for bit.

import { bitScalarElement, loadBits } from "../bit_access.ts";
import { inputArray, type KernelSequence, outputArray, SequenceBuilder } from "../sequence.ts";
import { type StorageFormat, storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import type { PairSource } from "./block_sort.ts";
import { emitKernel, type SortOutputs } from "./emit.ts";
import { addPairSelection, addPairSort, type PairArray } from "./pair_sort.ts";

/** What {@linkcode sortSteps} sorts. */
export interface SortDescription {
  readonly format: StorageFormat;
  /** The operand is `[rows, length]`; every row is sorted for itself. */
  readonly rows: number;
  readonly length: number;
  /** Largest first; equal elements keep their order all the same, and NaN comes first. */
  readonly descending: boolean;
  readonly outputs: SortOutputs;
}

/** What {@linkcode topKSteps} selects. */
export interface TopKDescription {
  readonly format: StorageFormat;
  /** The operand is `[rows, length]`, the results `[rows, k]`. */
  readonly rows: number;
  readonly length: number;
  /** At most `length`. */
  readonly k: number;
  readonly outputs: SortOutputs;
}

/**
 * WGSL of `sort_key(bits)`. Floats of 16 bits stand in the upper half of the word, where they sort as
 * float32 does: sign, exponent, fraction. Bits decide what is NaN, because compilers may assume it away,
 * and no float is computed with, because drivers may flush subnormals.
 */
function keyFunction(format: StorageFormat): string {
  switch (format) {
    case "int32":
      return "fn sort_key(bits: u32) -> u32 { return bits ^ 0x80000000u; }\n";
    case "uint32":
    case "bool":
      return "fn sort_key(bits: u32) -> u32 { return bits; }\n";
    default: {
      const half = format !== "float32";
      const infinity = format === "float32" || format === "bfloat16"
        ? "0x7f800000u"
        : "0x7c000000u";
      return `fn sort_key(loaded: u32) -> u32 {
  let bits = loaded${half ? " << 16u" : ""};
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > ${infinity}) { return 0xffffffffu; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits != magnitude);
}
`;
    }
  }
}

/**
 * The operand's elements with their keys. Descending order is that of the inverted keys: a parameter, so
 * that one text serves both directions.
 */
function valueSource(format: StorageFormat, descending: boolean): PairSource {
  return {
    name: format,
    bindings: [{ name: "operand", access: "read", element: bitScalarElement }],
    parameters: [{ name: "inversion", type: "u32", value: descending ? 0xffffffff : 0 }],
    functions: `${storageFunctions}${keyFunction(format)}
fn load_pair(at: u32, column: u32) -> vec2u {
  return vec2u(sort_key(${loadBits(format, "operand", "at")}) ^ params.inversion, column);
}
`,
  };
}

/** Adds the step that turns sorted pairs into the results. */
function addEmit(
  builder: SequenceBuilder,
  pairs: PairArray,
  description: Omit<SortDescription, "descending">,
  columns: number,
  target: Target,
): void {
  const { format, rows, length, outputs } = description;
  const kernel = emitKernel(
    { format, rows, length, stride: pairs.length, columns, outputs },
    target,
  );
  const read = outputs === "positions" ? [pairs.array] : [pairs.array, inputArray(0)];
  const written = outputs === "both" ? [outputArray(0), outputArray(1)] : [outputArray(0)];
  builder.step(kernel, ...read, ...written);
}

/**
 * Sorts every row of `[rows, length]`, stably: equal elements keep their order. The order is numpy's:
 * -0 equals +0, and every NaN is larger than everything else and equals the others. Descending, NaN comes
 * first, as in JAX.
 *
 * Input 0 is the operand. The outputs wanted are, in this order, the values (in the operand's format, its
 * very bits) and the int32 positions that they came from.
 */
export function sortSteps(description: SortDescription, target: Target): KernelSequence {
  const { format, rows, length, descending } = description;
  const builder = new SequenceBuilder();
  if (rows * length === 0) return builder.finish();
  const source = valueSource(format, descending);
  const sort = { rows, length, source, arrays: [inputArray(0)] };
  addEmit(builder, addPairSort(builder, sort, target), description, length, target);
  return builder.finish();
}

/**
 * The `k` largest elements of every row of `[rows, length]`, largest first, equal ones by ascending
 * position; NaN counts as largest and -0 equals +0, so the result is the beginning of the descending sort.
 *
 * Input 0 is the operand. The outputs wanted are, in this order, the values and the int32 positions.
 *
 * @throws RangeError if `k` is larger than `length`.
 */
export function topKSteps(description: TopKDescription, target: Target): KernelSequence {
  const { format, rows, length, k } = description;
  if (k > length) {
    throw new RangeError(`Cannot topK: k must be at most the axis length ${length}, got ${k}`);
  }
  const builder = new SequenceBuilder();
  if (rows * k === 0) return builder.finish();
  const source = valueSource(format, true);
  const selection = { rows, length, source, arrays: [inputArray(0)] };
  addEmit(builder, addPairSelection(builder, selection, k, target), description, k, target);
  return builder.finish();
}
