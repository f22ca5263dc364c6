// The two products that attention is made of, over a tile of logits: rows that a workgroup owns against rows that
// it goes through. How threads share them is a form's own matter; what they compute is the same.

/** The rows of an array, one head of them. */
export interface Rows {
  /** The array's name: `load_<name>(at)` reads as much as one load takes, and places count such. */
  readonly array: string;
  /** WGSL for the place where a row begins; rows past the end are the last one. */
  at(row: string): string;
}

/** Vectors of four that one load of a row takes: where they are two, `load_<name>` gives a `mat2x4f` of them. */
export type RowWidth = 1 | 2;

/** Sums of products over a row: `<sum><row>_<column>` is own row times other row. */
export interface TileProduct {
  readonly sum: string;
  readonly own: Rows;
  readonly other: Rows;
}

/** Adds weights times other rows to sums of the shape of own rows. */
export interface TileUpdate {
  readonly sum: string;
  readonly weights: string;
  readonly other: Rows;
}

/** Adds weights times own rows to rows of an array of float32, one for each column of the tile. */
export interface ColumnUpdate {
  readonly weights: string;
  readonly own: Rows;
  /** The array, with `load_<target>` and `store_<target>`, and WGSL for its row of a column. */
  readonly target: string;
  readonly row: (column: string) => string;
  /** WGSL: whether a column is one of the array, and whether its row holds a sum already. */
  readonly exists: (column: string) => string;
  readonly continues: string;
}

/**
 * A way to lay a tile over threads. A thread owns `columns` columns of it, in registers for every one of its
 * `rows`; the names that kernels see are `first` (the first own row), `start` (the first column) and `lane`.
 */
export interface AttentionForm {
  readonly threads: number;
  readonly rows: number;
  readonly columns: number;
  /** Columns of all threads. */
  readonly block: number;
  readonly width: RowWidth;
  /**
   * Turns of all loops for one block of columns.
   * @param products how many products there are; each has its update. @param arrays over the logits.
   */
  iterations(products: number, arrays: number): number;
  /** Module-scope WGSL. */
  readonly declarations: string;
  /** WGSL for a thread's column in the tile. */
  column(t: number): string;
  /** Statements that make own rows ready, for `first` as it is. */
  prepare(own: readonly Rows[]): string;
  /** Statements that declare sums and add up the products. */
  products(products: readonly TileProduct[]): string;
  /** Declares sums over rows of the tile: zeros. */
  declareSums(name: string): string;
  /** Adds to sums; the weights' registers are free afterwards. */
  update(updates: readonly TileUpdate[]): string;
  /** Adds to the rows of an array; before {@linkcode update} uses the weights up. */
  updateColumns(update: ColumnUpdate): string;
  /** Declares what {@linkcode softmaxStep} keeps of each row. */
  declareSoftmax(lowest: string): string;
  /** Turns logits `<logits><row>_<column>` into exponentials of their distance to the maximum so far. */
  softmaxStep(logits: string, sum: string): string;
  /** Stores all own rows that exist: `store` writes a vector; `total` and `peak` are in force after a softmax. */
  storeRows(sums: readonly string[], length: string, text: StoreText): string;
}

/** What is stored of a row. */
export interface StoreText {
  /** Whether the rows went through a softmax, whose `total` and `peak` the texts may name. */
  readonly softmax: boolean;
  /** Statements of one thread of a row. */
  readonly once: string;
  /** Statements for vector number `vector` of `row`, with the value of each sum. */
  readonly vector: (values: readonly string[]) => string;
}

/** 0, 1, ... below a count. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Statements that add the product of two vectors to a number. */
export function addProduct(sum: string, a: string, b: string): string {
  const text = ["x", "y", "z", "w"].reduce(
    (inner, c) => `fma(${a}.${c}, ${b}.${c}, ${inner})`,
    sum,
  );
  return `${sum} = ${text};`;
}
