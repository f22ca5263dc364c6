// The elementary functions on an adapter as inaccurate as WGSL permits: this machine's is better, so
// division, sqrt and inverseSqrt are made worse in the text, by a pseudo-random number of steps.

import { assert, assertEquals } from "@std/assert";
import { webgpuTest } from "../webgpu_test.ts";
import { describeError, evaluateRewritten, largestError } from "./elementary_harness.ts";
import { binaryOracles, unaryOracles } from "./elementary_oracle.ts";
import { binarySamples, unarySamples } from "./elementary_samples.ts";

const allowedUlp = 8;

// A divisor one step off moves the quotient by 2 ulp, which with its own rounding is the 2.5 that WGSL
// permits. inverseSqrt may be 2 ulp off (the adapter itself uses 1.5 of them), and sqrt, as
// 1 / inverseSqrt, both together. Zeros, infinities and NaN stay as they are.
const coarseFunctions = `
fn coarse_step(y: vec4f, size: i32) -> vec4f {
  let u = bitcast<vec4u>(y);
  let step = vec4i(((u * 2654435761u) >> vec4u(16u)) % vec4u(3u)) - vec4i(1);
  let ordinary = ((u & vec4u(0x7fffffffu)) - vec4u(0x1000000u)) < vec4u(0x7e000000u);
  return select(y, bitcast<vec4f>(bitcast<vec4i>(u) + size * step), ordinary);
}
fn coarse_inverse_sqrt(x: vec4f) -> vec4f { return coarse_step(inverseSqrt(x), 1); }
fn coarse_sqrt(x: vec4f) -> vec4f { return coarse_step(sqrt(x), 4); }
`;

/** The end of the operand that starts at `start`: a name, a call or a parenthesis. */
function operandEnd(text: string, start: number): number {
  let end = start;
  while (/[\w.]/.test(text[end])) end++;
  if (text[end] !== "(") return end;
  let depth = 0;
  do {
    if (text[end] === "(") depth++;
    if (text[end] === ")") depth--;
    end++;
  } while (depth > 0);
  return end;
}

/** The text with every divisor moved and both roots replaced. */
function coarsen(wgsl: string): string {
  const text = wgsl.replace(/\binverseSqrt\(/g, "coarse_inverse_sqrt(")
    .replace(/\bsqrt\(/g, "coarse_sqrt(");
  let result = "";
  let done = 0;
  for (const { index } of text.matchAll(/ \/ /g)) {
    const start = index + 3;
    const end = operandEnd(text, start);
    assert(start >= done, "a division inside a divisor needs a rewrite of its own");
    result += `${text.slice(done, start)}coarse_step(${text.slice(start, end)}, 1)`;
    done = end;
  }
  return coarseFunctions + result + text.slice(done);
}

Deno.test("the rewrite reaches every division and root", () => {
  assertEquals(
    coarsen("sqrt(a) + b / (c + d) - e / f(g)").slice(coarseFunctions.length),
    "coarse_sqrt(a) + b / coarse_step((c + d), 1) - e / coarse_step(f(g), 1)",
  );
});

webgpuTest("functions of one argument hold their bound on the coarsest builtins", async () => {
  const samples = unarySamples().filter((_, i) => i % 4 === 0);
  for (const [key, oracle] of Object.entries(unaryOracles)) {
    const values = await evaluateRewritten(coarsen, key, samples);
    const error = largestError(values, oracle, samples);
    assert(error.ulp <= allowedUlp, describeError(key, error));
  }
});

webgpuTest("functions of two arguments hold their bound on the coarsest builtins", async () => {
  const [x, y] = binarySamples(60_000, (x, fraction) => [x, x * 2 ** (fraction * 30 - 15)]);
  for (const [key, oracle] of Object.entries(binaryOracles)) {
    const error = largestError(await evaluateRewritten(coarsen, key, x, y), oracle, x, y);
    assert(error.ulp <= allowedUlp, describeError(key, error));
  }
});
