// What an elementary function is as text, and the notation that the families of this folder share. Their
// coefficients and error bounds are printed by tests/kernels/elementary_coefficients.py.

/** A WGSL function on `vec4f` and the functions of this folder that it calls. */
export interface ElementaryFunction {
  /** Its name in WGSL, e.g. `accurate_exp`. */
  readonly name: string;
  /** Its text, with the structures and local functions that only it uses. */
  readonly code: string;
  /** Keys, in the table, of the functions that `code` calls. */
  readonly requires?: readonly string[];
}

/** Functions by key, as one family's file lists them. */
export type ElementaryFamily = Readonly<Record<string, ElementaryFunction>>;

/**
 * WGSL for the polynomial `c[0] + c[1] v + c[2] v^2 + ...` by Horner's rule. Contraction to fused
 * multiply-adds and the lack of it are both within the error bounds stated beside the coefficients.
 *
 * @param variable a WGSL name: it stands once for each power.
 * @param coefficients lowest power first, at least two.
 */
export function horner(variable: string, coefficients: readonly number[]): string {
  const [lowest, ...rest] = coefficients;
  const higher = rest.length === 1 ? `${rest[0]}` : horner(variable, rest);
  return `(${higher} * ${variable} + ${lowest})`;
}
