// The types that programs are measured in, and the units of what they do.

/** The types that programs are measured in; the first is what the others are compared with. */
export const PRECISIONS = ["float32", "float16", "bfloat16"] as const;

/** A type that programs are measured in. */
export type Precision = typeof PRECISIONS[number];

/** What an element takes in memory. */
export function bytesPerElement(precision: Precision): number {
  return precision === "float32" ? 4 : 2;
}

/** How much a call does, and what a rate of it is called. */
export interface Work {
  readonly amount: number;
  readonly unit: "GFLOP/s" | "GB/s";
}
