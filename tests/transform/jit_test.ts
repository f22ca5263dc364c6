// jit: what is traced again and what is not, captured arrays, static arguments, and what a user may do wrong.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { asArray, asNDArray, type NDArray } from "../../src/array.ts";
import { init, memoryStats } from "../../src/device.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { exp } from "../../src/ops/elementary.ts";
import { dotGeneral } from "../../src/ops/contraction.ts";
import { castToHalf } from "../../src/precision/casts.ts";
import { withPolicy } from "../../src/precision/policy.ts";
import { evalShape, makeGraph, ShapeDtype } from "../../src/transform/graphs.ts";
import { sum } from "../../src/numpy/reduction.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { jit } from "../../src/transform/jit.ts";
import { scope } from "../../src/transform/scope.ts";
import "../../src/array_casts.ts";
import { webgpuTest } from "../webgpu_test.ts";

const array = (x: Parameters<typeof asArray>[0]) => asArray(x, "array");

Deno.test("a function is traced once for each combination of shapes and dtypes", async () => {
  await init({ backend: "cpu" });
  let traces = 0;
  const double = jit((x: NDArray) => {
    traces++;
    return asNDArray(add(x, x));
  });
  double(array([1, 2]));
  double(array([3, 4]));
  assertEquals(traces, 1);
  double(array([1, 2, 3]));
  assertEquals(traces, 2);
  double(asArray([1, 2], "array", "float16"));
  assertEquals(traces, 3);
});

Deno.test("a JS number is traced, not baked in: another value is no new program", async () => {
  await init({ backend: "cpu" });
  let traces = 0;
  const scale = jit((x: NDArray, factor: number) => {
    traces++;
    return asNDArray(mul(x, factor));
  });
  assertEquals(await scale(array([1, 2]), 0.5).toList(), [0.5, 1]);
  assertEquals(await scale(array([1, 2]), 2.5).toList(), [2.5, 5]);
  assertEquals(traces, 1);
  const halves = scale(asArray([1, 2], "array", "float16"), 0.5);
  assertEquals(halves.dtype, "float16");
});

Deno.test("a static argument is a value: a new one is a new program", async () => {
  await init({ backend: "cpu" });
  const power = jit((x: NDArray, n: number) => {
    let y = x;
    for (let i = 1; i < n; i++) y = asNDArray(mul(y, x));
    return y;
  }, { staticArgnums: 1 });
  assertEquals(await power(array([2]), 3).toList(), [8]);
  assertEquals(await power(array([2]), 5).toList(), [32]);
});

Deno.test("the policy in force is part of the key", async () => {
  await init({ backend: "cpu" });
  const half = jit((x: NDArray) => castToHalf(x));
  const x = array([1]);
  assertEquals(withPolicy("mixed_bfloat16", () => half(x).dtype), "bfloat16");
  assertEquals(withPolicy("mixed_float16", () => half(x).dtype), "float16");
  assertEquals(withPolicy("float32", () => half(x).dtype), "float32");
});

Deno.test("captured arrays are hidden inputs, and say so when they are gone", async () => {
  await init({ backend: "cpu" });
  const w = array([10, 20]);
  const shift = jit((x: NDArray) => asNDArray(add(x, w)));
  assertEquals(await shift(array([1, 2])).toList(), [11, 22]);
  assertStringIncludes(shift.lower(array([1, 2])).toString(), "lambda b:float32[2]; a:float32[2]");
  w.dispose();
  assertThrows(() => shift(array([1, 2])), Error, "captured array");
});

Deno.test("arrays made while tracing outlive the scope around the first call", async () => {
  await init({ backend: "cpu" });
  const unused: NDArray[] = [];
  const inner = jit((x: NDArray) => asNDArray(mul(x, array([3, 5]))));
  const outer = jit((x: NDArray) => {
    unused.push(array([7]));
    return asNDArray(add(inner(x), array([1, 2])));
  });
  const x = array([1, 10]);
  const { liveArrays } = memoryStats();
  for (let call = 0; call < 2; call++) {
    assertEquals(scope(() => outer(x).dataSync()), new Float32Array([4, 52]));
  }
  assertEquals(scope(() => inner(x).dataSync()), new Float32Array([3, 50]));
  // Those that the two traces captured live on, and nothing else does.
  assertEquals(memoryStats().liveArrays, liveArrays + 2);
  assertThrows(() => unused[0]!.dataSync(), Error, "the end of the scope");
});

Deno.test("arrays made while tracing outlive the function of the library that called first", async () => {
  await init({ backend: "cpu" });
  const rates = jit((step: NDArray) => asNDArray(add(mul(step, 0), sum(array([0.25, 0.25])))));
  const { init: start, update } = sgd(rates);
  const grads = { w: array([2, 4]) };
  let state = start(grads);
  for (let step = 0; step < 2; step++) {
    const [updates, next] = update(grads, state, grads);
    state = next;
    assertEquals(await updates.w.toList(), [-1, -2]);
  }
});

Deno.test("jit inside jit, trees in and out, numbers among the results", async () => {
  await init({ backend: "cpu" });
  const inner = jit((x: NDArray) => asNDArray(mul(x, 2)));
  const outer = jit((p: { a: NDArray; b: [NDArray] }) => ({
    sum: inner(asNDArray(add(p.a, p.b[0]))),
    one: 1,
  }));
  const { sum, one } = outer({ a: array([1]), b: [array([2])] });
  assertEquals(await sum.toList(), [6]);
  assertEquals(await (one as unknown as NDArray).item(), 1);
});

Deno.test("an identity returns a handle of its own on the same bytes", async () => {
  await init({ backend: "cpu" });
  const same = jit((x: NDArray) => [x, x]);
  const x = array([5]);
  const [a, b] = same(x) as [NDArray, NDArray];
  x.dispose();
  a.dispose();
  assertEquals(await b.toList(), [5]);
});

Deno.test("reading a traced value is an error that names what to use instead", async () => {
  await init({ backend: "cpu" });
  const f = jit((x: NDArray) => {
    x.dataSync();
    return x;
  });
  assertThrows(() => f(array([1])), TypeError, "lax.cond or numpy.where");
  let escaped: NDArray | undefined;
  jit((x: NDArray) => escaped = x)(array([1]));
  assertThrows(() => add(escaped!, 1), Error, "after its function returned");
});

Deno.test("arguments that are no arrays, and async functions, are refused", async () => {
  await init({ backend: "cpu" });
  assertThrows(() => jit((x: unknown) => x as NDArray)("text"), TypeError, "staticArgnums");
  assertThrows(() => jit(() => Promise.resolve(1))(), TypeError, "must not be async");
  assertThrows(() => jit(() => "text" as unknown as NDArray)(), TypeError, "result");
  assertThrows(() => jit(5 as unknown as () => void), TypeError, "Cannot jit");
  assertThrows(() => jit(() => 1, { donate: 1 } as never), TypeError, "unknown option");
  assertThrows(
    () => jit((x: NDArray) => x, { staticArgnums: 0, donateArgnums: 0 }),
    RangeError,
    "both",
  );
});

Deno.test("evalShape and makeGraph look at a function without running it", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray) => ({ y: asNDArray(exp(x)) });
  assertEquals(evalShape(f, new ShapeDtype([2, 3], "float16")), {
    y: new ShapeDtype([2, 3], "float16"),
  });
  assertStringIncludes(`${makeGraph(f, array([1]))}`, "b:float32[1] = exp a");
});

webgpuTest("a product, its casts, bias and activation are one kernel", async () => {
  await init({ backend: "webgpu" });
  const layer = jit((x: NDArray, w: NDArray, b: NDArray) => {
    const product = dotGeneral(castToHalf(x), castToHalf(w), {
      contracting: [[1], [0]],
      batch: [[], []],
    });
    return asNDArray(exp(add(product, castToHalf(b))));
  });
  const lowered = withPolicy(
    "mixed_float16",
    () =>
      layer.lower(
        new ShapeDtype([8, 16], "float32"),
        new ShapeDtype([16, 32], "float32"),
        new ShapeDtype([32], "float32"),
      ),
  );
  assertEquals(lowered.dispatches, 1);
  assertEquals(lowered.costAnalysis().flops >= 2 * 8 * 16 * 32, true);
  assertEquals(lowered.costAnalysis().bytesAccessed, (8 * 16 + 16 * 32 + 32) * 4 + 8 * 32 * 2);
  assertEquals(lowered.memoryAnalysis().tempBytes, 0);
  assert(lowered.wgsl().includes("fn main"));
});

webgpuTest(
  "equal subexpressions are computed once, and what no result needs not at all",
  async () => {
    await init({ backend: "webgpu" });
    const f = jit((x: NDArray) => {
      exp(mul(x, 3));
      return asNDArray(add(exp(x), exp(x)));
    });
    const text = f.lower(array([1])).toString();
    assertEquals(text.match(/exp/g)!.length, 1);
    assertEquals(text.includes("mul"), false);
  },
);
