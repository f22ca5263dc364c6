// Optimizers and schedules against what optax 0.2.8 gives for the same parameters and gradients.

import { assert, assertEquals } from "@std/assert";
import { jit, numpy as jnp, optim } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import {
  arrays,
  build,
  gradsOf,
  type Leaves,
  type Params,
  tables,
  type Trajectory,
} from "./optim_tables.ts";

type State = Readonly<Record<string, unknown>>;
type Step = (grads: Params, state: State, params: Params) => [params: Params, state: State];

/** Both relative to the element and to the step it took: a sum of 20 updates may pass through zero. */
function checkClose(got: ArrayLike<number>, wanted: Leaves[string], what: string): void {
  assertEquals(got.length, wanted.length, what);
  wanted.forEach((v, i) => {
    const close = v === null
      ? Number.isNaN(got[i])
      : Math.abs(got[i]! - v) <= 1e-6 * Math.max(Math.abs(v), 0.5);
    assert(close, `${what}, element ${i}: ${got[i]}, wanted ${v}`);
  });
}

async function follow(trajectory: Trajectory, compile: boolean): Promise<void> {
  const optimizer = build(trajectory.spec) as optim.GradientTransformation<State>;
  const plain: Step = (grads, state, params) => {
    const [updates, next] = optimizer.update(grads, state, params);
    return [optim.applyUpdates(params, updates), next];
  };
  const step: Step = compile ? jit(plain) : plain;
  let params = arrays(tables.params);
  let state = optimizer.init(params);
  for (let count = 1; count <= tables.grads.length; count++) {
    [params, state] = step(gradsOf(trajectory, count), state, params);
    for (const [name, wanted] of Object.entries(trajectory.params[count] ?? {})) {
      const what = `${JSON.stringify(trajectory.spec)}: ${name} after ${count} steps`;
      checkClose(await params[name]!.data() as Float32Array, wanted, what);
    }
  }
  for (const [name, wanted] of Object.entries(trajectory.counters)) {
    const key = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    assertEquals(Number(await (state[key] as Params[string]).item()), wanted, key);
  }
}

for (const compile of [true, false]) {
  const how = compile ? "under jit" : "eagerly";
  onBothBackends(`every optimizer goes where optax's goes in 20 steps, ${how}`, async () => {
    for (const trajectory of tables.trajectories) await follow(trajectory, compile);
  });
}

onBothBackends("schedules give what optax's give at every step", async () => {
  const counts = jnp.array(Int32Array.from(tables.counts));
  for (const { spec, values } of tables.schedules) {
    const schedule = build(spec) as optim.BuiltSchedule;
    const all = jit((c: typeof counts) => schedule(c));
    const what = JSON.stringify(spec);
    const got = await jnp.broadcastTo(all(counts), [values.length]).data();
    checkClose(got as Float32Array, values, what);
    const one = schedule(tables.counts[3]!);
    assertEquals([one.dtype, one.shape], ["float32", []]);
    checkClose([await one.item() as number], values.slice(3, 4), what);
  }
});
