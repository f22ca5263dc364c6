// Dropout: whose bits decide, what is kept, and what its callers must say.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { grad, init, jit, type NDArray, nn, numpy as jnp, random, vmap } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

const dropout = nn.dropout({ rate: 0.25 });

onBothBackends("dropout() keeps what bernoulli() draws, divided by its chance", async () => {
  const x = random.normal(random.key(1), [40, 50]);
  const key = random.key(2);
  const kept = random.bernoulli(key, 0.75, [40, 50]);
  const wanted = jnp.where(kept, x.div(0.75), 0);
  const y = dropout.apply({}, x, { key });
  assertEquals(await y.toList(), await wanted.toList());
  assertEquals(await jit(dropout.apply)({}, x, { key }).toList(), await y.toList());
  assert(Math.abs(Number(await kept.astype("float32").mean().item()) - 0.75) < 0.03);
  assertEquals(dropout.apply({}, x.astype("float16"), { key }).dtype, "float16");
  const keys = random.split(key, 3);
  const rows = vmap((key: NDArray) => dropout.apply({}, x, { key }))(keys);
  assertEquals(
    await rows.slice(1).toList(),
    await dropout.apply({}, x, { key: keys.slice(1) }).toList(),
  );
});

webgpuTest("dropout() is one kernel", async () => {
  await init({ backend: "webgpu" });
  const program = jit((x: NDArray, key: NDArray) => dropout.apply({}, x, { key }))
    .lower(jnp.ones([8, 16]), random.key(0));
  assertEquals(program.dispatches, 1);
});

onBothBackends("dropout() lets everything through where it is told so", async () => {
  const x = jnp.array([1, 2, 3]);
  const y = dropout.apply({}, x, { deterministic: true });
  y.dispose();
  assertEquals(await x.toList(), [1, 2, 3]); // the result was a handle of its own
  assertEquals(await nn.dropout({ rate: 0 }).apply({}, x).toList(), [1, 2, 3]);
  const nothing = (y: NDArray) => nn.dropout({ rate: 1 }).apply({}, y, { key: random.key(0) });
  assertEquals(await nothing(x).toList(), [0, 0, 0]);
  assertEquals(await grad((y: NDArray) => nothing(y).sum())(x).toList(), [0, 0, 0]);
});

onBothBackends(
  "dropout() requires a key, and each dropout of a model gets one of its own",
  async () => {
    const x = jnp.ones([100]);
    const model = nn.sequential([dropout, dropout]);
    const params = model.init(random.key(0));
    assertThrows(() => model.apply(params, x), TypeError, "Cannot dropout: a key is required");
    assertThrows(
      () => model.apply(params, x, { deterministic: false }),
      TypeError,
      "Cannot dropout: a key is required",
    );
    assertEquals(await model.apply(params, x, { deterministic: true }).sum().item(), 100);
    const twice = model.apply(params, x, { key: random.key(0) });
    const values = new Set(await twice.data() as Float32Array);
    assertEquals(values.size, 2); // 0 and 1 / 0.75 / 0.75
    const zeros = 100 - Number(await jnp.countNonzero(twice).item());
    assert(zeros > 30, `${zeros}`); // with one mask for both it would be about 25
    assertThrows(
      () => jit((o: boolean) => dropout.apply({}, x, { deterministic: o }))(true),
      TypeError,
      "deterministic must be true or false, got NDArray bool[]; a traced function must close over it",
    );
    assertThrows(() => nn.dropout({ rate: 1.5 }), RangeError, "rate must be a number from 0 to 1");
  },
);
