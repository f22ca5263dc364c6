// What holds for the kernels of attention before a device sees them: which extents share a text, what they fit
// into, and that every gradient is computed once.

import { assert, assertEquals } from "@std/assert";
import {
  type AttentionDescription,
  backwardSteps,
  forwardSteps,
  supportsAttention,
} from "../../../kernels/attention/attention.ts";
import { maxIterations } from "../../../kernels/reduce/team.ts";
import { baselineTarget, type Target } from "../../../kernels/target.ts";
import { attentionForm, backwardParts, tilesADispatch } from "../../../kernels/attention/tile.ts";

const software: Target = {
  ...baselineTarget,
  kind: "software",
  subgroupSize: 8,
  maxStorageBuffers: 32,
};
const targets: readonly Target[] = [
  software,
  { ...software, subgroupSize: 0 },
  { ...baselineTarget, maxStorageBuffers: 16 },
  { ...baselineTarget, kind: "discrete", maxStorageBuffers: 16 },
];

function described(extents: Partial<AttentionDescription>): AttentionDescription {
  return {
    batch: 2,
    queries: 100,
    keys: 100,
    heads: 4,
    keyHeads: 2,
    headSize: 64,
    format: "bfloat16",
    scale: 0.125,
    isCausal: false,
    ...extents,
  };
}

const texts = (description: AttentionDescription, target: Target) =>
  [forwardSteps(description, target), backwardSteps(description, target)]
    .map(({ steps }) => steps.map(({ kernel }) => kernel.code));

Deno.test("one text serves every batch, number of heads and, from a tile on, every length", () => {
  for (const target of targets) {
    const wanted = texts(described({}), target);
    const others = [{ batch: 3 }, { heads: 6 }, { queries: 131, keys: 77 }, { scale: 1 }];
    for (const other of others) assertEquals(texts(described(other), target), wanted);
  }
});

Deno.test("heads up to 256 fit into the workgroup memory of every device", () => {
  for (const target of targets) {
    for (const headSize of [4, 20, 64, 128, 256]) {
      for (
        const { steps } of [forwardSteps, backwardSteps].map((make) =>
          make(described({ headSize }), target)
        )
      ) {
        for (const { kernel } of steps) {
          const arrays = kernel.code.matchAll(/var<workgroup> \w+: array<(vec4f|f32), (\d+)>/g);
          const bytes = [...arrays].reduce(
            (sum, [, type, count]) => sum + (type === "f32" ? 4 : 16) * Number(count),
            0,
          );
          assert(bytes <= target.maxWorkgroupStorage, `${bytes} bytes for heads of ${headSize}`);
        }
      }
    }
  }
});

Deno.test("no part of a backward pass is without tiles, whatever the number of keys", () => {
  for (const target of targets) {
    for (let keys = 1; keys < 400; keys += 7) {
      const description = described({ batch: 1, heads: 1, keyHeads: 1, keys });
      const form = attentionForm(description, "backward", target);
      const parts = backwardParts(description, form, target);
      const tiles = Math.ceil(keys / form.rows);
      assert((parts - 1) * Math.ceil(tiles / parts) < tiles, `${parts} parts of ${tiles} tiles`);
    }
  }
});

Deno.test("what would run longer than a CPU driver lets loops run is divided or refused", () => {
  const long = described({ batch: 1, heads: 1, keyHeads: 1, queries: 20_000, keys: 70_000 });
  assert(supportsAttention(long, "forward", software));
  const form = attentionForm(long, "backward", software);
  const blocks = Math.ceil(long.queries / form.block);
  const turns = tilesADispatch(long, software) * blocks * form.iterations(2, 0);
  assert(turns > 0 && turns < maxIterations(software));
  assertEquals(supportsAttention(described({ keys: 10_000_000 }), "forward", software), false);
  assertEquals(supportsAttention(described({}), "backward", baselineTarget), false);
});
