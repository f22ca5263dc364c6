// Loading a safetensors file into arrays, on the CPU reference backend.

import { assertEquals, assertRejects } from "@std/assert";
import { init } from "../../src/device.ts";
import { loadSafetensors } from "../../src/io/safetensors_read.ts";

await init({ backend: "cpu" });

const trained = new URL("../../examples/data/digits_mlp.safetensors", import.meta.url);

/** A file with one tensor. */
function fileWith(dtype: string, shape: number[], data: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify({ x: { dtype, shape, data_offsets: [0, data.length] } }),
  );
  const file = new Uint8Array(8 + header.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(data, 8 + header.length);
  return file;
}

/** What `act` prints as warnings. */
async function warningsOf(act: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const original = console.warn;
  console.warn = (...words: unknown[]) => void warnings.push(words.join(" "));
  try {
    await act();
  } finally {
    console.warn = original;
  }
  return warnings;
}

Deno.test("loadSafetensors() reads the trained network by URL and by path", async () => {
  const weights = await loadSafetensors(trained);
  const shapes = Object.fromEntries(
    Object.entries(weights).map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]),
  );
  assertEquals(shapes, {
    w1: ["float32", 64, 256],
    b1: ["float32", 256],
    w2: ["float32", 256, 128],
    b2: ["float32", 128],
    w3: ["float32", 128, 10],
    b3: ["float32", 10],
  });
  const bytes = await Deno.readFile(trained);
  const last = new Float32Array(bytes.slice(-40).buffer);
  assertEquals(await weights.b3.data(), last);
});

Deno.test("loadSafetensors() keeps the bits of half tensors", async () => {
  const bits = Uint16Array.of(0x0001, 0x8000, 0x3c01, 0x7c00);
  const half = await loadSafetensors(fileWith("F16", [2, 2], new Uint8Array(bits.buffer)));
  assertEquals([half.x.dtype, half.x.shape], ["float16", [2, 2]]);
  assertEquals(await half.x.bits(), bits);
  const brain = await loadSafetensors(fileWith("BF16", [4], new Uint8Array(bits.buffer)));
  assertEquals(brain.x.dtype, "bfloat16");
  assertEquals(await brain.x.bits(), bits);
});

Deno.test("loadSafetensors() warns when it narrows, and counts what that changed", async () => {
  const doubles = new Uint8Array(new Float64Array([0.5, 0.1]).buffer);
  assertEquals(await warningsOf(() => loadSafetensors(fileWith("F64", [2], doubles))), [
    'loadSafetensors: "x" is F64 and is narrowed to float32; 1 of 2 values were rounded',
  ]);
  const longs = new Uint8Array(new BigInt64Array([7n]).buffer);
  assertEquals(await warningsOf(() => loadSafetensors(fileWith("I64", [1], longs))), [
    'loadSafetensors: "x" is I64 and is narrowed to int32',
  ]);
  assertEquals(
    await warningsOf(() => loadSafetensors(fileWith("I32", [1], Uint8Array.of(1, 0, 0, 0)))),
    [],
  );
});

Deno.test("loadSafetensors() refuses what is neither a path nor bytes", async () => {
  const notAPath = 7 as unknown as string;
  await assertRejects(() => loadSafetensors(notAPath), TypeError, "Cannot load safetensors");
  await assertRejects(() => loadSafetensors("no/such/file"), Deno.errors.NotFound);
});
