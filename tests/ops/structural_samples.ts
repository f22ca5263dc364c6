// What the registry test feeds to operations that are not elementwise: every one of them has samples here.

import type { DType } from "../../src/core/dtype.ts";
import type { Shape } from "../../src/core/shape.ts";
import type { Params } from "../../src/ir/operation.ts";

/** One way to apply an operation. */
export interface Sample {
  /** The shapes of its inputs. */
  readonly shapes: readonly Shape[];
  readonly params?: Params;
  /** What the dtypes of its inputs may be; by default floats and integers. */
  readonly dtypes?: readonly DType[];
  /** Inputs that are int32 positions, and the range that they are drawn from (the end left out). */
  readonly positions?: Readonly<Record<number, readonly [number, number]>>;
  /** Inputs that have a dtype of their own, whatever the others have. */
  readonly own?: Readonly<Record<number, DType>>;
  readonly domain?: readonly [number, number];
  /** Distance from the reference in ulp of float32 and besides; half types allow one value besides. */
  readonly ulp?: number;
  readonly absolute?: number;
}

const floats = ["float32", "float16", "bfloat16"] as const;
const booleans = ["bool"] as const;

const reducedShapes: readonly (readonly [Shape, readonly number[]])[] = [
  [[3, 7], [1]],
  [[2, 12, 8], [1]],
  [[4, 1000], [1]],
  [[1000, 4], [0]],
  [[2, 3, 4], [0, 2]],
  [[5], [0]],
  [[0, 3], [0]],
  [[3, 0], [0]],
  [[2, 3], []],
];

/** Reductions over every kind of axes. */
function reductions(extra: Omit<Sample, "shapes">, params: Params = {}): Sample[] {
  return reducedShapes.map(([shape, axes]) => ({
    ...extra,
    shapes: [shape],
    params: { ...params, axes },
  }));
}

/** Statistics over axes with elements. */
function statistics(params: Params, extra: Omit<Sample, "shapes"> = {}): Sample[] {
  return reductions({ dtypes: floats, ulp: 16, absolute: 1e-6, ...extra }, params)
    .filter(({ shapes: [shape] }) => !shape!.includes(0));
}

const argShapes: readonly (readonly [Shape, number])[] = [
  [[3, 7], 1],
  [[2, 12, 8], 1],
  [[4, 1000], 1],
  [[5], 0],
];

function argReductions(): Sample[] {
  // Few different values: the first of equal ones counts.
  return argShapes.map(([shape, axis]) => ({ shapes: [shape], params: { axis } }));
}

/** A convolution along one axis. */
function oneAxis(
  stride: number,
  padding: readonly [number, number],
  lhsDilation: number,
  rhsDilation: number,
  featureGroupCount: number,
): Pick<Sample, "params"> {
  return {
    params: {
      windowStrides: [stride],
      padding: [padding],
      lhsDilation: [lhsDilation],
      rhsDilation: [rhsDilation],
      featureGroupCount,
    },
  };
}

const rowShapes: readonly Shape[] = [[5, 7], [2, 3, 64], [4, 1000], [1, 1], [0, 5], [3, 0], [3]];

function rows(domain: readonly [number, number]): Sample[] {
  return rowShapes.map((shape) => ({
    shapes: [shape],
    dtypes: floats,
    domain,
    ulp: 16,
    absolute: 1e-6,
  }));
}

function norms(vectors: number): Sample[] {
  const params = { eps: 1e-6, hasScale: vectors > 0, hasBias: vectors > 1 };
  return rowShapes.map((shape) => {
    const vector = [shape[shape.length - 1]!];
    return {
      shapes: [shape, ...new Array<Shape>(vectors).fill(vector)],
      params,
      dtypes: floats,
      ulp: 16,
      absolute: 4e-6,
    };
  });
}

/** Rows and the cotangents of what became of them. */
function rowGradients(params: Params = {}): Sample[] {
  return rowShapes.map((shape) => ({
    shapes: [shape, shape],
    params,
    dtypes: floats,
    domain: [-2, 2],
    ulp: 16,
    absolute: 1e-5,
  }));
}

/** Few heads and many, groups of them, every option, and lengths without a key or a query. */
function attentions(): Sample[] {
  const sample = (
    [batch, queries, keys, heads, keyHeads, headSize]: readonly number[],
    options: Params = {},
    besides: readonly Shape[] = [],
  ): Sample => {
    const key = [batch!, keys!, keyHeads!, headSize!];
    const params = { scale: 0.5, isCausal: false, hasBias: false, hasMask: false, ...options };
    return {
      shapes: [[batch!, queries!, heads!, headSize!], key, key, ...besides],
      params,
      dtypes: floats,
      own: options.hasMask ? { [2 + besides.length]: "bool" } : undefined,
      domain: [-1, 1],
      ulp: 32,
      absolute: 1e-5,
    };
  };
  return [
    sample([1, 2, 3, 2, 1, 3]),
    sample([2, 3, 2, 1, 1, 4], { isCausal: true }),
    sample([1, 2, 3, 1, 1, 4], { hasBias: true, hasMask: true }, [[1, 1, 2, 3], [1, 1, 1, 3]]),
    sample([2, 17, 33, 4, 2, 8], { hasMask: true }, [[2, 1, 17, 33]]),
    sample([1, 50, 50, 2, 2, 64], { isCausal: true }),
    sample([1, 9, 20, 3, 3, 7], { hasBias: true }, [[1, 3, 9, 20]]),
    sample([1, 3, 0, 2, 2, 4]),
    sample([1, 0, 3, 2, 2, 4]),
  ];
}

/** The same with what the gradient is given besides: sums of rows, and the result's cotangent. */
function attentionGradients(): Sample[] {
  return attentions().map((sample) => {
    const query = sample.shapes[0]!;
    const rows = query.slice(0, -1);
    const next = sample.shapes.length;
    return {
      ...sample,
      shapes: [...sample.shapes, rows, query, rows],
      own: { ...sample.own, [next]: "float32", [next + 2]: "float32" },
      // Weights that are not those of a softmax grow as the logits do.
      absolute: 1e-3,
    };
  });
}

const scanned = (reverse: boolean): Sample[] =>
  argShapes.map(([shape, axis]) => ({
    shapes: [shape],
    params: { axis, reverse },
    ulp: 64,
    absolute: 1e-3,
  }));

function scattered(mode: string): Sample[] {
  return [[[6, 4], [9], [9, 4]], [[5, 1], [3], [3, 1]]].map((shapes) => ({
    shapes,
    params: { mode },
    positions: { 1: [-1, 7] },
    ulp: 4,
    absolute: 1e-5,
  }));
}

/** Samples by the operation's name. */
export const structuralSamples: Readonly<Record<string, readonly Sample[]>> = {
  constant: [{ shapes: [], params: { value: 2.5, dtype: "bfloat16" } }],
  iota: [
    { shapes: [], params: { shape: [3, 5, 2], axis: 1, dtype: "int32" } },
    { shapes: [], params: { shape: [7], axis: 0, dtype: "float16" } },
  ],
  broadcastTo: [
    { shapes: [[3, 1]], params: { shape: [2, 3, 5] } },
    { shapes: [[]], params: { shape: [9] } },
    { shapes: [[1]], params: { shape: [0] } },
  ],
  reshape: [{ shapes: [[3, 4]], params: { shape: [2, 6] } }, {
    shapes: [[0]],
    params: { shape: [0, 4] },
  }],
  transpose: [{ shapes: [[2, 3, 5]], params: { axes: [2, 0, 1] } }, {
    shapes: [[8, 12]],
    params: { axes: [1, 0] },
  }],
  slice: [
    { shapes: [[7, 6]], params: { starts: [1, 5], steps: [2, -1], shape: [3, 4] } },
    { shapes: [[7]], params: { starts: [2], steps: [1], shape: [0] } },
  ],
  stopGradient: [{ shapes: [[3, 5]] }],
  optimizationBarrier: [{ shapes: [[3, 5]] }],
  pad: [{ shapes: [[3, 5], []], params: { low: [1, 0], high: [0, 2] } }],
  concatenate: [
    { shapes: [[2, 3], [2, 5]], params: { axis: 1 } },
    { shapes: [[4], [0], [8]], params: { axis: 0 } },
  ],
  reduce_sum: reductions({ ulp: 8, absolute: 1e-3 }),
  reduce_prod: reductions({ domain: [0.9, 1.1], ulp: 64 }),
  reduce_max: reductions({ ulp: 0 }),
  reduce_min: reductions({ ulp: 0 }),
  reduce_any: reductions({ dtypes: booleans }),
  reduce_all: reductions({ dtypes: booleans }),
  mean: statistics({}, { absolute: 1e-6 }),
  var: [
    ...statistics({ correction: 0 }),
    ...statistics({ correction: 1 }, { domain: [1000, 1003] }),
  ],
  std: statistics({ correction: 0 }),
  norm: [2, 1, 0, 3, "max", "min"].map((order) => ({
    shapes: [[4, 12]],
    params: { axes: [1], order },
    dtypes: floats,
    ulp: 32,
  })),
  argmax: argReductions(),
  argmin: argReductions(),
  softmax: rows([-8, 8]),
  logSoftmax: rows([-8, 8]),
  logsumexp: rows([-8, 8]),
  softmaxGradient: rowGradients(),
  logSoftmaxGradient: rowGradients(),
  integerCrossEntropy: [0, 0.1].flatMap((labelSmoothing) =>
    [[5, 7], [2, 3, 64], [4, 1000], [0, 5], [3]].map((shape) =>
      ({
        shapes: [shape, shape.slice(0, -1)],
        params: { labelSmoothing },
        dtypes: floats,
        positions: { 1: [-3, 3] },
        domain: [-8, 8],
        ulp: 16,
        absolute: 1e-6,
      }) as Sample
    )
  ),
  crossEntropy: [[5, 7], [2, 3, 64], [4, 1000], [0, 5], [3]].map((shape) => ({
    shapes: [shape, shape],
    dtypes: floats,
    domain: [-2, 2],
    ulp: 16,
    absolute: 1e-3,
  })),
  dotProductAttention: attentions(),
  dotProductAttentionGradient: attentionGradients(),
  layerNorm: [...norms(0), ...norms(1), ...norms(2)],
  rmsNorm: [...norms(0), ...norms(1)],
  layerNormGradient: rowGradients({ eps: 1e-2 }),
  rmsNormGradient: rowGradients({ eps: 1e-2 }),
  dotGeneral: [
    { shapes: [[5, 7], [7, 3]], params: { contracting: [[1], [0]], batch: [[], []] } },
    { shapes: [[2, 4, 8], [2, 8, 4]], params: { contracting: [[2], [1]], batch: [[0], [0]] } },
    { shapes: [[7, 5], [3, 7]], params: { contracting: [[0], [1]], batch: [[], []] } },
    { shapes: [[2, 3, 4], [3, 4, 6]], params: { contracting: [[1, 2], [0, 1]], batch: [[], []] } },
    { shapes: [[3, 0], [0, 4]], params: { contracting: [[1], [0]], batch: [[], []] } },
    { shapes: [[64, 96], [96, 40]], params: { contracting: [[1], [0]], batch: [[], []] } },
  ].map((sample) => ({ ...sample, ulp: 16, absolute: 1e-4 }) as Sample),
  convGeneralDilated: [
    { shapes: [[2, 9, 4], [3, 4, 8]], ...oneAxis(2, [1, 1], 1, 2, 1) },
    { shapes: [[1, 5, 4], [2, 2, 6]], ...oneAxis(1, [2, 0], 2, 1, 2) },
    { shapes: [[0, 5, 4], [2, 4, 6]], ...oneAxis(1, [0, 0], 1, 1, 1) },
    { shapes: [[1, 2, 4], [3, 4, 6]], ...oneAxis(1, [0, 0], 1, 1, 1) },
    {
      shapes: [[2, 6, 5, 3], [3, 2, 3, 4]],
      params: {
        windowStrides: [2, 1],
        padding: [[1, 1], [0, 1]],
        lhsDilation: [1, 1],
        rhsDilation: [1, 3],
        featureGroupCount: 1,
      },
    },
  ].map((sample) => ({ ...sample, ulp: 16, absolute: 1e-4 }) as Sample),
  nanToNum: [{ shapes: [[2, 3]], params: { nan: 0 }, dtypes: floats }],
  rotaryEmbedding: [[3], [2, 3]].map((positions) => ({
    shapes: [[2, 3, 2, 6], positions],
    params: { base: 100 },
    dtypes: floats,
    positions: { 1: [0, 20] },
    ulp: 8,
    absolute: 1e-5,
  })),
  cumsum: [...scanned(false), ...scanned(true)],
  cumprod: argShapes.map(([shape, axis]) => ({
    shapes: [shape],
    params: { axis, reverse: false },
    domain: [0.99, 1.01],
    ulp: 2048,
  })),
  cummax: scanned(false).slice(0, 2),
  cummin: scanned(true).slice(0, 2),
  take: [
    { shapes: [[6, 4], [3]], params: { axis: 0 }, positions: { 1: [-6, 6] } },
    { shapes: [[2, 5, 3], [2, 2]], params: { axis: 1 }, positions: { 1: [0, 5] } },
  ],
  takeAlongAxis: [
    { shapes: [[4, 6], [4, 3]], params: { axis: 1 }, positions: { 1: [0, 6] } },
  ],
  // Positions repeat, and some lie outside.
  scatter: [...scattered("add"), ...scattered("set"), ...scattered("max")],
  sort: ["values", "positions", "both"].flatMap((outputs, i) =>
    [[5], [3, 70], [0, 4]].map((shape) => ({
      shapes: [shape],
      params: { descending: i === 1, outputs },
    }))
  ),
  topK: [{ shapes: [[3, 20]], params: { k: 4 } }, { shapes: [[5]], params: { k: 0 } }],
  searchsorted: ["left", "right"].map((side) => ({ shapes: [[1], [3, 5]], params: { side } })),
  rearrange: [{
    shapes: [[3, 5]],
    params: {
      axes: [1],
      runs: [[{ start: 3, step: 1, count: 2 }, { start: 4, step: -1, count: 5 }, {
        start: 0,
        step: 0,
        count: 2,
      }]],
    },
  }],
  updateSlice: ["set", "add", "mul"].map((mode) => ({
    shapes: [[6, 5], [3, 2]],
    params: { mode, starts: [1, 4], steps: [2, -3] },
    ulp: 1,
  })),
  dynamicSlice: [{
    shapes: [[7, 5], [], []],
    params: { axes: [0, 1], sizes: [3, 2] },
    positions: { 1: [-9, 9], 2: [-9, 9] },
  }],
  dynamicUpdateSlice: [{
    shapes: [[7, 5], [3, 5], []],
    params: { axes: [0] },
    positions: { 2: [-9, 9] },
  }],
};
