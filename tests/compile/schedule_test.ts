// Scheduling: what joins one kernel, what is stored between two, and that neither grows without bound.

import { assert, assertEquals } from "@std/assert";
import { asNDArray, fromHost, type NDArray } from "../../src/array.ts";
import { init } from "../../src/device.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { geluTanh } from "../../src/ops/activation.ts";
import { dotGeneral } from "../../src/ops/contraction.ts";
import { exp } from "../../src/ops/elementary.ts";
import { reshape, slice, transpose } from "../../src/ops/movement.ts";
import { reduce, sumOperation } from "../../src/ops/reduction.ts";
import { softmaxOperation } from "../../src/ops/softmax.ts";
import { bind1 } from "../../src/ir/trace.ts";
import type { Value } from "../../src/ir/value.ts";
import { jit } from "../../src/transform/jit.ts";
import { webgpuTest } from "../webgpu_test.ts";

const matmul = (a: Value, b: Value) =>
  dotGeneral(a, b, { contracting: [[1], [0]], batch: [[], []] });

async function dispatches(fn: (x: NDArray) => Value, shape: number[] = [16, 16]): Promise<number> {
  await init({ backend: "webgpu" });
  const x = fromHost(new Float32Array(shape.reduce((a, b) => a * b)), shape, "float32");
  return jit((y: NDArray) => asNDArray(fn(y))).lower(x).dispatches;
}

webgpuTest("a chain of elementwise operations and movements is one kernel", async () => {
  assertEquals(
    await dispatches((x) => transpose(exp(add(mul(x, 2), transpose(x, [1, 0]))), [1, 0])),
    1,
  );
});

webgpuTest("what precedes and follows a reduction joins its kernel", async () => {
  assertEquals(await dispatches((x) => exp(mul(reduce(sumOperation, exp(x), [1]), 3))), 1);
});

webgpuTest(
  "bias, activation and residual join the product; transposed operands are not copied",
  async () => {
    assertEquals(
      await dispatches((x) => add(x, geluTanh(add(matmul(x, transpose(x, [1, 0])), 1)))),
      1,
    );
  },
);

webgpuTest("a row operation takes a residual with it", async () => {
  assertEquals(await dispatches((x) => add(x, bind1(softmaxOperation, {}, mul(x, 0.125)))), 1);
});

webgpuTest(
  "a small value whose part is stretched is computed once, not for every element",
  async () => {
    assertEquals(
      await dispatches((x) => {
        const small = exp(slice(x, [0, 0], [1, 1], [2, 2]));
        return mul(x, reshape(slice(small, [1, 1], [1, 1], [1, 1]), []));
      }),
      2,
    );
  },
);

webgpuTest("an expensive value that two kernels read is stored once", async () => {
  assertEquals(
    await dispatches((x) => {
      const h = geluTanh(x);
      return add(matmul(h, x), matmul(x, h));
    }),
    3,
  );
});

webgpuTest("a reshape is no kernel", async () => {
  assertEquals(await dispatches((x) => reshape(x, [256])), 0);
  assertEquals(await dispatches((x) => reshape(exp(reshape(x, [4, 64])), [256])), 1);
});

webgpuTest("a product of odd width in half types is rounded by a second kernel", async () => {
  await init({ backend: "webgpu" });
  const x = fromHost(new Float32Array(21), [7, 3], "float16");
  const square = jit((y: NDArray) => asNDArray(matmul(transpose(y, [1, 0]), y)));
  assertEquals(square.lower(x).dispatches, 2);
});

webgpuTest("a long expression is cut into kernels of bounded size", async () => {
  const chain = (x: NDArray) => {
    let h: Value = x;
    for (let i = 0; i < 300; i++) h = add(h, mul(h, 0.5));
    return h;
  };
  const count = await dispatches(chain);
  assert(count >= 3 && count <= 8, String(count));
});
