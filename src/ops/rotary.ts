// Rotary positions (Su et al., 2021): pairs of features turned by an angle that grows with their place.

import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { astype } from "./cast.ts";
import { concatenate } from "./concatenate.ts";
import { iota } from "./constant.ts";
import { exp } from "./elementary.ts";
import { reshape, slice } from "./movement.ts";
import { cos, sin } from "./trigonometric.ts";

/** The static arguments of rotary positions. */
export interface RotaryParams extends Params {
  readonly base: number;
}

/** `[..., length, 1, count]`: how far each pair of features is turned at each position. */
function anglesOf(positions: Value, count: number, base: number): Value {
  const places = astype(reshape(positions, [...positions.aval.shape, 1, 1]), "float32");
  const waves = exp(mul(iota([count], 0, "float32"), -Math.log(base) / count));
  return mul(places, waves);
}

function turned([x, positions]: readonly Value[], { base }: RotaryParams): Value {
  const [batch, length, heads, headSize] = x!.aval.shape as [number, number, number, number];
  const count = headSize / 2;
  const half = (start: number) =>
    astype(slice(x!, [0, 0, 0, start], [1, 1, 1, 1], [batch, length, heads, count]), "float32");
  const [first, second] = [half(0), half(count)];
  const angles = anglesOf(positions!, count, base);
  const [c, s] = [cos(angles), sin(angles)];
  const parts = [sub(mul(first, c), mul(second, s)), add(mul(second, c), mul(first, s))];
  return astype(concatenate(parts, 3), x!.aval.dtype);
}

/**
 * `[batch, length, heads, headSize]` turned by integer positions that broadcast to `[batch, length]`: feature i of
 * either half by position * base^(-2 i / headSize).
 */
export const rotaryOperation: Operation<RotaryParams> = registerOperation<RotaryParams>({
  name: "rotaryEmbedding",
  precision: "full",
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  lower: { kind: "composite", decompose: (inputs, params) => [turned(inputs, params)] },
});

/** See {@linkcode rotaryOperation}; shapes are checked by the caller. */
export function rotary(x: Value, positions: Value, params: RotaryParams): Value {
  return bind1(rotaryOperation, params, x, positions);
}
