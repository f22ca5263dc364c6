// How a scatter reads, joins and writes elements: four columns of a row at a time where rows consist of
// whole vectors, one at a time otherwise.

import { bitScalarElement, bitVectorElement, loadBits, packBits } from "../bit_access.ts";
import { type CombineOperation, combiner } from "../combine.ts";
import {
  loadScalar,
  packVector,
  scalarElement,
  type StorageFormat,
  storageFunctions,
  unpackVector,
  vectorElement,
} from "../storage.ts";

/** What happens where an update meets an element: it replaces it, or is combined with it. */
export type ScatterMode = "set" | CombineOperation;

/** WGSL for the arrays of one scatter. */
export interface ScatterAccess {
  /** Columns that an accumulator holds: `[n, inner]` is addressed as `[n, inner / width]`. */
  readonly width: 1 | 4;
  /** Element type of the operand's and the updates' bindings. */
  readonly readElement: string;
  /** Element type of the output's binding, which is always written four elements at a time. */
  readonly writeElement: string;
  /** The accumulator's type, also that of partial results in a temporary. */
  readonly accumulator: string;
  /** `combine<width>` and what it needs. */
  readonly functions: string;
  /** A function that loads an accumulator from the binding named `array`: `load_<array>(at)`. */
  loadFunction(array: string): string;
  /** Joins an earlier accumulator and a later one. */
  combine(earlier: string, later: string): string;
  /** Statements of thread `thread` that write the four elements that `compute(row, column)` yields. */
  writeFour(compute: (row: string, column: string) => string): string;
}

/** Four accumulators of one element become the vector of thread `thread`, wherever its rows begin. */
function writeOneByOne(
  accumulator: string,
  compute: (row: string, column: string) => string,
  pack: (four: string) => string,
): string {
  return `var four: vec4<${accumulator}>;
for (var e = 0u; e < 4u; e++) {
  let at = min(thread * 4u + e, params.size - 1u);
  four[e] = ${compute("at / params.columns", "at % params.columns")};
}
output[thread] = ${pack("four")};`;
}

function writeVector(
  compute: (row: string, column: string) => string,
  pack: (value: string) => string,
): string {
  return `let value = ${compute("thread / params.columns", "thread % params.columns")};
output[thread] = ${pack("value")};`;
}

/** "set" moves bits: the later element replaces the earlier one. */
function setAccess(format: StorageFormat, width: 1 | 4): ScatterAccess {
  const readElement = width === 4 ? bitVectorElement(format) : bitScalarElement;
  const load = (array: string) => width === 4 ? `${array}[at]` : loadBits(format, array, "at");
  const accumulator = width === 4 ? bitVectorElement(format) : "u32";
  return {
    width,
    readElement,
    writeElement: bitVectorElement(format),
    accumulator,
    functions: storageFunctions,
    loadFunction: (array) =>
      `fn load_${array}(at: u32) -> ${accumulator} { return ${load(array)}; }\n`,
    combine: (_earlier, later) => later,
    writeFour: (compute) =>
      width === 4
        ? writeVector(compute, (value) => value)
        : writeOneByOne("u32", compute, (four) => packBits(format, four)),
  };
}

/** The other modes accumulate in float32 or in integers and round once, on the store. */
function combineAccess(
  operation: CombineOperation,
  format: StorageFormat,
  width: 1 | 4,
): ScatterAccess {
  const { scalar, functions } = combiner(operation, format);
  const accumulator = width === 4 ? `vec4<${scalar}>` : scalar;
  const load = (array: string) =>
    width === 4
      ? `let loaded = ${array}[at];\n  return enter4(${unpackVector(format, "loaded")});`
      : `return enter1(${loadScalar(format, array, "at")});`;
  const pack = (value: string) => packVector(format, `leave4(${value})`);
  return {
    width,
    readElement: width === 4 ? vectorElement(format) : scalarElement(format),
    writeElement: vectorElement(format),
    accumulator,
    functions: storageFunctions + functions,
    loadFunction: (array) => `fn load_${array}(at: u32) -> ${accumulator} {\n  ${load(array)}\n}\n`,
    combine: (earlier, later) => `combine${width}(${earlier}, ${later})`,
    writeFour: (compute) =>
      width === 4 ? writeVector(compute, pack) : writeOneByOne(scalar, compute, pack),
  };
}

/** The access of a scatter into rows of `inner` elements. */
export function scatterAccess(
  mode: ScatterMode,
  format: StorageFormat,
  inner: number,
): ScatterAccess {
  const width = inner % 4 === 0 ? 4 : 1;
  return mode === "set" ? setAccess(format, width) : combineAccess(mode, format, width);
}
