// The chart of a list of measurements.

import { bytesPerElement, PRECISIONS } from "../precision.ts";
import { type BarGroup, type Chart, drawChart, type Panel } from "./chart.ts";
import type { Measurement } from "./measurement.ts";
import { ratio, showRate } from "./quantities.ts";
import { wrap } from "./wrap.ts";

/** Signs that a terminal may lack. */
function typeset(line: string): string {
  return line.replaceAll(/(?<=\d )x(?= \d)/g, "\u00d7").replaceAll("->", "\u2192");
}

/**
 * A bar's length. Where moving data takes the time it counts elements, since a type of half the bytes may
 * be faster at fewer GB/s.
 */
function speed({ unit, rate, precision }: Measurement): number {
  return unit === "GFLOP/s" ? rate : rate / (2 * bytesPerElement(precision));
}

function group(measurements: readonly Measurement[]): BarGroup {
  const [{ program, shape }] = measurements;
  const bars = measurements.map((own) => {
    const figure = showRate(own.rate, own.unit);
    const label = own.precision === PRECISIONS[0] ? figure : `${figure}, ${ratio(own.speedup)}`;
    return { series: own.precision, value: speed(own), label: typeset(label) };
  });
  return { title: typeset(program), detail: typeset(shape), bars };
}

/** Panels by unit, groups by program and shape, in the order in which they were measured. */
function panelsOf(measurements: readonly Measurement[]): Panel[] {
  const panels = Map.groupBy(measurements, ({ unit }) => unit);
  return [...panels].map(([unit, own]) => ({
    unit: unit === "GFLOP/s"
      ? "GFLOP/s"
      : "Billion elements a second; beside the bars, GB/s read and written",
    groups: [...Map.groupBy(own, ({ program, shape }) => `${program} ${shape}`).values()].map(
      group,
    ),
  }));
}

/** Draws measurements; `environment` is the lines that say where they were made. */
export function drawMeasurements(
  measurements: readonly Measurement[],
  environment: readonly string[],
): string {
  const chart: Chart = {
    title: "Throughput by precision",
    subtitle: environment.flatMap((line) => wrap(line, 118)),
    series: PRECISIONS.filter((name) => measurements.some(({ precision }) => precision === name)),
    panels: panelsOf(measurements),
    notes: [
      "Longer is faster. Medians, the precisions taking turns; the factor is float32's time over this one's.",
    ],
  };
  return drawChart(chart);
}
