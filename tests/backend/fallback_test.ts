// Devices that lack what the best kernels want: no float16, no subgroups, no synchronous read, native storage.
// Everything still works, and half types give the same bits.

import { assertEquals, assertThrows } from "@std/assert";
import { asArray, asNDArray, type NDArray } from "../../src/array.ts";
import { currentBackend, setBackend } from "../../src/backend/backend.ts";
import { WebGPUBackend } from "../../src/backend/webgpu.ts";
import { init } from "../../src/device.ts";
import { BufferPool } from "../../src/gpu/buffer_pool.ts";
import { type DeviceRequest, openDevice } from "../../src/gpu/device.ts";
import { Reader } from "../../src/gpu/readback.ts";
import { Recorder } from "../../src/gpu/recorder.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { geluTanh } from "../../src/ops/activation.ts";
import { astype } from "../../src/ops/cast.ts";
import { iota } from "../../src/ops/constant.ts";
import { dotGeneral } from "../../src/ops/contraction.ts";
import { reshape } from "../../src/ops/movement.ts";
import { reduce, sumOperation } from "../../src/ops/reduction.ts";
import { softmaxOperation } from "../../src/ops/softmax.ts";
import { bind1 } from "../../src/ir/trace.ts";
import { jit } from "../../src/transform/jit.ts";
import { webgpuTest } from "../webgpu_test.ts";

const requests: readonly (readonly [string, DeviceRequest])[] = [
  ["without shader-f16", { without: ["shader-f16"] }],
  ["without subgroups", { without: ["subgroups"] }],
  ["without 64-bit integers, as real GPUs are used", { without: ["wgpu-shader-int64"] }],
  ["with none of them", { without: ["shader-f16", "subgroups", "wgpu-shader-int64"] }],
  ["without either", { without: ["shader-f16", "subgroups"] }],
  ["with native float16 storage", { nativeFloat16Storage: true }],
  ["with packed float16 storage", { nativeFloat16Storage: false }],
];

/** A little of everything: a product with its epilogue, a softmax, a reduction, odd sizes. */
function network(x: NDArray): NDArray[] {
  const w = reshape(mul(add(iota([12 * 20], 0, "float32"), -100), 0.01), [12, 20]);
  const h = geluTanh(
    dotGeneral(x, astype(w, x.dtype), { contracting: [[1], [0]], batch: [[], []] }),
  );
  const p = bind1(softmaxOperation, {}, h);
  return [h, p, reduce(sumOperation, p, [0]), mul(x, 0.1)].map(asNDArray);
}

async function run(dtype: "float32" | "float16" | "bfloat16"): Promise<number[][]> {
  const numbers = Array.from(
    { length: 7 },
    (_, i) => Array.from({ length: 12 }, (_, j) => Math.sin(i * 12 + j)),
  );
  const x = asNDArray(astype(asArray(numbers, "array"), dtype));
  const results = jit(network)(x);
  return await Promise.all(results.map(async (r) => [...await r.data()]));
}

for (const [name, request] of requests) {
  webgpuTest(`a device ${name} computes the same half bits`, async () => {
    await init({ backend: "webgpu" });
    const usual = currentBackend();
    const expected = { float16: await run("float16"), bfloat16: await run("bfloat16") };
    const open = await openDevice(request);
    try {
      setBackend(new WebGPUBackend(open!, 2 ** 30));
      assertEquals(open!.target.shaderF16, !request.without?.includes("shader-f16"));
      if (request.without?.includes("wgpu-shader-int64")) {
        assertEquals(open!.target.shaderInt64, false);
      }
      assertEquals(open!.target.subgroupSize > 0, !request.without?.includes("subgroups"));
      const softmaxTolerance = request.without?.includes("subgroups") ? 2 ** -8 : 0;
      for (const dtype of ["float16", "bfloat16"] as const) {
        const got = await run(dtype);
        got.forEach((values, r) =>
          values.forEach((v, i) => {
            // Teams of another size sum rows in another order: their results may round the other way.
            const difference = Math.abs(v - expected[dtype][r]![i]!);
            const allowed = r === 0 || r === 3 ? 0 : softmaxTolerance * Math.abs(v);
            assertEquals(difference <= allowed, true, `${dtype} result ${r}[${i}]: ${v}`);
          })
        );
      }
    } finally {
      setBackend(usual);
      open!.device.destroy();
    }
  });
}

webgpuTest(
  "reading waits where the runtime cannot read at once, and dataSync() says so",
  async () => {
    const { device } = (await openDevice())!;
    const recorder = new Recorder(device);
    const pool = new BufferPool(device);
    const buffer = pool.take(16);
    device.queue.writeBuffer(buffer.gpu, 0, new Uint32Array([1, 2, 3, 4]));
    const reader = new Reader(device, recorder);
    assertThrows(() => reader.readSync(buffer, 16), Error, "await x.data()");
    assertEquals([...new Uint32Array((await reader.read(buffer, 16)).slice().buffer)], [
      1,
      2,
      3,
      4,
    ]);
    assertEquals(reader.canReadSynchronously(pool.take(16)), true);
    assertEquals([...new Uint32Array(reader.readSync(buffer, 16).slice().buffer)], [1, 2, 3, 4]);
    device.destroy();
  },
);
