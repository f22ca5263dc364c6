// Moving elements: against NumPy's tables, and what is promised of handles, memory and sizes.

import { assertEquals, assertThrows } from "@std/assert";
import { type DType, init, jit, memoryStats, type NDArray, numpy as jnp } from "../../mod.ts";
import { hasWebGpu, webgpuTest } from "../webgpu_test.ts";
import { testGroup } from "./array_tables.ts";

testGroup("movement", 3);

const backends = hasWebGpu ? ["cpu", "webgpu"] as const : ["cpu"] as const;

for (const backend of backends) {
  const test = backend === "webgpu" ? webgpuTest : Deno.test;

  test(`booleans move as numbers do, on ${backend}`, async () => {
    await init({ backend });
    const x = jnp.array([[true, false, false], [false, true, true]]);
    assertEquals(await x.transpose().toList(), [[true, false], [false, true], [false, true]]);
    assertEquals(await x.flip({ axis: 1 }).slice(0).toList(), [false, false, true]);
    assertEquals(await x.slice(0).pad(1, { constantValues: true }).toList(), [
      true,
      true,
      false,
      false,
      true,
    ]);
    const joined = jnp.concatenate([x, jnp.array([[1, 2, 3]], { dtype: "uint32" })]);
    assertEquals([joined.dtype, await joined.slice(1).toList()], ["uint32", [0, 1, 1]]);
  });

  test(`arrays without elements keep their shapes, on ${backend}`, async () => {
    await init({ backend });
    const none = jnp.zeros([0, 3]);
    const shapes: [NDArray, number[]][] = [
      [none.transpose(), [3, 0]],
      [none.pad([[1, 0], [0, 0]]), [1, 3]],
      [none.tile([2, 2]), [0, 6]],
      [none.repeat(2, { axis: 1 }), [0, 6]],
      [jnp.concatenate([none, none]), [0, 3]],
      [jnp.stack([none, none], { axis: 2 }), [0, 3, 2]],
      [jnp.ones([3]).slice([2, 1]), [0]],
      [none.roll(1).add(none), [0, 3]],
    ];
    for (const [x, shape] of shapes) {
      assertEquals([x.shape, (await x.data()).length], [shape, shape.includes(0) ? 0 : 3]);
    }
    assertEquals(await none.pad([[1, 0], [0, 0]]).toList(), [[0, 0, 0]]);
  });

  test(`a result with nothing to do is a handle of its own, on ${backend}`, async () => {
    await init({ backend });
    const repeating: Record<string, (x: NDArray) => NDArray> = {
      reshape: (x) => x.reshape([2, 2]),
      transpose: (x) => x.transpose([0, 1]),
      squeeze: (x) => x.squeeze(),
      broadcastTo: (x) => x.broadcastTo([2, 2]),
      broadcastArrays: (x) => jnp.broadcastArrays(x, 1)[0]!,
      concatenate: (x) => jnp.concatenate([x]),
      slice: (x) => x.slice([], []),
      pad: (x) => x.pad(0),
      flip: (x) => x.flip({ axis: [] }),
      rot90: (x) => x.rot90({ k: 4 }),
      at: (x) => x.at([1, 1]).set(5),
      diff: (x) => x.diff({ n: 0 }),
      atleast2d: (x) => x.atleast2d(),
    };
    for (const [name, fn] of Object.entries(repeating)) {
      const x = jnp.array([[1, 2], [3, 4]]);
      const y = fn(x);
      x.dispose();
      assertEquals(await y.toList(), [[1, 2], [3, 4]], name);
    }
  });
}

Deno.test("functions made of several operations free what they make on the way", async () => {
  await init({ backend: "cpu" });
  const x = jnp.arange(24).reshape([2, 3, 4]).astype("float32");
  const i = jnp.array([1, -1], { dtype: "int32" });
  const calls: Record<string, () => NDArray | NDArray[]> = {
    concatenate: () => jnp.concatenate(new Array(9).fill(x)),
    stack: () => jnp.stack([x, [[[1, 2, 3, 4]]]].slice(0, 1)),
    pad: () => jnp.pad(x, 2, { mode: "reflect" }),
    repeat: () => jnp.repeat(x, [1, 2], { axis: 0 }),
    split: () => jnp.split([1, 2, 3, 4], 2),
    slice: () => x.slice([], i, i),
    at: () => x.at(i, [], 2).add([1, 2, 3]),
    einsum: () => jnp.einsum("abc,dbc,dc->a", x, x, [[1, 2, 3, 4], [5, 6, 7, 8]]),
    sort: () => jnp.sort([[3, 1], [2, 5]], { axis: 0 }),
    matmul: () => jnp.matmul([[1, 2]], [[1], [2]]),
  };
  for (const [name, call] of Object.entries(calls)) {
    const run = () => [call()].flat().forEach((result) => result.dispose());
    run();
    const before = memoryStats().liveArrays;
    run();
    assertEquals(memoryStats().liveArrays, before, name);
  }
});

webgpuTest("movements in sequence become one kernel under jit", async () => {
  await init({ backend: "webgpu" });
  const move = (x: NDArray) =>
    x.transpose().flip({ axis: 0 }).pad(1).slice([], [0, 3]).reshape([1, -1]).tile([4, 1]).add(1);
  const x = jnp.arange(12).reshape([3, 4]);
  const program = jit(move);
  assertEquals(await program(x).toList(), await move(x).toList());
  assertEquals(program.lower(x).dispatches, 1);
});

webgpuTest("windows at another place are read by the same kernel", async () => {
  await init({ backend: "webgpu" });
  const x = jnp.arange(96).reshape([24, 4]);
  const texts = (fn: (x: NDArray, at: number) => NDArray) =>
    new Set([4, 9, 16].map((at) => jit((v: NDArray) => fn(v, at)).lower(x).wgsl())).size;
  assertEquals(texts((v, at) => v.slice([at, at + 8])), 1);
  assertEquals(texts((v, at) => v.at(at).set(0)), 1);
  assertEquals(texts((v, at) => v.roll(at, { axis: 0 })), 1);
  assertEquals(await x.slice([9, 17]).slice([], 0).toList(), [36, 40, 44, 48, 52, 56, 60, 64]);
});

webgpuTest("16-bit arrays of more than 65,535 workgroups are moved whole", async () => {
  await init({ backend: "webgpu" });
  const [rows, columns] = [4100, 4099];
  const x = jnp.arange(rows * columns).mod(2039).astype("float16").reshape([rows, columns]);
  const y = x.transpose().roll(1, { axis: 0 });
  const data = await y.data();
  const wrong: string[] = [];
  for (let i = 0; i < columns; i += 37) {
    for (let j = 0; j < rows; j += 41) {
      const source = j * columns + (i + columns - 1) % columns;
      if (data[i * rows + j] !== source % 2039) wrong.push(`[${i}, ${j}]`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("an axis is continued many times over", async () => {
  await init({ backend: "cpu" });
  const x = jnp.array([1, 2, 3], { dtype: "bfloat16" });
  const cycles = { wrap: [1, 2, 3], symmetric: [1, 2, 3, 3, 2, 1], reflect: [1, 2, 3, 2] } as const;
  for (const [mode, cycle] of Object.entries(cycles)) {
    const padded = x.pad([240, 300], { mode: mode as keyof typeof cycles });
    const expected = Array.from({ length: 543 }, (_, i) => cycle[i % cycle.length]!);
    assertEquals(await padded.toList(), expected, mode);
  }
});

Deno.test("arrays past 2**32 elements are refused, also where nothing of the size is stored", async () => {
  await init({ backend: "cpu" });
  const corner = (x: NDArray) => x.broadcastTo([2 ** 17, 2 ** 17]).slice(0, 0);
  const text = "an array must have fewer than 2**32 elements, got shape [131072, 131072]";
  assertThrows(() => jit(corner)(jnp.ones([1])), RangeError, text);
  assertThrows(() => jnp.tile([1], [2 ** 17, 2 ** 17]), RangeError, `Cannot tile: ${text}`);
  assertThrows(() => jnp.ones([2 ** 17, 1]).matmul(jnp.ones([1, 2 ** 17])), RangeError, text);
});

Deno.test("movements keep the dtype that they are given", async () => {
  await init({ backend: "cpu" });
  const dtypes: DType[] = ["float32", "float16", "bfloat16", "int32", "uint32", "bool"];
  for (const dtype of dtypes) {
    const x = jnp.ones([2, 2], { dtype });
    const moved = [
      x.transpose(),
      x.pad(1),
      x.tile(2),
      x.slice(0),
      x.at(0).set(x.slice(1)),
      x.roll(1),
    ];
    assertEquals(moved.map((y) => y.dtype), moved.map(() => dtype));
  }
});

const x23 = (): NDArray => jnp.ones([2, 3]);
const wrong: readonly [string, () => unknown, typeof Error, string][] = [
  [
    "sizes",
    () => x23().reshape([4]),
    RangeError,
    "Cannot reshape: sizes must match, got [2, 3] (6 elements) and [4] (4 elements)",
  ],
  [
    "an unknown extent",
    () => x23().reshape([4, -1]),
    RangeError,
    "Cannot reshape: sizes must match, got [2, 3] (6 elements) and [4, -1]",
  ],
  [
    "axes",
    () => x23().transpose([0]),
    RangeError,
    "Cannot transpose: axes must name each of the 2 axes of shape [2, 3] once, got [0]",
  ],
  [
    "an axis twice",
    () => x23().transpose([0, 0]),
    RangeError,
    "Cannot transpose: axes must name each of the 2 axes",
  ],
  [
    "no list of axes",
    () => x23().transpose(1 as unknown as number[]),
    TypeError,
    "Cannot transpose: axes must be an array of integers, got 1",
  ],
  [
    "an axis outside",
    () => x23().swapaxes(0, 2),
    RangeError,
    "Cannot swapaxes: axis must be from -2 to 1 for an array of rank 2, got 2",
  ],
  [
    "destinations",
    () => x23().moveaxis([0, 1], 0),
    RangeError,
    "Cannot moveaxis: as many destinations as sources are required, got [0, 1] and 0",
  ],
  [
    "an extent that is not 1",
    () => x23().squeeze({ axis: 0 }),
    RangeError,
    "Cannot squeeze: the extent of axis 0 must be 1, got shape [2, 3]",
  ],
  [
    "a shape to stretch to",
    () => x23().broadcastTo([3, 2]),
    RangeError,
    "Cannot broadcastTo: every extent must be 1 or match the one it is stretched to, got [2, 3] and [3, 2]",
  ],
  [
    "shapes to join",
    () => jnp.concatenate([x23(), jnp.ones([2, 4])]),
    RangeError,
    "Cannot concatenate: shapes must match except along axis 0, got [2, 3] and [2, 4]",
  ],
  [
    "nothing to join",
    () => jnp.concatenate([]),
    RangeError,
    "Cannot concatenate: at least one array is required, got none",
  ],
  [
    "one array to join",
    () => jnp.concatenate(x23() as unknown as NDArray[]),
    TypeError,
    "Cannot concatenate: an array of arrays is required, got NDArray float32[2, 3]",
  ],
  [
    "scalars to join",
    () => jnp.concatenate([1, 2]),
    RangeError,
    "Cannot concatenate: a scalar has no axes, got 0",
  ],
  [
    "shapes to stack",
    () => jnp.stack([x23(), jnp.ones([3])]),
    RangeError,
    "Cannot stack: shapes must match, got [2, 3] and [3]",
  ],
  [
    "unequal parts",
    () => x23().split(2, { axis: 1 }),
    RangeError,
    "Cannot split: the parts must be equal, got 2 for the extent 3 of shape [2, 3]; arraySplit allows unequal ones",
  ],
  [
    "no parts",
    () => x23().arraySplit(0),
    RangeError,
    "Cannot arraySplit: the number of parts must be at least 1, got 0",
  ],
  [
    "negative widths",
    () => x23().pad(-1),
    RangeError,
    "Cannot pad: widths must not be negative, got -1",
  ],
  [
    "widths",
    () => x23().pad([[1, 1], [1, 1], [1, 1]]),
    RangeError,
    "Cannot pad: one pair for each axis is required, got 3 for shape [2, 3]",
  ],
  [
    "a mode",
    () => x23().pad(1, { mode: "mean" as "edge" }),
    TypeError,
    'Cannot pad: mode must be one of constant, edge, reflect, symmetric, wrap, got "mean"',
  ],
  [
    "a value without use",
    () => x23().pad(1, { mode: "edge", constantValues: 1 }),
    TypeError,
    'Cannot pad: constantValues is for mode "constant", got mode "edge"',
  ],
  [
    "nothing to continue",
    () => jnp.zeros([0]).pad(1, { mode: "wrap" }),
    RangeError,
    'Cannot pad: mode "wrap" requires elements along every padded axis, got none along axis 0 of shape [0]',
  ],
  [
    "repeats",
    () => x23().repeat([1, 2], { axis: 1 }),
    RangeError,
    "Cannot repeat: as many repeats as axes are required",
  ],
  [
    "negative repeats",
    () => x23().repeat(-1),
    RangeError,
    "Cannot repeat: repeats must not be negative, got -1",
  ],
  [
    "negative reps",
    () => x23().tile([-1]),
    RangeError,
    "Cannot tile: reps must be integers that are not negative, got [-1]",
  ],
  [
    "half a shift",
    () => x23().roll(0.5),
    TypeError,
    "Cannot roll: shift must be an integer or an array of integers, got 0.5",
  ],
  [
    "one axis to turn",
    () => x23().rot90({ axes: [0] as unknown as [number, number] }),
    RangeError,
    "Cannot rot90: two axes are required, got [0]",
  ],
  [
    "an unknown option",
    () => x23().flip({ axes: 0 } as unknown as { axis: 0 }),
    TypeError,
    'Cannot flip: unknown option "axes"; allowed are axis',
  ],
];

Deno.test("movements that cannot be say what is required", async () => {
  await init({ backend: "cpu" });
  for (const [name, call, type, text] of wrong) assertThrows(call, type, text, name);
});
