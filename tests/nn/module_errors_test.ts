// What modules refuse, and how they say it: with the path of the parameter that does not fit.

import { assertThrows } from "@std/assert";
import { grad, init, jit, type NDArray, nn, numpy as jnp, random } from "../../mod.ts";

await init({ backend: "cpu" });

type Refused = readonly [what: string, run: () => unknown, type: typeof Error, message: string];

/** A call that TypeScript would refuse. */
function untyped(fn: unknown, ...args: readonly unknown[]): () => unknown {
  return () => (fn as (...args: readonly unknown[]) => unknown)(...args);
}

const key = random.key(0);
const dense = nn.dense({ inFeatures: 3, features: 2 });
const denseParams = dense.init(key);
const block = nn.transformerBlock({ features: 4, numHeads: 2 });
const blockParams = block.init(key);
const attention = nn.multiHeadDotProductAttention({ features: 4, numHeads: 2 });
const model = nn.sequential([nn.relu, nn.residual(nn.mlp({ features: 4 }))]);
const modelParams = model.init(key);
const x = jnp.ones([2, 3, 4]);
const conv = nn.conv({ inFeatures: 4, features: 2, kernelSize: 3 });

const withKernel = (shape: number[]) => ({
  ...blockParams,
  attn: {
    ...blockParams.attn,
    query: { ...blockParams.attn.query, kernel: jnp.ones(shape) },
  },
});

const refused: readonly Refused[] = [
  [
    "no features",
    untyped(nn.dense, { inFeatures: 3 }),
    TypeError,
    "Cannot dense: features must be a positive integer, got undefined",
  ],
  ...[nn.dense, nn.embed, nn.conv, nn.dropout, nn.mlp, nn.transformerBlock].map((make): Refused => [
    `no options of ${make.name}`,
    untyped(make),
    TypeError,
    `Cannot ${make.name}: options must be an object such as`,
  ]),
  [
    "a fraction",
    () => nn.dense({ inFeatures: 1.5, features: 2 }),
    RangeError,
    "inFeatures must be a positive integer, got 1.5",
  ],
  [
    "an unknown size",
    untyped(nn.dense, { features: 3, units: 2 }),
    TypeError,
    'Cannot dense: unknown option "units"',
  ],
  [
    "another width of x",
    () => dense.apply(denseParams, jnp.ones([2, 4])),
    RangeError,
    "Cannot dense: x must end in axes of [3], got shape [2, 4]",
  ],
  [
    "a missing parameter",
    untyped(dense.apply, { kernel: denseParams.kernel }, jnp.ones([3])),
    TypeError,
    "Cannot dense: params.bias is missing",
  ],
  [
    "one parameter more",
    untyped(nn.layerNorm({ features: 3, useBias: false }).apply, {
      scale: jnp.ones([3]),
      bias: jnp.ones([3]),
    }, jnp.ones([3])),
    TypeError,
    "Cannot layerNorm: params.bias is no parameter of it; it has scale",
  ],
  [
    "no parameters",
    untyped(dense.apply, jnp.ones([3]), jnp.ones([3])),
    TypeError,
    "Cannot dense: params must be the object that init returns, got NDArray float32[3]",
  ],
  [
    "a kernel of another shape",
    () => dense.apply({ ...denseParams, kernel: jnp.ones([2, 3]) }, jnp.ones([3])),
    RangeError,
    "Cannot dense: params.kernel must have shape [3, 2], got [2, 3]",
  ],
  [
    "a kernel of another shape within",
    () => block.apply(withKernel([4, 4]), x),
    RangeError,
    "Cannot dense: params.attn.query.kernel must have shape [4, 2, 2], got [4, 4]",
  ],
  [
    "the same under jit and grad",
    () => jit(grad((p: typeof blockParams) => block.apply(p, x).sum()))(withKernel([4, 4])),
    RangeError,
    "params.attn.query.kernel must have shape",
  ],
  [
    "a parameter that is no array",
    untyped(model.apply, { layers_1: { ...modelParams.layers_1, up: { kernel: 1, bias: 2 } } }, x),
    TypeError,
    "Cannot dense: params.layers_1.up.kernel must be a floating array of shape [4, 16], got 1",
  ],
  [
    "an integer parameter",
    () => dense.apply({ ...denseParams, bias: jnp.array([1, 2], { dtype: "int32" }) }, [1, 2, 3]),
    TypeError,
    "params.bias must be a floating array of shape [2], got NDArray int32[2]",
  ],
  [
    "an unknown option",
    untyped(dense.apply, denseParams, [1, 2, 3], { train: true }),
    TypeError,
    'Cannot dense: unknown option "train"; allowed are key, deterministic',
  ],
  [
    "an unknown option of a model",
    untyped(model.apply, modelParams, x, { mask: x }),
    TypeError,
    'Cannot sequential: unknown option "mask"',
  ],
  [
    "heads that do not divide",
    () => nn.transformerBlock({ features: 10, numHeads: 4 }),
    RangeError,
    "Cannot multiHeadDotProductAttention: numHeads must divide features, got 4 and 10",
  ],
  [
    "heads of keys that do not divide",
    () => nn.multiHeadDotProductAttention({ features: 8, numHeads: 4, numKeyValueHeads: 3 }),
    RangeError,
    "numKeyValueHeads must divide numHeads, got 3 and 4",
  ],
  [
    "an odd headSize with rotary positions",
    () => {
      const own = nn.multiHeadDotProductAttention({ features: 3, numHeads: 1, rotary: true });
      own.apply(own.init(key), jnp.ones([1, 2, 3]));
    },
    RangeError,
    "an even headSize is required",
  ],
  [
    "x without a length",
    () => attention.apply(attention.init(key), jnp.ones([4])),
    RangeError,
    "floats of shape [batch, length, features] are required, got NDArray float32[4]",
  ],
  [
    "rotary positions between the places",
    () => nn.rotaryEmbedding(jnp.ones([1, 2, 1, 2]), [0, 1.5]),
    TypeError,
    "Cannot rotaryEmbedding: positions must be integers, got [0, 1.5]",
  ],
  [
    "a mask of numbers",
    () => attention.apply(attention.init(key), x, { mask: jnp.ones([3, 3]) }),
    TypeError,
    "the mask must be boolean, got float32",
  ],
  [
    "another norm",
    untyped(nn.transformerBlock, { features: 4, numHeads: 2, norm: "batchNorm" }),
    TypeError,
    'norm must be "layerNorm" or "rmsNorm", got "batchNorm"',
  ],
  [
    "fractional tokens",
    () => {
      const own = nn.embed({ numEmbeddings: 3, features: 2 });
      own.apply(own.init(key), jnp.ones([2]));
    },
    TypeError,
    "Cannot take: an index array must be int32 or uint32, got float32",
  ],
  [
    "groups that do not divide",
    () => nn.conv({ inFeatures: 3, features: 4, kernelSize: 3, featureGroupCount: 2 }),
    RangeError,
    "Cannot conv: featureGroupCount must divide inFeatures and features, got 2 for 3 and 4",
  ],
  [
    "x without spatial axes",
    () => conv.apply(conv.init(key), jnp.ones([4])),
    RangeError,
    "Cannot conv: x must have at least 2 axes, the spatial ones and the features, got shape [4]",
  ],
  [
    "strides of another rank",
    () => nn.conv({ inFeatures: 3, features: 4, kernelSize: [3, 3], strides: [2] }),
    RangeError,
    "strides must have one number for each of 2 spatial axes, got [2]",
  ],
  [
    "a padding of another kind",
    () => {
      const own = nn.conv({ inFeatures: 4, features: 2, kernelSize: 3, padding: [[1, -1]] });
      own.apply(own.init(key), x);
    },
    RangeError,
    'padding must be "SAME", "VALID" or a pair of numbers',
  ],
  [
    "causal padding of images",
    () => nn.conv({ inFeatures: 4, features: 2, kernelSize: [3, 3], padding: "CAUSAL" }),
    RangeError,
    'padding "CAUSAL" requires one spatial axis',
  ],
  [
    "a pool of integers",
    () => nn.maxPool(jnp.arange(4).reshape([4, 1]), [2]),
    TypeError,
    "Cannot maxPool: x must be floating",
  ],
  [
    "a window that is a number",
    untyped(nn.avgPool, x, 2),
    TypeError,
    "windowShape must be an array such as [2, 2], got 2",
  ],
  [
    "layers that are none",
    untyped(nn.sequential, [dense, 3]),
    TypeError,
    "Cannot sequential: layers must be modules or functions, got 3 at 1",
  ],
  [
    "layers without an array",
    untyped(nn.sequential, dense),
    TypeError,
    "Cannot sequential: an array of layers is required, got { name, init, apply }",
  ],
  [
    "a residual of another shape",
    () => nn.residual(dense).apply(denseParams, [1, 2, 3]),
    RangeError,
    "Cannot residual: dense must give an array of the shape [3] of x, got NDArray float32[2]",
  ],
  [
    "an activation that is none",
    untyped(nn.mlp, { features: 3, activation: "gelu" }),
    TypeError,
    'activation must be a function, got "gelu"',
  ],
  [
    "an epsilon below 0",
    () => nn.rmsNorm({ features: 3, epsilon: -1 }),
    TypeError,
    "Cannot rmsNorm: epsilon must be a number from 0 on, got -1",
  ],
];

for (const [what, run, type, message] of refused) {
  Deno.test(`modules refuse ${what}`, () => {
    assertThrows(run, type, message);
  });
}

Deno.test("an error inside a module leaves the paths of later ones right", () => {
  assertThrows(() => block.apply(withKernel([1]), x), RangeError, "params.attn.query.kernel");
  const lone = (p: NDArray) => dense.apply({ ...denseParams, kernel: p }, [1, 2, 3]);
  assertThrows(
    () => lone(jnp.ones([1])),
    RangeError,
    "Cannot dense: params.kernel must have shape",
  );
});
