// Tiles by subgroup, for CPU drivers: a workgroup is one subgroup, and what every lane needs goes around in it. A
// load costs such a driver as much as twenty multiply-adds and a barrier more, a broadcast or a shuffle next to
// nothing. So each element is loaded once for all rows of a tile.

import {
  addProduct,
  type AttentionForm,
  type ColumnUpdate,
  range,
  type Rows,
  type RowWidth,
  type StoreText,
  type TileProduct,
  type TileUpdate,
} from "./form.ts";

/** How much of the work a workgroup takes at a time. */
export interface SubgroupTile {
  /** Lanes of a subgroup. */
  readonly lanes: number;
  /** Rows that the workgroup owns. */
  readonly rows: number;
  /** Columns that each lane owns. */
  readonly columns: number;
  /** Vectors of a row of queries, keys or values. */
  readonly vectors: number;
  /** Vectors that one load takes; a divisor of a row's. */
  readonly width: RowWidth;
}

/**
 * The form by subgroup. WGSL's own exp serves in it: its error grows with the distance to the maximum, where the
 * exponential vanishes. Loops are multiplied by `groups.z`, which is 1, so that no driver unrolls them.
 */
export class SubgroupForm implements AttentionForm {
  readonly threads: number;
  readonly rows: number;
  readonly columns: number;
  readonly block: number;
  readonly width: RowWidth;
  readonly declarations = "";
  /** Loads that a row takes. */
  readonly #loads: number;
  /** Loads of a row of sums that each lane owns. */
  readonly #chunks: number;

  constructor({ lanes, rows, columns, vectors, width }: SubgroupTile) {
    this.threads = lanes;
    this.rows = rows;
    this.columns = columns;
    this.block = lanes * columns;
    this.width = width;
    this.#loads = vectors / width;
    this.#chunks = Math.ceil(this.#loads / lanes);
  }

  iterations(products: number, arrays: number): number {
    const columns = products > 1 ? this.columns * (this.threads + 2) : 0;
    const each = this.#loads + this.columns * this.#chunks;
    return 1 + products * each + columns + (arrays > 0 ? this.rows : 0);
  }

  column(t: number): string {
    return `(start + ${t * this.threads}u + lane)`;
  }

  /** Own rows stay in registers: each lane holds the vectors of a row that it would own of a sum. */
  prepare(own: readonly Rows[]): string {
    return own.flatMap(({ array, at }) =>
      range(this.rows).flatMap((r) => [
        `let line_${array}${r} = ${at(`first + ${r}u`)};`,
        ...range(this.#chunks).map((c) =>
          `let ${array}${r}_${c} = load_${array}(line_${array}${r} + ${this.#place(c)});`
        ),
      ])
    ).join("\n");
  }

  products(products: readonly TileProduct[]): string {
    return products.map((product) => {
      const sums = range(this.rows).flatMap((r) =>
        range(this.columns).map((t) => `var ${product.sum}${r}_${t} = 0.0;`)
      );
      const places = range(this.columns).map((t) =>
        `let ${product.sum}_place${t} = ${product.other.at(this.column(t))};`
      );
      const chunks = range(this.#chunks).map((chunk) => this.#products(product, chunk));
      return [...sums, ...places, ...chunks].join("\n");
    }).join("\n");
  }

  #products({ sum, own, other }: TileProduct, chunk: number): string {
    const { rows, columns, threads: lanes, width } = this;
    const loads = range(columns).map((t) =>
      `let b${t} = load_${other.array}(${sum}_place${t} + ${chunk * lanes}u + d);`
    );
    const shares = range(rows).flatMap((r) =>
      range(width).flatMap((part) => [
        `{ let a = subgroupShuffle(${this.#part(`${own.array}${r}_${chunk}`, part)}, d);`,
        ...range(columns).map((t) => addProduct(`${sum}${r}_${t}`, "a", this.#part(`b${t}`, part))),
        "}",
      ])
    );
    const turns = Math.min(lanes, this.#loads - chunk * lanes);
    return `for (var d = 0u; d < ${turns}u * groups.z; d++) {
${[...loads, ...shares].join("\n")}
}`;
  }

  declareSums(name: string): string {
    return this.#sumNames(name).map((sum) => `var ${sum} = vec4f();`).join("\n");
  }

  /** The vectors of a row of sums in a lane. */
  get #own(): number[] {
    return range(this.#chunks * this.width);
  }

  #sumNames(name: string): string[] {
    return range(this.rows).flatMap((r) => this.#own.map((v) => `${name}${r}_${v}`));
  }

  /** One vector of what was loaded under a name. */
  #part(loaded: string, part: number): string {
    return this.width === 1 ? loaded : `${loaded}[${part}]`;
  }

  /** The vector `v` of a lane, of loads named by chunk. */
  #loaded(name: string, v: number): string {
    return this.#part(`${name}_${Math.floor(v / this.width)}`, v % this.width);
  }

  /** WGSL for the place of a lane's load in a row; past the end of the row it is the last one. */
  #place(chunk: number): string {
    const { threads: lanes } = this;
    const own = `${chunk * lanes}u + lane`;
    return this.#isWhole(chunk) ? own : `min(${own}, ${this.#loads - 1}u)`;
  }

  /** Whether a chunk has a place in the row for every lane. */
  #isWhole(chunk: number): boolean {
    return (chunk + 1) * this.threads <= this.#loads;
  }

  update(updates: readonly TileUpdate[]): string {
    // One loop for each, and for each part of the rows: what a loop carries along should fit into the nearest cache.
    return updates.flatMap((update) =>
      range(this.#chunks).map((chunk) =>
        `for (var turn = 0u; turn < ${this.columns}u * groups.z; turn++) {
${this.#update(update, chunk)}
${this.#shiftColumns(update.weights).join("\n")}
}`
      )
    ).join("\n");
  }

  #update({ sum, weights, other }: TileUpdate, chunk: number): string {
    const { threads: lanes, width } = this;
    const loads = range(lanes).map((j) => {
      const line = other.at(`start + turn * ${lanes}u + ${j}u`);
      return `let b${j} = load_${other.array}(${line} + ${this.#place(chunk)});`;
    });
    const rows = range(this.rows).map((r) => {
      const shares = range(lanes).map((j) =>
        `let w${j} = vec4f(subgroupBroadcast(${weights}${r}_0, ${j}u));`
      );
      // All columns of a turn at once: a sum stays in a register while their products are added to it.
      const sums = range(width).map((part) => {
        const name = `${sum}${r}_${chunk * width + part}`;
        const products = range(lanes).reduce(
          (inner, j) => `fma(w${j}, ${this.#part(`b${j}`, part)}, ${inner})`,
          name,
        );
        return `${name} = ${products};`;
      });
      return `{\n${[...shares, ...sums].join("\n")}\n}`;
    });
    return [...loads, ...rows].join("\n");
  }

  /** Moves each lane's next column to the place of its first, and that one to the end. */
  #shiftColumns(weights: string): string[] {
    const last = this.columns - 1;
    if (last === 0) return [];
    return range(this.rows).flatMap((r) => [
      `let used_${weights}${r} = ${weights}${r}_0;`,
      ...range(last).map((t) => `${weights}${r}_${t} = ${weights}${r}_${t + 1};`),
      `${weights}${r}_${last} = used_${weights}${r};`,
    ]);
  }

  updateColumns({ weights, own, target, row, exists, continues }: ColumnUpdate): string {
    const { threads: lanes, rows } = this;
    const chunks = range(this.#chunks).map((c) => {
      const vectors = range(this.width).map((h) => {
        const v = c * this.width + h;
        return range(rows).reduce(
          (inner, r) => `fma(w${r}, ${this.#loaded(`${own.array}${r}`, v)}, ${inner})`,
          this.#part("sum", h),
        );
      });
      const place = `${c * lanes}u + lane`;
      const inside = this.#isWhole(c) ? "" : `if (${place} < ${this.#loads}u) `;
      const type = this.width === 1 ? "vec4f" : "mat2x4f";
      return `${inside}{
let at = ${row("column")} + ${place};
var sum = ${type}();
if (${continues}) { sum = load_${target}(at); }
store_${target}(at, ${type}(${vectors.join(", ")}));
}`;
    });
    const shares = range(rows).map((r) =>
      `let w${r} = vec4f(subgroupShuffle(${weights}${r}_0, j));`
    );
    return `for (var turn = 0u; turn < ${this.columns}u * groups.z; turn++) {
for (var j = 0u; j < ${lanes}u * groups.z; j++) {
let column = start + turn * ${lanes}u + j;
${shares.join("\n")}
if (${exists("column")}) {
${chunks.join("\n")}
}
}
${this.#shiftColumns(weights).join("\n")}
}`;
  }

  declareSoftmax(lowest: string): string {
    return range(this.rows).map((r) => `var peak${r} = ${lowest};\nvar total${r} = 0.0;`).join(
      "\n",
    );
  }

  softmaxStep(logits: string, sum: string): string {
    return range(this.rows).map((r) => {
      const own = range(this.columns).map((t) => `${logits}${r}_${t}`);
      return `{
let higher = max(peak${r}, subgroupMax(${own.reduce((a, b) => `max(${a}, ${b})`)}));
let shrink = exp(peak${r} - higher);
peak${r} = higher;
${own.map((x) => `${x} = exp(${x} - higher);`).join("\n")}
total${r} = fma(total${r}, shrink, ${own.join(" + ")});
${this.#own.map((v) => `${sum}${r}_${v} *= shrink;`).join("\n")}
}`;
    }).join("\n");
  }

  /** The text of a store stands once, in a loop through which rows are shifted: stores compile slowly. */
  storeRows(sums: readonly string[], length: string, text: StoreText): string {
    const { threads: lanes, width } = this;
    const stores = this.#own.map((v) => {
      const chunk = Math.floor(v / width);
      return `if (${chunk * lanes}u + lane < ${this.#loads}u) {
let vector = (${chunk * lanes}u + lane) * ${width}u + ${v % width}u;
${text.vector(sums.map((sum) => `${sum}0_${v}`))}
}`;
    });
    const kept = text.softmax ? ["peak", "total"] : [];
    const shifts = range(this.rows - 1).flatMap((r) => [
      ...sums.flatMap((sum) => this.#own.map((v) => `${sum}${r}_${v} = ${sum}${r + 1}_${v};`)),
      ...kept.map((name) => `${name}${r} = ${name}${r + 1};`),
    ]);
    const statistics = text.softmax ? "let peak = peak0;\nlet total = subgroupAdd(total0);\n" : "";
    return `for (var i = 0u; i < ${this.rows}u * groups.z; i++) {
let row = first + i;
${statistics}if (row < ${length}) {
if (lane == 0u) {
${text.once}
}
${stores.join("\n")}
}
${shifts.join("\n")}
}`;
  }
}
