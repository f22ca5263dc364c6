// Reading operands: four elements along the unit-stride axis, by one vector load where lines are aligned
// and by four scalar loads elsewhere.

import { loadScalar, roundVector, scalarElement, unpackVector, vectorElement } from "../storage.ts";
import type { Target } from "../target.ts";
import type { MatmulDescription, MatmulOperand } from "./description.ts";

/** The WGSL scalar type in which products are summed. */
export function sumType({ a }: MatmulDescription): "f32" | "i32" | "u32" {
  return a.format === "int32" ? "i32" : a.format === "uint32" ? "u32" : "f32";
}

/** Whether every line starts at a multiple of four elements. */
function isAligned(operand: MatmulOperand, batchStrides: readonly number[]): boolean {
  return [operand.stride, operand.offset, ...batchStrides].every((step) => step % 4 === 0);
}

/** An operand as a kernel declares and reads it. */
export interface OperandAccess {
  /** The element type of the array. */
  readonly element: string;
  /**
   * A function `load_<name>(line, position)`: elements `position` to `position + 3` of a line (positions are
   * multiples of 4), at an element offset held in `<name>_base`. Past `last` the values are arbitrary.
   */
  readonly code: string;
}

/** How the operand called `name` is read. */
export function operandAccess(
  name: "a" | "b",
  description: MatmulDescription,
  target: Target,
): OperandAccess {
  const operand = description[name];
  const strides = description.batch.map((b) => name === "a" ? b.aStride : b.bStride);
  const { format } = operand;
  const type = `vec4<${sumType(description)}>`;
  const rounded = (value: string) =>
    operand.roundTo ? roundVector(operand.roundTo, value, target) : value;
  const head = `fn load_${name}(base: u32, line: u32, position: u32, last: u32) -> ${type} {
let first = base + line * params.${name}_stride;`;
  if (isAligned(operand, strides)) {
    return {
      element: vectorElement(format),
      code: `${head}
let stored = ${name}[(first + position) >> 2u];
return ${rounded(unpackVector(format, "stored"))};
}
`,
    };
  }
  const lanes = [0, 1, 2, 3].map((i) =>
    loadScalar(format, name, `(first + min(position + ${i}u, last))`)
  );
  return {
    element: scalarElement(format),
    code: `${head}
return ${rounded(`${type}(${lanes.join(", ")})`)};
}
`,
  };
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

const components = ["x", "y", "z", "w"];

/**
 * Statements that declare `<prefix>0` to `<prefix>3`: rows k to k + 3 of B at four consecutive columns.
 * Transposed operands are loaded along k, four columns in turn, and turned over in registers.
 * @param masked whether k may end within the four rows: what lies past it must not count, NaN included.
 */
export function loadColumns(
  description: MatmulDescription,
  prefix: string,
  column: string,
  masked: boolean,
): string {
  const type = `vec4<${sumType(description)}>`;
  const lines: string[] = [];
  if (description.b.layout === "rows") {
    for (let q = 0; q < 4; q++) {
      const row = masked ? `min(k + ${q}u, params.k - 1u)` : `k + ${q}u`;
      lines.push(`var ${prefix}${q} = load_b(b_base, ${row}, ${column}, params.n - 1u);`);
    }
  } else {
    for (let c = 0; c < 4; c++) {
      const line = `min(${column} + ${c}u, params.n - 1u)`;
      lines.push(`let ${prefix}t${c} = load_b(b_base, ${line}, k, params.k - 1u);`);
    }
    for (let q = 0; q < 4; q++) {
      const turned = [0, 1, 2, 3].map((c) => `${prefix}t${c}.${components[q]}`);
      lines.push(`var ${prefix}${q} = ${type}(${turned.join(", ")});`);
    }
  }
  if (masked) {
    for (let q = 1; q < 4; q++) {
      lines.push(`if (k + ${q}u >= params.k) { ${prefix}${q} = ${type}(); }`);
    }
  }
  return lines.join("\n");
}

/** WGSL that clears the components of `value`, four elements along k, that lie past its end. */
export function maskAlongK(description: MatmulDescription, value: string, masked: boolean): string {
  if (!masked) return value;
  return `select(vec4<${
    sumType(description)
  }>(), ${value}, (vec4u(k) + vec4u(0u, 1u, 2u, 3u)) < vec4u(params.k))`;
}

/** One statement that adds four products along k to a sum, in the order of k. */
export function accumulate(sum: string, alongK: string, columns: string): string {
  let text = sum;
  for (let q = 0; q < 4; q++) text = `(${alongK}.${components[q]} * ${columns}${q} + ${text})`;
  return `${sum} = ${text};`;
}
