// Arrays of more vectors than one dimension of a grid has workgroups for.

import { assertEquals } from "@std/assert";
import { init, numpy as jnp } from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";

webgpuTest("an elementwise kernel reaches every element past 65,535 workgroups", async () => {
  await init({ backend: "webgpu" });
  // A workgroup takes 256 elements: these need 65,540 of them, in two rows of the grid.
  const size = 65_540 * 256 - 3;
  const x = jnp.arange(size).mod(1000);
  const expected = Math.floor(size / 1000) * 499_500 + (size % 1000) * (size % 1000 - 1) / 2;
  // Each sum stays below 2**31, and all of them are read.
  const sums = await x.reshape([size / 7, 7]).sum({ axis: 1 }).data();
  assertEquals((sums as Int32Array).reduce((a, b) => a + b, 0), expected);
});
