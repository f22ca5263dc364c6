// The command lines of the benchmark and of the comparison with peers.

import { assertEquals, assertThrows } from "@std/assert";
import { readPeersFlags } from "../../bench/peers/flags.ts";
import { FlagError, readBenchmarkFlags } from "../../bench/run/flags.ts";

Deno.test("the benchmark measures precision unless asked otherwise", () => {
  assertEquals(readBenchmarkFlags([]).sections, ["precision"]);
  assertEquals(readBenchmarkFlags(["--gelu"]).sections, ["gelu"]);
  assertEquals(readBenchmarkFlags(["--gelu", "--precision"]).sections, ["precision", "gelu"]);
  assertEquals(readBenchmarkFlags(["--all"]).sections, [
    "precision",
    "gelu",
    "training",
    "checkpointing",
    "attention",
  ]);
});

Deno.test("the benchmark reads sizes and file names", () => {
  const flags = readBenchmarkFlags(["--sizes", "64,128", "--json", "a.json", "--svg=b.svg"]);
  assertEquals(flags.sizes, [64, 128]);
  assertEquals(flags.json, "a.json");
  assertEquals(flags.svg, "b.svg");
  assertEquals(readBenchmarkFlags(["--smoke"]).sizes, undefined);
});

Deno.test("the benchmark's experiments are asked for by name", () => {
  assertEquals(readBenchmarkFlags([]).experiments, false);
  assertEquals(readBenchmarkFlags(["--experiments", "--smoke"]).experiments, true);
});

Deno.test("the benchmark turns away what it cannot read", () => {
  const message = (...args: string[]) =>
    assertThrows(() => readBenchmarkFlags(args), FlagError).message;
  assertEquals(message("--turbo"), "unknown argument --turbo");
  assertEquals(message("fast"), "unknown argument fast");
  assertEquals(message("--json"), "--json needs a file name");
  const alone = "--experiments takes none of the programs, no --sizes and no --svg";
  for (const other of ["--gelu", "--all", "--sizes=64", "--svg=a.svg"]) {
    assertEquals(message("--experiments", other), alone);
  }
  for (const sizes of ["0", "63", "64,", "big", "8192"]) {
    assertEquals(
      message("--sizes", sizes),
      `--sizes needs multiples of 4 from 4 to 4096 separated by commas, got ${sizes}`,
    );
  }
});

Deno.test("the comparison takes tasks by name, in its own order", () => {
  const tasks = ["matmul", "chain", "softmax"];
  assertEquals(readPeersFlags([], tasks).only, tasks);
  const flags = readPeersFlags(["--only", "softmax", "--only", "matmul", "--smoke"], tasks);
  assertEquals(flags.only, ["matmul", "softmax"]);
  assertEquals(flags.smoke, true);
  assertThrows(
    () => readPeersFlags(["--only", "sort"], tasks),
    FlagError,
    "--only must be one of matmul, chain, softmax; got sort",
  );
  assertThrows(() => readPeersFlags(["--fast"], tasks), FlagError, "unknown argument --fast");
});
