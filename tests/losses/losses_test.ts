// What holds for every loss: float32 results of half arguments without a float32 copy of them, finite values
// at the ends of the range, and errors that say what was required.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  grad,
  init,
  jit,
  losses,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  valueAndGrad,
  vmap,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

type Loss = (x: NDArray) => NDArray;

/** Every loss as a function of its first argument, `[rows, 8]`. */
function everyLoss(rows: number): Record<string, Loss> {
  const labels = jnp.arange(rows).mod(8).astype("int32");
  const targets = nn.softmax(jnp.linspace(0, 3, rows * 8).reshape([rows, 8]));
  const where = targets.less(0.3);
  return {
    integer: (x) => losses.softmaxCrossEntropyWithIntegerLabels(x, labels),
    smoothed: (x) =>
      losses.softmaxCrossEntropyWithIntegerLabels(x, labels, { labelSmoothing: 0.1 }),
    masked: (x) => losses.softmaxCrossEntropyWithIntegerLabels(x, labels, { where }),
    distribution: (x) => losses.softmaxCrossEntropy(x, targets),
    maskedDistribution: (x) => losses.softmaxCrossEntropy(x, targets, { where }),
    sigmoid: (x) => losses.sigmoidBinaryCrossEntropy(x, targets),
    squared: (x) => losses.squaredError(x, targets),
    absolute: (x) => losses.absoluteError(x, targets),
    huber: (x) => losses.huberLoss(x, targets),
    kl: (x) => losses.klDivergence(x, targets),
  };
}

onBothBackends(
  "half arguments give float32 losses, as if they were float32, and half gradients",
  async () => {
    for (const dtype of ["float16", "bfloat16"] as const) {
      const x = jnp.linspace(-3, 4, 32, { dtype }).reshape([4, 8]);
      for (const [name, loss] of Object.entries(everyLoss(4))) {
        const half = loss(x);
        assertEquals(half.dtype, "float32", name);
        const wide = await loss(x.astype("float32")).data();
        (await half.data()).forEach((v, i) => assert(Math.abs(v - wide[i]!) <= 1e-6, name));
        const mean = (y: NDArray) => loss(y).mean();
        const slopes = grad(mean)(x);
        assertEquals(slopes.dtype, dtype, name);
        const exact = await grad(mean)(x.astype("float32")).astype(dtype).data();
        const eps = dtype === "float16" ? 2 ** -10 : 2 ** -7;
        (await slopes.data()).forEach((v, i) =>
          assert(
            Math.abs(v - exact[i]!) <= eps * Math.abs(exact[i]!) + 1e-7,
            `${name} ${v} ${exact[i]}`,
          )
        );
      }
    }
  },
);

onBothBackends("losses and gradients are finite for the largest logits", async () => {
  const x = jnp.array([[1e4, -1e4, 0, 1e4, 1, 2, 3, -1e4], [
    -1e4,
    -1e4,
    -1e4,
    -1e4,
    -1e4,
    -1e4,
    -1e4,
    -1e4,
  ]]);
  for (const [name, loss] of Object.entries(everyLoss(2))) {
    const [value, slopes] = valueAndGrad((y: NDArray) => loss(y).sum())(x);
    assert(Number.isFinite(await value.item()), name);
    assert((await slopes.data()).every(Number.isFinite), name);
  }
});

onBothBackends("what a mask leaves out has no gradient, and an empty example is 0", async () => {
  const where = jnp.array([[true, true, false], [false, false, false]]);
  const x = jnp.array([[1, 2, Infinity], [1, NaN, 3]]);
  for (
    const loss of [
      (y: NDArray) => losses.softmaxCrossEntropyWithIntegerLabels(y, [0, 0], { where }),
      (y: NDArray) => losses.softmaxCrossEntropy(y, [[1, 0, 0], [1, 0, 0]], { where }),
    ]
  ) {
    const finite = jnp.array([[1, 2, 3], [1, 2, 3]]);
    const [, empty] = await loss(finite).toList() as number[];
    assertEquals(empty, 0);
    const slopes = await grad((y: NDArray) => loss(y).sum())(finite).toList() as number[][];
    assertEquals(slopes[0]![2], 0);
    assertEquals(slopes[1], [0, 0, 0]);
    const [, left] = await grad((y: NDArray) => loss(y).sum())(x).toList() as number[][];
    assertEquals(left, [0, 0, 0]); // of a row with NaN too
    const [first] = await loss(x).toList() as number[];
    assert(Math.abs(first! - Math.log(1 + Math.E)) < 1e-6);
  }
});

onBothBackends("classes given as JS numbers, and examples under vmap", async () => {
  const x = jnp.linspace(-1, 2, 12).reshape([4, 3]);
  const all = losses.softmaxCrossEntropyWithIntegerLabels(x, [0, 1, 2, 1]);
  const labels = jnp.array(Int32Array.of(0, 1, 2, 1));
  const each = vmap((row: NDArray, label: NDArray) =>
    losses.softmaxCrossEntropyWithIntegerLabels(row, label)
  )(x, labels);
  assertEquals(await each.toList(), await all.toList());
});

onBothBackends("losses leave nothing behind but their results", async () => {
  const x = jnp.linspace(-3, 4, 32, { dtype: "float16" }).reshape([4, 8]);
  for (const [name, loss] of Object.entries(everyLoss(4))) {
    const live = () => {
      loss(x).dispose();
      return memoryStats().liveArrays;
    };
    assertEquals(live(), live(), name);
  }
  await x.data();
});

webgpuTest(
  "cross entropies read half logits where they are, and their gradient is one kernel of rows",
  async () => {
    await init({ backend: "webgpu" });
    const [rows, classes] = [64, 1024];
    const x = jnp.ones([rows, classes], { dtype: "float16" });
    const labels = jnp.zeros([rows], { dtype: "int32" });
    const weights = jnp.ones([rows, classes], { dtype: "float16" });
    const each: Loss[] = [
      (y) => losses.softmaxCrossEntropyWithIntegerLabels(y, labels).mean(),
      (y) => losses.softmaxCrossEntropyWithIntegerLabels(y, labels, { labelSmoothing: 0.1 }).mean(),
      (y) => losses.softmaxCrossEntropy(y, weights).mean(),
      (y) => losses.sigmoidBinaryCrossEntropy(y, weights).mean(),
    ];
    for (const loss of each) {
      // A few float32 numbers a row, and never one an element.
      for (const fn of [loss, grad(loss), valueAndGrad(loss)] as ((y: NDArray) => unknown)[]) {
        assert(jit(fn).lower(x).memoryAnalysis().tempBytes <= rows * 4 * 8);
      }
      // A scalar or a sum a row besides.
      assert(jit(grad(loss)).lower(x).dispatches <= 2);
    }
  },
);

onBothBackends("wrong arguments are errors that say what is required", () => {
  const x = jnp.ones([4, 3]);
  const wrong: [() => unknown, new (...args: never[]) => Error, string][] = [
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x, [0, 1]),
      RangeError,
      "labels must have the shape [4]",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x, jnp.ones([4])),
      TypeError,
      "labels must be integers",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x, [0, 1, 2, 0.5]),
      TypeError,
      "labels must be integers",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x.astype("int32"), [0, 1, 2, 0]),
      TypeError,
      "logits must be floating, got int32",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(jnp.ones([4, 0]), [0, 1, 2, 0]),
      RangeError,
      "at least one class",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x, [0, 1, 2, 0], { labelSmoothing: 2 }),
      RangeError,
      "from 0 to 1, got 2",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x, [0, 1, 2, 0], { smoothing: 1 } as never),
      TypeError,
      "unknown option",
    ],
    [
      () => losses.softmaxCrossEntropyWithIntegerLabels(x, [0, 1, 2, 0], { where: jnp.ones([3]) }),
      RangeError,
      "where must have the shape [4, 3] of logits, or [4], got [3]",
    ],
    [
      () => losses.softmaxCrossEntropy(x, jnp.ones([2, 3])),
      RangeError,
      "Cannot softmaxCrossEntropy",
    ],
    [
      () => losses.squaredError(x, jnp.ones([4, 1])),
      RangeError,
      "targets must have the shape [4, 3] of predictions, got [4, 1]",
    ],
    [() => losses.huberLoss(x, x, { delta: -1 }), RangeError, "delta must be a finite number"],
    [() => losses.huberLoss(x, x, { delta: Infinity }), RangeError, "from 0 on, got Infinity"],
    [() => losses.klDivergence(x, jnp.ones([3])), RangeError, "targets must have the shape [4, 3]"],
    [() => losses.smoothLabels(x, 1.5), RangeError, "alpha must be a number from 0 to 1"],
  ];
  for (const [fn, type, message] of wrong) assertThrows(fn, type, message);
  return Promise.resolve();
});
