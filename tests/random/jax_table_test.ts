// What JAX draws for the same keys: every bit where bits are promised, and numbers that differ by rounding where
// a logarithm or an inverse error function follows.

import { assert, assertEquals } from "@std/assert";
import { type DType, finfo, jit, type NDArray, numpy as jnp, random, vmap } from "../../mod.ts";
import { decodeBytes, encodeValues } from "../../src/core/element_data.ts";
import { isHalf } from "../../src/core/dtype.ts";
import { onBothBackends } from "../backends.ts";

interface Drawn {
  readonly shape: readonly number[];
  /** The words that hold the elements; of long arrays those `at` some places. */
  readonly words: readonly number[];
}

interface Case extends Drawn {
  readonly name: string;
  readonly seed: number;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly dtype: DType;
  readonly at?: readonly number[];
  /** The exclusive or of all words. */
  readonly joined?: number;
}

const { cases, mapped }: {
  readonly cases: readonly Case[];
  readonly mapped: Readonly<Record<string, Drawn>>;
} = JSON.parse(
  await Deno.readTextFile(new URL("../data/random_tables.json", import.meta.url)),
);

/** Functions in which JAX and this library approximate: they may differ by rounding. */
const inexact = new Set(["normal", "truncatedNormal", "gumbel", "exponential"]);

function argument(value: unknown): unknown {
  return typeof value === "string" ? Number(value.replace("inf", "Infinity")) : value;
}

function draw({ name, seed, args, options }: Case): NDArray {
  if (name === "key") return random.key(seed);
  const functions = random as unknown as Record<string, (...args: unknown[]) => NDArray>;
  const given = Object.keys(options).length ? [...args.map(argument), options] : args.map(argument);
  return functions[name]!(random.key(seed), ...given);
}

async function wordsOf(x: NDArray): Promise<number[]> {
  const bytes = encodeValues(x.dtype, Float64Array.from(await x.data())).buffer;
  return Array.from(isHalf(x.dtype) ? new Uint16Array(bytes) : new Uint32Array(bytes));
}

function numbersOf(dtype: DType, words: readonly number[]): number[] {
  const list = isHalf(dtype) ? Uint16Array.from(words) : Uint32Array.from(words);
  return Array.from(decodeBytes(dtype, new Uint8Array(list.buffer), words.length), Number);
}

/** A line where a result is not JAX's. */
async function difference(drawn: Case): Promise<string[]> {
  const { name, args, options, dtype, shape, words, at, joined } = drawn;
  const what = `${name}(${JSON.stringify(args)}, ${JSON.stringify(options)})`;
  const result = draw(drawn);
  assertEquals([result.dtype, result.shape], [dtype, shape], what);
  const all = await wordsOf(result);
  const got = at ? at.map((i) => all[i]!) : all;
  if (inexact.has(name)) {
    const [ours, wanted] = [numbersOf(dtype, got), numbersOf(dtype, words)];
    const eps = dtype === "float32" ? 1e-6 : 4 * finfo(dtype).eps;
    return wanted.flatMap((v, i) =>
      Math.abs(ours[i]! - v) <= eps * Math.max(1, Math.abs(v))
        ? []
        : [`${what}: element ${i} is ${ours[i]}, JAX has ${v}`]
    );
  }
  const sum = all.reduce((a, b) => (a ^ b) >>> 0, 0);
  const same = String(got) === String(words) && (joined === undefined || joined === sum);
  return same ? [] : [`${what} is ${numbersOf(dtype, got)}, JAX has ${numbersOf(dtype, words)}`];
}

onBothBackends("random functions draw what JAX draws", async () => {
  const failures: string[] = [];
  for (const each of cases) {
    failures.push(...await difference(each));
  }
  assertEquals(failures, []);
});

const functions: Readonly<Record<string, (key: NDArray) => NDArray>> = {
  uniform: (key) => random.uniform(key, [2, 3]),
  split: (key) => random.split(key),
  foldIn: (key) => random.foldIn(key, 5),
  randint: (key) => random.randint(key, [4], 0, 100),
  permutation: (key) => random.permutation(key, 6),
};

onBothBackends("vmap over keys draws what JAX's vmap draws, under jit too", async () => {
  const keys = random.split(random.key(9), 3);
  const seeds = jnp.array([3, -4, 5], { dtype: "int32" });
  for (const [name, { shape, words }] of Object.entries(mapped)) {
    const [fn, given] = name === "key" ? [random.key, seeds] : [functions[name]!, keys];
    for (const batched of [vmap(fn), jit(vmap(fn))]) {
      const result = batched(given) as NDArray;
      assertEquals(result.shape, shape, name);
      assertEquals(await wordsOf(result), words, name);
    }
  }
  assert(Object.keys(mapped).length > 5);
});
