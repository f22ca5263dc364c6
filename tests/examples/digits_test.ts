// The digits example, run as `deno task demo` runs it.

import { assertEquals, assertGreaterOrEqual, assertLess, assertStringIncludes } from "@std/assert";
import { webgpuTest } from "../webgpu_test.ts";
import { type ExampleRun, runExample } from "./example_run.ts";

/** One row of the example's JSON. */
interface Row {
  policy: string;
  correct: number;
  largestLogitDifference: number;
  weightBytes: number;
  activationBytes: number;
  kernels: number;
}

const runDigits = (...flags: string[]): Promise<ExampleRun> =>
  runExample("digits.ts", flags, ["--allow-read=examples/data"]);

async function rowsOn(backend: string): Promise<Row[]> {
  const { code, out, err } = await runDigits("--backend", backend, "--json");
  assertEquals(code, 0, err);
  const report = JSON.parse(out);
  assertEquals(report.device.backend, backend);
  return report.rows;
}

/** 330 of 360 is what NumPy gets in float32 with the same weights; see examples/data/README.md. */
function checkRows(rows: readonly Row[]): void {
  assertEquals(rows.map(({ policy }) => policy), ["float32", "mixed_float16", "mixed_bfloat16"]);
  const [full, ...halves] = rows;
  assertEquals(full.correct, 330);
  assertEquals(full.largestLogitDifference, 0);
  for (const half of halves) {
    assertGreaterOrEqual(half.correct, 328);
    assertLess(half.largestLogitDifference, 0.5);
    assertEquals(half.weightBytes, full.weightBytes / 2);
  }
}

Deno.test("the digits are read under every policy on the CPU backend", async () => {
  checkRows(await rowsOn("cpu"));
});

webgpuTest("the digits are read under every policy on WebGPU, in half the memory", async () => {
  const rows = await rowsOn("webgpu");
  checkRows(rows);
  const [full, ...halves] = rows;
  for (const half of halves) {
    assertEquals(half.activationBytes, full.activationBytes / 2);
    assertEquals(half.kernels, full.kernels);
  }
});

Deno.test("the digits example draws three digits and what each policy read", async () => {
  const { code, out } = await runDigits("--backend", "cpu", "--policy", "float32");
  assertEquals(code, 0);
  assertStringIncludes(out, "policy   correct of 360");
  assertEquals(out.match(/written: \d/g)?.length, 3);
  assertEquals(out.match(/float32: \d/g)?.length, 3);
});

Deno.test("the digits example refuses unknown flags, policies and backends, and says what it knows", async () => {
  const wrong: [word: string, ...flags: string[]][] = [
    ["--polcy", "--polcy", "float32"],
    ["float12", "--policy", "float12"],
    ["tpu", "--backend", "tpu"],
    ["stray", "stray"],
  ];
  for (const [word, ...flags] of wrong) {
    const { code, err } = await runDigits(...flags);
    assertEquals(code, 2);
    assertStringIncludes(err, word);
    assertStringIncludes(err, "--json            print JSON");
  }
  const help = await runDigits("--help");
  assertEquals([help.code, help.err], [0, ""]);
});
