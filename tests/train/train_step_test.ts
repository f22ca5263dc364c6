// trainStep against loops written by hand, and what it does where gradients are not finite.

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  castToHalf,
  jit,
  losses,
  lossScale,
  type NDArray,
  numpy as jnp,
  optim,
  trainStep,
  tree,
  valueAndGrad,
  withPolicy,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";
import { elements, type Line, points, predict, squaredLoss, startLine } from "./small_problem.ts";

function assertClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-6) {
  assertEquals(actual.length, expected.length);
  actual.forEach((x, i) => assertAlmostEquals(x, expected[i], tolerance));
}

onBothBackends("a float32 step does what a loop written by hand does", async () => {
  const [x, y] = points();
  const optimizer = optim.adam(0.05);
  const { init, step } = trainStep({ loss: squaredLoss, optimizer, policy: "float32" });
  let state = init(startLine());
  let params = startLine();
  let optState = optimizer.init(params);
  for (let i = 0; i < 5; i++) {
    const [next, metrics] = step(state, x, y);
    state = next;
    const [loss, grads] = valueAndGrad(squaredLoss)(params, x, y);
    const norm = optim.globalNorm(grads);
    const [updates, nextOptState] = optimizer.update(grads, optState, params);
    params = optim.applyUpdates(params, updates);
    optState = nextOptState;
    assertClose(await elements(metrics.loss), await elements(loss));
    assertClose(await elements(metrics.gradNorm), await elements(norm));
    assertEquals(await metrics.skipped.item(), false);
    assertEquals(await metrics.lossScale.item(), 1);
    assertClose(await elements(state.params), await elements(params));
    assertClose(await elements(state.optState), await elements(optState));
    assertEquals(await state.step.item(), i + 1);
  }
});

onBothBackends("every policy trains, with parameters in its own type", async () => {
  const [x, y] = points();
  const dtypes: Record<string, [params: string, inLoss: string]> = {
    float32: ["float32", "float32"],
    mixed_float16: ["float32", "float16"],
    mixed_bfloat16: ["float32", "bfloat16"],
    float16: ["float16", "float16"],
    "p=bf16,c=f32": ["bfloat16", "float32"],
  };
  for (const [policy, [paramDtype, inLoss]] of Object.entries(dtypes)) {
    const seen: string[] = [];
    const { init, step } = trainStep({
      loss: (line: Line, x: NDArray, y: NDArray) => {
        seen.push(line.w.dtype, x.dtype, castToHalf(jnp.ones([1])).dtype);
        return squaredLoss(line, x, y);
      },
      optimizer: optim.sgd(0.1),
      policy,
    });
    let state = init(startLine());
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) {
      const [next, { loss }] = step(state, x, y);
      state = next;
      losses.push(await loss.item() as number);
    }
    assertEquals(seen, [inLoss, inLoss, inLoss], policy);
    assertEquals(state.params.w.dtype, paramDtype, policy);
    assert(losses[39] < 0.01 * losses[0], `${policy}: ${losses[0]} to ${losses[39]}`);
  }
});

onBothBackends("the policy is the one in force when trainStep() is called", () => {
  const make = () => trainStep({ loss: squaredLoss, optimizer: optim.sgd(0.1) });
  const half = withPolicy("float16", make).init(startLine());
  assertEquals(half.params.w.dtype, "float16");
  assert(half.lossScale instanceof lossScale.DynamicLossScale);
  const full = withPolicy("mixed_bfloat16", make).init(startLine());
  assertEquals(full.params.w.dtype, "float32");
  assert(full.lossScale instanceof lossScale.NoOpLossScale);
  return Promise.resolve();
});

onBothBackends(
  "a step that overflows leaves parameters and optimizer as they were to the bit, and lowers the scale",
  async () => {
    const [x, y] = points();
    const { init, step } = trainStep({
      loss: squaredLoss,
      optimizer: optim.adam(0.1),
      policy: "mixed_float16",
      lossScale: lossScale.dynamic({ initial: 2 ** 18, period: 2 }),
      maxGradNorm: 1,
    });
    let state = init(startLine());
    const scales: unknown[] = [];
    const skipped: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const before = await elements([state.params, state.optState]);
      const [next, metrics] = step(state, x, y);
      state = next;
      scales.push(await metrics.lossScale.item());
      skipped.push(await metrics.skipped.item());
      const after = await elements([state.params, state.optState]);
      if (skipped[i]) assertEquals(after, before);
      else assert(after.some((value, at) => value !== before[at]));
      assertEquals(await metrics.gradNorm.item().then(Number).then(Number.isFinite), !skipped[i]);
    }
    assert(skipped[0] && skipped.includes(false), String(skipped));
    skipped.slice(0, -1).forEach((wasSkipped, i) => {
      if (wasSkipped) assertEquals(scales[i + 1], Number(scales[i]) / 2);
    });
    assertEquals(await state.step.item(), 8);
  },
);

onBothBackends("the gradient is unscaled with the scale that it was taken with", async () => {
  const [x, y] = points();
  const results: number[][] = [];
  for (const scale of [lossScale.noOp(), lossScale.fixed(64), lossScale.dynamic({ period: 1 })]) {
    const { init, step } = trainStep({
      loss: squaredLoss,
      optimizer: optim.sgd(0.1),
      policy: "float32",
      lossScale: scale,
    });
    let state = init(startLine());
    for (let i = 0; i < 4; i++) [state] = step(state, x, y);
    results.push(await elements(state.params));
  }
  assertClose(results[1], results[0]);
  assertClose(results[2], results[0]);
});

onBothBackends(
  "maxGradNorm shortens the unscaled gradient, and gradNorm says what it was",
  async () => {
    const [x, y] = points();
    const { init, step } = trainStep({
      loss: squaredLoss,
      optimizer: optim.sgd(1),
      policy: "float32",
      lossScale: lossScale.fixed(256),
      maxGradNorm: 0.125,
    });
    const start = startLine();
    const [state, { gradNorm }] = step(init(start), x, y);
    const [, grads] = valueAndGrad(squaredLoss)(start, x, y);
    const norm = await optim.globalNorm(grads).item() as number;
    assertAlmostEquals(await gradNorm.item() as number, norm, 1e-6);
    assert(norm > 0.125);
    const expected = tree.map(
      (p: NDArray, g: NDArray) => p.sub(g.mul(0.125 / norm)),
      start as unknown,
      grads,
    );
    assertClose(await elements(state.params), await elements(expected));
  },
);

onBothBackends("a batch in parts gives what the whole batch gives", async () => {
  const [x, y] = points();
  const train = async (accumulate: number) => {
    const { init, step } = trainStep({
      loss: (line: Line, x: NDArray, y: NDArray, weight: number) => {
        const residuals = predict(line, x).sub(y);
        return [residuals.square().mean().mul(weight), { residuals, largest: residuals.max() }];
      },
      optimizer: optim.sgd(0.1),
      policy: "float32",
      accumulate,
    });
    let state = init(startLine());
    let metrics;
    for (let i = 0; i < 3; i++) [state, metrics] = step(state, x, y, 0.5);
    return { params: await elements(state.params), metrics: metrics! };
  };
  const whole = await train(1);
  for (const parts of [2, 3, 6]) {
    const { params, metrics } = await train(parts);
    assertClose(params, whole.params);
    assertClose(await elements(metrics.loss), await elements(whole.metrics.loss));
    assertClose(await elements(metrics.gradNorm), await elements(whole.metrics.gradNorm));
    const { residuals, largest } = metrics.aux;
    assertEquals(residuals.shape, [parts, 6 / parts, 1]);
    assertEquals(largest.shape, [parts]);
    assertClose(await elements(residuals), await elements(whole.metrics.aux.residuals));
  }
});

onBothBackends("aux is what the loss returned beside its scalar", async () => {
  const [x, y] = points();
  const { init, step } = trainStep({
    loss: (line: Line, x: NDArray, y: NDArray) => {
      const predicted = predict(line, x);
      return [predicted.sub(y).square().mean(), { predicted, largest: [predicted.max()] }];
    },
    optimizer: optim.sgd(0.1),
    policy: "mixed_bfloat16",
  });
  const [, { aux, loss }] = step(init(startLine()), x, y);
  assertEquals([aux.predicted.dtype, aux.predicted.shape], ["bfloat16", [6, 1]]);
  const predicted = await elements(aux.predicted);
  assertEquals(await elements(aux.largest), [Math.max(...predicted)]);
  assertEquals(loss.dtype, "float32");
});

onBothBackends("a step inside jit gives what a step outside gives", async () => {
  const [x, y] = points();
  const { init, step } = trainStep({
    loss: squaredLoss,
    optimizer: optim.adam(0.1),
    policy: "mixed_float16",
    lossScale: lossScale.fixed(8),
  });
  const twice = jit((state: ReturnType<typeof init>, x: NDArray, y: NDArray) => {
    const [between] = step(state, x, y);
    return step(between, x, y);
  });
  const [inside, metrics] = twice(init(startLine()), x, y);
  const [between] = step(init(startLine()), x, y);
  const [outside, same] = step(between, x, y);
  assertClose(await elements(inside), await elements(outside));
  assertClose(await elements(metrics.loss), await elements(same.loss));
  assertEquals(await inside.step.item(), 2);
});

onBothBackends(
  "training goes on from a state's numbers as if nothing had been between",
  async () => {
    const [x, y] = points();
    const make = () =>
      trainStep({ loss: squaredLoss, optimizer: optim.adam(0.1), policy: "mixed_float16" });
    const first = make();
    let state = first.init(startLine());
    for (let i = 0; i < 3; i++) [state] = first.step(state, x, y);
    const [leaves, structure] = tree.flatten(state as unknown);
    const copies = await Promise.all(
      (leaves as NDArray[]).map(async (leaf) =>
        jnp.array(await leaf.data(), { dtype: leaf.dtype }).reshape(leaf.shape)
      ),
    );
    let resumed = tree.unflatten<typeof state>(structure, copies);
    const second = make();
    for (let i = 0; i < 60; i++) {
      [state] = first.step(state, x, y);
      [resumed] = second.step(resumed, x, y);
    }
    assertEquals(await elements(resumed), await elements(state));
    assertEquals(await resumed.step.item(), 63);
  },
);

onBothBackends("arrays that a loss captures enter in the compute type too", async () => {
  const [x, y] = points();
  const shift = jnp.array([0.125]);
  const { init, step } = trainStep({
    loss: (line: Line, x: NDArray) => {
      const predicted = predict(line, x).add(shift);
      return [losses.squaredError(predicted, y).mean(), {
        predicted,
        twice: predicted.matmul(shift),
      }];
    },
    optimizer: optim.sgd(0.1),
    policy: "mixed_float16",
  });
  let state = init(startLine());
  let metrics;
  for (let i = 0; i < 40; i++) [state, metrics] = step(state, x);
  assertEquals(metrics!.loss.dtype, "float32");
  assertEquals([metrics!.aux.predicted.dtype, metrics!.aux.twice.dtype], ["float16", "float16"]);
  assert(await metrics!.loss.item() as number < 1e-3);
});
