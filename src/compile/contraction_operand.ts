// What a matmul kernel can read in place of a plain matrix: a strided view of a stored array, rounded to a
// half type on the way.

import { type HalfDType, isHalf } from "../core/dtype.ts";
import { denseView, moveChain, type Movement, type View, type ViewChain } from "../core/view.ts";
import type { Node, Variable } from "../ir/graph.ts";

/** A stored array as one operand of a matmul. */
export interface ContractionOperand {
  readonly base: Variable;
  /** Maps [batch..., m, k] or [batch..., k, n] to elements of `base`. */
  readonly view: View;
  readonly roundTo?: HalfDType;
  /** The value of that type, before it was moved. */
  readonly rounded?: Variable;
  /** "rows": the last axis has unit stride; "columns": the one before. */
  readonly unit: "last" | "secondLast";
}

/** The operand that a variable amounts to, or undefined where it must be computed and stored first. */
export function contractionOperand(
  variable: Variable,
  inlined: (v: Variable) => Node | undefined,
): ContractionOperand | undefined {
  const movements: Movement[] = [];
  let roundTo: HalfDType | undefined;
  let rounded: Variable | undefined;
  let base = variable;
  for (let node = inlined(base); node; node = inlined(base)) {
    const { lower, name } = node.operation;
    const [input] = node.inputs as [Variable];
    if (lower.kind === "view") movements.unshift(lower.movement([input.aval], node.params));
    else if (name === "astype" && isFloatCast(input, base)) {
      if (isHalf(base.aval.dtype)) {
        if (roundTo) return undefined;
        roundTo = base.aval.dtype;
        rounded = base;
      }
    } else break;
    base = input;
  }
  let chain: ViewChain = [denseView(base.aval.shape)];
  for (const movement of movements) chain = moveChain(chain, movement);
  const unit = unitStride(chain);
  return unit && { base, view: chain[0]!, roundTo, rounded, unit };
}

function isFloatCast(input: Variable, output: Variable): boolean {
  const floating = (v: Variable) => v.aval.dtype === "float32" || isHalf(v.aval.dtype);
  return floating(input) && floating(output);
}

/** Which of the last two axes runs through memory without gaps, where the other steps forward. */
function unitStride(chain: ViewChain): "last" | "secondLast" | undefined {
  const [view] = chain as [View];
  if (chain.length > 1 || view.bounds.length > 0 || view.strides.some((s) => s < 0)) {
    return undefined;
  }
  const rank = view.shape.length;
  const [rows, columns] = [view.shape[rank - 2]!, view.shape[rank - 1]!];
  const [down, across] = [view.strides[rank - 2]!, view.strides[rank - 1]!];
  if ((across === 1 || columns === 1) && (down > 0 || rows === 1)) return "last";
  if ((down === 1 || rows === 1) && (across > 0 || columns === 1)) return "secondLast";
  return undefined;
}
