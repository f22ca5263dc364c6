// Modules against Flax 0.12.8: outputs and gradients for the same parameters.

import { assert, assertEquals } from "@std/assert";
import { grad, jit, memoryStats, type NDArray, nn, numpy as jnp, tree, vmap } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

/** An array of the table. */
interface TableArray {
  readonly dtype: "float32" | "int32" | "bool";
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean)[];
}

interface Case {
  readonly name: string;
  readonly config: unknown;
  readonly method: "apply" | "attend" | "function";
  readonly params: unknown;
  readonly x: TableArray;
  readonly options: Readonly<Record<string, unknown>>;
  readonly output: TableArray;
  readonly gradients: { readonly params: unknown; readonly x?: TableArray };
}

const cases: readonly Case[] = JSON.parse(
  await Deno.readTextFile(new URL("../data/nn_tables.json", import.meta.url)),
);

function isTableArray(x: unknown): x is TableArray {
  return typeof x === "object" && x !== null && "dtype" in x;
}

/** A tree of the table as one of arrays. */
function decoded(x: unknown): unknown {
  if (isTableArray(x)) {
    return jnp.array(x.data.map(Number)).astype(x.dtype).reshape([...x.shape]);
  }
  if (typeof x !== "object" || x === null || Array.isArray(x)) return x;
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, decoded(value)]));
}

type Apply = (params: unknown, x: NDArray) => NDArray;

/** A module of this library, or a function, as the table names it. */
function moduleOf(name: string, config: unknown): Record<string, (...args: unknown[]) => NDArray> {
  const makers = nn as unknown as Record<string, (config: unknown) => never>;
  if (name !== "sequential") return makers[name]!(config);
  const layers = (config as [string, unknown?][]).map(([layer, own]) =>
    own === undefined ? makers[layer] as never : makers[layer]!(own)
  );
  return nn.sequential(layers) as never;
}

function applyOf({ name, config, method, options }: Case, given = decoded(options)): Apply {
  if (method === "function") {
    const pool = (nn as unknown as Record<string, (...args: unknown[]) => NDArray>)[name]!;
    return (_, x) => pool(x, config, given);
  }
  const module = moduleOf(name, config);
  return method === "attend"
    ? (params, x) => module.attend!(params, x)
    : (params, x) => module.apply!(params, x, given);
}

/** The largest element of a tree of the table, at least 1: what cancels is as exact as that. */
function largest(x: unknown): number {
  const parts = isTableArray(x) ? x.data.map((v) => Math.abs(Number(v))) : children(x).map(largest);
  return Math.max(1, ...parts);
}

function children(x: unknown): unknown[] {
  return Object.values(x as object);
}

async function checkClose(
  got: unknown,
  wanted: unknown,
  what: string,
  allowed = 1e-5 * largest(wanted),
): Promise<void> {
  if (!isTableArray(wanted)) {
    assertEquals(Object.keys(got as object).sort(), Object.keys(wanted as object).sort(), what);
    for (const [key, value] of Object.entries(wanted as object)) {
      await checkClose((got as Record<string, unknown>)[key], value, `${what}.${key}`, allowed);
    }
    return;
  }
  const array = got as NDArray;
  assertEquals([array.dtype, array.shape], ["float32", wanted.shape], what);
  const values = await array.data();
  wanted.data.forEach((v, i) => {
    const distance = Math.abs(values[i]! - Number(v));
    assert(distance <= allowed, `${what}, element ${i}: ${values[i]}, wanted ${v}`);
  });
}

const titleOf = ({ name, config }: Case) => `${name} ${JSON.stringify(config)}`;

onBothBackends("modules give Flax's numbers, and leave nothing else behind", async () => {
  for (const each of cases) {
    const [params, x] = [decoded(each.params), decoded(each.x) as NDArray];
    const apply = applyOf(each);
    apply(params, x).dispose();
    const before = memoryStats().liveArrays;
    const y = apply(params, x);
    assertEquals(memoryStats().liveArrays, before + 1, titleOf(each));
    await checkClose(y, each.output, titleOf(each));
  }
});

onBothBackends("gradients through modules are Flax's, under jit", async () => {
  for (const each of cases) {
    const [params, x] = [decoded(each.params), decoded(each.x) as NDArray];
    const apply = applyOf(each);
    const loss = (p: unknown, x: NDArray) => apply(p, x).square().sum();
    const what = `gradient of ${titleOf(each)}`;
    if (tree.leaves(params).length > 0) {
      await checkClose(jit(grad(loss))(params, x), each.gradients.params, what);
    }
    if (each.gradients.x) {
      const back = jit(grad((x: NDArray) => loss(params, x)))(x);
      await checkClose(back, each.gradients.x, `${what} in x`);
    }
  }
});

onBothBackends("vmap() over a batch gives what the batched call gives", async () => {
  for (const each of cases) {
    if (Object.keys(each.options).length > 0 && each.method === "apply") continue;
    const [params, x] = [decoded(each.params), decoded(each.x) as NDArray];
    const apply = applyOf(each);
    const pair = jnp.stack([x, x.mul(2)].map((v) => v.astype(x.dtype)));
    const small = each.name === "embed" && each.method === "apply" ? jnp.stack([x, x]) : pair;
    const both = vmap((one: NDArray) => apply(params, one))(small);
    for (const [i, one] of [...small].entries()) {
      const distance = apply(params, one).sub(both.slice(i)).abs().max();
      const size = both.abs().max();
      assert(
        Number(await distance.item()) <= 1e-5 * (1 + Number(await size.item())),
        `${titleOf(each)}: ${await distance.item()}`,
      );
    }
  }
});

for (const dtype of ["float16", "bfloat16"] as const) {
  onBothBackends(`modules of ${dtype} are within its rounding of float32`, async () => {
    const halved = (x: unknown) =>
      tree.map((leaf: NDArray) => leaf.dtype === "float32" ? leaf.astype(dtype) : leaf, x);
    const widened = (x: unknown) =>
      tree.map((leaf: NDArray) => leaf.dtype === dtype ? leaf.astype("float32") : leaf, x);
    for (const each of cases) {
      const [params, x] = [halved(decoded(each.params)), halved(decoded(each.x)) as NDArray];
      const given = halved(decoded(each.options));
      const y = applyOf(each, given)(params, x);
      assertEquals(y.dtype, dtype, titleOf(each));
      const wide = applyOf(each, widened(given))(widened(params), widened(x) as NDArray);
      const distance = y.astype("float32").sub(wide).abs().max();
      const size = Number(await wide.abs().max().item());
      // Each of the roundings on the way is of something not much larger than the result.
      const allowed = (dtype === "float16" ? 2 ** -11 : 2 ** -8) * 8 * (1 + size);
      assert(
        Number(await distance.item()) <= allowed,
        `${titleOf(each)}: ${await distance.item()}`,
      );
    }
  });
}
