// Every number of a report against float64: programs whose float32 results are exact, computed by hand.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  applyMixedPrecision,
  type FloatDType,
  jit,
  memoryStats,
  type NDArray,
  nn,
  numericsReport,
  type NumericsRow,
  numpy as jnp,
} from "@zenith/jax";
import { roundTo } from "../../src/core/half.ts";
import { onBothBackends } from "../backends.ts";
import { recomputedError, recomputedRange } from "./recomputed_range.ts";

/** Numbers of 12 significant bits and many sizes: their squares are exact in float32, and round in half types. */
function numbers(): number[] {
  return Array.from({ length: 40 }, (_, i) => {
    const significand = 2049 + 2 * ((i * 733) % 1023);
    return (i % 3 === 0 ? -1 : 1) * (i % 7 === 0 ? 0 : significand) * 2 ** (i % 30 - 22);
  });
}

interface Expected {
  readonly own: readonly number[];
  readonly right: readonly number[];
}

/** What a row must say of results that were computed in float64, one operation rounded at a time. */
function expectRow(row: NumericsRow, { own, right }: Expected, dtype: FloatDType): void {
  const range = recomputedRange(own, dtype);
  const wide = recomputedRange(right, dtype);
  const error = recomputedError(own, right, dtype);
  const nonZero = wide.bins.reduce((a, b) => a + b, 0);
  assertEquals({
    dtype: row.dtype,
    zeroShare: row.zeroShare,
    flushedShare: row.flushedShare,
    subnormalShare: row.subnormalShare,
    overflowShare: row.overflowShare,
    nonFinite: row.nonFinite,
    maxUlps: row.maxUlps,
    relativeError: row.relativeError,
    minMagnitude: row.minMagnitude,
    maxMagnitude: row.maxMagnitude,
    bins: row.bins,
  }, {
    dtype,
    zeroShare: range.zero / own.length,
    flushedShare: error.flushed / nonZero,
    subnormalShare: range.subnormal / own.length,
    overflowShare: error.overflowed / own.length,
    nonFinite: range.infinite + range.nan,
    maxUlps: error.maxUlps,
    relativeError: error.relativeError,
    minMagnitude: wide.minMagnitude,
    maxMagnitude: wide.maxMagnitude,
    bins: wide.bins,
  }, `${row.op} in ${row.policy}`);
}

for (const dtype of ["float16", "bfloat16"] as const) {
  onBothBackends(`every number of a report in ${dtype} is what float64 gives`, async () => {
    const values = numbers();
    const x = jnp.array(values);
    const report = () =>
      numericsReport((x: NDArray) => x.square().mul(-0.5), [x], { policies: [`mixed_${dtype}`] });
    await report(); // what stays of it are literals
    const before = memoryStats().liveArrays;
    const { rows } = await report();
    assertEquals(memoryStats().liveArrays, before);
    const round = (x: number) => roundTo(dtype, x);
    const cast: Expected = { own: values.map(round), right: values };
    const square: Expected = {
      own: cast.own.map((v) => round(v * v)),
      right: values.map((v) => v * v),
    };
    const scaled: Expected = {
      own: square.own.map((v) => round(v * -0.5)),
      right: square.right.map((v) => v * -0.5),
    };
    for (const [op, expected] of Object.entries({ astype: cast, square, mul: scaled })) {
      expectRow(rows.find((row) => row.op === op)!, expected, dtype);
    }
    assertEquals(rows.length, 3);
  });
}

onBothBackends("a report's numbers of a backward pass are what float64 gives", async () => {
  const values = numbers().map((v) => v * 2 ** -14);
  const { rows, lossScales } = await numericsReport(
    (x: NDArray) => x.astype("float32").square().sum().mul(2 ** -10),
    [jnp.array(values)],
    { policies: ["mixed_float16"], gradients: true },
  );
  const halves = values.map((v) => roundTo("float16", v));
  // d/dx is 2 x 2**-10: exact in float32, and rounded on its way back into float16.
  const right = values.map((v) => v * 2 ** -9);
  const row = rows.find((row) => row.pass === "backward" && row.dtype === "float16")!;
  assertEquals(row.op, "astype");
  expectRow(row, { own: halves.map((v) => roundTo("float16", v * 2 ** -9)), right }, "float16");
  const range = recomputedRange(right, "float16");
  assertEquals(lossScales.map(({ policy }) => policy), ["mixed_float16"]);
  const { scale } = lossScales[0]!;
  assert(scale * range.maxMagnitude < 65504 / 2 && 2 * scale * range.maxMagnitude >= 65504 / 2);
});

onBothBackends("additions that change nothing are counted", async () => {
  const w = [1, 1, 2, -4].map((x) => roundTo("float16", x));
  const update = [2 ** -12, 2 ** -9, 0, 2 ** -11];
  const { rows } = await numericsReport(
    (w: NDArray, u: NDArray) => w.astype("float32").add(u).astype("float16"),
    [jnp.array(w, { dtype: "float16" }), jnp.array(update)],
    { policies: [] },
  );
  const row = rows.find((row) => row.dtype === "float16")!;
  assertEquals([row.policy, row.op, row.stalledShare], ["as written", "astype", 0.5]);
  assertEquals(rows.filter((row) => row.stalledShare > 0).length, 1);
});

onBothBackends(
  "an overflow inside of a composite is told though its result is finite",
  async () => {
    const norm = (x: NDArray) => nn.layerNorm(x);
    for (const policy of ["float32", "mixed_bfloat16"]) {
      for (const [size, isAbsorbed] of [[1e20, true], [1e15, false], [2 ** 62, false]] as const) {
        const { rows } = await numericsReport(norm, [jnp.array([size, -size, size])], {
          policies: [policy],
        });
        const row = rows.find(({ op }) => op === "layerNorm")!;
        assertEquals([row.absorbedOverflow, row.nonFinite], [isAbsorbed, 0], `${policy} ${size}`);
      }
    }
  },
);

onBothBackends(
  "under float32 a report finds nothing but what the program does itself",
  async () => {
    const program = (x: NDArray) => jnp.log(x).mul(jnp.exp(x)).sum();
    const { rows } = await numericsReport(jit(program), [jnp.array([1, 2, 0])], {
      policies: ["float32"],
      gradients: true,
    });
    for (const row of rows) {
      assertEquals([row.maxUlps, row.relativeError, row.absorbedOverflow], [0, 0, false], row.op);
      assertEquals([row.flushedShare, row.overflowShare, row.stalledShare], [0, 0, 0]);
    }
    assert(rows.some((row) => row.nonFinite === 1));
  },
);

onBothBackends("a report prints, draws and makes a page of its rows", async () => {
  const report = await numericsReport((x: NDArray) => x.square().mean(), [jnp.full([4], 900)], {
    gradients: true,
  });
  assertEquals(
    new Set(report.rows.map(({ policy }) => policy)),
    new Set(["mixed_float16", "mixed_bfloat16"]),
  );
  const text = report.toString(3);
  assertStringIncludes(text, "square");
  assertStringIncludes(text, "report_numbers_test.ts:");
  assertStringIncludes(text, `${report.rows.length - 3} better rows are not shown.`);
  assertStringIncludes(text, "mixed_float16: loss scale ");
  const svg = report.svg();
  assert(svg.startsWith("<svg ") && svg.endsWith("</svg>"));
  const page = report.html();
  assertStringIncludes(page, "<td>square</td>");
  // The name of a namespace is all that looks like an address.
  assertEquals(page.match(/https?:[^"]*|<script|<link|src=/g), ["http://www.w3.org/2000/svg"]);
});

onBothBackends("a function under mixed precision is looked at as it is", async () => {
  const half = applyMixedPrecision((x: NDArray) => x.mul(x), { dtype: "float16" });
  const { rows } = await numericsReport(half, [jnp.array([300, 2])]);
  assertEquals(rows.map(({ policy, op, overflowShare }) => [policy, op, overflowShare]), [
    ["as written", "mul", 0.5],
    ["as written", "astype", 0],
  ]);
});

onBothBackends("a report says what it requires", async () => {
  const call = (...args: unknown[]) => numericsReport(...args as Parameters<typeof numericsReport>);
  await assertRejects(() => call(1, []), TypeError, "a function is required");
  await assertRejects(() => call(jnp.exp, jnp.ones([2])), TypeError, "as an array");
  await assertRejects(() => call(jnp.exp, [1], { policy: "x" }), TypeError, "unknown option");
  await assertRejects(
    () => call(jnp.exp, [1], { policies: "float32" }),
    TypeError,
    "an array of policies",
  );
  await assertRejects(() => call(jnp.exp, [1], { gradients: 1 }), TypeError, "must be a boolean");
});
