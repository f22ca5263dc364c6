// Random bits as an elementwise operation: a hash of a key and a counter, so that they trace, batch and fuse
// into the kernel that uses them like any other arithmetic.

import {
  threefryGroups,
  threefryParity,
  threefryRotations,
} from "../../kernels/elementary/threefry.ts";
import type { Operation, Params } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { defineElementwise } from "./define.ts";

/** What is kept of the two words of a hash: their exclusive or, or one of them. */
export interface ThreefryParams extends Params {
  readonly output: "bits" | "first" | "second";
}

/** The two words of a hash on the host. */
function hash(k0: number, k1: number, x0: number, x1: number): [first: number, second: number] {
  const schedule = [k0, k1, k0 ^ k1 ^ threefryParity];
  let [a, b] = [x0 + k0 | 0, x1 + k1 | 0];
  for (let group = 0; group < threefryGroups; group++) {
    for (const turn of threefryRotations[group % 2]!) {
      a = a + b | 0;
      b = a ^ (b << turn | b >>> 32 - turn);
    }
    a = a + schedule[(group + 1) % 3]! | 0;
    b = b + schedule[(group + 2) % 3]! + group + 1 | 0;
  }
  return [a >>> 0, b >>> 0];
}

/** threefry2x32 of a key (the first two inputs) and a counter (the others), high word first. */
export const threefryOperation: Operation<ThreefryParams> = defineElementwise<ThreefryParams>({
  name: "threefry2x32",
  accepts: "words",
  exact: true,
  functions: ["threefryBits"],
  reference: ([k0, k1, x0, x1], { params }) => {
    const [first, second] = hash(k0!, k1!, x0!, x1!);
    return params.output === "bits" ? first ^ second : params.output === "first" ? first : second;
  },
  wgsl: (words, { params: { output } }) =>
    output === "bits"
      ? `threefry2x32_bits(${words.join(", ")})`
      : `threefry2x32(${words.join(", ")}).${output}`,
});

/** Hashes counters of two words under keys of two words; all are uint32 and broadcast. */
export function threefry2x32(
  key: readonly [Value, Value],
  counter: readonly [Value, Value],
  output: ThreefryParams["output"],
): Value {
  return bind1(threefryOperation, { output }, ...key, ...counter);
}
