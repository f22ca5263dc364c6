// Attention and its gradients against float64: each option, odd extents, lengths on either side of
// the sizes of tiles, and what is far from ordinary.

import { assertEquals } from "@std/assert";
import { init } from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { type AttentionCase, wrongAttention } from "./attention_reference.ts";

const floats = ["float32", "float16", "bfloat16"] as const;

async function check(cases: readonly AttentionCase[], tolerance?: number): Promise<void> {
  await init({ backend: "webgpu" });
  const wrong: string[] = [];
  for (const [i, at] of cases.entries()) {
    // Kernels compile slowly: the types take turns.
    wrong.push(...await wrongAttention(at, floats[i % 3]!, tolerance));
  }
  assertEquals(wrong, []);
}

webgpuTest("attention and its gradients are right in every type", () => {
  const at = { queries: 40, keys: 70, heads: 2, headSize: 16 };
  return check([at, at, at]);
});

webgpuTest(
  "attention takes heads of any size",
  () =>
    check([1, 3, 20, 72, 128, 255].map((headSize) => ({
      queries: 19,
      keys: 35,
      heads: 2,
      headSize,
    }))),
);

webgpuTest(
  "attention takes any lengths of queries and keys",
  () =>
    check([[1, 1], [1, 70], [70, 1], [7, 9], [64, 64], [100, 33], [33, 129]].map(
      ([queries, keys]) => ({ batch: 2, queries: queries!, keys: keys!, heads: 2, headSize: 8 }),
    )),
);

webgpuTest(
  "one head's keys are shared out among workgroups, also where they do not divide",
  () =>
    check([20, 70, 100].map((keys) => ({ queries: 9, keys, headSize: 8, isCausal: keys === 100 }))),
);

webgpuTest(
  "causal attention compares positions counted from the first, whatever the lengths",
  () =>
    check([[40, 40], [9, 50], [50, 9], [130, 130]].map(([queries, keys]) => ({
      queries: queries!,
      keys: keys!,
      heads: 2,
      headSize: 12,
      isCausal: true,
    }))),
);

webgpuTest("heads of keys serve groups of heads of queries", () =>
  check([
    { batch: 2, queries: 21, keys: 40, heads: 6, keyHeads: 2, headSize: 16 },
    { queries: 33, keys: 20, heads: 4, keyHeads: 1, headSize: 5, isCausal: true },
  ]));

webgpuTest(
  "masks and biases of every shape are broadcast, and a query that sees nothing gives 0",
  () =>
    check([
      { batch: 2, queries: 20, keys: 36, heads: 3, headSize: 8, mask: [1, 1, 20, 36], blind: 2 },
      {
        batch: 2,
        queries: 20,
        keys: 36,
        heads: 3,
        headSize: 8,
        mask: [2, 1, 1, 36],
        isCausal: true,
      },
      {
        batch: 2,
        queries: 9,
        keys: 70,
        heads: 2,
        headSize: 8,
        mask: [2, 2, 9, 1],
        bias: [1, 2, 9, 70],
      },
      {
        batch: 2,
        queries: 30,
        keys: 17,
        heads: 4,
        keyHeads: 2,
        headSize: 7,
        mask: [2, 4, 30, 17],
        blind: 3,
      },
      { batch: 2, queries: 30, keys: 17, heads: 2, headSize: 8, bias: [2, 1, 1, 17], scale: 0.3 },
    ]),
);

webgpuTest("logits of ten thousand are no trouble", () =>
  // A float32 of that size is known to a thousandth, and so are its exponential and all that follows.
  check([{ queries: 20, keys: 40, heads: 2, headSize: 64, bound: 60, scale: 1 }], 1 / 64));
