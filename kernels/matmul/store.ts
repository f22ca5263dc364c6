// Storing a thread's sums: epilogue, rounding, and whole words only.

import type { Binding } from "../kernel.ts";
import { packVector, scalarElement, type StorageFormat, vectorElement } from "../storage.ts";
import { hasWholeRows, type MatmulDescription } from "./description.ts";
import { sumType, type ThreadAxis } from "./operand.ts";
import { components, sumNames, type SumTile } from "./products.ts";

/** The arrays `out0`, `out1`, ... */
export function outputBindings(description: MatmulDescription): Binding[] {
  const element = hasWholeRows(description) ? vectorElement : scalarElement;
  return description.outputs.map((format, i) => ({
    name: `out${i}`,
    access: "read_write",
    element: element(format),
  }));
}

/**
 * The function `store_sums(matrix, row, column, sums)`, which stores four sums of a row that starts in the
 * result. A function of its own shows the epilogue no names but the module's.
 */
export function storeFunction(description: MatmulDescription): string {
  const statements = hasWholeRows(description)
    ? storeVectors(description)
    : storeScalars(description);
  const type = `vec4<${sumType(description)}>`;
  return `fn store_sums(matrix: u32, row: u32, column: u32, sums: ${type}) {
if (row < params.m && column < params.n) {
let index_of_sums = (matrix * params.m + row) * params.n + column;
${statements}
}
}
`;
}

function storeVectors(description: MatmulDescription): string {
  const { epilogue, outputs } = description;
  const text = epilogue?.emit("index_of_sums", ["sums"], "_e");
  const stores = outputs.map((format, i) => {
    const value = text ? text.results[i]! : converted(description, format);
    return `let stored${i} = ${value};
out${i}[index_of_sums >> 2u] = ${packVector(format, `stored${i}`)};`;
  });
  return `${text?.statements ?? ""}\n${stores.join("\n")}`;
}

/** Rows that end within a vector: its last elements belong to the next row. */
function storeScalars(description: MatmulDescription): string {
  const { outputs } = description;
  return outputs.map((format, i) =>
    `let stored${i} = ${converted(description, format)};\n` +
    components.map((c, q) =>
      `if (column + ${q}u < params.n) { out${i}[index_of_sums + ${q}u] = stored${i}.${c}; }`
    ).join("\n")
  ).join("\n");
}

/** The sums in the type that a format is computed in. */
function converted(description: MatmulDescription, format: StorageFormat): string {
  const type = format === "int32" ? "i32" : format === "uint32" ? "u32" : "f32";
  return type === sumType(description) ? "sums" : `vec4<${type}>(sums)`;
}

/** Where the sums of a thread belong in the result. */
export interface SumPlaces {
  readonly axis: ThreadAxis;
  /** WGSL for the place of a row of sums on the other axis; rows go in fours where threads lie along rows. */
  readonly common: (row: string) => string;
  /** WGSL for the first of a vector's four places on the threads' axis. */
  readonly own: (vector: number) => string;
}

/** Declares the sums; where threads lie along rows, with zeros up to a multiple of four. */
export function declareSums(
  description: MatmulDescription,
  tile: SumTile,
  axis: ThreadAxis,
): string {
  return sumNames(paddedTile(tile, axis))
    .map((name) => `var ${name} = vec4<${sumType(description)}>();`).join("\n");
}

function paddedTile({ rows, vectors }: SumTile, axis: ThreadAxis): SumTile {
  return { rows: axis === "rows" ? Math.ceil(rows / 4) * 4 : rows, vectors };
}

/**
 * Statements that store every sum. The text of a store stands in a loop through which the sums are shifted:
 * a CPU driver compiles in more than linear time in the number of stores, and indexing an array by a variable
 * would move the sums out of registers. The loop's length is multiplied by the number of workgroups in z,
 * which is 1, so that the driver cannot unroll it.
 */
export function storeTile(
  description: MatmulDescription,
  tile: SumTile,
  { axis, common, own }: SumPlaces,
): string {
  const padded = paddedTile(tile, axis);
  const vectors = Array.from({ length: tile.vectors }, (_, j) => j);
  if (axis === "columns") {
    const stores = vectors.map((j) => `store_sums(matrix, ${common("i")}, ${own(j)}, c0_${j});`);
    return `for (var i = 0u; i < ${padded.rows}u * groups.z; i++) {
${stores.join("\n")}
${shiftRows(padded, 1)}
}`;
  }
  const type = `vec4<${sumType(description)}>`;
  const stores = vectors.map((j) => {
    const turned = [0, 1, 2, 3].map((i) => `c${i}_${j}.x`);
    return `store_sums(matrix, ${own(j)} + t, ${common("i")}, ${type}(${turned.join(", ")}));`;
  });
  const turns = sumNames({ rows: 4, vectors: tile.vectors }).map((c) => `${c} = ${c}.yzwx;`);
  return `for (var i = 0u; i < ${padded.rows}u * groups.z; i += 4u) {
for (var t = 0u; t < 4u * groups.z; t++) {
${stores.join("\n")}
${turns.join("\n")}
}
${shiftRows(padded, 4)}
}`;
}

function shiftRows({ rows, vectors }: SumTile, by: number): string {
  return sumNames({ rows: rows - by, vectors }).map((name, i) => {
    const row = Math.floor(i / vectors) + by;
    return `${name} = c${row}_${i % vectors};`;
  }).join("\n");
}
