// What a matrix product is: its extents, how its operands lie in memory, and what follows before the store.

import type { Fragment } from "../fragment.ts";
import type { Parameter } from "../kernel.ts";
import type { StorageFormat } from "../storage.ts";

/** One operand: a strided matrix for every batch, one of whose axes has unit stride. */
export interface MatmulOperand {
  readonly format: StorageFormat;
  /** Rounds loaded values to a half type first: a fused cast. */
  readonly roundTo?: "float16" | "bfloat16";
  /** "rows": the last axis has unit stride (k of A, n of B); "columns": the one before (m of A, k of B). */
  readonly layout: "rows" | "columns";
  /** Elements from one line to the next along the other axis. */
  readonly stride: number;
  /** The first element. */
  readonly offset: number;
}

/** A batch axis and how far each operand steps along it; 0 uses the same matrix again. */
export interface MatmulBatch {
  readonly extent: number;
  readonly aStride: number;
  readonly bStride: number;
}

/** C[batch, m, n] = epilogue(sum over k of A[batch, m, k] B[batch, k, n]), summed in float32 or 32-bit integers. */
export interface MatmulDescription {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Outermost first; the result is contiguous [batch..., m, n]. */
  readonly batch: readonly MatmulBatch[];
  readonly a: MatmulOperand;
  readonly b: MatmulOperand;
  /** How each result is stored: the epilogue's, or the bare sum. */
  readonly outputs: readonly StorageFormat[];
  /** An expression of the sums, its only anchor, over [batch..., m, n]. Only where n is a multiple of 4. */
  readonly epilogue?: Fragment;
}

/** The number of matrices in the batch. */
export function batchCount({ batch }: MatmulDescription): number {
  return batch.reduce((count, { extent }) => count * extent, 1);
}

/**
 * The same product with fewer batch axes: those of one matrix go, those through which both operands step
 * evenly become one, and a batch of A that meets a single B is more rows of A.
 */
export function foldBatch(description: MatmulDescription): MatmulDescription {
  const batch: MatmulBatch[] = [];
  for (const axis of description.batch) {
    const outer = batch[batch.length - 1];
    if (axis.extent === 1) continue;
    if (
      outer && outer.aStride === axis.extent * axis.aStride &&
      outer.bStride === axis.extent * axis.bStride
    ) {
      batch[batch.length - 1] = { ...axis, extent: outer.extent * axis.extent };
    } else batch.push(axis);
  }
  const { m, a } = description;
  const last = batch[batch.length - 1];
  const continues = last && (m === 1 || last.aStride === m * a.stride);
  if (!continues || last.bStride !== 0 || a.layout !== "rows") return { ...description, batch };
  return {
    ...description,
    batch: batch.slice(0, -1),
    m: m * last.extent,
    a: { ...a, stride: m === 1 ? last.aStride : a.stride },
  };
}

/** Whether rows of the result are whole vectors. Otherwise they share vectors, and are stored one by one. */
export function hasWholeRows({ n }: MatmulDescription): boolean {
  return n % 4 === 0;
}

/** Extents and strides as run-time parameters, so that one text serves every shape of its kind. */
export function extentParameters(description: MatmulDescription): Parameter[] {
  const { m, n, k, batch, a, b } = description;
  const numbers: Record<string, number> = {
    m,
    n,
    k,
    a_stride: a.stride,
    b_stride: b.stride,
    a_offset: a.offset,
    b_offset: b.offset,
  };
  batch.forEach(({ extent, aStride, bStride }, i) => {
    numbers[`batch${i}`] = extent;
    numbers[`a_batch${i}`] = aStride;
    numbers[`b_batch${i}`] = bStride;
  });
  return Object.entries(numbers).map(([name, value]) => ({ name, type: "u32", value }));
}

/** Refuses what rows that share words cannot store without two threads writing halves of one. */
export function checkStorable(description: MatmulDescription): void {
  if (hasWholeRows(description)) return;
  const words = description.outputs.every((f) =>
    f === "float32" || f === "int32" || f === "uint32"
  );
  if (words && !description.epilogue) return;
  throw new Error("a product with rows of odd length is stored bare and in 32 bits");
}
