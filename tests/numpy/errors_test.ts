// What a user may do wrong with functions of arrays, and what the message says.

import { assertEquals, assertThrows } from "@std/assert";
import { type DType, init, jit, type NDArray, nn, numpy as jnp } from "../../mod.ts";

await init({ backend: "cpu" });

const x = jnp.ones([2, 3]);

/** Calls that a type checker refuses, as JavaScript would make them. */
const untyped = (fn: (...args: never[]) => unknown, ...args: unknown[]) => () =>
  (fn as (...args: unknown[]) => unknown)(...args);

const cases: readonly [name: string, call: () => unknown, type: typeof Error, text: string][] = [
  [
    "ragged arrays",
    () => jnp.array([[1, 2], [3]]),
    RangeError,
    "Cannot array: nested arrays must be",
  ],
  ["arrays nested unevenly", () => jnp.array([1, [2]]), RangeError, "nested equally deep"],
  ["text for an array", untyped(jnp.add, x, "1"), TypeError, "Cannot add: an array, a number"],
  [
    "text in an array",
    untyped(jnp.array, ["1"]),
    TypeError,
    "elements must be numbers or booleans",
  ],
  [
    "an unknown dtype",
    untyped(jnp.zeros, [2], { dtype: "float64" }),
    TypeError,
    "Cannot zeros: dtype must be one of float32, float16",
  ],
  [
    "an unknown dtype of astype",
    untyped(jnp.astype, x, "half"),
    TypeError,
    "Cannot astype: dtype must be one of",
  ],
  [
    "an unknown option",
    untyped(jnp.sum, x, { axes: 0 }),
    TypeError,
    'Cannot sum: unknown option "axes"; allowed are axis, keepdims, dtype',
  ],
  [
    "options that are no object",
    untyped(jnp.sum, x, 0),
    TypeError,
    "Cannot sum: options must be an object",
  ],
  [
    "an axis that is not there",
    () => jnp.sum(x, { axis: 2 }),
    RangeError,
    "Cannot sum: axis must be from -2 to 1",
  ],
  ["an axis twice", () => x.mean({ axis: [0, -2] }), RangeError, "Cannot mean: axes must differ"],
  [
    "a fractional axis",
    () => x.max({ axis: 0.5 }),
    TypeError,
    "Cannot max: axis must be an integer",
  ],
  [
    "shapes that do not broadcast",
    () => x.add(jnp.ones([2])),
    RangeError,
    "Cannot add: shapes do not broadcast, got [2, 3] and [2]",
  ],
  [
    "a shape that is a number",
    untyped(jnp.ones, 3),
    TypeError,
    "Cannot ones: shape must be an array of non-negative integers, got 3; write [3]",
  ],
  ["a negative extent", () => jnp.ones([-1]), RangeError, "Cannot ones: shape must be"],
  [
    "the maximum of nothing",
    () => jnp.max(jnp.zeros([0])),
    RangeError,
    "Cannot max: at least one element is required",
  ],
  [
    "the position in nothing",
    () => jnp.argmax(jnp.zeros([0, 2]), { axis: 0 }),
    RangeError,
    "Cannot argmax: at least one",
  ],
  [
    "booleans subtracted",
    () => jnp.subtract(true, false),
    TypeError,
    "Cannot sub: inputs must be numbers, got bool",
  ],
  [
    "bits of floats",
    () => jnp.bitwiseAnd(x, 1),
    TypeError,
    "Cannot bitwiseAnd: inputs must be integers or booleans, got float32",
  ],
  [
    "integers to a negative power",
    () => jnp.arange(3).power(-1),
    RangeError,
    "Cannot power: integers cannot be raised",
  ],
  ["a step of 0", () => jnp.arange(0, 1, 0), RangeError, "Cannot arange: step must not be 0"],
  [
    "an endless range",
    () => jnp.arange(Infinity),
    TypeError,
    "Cannot arange: one to three finite numbers",
  ],
  ["a range past 2**32", () => jnp.arange(2 ** 33), RangeError, "Cannot arange:"],
  [
    "half a number of points",
    () => jnp.linspace(0, 1, 2.5),
    RangeError,
    "Cannot linspace: num must be",
  ],
  ["a triangle of a vector", () => jnp.tril([1, 2]), RangeError, "Cannot tril: at least two axes"],
  [
    "a fractional diagonal",
    () => jnp.eye(2, { k: 0.5 }),
    TypeError,
    "Cannot eye: k must be an integer",
  ],
  [
    "a value too large for a shape",
    () => jnp.full([2], [1, 2, 3]),
    RangeError,
    "Cannot full: the value must broadcast",
  ],
  [
    "ddof given twice",
    () => x.var({ ddof: 1, correction: 1 }),
    TypeError,
    "Cannot var: give ddof or correction",
  ],
  ["a matrix norm", () => x.norm({ ord: 1 }), RangeError, "Cannot norm: a vector norm with ord 1"],
  [
    "an odd axis to gate",
    () => nn.glu(x),
    RangeError,
    "Cannot glu: the axis must have an even number",
  ],
  [
    "a scale of another size",
    () => nn.layerNorm(x, { scale: [1, 2] }),
    RangeError,
    "Cannot layerNorm: scale and bias must have the shape [3]",
  ],
  [
    "a function asked of a module",
    untyped(nn.rmsNorm, { eps: 3 }),
    TypeError,
    'Cannot rmsNorm: unknown option "eps"; allowed are features, epsilon, useScale',
  ],
  [
    "classes that are no number",
    () => nn.oneHot([0], -1),
    RangeError,
    "Cannot oneHot: numClasses must be",
  ],
  [
    "an array compared as a number",
    () => (x as unknown as number) > 0,
    TypeError,
    "Cannot convert an NDArray to a number",
  ],
];

for (const [name, call, type, text] of cases) {
  Deno.test(`${name}: the error says so`, () => {
    const error = assertThrows(call, type);
    assertEquals(error.message.includes(text), true, error.message);
  });
}

Deno.test("an error inside a traced function leaves the library usable", async () => {
  const bad = jit((a: NDArray) => a.add(jnp.ones([7])));
  assertThrows(() => bad(x), RangeError, "Cannot add: shapes do not broadcast");
  assertEquals(await x.sum().item(), 6);
});

Deno.test("a disposed array says what consumed it", () => {
  const y = jnp.ones([1]);
  y.dispose();
  assertThrows(() => y.exp(), Error, "Cannot exp: the array was consumed by dispose()");
});

Deno.test("every dtype has zeros, ones and a full array", async () => {
  for (const dtype of ["float32", "float16", "bfloat16", "int32", "uint32", "bool"] as DType[]) {
    const [none, one] = dtype === "bool" ? [false, true] : [0, 1];
    assertEquals(await jnp.zeros([2], { dtype }).toList(), [none, none]);
    assertEquals(await jnp.ones([2], { dtype }).toList(), [one, one]);
    assertEquals(jnp.full([2], 1, { dtype }).dtype, dtype);
  }
});
