// Gathers: rows picked by one list of indices, or an element of its own for every place. They move bits,
// so one text serves every format of a width.

import { bitScalarElement, bitVectorElement, loadBits, packBits } from "../bit_access.ts";
import { assembleKernel, type Kernel, linearGroup, spreadWorkgroups } from "../kernel.ts";
import { type StorageFormat, storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";

/** The integer types that indices may have. */
export type IndexType = "int32" | "uint32";

/** What {@linkcode takeKernel} and {@linkcode takeAlongAxisKernel} gather. */
export interface TakeDescription {
  /** How the operand is stored, and so the output. */
  readonly format: StorageFormat;
  readonly indexType: IndexType;
  /** The operand is `[outer, n, inner]`, the output `[outer, count, inner]`. */
  readonly outer: number;
  readonly n: number;
  readonly count: number;
  readonly inner: number;
}

const workgroupSize = 64;

/** WGSL that clamps an index into `[0, n)`, as JAX does where it cannot know the indices. */
function clampFunction(indexType: IndexType): string {
  return indexType === "int32"
    ? "fn clamped(i: i32) -> u32 { return u32(clamp(i, 0i, i32(params.n) - 1i)); }\n"
    : "fn clamped(i: u32) -> u32 { return min(i, params.n - 1u); }\n";
}

/** The number of elements of the output; throws where there is nothing to take them from. */
function checkedSize(what: string, { outer, n, count, inner }: TakeDescription): number {
  const size = outer * count * inner;
  if (size > 0 && n === 0) {
    throw new RangeError(
      `Cannot ${what}: the operand's axis must not be empty where indices are given, got [${outer}, ` +
        `0, ${inner}] and ${count} indices; check for the empty axis first`,
    );
  }
  return size;
}

/** The statements of a thread that gathers four elements one by one: `element` reads the one at `at`. */
function gatherFour(format: StorageFormat, element: string): string {
  // The last vector may pass the end: it repeats the last element rather than index past the arrays.
  return `var bits: vec4u;
for (var e = 0u; e < 4u; e++) {
  let at = min(thread * 4u + e, params.size - 1u);
${element}
}
output[thread] = ${packBits(format, "bits")};`;
}

const scalarRow = (format: StorageFormat): string =>
  gatherFour(
    format,
    `  let entry = at / params.inner;
  let row = (entry / params.count) * params.n + clamped(indices[entry % params.count]);
  let source = row * params.inner + at % params.inner;
  bits[e] = ${loadBits(format, "operand", "source")};`,
  );

const vectorRow = `let entry = thread / params.inner;
let row = (entry / params.count) * params.n + clamped(indices[entry % params.count]);
output[thread] = operand[row * params.inner + thread % params.inner];`;

const scalarElementOfPlace = (format: StorageFormat): string =>
  `let places = indices[thread];\n` + gatherFour(
    format,
    `  let row = (at / params.block) * params.n + clamped(places[e]);
  let source = row * params.inner + at % params.inner;
  bits[e] = ${loadBits(format, "operand", "source")};`,
  );

const threadGuard = `let thread = ${linearGroup} * ${workgroupSize}u + lane;
if (thread >= params.vectors) { return; }
`;

/**
 * Takes rows: the operand is `[outer, n, inner]`, `indices` `[count]`, the output `[outer, count, inner]`
 * with `output[o, c, i] = operand[o, indices[c], i]`. Indices out of range clamp to the nearest row.
 *
 * Bindings: operand, indices, output. Every extent is a parameter; the text depends on the width of the
 * format, the type of the indices and on whether `inner` is a multiple of 4.
 *
 * @throws RangeError if the output has elements and `n` is 0.
 */
export function takeKernel(description: TakeDescription, target: Target): Kernel {
  const { format, indexType, n, count, inner } = description;
  const size = checkedSize("take", description);
  const vectors = Math.ceil(size / 4);
  const aligned = inner % 4 === 0;
  return assembleKernel({
    name: aligned ? "take_vectors" : "take",
    bindings: [
      {
        name: "operand",
        access: "read",
        element: aligned ? bitVectorElement(format) : bitScalarElement,
      },
      { name: "indices", access: "read", element: indexType === "int32" ? "i32" : "u32" },
      { name: "output", access: "read_write", element: bitVectorElement(format) },
    ],
    parameters: [
      { name: "n", type: "u32", value: n },
      { name: "count", type: "u32", value: count },
      { name: "inner", type: "u32", value: aligned ? inner / 4 : inner },
      { name: "size", type: "u32", value: size },
      { name: "vectors", type: "u32", value: vectors },
    ],
    functions: storageFunctions + clampFunction(indexType),
    workgroupSize: `${workgroupSize}`,
    body: threadGuard + (aligned ? vectorRow : scalarRow(format)),
    workgroups: spreadWorkgroups(Math.ceil(vectors / workgroupSize)),
  }, target);
}

/**
 * Takes one element for every place: the operand is `[outer, n, inner]`, `indices` and the output are
 * `[outer, count, inner]`, with `output[o, c, i] = operand[o, indices[o, c, i], i]`. Indices out of range
 * clamp.
 *
 * Bindings: operand, indices, output. Every extent is a parameter.
 *
 * @throws RangeError if the output has elements and `n` is 0.
 */
export function takeAlongAxisKernel(description: TakeDescription, target: Target): Kernel {
  const { format, indexType, n, count, inner } = description;
  const size = checkedSize("takeAlongAxis", description);
  const vectors = Math.ceil(size / 4);
  return assembleKernel({
    name: "take_along_axis",
    bindings: [
      { name: "operand", access: "read", element: bitScalarElement },
      { name: "indices", access: "read", element: indexType === "int32" ? "vec4i" : "vec4u" },
      { name: "output", access: "read_write", element: bitVectorElement(format) },
    ],
    parameters: [
      { name: "n", type: "u32", value: n },
      { name: "inner", type: "u32", value: inner },
      { name: "block", type: "u32", value: count * inner },
      { name: "size", type: "u32", value: size },
      { name: "vectors", type: "u32", value: vectors },
    ],
    functions: storageFunctions + clampFunction(indexType),
    workgroupSize: `${workgroupSize}`,
    body: threadGuard + scalarElementOfPlace(format),
    workgroups: spreadWorkgroups(Math.ceil(vectors / workgroupSize)),
  }, target);
}
