// Losses and their gradients against what optax 0.2.8 gives.

import { assert, assertEquals } from "@std/assert";
import { jit, losses, type NDArray, numpy as jnp, vjp } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

/** An array of the table; null is NaN. */
interface TableArray {
  readonly dtype: "float32" | "int32" | "bool";
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | null)[];
}

interface Case {
  readonly name: keyof typeof losses;
  readonly args: readonly (TableArray | number)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly value: TableArray;
  readonly gradients: readonly TableArray[];
}

const cases: readonly Case[] = JSON.parse(
  await Deno.readTextFile(new URL("../data/loss_tables.json", import.meta.url)),
);

function isTableArray(x: unknown): x is TableArray {
  return typeof x === "object" && x !== null && "dtype" in x;
}

function decoded({ dtype, shape, data }: TableArray): NDArray {
  const numbers = data.map((v) => v === null ? NaN : Number(v));
  return jnp.array(numbers).astype(dtype).reshape([...shape]);
}

function decodedOptions(options: Case["options"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, x]) => [key, isTableArray(x) ? decoded(x) : x]),
  );
}

async function checkClose(got: NDArray, wanted: TableArray, what: string): Promise<void> {
  assertEquals([got.dtype, got.shape], ["float32", wanted.shape], what);
  const values = await got.data();
  wanted.data.forEach((w, i) => {
    const [g, number] = [values[i]!, Number(w)];
    // Where optax has NaN for a gradient, 0 met infinity there; here nothing may.
    const close = w === null
      ? what.includes("gradient") ? Number.isFinite(g) : Number.isNaN(g)
      : Math.abs(g - number) <= 1e-6 * Math.max(1, Math.abs(number));
    assert(close, `${what}, element ${i}: ${g}, wanted ${w}`);
  });
}

for (const compile of [true, false]) {
  const how = compile ? "under jit" : "eagerly";
  onBothBackends(`losses and their gradients are optax's, ${how}`, async () => {
    for (const { name, args, options, value, gradients } of cases) {
      const what = `${name} with ${Object.keys(options)}`;
      const given = args.map((x) => isTableArray(x) ? decoded(x) : x);
      const places = args.flatMap((x, i) => isTableArray(x) && x.dtype === "float32" ? [i] : []);
      const rest = optionArguments(name, decodedOptions(options), given);
      const loss = losses[name] as (...args: unknown[]) => NDArray;
      const call = (...floating: NDArray[]): NDArray =>
        loss(...given.map((x, i) => floating[places.indexOf(i)] ?? x), ...rest);
      const chosen = places.map((i) => given[i] as NDArray);
      const both = (...floating: NDArray[]): [NDArray, NDArray[]] => {
        const [result, pullback] = vjp(call, ...floating);
        const weights = jnp.arange(1, result.size + 1).astype("float32").reshape(result.shape);
        return [result, pullback(weights) as unknown as NDArray[]];
      };
      const [result, back] = (compile ? jit(both) : both)(...chosen);
      await checkClose(result, value, what);
      for (const [i, gradient] of back.entries()) {
        await checkClose(gradient, gradients[i]!, `${what}, gradient ${i}`);
      }
    }
  });
}

/** Options stand behind all positional arguments, those that are left out too. */
function optionArguments(
  name: string,
  options: Record<string, unknown>,
  given: readonly unknown[],
): unknown[] {
  if (Object.keys(options).length === 0) return [];
  return name === "huberLoss" && given.length < 2 ? [undefined, options] : [options];
}
