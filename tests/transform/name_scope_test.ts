// Module paths: every operation carries the scopes that were open around it, once, whatever transforms lie
// between.

import { assertEquals } from "@std/assert";
import {
  checkpoint,
  grad,
  jit,
  jvp,
  makeGraph,
  type NDArray,
  numpy as jnp,
  vmap,
} from "../../mod.ts";
import { nameScope } from "../../src/ir/trace.ts";
import { onBothBackends } from "../backends.ts";

/** The path of every operation of a name. */
function pathsOf(fn: (...args: never[]) => unknown, operation: string): string[] {
  const lines = makeGraph(fn, jnp.ones([3])).toString().split("\n");
  const found = lines.filter((line) => line.includes(` = ${operation}`));
  return found.map((line) => line.split("# ")[1] ?? "");
}

onBothBackends("an operation's path is that of the scopes around it", async () => {
  const inner = (x: NDArray) => nameScope("inner", () => x.sin());
  const outer = (x: NDArray) => nameScope("outer", () => inner(x));
  assertEquals(pathsOf(outer, "sin"), ["outer/inner"]);
  assertEquals(pathsOf((x: NDArray) => nameScope("", () => x.sin()), "sin"), [""]);
  await Promise.resolve();
});

onBothBackends("transforms inside a scope keep the path of what they transform", async () => {
  const inner = (x: NDArray) => nameScope("inner", () => x.sin());
  const within = (fn: (x: NDArray) => unknown) => (x: NDArray) => nameScope("outer", () => fn(x));
  const jitted = jit(inner);
  jitted(jnp.ones([3])); // traced outside of the scope
  assertEquals(pathsOf(within(jitted), "sin"), ["outer/inner"]);
  assertEquals(pathsOf(within(vmap(inner)), "sin"), ["outer/inner"]);
  assertEquals(pathsOf(within((x) => jvp(inner, [x], [x])), "sin"), ["outer/inner"]);
  const slope = grad((x: NDArray) => inner(x).sum());
  assertEquals(pathsOf(within(slope), "cos"), ["outer/inner"]);
  const again = grad((x: NDArray) => checkpoint(inner)(x).sum());
  assertEquals(pathsOf(within(again), "cos"), ["outer/inner"]);
  await Promise.resolve();
});
