// grad, valueAndGrad, vjp and jvp: which arguments, which types, what does not differentiate, and how they
// compose with each other, jit and vmap.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  grad,
  hessian,
  init,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  type NDArray,
  nn,
  numpy as jnp,
  valueAndGrad,
  vjp,
  vmap,
} from "../../mod.ts";

const cube = (x: NDArray): NDArray => jnp.sum(x.mul(x).mul(x));

async function assertClose(x: NDArray, wanted: readonly number[], tolerance = 1e-5): Promise<void> {
  const got = [...await x.data()].map(Number);
  assertEquals(got.length, wanted.length);
  got.forEach((v, i) =>
    assertAlmostEquals(v, wanted[i]!, tolerance * Math.max(1, Math.abs(wanted[i]!)))
  );
}

Deno.test("grad() differentiates the first argument and gives its tree back", async () => {
  await init({ backend: "cpu" });
  const loss = (p: { w: NDArray; b: [NDArray] }, x: NDArray) => jnp.sum(p.w.mul(x).add(p.b[0]));
  const gradient = grad(loss)({ w: jnp.array([1, 2]), b: [jnp.array(5)] }, jnp.array([3, 4]));
  await assertClose(gradient.w, [3, 4]);
  await assertClose(gradient.b[0], [2]);
});

Deno.test("argnums chooses arguments, in the order given, and hasAux carries the rest", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray, y: NDArray): NDArray => jnp.sum(x.mul(y).mul(y));
  const [x, y] = [jnp.array([2]), jnp.array([3])];
  await assertClose(grad(f, { argnums: 1 })(x, y), [12]);
  const [dy, dx] = grad(f, { argnums: [1, 0] })(x, y);
  await assertClose(dy, [12]);
  await assertClose(dx, [9]);
  const withAux = (v: NDArray): [NDArray, { twice: NDArray }] => [cube(v), { twice: v.mul(2) }];
  const [slope, aux] = grad(withAux, { hasAux: true })(x);
  await assertClose(slope, [12]);
  await assertClose(aux.twice, [4]);
  const [[value, { twice }], again] = valueAndGrad(withAux, { hasAux: true })(x);
  await assertClose(value, [8]);
  await assertClose(twice, [4]);
  await assertClose(again, [12]);
});

Deno.test("a JS number is differentiated as a float32 scalar", async () => {
  await init({ backend: "cpu" });
  const slope = grad((x: number) => jnp.square(x))(3);
  assertEquals([slope.dtype, slope.shape, await slope.item()], ["float32", [], 6]);
});

Deno.test("a gradient has its leaf's dtype, whatever it met on the way", async () => {
  await init({ backend: "cpu" });
  const half = jnp.ones([2, 3], { dtype: "float16" });
  const brain = jnp.ones([3], { dtype: "bfloat16" });
  const full = jnp.ones([3]);
  const f = (a: NDArray, b: NDArray, c: NDArray) =>
    jnp.sum(a.matmul(c).add(a.mul(b).sum({ axis: 1 })));
  const gradients = grad(f, { argnums: [0, 1, 2] })(half, brain, full);
  assertEquals(gradients.map((g) => g.dtype), ["float16", "bfloat16", "float32"]);
  await assertClose(gradients[1], [2, 2, 2]);
  const cast = grad((x: NDArray) => jnp.sum(x.astype("float32").mul(3)))(half);
  assertEquals(cast.dtype, "float16");
  await assertClose(cast, new Array(6).fill(3));
});

Deno.test("what has no derivative is an error that names the leaf and the way out", async () => {
  await init({ backend: "cpu" });
  const ints = jnp.arange(3);
  assertThrows(
    () => grad((p: { ids: NDArray }) => jnp.sum(p.ids))({ ids: ints }),
    TypeError,
    "got int32 at argument 0.ids",
  );
  assertThrows(() => grad((x: NDArray) => x)(jnp.ones([2])), TypeError, "must return a scalar");
  assertThrows(() => grad((x: NDArray) => [x])(jnp.ones([])), TypeError, "one scalar");
  assertThrows(
    () => grad((x: NDArray) => jnp.argmax(x))(jnp.ones([2])),
    TypeError,
    "floating scalar, got int32",
  );
  assertThrows(() => grad(cube, { argnums: 1 })(jnp.ones([1])), RangeError, "argnums");
  assertThrows(() => grad(cube, { argnums: [0, 0] }), RangeError, "different positions");
  assertThrows(() => grad(cube, { argNums: 1 } as never), TypeError, "unknown option");
  assertThrows(() => grad(5 as never), TypeError, "a function is required");
  assertThrows(
    () => grad((x: NDArray) => x, { hasAux: true })(jnp.ones([])),
    TypeError,
    "[value, aux]",
  );
  assertThrows(() => jvp(cube, [jnp.ones([2])], [jnp.ones([3])]), RangeError, "shape of its value");
  assertThrows(() => vjp(cube, jnp.ones([2]))[1](jnp.ones([2])), RangeError, "a cotangent must");
  assertThrows(() => jacrev((x: NDArray) => jnp.argmax(x))(jnp.ones([2])), TypeError, "floating");
});

Deno.test("an argument that the value does not depend on has a gradient of zeros", async () => {
  await init({ backend: "cpu" });
  await assertClose(grad((_: NDArray, y: NDArray) => cube(y))(jnp.ones([2]), jnp.ones([1])), [
    0,
    0,
  ]);
  const [, out] = jvp((x: NDArray) => jnp.zerosLike(x), [jnp.ones([2])], [jnp.ones([2])]);
  await assertClose(out, [0, 0]);
});

Deno.test("vjp() and jvp() of trees, the pullback as often as wanted", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray, y: NDArray) => ({ product: x.mul(y), sum: x.add(y) });
  const [x, y] = [jnp.array([2, 3]), jnp.array([5, 7])];
  const [out, pullback] = vjp(f, x, y);
  await assertClose(out.product, [10, 21]);
  for (let i = 1; i <= 2; i++) {
    const [dx, dy] = pullback({ product: jnp.full([2], i), sum: jnp.ones([2]) });
    await assertClose(dx, [5 * i + 1, 7 * i + 1]);
    await assertClose(dy, [2 * i + 1, 3 * i + 1]);
  }
  const [, moved] = jvp(f, [x, y], [jnp.ones([2]), jnp.zeros([2])]);
  await assertClose(moved.product, [5, 7]);
  await assertClose(moved.sum, [1, 1]);
});

Deno.test("equal extremes share, relu is flat at 0, clip shares at its ends, as in JAX", async () => {
  await init({ backend: "cpu" });
  const tied = jnp.array([1, 3, 3]);
  await assertClose(grad((x: NDArray) => jnp.max(x))(tied), [0, 0.5, 0.5]);
  await assertClose(grad((x: NDArray) => jnp.sum(jnp.maximum(x, 3)))(tied), [0, 0.5, 0.5]);
  await assertClose(grad((x: NDArray) => jnp.sum(jnp.clip(x, 1, 3)))(tied), [0.5, 0.5, 0.5]);
  await assertClose(grad((x: NDArray) => jnp.sum(jnp.abs(x)))(jnp.array([-2, 0, 2])), [-1, 1, 1]);
  await assertClose(grad((x: NDArray) => jnp.sum(nn.relu6(x)))(jnp.array([0, 1, 6])), [0, 1, 0]);
  await assertClose(grad((x: NDArray) => jnp.sum(nn.relu(x)))(jnp.array([-1, 0, 1])), [0, 0, 1]);
});

Deno.test("powers of 0 and of negative numbers, and products with zeros, as in JAX", async () => {
  await init({ backend: "cpu" });
  const powers = (x: NDArray, y: NDArray) => jnp.sum(jnp.power(x, y));
  const [x, y] = [jnp.array([0, 0, 0, -2, 2]), jnp.array([0, 1, 2, 3, 0])];
  const [dx, dy] = grad(powers, { argnums: [0, 1] })(x, y);
  await assertClose(dx, [0, 1, 0, 12, 0]);
  await assertClose(jnp.nanToNum(dy), [0, 0, 0, 0, Math.LN2]);
  await assertClose(grad((v: NDArray) => jnp.prod(v))(jnp.array([2, 0, 3])), [0, 6, 0]);
  await assertClose(grad((v: NDArray) => jnp.prod(v))(jnp.array([0, 0, 3])), [0, 0, 0]);
  const products = (v: NDArray) => jnp.sum(jnp.cumprod(v));
  await assertClose(grad(products)(jnp.array([2, 0, 3])), [1, 8, 0]);
});

Deno.test("where() keeps the NaN of the branch not taken out of the gradient", async () => {
  await init({ backend: "cpu" });
  // JAX's own advice: the operand is made safe, and the selection leaks nothing.
  const root = (x: NDArray) =>
    jnp.sum(jnp.where(x.greater(0), jnp.sqrt(jnp.where(x.greater(0), x, 1)), 0));
  await assertClose(grad(root)(jnp.array([4, 0, -1])), [0.25, 0, 0]);
  const masked = (x: NDArray) => jnp.sum(jnp.where(jnp.isnan(x), 0, x.mul(2)));
  await assertClose(grad(masked)(jnp.array([1, NaN])), [2, 0]);
});

Deno.test("grad, jvp, vjp, jit and vmap compose in any order", async () => {
  await init({ backend: "cpu" });
  const x = jnp.array([1, 2]);
  await assertClose(jit(grad(cube))(x), [3, 12]);
  await assertClose(grad(jit(cube))(x), [3, 12]);
  await assertClose(vmap(grad(cube))(jnp.array([[1, 2], [3, 4]])), [3, 12, 27, 48]);
  await assertClose(grad((v: NDArray) => jnp.sum(vmap(cube)(v)))(jnp.array([[1], [2]])), [3, 12]);
  await assertClose(jvp(grad(cube), [x], [jnp.ones([2])])[1], [6, 12]);
  await assertClose(grad((v: NDArray) => jvp(cube, [v], [jnp.ones([2])])[1])(x), [6, 12]);
  await assertClose(jit(vmap(jit(grad(jit(cube)))))(jnp.array([[1], [2]])), [3, 12]);
  const third = grad((v: NDArray) => jnp.sum(grad((u: NDArray) => jnp.sum(grad(cube)(u)))(v)));
  await assertClose(jit(third)(x), [6, 6]);
  const pulled = jit((v: NDArray) => vjp(jnp.sin, v)[1](jnp.ones([2]))[0]!);
  await assertClose(pulled(x), [Math.cos(1), Math.cos(2)]);
});

Deno.test("a function may use what an outer trace differentiates", async () => {
  await init({ backend: "cpu" });
  const outer = (a: NDArray) => grad((b: NDArray) => jnp.sum(a.mul(a).mul(b)))(jnp.array(1)).mul(a);
  await assertClose(grad((a: NDArray) => outer(a))(jnp.array(2)), [12]);
});

Deno.test("jacrev, jacfwd and hessian agree with each other, trees included", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray): NDArray => jnp.stack([x.prod(), jnp.sum(jnp.sin(x))]);
  const x = jnp.array([1, 2, 3]);
  const wanted = [6, 3, 2, Math.cos(1), Math.cos(2), Math.cos(3)];
  for (const matrix of [jacrev(f)(x), jacfwd(f)(x), jit(jacrev(f))(x)]) {
    assertEquals(matrix.shape, [2, 3]);
    await assertClose(matrix, wanted);
  }
  const product = hessian((v: NDArray) => v.prod())(x);
  assertEquals(product.shape, [3, 3]);
  await assertClose(product, [0, 3, 2, 3, 0, 1, 2, 1, 0]);
  const tree = jacrev((p: { a: NDArray; b: NDArray }) => ({ y: p.a.mul(p.b) }));
  const rows = tree({ a: jnp.array([2, 3]), b: jnp.array(5) });
  await assertClose(rows.y.a, [5, 0, 0, 5]);
  await assertClose(rows.y.b, [2, 3]);
  const [first, second] = jacfwd((a: NDArray, b: NDArray) => a.mul(b), { argnums: [0, 1] })(
    jnp.array([2, 3]),
    jnp.array(5),
  );
  await assertClose(first, [5, 0, 0, 5]);
  await assertClose(second, [2, 3]);
});

Deno.test("lax.stopGradient() ends derivatives, under vmap too", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray) => jnp.sum(x.mul(lax.stopGradient(x)));
  await assertClose(grad(f)(jnp.array([3, 4])), [3, 4]);
  await assertClose(grad((x: NDArray) => jnp.sum(vmap(f)(x)))(jnp.array([[3], [4]])), [3, 4]);
  await assertClose(jvp(f, [jnp.array([3])], [jnp.array([1])])[1], [3]);
  await assertClose(lax.stopGradient({ a: jnp.array([1]) }).a, [1]);
});

Deno.test("half gradients are float32 gradients rounded, where nothing but the end is rounded", async () => {
  await init({ backend: "cpu" });
  const values = [-3.5, -1.25, -0.3, 0.2, 0.7, 2.5];
  const functions = [
    jnp.tanh,
    jnp.exp,
    jnp.log1p,
    jnp.sqrt,
    jnp.reciprocal,
    jnp.arctan,
    jnp.square,
  ];
  for (const [i, f] of functions.entries()) {
    const inputs = values.map((v) => i === 2 || i === 3 ? Math.abs(v) : v);
    const half = jnp.array(inputs, { dtype: "float16" });
    const slope = grad((x: NDArray) => jnp.sum(f(x).astype("float32")));
    const got = slope(half);
    const wanted = [...await slope(half.astype("float32")).data()].map(Number);
    assertEquals(got.dtype, "float16");
    [...await got.data()].forEach((v, at) => {
      const error = Math.abs(Number(v) - wanted[at]!);
      assert(
        error <= Math.abs(wanted[at]!) * 2 ** -10 + 2 ** -24,
        `${f.name} at ${inputs[at]}: ${v}`,
      );
    });
  }
});
