// Reading operands: four neighbours in memory at a time, widened to the type in which products are summed.
// How many loads that takes depends on what the lines' starts are multiples of, and on the widest element
// the device can load.

import { roundVector, type StorageFormat, unpackVector } from "../storage.ts";
import type { Target } from "../target.ts";
import type { MatmulDescription, MatmulOperand } from "./description.ts";

/** Which axis of the result the threads of a workgroup lie along. */
export type ThreadAxis = "columns" | "rows";

/** One operand as the threads of a kernel see it. */
export interface Side {
  readonly name: "a" | "b";
  /** Whether neighbours in memory follow each other along k, and not along an axis of the result. */
  readonly alongK: boolean;
  /** WGSL for the length of the operand's axis of the result. */
  readonly extent: string;
}

/** The operand of which every thread reads lines of its own, and the one whose lines all threads need. */
export interface Sides {
  readonly own: Side;
  readonly common: Side;
}

/** The roles of A and B where threads lie along an axis. */
export function sidesOf({ a, b }: MatmulDescription, axis: ThreadAxis): Sides {
  const left: Side = { name: "a", alongK: a.layout === "rows", extent: "params.m" };
  const right: Side = { name: "b", alongK: b.layout === "columns", extent: "params.n" };
  return axis === "columns" ? { own: right, common: left } : { own: left, common: right };
}

/** The WGSL type in which products are summed: integers among themselves in 32 bits, all else in float32. */
export function sumType({ a, b }: MatmulDescription): "f32" | "i32" | "u32" {
  const types = [a, b].map(({ format }) => integerType(format));
  if (types.includes("f32")) return "f32";
  return types.includes("i32") ? "i32" : "u32";
}

function integerType(format: StorageFormat): "f32" | "i32" | "u32" {
  // A stored bool is 0 or 1.
  return format === "int32" ? "i32" : format === "uint32" || format === "bool" ? "u32" : "f32";
}

/** An operand's array and the function that reads it. */
export interface OperandAccess {
  /** The element type of the array. */
  readonly element: string;
  /** `load_<name>(at)`: elements `at` to `at + 3`; what lies past the array's end is arbitrary. */
  readonly code: string;
}

/** How an operand is declared and read. */
export function operandAccess(
  name: "a" | "b",
  description: MatmulDescription,
  target: Target,
): OperandAccess {
  const operand = description[name];
  const { format, roundTo } = operand;
  const sum = sumType(description);
  const half = isHalf(format);
  const wide = target.shaderInt64 === true;
  const { element, words } = half
    ? halfWords(name, alignment(name, description), wide)
    : fullWords(name, alignment(name, description), wide);
  const stored = half
    // Native float16 is read as words too: the bits are the same, and a CPU driver loads half as many.
    ? unpackVector(format === "bfloat16" ? "bfloat16" : "float16_packed", "words")
    : `bitcast<vec4<${integerType(format)}>>(words)`;
  const summed = half || integerType(format) === sum ? stored : `vec4<${sum}>(${stored})`;
  const code = `fn load_${name}(at: u32) -> vec4<${sum}> {
${words}
let value = ${summed};
return ${roundTo ? roundVector(roundTo, "value", target) : "value"};
}
`;
  return { element, code };
}

function isHalf(format: StorageFormat): boolean {
  return format === "float16_native" || format === "float16_packed" || format === "bfloat16";
}

/** The largest of 4, 2 and 1 of which the first element of every group of four is a multiple. */
function alignment(name: "a" | "b", { m, n, k, batch, a, b }: MatmulDescription): 4 | 2 | 1 {
  const operand: MatmulOperand = name === "a" ? a : b;
  const [outer, inner] = name === "a" ? [m, k] : [k, n];
  const [lines, length] = operand.layout === "rows" ? [outer, inner] : [inner, outer];
  const steps = [operand.offset, ...batch.map((axis) => axis[`${name}Stride`])];
  // One line alone is stepped over by no stride.
  if (lines > 1) steps.push(operand.stride);
  const divides = (size: number) => steps.every((step) => step % size === 0);
  // The last group of a line that ends within it could pass the end of an array of whole vectors.
  if (length % 4 === 0 && divides(4)) return 4;
  return divides(2) ? 2 : 1;
}

interface Words {
  readonly element: string;
  /** Statements that declare `words`, the 32-bit words that hold the four elements. */
  readonly words: string;
}

/**
 * Four elements of 32 bits. A CPU driver loads lane by lane and inserts each into its vector, at one price for
 * 32 and 64 bits, so 64-bit elements halve the cost.
 */
function fullWords(name: string, aligned: 4 | 2 | 1, wide: boolean): Words {
  if (aligned === 4 && !wide) {
    return { element: "vec4u", words: `let words = ${name}[at >> 2u];` };
  }
  if (aligned === 4) {
    return {
      element: "vec2<u64>",
      words: `let pairs = ${name}[at >> 2u];
let words = vec4u(${split("pairs.x")}, ${split("pairs.y")});`,
    };
  }
  if (aligned === 2 && wide) {
    return {
      element: "u64",
      words: `let low = ${name}[at >> 1u];
let high = ${name}[(at >> 1u) + 1u];
let words = vec4u(${split("low")}, ${split("high")});`,
    };
  }
  if (wide) {
    // Three loads that may start a word early cost less than four of one word.
    return {
      element: "u64",
      words: `let first = ${name}[at >> 1u];
let second = ${name}[(at >> 1u) + 1u];
let third = ${name}[(at >> 1u) + 2u];
let even = vec4u(${split("first")}, ${split("second")});
let words = select(even, vec4u(even.yzw, u32(third)), (at & 1u) == 1u);`,
    };
  }
  const single = [0, 1, 2, 3].map((i) => `${name}[at + ${i}u]`);
  return { element: "u32", words: `let words = vec4u(${single.join(", ")});` };
}

/** Four elements of 16 bits, in two words; where they may straddle words, the next is shifted in. */
function halfWords(name: string, aligned: 4 | 2 | 1, wide: boolean): Words {
  if (aligned === 4) {
    return wide
      ? {
        element: "u64",
        words: `let four = ${name}[at >> 2u];\nlet words = vec2u(${split("four")});`,
      }
      : { element: "vec2u", words: `let words = ${name}[at >> 2u];` };
  }
  if (wide) {
    // Shifted twice, since a shift by all 64 bits is not one.
    return {
      element: "u64",
      words: `let bits = (at & 3u) * 16u;
let four = (${name}[at >> 2u] >> bits) | ((${name}[(at >> 2u) + 1u] << 1u) << (63u - bits));
let words = vec2u(${split("four")});`,
    };
  }
  const pair = `let pair = vec2u(${name}[at >> 1u], ${name}[(at >> 1u) + 1u]);`;
  if (aligned === 2) return { element: "u32", words: `${pair}\nlet words = pair;` };
  return {
    element: "u32",
    words: `${pair}
let following = vec2u(pair.y, ${name}[(at >> 1u) + 2u]);
let words = select(pair, (pair >> vec2u(16u)) | (following << vec2u(16u)), (at & 1u) == 1u);`,
  };
}

function split(pair: string): string {
  return `u32(${pair}), u32(${pair} >> 32u)`;
}

/** Statements that declare `a_base` and `b_base` from the number of a matrix in the batch. */
export function batchBases({ batch }: MatmulDescription, matrix: string): string {
  let text = "var a_base = params.a_offset;\nvar b_base = params.b_offset;\n";
  if (batch.length === 0) return text;
  text += `var rest = ${matrix};\n`;
  for (let i = batch.length - 1; i >= 0; i--) {
    // The outermost coordinate needs no remainder.
    const coordinate = i === 0 ? "rest" : `rest % params.batch${i}`;
    text += `let coordinate${i} = ${coordinate};
a_base += coordinate${i} * params.a_batch${i};
b_base += coordinate${i} * params.b_batch${i};
${i === 0 ? "" : `rest = rest / params.batch${i};\n`}`;
  }
  return text;
}
