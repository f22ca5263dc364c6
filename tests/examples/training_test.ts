// The training examples, run as `deno task train` and the README run them.

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { webgpuTest } from "../webgpu_test.ts";
import { type ExampleRun, runExample } from "./example_run.ts";

/** What the digits example's JSON says of an epoch. */
interface EpochReport {
  readonly policy: string;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly skipped: number;
}

const trainDigits = (...flags: string[]): Promise<ExampleRun> =>
  runExample("train_digits.ts", flags, ["--allow-read=examples/data", "--allow-write"]);

async function runsOf(...flags: string[]): Promise<EpochReport[][]> {
  const { code, out, err } = await trainDigits("--json", ...flags);
  assertEquals(code, 0, err);
  return JSON.parse(out).runs;
}

webgpuTest("the digits are learned alike under every policy, and the curves drawn", async () => {
  const file = await Deno.makeTempFile({ suffix: ".svg" });
  try {
    const runs = await runsOf("--backend", "webgpu", "--epochs", "12", "--svg", file);
    const last = runs.map((reports) => reports[11]);
    assertEquals(last.map(({ policy }) => policy), ["float32", "mixed_float16", "mixed_bfloat16"]);
    const accuracies = last.map(({ accuracy }) => accuracy);
    assert(Math.min(...accuracies) >= 0.9, accuracies.join());
    assert(Math.max(...accuracies) - Math.min(...accuracies) <= 0.01, accuracies.join());
    const svg = await Deno.readTextFile(file);
    for (const { policy } of last) assertStringIncludes(svg, `>${policy}</text>`);
    // Two curves a policy and one line of the legend.
    assertEquals(svg.match(/<path d="M/g)?.length, 9);
    assert(!svg.includes("NaN"), svg);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the digits are learned on the CPU backend, the same from the same seed", async () => {
  const flags = ["--backend", "cpu", "--policy", "mixed_float16", "--epochs", "1", "--seed", "4"];
  const [[report]] = await runsOf(...flags);
  assertEquals([report.policy, report.epoch, report.skipped], ["mixed_float16", 1, 0]);
  assertLess(report.loss, Math.log(10));
  assert(report.accuracy > 0.5);
  const [[again]] = await runsOf(...flags);
  assertEquals([again.loss, again.accuracy], [report.loss, report.accuracy]);
});

Deno.test("the training example refuses what it does not know, and says what it does", async () => {
  const wrong: [word: string, ...flags: string[]][] = [
    ["--polcy", "--polcy", "float32"],
    ["float12", "--policy", "float12"],
    ["tpu", "--backend", "tpu"],
    ["--epochs must be", "--epochs", "0"],
    ["--seed must be", "--seed", "x"],
    ["stray", "stray"],
  ];
  for (const [word, ...flags] of wrong) {
    const { code, err } = await trainDigits(...flags);
    assertEquals(code, 2);
    assertStringIncludes(err, word);
    assertStringIncludes(err, "--svg FILE");
  }
  const help = await trainDigits("--help");
  assertEquals([help.code, help.err], [0, ""]);
});

Deno.test("the loss scaling example shows a run in which nothing moves, on one screen", async () => {
  const { code, out, err } = await runExample("loss_scaling.ts", [
    "--backend",
    "cpu",
    "--steps",
    "20",
  ]);
  assertEquals(code, 0, err);
  assert(/float16, no scale +0\.00 +0 of 512 +1\.0e\+0/.test(out), out);
  assert(/float16, dynamic .* 512 of 512 /.test(out), out);
  assert(out.split("\n").length <= 60);
  const wrong = await runExample("loss_scaling.ts", ["--steps", "none"]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.err, "--steps must be a whole number");
});
