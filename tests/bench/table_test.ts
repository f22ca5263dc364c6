// Tables and figures as text.

import { assertEquals } from "@std/assert";
import {
  bytes,
  duration,
  rate,
  ratio,
  relativeError,
  showRate,
} from "../../bench/report/quantities.ts";
import { figures, markdownTable, plainTable, words } from "../../bench/report/table.ts";

const columns = [words("operation"), figures("time")];

Deno.test("plainTable() aligns words to the left and figures to the right", () => {
  assertEquals(
    plainTable(columns, [["matmul", "1.00 ms"], ["", "12.0 ms"]]),
    [
      "operation     time",
      "---------  -------",
      "matmul     1.00 ms",
      "           12.0 ms",
    ].join("\n"),
  );
});

Deno.test("markdownTable() marks the alignment and escapes what would end a cell", () => {
  assertEquals(
    markdownTable(columns, [["a | b", "1.00 ms"]]),
    [
      "| operation |    time |",
      "| --------- | ------: |",
      "| a \\| b    | 1.00 ms |",
    ].join("\n"),
  );
});

Deno.test("figures have three significant digits and a unit that fits", () => {
  assertEquals([0.0123, 1.5, 42.04, 123.4, 1234, 65_000].map(duration), [
    "12.3 us",
    "1.50 ms",
    "42.0 ms",
    "123 ms",
    "1.23 s",
    "65.0 s",
  ]);
  assertEquals([500, 1536, 6 * 2 ** 20, 2 ** 31].map(bytes), [
    "500 B",
    "1.50 KiB",
    "6.00 MiB",
    "2.00 GiB",
  ]);
  assertEquals(ratio(1.126), "1.13x");
  assertEquals([0, 1.26e-4, Infinity].map(relativeError), ["0", "1.3e-4", "Infinity"]);
});

Deno.test("rate() is work over seconds, in billions", () => {
  assertEquals(rate(2e9, 1000), 2);
  assertEquals(showRate(rate(2 * 1024 ** 3, 42), "GFLOP/s"), "51.1 GFLOP/s");
});
