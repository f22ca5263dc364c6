// The groups of programs that can be asked for.

/** The groups of programs that can be asked for. */
export const SECTIONS = ["precision", "gelu", "training", "checkpointing", "attention"] as const;

/** A group of programs. */
export type Section = typeof SECTIONS[number];
