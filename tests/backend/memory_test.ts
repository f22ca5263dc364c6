// What arrays cost, when their memory is freed, and what happens past the limits.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { asArray, asNDArray, fromHost, type NDArray } from "../../src/array.ts";
import { currentBackend, setBackend } from "../../src/backend/backend.ts";
import { CpuBackend } from "../../src/backend/cpu.ts";
import { WebGPUBackend } from "../../src/backend/webgpu.ts";
import { init, memoryStats, resetPeakMemory } from "../../src/device.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { assembleKernel } from "../../kernels/kernel.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { astype } from "../../src/ops/cast.ts";
import { iota } from "../../src/ops/constant.ts";
import { broadcastTo, reshape, transpose } from "../../src/ops/movement.ts";
import { reduce, sumOperation } from "../../src/ops/reduction.ts";
import { exp } from "../../src/ops/elementary.ts";
import { jit } from "../../src/transform/jit.ts";
import { scope } from "../../src/transform/scope.ts";
import { webgpuTest } from "../webgpu_test.ts";

const array = (x: Parameters<typeof asArray>[0]) => asArray(x, "array");

for (const backend of ["webgpu", "cpu"] as const) {
  const test = backend === "webgpu" ? webgpuTest : Deno.test;

  test(`half arrays take half the bytes of float32 ones (${backend})`, async () => {
    await init({ backend });
    const made = (dtype: "float32" | "float16" | "bfloat16") => {
      const before = memoryStats().liveBytes;
      const x = fromHost(new Float32Array(4096), [64, 64], dtype);
      const bytes = memoryStats().liveBytes - before;
      assertEquals(x.nbytes, bytes);
      x.dispose();
      assertEquals(memoryStats().liveBytes, before);
      return bytes;
    };
    assertEquals(made("float32"), 16384);
    assertEquals(made("float16"), 8192);
    assertEquals(made("bfloat16"), 8192);
  });

  test(`disposing one handle leaves another of the same bytes alone (${backend})`, async () => {
    await init({ backend });
    const x = array([[1, 2], [3, 4]]);
    const y = asNDArray(reshape(x, [4]));
    x.dispose();
    assertEquals(await y.toList(), [1, 2, 3, 4]);
    assertThrows(() => add(x, 1), Error, "consumed by dispose()");
    await assertRejects(() => x.data(), Error, "consumed by dispose()");
    x.dispose();
  });

  test(`a donated array cannot be used again, nor be passed twice (${backend})`, async () => {
    await init({ backend });
    const double = jit((x: NDArray) => asNDArray(mul(x, 2)), { donateArgnums: 0, name: "double" });
    const x = array([1, 2]);
    assertEquals(await double(x).toList(), [2, 4]);
    assertThrows(() => double(x), Error, "consumed by donation to double");
    const both = jit((x: NDArray, y: NDArray) => asNDArray(add(x, y)), { donateArgnums: [0] });
    const y = array([1, 2]);
    assertThrows(() => both(y, y), Error, "donated array was passed twice");
    assertEquals(await y.toList(), [1, 2]);
  });

  test(`scope() frees what its function made and did not return (${backend})`, async () => {
    await init({ backend });
    const before = memoryStats().liveArrays;
    const kept = scope(() => {
      const x = array([1, 2, 3]);
      return { total: asNDArray(reduce(sumOperation, asNDArray(mul(x, x)), [0])) };
    });
    assertEquals(memoryStats().liveArrays, before + 1);
    assertEquals(await kept.total.item(), 14);
    kept.total.dispose();
    const later = await scope(async () => {
      const x = array([1, 2]);
      await x.data();
      const y = asNDArray(add(x, 1));
      return y;
    });
    assertEquals(await later.toList(), [2, 3]);
    later.dispose();
    assertEquals(memoryStats().liveArrays, before);
    assertThrows(
      () =>
        scope(() => {
          array([1]);
          throw new Error("the user's own");
        }),
      Error,
      "the user's own",
    );
    assertEquals(memoryStats().liveArrays, before);
  });
}

Deno.test("past the memory limit a RangeError lists what is live and names the ways out", async () => {
  await init({ backend: "cpu" });
  const usual = currentBackend();
  try {
    setBackend(new CpuBackend(10_000));
    const x = fromHost(new Float32Array(2000), [2000], "float32");
    const error = assertThrows(() => add(x, 1), RangeError, "memory limit of 10000");
    for (const word of ["float32[2000]", "scope", "donateArgnums", "memoryLimit"]) {
      assert((error as Error).message.includes(word), word);
    }
    assertEquals((await x.data()).length, 2000);
  } finally {
    setBackend(usual);
  }
});

webgpuTest("the temporaries of a fused program in half types take half the bytes", async () => {
  await init({ backend: "webgpu" });
  const program = jit((x: NDArray) => {
    const h = exp(mul(x, 0.5));
    return asNDArray(
      add(reduce(sumOperation, h, [0]), reduce(sumOperation, transpose(h, [1, 0]), [1])),
    );
  });
  const bytes = (dtype: "float32" | "float16") =>
    program.lower(fromHost(new Float32Array(1 << 16), [256, 256], dtype)).memoryAnalysis()
      .tempBytes;
  assert(bytes("float32") >= 1 << 18);
  // Partial sums of a long reduction stay float32: a few of them, whatever is stored.
  assert(bytes("float16") <= 0.52 * bytes("float32"), `${bytes("float16")} of ${bytes("float32")}`);
});

webgpuTest(
  "temporaries share buffers, and a chain of calls holds a constant amount of memory",
  async () => {
    await init({ backend: "webgpu" });
    const rows = (x: NDArray) => reduce(sumOperation, exp(transpose(x, [1, 0])), [0]);
    const program = jit((x: NDArray) => {
      let h = x;
      for (let i = 0; i < 6; i++) {
        h = asNDArray(exp(broadcastTo(reshape(rows(h), [64, 1]), [64, 64])));
      }
      return h;
    });
    const x = fromHost(new Float32Array(4096), [64, 64], "float32");
    assert(program.lower(x).memoryAnalysis().tempBytes <= 3 * x.nbytes);
    program(x).dispose();
    resetPeakMemory();
    const before = memoryStats();
    for (let i = 0; i < 200; i++) program(x).dispose();
    assertEquals(memoryStats().liveBytes, before.liveBytes);
    assertEquals(memoryStats().pooledBytes, before.pooledBytes);
  },
);

webgpuTest("buffers of sizes that never come again are given back to the system", async () => {
  const open = await openDevice();
  const context = new WebGPUBackend(open!, 2 ** 32);
  for (let i = 1; i <= 40; i++) {
    const storage = context.allocate(`trial ${i}`, (20 + i) * 2 ** 20);
    storage.release();
    assert(context.memoryStats().pooledBytes <= 2 ** 29 + 2 ** 26);
  }
  open!.device.destroy();
});

webgpuTest("an array past the binding limit is refused before anything is allocated", async () => {
  await init({ backend: "webgpu" });
  const before = memoryStats();
  const limit = currentBackend().info.limits.maxStorageBufferBindingSize!;
  const row = fromHost(new Float32Array(1024), [1024], "float32");
  assertThrows(
    () => exp(broadcastTo(row, [limit / 4096 + 1, 1024])),
    RangeError,
    "split it along an axis",
  );
  row.dispose();
  assertEquals(memoryStats().liveBytes, before.liveBytes);
});

webgpuTest("more than 65,535 workgroups are spread over two dimensions", async () => {
  await init({ backend: "webgpu" });
  const count = 65536 * 256 + 300;
  const x = asNDArray(astype(iota([count], 0, "int32"), "bfloat16"));
  const tail = (await asNDArray(reduce(sumOperation, astype(x, "float32"), [0])).item()) as number;
  // Every value is within 2**-9 of itself after rounding to bfloat16, and ties even out.
  assert(Math.abs(tail / (count * (count - 1) / 2) - 1) < 1e-3, String(tail));
  x.dispose();
});

webgpuTest(
  "an array made before a pending read keeps its bytes when its buffer is written again",
  async () => {
    await init({ backend: "webgpu" });
    const results: NDArray[] = [];
    for (let i = 0; i < 40; i++) {
      const x = array([i, i + 1]);
      results.push(asNDArray(mul(x, 10)));
      x.dispose();
    }
    const lists = await Promise.all(results.map((r) => r.toList()));
    assertEquals(lists, results.map((_, i) => [i * 10, i * 10 + 10]));
  },
);

webgpuTest(
  "a kernel that does not compile is an error at the next read that quotes its line",
  async () => {
    await init({ backend: "webgpu" });
    const backend = currentBackend() as WebGPUBackend;
    const x = array([1, 2]);
    backend.pipelines.get(assembleKernel({
      name: "broken",
      bindings: [],
      parameters: [],
      workgroupSize: "1",
      body: "let wrong = nonsense;",
      workgroups: [1, 1, 1],
    }, backend.target));
    const error = await assertRejects(() => x.data(), Error, "Cannot compile kernel broken");
    assert((error as Error).message.includes("let wrong = nonsense;"));
    assertEquals(await x.toList(), [1, 2]);
  },
);

webgpuTest(
  "after the device is lost every operation says so, and init() makes a new one",
  async () => {
    await init({ backend: "webgpu" });
    const usual = currentBackend();
    const doomed = new WebGPUBackend((await openDevice())!, 2 ** 30);
    setBackend(doomed);
    try {
      const x = array([1, 2]);
      assertEquals(await x.toList(), [1, 2]);
      doomed.device.destroy();
      await doomed.device.lost;
      assertThrows(() => add(x, 1), Error, "device was lost");
      await assertRejects(() => x.data(), Error, "device was lost");
      await init();
      assertThrows(() => add(x, 1), Error, "replaced");
      assertEquals(await asNDArray(add(array([1]), 1)).toList(), [2]);
      (currentBackend() as WebGPUBackend).device.destroy();
    } finally {
      setBackend(usual);
    }
  },
);
