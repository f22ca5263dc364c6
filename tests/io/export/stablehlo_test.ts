// What the text of a StableHLO module says, read by a parser of the tests' own: no other program is needed.

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  checkpoint,
  grad,
  init,
  lax,
  lossScale,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  ShapeDtype,
  toOnnx,
  toStableHLO,
  trainStep,
} from "../../../mod.ts";
import { nameScope } from "../../../src/ir/trace.ts";
import { onBothBackends } from "../../backends.ts";
import { checkModule } from "./module_syntax.ts";

await init({ backend: "cpu" });

const half = (...shape: number[]) => new ShapeDtype(shape, "float16");
const full = (...shape: number[]) => new ShapeDtype(shape, "float32");

/** The lines that hold a word. */
const linesWith = (text: string, word: string) => text.split("\n").filter((l) => l.includes(word));

Deno.test("a half product has a float32 sum, which is then converted", () => {
  const text = toStableHLO((a: NDArray, b: NDArray) => a.matmul(b), half(2, 3), half(3, 4));
  assertEquals(checkModule(text), 2);
  const [dot] = linesWith(text, "dot_general");
  assert(dot!.endsWith(": (tensor<2x3xf16>, tensor<3x4xf16>) -> tensor<2x4xf32>"));
  assertMatch(dot!, /precision DEFAULT/);
  const [converted] = linesWith(text, "convert");
  assert(converted!.endsWith(": (tensor<2x4xf32>) -> tensor<2x4xf16>"));
});

Deno.test("a float32 product asks for float32 where an engine would take less", () => {
  const text = toStableHLO((a: NDArray, b: NDArray) => a.matmul(b), full(2, 3), full(3, 4));
  assertMatch(linesWith(text, "dot_general")[0]!, /precision HIGHEST/);
});

Deno.test("numbers and captured arrays stand in the text by their bits", () => {
  const captured = jnp.array([1, -2], { dtype: "bfloat16" });
  const flags = jnp.array([true, false]);
  const text = toStableHLO(
    (x: NDArray) => jnp.where(flags, x.mul(0.1), captured.astype("float32")),
    full(2),
  );
  checkModule(text);
  assertStringIncludes(text, 'dense<"0x803F00C0"> : tensor<2xbf16>');
  assertStringIncludes(text, 'dense<"0x0100000000000000"> : tensor<2xui32>');
  assertStringIncludes(text, "dense<0x3DCCCCCD> : tensor<f32>");
});

Deno.test("trees are flattened in order, and the names of their leaves are attributes", () => {
  const text = toStableHLO(
    (tree: { b: NDArray; a: NDArray[] }, x: number) => ({ sum: tree.a[0]!.add(tree.b), x }),
    { b: full(2), a: [full(2)] },
    1,
  );
  checkModule(text);
  const names = [...text.matchAll(/jax\.(?:arg|result)_info = "([^"]*)"/g)].map((m) => m[1]);
  assertEquals(names, ["arg0.a.0", "arg0.b", "arg1", "result.sum", "result.x"]);
});

Deno.test("names of leaves that need quoting are quoted", () => {
  const text = toStableHLO((tree: Record<string, NDArray>) => tree, { 'a "b" \\ é': full(1) });
  checkModule(text);
  assertStringIncludes(text, "\\22b\\22 \\5C \\C3\\A9");
});

Deno.test("module paths are locations", () => {
  const text = toStableHLO(
    (x: NDArray) => nameScope("encoder", () => nameScope("attn", () => jnp.exp(x))),
    full(2),
  );
  assertStringIncludes(linesWith(text, "exponential")[0]!, 'loc("encoder/attn")');
});

Deno.test("functions that carry functions are written out", () => {
  const text = toStableHLO(
    (x: NDArray) => {
      const kept = checkpoint((y: NDArray) => jnp.sin(y))(x);
      const chosen = lax.cond(jnp.sum(x).greater(0), () => kept, () => x);
      return lax.foriLoop(0, 3, (_, y: NDArray) => y.mul(2), chosen);
    },
    full(2),
  );
  checkModule(text);
  assertEquals(linesWith(text, "multiply").length, 3);
  assertEquals(linesWith(text, '"stablehlo.select"').length, 1);
});

Deno.test("gradients and random bits are exported", () => {
  const loss = (w: NDArray, x: NDArray) => jnp.mean(jnp.square(nn.gelu(x.matmul(w))));
  checkModule(toStableHLO(grad(loss), half(3, 2), half(4, 3)));
  checkModule(toStableHLO((key: NDArray) => random.normal(key, [5]), random.key(0)));
});

for (const policy of ["float32", "mixed_float16", "mixed_bfloat16"] as const) {
  Deno.test(`a whole training step under ${policy} is exported, loss scale and optimizer included`, () => {
    const { init: start, step } = trainStep({
      loss: (w: NDArray, x: NDArray, y: NDArray) => jnp.mean(jnp.square(x.matmul(w).sub(y))),
      optimizer: optim.adamw(1e-3),
      policy,
      lossScale: lossScale.dynamic(),
      maxGradNorm: 1,
    });
    const text = toStableHLO(step, start(jnp.ones([3, 1])), full(4, 3), full(4, 1));
    checkModule(text);
    assertStringIncludes(text, 'jax.result_info = "result.0.params"');
    assertStringIncludes(text, 'jax.result_info = "result.1.loss"');
  });
}

Deno.test("arrays without elements and results that are arguments are exported", () => {
  const text = toStableHLO(
    (x: NDArray, e: NDArray) => [x, jnp.sin(e), jnp.sum(e)],
    full(2),
    full(0, 3),
  );
  checkModule(text);
  assertStringIncludes(text, "dense<> : tensor<0x3xf32>");
});

onBothBackends(
  "an export leaves nothing on the device, nor takes what the function uses",
  async () => {
    const kept = jnp.arange(3);
    const before = memoryStats().liveArrays;
    const text = toStableHLO((x: NDArray) => x.add(jnp.array([1, 2, 3])).add(kept), full(3));
    toOnnx((x: NDArray) => x.add(jnp.array([1, 2, 3])).add(kept), full(3));
    checkModule(text);
    assertStringIncludes(text, 'dense<"0x000000000100000002000000"> : tensor<3xi32>');
    assertEquals(memoryStats().liveArrays, before);
    assertEquals(await kept.toList(), [0, 1, 2]);
    kept.dispose();
  },
);

Deno.test("nothing is run, and what is no function or no array is refused", () => {
  assertThrows(
    () => toStableHLO(3 as never),
    TypeError,
    "Cannot toStableHLO: a function is required",
  );
  assertThrows(() => toStableHLO((x: never) => x, "text"), TypeError, "Cannot toStableHLO");
  assertThrows(() => toStableHLO(() => "text"), TypeError, "Cannot toStableHLO");
});

Deno.test("the reader of the tests finds what is wrong", () => {
  const text = toStableHLO((x: NDArray) => x.add(1).sum(), full(2));
  checkModule(text);
  for (
    const [from, to] of [
      ["tensor<2xf32>) -> tensor<2xf32>", "tensor<3xf32>) -> tensor<2xf32>"],
      ["func.return %", "func.return %9"],
      ["%1 =", "%0 ="],
      ["dense<0x3F800000>", "dense<one>"],
      ['"stablehlo.return"', '"stablehlo.add"'],
      ["}\n}\n", "}\n"],
    ] as const
  ) {
    assert(text.includes(from), from);
    assertThrows(() => checkModule(text.replace(from, to)), SyntaxError);
  }
});
