// Products: against NumPy's and JAX's tables, their types, their precision and their messages.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type DType, init, jit, lax, type NDArray, numpy as jnp } from "../../mod.ts";
import { hasWebGpu, webgpuTest } from "../webgpu_test.ts";
import { testGroup } from "./array_tables.ts";

testGroup("linear_algebra", 4);

const backends = hasWebGpu ? ["cpu", "webgpu"] as const : ["cpu"] as const;

for (const backend of backends) {
  const test = backend === "webgpu" ? webgpuTest : Deno.test;

  test(`matmul() accumulates half products in float32, on ${backend}`, async () => {
    await init({ backend });
    const large = jnp.array([300, 300], { dtype: "float16" });
    const opposite = jnp.array([300, -300], { dtype: "float16" });
    assertEquals(await large.matmul(opposite).item(), 0);
    const small = jnp.full([1024], 1e-4, { dtype: "float16" });
    for (
      const product of [small.dot(small), small.vdot(small), jnp.einsum("i,i->", small, small)]
    ) {
      assertEquals(product.dtype, "float16");
      assertAlmostEquals(await product.item() as number, 1.02e-5, 1e-7);
    }
  });

  test(`operands of different types meet in the one that both promote to, on ${backend}`, async () => {
    await init({ backend });
    const pairs: [DType, DType, DType][] = [
      ["float16", "float32", "float32"],
      ["bfloat16", "float16", "float32"],
      ["int32", "float16", "float16"],
      ["uint32", "int32", "int32"],
      ["bool", "bfloat16", "bfloat16"],
      ["bool", "bool", "bool"],
      ["uint32", "uint32", "uint32"],
    ];
    for (const [a, b, wanted] of pairs) {
      const x = jnp.array([[1, 0], [1, 1]], { dtype: a });
      const y = jnp.array([[1, 1], [0, 1]], { dtype: b });
      const product = x.matmul(y);
      const expected = wanted === "bool" ? [1, 1, 1, 1] : [1, 1, 1, 2];
      assertEquals([product.dtype, Array.from(await product.data(), Number)], [wanted, expected]);
      assertEquals(jnp.einsum("ij,jk->ik", x, y).dtype, wanted);
    }
  });

  test(`products of integers wrap around at 32 bits, on ${backend}`, async () => {
    await init({ backend });
    const x = jnp.array([[2 ** 30, 3]], { dtype: "int32" });
    assertEquals(await x.matmul(jnp.array([[2], [5]], { dtype: "int32" })).item(), -(2 ** 31) + 15);
    const u = jnp.array([2 ** 31, 7], { dtype: "uint32" });
    assertEquals(await u.dot(u).item(), 49);
  });

  test(`sums of no products are 0, on ${backend}`, async () => {
    await init({ backend });
    const [tall, wide] = [jnp.zeros([2, 0], { dtype: "float16" }), jnp.zeros([0, 3])];
    assertEquals(await tall.matmul(wide).toList(), [[0, 0, 0], [0, 0, 0]]);
    assertEquals(wide.matmul(jnp.ones([3, 2])).shape, [0, 2]);
    assertEquals(await jnp.einsum("ij,jk->", tall, wide).item(), 0);
    assertEquals(await jnp.einsum("ab->b", wide).toList(), [0, 0, 0]);
  });

  test(`dotGeneral() stores the float32 sum in the type preferred, on ${backend}`, async () => {
    await init({ backend });
    const x = jnp.full([1, 3], 1 / 3, { dtype: "float16" });
    const half = await x.slice(0, 0).item() as number;
    const options = { contracting: [[1], [1]], preferredElementType: "float32" } as const;
    const sum = lax.dotGeneral(x, x, options);
    assertEquals([sum.dtype, sum.shape], ["float32", [1, 1]]);
    assertAlmostEquals(await sum.item() as number, 3 * half * half, 1e-7);
    assertEquals(lax.dotGeneral(x, x, { contracting: [[1], [1]] }).dtype, "float16");
  });
}

webgpuTest("a chain of transposed and broadcast products is the same under jit", async () => {
  await init({ backend: "webgpu" });
  const chain = (x: NDArray, w: NDArray) => {
    const scores = jnp.einsum("bqd,bkd->bqk", x, x).mul(0.25);
    return scores.matmul(x).matmul(w.transpose()).add(w.slice([], 0));
  };
  const x = jnp.arange(2 * 5 * 6).mod(7).sub(3).astype("float16").reshape([2, 5, 6]);
  const w = jnp.arange(3 * 6).mod(5).astype("float16").reshape([3, 6]);
  assertEquals(await jit(chain)(x, w).bits(), await chain(x, w).bits());
});

const m = (...shape: number[]) => jnp.ones(shape);
const wrong: readonly [string, () => unknown, typeof Error, string][] = [
  [
    "inner sizes",
    () => m(32, 64).matmul(m(65, 10)),
    RangeError,
    "Cannot matmul: inner sizes must match, got [32, 64] and [65, 10]",
  ],
  [
    "inner sizes of a vector",
    () => jnp.matmul([1, 2], [1, 2, 3]),
    RangeError,
    "Cannot matmul: inner sizes must match, got [2] and [3]",
  ],
  [
    "a scalar",
    () => m(2).matmul(3),
    RangeError,
    "Cannot matmul: operands must have at least one axis, got [2] and []; use mul for scalars",
  ],
  [
    "batches",
    () => m(2, 3, 4).matmul(m(3, 4, 5)),
    RangeError,
    "Cannot matmul: shapes do not broadcast, got [2] and [3]",
  ],
  [
    "dot",
    () => m(2, 3).dot(m(2, 3)),
    RangeError,
    "Cannot dot: inner sizes must match, got [2, 3] and [2, 3]",
  ],
  [
    "vdot",
    () => m(2, 3).vdot(m(5)),
    RangeError,
    "Cannot vdot: sizes must match, got [2, 3] and [5]",
  ],
  [
    "inner",
    () => m(2, 3).inner(m(3, 2)),
    RangeError,
    "Cannot inner: inner sizes must match, got [2, 3] and [3, 2]",
  ],
  [
    "axes of tensordot",
    () => m(2, 3).tensordot(m(4, 2), { axes: 1 }),
    RangeError,
    "Cannot tensordot: the extents of paired axes must match, got [2, 3] along [1] and [4, 2] along [0]",
  ],
  [
    "too many axes",
    () => m(2).tensordot(m(2)),
    RangeError,
    "Cannot tensordot: axes must be a number from 0 to 1 for shapes [2] and [2], got 2",
  ],
  [
    "subscripts that do not fit",
    () => jnp.einsum("ij,jk->ik", m(2, 3), m(4, 5)),
    RangeError,
    'Cannot einsum "ij,jk->ik": sizes of "j" must match, got shapes [2, 3] and [4, 5]',
  ],
  [
    "a label too few",
    () => jnp.einsum("i->i", m(2, 3)),
    RangeError,
    'Cannot einsum "i->i": a term must have one label for each axis, got "i" for shape [2, 3]',
  ],
  [
    "an unknown label",
    () => jnp.einsum("ij->ik", m(2, 3)),
    RangeError,
    'Cannot einsum "ij->ik": labels of the result must stand in an operand, got "k"',
  ],
  [
    "a label twice",
    () => jnp.einsum("ij->ii", m(2, 3)),
    RangeError,
    'Cannot einsum "ij->ii": a label may stand once in the result, got "i" twice',
  ],
  [
    "an odd label",
    () => jnp.einsum("i1->i", m(2, 3)),
    RangeError,
    'Cannot einsum "i1->i": labels must be letters or "...", got "1"',
  ],
  [
    "operands too few",
    () => jnp.einsum("i,j", m(2)),
    RangeError,
    'Cannot einsum "i,j": it has 2 terms, got 1 operands',
  ],
  [
    "no subscripts",
    () => jnp.einsum(m(2) as unknown as string),
    TypeError,
    'Cannot einsum: subscripts such as "ij,jk->ik" are required first',
  ],
  [
    "a trace of a vector",
    () => m(2).trace(),
    RangeError,
    "Cannot trace: an array of at least two axes is required, got shape [2]",
  ],
  [
    "one axis twice",
    () => m(2, 2).diagonal({ axis2: 0 }),
    RangeError,
    "Cannot diagonal: axis1 and axis2 must differ, got 0 and 0",
  ],
  [
    "an unknown option",
    () => m(2, 2).tensordot(m(2, 2), { axis: 1 } as unknown as { axes: 1 }),
    TypeError,
    'Cannot tensordot: unknown option "axis"; allowed are axes',
  ],
  [
    "contracting axes",
    () => lax.dotGeneral(m(2, 3), m(2, 3), { contracting: [[1], [0]] }),
    RangeError,
    "Cannot dotGeneral: contracting sizes must match, got [2, 3] along [1] and [2, 3] along [0]",
  ],
  [
    "an axis as both",
    () => lax.dotGeneral(m(2, 3), m(2, 3), { contracting: [[0], [0]], batch: [[0], [0]] }),
    RangeError,
    "Cannot dotGeneral: an axis is either contracted or a batch axis, got axis 0 of the first operand as both",
  ],
  [
    "an integer for floats",
    () => lax.dotGeneral(m(2), m(2), { contracting: [[0], [0]], preferredElementType: "int32" }),
    TypeError,
    "Cannot dotGeneral: preferredElementType must be a floating type for float32 and float32, got int32",
  ],
  [
    "text",
    () => m(2).matmul("x" as unknown as number),
    TypeError,
    'Cannot matmul: an array, a number or nested arrays of numbers are required, got "x"',
  ],
];

Deno.test("products that cannot be say which sizes do not fit", async () => {
  await init({ backend: "cpu" });
  for (const [name, call, type, text] of wrong) assertThrows(call, type, text, name);
});
