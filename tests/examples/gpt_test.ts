// The GPT and the transformer block, run as the README runs them.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { webgpuTest } from "../webgpu_test.ts";
import { type ExampleRun, runExample } from "./example_run.ts";

/** What the GPT's JSON says of a policy. */
interface Run {
  readonly policy: string;
  readonly reports: readonly {
    readonly step: number;
    readonly loss: number;
    readonly skipped: number;
  }[];
  readonly testLoss: number;
  readonly sample: string;
}

const policies = ["float32", "mixed_float16", "mixed_bfloat16"];
const small = [
  "--layers",
  "1",
  "--heads",
  "2",
  "--features",
  "16",
  "--batch",
  "4",
  "--length",
  "16",
];

const trainGpt = (...flags: string[]): Promise<ExampleRun> =>
  runExample("gpt.ts", flags, ["--allow-read", "--allow-write"]);

async function runsOf(...flags: string[]): Promise<Run[]> {
  const { code, out, err } = await trainGpt("--json", ...flags);
  assertEquals(code, 0, err);
  return JSON.parse(out).runs;
}

webgpuTest("the GPT learns alike under every policy, writes, and draws its curves", async () => {
  const file = await Deno.makeTempFile({ suffix: ".svg" });
  try {
    const flags = policies.flatMap((policy) => ["--policy", policy]);
    const runs = await runsOf(...small, ...flags, "--steps", "60", "--sample", "20", "--svg", file);
    assertEquals(runs.map(({ policy }) => policy), policies);
    const [full, ...halves] = runs;
    assertLess(full.reports.at(-1)!.loss, 0.7 * full.reports[0].loss);
    for (const half of halves) {
      assertAlmostEquals(half.reports.at(-1)!.loss / full.reports.at(-1)!.loss, 1, 0.02);
      assertAlmostEquals(half.testLoss / full.testLoss, 1, 0.02);
      assertEquals(half.reports.at(-1)!.skipped, 0);
    }
    for (const { sample } of runs) assert(sample.length > 0 && sample.length <= 20, sample);
    const svg = await Deno.readTextFile(file);
    for (const policy of policies) assertStringIncludes(svg, `>${policy}</text>`);
    assert(!svg.includes("NaN"), svg);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the GPT reads its own source without other permissions, the same from the same seed", async () => {
  const flags = ["--json", "--backend", "cpu", ...small, "--steps", "2", "--sample", "4"];
  const runs = await Promise.all([1, 2].map(async () => {
    const { code, out, err } = await runExample("gpt.ts", flags, ["--allow-read=src"]);
    assertEquals(code, 0, err);
    return JSON.parse(out).runs[0] as Run;
  }));
  assertEquals(runs[0].sample, runs[1].sample);
  assertEquals(runs[0].testLoss, runs[1].testLoss);
});

Deno.test("the GPT refuses what it does not know, and says what it does", async () => {
  const wrong: [word: string, ...flags: string[]][] = [
    ["--polcy", "--polcy", "float32"],
    ["float12", "--policy", "float12"],
    ["tpu", "--backend", "tpu"],
    ["--steps must be", "--steps", "0"],
    ["--temperature must be", "--temperature=-1"],
    ["--prompt must not be empty", "--prompt", ""],
    ["multiple of twice the --heads", "--heads", "3"],
    ["--resume needs a --checkpoint", "--resume"],
    ["one --policy", "--checkpoint", "a", "--policy", "float32", "--policy", "float16"],
    ["--text needs a file name", "--text"],
  ];
  for (const [word, ...flags] of wrong) {
    const { code, err } = await trainGpt(...flags);
    assertEquals(code, 2);
    assertStringIncludes(err, word);
    assertStringIncludes(err, "--checkpoint FILE");
  }
  const help = await trainGpt("--help");
  assertEquals([help.code, help.err], [0, ""]);
});

webgpuTest(
  "the transformer block's float16 result is within its rounding, and explained",
  async () => {
    const { code, out, err } = await runExample("transformer_block.ts", []);
    assertEquals(code, 0, err);
    assert(/applyMixedPrecision\(block\) +float16 +2 x 128 x 512/.test(out), out);
    assert(/layerNorm +float16\[2,128,512\] .* norm1 +full/.test(out), out);
    assert(/dotGeneral +float16\[2,128,2048\] .* mlp\/up +half/.test(out), out);
    const [, off, largest] = /differ by (\S+) at the most, of up to (\S+)\./.exec(out)!;
    assertLess(Number(off) / Number(largest), 2 ** -9);
  },
);
