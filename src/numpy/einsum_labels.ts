// The subscripts of an einsum: which label each axis of each operand has.

import { showShape } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";

/** The labels of every axis. Those that `...` stands for are named `0`, `1`, ... from the last. */
export interface EinsumLabels {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
  /** The extent of every label; operands may have 1 in its place. */
  readonly extents: ReadonlyMap<string, number>;
}

function fail(subscripts: string, rule: string): RangeError {
  return new RangeError(`Cannot einsum "${subscripts}": ${rule}`);
}

/** Splits one term into letters and at most one `...`. */
function termLabels(term: string, subscripts: string): string[] {
  const tokens = term.match(/\.\.\.|[A-Za-z]|./g) ?? [];
  const odd = tokens.find((token) => token !== "..." && !/^[A-Za-z]$/.test(token));
  if (odd !== undefined) {
    throw fail(subscripts, `labels must be letters or "...", got ${JSON.stringify(odd)}`);
  }
  if (tokens.filter((token) => token === "...").length > 1) {
    throw fail(subscripts, `"..." may stand once in a term, got ${JSON.stringify(term)}`);
  }
  return tokens;
}

/** Names of the axes that `...` stands for, counted from the last, since that is how they broadcast. */
function ellipsis(rank: number): string[] {
  return Array.from({ length: rank }, (_, i) => String(rank - 1 - i));
}

function inputLabels(term: string, shape: Shape, subscripts: string): string[] {
  const tokens = termLabels(term, subscripts);
  const letters = tokens.filter((token) => token !== "...").length;
  const open = tokens.length > letters;
  if (open ? letters > shape.length : letters !== shape.length) {
    throw fail(
      subscripts,
      `a term must have one label for each axis, got ${JSON.stringify(term)} for shape ${
        showShape(shape)
      }`,
    );
  }
  return tokens.flatMap((token) => token === "..." ? ellipsis(shape.length - letters) : [token]);
}

function labelExtents(
  inputs: readonly (readonly string[])[],
  shapes: readonly Shape[],
  subscripts: string,
): Map<string, number> {
  const extents = new Map<string, number>();
  inputs.forEach((labels, i) =>
    labels.forEach((label, axis) => {
      const extent = shapes[i]![axis]!;
      const known = extents.get(label) ?? 1;
      if (known !== 1 && extent !== 1 && known !== extent) {
        throw fail(
          subscripts,
          `sizes of ${/\d/.test(label) ? '"..."' : JSON.stringify(label)} must match, got shapes ${
            shapes.map(showShape).join(" and ")
          }`,
        );
      }
      // An extent of 0 wins over 1, as in broadcasting.
      if (known === 1) extents.set(label, extent);
    })
  );
  return extents;
}

/** Without `->`, the axes of `...` come first, then the letters that stand once, in alphabetical order. */
function implicitOutput(inputs: readonly (readonly string[])[], longest: number): string[] {
  const all = inputs.flat();
  const letters = all.filter((label) => /[A-Za-z]/.test(label));
  const single = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label));
  return [...ellipsis(longest), ...single.sort()];
}

function outputLabels(
  term: string,
  inputs: readonly (readonly string[])[],
  longest: number,
  subscripts: string,
): string[] {
  const labels = termLabels(term, subscripts)
    .flatMap((token) => token === "..." ? ellipsis(longest) : [token]);
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) {
    throw fail(
      subscripts,
      `a label may stand once in the result, got ${JSON.stringify(twice)} twice`,
    );
  }
  const unknown = labels.find((label) => !inputs.some((input) => input.includes(label)));
  if (unknown !== undefined) {
    throw fail(
      subscripts,
      `labels of the result must stand in an operand, got ${JSON.stringify(unknown)}`,
    );
  }
  if (longest > 0 && !term.includes("...")) {
    throw fail(subscripts, 'the result must have "..." where operands have axes for it');
  }
  return labels;
}

/**
 * Reads subscripts for operands of these shapes.
 *
 * @throws {RangeError} if they do not fit.
 */
export function parseSubscripts(subscripts: string, shapes: readonly Shape[]): EinsumLabels {
  const [left, right, ...more] = subscripts.replaceAll(" ", "").split("->");
  const terms = left!.split(",");
  if (more.length > 0) throw fail(subscripts, 'one "->" is allowed');
  if (terms.length !== shapes.length) {
    throw fail(subscripts, `it has ${terms.length} terms, got ${shapes.length} operands`);
  }
  const inputs = terms.map((term, i) => inputLabels(term, shapes[i]!, subscripts));
  const longest = Math.max(
    0,
    ...inputs.map((labels) => labels.filter((label) => /\d/.test(label)).length),
  );
  const extents = labelExtents(inputs, shapes, subscripts);
  const output = right === undefined
    ? implicitOutput(inputs, longest)
    : outputLabels(right, inputs, longest, subscripts);
  return { inputs, output, extents };
}
