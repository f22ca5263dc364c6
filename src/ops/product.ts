// What derivatives of products need: the products of all other elements.

import { sizeOf } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { mul } from "./arithmetic.ts";
import { reshape, widened } from "./broadcast.ts";
import { transpose } from "./movement.ts";
import { cumprodOperation, scan, shiftAlong } from "./scan.ts";

/** For every element, in float32, the product of the others along the axes: no division, so zeros are right. */
export function productsOfOthers(x: Value, axes: readonly number[]): Value {
  const { shape } = x.aval;
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const moved = transpose(widened(x), order);
  const rows = sizeOf(kept.map((axis) => shape[axis]!));
  const flat = reshape(moved, [rows, sizeOf(axes.map((axis) => shape[axis]!))]);
  const before = shiftAlong(scan(cumprodOperation, flat, 1, false), 1, 1, 1);
  const behind = shiftAlong(scan(cumprodOperation, flat, 1, true), 1, -1, 1);
  const others = reshape(mul(before, behind), moved.aval.shape);
  return transpose(others, order.map((_, axis) => order.indexOf(axis)));
}
