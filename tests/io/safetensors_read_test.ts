// Loading a safetensors file into arrays, on the CPU reference backend.

import { pathToFileURL } from "node:url";
import { assertEquals, assertRejects } from "@std/assert";
import { init, loadSafetensors, memoryStats, numpy as jnp, saveSafetensors } from "../../mod.ts";
import { withFolder } from "./temporary_folder.ts";

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

Deno.test("loadSafetensors() reads a response and a stream, and no failed response", async () => {
  const bytes = await Deno.readFile(trained);
  const expected = (await loadSafetensors(bytes)).b3;
  const stream = new Blob([bytes]).stream();
  for (const source of [new Response(bytes), stream, await fetch(trained)]) {
    assertEquals(await (await loadSafetensors(source)).b3.toList(), await expected.toList());
  }
  await assertRejects(
    () => loadSafetensors(new Response("not there", { status: 404 })),
    TypeError,
    "Cannot load safetensors: a response that is ok is required, got status 404",
  );
  await assertRejects(
    () => loadSafetensors(new URL("https://example.com/model.safetensors")),
    TypeError,
    "pass await fetch(url)",
  );
});

Deno.test("loadSafetensors({ names }) reads no bytes of other tensors", async () => {
  const { prototype } = Deno.FsFile;
  const read = prototype.read;
  let total = 0;
  prototype.read = async function (buffer: Uint8Array) {
    const count = await read.call(this, buffer);
    total += count ?? 0;
    return count;
  };
  try {
    const weights = await loadSafetensors(trained, { names: ["b3", "b1"] });
    assertEquals(Object.keys(weights).sort(), ["b1", "b3"]);
  } finally {
    prototype.read = read;
  }
  const file = await Deno.readFile(trained);
  const header = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  assertEquals(total, header + 4 * (256 + 10));
  await assertRejects(
    () => loadSafetensors(trained, { names: ["b3", "b4"] }),
    RangeError,
    'got "b4"',
  );
  await assertRejects(
    () => loadSafetensors(trained, { names: "b3" as never }),
    TypeError,
    'names must be an array of strings, got "b3"',
  );
  await assertRejects(
    () => loadSafetensors(trained, { name: ["b3"] } as never),
    TypeError,
    'unknown option "name"',
  );
});

Deno.test("an index loads the tensors of several files", async () => {
  await withFolder(async (folder) => {
    const [first, second] = [
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ];
    await saveSafetensors(`${folder}/${first}`, { a: jnp.ones([2]), b: jnp.zeros([1]) });
    await saveSafetensors(`${folder}/${second}`, { c: jnp.array([3]) });
    const path = `${folder}/model.safetensors.index.json`;
    const write = (index: unknown) =>
      Deno.writeTextFile(path, typeof index === "string" ? index : JSON.stringify(index));
    await write({ metadata: { total_size: 16 }, weight_map: { b: first, c: second, a: first } });
    const all = await loadSafetensors(path);
    assertEquals(Object.keys(all).sort(), ["a", "b", "c"]);
    assertEquals(await all.c.toList(), [3]);
    const url = pathToFileURL(path);
    await Deno.remove(`${folder}/${first}`);
    assertEquals(Object.keys(await loadSafetensors(url, { names: ["c"] })), ["c"]);
    const before = memoryStats().liveArrays;
    await assertRejects(
      () => loadSafetensors(path),
      Deno.errors.NotFound,
      "Cannot load safetensors",
    );
    await assertRejects(() => loadSafetensors(path, { names: ["d"] }), RangeError, 'got "d"');
    const hostile: [unknown, string][] = [
      ["{", "the index must be JSON"],
      ["[]", "the index must be an object with a weight_map"],
      [{ weight_map: { a: 1 } }, 'must name files of its own folder, got 1 for "a"'],
      [{ weight_map: { a: "../a.safetensors" } }, "files of its own folder"],
      [{ weight_map: { a: "/etc/passwd" } }, "files of its own folder"],
      [{ weight_map: { a: ".." } }, "files of its own folder"],
      ['{"weight_map": {"a": "x", "a": "y"}}', 'must have every key once, got "a" twice'],
    ];
    for (const [index, message] of hostile) {
      await write(index);
      await assertRejects(() => loadSafetensors(path), TypeError, message);
    }
    await write({ weight_map: { c: second, d: second } });
    await assertRejects(() => loadSafetensors(path), RangeError, 'got "d"');
    assertEquals(memoryStats().liveArrays, before);
  });
});

Deno.test("a failure in the middle of a file leaves no array behind", async () => {
  await withFolder(async () => {
    const header = JSON.stringify({
      good: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      wrong: { dtype: "BOOL", shape: [1], data_offsets: [4, 5] },
    });
    const file = new Uint8Array(8 + header.length + 5).fill(2);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(new TextEncoder().encode(header), 8);
    const before = memoryStats().liveArrays;
    await assertRejects(() => loadSafetensors(file), RangeError, "must hold bytes of 0 and 1");
    assertEquals(memoryStats().liveArrays, before);
  });
});
