// Saving safetensors files: the reference implementation's bytes, names, and what a failure leaves.

import { assertEquals, assertRejects } from "@std/assert";
import {
  type DType,
  init,
  jit,
  loadSafetensors,
  memoryStats,
  type NDArray,
  numpy as jnp,
  saveSafetensors,
  scope,
} from "../../mod.ts";
import { fromBytes } from "../../src/array.ts";
import { onBothBackends } from "../backends.ts";
import { filesIn, onFullDisk, withFolder } from "./temporary_folder.ts";

const reference = new URL("../data/reference.safetensors", import.meta.url);

onBothBackends("saveSafetensors() writes the reference implementation's bytes", async () => {
  await withFolder(async (folder) => {
    const tensors = await loadSafetensors(reference);
    const shuffled = Object.fromEntries(Object.entries(tensors).reverse());
    const path = `${folder}/out.safetensors`;
    await saveSafetensors(path, shuffled, { metadata: { "made by": "safetensors 0.8.0" } });
    assertEquals(await Deno.readFile(path), await Deno.readFile(reference));
    for (const array of Object.values(tensors)) array.dispose();
  });
});

onBothBackends("every bit of an array comes back, NaN payloads included", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/bits.safetensors`;
    const patterns: [DType, ArrayBufferView][] = [
      ["float32", Uint32Array.of(0x7f800001, 0xffc12345, 1, 0x80000000)],
      ["float16", Uint16Array.of(0x7c01, 0xfe12, 1, 0x8000, 0x7bff)],
      ["bfloat16", Uint16Array.of(0x7f81, 0xffd2, 1, 0x8000, 0x7f7f)],
      ["int32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
      ["uint32", Uint32Array.of(2 ** 32 - 1)],
      ["bool", Uint32Array.of(1, 0, 1)],
    ];
    const before = memoryStats().liveArrays;
    const saved = patterns.map(([dtype, view]) => {
      const bytes = new Uint8Array(view.buffer);
      const size = dtype.endsWith("16") ? bytes.length / 2 : bytes.length / 4;
      return fromBytes(bytes, { shape: [size], dtype });
    });
    await saveSafetensors(path, saved);
    const loaded = await loadSafetensors(path);
    for (const [i, [dtype, view]] of patterns.entries()) {
      const array = loaded[String(i)]!;
      assertEquals(array.dtype, dtype);
      const elements = dtype.endsWith("16") ? await array.bits() : await array.data();
      const expected = dtype === "bool" ? Uint8Array.of(1, 0, 1) : new Uint8Array(view.buffer);
      assertEquals(new Uint8Array(elements.buffer), expected);
    }
    for (const array of [...saved, ...Object.values(loaded)]) array.dispose();
    assertEquals(memoryStats().liveArrays, before);
  });
});

Deno.test("arrays of a tree are named by their keys, joined by dots", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/tree.safetensors`;
    const tree = {
      layers: [{ w: jnp.ones([2]) }, { w: jnp.zeros([1]), b: null }],
      "x.y": jnp.ones([]),
    };
    await saveSafetensors(path, tree);
    assertEquals(Object.keys(await loadSafetensors(path)).sort(), [
      "layers.0.w",
      "layers.1.w",
      "x.y",
    ]);
    await assertRejects(
      () => saveSafetensors(path, { a: { b: jnp.ones([1]) }, "a.b": jnp.ones([1]) }),
      RangeError,
      'Cannot save safetensors: names must differ, got two "a.b"',
    );
    await assertRejects(
      () => saveSafetensors(path, { __metadata__: jnp.ones([1]) }),
      RangeError,
      "must not be that of the metadata",
    );
  });
});

Deno.test("arrays may be donated and disposed of while they are being saved", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/state.safetensors`;
    const increment = jit((x: NDArray) => x.add(1), { donateArgnums: 0 });
    const x = jnp.ones([3]);
    const y = jnp.ones([2]);
    let saving = Promise.resolve();
    const before = memoryStats().liveArrays;
    scope(() => {
      saving = saveSafetensors(path, { x, y, z: jnp.zeros([1]) });
    });
    increment(x).dispose();
    y.dispose();
    await saving;
    assertEquals(memoryStats().liveArrays, before - 2);
    const { x: savedX, y: savedY, z } = await loadSafetensors(path);
    assertEquals(await Promise.all([savedX, savedY, z].map((own) => own.toList())), [
      [1, 1, 1],
      [1, 1],
      [0],
    ]);
  });
});

Deno.test("a disk that is full leaves the old file whole and nothing beside it", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/weights.safetensors`;
    await saveSafetensors(path, { w: jnp.ones([4]) });
    const whole = await Deno.readFile(path);
    const before = memoryStats().liveArrays;
    using w = jnp.zeros([100]);
    for (const bytes of [0, 20, 300]) {
      await assertRejects(
        () => onFullDisk(bytes, () => saveSafetensors(path, { w })),
        Error,
        "Cannot save safetensors: No space left on device",
      );
      assertEquals(filesIn(folder), ["weights.safetensors"]);
      assertEquals(await Deno.readFile(path), whole);
    }
    w.dispose();
    assertEquals(memoryStats().liveArrays, before);
  });
});

Deno.test("saveSafetensors() says what it cannot save, and where", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/x.safetensors`;
    const x = jnp.ones([1]);
    const before = memoryStats().liveArrays;
    await assertRejects(
      () => saveSafetensors(path, { a: x, b: [7] }),
      TypeError,
      "Cannot save safetensors: b.0 must be an NDArray, got 7",
    );
    await assertRejects(
      () => saveSafetensors(path, { x }, { metadata: { step: 1 } as never }),
      TypeError,
      'metadata "step" must be Unicode text, got 1',
    );
    await assertRejects(
      () => saveSafetensors(path, { x }, { meta: {} } as never),
      TypeError,
      'unknown option "meta"',
    );
    await assertRejects(
      () => saveSafetensors(7 as never, { x }),
      TypeError,
      "a path or a file: URL is required, got 7",
    );
    await assertRejects(
      () => saveSafetensors(`${folder}/none/x.safetensors`, { x }),
      Deno.errors.NotFound,
      "Cannot save safetensors: No such file",
    );
    assertEquals(memoryStats().liveArrays, before);
    assertEquals(filesIn(folder), []);
  });
});

Deno.test({
  name: "without permission for the folder saving says what it needs",
  permissions: { read: true, write: false, env: true },
  fn: async () => {
    await init({ backend: "cpu" });
    await assertRejects(
      () => saveSafetensors("no_such_folder/x.safetensors", { x: jnp.ones([1]) }),
      Deno.errors.NotCapable,
      "its folder needs --allow-read and --allow-write",
    );
  },
});
