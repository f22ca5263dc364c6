// einsum: sums of products by labelled axes, as contractions of two operands at a time.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { describe } from "../core/errors.ts";
import { mul } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { promoteOperands } from "../ops/define.ts";
import { broadcastTo, reshape, transpose } from "../ops/movement.ts";
import { reduce, sumOperation } from "../ops/reduction.ts";
import type { Value } from "../ir/value.ts";
import { diagonalOf } from "./diagonal.ts";
import { type EinsumLabels, parseSubscripts } from "./einsum_labels.ts";
import { lifted } from "./lift.ts";
import { contract } from "./linear_algebra.ts";

/** An array with a label, different from the others, on each axis. */
interface Term {
  readonly value: Value;
  readonly labels: readonly string[];
}

/** Takes the diagonal of axes with one label. */
function withoutRepeats(value: Value, labels: readonly string[]): Term {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return { value, labels };
  const first = labels.indexOf(labels[second]!);
  const rest = labels.filter((_, axis) => axis !== first && axis !== second);
  const extent = Math.max(value.aval.shape[first]!, value.aval.shape[second]!);
  const square = value.aval.shape.map((own, axis) =>
    axis === first || axis === second ? extent : own
  );
  const diagonal = diagonalOf(broadcastTo(value, square), first, second);
  return withoutRepeats(diagonal, [...rest, labels[second]!]);
}

/** Drops axes of extent 1 that others stretch: a product stretches by itself. */
function withoutStretched({ value, labels }: Term, extents: EinsumLabels["extents"]): Term {
  const { shape } = value.aval;
  const kept = labels.map((label, axis) => shape[axis] === extents.get(label));
  return {
    value: reshape(value, shape.filter((_, axis) => kept[axis])),
    labels: labels.filter((_, axis) => kept[axis]),
  };
}

/** Sums over the labels that nothing else needs. */
function summed({ value, labels }: Term, needed: ReadonlySet<string>): Term {
  const axes = labels.flatMap((label, axis) => needed.has(label) ? [] : [axis]);
  if (axes.length === 0) return { value, labels };
  return {
    value: reduce(sumOperation, value, axes),
    labels: labels.filter((label) => needed.has(label)),
  };
}

/** The labels that the result or any other term has. */
function neededBeside(
  terms: readonly Term[],
  output: readonly string[],
  ...besides: Term[]
): Set<string> {
  const others = terms.filter((term) => !besides.includes(term));
  return new Set([...output, ...others.flatMap((term) => term.labels)]);
}

/** The product of two terms, summed over the labels that only they have. */
function multiply(a: Term, b: Term, needed: ReadonlySet<string>): Term {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const contracted = shared.filter((label) => !needed.has(label));
  const freeOf = (term: Term) => term.labels.filter((label) => !shared.includes(label));
  const [freeA, freeB] = [freeOf(a), freeOf(b)];
  const labels = [...batch, ...freeA, ...freeB];
  const axesOf = (term: Term, of: readonly string[]) => of.map((l) => term.labels.indexOf(l));
  if (contracted.length > 0) {
    const value = contract(a.value, b.value, {
      contracting: [axesOf(a, contracted), axesOf(b, contracted)],
      batch: [axesOf(a, batch), axesOf(b, batch)],
    });
    return { value, labels };
  }
  // Nothing is summed: a plain product, which fuses with what surrounds it.
  const left = transpose(a.value, axesOf(a, [...batch, ...freeA]));
  const right = transpose(b.value, axesOf(b, [...batch, ...freeB]));
  const { shape } = right.aval;
  const stretched = [
    ...shape.slice(0, batch.length),
    ...freeA.map(() => 1),
    ...shape.slice(batch.length),
  ];
  const apart = reshape(left, [...left.aval.shape, ...freeB.map(() => 1)]);
  return { value: mul(apart, reshape(right, stretched)), labels };
}

/** The pair whose product is smallest beside what it replaces. */
function bestPair(
  terms: readonly Term[],
  { output, extents }: EinsumLabels,
): readonly [Term, Term] {
  const sizeOf = (labels: readonly string[]) =>
    labels.reduce((size, label) => size * extents.get(label)!, 1);
  let best: readonly [Term, Term] = [terms[0]!, terms[1]!];
  let least = Infinity;
  terms.forEach((a, i) =>
    terms.slice(i + 1).forEach((b) => {
      const needed = neededBeside(terms, output, a, b);
      const labels = new Set([...a.labels, ...b.labels].filter((label) => needed.has(label)));
      const cost = sizeOf([...labels]) - sizeOf(a.labels) - sizeOf(b.labels);
      if (cost >= least) return;
      least = cost;
      best = [a, b];
    })
  );
  return best;
}

function evaluate(values: readonly Value[], labels: EinsumLabels): Value {
  const { output } = labels;
  let terms = values.map((value, i) =>
    withoutStretched(withoutRepeats(value, labels.inputs[i]!), labels.extents)
  );
  terms = terms.map((term) => summed(term, neededBeside(terms, output, term)));
  while (terms.length > 1) {
    const [a, b] = bestPair(terms, labels);
    const product = multiply(a, b, neededBeside(terms, output, a, b));
    terms = [...terms.filter((term) => term !== a && term !== b), product];
  }
  const [{ value, labels: order }] = terms as [Term];
  return transpose(value, output.map((label) => order.indexOf(label)));
}

/**
 * Sums of products in Einstein's notation: `"ij,jk->ik"` is a matrix product. Every axis has a letter; letters
 * that the result lacks are summed over, a letter twice in one term is a diagonal, `...` stands for axes that
 * broadcast. Without `->` the result has the letters that stand once, in alphabetical order. More than two
 * operands are multiplied in pairs, smallest products first.
 *
 * Products of half operands are formed and summed in float32, and rounded once a pair.
 *
 * @throws {RangeError} if the subscripts do not fit the operands.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[1, 2], [3, 4]]);
 * console.log(await jnp.einsum("ij,jk->ik", x, x).toList()); // [[7, 10], [15, 22]]
 * console.log(await jnp.einsum("ii", x).item()); // 5
 * ```
 */
export function einsum(subscripts: string, ...operands: readonly ArrayLike[]): NDArray {
  if (typeof subscripts !== "string") {
    throw new TypeError(
      `Cannot einsum: subscripts such as "ij,jk->ik" are required first, got ${
        describe(subscripts)
      }`,
    );
  }
  return lifted("einsum", () => {
    const arrays = operands.map((x) => asArray(x, "einsum"));
    const labels = parseSubscripts(subscripts, arrays.map(({ shape }) => shape));
    const values = promoteOperands(arrays);
    if (values[0]!.aval.dtype !== "bool") return evaluate(values, labels);
    // Whether any product is true: counted, as there is no sum of booleans.
    return astype(evaluate(values.map((x) => astype(x, "int32")), labels), "bool");
  }, ...operands);
}
