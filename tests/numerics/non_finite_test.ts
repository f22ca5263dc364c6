// Where infinities and NaN start: operation, path, line, elements.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  applyMixedPrecision,
  checkpoint,
  debugNans,
  findNonFiniteOrigin,
  grad,
  jit,
  memoryStats,
  type NDArray,
  nn,
  numericsReport,
  numpy as jnp,
  optim,
  random,
  suggestPolicy,
  trainStep,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";

/** The place in this file of the call that it stands in, `lines` further down. */
function lineHere(lines = 0): string {
  const [, line] = /non_finite_test\.ts:(\d+)/.exec(new Error().stack!.split("\n")[2]!)!;
  return `non_finite_test.ts:${Number(line) + lines}:`;
}

const line = lineHere(3);
const entropy = ({ p }: { p: NDArray }, factor: number) =>
  p.mul(
    jnp.log(p),
  ).sum().mul(factor);

onBothBackends("findNonFiniteOrigin() names the operation, line, elements and inputs", async () => {
  const args = [{ p: jnp.array([[0.5, 0.25], [0, 0.25]]) }, 2];
  await findNonFiniteOrigin(grad(entropy), args); // what stays of it are literals
  const before = memoryStats().liveArrays;
  for (const fn of [entropy, jit(entropy), grad(entropy)]) {
    const origin = await findNonFiniteOrigin(fn, args);
    assert(origin);
    assertEquals([origin.op, origin.path, origin.dtype], ["log", "", "float32"]);
    assertStringIncludes(origin.source, line);
    assertEquals([origin.shape, origin.nan, origin.infinite], [[2, 2], 0, 1]);
    assertEquals([origin.indices, origin.values], [[[1, 0]], [-Infinity]]);
    assertEquals(origin.inputs, [
      { shape: [2, 2], dtype: "float32", minMagnitude: 0.25, maxMagnitude: 0.5, values: [0] },
    ]);
    assertStringIncludes(String(origin), "1 infinite of float32[2, 2]: [1, 0] -Infinity");
  }
  assertEquals(memoryStats().liveArrays, before);
});

onBothBackends("findNonFiniteOrigin() finds nothing where all is finite", async () => {
  const table = () => jnp.array([1, 2, 3]).log();
  const before = memoryStats().liveArrays;
  assertEquals(await findNonFiniteOrigin(table, []), undefined);
  assertEquals(memoryStats().liveArrays, before);
});

onBothBackends("findNonFiniteOrigin() tells what is passed on from what is masked", async () => {
  const masked = (x: NDArray) => jnp.where(x.greater(0), jnp.log(x), 0);
  const x = jnp.array([0, 1]);
  const origin = await findNonFiniteOrigin((x: NDArray) => jnp.reciprocal(masked(x)), [x]);
  assertEquals(origin?.op, "reciprocal");
  // An infinity that goes nowhere is still the first that there is.
  assertEquals((await findNonFiniteOrigin(masked, [x]))?.op, "log");
  // One that the program states is meant.
  const softened = (x: NDArray) => nn.softmax(jnp.where(x.greater(0), x, -Infinity));
  assertEquals(await findNonFiniteOrigin(softened, [x]), undefined);
});

onBothBackends("findNonFiniteOrigin() names an argument that was not finite", async () => {
  const x = jnp.array([1, NaN]);
  const origin = await findNonFiniteOrigin(entropy, [{ p: x }, 1]);
  assertEquals([origin?.op, origin?.path, origin?.nan], ["input", "args[0].p", 1]);
  const captured = await findNonFiniteOrigin((y: NDArray) => x.add(y), [jnp.ones([2])]);
  assertEquals(captured?.path, "captured array 0");
});

onBothBackends(
  "findNonFiniteOrigin() looks into checkpointed and differentiated code",
  async () => {
    const root = checkpoint((x: NDArray) => jnp.sqrt(x).sum());
    const here = lineHere(1);
    const origin = await findNonFiniteOrigin(grad((x: NDArray) => root(x)), [jnp.zeros([3])]);
    assertEquals([origin?.infinite, origin?.pass], [3, "backward"]);
    assertStringIncludes(origin!.source, "non_finite_test.ts:");
    assert(origin!.source < here);
  },
);

onBothBackends("findNonFiniteOrigin() gives module paths, under a policy too", async () => {
  const block = nn.transformerBlock({ features: 8, numHeads: 2 });
  const params = block.init(random.key(0));
  const { query } = params.attn;
  const wrong = {
    ...params,
    attn: { ...params.attn, query: { ...query, kernel: query.kernel.mul(3e4) } },
  };
  const x = random.normal(random.key(1), [1, 4, 8]);
  assertEquals(await findNonFiniteOrigin(block.apply, [wrong, x]), undefined);
  const half = applyMixedPrecision(block, { dtype: "float16" });
  const here = lineHere(1);
  const origin = await findNonFiniteOrigin((p, x) => half.apply(p, x), [wrong, x]);
  assertEquals([origin?.op, origin?.path, origin?.dtype], ["dotGeneral", "attn/query", "float16"]);
  assertStringIncludes(origin!.source, here);
});

onBothBackends("debugNans() names where NaN starts in programs and single operations", async () => {
  const args = [{ p: jnp.array([0.5, 0]) }, 1] as const;
  debugNans(true);
  try {
    const program = assertThrows(
      () => jit(entropy)(...args),
      Error,
      "Cannot run entropy: NaN starts in log",
    );
    assertStringIncludes(program.message, line);
    assertThrows(() => grad(entropy)(...args), Error, "Cannot run grad: NaN starts in log");
    const single = assertThrows(() => entropy(...args), Error, "Cannot run mul: NaN starts in mul");
    assertStringIncludes(single.message, "; there -Infinity");
    assertEquals(await jnp.log(args[0].p).toList(), [Math.fround(Math.log(0.5)), -Infinity]);
  } finally {
    debugNans(false);
  }
  assert(Number.isNaN(await jit(entropy)(...args).item()));
});

onBothBackends("debugNans() names the line in a training step and keeps its state", async () => {
  debugNans(true);
  try {
    const here = lineHere(2);
    const { init, step } = trainStep({
      loss: (w: NDArray, x: NDArray) => jnp.log(x).mul(w).sum(),
      optimizer: optim.sgd(0.1),
      policy: "float32",
    });
    const state = init(jnp.zeros([2]));
    const { message } = assertThrows(
      () => step(state, jnp.array([1, 0])),
      Error,
      "Cannot run the step",
    );
    assertStringIncludes(message, here);
    const [next] = step(state, jnp.ones([2]));
    assertEquals(await next.params.toList(), [0, 0]);
  } finally {
    debugNans(false);
  }
});

onBothBackends("the doctor's own runs are not what debugNans() looks at", async () => {
  const broken = (x: NDArray) => jnp.sqrt(x.neg()).add(1);
  debugNans(true);
  try {
    const x = jnp.array([1, 4]);
    assertEquals((await findNonFiniteOrigin(broken, [x]))?.op, "sqrt");
    const { rows } = await numericsReport(broken, [x]);
    assert(rows.some(({ nonFinite }) => nonFinite === 2));
    await suggestPolicy(broken, [x]);
    assertThrows(() => broken(x), Error, "NaN starts in sqrt");
  } finally {
    debugNans(false);
  }
});

onBothBackends("the search says what it requires", async () => {
  await assertRejects(
    () => findNonFiniteOrigin(3 as never, []),
    TypeError,
    "a function is required",
  );
  await assertRejects(() => findNonFiniteOrigin(entropy, 3 as never), TypeError, "as an array");
  assertThrows(() => debugNans(1 as never), TypeError, "true or false");
});
