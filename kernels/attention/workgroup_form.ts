// Tiles by workgroup memory, for GPUs and for devices without subgroups: the rows that a workgroup owns lie there
// for all threads, and so do the weights of a tile between the two products. For the first a thread owns a column,
// for the second some vectors of some rows, so that neighbours load neighbours.

import {
  addProduct,
  type AttentionForm,
  type ColumnUpdate,
  range,
  type Rows,
  type StoreText,
  type TileProduct,
  type TileUpdate,
} from "./form.ts";

/** How much of the work a workgroup takes at a time; all powers of two but the vectors. */
export interface WorkgroupTile {
  readonly threads: number;
  /** Rows that the workgroup owns: at most as many as there are threads. */
  readonly rows: number;
  /** Vectors of a row of queries, keys or values. */
  readonly vectors: number;
  /** Arrays of which it owns rows. */
  readonly arrays: readonly string[];
}

/** Bytes of workgroup memory that a tile takes. */
export function workgroupBytes({ threads, rows, vectors, arrays }: WorkgroupTile): number {
  return 16 * rows * vectors * arrays.length + 4 * rows * threads + 8 * rows;
}

/** The form by workgroup memory. */
export class WorkgroupForm implements AttentionForm {
  readonly threads: number;
  readonly rows: number;
  readonly columns = 1;
  readonly block: number;
  readonly width = 1;
  readonly #vectors: number;
  readonly #arrays: readonly string[];
  /** Threads beside each other along a row of sums, and how many such rows of threads there are. */
  readonly #across: number;
  readonly #down: number;

  constructor({ threads, rows, vectors, arrays }: WorkgroupTile) {
    this.threads = threads;
    this.block = threads;
    this.rows = rows;
    this.#vectors = vectors;
    this.#arrays = arrays;
    const wanted = 2 ** Math.ceil(Math.log2(vectors));
    this.#down = Math.min(rows, Math.max(1, threads / wanted));
    this.#across = threads / this.#down;
  }

  iterations(products: number, arrays: number): number {
    // The search for the maximum, or the update of columns, goes through all threads once more.
    return 1 + products * (this.#vectors + this.threads) + this.threads +
      (arrays > 0 ? this.rows : 0);
  }

  get declarations(): string {
    const { rows, threads } = this;
    const own = this.#arrays.map((array) =>
      `var<workgroup> own_${array}: array<vec4f, ${rows * this.#vectors}>;`
    );
    return `${own.join("\n")}
var<workgroup> tile_weights: array<f32, ${rows * threads}>;
var<workgroup> row_peaks: array<f32, ${rows}>;
var<workgroup> row_factors: array<f32, ${rows}>;
`;
  }

  column(): string {
    return "(start + lane)";
  }

  prepare(own: readonly Rows[]): string {
    const fills = own.map(({ array, at }) =>
      `own_${array}[i] = load_${array}(${
        at(`first + i / ${this.#vectors}u`)
      } + i % ${this.#vectors}u);`
    );
    return `let across = lane % ${this.#across}u;
let down = lane / ${this.#across}u;
workgroupBarrier();
for (var i = lane; i < ${this.rows * this.#vectors}u; i += ${this.threads}u) {
${fills.join("\n")}
}
workgroupBarrier();`;
  }

  products(products: readonly TileProduct[]): string {
    return products.map(({ sum, own, other }) => {
      const rows = range(this.rows);
      const lines = rows.map((r) =>
        `{ let a = own_${own.array}[${r * this.#vectors}u + d]; ${
          addProduct(`${sum}${r}_0`, "a", "b")
        } }`
      );
      return `${rows.map((r) => `var ${sum}${r}_0 = 0.0;`).join("\n")}
let ${sum}_place = ${other.at(this.column())};
for (var d = 0u; d < ${this.#vectors}u; d++) {
let b = load_${other.array}(${sum}_place + d);
${lines.join("\n")}
}`;
    }).join("\n");
  }

  /** Statements after which all threads see the values `<name><row><suffix>` of each other. */
  #share(name: string, suffix: string): string {
    const writes = range(this.rows).map((r) =>
      `tile_weights[${r * this.threads}u + lane] = ${name}${r}${suffix};`
    );
    return `workgroupBarrier();\n${writes.join("\n")}\nworkgroupBarrier();`;
  }

  /** The rows of sums that a thread owns a part of: every `#down`-th from its own on. */
  get #turns(): number[] {
    return range(this.rows / this.#down);
  }

  get #chunks(): number[] {
    return range(Math.ceil(this.#vectors / this.#across));
  }

  #row(turn: number): string {
    return `(${turn * this.#down}u + down)`;
  }

  #vector(chunk: number): string {
    return `(${chunk * this.#across}u + across)`;
  }

  declareSums(name: string): string {
    return this.#turns.flatMap((i) => this.#chunks.map((c) => `var ${name}${i}_${c} = vec4f();`))
      .join("\n");
  }

  update(updates: readonly TileUpdate[]): string {
    return updates.map(({ sum, weights, other }) => {
      const loads = this.#chunks.map((c) =>
        `let b${c} = load_${other.array}(line + min(${this.#vector(c)}, ${this.#vectors - 1}u));`
      );
      const products = this.#turns.flatMap((i) => [
        `let w${i} = vec4f(tile_weights[${this.#row(i)} * ${this.threads}u + j]);`,
        ...this.#chunks.map((c) => `${sum}${i}_${c} = fma(w${i}, b${c}, ${sum}${i}_${c});`),
      ]);
      return `${this.#share(weights, "_0")}
for (var j = 0u; j < ${this.threads}u; j++) {
let line = ${other.at("start + j")};
${loads.join("\n")}
${products.join("\n")}
}`;
    }).join("\n");
  }

  updateColumns({ weights, own, target, row, exists, continues }: ColumnUpdate): string {
    const chunks = this.#chunks.map((c) => {
      const products = range(this.rows).map((r) =>
        `sum = fma(vec4f(tile_weights[${r * this.threads}u + j]), own_${own.array}[${
          r * this.#vectors
        }u + vector], sum);`
      );
      return `{
let vector = ${this.#vector(c)};
if (vector < ${this.#vectors}u) {
let at = ${row("column")} + vector;
var sum = vec4f();
if (${continues}) { sum = load_${target}(at); }
${products.join("\n")}
store_${target}(at, sum);
}
}`;
    });
    return `${this.#share(weights, "_0")}
for (var j = down; j < ${this.threads}u; j += ${this.#down}u) {
let column = start + j;
if (${exists("column")}) {
${chunks.join("\n")}
}
}`;
  }

  declareSoftmax(lowest: string): string {
    const totals = range(this.rows).map((r) => `var total${r} = 0.0;`);
    return `${totals.join("\n")}
if (lane < ${this.rows}u) { row_peaks[lane] = ${lowest}; }`;
  }

  /** Statements in which one thread of each row goes through what all threads shared of it. */
  #overRows(before: string, step: (value: string) => string, after: string): string {
    const { rows, threads } = this;
    // Rows begin at different places, since threads that read one bank of memory wait for each other.
    return `if (lane < ${rows}u) {
${before}
for (var j = 0u; j < ${threads}u; j++) {
${step(`tile_weights[lane * ${threads}u + (j + lane) % ${threads}u]`)}
}
${after}
}
workgroupBarrier();`;
  }

  softmaxStep(logits: string, sum: string): string {
    const rows = range(this.rows).map((r) =>
      `${logits}${r}_0 = exp(${logits}${r}_0 - row_peaks[${r}u]);
total${r} = fma(total${r}, row_factors[${r}u], ${logits}${r}_0);`
    );
    const sums = this.#turns.flatMap((i) =>
      this.#chunks.map((c) => `${sum}${i}_${c} *= row_factors[${this.#row(i)}];`)
    );
    return `${this.#share(logits, "_0")}
${
      this.#overRows(
        "var higher = row_peaks[lane];",
        (logit) => `higher = max(higher, ${logit});`,
        "row_factors[lane] = exp(row_peaks[lane] - higher);\nrow_peaks[lane] = higher;",
      )
    }
${rows.join("\n")}
${sums.join("\n")}`;
  }

  storeRows(sums: readonly string[], length: string, text: StoreText): string {
    const totals = `${this.#share("total", "")}
${
      this.#overRows(
        "var sum_of_row = 0.0;",
        (part) => `sum_of_row += ${part};`,
        "row_factors[lane] = sum_of_row;",
      )
    }`;
    const statistics = (i: number) =>
      text.softmax
        ? `let peak = row_peaks[${this.#row(i)}];\nlet total = row_factors[${this.#row(i)}];`
        : "";
    const stores = this.#turns.map((i) =>
      `{
let row = first + ${this.#row(i)};
if (row < ${length}) {
${statistics(i)}
if (across == 0u) {
${text.once}
}
${
        this.#chunks.map((c) =>
          `{
let vector = ${this.#vector(c)};
if (vector < ${this.#vectors}u) {
${text.vector(sums.map((sum) => `${sum}${i}_${c}`))}
}
}`
        ).join("\n")
      }
}
}`
    );
    return `${text.softmax ? totals : ""}\n${stores.join("\n")}`;
  }
}
