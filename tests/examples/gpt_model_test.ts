// The GPT of the example: its cache, and a training that is stopped and resumed.

import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { castTo, memoryStats, type NDArray, random, scope, tree } from "../../mod.ts";
import { gpt, type GptParams } from "../../examples/gpt/model.ts";
import { sample } from "../../examples/gpt/sampling.ts";
import type { Text } from "../../examples/gpt/text.ts";
import { GptTraining } from "../../examples/gpt/training.ts";
import { onBothBackends } from "../backends.ts";
import { withFolder } from "../io/temporary_folder.ts";

const sizes = { vocabulary: 256, layers: 2, heads: 2, features: 16 };

/** A text in which every byte follows from the one before it. */
function alphabet(): Text {
  const bytes = new TextEncoder().encode("abcdefgh".repeat(50));
  return { name: "the alphabet", checksum: 1, train: bytes, test: bytes };
}

const plan = { ...sizes, policy: "mixed_float16", steps: 12, batch: 4, length: 8, seed: 3 };

/** The bits of every array of the parameters. */
async function bitsOf(params: GptParams): Promise<string[]> {
  const leaves = tree.leaves(params) as NDArray[];
  return await Promise.all(leaves.map(async (leaf) => String(await leaf.data())));
}

onBothBackends("the GPT's cache gives the logits of the whole text, in every type", async () => {
  const tolerances = [["float32", 1e-5], ["float16", 0.02], ["bfloat16", 0.15]] as const;
  for (const [dtype, tolerance] of tolerances) {
    await scope(async () => {
      const model = gpt(sizes);
      const params = castTo(model.init(random.key(0)), dtype);
      const tokens = random.randint(random.key(1), [2, 7], 0, 256);
      const whole = model.apply(params, tokens);
      assertEquals([whole.dtype, whole.shape], [dtype, [2, 7, 256]]);
      let cache = model.initCache(params, 2, 7);
      for (let at = 0; at < 7; at++) {
        const [logits, next] = model.decode(params, tokens.slice([], [at, at + 1]), cache);
        const off = logits.sub(whole.slice([], [at, at + 1])).astype("float32");
        assertLess(Number(await off.max().item()), tolerance);
        assertLess(-Number(await off.min().item()), tolerance);
        cache = next;
      }
    });
  }
});

onBothBackends(
  "the GPT learns the alphabet and goes on with it past what it looks at",
  async () => {
    const long = { ...plan, steps: 60 };
    using training = await GptTraining.prepare(long, alphabet());
    const reports = await Array.fromAsync(training.run());
    assertLess(reports.at(-1)!.loss, reports[0].loss / 4);
    assertEquals(reports.at(-1)!.skipped, 0);
    assertLess(await training.testLoss(), 0.5);
    const written = await scope(() =>
      sample(training.model, training.castParams(), {
        prompt: new TextEncoder().encode("ab"),
        count: 30,
        length: 8,
        temperature: 0,
        key: random.key(0),
      })
    );
    assertEquals(
      new TextDecoder().decode(written),
      "cdefghab".repeat(4).slice(0, 30),
    );
  },
);

onBothBackends("memory stays the same from step to step", async () => {
  using training = await GptTraining.prepare(plan, alphabet());
  const reports = await Array.fromAsync(training.run());
  const bytes = reports.slice(2).map(({ liveBytes }) => liveBytes);
  assertEquals(new Set(bytes).size, 1, bytes.join());
});

onBothBackends("a run that was stopped ends on the bits of one that was not", async () => {
  await withFolder(async (folder) => {
    const checkpoint = `${folder}/run.safetensors`;
    using whole = await GptTraining.prepare(plan, alphabet());
    const reports = await Array.fromAsync(whole.run());
    {
      using stopped = await GptTraining.prepare(plan, alphabet(), { checkpoint });
      for await (const { step } of stopped.run()) if (step === 7) break;
    }
    using resumed = await GptTraining.prepare(plan, alphabet(), { checkpoint, resume: true });
    assertEquals(resumed.reports.length, 5);
    await Array.fromAsync(resumed.run());
    assertEquals(await bitsOf(resumed.params), await bitsOf(whole.params));
    assertEquals(resumed.reports.map(({ loss }) => loss), reports.map(({ loss }) => loss));
    await assertRejects(
      () => GptTraining.prepare({ ...plan, seed: 4 }, alphabet(), { checkpoint, resume: true }),
      RangeError,
      "Cannot resume: the checkpoint must be of",
    );
  });
});

onBothBackends("nothing of a training is left when it is disposed", async () => {
  const train = async () => {
    using training = await GptTraining.prepare({ ...plan, steps: 2 }, alphabet());
    await Array.fromAsync(training.run());
    return await training.testLoss();
  };
  const first = await train();
  const before = memoryStats().liveArrays;
  assertEquals(await train(), first);
  // The two arrays of the log that metrics are read from have nobody to dispose them but the finalizer.
  assertLess(memoryStats().liveArrays, before + 3);
});
