// applyMixedPrecision: every rule by the graph that comes out, and by numbers.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  applyMixedPrecision,
  castToHalf,
  type DType,
  jit,
  lax,
  losses,
  makeGraph,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  withPolicy,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";
import { elements } from "../train/small_problem.ts";

/** The lines of a graph that apply an operation. */
function linesOf(fn: (...args: never[]) => unknown, name: string, ...args: unknown[]): string[] {
  const lines = String(makeGraph(fn, ...args)).split("\n");
  return lines.filter((line) => new RegExp(` = ${name}[ \\[]`).test(line)).map((l) => l.trim());
}

/** The type of the first result on a line of a graph. */
const typeOf = (line: string) => line.match(/:~?([a-z]+\d+)/)![1];

/** Holds two arrays' numbers together, in units of the greatest. */
async function assertNear(actual: NDArray, expected: NDArray, tolerance: number): Promise<void> {
  const [a, b] = [await elements(actual), await elements(expected)];
  assertEquals(a.length, b.length);
  const scale = Math.max(...b.map(Math.abs));
  const worst = Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / scale;
  assert(worst <= tolerance, `${worst} is more than ${tolerance}`);
}

const half = { dtype: "float16" } as const;
const uniform = (seed: number, shape: number[], minval = -1, maxval = 1) =>
  random.uniform(random.key(seed), shape, { minval, maxval });

onBothBackends("floating arguments and captured arrays enter in the compute type", async () => {
  const bias = jnp.array([0.1, 0.2]);
  const identity = applyMixedPrecision((x: NDArray, n: NDArray) => [x, bias, n], half);
  const [x, captured, n] = identity(jnp.array([0.1, 0.2]), jnp.arange(3));
  assertEquals([x.dtype, captured.dtype, n.dtype], ["float16", "float16", "int32"]);
  assertEquals(await elements(x), [...new Float16Array([0.1, 0.2])]);
  const up = applyMixedPrecision((x: NDArray) => x, { dtype: "float32" });
  assertEquals(up(jnp.ones([1], { dtype: "bfloat16" })).dtype, "float32");
});

onBothBackends("products take half operands and sum in float32", async () => {
  const f = (a: NDArray, b: NDArray) => a.matmul(b);
  const [a, b] = [jnp.full([2, 1024], 1e-4), jnp.full([1024, 4], 1e-4)];
  for (const dtype of ["float16", "bfloat16"] as const) {
    const mixed = applyMixedPrecision(f, { dtype });
    assertEquals(linesOf(mixed, "dotGeneral", a, b).map(typeOf), [dtype]);
    assertEquals(linesOf(mixed, "astype", a, b).map(typeOf), [dtype, dtype]);
    await assertNear(mixed(a, b), f(a, b), 0.02);
  }
  const cancelling = applyMixedPrecision((x: NDArray, y: NDArray) => x.dot(y), half);
  assertEquals(await cancelling(jnp.array([300, 300]), jnp.array([300, -300])).item(), 0);
  // What promotion or the program made float32 is half again where it is multiplied.
  const wide = applyMixedPrecision((a: NDArray, b: NDArray) => a.astype("float32").matmul(b), half);
  assertEquals(wide(a, b).dtype, "float16");
});

onBothBackends("a stated type of a product is kept", () => {
  const x = jnp.ones([4, 8]);
  const stated = applyMixedPrecision(
    (x: NDArray) =>
      lax.dotGeneral(x, x, { contracting: [[1], [1]], preferredElementType: "float32" }),
    half,
  );
  assertEquals(stated(x).dtype, "float32");
  assertEquals(linesOf(stated, "astype", x).map(typeOf), ["float16"]);
  return Promise.resolve();
});

onBothBackends(
  "functions and reductions compute in float32 and store their input's type",
  async () => {
    const x = uniform(0, [64, 96], 0.5, 3);
    const functions: Record<string, (x: NDArray) => NDArray> = {
      exp: (x) => jnp.exp(x),
      log: (x) => jnp.log(x),
      pow: (x) => jnp.pow(x, 1.7),
      softmax: (x) => nn.softmax(x),
      layerNorm: (x) => nn.layerNorm(x),
      rmsNorm: (x) => nn.rmsNorm(x),
      sum: (x) => x.sum({ axis: 1 }),
      mean: (x) => x.mean(),
      var: (x) => jnp.var(x, { axis: 0 }),
      cumsum: (x) => jnp.cumsum(x, { axis: 1 }),
      gelu: (x) => nn.gelu(x),
    };
    for (const [name, f] of Object.entries(functions)) {
      const y = applyMixedPrecision(f, half)(x);
      assertEquals(y.dtype, "float16", name);
      // Each is the float32 result of the rounded input, rounded.
      const exact = f(x.astype("float16").astype("float32")).astype("float16");
      await assertNear(y, exact, 2 ** -10);
      assertEquals(
        linesOf(applyMixedPrecision(f, half), "astype", x).map(typeOf),
        ["float16"],
        name,
      );
    }
    const halves = jnp.ones([70_000]);
    assertEquals(await applyMixedPrecision((x: NDArray) => x.mean(), half)(halves).item(), 1);
  },
);

onBothBackends("numbers, and arrays made of them, take the type of what they meet", async () => {
  const f = (x: NDArray, scale: number) =>
    jnp.where(x.greater(0.1), x.mul(0.5).add(jnp.ones([3])), jnp.zeros([3])).div(2).mul(scale)
      .add(jnp.linspace(0, 1, 3));
  const mixed = applyMixedPrecision(f, half);
  assertEquals(mixed(jnp.ones([3]), 3).dtype, "float16");
  await assertNear(mixed(jnp.ones([3]), 3), f(jnp.ones([3]), 3), 2 ** -10);
  // Alone they are what they are.
  assertEquals(applyMixedPrecision(() => jnp.ones([3]).mul(2), half)().dtype, "float32");
  const integers = applyMixedPrecision((n: NDArray, x: NDArray) => n.add(x), half);
  assertEquals(integers(jnp.arange(3), jnp.ones([3])).dtype, "float16");
  const counted = applyMixedPrecision(
    (n: NDArray, by: number) => n.add(by).add(lax.mul(2, 3)),
    half,
  );
  const counts = counted(jnp.arange(3), 2);
  assertEquals([counts.dtype, await elements(counts)], ["int32", [8, 9, 10]]);
  const roots = applyMixedPrecision((n: NDArray) => jnp.sqrt(n.mul(0.5)), half);
  assertEquals(roots(jnp.arange(3)).dtype, "float32");
});

onBothBackends(
  "what is put into an array takes its type, and the ends of one are its own",
  async () => {
    const programs: ((x: NDArray) => NDArray)[] = [
      (x) => x.at(0).set(1),
      (x) => x.at(jnp.array([1], { dtype: "int32" })).add(jnp.ones([1]).astype("float32")),
      (x) => lax.dynamicUpdateSlice(x, jnp.ones([1]).astype("float32"), [x.argmax()]),
      (x) => jnp.pad(x, 1, { constantValues: jnp.array(2).astype("float32") }),
      (x) => jnp.zeros([2, 3]).at(0).set(x),
      (x) => x.add(jnp.eye(3)).add(jnp.tri(3)),
    ];
    for (const program of programs) {
      const { dtype } = applyMixedPrecision(program, half)(jnp.ones([3]));
      assertEquals(dtype, "float16", String(program));
    }
    const ends = applyMixedPrecision((x: NDArray) => jnp.nanToNum(x.div(0)), half);
    assertEquals(await elements(ends(jnp.array([-1, 0, 1]))), [-65504, 0, 65504]);
  },
);

onBothBackends("an explicit conversion is kept, also where it changes nothing before", async () => {
  const f = (x: NDArray) => x.mul(2).astype("float32").mul(x.astype("bfloat16").astype("float32"));
  const mixed = applyMixedPrecision(f, half);
  assertEquals(mixed(jnp.ones([2])).dtype, "float32");
  await assertNear(mixed(jnp.array([0.1])), jnp.array([0.02]), 0.01);
  const summed = applyMixedPrecision((x: NDArray) => x.sum({ dtype: "float32" }), half);
  assertEquals(summed(jnp.full([10], 60_000)).dtype, "float32");
  assertEquals(await summed(jnp.full([8], 32_768)).item(), 2 ** 18);
  const cast = applyMixedPrecision((x: NDArray) => castToHalf(x), { dtype: "bfloat16" });
  assertEquals(cast(jnp.ones([2])).dtype, "bfloat16");
});

onBothBackends("losses are float32", async () => {
  const [logits, labels] = [uniform(1, [8, 5], -4, 4), jnp.arange(8).mod(5)];
  const oneHot = nn.oneHot(labels, 5);
  const all: Record<string, (x: NDArray) => NDArray> = {
    integer: (x) => losses.softmaxCrossEntropyWithIntegerLabels(x, labels),
    where: (x) =>
      losses.softmaxCrossEntropyWithIntegerLabels(x, labels, { where: jnp.ones([8, 5]) }),
    distribution: (x) => losses.softmaxCrossEntropy(x, oneHot),
    sigmoid: (x) => losses.sigmoidBinaryCrossEntropy(x, oneHot),
    squared: (x) => losses.squaredError(x, oneHot),
    absolute: (x) => losses.absoluteError(x),
    huber: (x) => losses.huberLoss(x, oneHot),
    divergence: (x) => losses.klDivergence(nn.logSoftmax(x), oneHot),
  };
  for (const [name, loss] of Object.entries(all)) {
    const mixed = applyMixedPrecision(loss, half)(logits);
    assertEquals(mixed.dtype, "float32", name);
    await assertNear(mixed, loss(logits), 2e-3);
  }
});

onBothBackends("half and full move operations between the lists", () => {
  const f = (x: NDArray, w: NDArray) => jnp.exp(x.astype("float32").matmul(w));
  const [x, w] = [jnp.ones([2, 4]), jnp.ones([4, 4])];
  const types = (options: Parameters<typeof applyMixedPrecision>[1]) => {
    const mixed = applyMixedPrecision(f, { ...half, ...options });
    return ["dotGeneral", "exp"].map((name) => typeOf(linesOf(mixed, name, x, w)[0]!));
  };
  assertEquals(types({}), ["float16", "float16"]);
  assertEquals(types({ full: ["matmul"] }), ["float32", "float32"]);
  assertEquals(types({ full: ["dotGeneral"], half: ["exp"] }), ["float32", "float16"]);
  return Promise.resolve();
});

onBothBackends("random bits and bit patterns are what they are in float32", async () => {
  const draw = (key: NDArray) => random.normal(key, [100]);
  const mixed = applyMixedPrecision(draw, half)(random.key(3));
  assertEquals(mixed.dtype, "float32");
  await assertNear(mixed, draw(random.key(3)), 1e-6);
  const bits = applyMixedPrecision((x: NDArray) => lax.bitcastConvertType(x, "uint32"), half);
  assertEquals(await elements(bits(jnp.array([1, 0.5]))), [0x3f800000, 0x3f000000]);
});

onBothBackends("what is picked from a table is rounded after it is picked", async () => {
  const [table, ids] = [uniform(2, [50, 4]), jnp.array([3, 41], { dtype: "int32" })];
  const pick = (table: NDArray, ids: NDArray) => jnp.take(table, ids, { axis: 0 });
  const mixed = applyMixedPrecision(pick, half);
  assertEquals(linesOf(mixed, "take", table, ids).map(typeOf), ["float32"]);
  const expected = pick(table.astype("float16"), ids);
  assertEquals(mixed(table, ids).dtype, "float16");
  assertEquals(await elements(mixed(table, ids)), await elements(expected));
  const scaled = applyMixedPrecision((t: NDArray, i: NDArray) => pick(t, i).mul(2), half);
  assertEquals(await elements(scaled(table, ids)), await elements(expected.mul(2)));
});

/** Programs that never heard of policies. */
const programs: Record<string, [fn: (...arrays: NDArray[]) => NDArray, shapes: number[][]]> = {
  mlp: [
    (x, w1, b1, w2) => jnp.tanh(x.matmul(w1).add(b1)).matmul(w2),
    [[8, 16], [16, 32], [32], [32, 4]],
  ],
  attention: [(q, k, v) => {
    const scores = jnp.einsum("qd,kd->qk", q, k).mul(1 / 4);
    const masked = jnp.where(jnp.tril(jnp.ones([6, 6])).equal(1), scores, -1e9);
    const weights = jnp.exp(masked.sub(masked.max({ axis: -1, keepdims: true })));
    return weights.div(weights.sum({ axis: -1, keepdims: true })).matmul(v);
  }, [[6, 16], [6, 16], [6, 8]]],
  convolution: [(x, kernel) => {
    const windows = jnp.stack([0, 1, 2].map((i) => x.slice([], [i, i + 6])), { axis: 2 });
    return jnp.einsum("btwc,wcf->btf", windows, kernel);
  }, [[2, 8, 3], [3, 3, 5]]],
  normalisation: [(x, scale) => {
    const centered = x.sub(x.mean({ axis: -1, keepdims: true }));
    const variance = centered.square().mean({ axis: -1, keepdims: true });
    return centered.div(jnp.sqrt(variance.add(1e-5))).mul(scale);
  }, [[4, 32], [32]]],
};

onBothBackends("programs that know nothing of policies come out within half rounding", async () => {
  for (const [name, [fn, shapes]] of Object.entries(programs)) {
    const arrays = shapes.map((shape, i) => uniform(10 + i, shape));
    for (const [dtype, tolerance] of [["float16", 0.004], ["bfloat16", 0.03]] as const) {
      const mixed = applyMixedPrecision(fn, { dtype })(...arrays);
      assertEquals(mixed.dtype, dtype as DType, name);
      await assertNear(mixed, fn(...arrays), tolerance);
    }
    const full = applyMixedPrecision(fn, { dtype: "float32" })(...arrays);
    assertEquals(await elements(full), await elements(jit(fn)(...arrays)), name);
  }
});

onBothBackends(
  "by default the policy in force at the call decides, float16 while there is none",
  () => {
    const f = applyMixedPrecision((x: NDArray) => x.mul(2));
    const x = jnp.ones([2]);
    assertEquals(f(x).dtype, "float16");
    assertEquals(withPolicy("mixed_bfloat16", () => f(x).dtype), "bfloat16");
    assertEquals(withPolicy("float32", () => f(x).dtype), "float32");
    assertEquals(f(x).dtype, "float16");
    const stated = applyMixedPrecision((x: NDArray) => x, { policy: "c=bf16,o=f32" });
    assertEquals(withPolicy("float32", () => stated(x).dtype), "bfloat16");
    return Promise.resolve();
  },
);

Deno.test("wrong targets and options are errors", () => {
  const f = (x: NDArray) => x;
  const wrong = (options: unknown, message: string) =>
    assertThrows(() => applyMixedPrecision(f, options as never), TypeError, message);
  wrong({ dtyp: "float16" }, 'unknown option "dtyp"');
  wrong({ dtype: "float64" }, "dtype must be float32, float16 or bfloat16");
  wrong({ dtype: "int32" }, "dtype must be float32, float16 or bfloat16");
  wrong({ dtype: "float16", policy: "half" }, "give dtype or policy, not both");
  wrong({ policy: "mixed" }, "Cannot use policy");
  wrong({ half: ["nothing"] }, "half must name operations");
  wrong({ half: ["exp"], full: ["exp"] }, "either in half or in full");
  wrong({ overrides: "float32" }, "overrides must be an object");
  assertThrows(
    () => applyMixedPrecision({ apply: f } as never),
    TypeError,
    "a function or a module { name, init, apply } is required",
  );
});
