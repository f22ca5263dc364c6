// Reductions on the adapter against float64, over shapes, types, storage formats and kinds of device.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { StorageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { baselineTarget } from "../../kernels/target.ts";
import {
  type Combiner,
  type ComputeType,
  type ReduceExtents,
  reduceIsAligned,
  reduceKernel,
} from "../../kernels/reduce/reduce.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { arrayFragment, epilogueFragment } from "./array_fragment.ts";
import { identities, noise, reference } from "./reduce_oracle.ts";
import { decode, encode, openKernelDevice } from "./run_kernel.ts";

type Numbers = ArrayLike<number>;

const typeOf = (format: StorageFormat): ComputeType =>
  ({ int32: "vec4i", uint32: "vec4u", bool: "vec4<bool>" } as Record<string, ComputeType>)[
    format
  ] ?? "vec4f";

interface Case extends ReduceExtents {
  readonly combiner: Combiner;
  readonly format: StorageFormat;
  readonly output?: StorageFormat;
  readonly target?: Target;
  readonly aligned?: boolean;
}

/** Reduces the values and returns what was stored. */
async function reduceOnDevice(test: Case, values: Numbers): Promise<Numbers> {
  const { run, target: own } = await openKernelDevice();
  const { outer, inner, combiner, format, output = format, target = own } = test;
  const input = arrayFragment({ format, aligned: test.aligned ?? reduceIsAligned(test) });
  const type = typeOf(format);
  const { length } = test;
  const kernel = reduceKernel(
    { combiner, type, outer, length, inner, input, outputs: [output] },
    target,
  );
  const [result] = await run(kernel, [encode(format, values)], [{
    format: output,
    size: outer * inner,
  }]);
  return result;
}

/** Compares a case with float64, to the rounding errors of float32 sums and one of the stored format. */
async function check(test: Case): Promise<void> {
  const { outer, length, inner, combiner, format, output = format } = test;
  const raw = noise(outer * length * inner, length + inner);
  const values = combiner === "prod" ? raw.map((v) => 1 + v / 16) : raw;
  const stored = decode(format, encode(format, values));
  const result = await reduceOnDevice(test, stored);
  const expected = reference(combiner, test, stored);
  const scale = combiner === "sum" ? reference("sum", test, Array.from(stored, Math.abs)) : null;
  const eps = { float16_packed: 2 ** -11, float16_native: 2 ** -11, bfloat16: 2 ** -8 }[
    output as string
  ] ?? 0;
  for (let i = 0; i < expected.length; i++) {
    const rounding = combiner === "max" || combiner === "min"
      ? 0
      : 2e-6 * (scale ? scale[i] : Math.abs(expected[i]));
    const error = Math.abs(result[i] - expected[i]);
    assert(
      error <= rounding + eps * Math.abs(expected[i]),
      `${JSON.stringify(test)}: element ${i} is ${result[i]}, not ${expected[i]}`,
    );
  }
}

const shapes: ReduceExtents[] = [
  { outer: 1, length: 1, inner: 1 },
  { outer: 7, length: 3, inner: 1 },
  { outer: 6, length: 32, inner: 1 },
  { outer: 3, length: 77, inner: 1 },
  { outer: 9, length: 600, inner: 1 },
  { outer: 1, length: 10007, inner: 1 },
  { outer: 1, length: 5, inner: 12 },
  { outer: 3, length: 70, inner: 8 },
  { outer: 5, length: 9, inner: 2 },
  { outer: 4, length: 11, inner: 3 },
  { outer: 3, length: 6, inner: 5 },
  { outer: 1, length: 130, inner: 10 },
];

webgpuTest(
  "reduceKernel() sums rows and columns of every shape and format as float64 does",
  async () => {
    for (const shape of shapes) {
      for (const format of ["float32", "float16_packed", "bfloat16"] as const) {
        await check({ ...shape, combiner: "sum", format });
      }
    }
  },
);

webgpuTest("reduceKernel() multiplies, and finds extremes", async () => {
  for (const combiner of ["prod", "max", "min"] as const) {
    for (const shape of [shapes[2], shapes[3], shapes[8], shapes[10]]) {
      await check({ ...shape, combiner, format: "float32" });
      await check({ ...shape, combiner, format: "bfloat16", output: "float32" });
    }
  }
});

webgpuTest(
  "reduceKernel() needs no subgroups, and uses more threads where the device has them",
  async () => {
    const { target } = await openKernelDevice();
    const targets: Target[] = [
      { ...target, subgroupSize: 0 },
      { ...target, subgroupSize: 0, kind: "integrated" },
      { ...target, kind: "discrete" },
      { ...baselineTarget, kind: "discrete" },
    ];
    for (const other of targets) {
      for (const shape of [shapes[1], shapes[3], shapes[5], shapes[9], shapes[11]]) {
        await check({ ...shape, combiner: "sum", format: "bfloat16", target: other });
      }
      await check({
        outer: 2,
        length: 2000,
        inner: 1,
        combiner: "max",
        format: "float32",
        target: other,
      });
      await check({
        outer: 2,
        length: 300,
        inner: 12,
        combiner: "prod",
        format: "float32",
        target: other,
      });
    }
  },
);

webgpuTest("reduceKernel() reads and writes native float16", async () => {
  const { target } = await openKernelDevice();
  if (!target.shaderF16) return;
  for (const shape of [shapes[3], shapes[7], shapes[9]]) {
    const native: Target = { ...target, nativeFloat16Storage: true };
    await check({ ...shape, combiner: "sum", format: "float16_native", target: native });
  }
});

webgpuTest("reduceKernel() serves any shape with an unaligned fragment", async () => {
  for (const shape of [shapes[2], shapes[4], shapes[6], shapes[7]]) {
    await check({ ...shape, combiner: "sum", format: "float16_packed", aligned: false });
  }
});

webgpuTest(
  "reduceKernel() lets NaN win in max and min, and keeps infinities and zeros",
  async () => {
    const rows = [
      [1, NaN, 3, 2],
      [-1, -3, NaN, -2],
      [Infinity, 1, -Infinity, 0],
      [-Infinity, -Infinity, -Infinity, -Infinity],
      [-0, 0, -0, 0],
      [1e-45, -1e-45, 0, 0],
    ];
    for (const combiner of ["max", "min"] as const) {
      for (const inner of [1, 4]) {
        const flat = rows.flatMap((row) => inner === 1 ? row : row.flatMap((v) => [v, v, v, v]));
        const shape = { outer: rows.length, length: 4, inner };
        const result = await reduceOnDevice({ ...shape, combiner, format: "float32" }, flat);
        const expected = rows.flatMap((row) => Array<number>(inner).fill(Math[combiner](...row)));
        assertEquals(Array.from(result), Array.from(Float32Array.from(expected)));
      }
    }
  },
);

webgpuTest("reduceKernel() gives the identity for an empty axis", async () => {
  for (const combiner of ["sum", "prod", "max", "min"] as const) {
    for (const inner of [1, 4]) {
      const empty: Case = { outer: 3, length: 0, inner, combiner, format: "float32" };
      const result = await reduceOnDevice(empty, []);
      assertEquals(Array.from(result), Array(3 * inner).fill(identities[combiner]));
    }
  }
});

webgpuTest("reduceKernel() wraps integers and finds their extremes", async () => {
  const values = [2 ** 31 - 1, 5, -7, -(2 ** 31), 123456789, 3, 1 << 30, 77, 65537, 9];
  for (const format of ["int32", "uint32"] as const) {
    const wrap = format === "int32" ? (v: number) => v | 0 : (v: number) => v >>> 0;
    const stored = values.map(wrap);
    const expected: Partial<Record<Combiner, number>> = {
      sum: wrap(Number(BigInt.asIntN(32, stored.reduce((a, v) => a + BigInt(v), 0n)))),
      prod: wrap(stored.reduce((a, v) => Math.imul(a, v), 1)),
      max: Math.max(...stored),
      min: Math.min(...stored),
    };
    for (const [combiner, value] of Object.entries(expected) as [Combiner, number][]) {
      const shape = { outer: 1, length: 10, inner: 1 };
      const result = await reduceOnDevice({ ...shape, combiner, format }, stored);
      assertEquals([combiner, ...Array.from(result)], [combiner, value]);
    }
  }
});

webgpuTest("reduceKernel() tells whether any or all are true", async () => {
  const rows = [[0, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 0]];
  for (const [combiner, expected] of [["any", [0, 1, 1, 1]], ["all", [0, 0, 1, 0]]] as const) {
    const shape = { outer: 4, length: 5, inner: 1 };
    const result = await reduceOnDevice({ ...shape, combiner, format: "bool" }, rows.flat());
    assertEquals(Array.from(result), [...expected]);
  }
});

Deno.test("reduceKernel() refuses a combiner that does not go with the type", () => {
  const input = arrayFragment({ format: "float32", aligned: true });
  const shape = { outer: 1, length: 4, inner: 1, input, outputs: ["float32"] as const };
  assertThrows(
    () => reduceKernel({ ...shape, combiner: "any", type: "vec4f" }, baselineTarget),
    TypeError,
    "Cannot reduce by any",
  );
  assertThrows(
    () =>
      reduceKernel(
        { ...shape, combiner: "sum", type: "vec4f", outer: 2, length: 3 },
        baselineTarget,
      ),
    RangeError,
    "Cannot reduce: rows of whole vectors are required for an aligned fragment, got [2, 3, 1]",
  );
});

webgpuTest(
  "the float16 mean of 70,000 ones is 1 and the float32 sum of 16,777,216 ones is exact",
  async () => {
    const { run, target } = await openKernelDevice();
    const mean = reduceKernel({
      combiner: "sum",
      type: "vec4f",
      outer: 1,
      length: 70000,
      inner: 1,
      input: arrayFragment({ format: "float16_packed", aligned: true }),
      outputs: ["float16_packed"],
      epilogue: epilogueFragment({ format: "float32", aligned: true, expression: "a / x" }),
    }, target);
    const ones = encode("float16_packed", new Float32Array(70000).fill(1));
    const wanted = [{ format: "float16_packed" as const, size: 1 }];
    assertEquals(Array.from((await run(mean, [ones, encode("float32", [70000])], wanted))[0]), [1]);
    // The input costs no memory: an expression that is 1 everywhere.
    const length = 2 ** 24;
    const input = {
      ...arrayFragment({ format: "float32", aligned: true, expression: "x * 0.0 + 1.0" }),
    };
    const few = { ...input, emit: () => input.emit("zero()", [], "") };
    const shape = { outer: 1, length, inner: 1, outputs: ["float32" as const], input: few };
    const sum = reduceKernel({ combiner: "sum", type: "vec4f", ...shape }, target);
    const [total] = await run(sum, [encode("float32", [1, 2, 3, 4])], [{
      format: "float32",
      size: 1,
    }]);
    assertEquals(total[0], length);
  },
);

webgpuTest("reduceKernel() fuses an expression before and one after", async () => {
  const { run, target } = await openKernelDevice();
  const [outer, length] = [10, 24];
  const values = noise(outer * length);
  const others = noise(outer, 3);
  const kernel = reduceKernel({
    combiner: "sum",
    type: "vec4f",
    outer,
    length,
    inner: 1,
    input: arrayFragment({ format: "float32", aligned: true, expression: "x * x" }),
    outputs: ["float32"],
    epilogue: epilogueFragment({ format: "bfloat16", aligned: true, expression: "sqrt(a) + x" }),
  }, target);
  const data = [encode("float32", values), encode("bfloat16", others)];
  const [result] = await run(kernel, data, [{ format: "float32", size: outer }]);
  const stored = decode("bfloat16", data[1]);
  for (let o = 0; o < outer; o++) {
    const row = values.subarray(o * length, (o + 1) * length);
    const expected = Math.sqrt(row.reduce((a, v) => a + v * v, 0)) + stored[o];
    assert(Math.abs(result[o] - expected) < 1e-5);
  }
});

Deno.test("reduceKernel() writes the same text for another batch size", () => {
  const text = (outer: number) =>
    reduceKernel({
      combiner: "sum",
      type: "vec4f",
      outer,
      length: 100,
      inner: 8,
      input: arrayFragment({ format: "float32", aligned: true }),
      outputs: ["float32"],
    }, baselineTarget).code;
  assertEquals(text(2000), text(3000));
});

webgpuTest("reduceKernel() takes more than 65,535 workgroups", async () => {
  const { run, target } = await openKernelDevice();
  const [outer, length] = [262_600, 36];
  const kernel = reduceKernel({
    combiner: "max",
    type: "vec4u",
    outer,
    length,
    inner: 1,
    input: arrayFragment({ format: "uint32", aligned: true }),
    outputs: ["uint32"],
  }, target);
  assert(kernel.workgroups[1] > 1 && kernel.workgroups[0] <= 65535);
  const values = new Uint32Array(outer * length).map((_, i) => i);
  const [result] = await run(kernel, [new Uint8Array(values.buffer)], [
    { format: "uint32", size: outer },
  ]);
  assert(Array.from(result).every((v, o) => v === (o + 1) * length - 1));
});
