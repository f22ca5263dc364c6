// checkpoint and customVjp: what they compute, what they save, and how they compose.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  checkpoint,
  customVjp,
  grad,
  hessian,
  init,
  jacrev,
  jit,
  jvp,
  type NDArray,
  numpy as jnp,
  remat,
  ShapeDtype,
  vmap,
} from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";

async function assertClose(x: NDArray, wanted: readonly number[], tolerance = 1e-5): Promise<void> {
  const got = [...await x.data()].map(Number);
  assertEquals(got.length, wanted.length);
  got.forEach((v, i) => assertAlmostEquals(v, wanted[i]!, tolerance));
}

const block = (x: NDArray): NDArray => jnp.sin(jnp.exp(x));

Deno.test("checkpoint() changes no value and no derivative, in any composition", async () => {
  await init({ backend: "cpu" });
  assertEquals(remat, checkpoint);
  const x = jnp.array([0.1, 0.5, -1]);
  const plain = (v: NDArray): NDArray => jnp.sum(block(block(v)));
  const saved = checkpoint(block);
  const f = (v: NDArray): NDArray => jnp.sum(saved(saved(v)));
  const numbers = async (a: NDArray) => [...await a.data()].map(Number);
  await assertClose(f(x), await numbers(plain(x)));
  await assertClose(grad(f)(x), await numbers(grad(plain)(x)));
  await assertClose(jit(grad(f))(x), await numbers(grad(plain)(x)));
  await assertClose(hessian(f)(x), await numbers(hessian(plain)(x)));
  await assertClose(jvp(f, [x], [x])[1], await numbers(jvp(plain, [x], [x])[1]));
  const rows = jnp.stack([x, x.mul(2)]);
  await assertClose(vmap(grad(f))(rows), await numbers(vmap(grad(plain))(rows)));
  const all = (g: (v: NDArray) => NDArray) => grad((v: NDArray) => jnp.sum(vmap(g)(v)));
  await assertClose(all(f)(rows), await numbers(all(plain)(rows)));
  const nested = checkpoint((v: NDArray) => saved(saved(v)).sum());
  await assertClose(jit(grad(nested))(x), await numbers(grad(plain)(x)));
});

Deno.test("checkpoint() takes trees and captured arrays, whose gradients it gives", async () => {
  await init({ backend: "cpu" });
  const w = jnp.array([2, 3]);
  const f = (scale: NDArray, p: { x: NDArray }) =>
    jnp.sum(checkpoint((q: { x: NDArray }) => ({ y: q.x.mul(w).mul(scale) }))(p).y);
  const [dScale, dp] = grad(f, { argnums: [0, 1] })(jnp.array(5), { x: jnp.array([1, 10]) });
  await assertClose(dScale, [32]);
  await assertClose(dp.x, [10, 15]);
});

webgpuTest(
  "checkpoint() saves the memory of what lies between its arguments and its result",
  async () => {
    await init({ backend: "webgpu" });
    const layer = (h: NDArray, w: NDArray): NDArray =>
      jnp.tanh(jnp.tanh(jnp.tanh(h.matmul(w)).matmul(w)).matmul(w));
    const network = (step: typeof layer) => (weights: NDArray[], x: NDArray): NDArray =>
      jnp.mean(weights.reduce((h, w) => step(h, w), x));
    const shapes = new Array<ShapeDtype>(4).fill(new ShapeDtype([64, 64], "float32"));
    const lowered = (step: typeof layer) =>
      jit(grad(network(step))).lower(shapes, new ShapeDtype([256, 64], "float32"));
    const kept = lowered(layer).memoryAnalysis().tempBytes;
    const saved = lowered(checkpoint(layer)).memoryAnalysis().tempBytes;
    assert(saved < 0.75 * kept, `${saved} bytes with checkpoint, ${kept} without`);
    const weights = shapes.map((_, i) => jnp.linspace(-0.3, 0.1 * i, 4096).reshape([64, 64]));
    const x = jnp.linspace(-1, 1, 256 * 64).reshape([256, 64]);
    const plain = jit(grad(network(layer)))(weights, x);
    const again = jit(grad(network(checkpoint(layer))))(weights, x);
    for (const [i, gradient] of again.entries()) {
      assertAlmostEquals(await jnp.max(jnp.abs(gradient.sub(plain[i]!))).item() as number, 0, 1e-6);
    }
  },
);

/** x * y, whose gradients are tripled, so that the rule shows. */
const tripled = customVjp(
  (x: NDArray, y: NDArray): NDArray => x.mul(y),
  (x: NDArray, y: NDArray): [NDArray, { x: NDArray; y: NDArray }] => [x.mul(y), { x, y }],
  ({ x, y }, g: NDArray) => [g.mul(y).mul(3), g.mul(x).mul(3)],
);

Deno.test("customVjp() uses the backward pass that it is given, in any composition", async () => {
  await init({ backend: "cpu" });
  const [x, y] = [jnp.array([1, 2]), jnp.array([5, 7])];
  const f = (a: NDArray, b: NDArray): NDArray => jnp.sum(tripled(a, b));
  await assertClose(tripled(x, y), [5, 14]);
  await assertClose(jit(tripled)(x, y), [5, 14]);
  const [dx, dy] = grad(f, { argnums: [0, 1] })(x, y);
  await assertClose(dx, [15, 21]);
  await assertClose(dy, [3, 6]);
  await assertClose(jit(grad(f))(x, y), [15, 21]);
  await assertClose(jacrev(tripled)(x, y), [15, 0, 0, 21]);
  await assertClose(grad((a: NDArray) => jnp.sum(grad(f)(a, a)))(x), [3, 3]);
  const rows = jnp.stack([x, y]);
  await assertClose(vmap(grad(f), { inAxes: [0, null] })(rows, y), [15, 21, 15, 21]);
  const shared = (b: NDArray) => jnp.sum(vmap(tripled, { inAxes: [0, null] })(rows, b));
  await assertClose(grad(shared)(y), [18, 27]);
});

Deno.test("customVjp() takes null for no gradient, and captured values as constants", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray, scale: NDArray): NDArray => {
    const scaled = customVjp(
      (v: NDArray, n: NDArray) => v.mul(scale).add(n),
      (v: NDArray, n: NDArray): [NDArray, NDArray] => [v.mul(scale).add(n), scale],
      (kept: NDArray, g: NDArray) => [g.mul(kept), null],
    );
    return jnp.sum(scaled(x, jnp.arange(2)));
  };
  const [dx, dScale] = grad(f, { argnums: [0, 1] })(jnp.array([1, 2]), jnp.array(4));
  await assertClose(dx, [4, 4]);
  await assertClose(dScale, [0]);
});

Deno.test("customVjp() says what fwd and bwd should have returned", async () => {
  await init({ backend: "cpu" });
  const x = jnp.ones([2]);
  const identity = (v: NDArray): NDArray => v;
  const wrongForward = customVjp(identity, identity as never, () => [null]);
  assertThrows(
    () => grad((v: NDArray) => jnp.sum(wrongForward(v)))(x),
    TypeError,
    "fwd must return",
  );
  const pair = (v: NDArray): [NDArray, null] => [v, null];
  const tooFew = customVjp(identity, pair, () => []);
  assertThrows(() => grad((v: NDArray) => jnp.sum(tooFew(v)))(x), TypeError, "1 cotangents");
  const wrongShape = customVjp(identity, pair, () => [jnp.ones([3])]);
  assertThrows(() => grad((v: NDArray) => jnp.sum(wrongShape(v)))(x), RangeError, "argument 0");
  const fine = customVjp(identity, pair, (_, g: NDArray) => [g]);
  assertThrows(() => jvp(fine, [x], [x]), TypeError, "no forward-mode derivative");
  assertThrows(() => customVjp(identity, pair, 5 as never), TypeError, "bwd must be a function");
  assertThrows(() => checkpoint(5 as never), TypeError, "a function is required");
});
