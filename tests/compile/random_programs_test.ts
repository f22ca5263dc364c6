// Random programs of movements, arithmetic, reductions and products: fused on the GPU, one operation at a
// time on the GPU, and on the CPU reference. Integers must agree exactly, half types between jit and eager.
// Every program has several results, some of which others are made of, and runs once on donated arguments.

import { assertEquals } from "@std/assert";
import { asArray, asNDArray, type NDArray } from "../../src/array.ts";
import { currentBackend, setBackend } from "../../src/backend/backend.ts";
import { CpuBackend } from "../../src/backend/cpu.ts";
import type { DType } from "../../src/core/dtype.ts";
import { init } from "../../src/device.ts";
import type { Value } from "../../src/ir/value.ts";
import { add, mul, sub } from "../../src/ops/arithmetic.ts";
import { astype } from "../../src/ops/cast.ts";
import { constant } from "../../src/ops/constant.ts";
import { dotGeneral } from "../../src/ops/contraction.ts";
import { broadcastTo, pad, reshape, slice, transpose } from "../../src/ops/movement.ts";
import { maxOperation, reduce, sumOperation } from "../../src/ops/reduction.ts";
import { jit } from "../../src/transform/jit.ts";
import { webgpuTest } from "../webgpu_test.ts";

type Below = (n: number) => number;

function random(seed: number): Below {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One random step on a pool of values; the same numbers give the same step. Some programs are mostly arithmetic. */
function step(pool: Value[], below: Below, kinds: number): Value {
  const x = pool[below(pool.length)]!;
  const { shape, dtype } = x.aval;
  const axes = shape.map((_, axis) => axis);
  switch (below(kinds)) {
    case 0:
      return transpose(x, axes.sort(() => below(2) - 0.5));
    case 1:
      return reshape(x, [shape.reduce((a, b) => a * b, 1)]);
    case 2:
      return slice(
        x,
        shape.map((e) => below(2) && e > 1 ? 1 : 0),
        shape.map(() => 1),
        shape.map((e) => Math.max(1, e - 1)),
      );
    case 3:
      return pad(x, constant(3, dtype), shape.map(() => below(2)), shape.map(() => below(3)));
    case 4:
      return broadcastTo(reshape(x, [1, ...shape]), [2, ...shape]);
    case 5:
      return shape.length === 0
        ? neg(x)
        : reduce(below(2) ? sumOperation : maxOperation, x, [below(shape.length)]);
    case 6: {
      const flat = reshape(x, [shape.reduce((a, b) => a * b, 1), 1]);
      const few = slice(flat, [0, 0], [1, 1], [Math.min(9, flat.aval.shape[0]!), 1]);
      return dotGeneral(few, transpose(few, [1, 0]), { contracting: [[1], [0]], batch: [[], []] });
    }
    case 7:
      return mul(sub(x, 1), 2);
    default: {
      const y = pool.find((v) => v !== x && v.aval.shape.join() === shape.join()) ?? x;
      return below(2) ? add(x, y) : sub(x, y);
    }
  }
}

function neg(x: Value): Value {
  return sub(0, x);
}

/** A program: its results are the last values, made and given, of the pool. */
function program(seed: number, steps: number): (x: NDArray, y: NDArray) => NDArray[] {
  return (x, y) => {
    const below = random(seed);
    const pool: Value[] = [x, y];
    const kinds = below(2) ? 9 : 20;
    for (let i = 0; i < steps; i++) {
      const made = step(pool, below, kinds);
      const size = made.aval.shape.reduce((a, b) => a * b, 1);
      if (size > 0 && size <= 2000 && made.aval.shape.length <= 5) pool.push(made);
    }
    return pool.slice(-8).map(asNDArray);
  };
}

function inputs(dtype: DType): [NDArray, NDArray] {
  const x = asArray([[1, -2, 3], [4, 5, -6]], "array");
  const y = asArray([[7, 3, 1], [2, -1, 4]], "array");
  return [asNDArray(astype(x, dtype)), asNDArray(astype(y, dtype))];
}

async function results(arrays: readonly NDArray[]): Promise<unknown[]> {
  return await Promise.all(
    arrays.map(async (a) => ({ shape: a.shape, data: [...await a.data()] })),
  );
}

for (const dtype of ["int32", "float16", "bfloat16", "float32"] as const) {
  webgpuTest(
    `random programs give the same ${dtype} results fused, eager and on the CPU reference`,
    async () => {
      await init({ backend: "webgpu" });
      const gpu = currentBackend();
      const cpu = new CpuBackend(2 ** 30);
      try {
        for (let seed = 1; seed <= 25; seed++) {
          const run = program(seed * 7919, 12);
          setBackend(gpu);
          const [x, y] = inputs(dtype);
          const fused = await results(jit(run)(x, y));
          const eager = await results(run(x, y));
          assertEquals(fused, eager, `jit against eager, seed ${seed}`);
          const donating = jit(run, { donateArgnums: [0, 1] });
          const donated = await results(donating(...inputs(dtype)));
          assertEquals(donated, eager, `jit with donation against eager, seed ${seed}`);
          if (dtype === "float16" || dtype === "bfloat16") continue;
          setBackend(cpu);
          assertEquals(
            fused,
            await results(run(...inputs(dtype))),
            `GPU against CPU, seed ${seed}`,
          );
        }
      } finally {
        setBackend(gpu);
      }
    },
  );
}
