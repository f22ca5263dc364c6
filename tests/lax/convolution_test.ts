// Convolution against its definition, a sum over every place that a window sees.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { jit, jvp, lax, type NDArray, nn, numpy as jnp, random, vjp, vmap } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

interface Case {
  readonly x: readonly [batch: number, features: number, height: number, width: number];
  readonly kernel: readonly [outputs: number, inputs: number, height: number, width: number];
  readonly strides: readonly [number, number];
  readonly padding: readonly (readonly [number, number])[];
  readonly lhsDilation: readonly [number, number];
  readonly rhsDilation: readonly [number, number];
  readonly groups: number;
}

const cases: readonly Case[] = [
  {
    x: [2, 3, 5, 4],
    kernel: [4, 3, 3, 2],
    strides: [2, 1],
    padding: [[1, 0], [0, 2]],
    lhsDilation: [1, 1],
    rhsDilation: [1, 2],
    groups: 1,
  },
  {
    x: [1, 4, 3, 4],
    kernel: [6, 2, 2, 3],
    strides: [1, 1],
    padding: [[1, 1], [2, 2]],
    lhsDilation: [2, 3],
    rhsDilation: [1, 1],
    groups: 2,
  },
  {
    x: [2, 2, 6, 6],
    kernel: [2, 1, 4, 1],
    strides: [3, 2],
    padding: [[0, 0], [0, 0]],
    lhsDilation: [1, 2],
    rhsDilation: [1, 1],
    groups: 2,
  },
];

type At = (...place: number[]) => number;

/** Reads an array of four axes by place; 0 outside. */
function reader(data: ArrayLike<number>, shape: readonly number[]): At {
  return (...place) =>
    place.every((i, axis) => i >= 0 && i < shape[axis]!)
      ? data[place.reduce((sum, i, axis) => sum * shape[axis]! + i, 0)]!
      : 0;
}

/** The extent of the result along a spatial axis, by the windows that fit. */
function extentOf(c: Case, axis: 0 | 1): number {
  const stretched = (c.x[2 + axis]! - 1) * c.lhsDilation[axis] + 1;
  const whole = c.padding[axis]![0] + stretched + c.padding[axis]![1];
  let count = 0;
  const window = (c.kernel[2 + axis]! - 1) * c.rhsDilation[axis] + 1;
  while (count * c.strides[axis] + window <= whole) count++;
  return count;
}

function convolved(c: Case, x: At, kernel: At): { shape: number[]; data: number[] } {
  const [outputs, inputs] = c.kernel;
  const shape = [c.x[0], outputs, extentOf(c, 0), extentOf(c, 1)];
  const place = (i: number, k: number, axis: 0 | 1) => {
    const at = i * c.strides[axis] + k * c.rhsDilation[axis] - c.padding[axis]![0];
    return at % c.lhsDilation[axis] === 0 ? at / c.lhsDilation[axis] : -1;
  };
  const data: number[] = [];
  for (let n = 0; n < shape[0]!; n++) {
    for (let o = 0; o < outputs; o++) {
      const group = Math.floor(o / (outputs / c.groups));
      for (let i = 0; i < shape[2]!; i++) {
        for (let j = 0; j < shape[3]!; j++) {
          let sum = 0;
          for (let f = 0; f < inputs; f++) {
            for (let a = 0; a < c.kernel[2]; a++) {
              for (let b = 0; b < c.kernel[3]; b++) {
                const seen = x(n, group * inputs + f, place(i, a, 0), place(j, b, 1));
                sum += seen * kernel(o, f, a, b);
              }
            }
          }
          data.push(sum);
        }
      }
    }
  }
  return { shape, data };
}

function operands(c: Case): [NDArray, NDArray] {
  return [random.normal(random.key(1), c.x), random.normal(random.key(2), c.kernel)];
}

function convolution(c: Case): (x: NDArray, kernel: NDArray) => NDArray {
  const { lhsDilation, rhsDilation, groups } = c;
  return (x, kernel) =>
    lax.convGeneralDilated(x, kernel, c.strides, c.padding, {
      lhsDilation,
      rhsDilation,
      featureGroupCount: groups,
    });
}

async function inner(a: NDArray, b: NDArray): Promise<number> {
  return Number(await a.mul(b).sum().item());
}

onBothBackends("convGeneralDilated() is the sum over what each window sees", async () => {
  for (const c of cases) {
    const [x, kernel] = operands(c);
    const [a, b] = [
      reader(await x.data() as Float32Array, c.x),
      reader(await kernel.data() as Float32Array, c.kernel),
    ];
    const { shape, data } = convolved(c, a, b);
    for (const y of [convolution(c)(x, kernel), jit(convolution(c))(x, kernel)]) {
      assertEquals(y.shape, shape);
      const got = await y.data();
      data.forEach((v, i) => assert(Math.abs(got[i]! - v) < 1e-5, `${i}: ${got[i]}, wanted ${v}`));
    }
  }
});

onBothBackends(
  "convGeneralDilated() is linear in each operand: jvp() and vjp() agree",
  async () => {
    for (const c of cases) {
      const [x, kernel] = operands(c);
      const [dx, dk] = [random.normal(random.key(3), c.x), random.normal(random.key(4), c.kernel)];
      const fn = convolution(c);
      const [y, moved] = jvp(fn, [x, kernel], [dx, dk]);
      const expected = fn(dx, kernel).add(fn(x, dk));
      assert(Number(await moved.sub(expected).abs().max().item()) < 1e-4);
      const cotangent = random.normal(random.key(5), y.shape);
      const [, pullback] = vjp(fn, x, kernel);
      const [back, backKernel] = pullback(cotangent) as unknown as [NDArray, NDArray];
      const [left, right] = [
        await inner(moved, cotangent),
        await inner(back, dx) + await inner(backKernel, dk),
      ];
      assert(Math.abs(left - right) < 1e-3 * (1 + Math.abs(left)), `${left}, ${right}`);
    }
  },
);

onBothBackends("vmap() over images and over kernels is a loop", async () => {
  const [c] = cases as [Case];
  const fn = convolution(c);
  const xs = random.normal(random.key(1), [3, ...c.x]);
  const kernels = random.normal(random.key(2), [3, ...c.kernel]);
  const both = vmap(fn)(xs, kernels);
  const one = vmap((k: NDArray) => fn(xs.slice(0), k))(kernels);
  for (let i = 0; i < 3; i++) {
    const apart = both.slice(i).sub(fn(xs.slice(i), kernels.slice(i))).abs().max();
    assert(Number(await apart.item()) < 1e-5);
    const shared = one.slice(i).sub(fn(xs.slice(0), kernels.slice(i))).abs().max();
    assert(Number(await shared.item()) < 1e-5);
  }
});

onBothBackends("layouts and halves change nothing but the order and the rounding", async () => {
  const x = random.normal(random.key(1), [2, 3, 6, 5], { dtype: "float16" });
  const kernel = random.normal(random.key(2), [4, 3, 3, 2], { dtype: "float16" });
  const wanted = lax.convGeneralDilated(x, kernel, [2, 1], "SAME", {
    preferredElementType: "float32",
  });
  const y = lax.convGeneralDilated(
    x.transpose([2, 0, 3, 1]),
    kernel.transpose([2, 3, 1, 0]),
    [2, 1],
    "SAME",
    { dimensionNumbers: ["HNWC", "HWIO", "NCHW"] },
  );
  assertEquals([wanted.dtype, y.dtype, y.shape], ["float32", "float16", wanted.shape]);
  // Products of halves are exact in float32: only the last rounding differs.
  const away = Number(await y.astype("float32").sub(wanted).abs().max().item());
  assert(away <= 2 ** -11 * Number(await wanted.abs().max().item()) * 1.01, `${away}`);
  const large = jnp.full([1, 1, 2], 300, { dtype: "float16" });
  const signs = jnp.array([[[300, -300]]], { dtype: "float16" });
  assertEquals(await lax.convGeneralDilated(large, signs, [1], "VALID").item(), 0);
});

onBothBackends("a large window is as small a program as a small one", async () => {
  const lengthOf = (size: number) => {
    const layer = nn.conv({ inFeatures: 4, features: 4, kernelSize: [size, size] });
    return jit(layer.apply).lower(layer.init(random.key(0)), jnp.ones([1, 16, 16, 4])).wgsl()
      .length;
  };
  assert(lengthOf(11) < 1.05 * lengthOf(3) + 1);
  await Promise.resolve();
});

onBothBackends("convGeneralDilated() refuses what does not fit", async () => {
  const [x, kernel] = [jnp.ones([1, 3, 5]), jnp.ones([4, 3, 2])];
  const refused: [() => unknown, string][] = [
    [() => lax.convGeneralDilated(x, jnp.ones([4, 2, 2]), [1], "SAME"), "the kernel must have"],
    [() => lax.convGeneralDilated(x, kernel, [1, 1], "SAME"), "windowStrides must be a positive"],
    [() => lax.convGeneralDilated(x, kernel, [0], "SAME"), "windowStrides must be a positive"],
    [() => lax.convGeneralDilated(x, kernel, [1], [[1, 1], [1, 1]]), 'padding must be "SAME"'],
    [() => lax.convGeneralDilated(x, jnp.ones([4, 3]), [1], "SAME"), "the same number of axes"],
    [
      () =>
        lax.convGeneralDilated(x, kernel, [1], "SAME", { dimensionNumbers: ["NC", "OI", "NC"] }),
      "dimensionNumbers must name 1 spatial axes",
    ],
  ];
  for (const [run, message] of refused) assertThrows(run, RangeError, message);
  assertEquals(lax.convGeneralDilated(x, jnp.ones([4, 3, 9]), [1], "VALID").shape, [1, 4, 0]);
  await Promise.resolve();
});
