// This library among its peers.

import { blockUntilReady, jit, type NDArray, numpy as jnp } from "../../mod.ts";
import config from "../../deno.json" with { type: "json" };
import type { Precision } from "../precision.ts";
import { findFunction } from "../programs.ts";
import { prepare } from "../run/prepare.ts";
import { toDevice } from "../run/prepared.ts";
import { type Engine, type EngineContender, OURS, type Task } from "./engine.ts";
import { TINY } from "./tasks.ts";

/** Every call is waited for before the next begins. */
function awaited(
  fn: (...inputs: NDArray[]) => NDArray,
  inputs: readonly NDArray[],
): EngineContender {
  const compiled = jit(fn);
  return {
    run: async (calls) => {
      for (let call = 0; call < calls; call++) {
        using value = compiled(...inputs);
        await blockUntilReady(value);
      }
    },
    result: async () => {
      using value = compiled(...inputs);
      return await value.data();
    },
    dispose: () => inputs.forEach((input) => input.dispose()),
  };
}

/** Each result is the next call's argument; nothing is read in between. */
function chain(x: NDArray): EngineContender {
  const link = jit((x: NDArray) => x.mul(TINY.factor).add(TINY.summand));
  return {
    run: async (calls) => {
      let value = link(x);
      for (let call = 1; call < calls; call++) {
        const next = link(value);
        value.dispose();
        value = next;
      }
      await blockUntilReady(value);
      value.dispose();
    },
    result: async () => {
      using value = link(x);
      return await value.data();
    },
    dispose: () => x.dispose(),
  };
}

/** Every call's result is read by the host before the next begins. */
function read(x: NDArray): EngineContender {
  const loss = jit((x: NDArray) => jnp.mean(jnp.square(x)));
  const readOnce = async () => {
    using value = loss(x);
    return Number(await value.item());
  };
  return {
    run: async (calls) => {
      for (let call = 0; call < calls; call++) await readOnce();
    },
    result: async () => [await readOnce()],
    dispose: () => x.dispose(),
  };
}

/** This library as an engine; `init` must have been awaited. */
export function zenith(): Engine {
  return {
    name: OURS,
    version: config.version,
    prepare: (task: Task, precision: Precision) => Promise.resolve(contenderOf(task, precision)),
  };
}

function contenderOf(task: Task, precision: Precision): EngineContender {
  switch (task.kind) {
    case "training":
      return prepare(task.program, precision, task.inputs);
    case "calls":
      return prepare(findFunction(task.functionName), precision, task.inputs);
    case "awaited":
      return awaited(
        findFunction(task.functionName).run,
        task.inputs.map((input) => toDevice(input, precision)),
      );
    case "chain":
      return chain(toDevice(task.inputs[0], precision));
    case "read":
      return read(toDevice(task.inputs[0], precision));
  }
}
