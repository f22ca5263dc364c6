// An elementwise expression that is inlined into a kernel: as the prologue that produces what the kernel
// reads, or as the epilogue that consumes what it computed. Fusion decides what goes in; generators only
// place it.

import type { Binding, Parameter } from "./kernel.ts";

/** The text of a fragment at one place in a kernel. */
export interface FragmentText {
  /** WGSL statements, to stand before the uses of `results`. */
  readonly statements: string;
  /** Names of the vec4 values computed, one for each of the fragment's outputs. */
  readonly results: readonly string[];
}

/**
 * An expression over four consecutive elements of a row-major iteration space. The kernel binds the
 * fragment's arrays beside its own, adds its parameters and functions, and calls `emit` wherever four
 * elements are needed.
 */
export interface Fragment {
  /** Arrays that the expression reads; names are unique in the kernel. */
  readonly bindings: readonly Binding[];
  readonly parameters: readonly Parameter[];
  /** Module-scope WGSL that the statements call, storage functions excluded. */
  readonly functions: string;
  /**
   * Whether every index passed to `emit` must be a multiple of 4, as the vector loads then require.
   * Otherwise any index goes, at four scalar loads an operand. Elements past the end of the iteration space
   * read as arbitrary values and never fault.
   */
  readonly aligned: boolean;
  /**
   * @param index WGSL name (u32) of the row-major number of the first of the four elements.
   * @param anchors names of the vec4 values that the kernel itself computed for these elements.
   * @param suffix appended to every name declared, so that one scope may hold several copies.
   */
  emit(index: string, anchors: readonly string[], suffix: string): FragmentText;
}
