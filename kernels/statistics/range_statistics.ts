// One reading of an array for all that says how its numbers lie in the range of a type: counts of zeros,
// subnormals, infinities and NaN, a histogram of exponents, the extremes, and the distance from a reference.

import { assembleKernel, type Kernel } from "../kernel.ts";
import { type StorageFormat, storageFunctions, unpackVector, vectorElement } from "../storage.ts";
import type { Target } from "../target.ts";

/** Exponents in the histogram: the first counts what is smaller too, the last what is larger. */
export const histogramBins = 64;

/** The binary exponent of the first bin. */
export const firstExponent = -44;

/** What follows the bins in each part's row: counters, then float32 patterns whose order is that of integers. */
export const rangeFields = [
  "zero",
  "subnormal",
  "nearMax",
  "infinite",
  "nan",
  "flushed",
  "overflowed",
  // Infinity minus the smallest magnitude, as integers: 0 where there is none, so that it is a maximum too.
  "belowInfinity",
  "maxMagnitude",
  "maxUlps",
  "maxError",
] as const;

/** Words of each part's row, a multiple of 4. */
export const rangeWords: number = Math.ceil((histogramBins + rangeFields.length) / 4) * 4;

/** The numbers to look at, and the type whose range they are measured against. */
export interface RangeDescription {
  readonly size: number;
  /** Rows of the result; each is about `chunk` elements, a multiple of 4, of which the last may be fewer. */
  readonly parts: number;
  readonly chunk: number;
  /** The float32 pattern of the type's smallest normal number. */
  readonly smallestNormal: number;
  /** The float32 pattern of half of its largest finite number. */
  readonly halfOfMax: number;
  /** Significand bits after the first. */
  readonly fractionBits: number;
  /** The exponent of the smallest normal number. */
  readonly minExponent: number;
}

/** {@linkcode RangeDescription}, with how the arrays are stored. */
export interface RangeKernelDescription extends RangeDescription {
  readonly format: StorageFormat;
  /** How the reference is stored, if there is one. */
  readonly reference?: StorageFormat;
}

const workgroupSize = 64;

/** The float32 patterns of four elements. float32 is bound as words: a driver may flush subnormals that it loads. */
function bitsOf(format: StorageFormat, value: string): string {
  return format === "float32" ? value : `bitcast<vec4u>(${unpackVector(format, value)})`;
}

const elementOf = (format: StorageFormat): string =>
  format === "float32" ? "vec4u" : vectorElement(format);

/** Drivers may assume that there are neither NaN nor infinities, so all is told from the bits. */
const look = `fn look(magnitude: u32) {
  if (magnitude == 0u) { zero_count++; return; }
  if (magnitude > infinity) { nan_count++; return; }
  if (magnitude == infinity) { infinite_count++; return; }
  if (magnitude < params.smallest_normal) { subnormal_count++; }
  if (magnitude >= params.half_of_max) { near_max_count++; }
}
fn place(magnitude: u32) {
  if (magnitude == 0u || magnitude >= infinity) { return; }
  below_infinity = max(below_infinity, infinity - magnitude);
  largest = max(largest, magnitude);
  let bin = i32(magnitude >> 23u) - 127 - (${firstExponent});
  atomicAdd(&row[u32(clamp(bin, 0, ${histogramBins - 1}))], 1u);
}
`;

/** An infinity or NaN in place of a finite number is infinitely far from it. */
const compare = `fn compare(bits: u32, expected: u32) {
  let magnitude = bits & 0x7fffffffu;
  let reference = expected & 0x7fffffffu;
  if (reference >= infinity) { return; }
  if (magnitude == 0u && reference != 0u) { flushed_count++; }
  if (magnitude >= infinity) {
    if (magnitude == infinity) { overflowed_count++; }
    largest_error = infinity;
    most_ulps = infinity;
    return;
  }
  let error = abs(bitcast<f32>(bits) - bitcast<f32>(expected));
  let exponent = max(i32(reference >> 23u) - 127, params.min_exponent);
  let shift = min(params.fraction_bits - exponent, 126);
  let ulps = error * bitcast<f32>(u32(shift + 127) << 23u);
  largest_error = max(largest_error, bitcast<u32>(error));
  most_ulps = max(most_ulps, bitcast<u32>(ulps));
}
`;

const counters = ["zero", "subnormal", "near_max", "infinite", "nan", "flushed", "overflowed"];
const extremes = ["below_infinity", "largest", "most_ulps", "largest_error"];

const finish = [
  ...counters.map((name, i) => `atomicAdd(&row[${histogramBins + i}u], ${name}_count);`),
  ...extremes.map((name, i) =>
    `atomicMax(&row[${histogramBins + counters.length + i}u], ${name});`
  ),
].join("\n");

/**
 * One row of {@linkcode rangeWords} words for each part of an array of floats: the histogram, then
 * {@linkcode rangeFields}. Sums of the counters and maxima of the rest over all rows describe the array.
 *
 * Histogram and extremes are those of the reference where there is one.
 *
 * Bindings: operand, the reference if there is one, output. A unit in the last place is that of the reference's
 * exponent in the type measured against, and at least 2**-126.
 */
export function rangeStatisticsKernel(
  description: RangeKernelDescription,
  target: Target,
): Kernel {
  const { format, reference, size, parts, chunk } = description;
  const load = (name: string, of: StorageFormat) =>
    `let loaded_${name} = ${name}[v];\n  let ${name}_bits = ${bitsOf(of, `loaded_${name}`)};`;
  return assembleKernel({
    name: reference ? "range_statistics_against" : "range_statistics",
    bindings: [
      { name: "operand", access: "read", element: elementOf(format) },
      ...reference
        ? [{ name: "expected", access: "read", element: elementOf(reference) } as const]
        : [],
      { name: "output", access: "read_write", element: "u32" },
    ],
    parameters: [
      { name: "size", type: "u32", value: size },
      { name: "chunk", type: "u32", value: chunk },
      { name: "smallest_normal", type: "u32", value: description.smallestNormal },
      { name: "half_of_max", type: "u32", value: description.halfOfMax },
      { name: "fraction_bits", type: "i32", value: description.fractionBits },
      { name: "min_exponent", type: "i32", value: description.minExponent },
    ],
    functions: `${storageFunctions}
const infinity = 0x7f800000u;
var<workgroup> row: array<atomic<u32>, ${rangeWords}>;
${counters.map((name) => `var<private> ${name}_count: u32;`).join("\n")}
${extremes.map((name) => `var<private> ${name}: u32;`).join("\n")}
${look}${reference ? compare : ""}`,
    workgroupSize: `${workgroupSize}`,
    body: `let begin = group.x * params.chunk;
let end = min(begin + params.chunk, params.size);
for (var v = begin / 4u + lane; v * 4u < end; v += ${workgroupSize}u) {
  ${load("operand", format)}
  ${reference ? load("expected", reference) : ""}
  for (var e = 0u; e < min(4u, end - v * 4u); e++) {
    look(operand_bits[e] & 0x7fffffffu);
    place(${reference ? "expected" : "operand"}_bits[e] & 0x7fffffffu);
    ${reference ? "compare(operand_bits[e], expected_bits[e]);" : ""}
  }
}
${finish}
workgroupBarrier();
for (var i = lane; i < ${rangeWords}u; i += ${workgroupSize}u) {
  output[group.x * ${rangeWords}u + i] = atomicLoad(&row[i]);
}`,
    workgroups: [parts, 1, 1],
  }, target);
}
