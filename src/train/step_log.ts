// What training steps report, kept on the device. The scalars of fifty steps share one small array that every
// step writes a row of, and the array that a metric is looks its number up there when it is used. So metrics
// that nobody looks at cost nothing: in a loop without `await` no finalizer would ever free them.

import { asNDArray, fromHost, NDArray, ownHandle } from "../array.ts";
import type { DType } from "../core/dtype.ts";
import { type DataArray, decodeBytes, encodeValues } from "../core/element_data.ts";
import type { Graph } from "../ir/graph.ts";
import { checkUsable, traceGraph } from "../ir/trace.ts";
import type { Content, Value } from "../ir/value.ts";
import { add } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { equal } from "../ops/comparison.ts";
import { constant, iota } from "../ops/constant.ts";
import { reshape } from "../ops/movement.ts";
import { where } from "../ops/selection.ts";
import { dynamicSlice } from "../ops/window.ts";
import { preparedGraph } from "../transform/run_graph.ts";

/** How many steps share an array, and how often the host looks at what they report. */
export const stepsPerLog = 50;

/** What a step reports, in the order of the columns. */
const logColumns = ["loss", "gradNorm", "skipped", "lossScale", "step"] as const;

/** The name of something that a step reports. */
export type LogColumn = typeof logColumns[number];

/** A log on the device: the rows of numbers, and which of them is written next. */
export interface LogArrays {
  readonly rows: NDArray;
  readonly next: NDArray;
}

/** A log with one more row written; to be traced. */
export function writeRow(
  { rows, next }: LogArrays,
  scalars: Readonly<Record<LogColumn, NDArray>>,
): LogArrays {
  const [row, column] = [0, 1].map((axis) => iota(rows.shape, axis, "int32")) as [Value, Value];
  // A choice for each column, and no concatenation, is one kernel that writes in place.
  const values = logColumns.reduce<Value>(
    (others, name, i) => where(equal(column, i), astype(scalars[name], "float32"), others),
    constant(0, "float32"),
  );
  return { rows: asNDArray(where(equal(row, next), values, rows)), next: asNDArray(add(next, 1)) };
}

/** The reports of fifty steps, or of the first few of them. */
export class StepLog {
  /** What the next step writes its row into and replaces. */
  device: LogArrays;
  /** Rows written. */
  length = 0;
  /** The rows that were read. */
  #host: Float32Array = new Float32Array(0);

  /** A log without rows. */
  constructor() {
    const size = stepsPerLog * logColumns.length;
    this.device = {
      rows: fromHost(new Float32Array(size), [stepsPerLog, logColumns.length], "float32"),
      next: fromHost([0], [], "int32"),
    };
  }

  /** A number that was read before, or undefined. */
  known(row: number, column: LogColumn): number | undefined {
    return this.#host[row * logColumns.length + logColumns.indexOf(column)];
  }

  /** Reads all rows that are written. */
  async read(): Promise<void> {
    const { length } = this;
    // A handle of its own, so that no step writes over what is being read.
    const held = ownHandle("read a metric", this.device.rows, this.device.rows);
    try {
      this.#keep(await held.data(), length);
    } finally {
      held.dispose();
    }
  }

  /** The same without waiting for the event loop. */
  readSync(): void {
    this.#keep(this.device.rows.dataSync(), this.length);
  }

  /** Frees what it has on the device. */
  dispose(): void {
    this.device.rows.dispose();
    this.device.next.dispose();
  }

  /** One number as an array on the device, made without waiting and outside of any trace. */
  element(row: number, column: LogColumn, dtype: DType): NDArray {
    const known = this.known(row, column);
    if (known !== undefined) return fromHost([known], [], dtype);
    const at = [row, logColumns.indexOf(column)].map((i) => fromHost([i], [], "int32"));
    const [scalar] = preparedGraph(elementGraph(dtype), "read a metric")([this.device.rows, ...at]);
    at.forEach((index) => index.dispose());
    return asNDArray(scalar!);
  }

  #keep(values: DataArray, length: number): void {
    this.#host = Float32Array.from(values).slice(0, length * logColumns.length);
  }
}

const elementGraphs = new Map<DType, Graph>();

function elementGraph(dtype: DType): Graph {
  let graph = elementGraphs.get(dtype);
  if (!graph) {
    const index = { shape: [], dtype: "int32" } as const;
    const log = { shape: [stepsPerLog, logColumns.length], dtype: "float32" } as const;
    const element = (array: Value, row: Value, column: Value) => [
      astype(reshape(dynamicSlice(array, [row, column], [0, 1], [1, 1]), []), dtype),
    ];
    elementGraphs.set(dtype, graph = traceGraph(element as never, [log, index, index]));
  }
  return graph;
}

/** A scalar that a step reported. It takes memory of its own on the device only where it is computed with. */
export class LoggedScalar extends NDArray {
  readonly #log: StepLog;
  readonly #row: number;
  readonly #column: LogColumn;
  #array: NDArray | undefined;
  #consumedBy: string | undefined;

  /** What the last row of a log has in a column. */
  constructor(log: StepLog, column: LogColumn, dtype: DType) {
    super({ shape: [], dtype }, { kind: "consumed", by: "nothing" });
    this.#log = log;
    this.#row = log.length - 1;
    this.#column = column;
  }

  /** Storage that is made when it is asked for, and again after a scope has freed it. */
  override get content(): Content {
    if (this.#consumedBy !== undefined) return { kind: "consumed", by: this.#consumedBy };
    if (this.#array?.content.kind !== "stored") {
      this.#array = this.#log.element(this.#row, this.#column, this.dtype);
    }
    return this.#array.content;
  }

  /** Its number; one transfer reads those of all steps so far. */
  override async data(): Promise<DataArray> {
    if (this.#known("data()") === undefined) await this.#log.read();
    return this.#elements();
  }

  /** {@linkcode LoggedScalar.data} without waiting for the event loop; throws where the runtime has to. */
  override dataSync(): DataArray {
    if (this.#known("dataSync()") === undefined) this.#log.readSync();
    return this.#elements();
  }

  /** As any array's, and printed without staying on the device. */
  override toString(): string {
    const before = this.#array;
    const text = super.toString();
    if (this.#array !== before) this.#array?.dispose();
    return text;
  }

  /** Frees what it took on the device. */
  override consume(by: string): void {
    this.#consumedBy ??= by;
    this.#array?.consume(by);
  }

  #known(what: string): number | undefined {
    // Where it is not consumed the check would put the number on the device.
    if (this.#consumedBy !== undefined) checkUsable(`read ${what}`, this);
    return this.#log.known(this.#row, this.#column);
  }

  #elements(): DataArray {
    const value = this.#log.known(this.#row, this.#column)!;
    return decodeBytes(this.dtype, encodeValues(this.dtype, [value]), 1);
  }
}
