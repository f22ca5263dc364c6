// Whether a function is being traced for applyMixedPrecision: what is under mixed precision itself then keeps its
// own rules, and what is traced is not what would be traced elsewhere.

let depth = 0;

/** Runs `fn` as part of a function under mixed precision. */
export function insideMixedPrecision<T>(fn: () => T): T {
  depth++;
  try {
    return fn();
  } finally {
    depth--;
  }
}

/** Whether this is part of a function under mixed precision. */
export function isInsideMixedPrecision(): boolean {
  return depth > 0;
}
