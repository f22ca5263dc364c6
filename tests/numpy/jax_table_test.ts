// Elementwise functions, reductions, creation and activations against what JAX gives, from a table that
// tests/data/make_numpy_tables.py writes.

import { assert, assertEquals } from "@std/assert";
import { type DType, init, type NDArray, nn, numpy as jnp } from "../../mod.ts";
import { hasWebGpu } from "../webgpu_test.ts";

/** A number, or what JSON has no notation for. */
type Cell = number | boolean | { readonly number: "inf" | "-inf" | "nan" | "-0.0" };

interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly Cell[];
}

interface Case extends Stored {
  readonly name: string;
  /** Names of inputs, numbers, or lists of them. */
  readonly args: readonly (string | Cell | readonly Cell[])[];
  readonly options: Readonly<Record<string, unknown>>;
}

interface Tables {
  readonly inputs: Readonly<Record<string, Stored>>;
  readonly cases: readonly Case[];
}

const { inputs, cases }: Tables = JSON.parse(
  await Deno.readTextFile(new URL("../data/numpy_tables.json", import.meta.url)),
);

const unwritable = { inf: Infinity, "-inf": -Infinity, nan: NaN, "-0.0": -0 };

function cell(value: Cell): number {
  return typeof value === "object" ? unwritable[value.number] : Number(value);
}

function argument(arg: Case["args"][number]): unknown {
  if (typeof arg === "boolean") return arg;
  if (typeof arg !== "string") return Array.isArray(arg) ? arg.map(cell) : cell(arg as Cell);
  const { values, shape, dtype } = inputs[arg]!;
  // Through float64, since float32 does not hold every integer.
  const flat = dtype === "uint32"
    ? new Uint32Array(values.map(cell))
    : dtype === "int32"
    ? new Int32Array(values.map(cell))
    : new Float32Array(values.map(cell));
  return jnp.array(flat, { dtype }).reshape([...shape]);
}

type AnyFunction = (...args: unknown[]) => NDArray;

function lookup(name: string): AnyFunction {
  const namespace = (name.startsWith("nn.") ? nn : jnp) as unknown as Record<string, AnyFunction>;
  return namespace[name.replace("nn.", "")]!;
}

/** How much JAX's own rounding may take away: in half types it rounds inside what is one operation here. */
const relative: Readonly<Record<DType, number>> = {
  float32: 4e-6,
  float16: 4e-3,
  bfloat16: 3e-2,
  int32: 0,
  uint32: 0,
  bool: 0,
};

function isClose(dtype: DType, got: number, wanted: number): boolean {
  if (Object.is(got, wanted) || got === wanted) return true;
  const distance = Math.abs(got - wanted);
  const exact = dtype === "int32" || dtype === "uint32" || dtype === "bool";
  return !exact && distance <= relative[dtype] * (Math.abs(wanted) + 0.2);
}

async function compare({ name, args, options, dtype, shape, values }: Case): Promise<string[]> {
  const what = `${name}(${JSON.stringify(args)}, ${JSON.stringify(options)})`;
  const fn = lookup(name);
  assert(fn, `there is no ${name}`);
  const result = fn(...args.map(argument), ...Object.keys(options).length ? [options] : []);
  if (result.dtype !== dtype || String(result.shape) !== String(shape)) {
    return [`${what} is ${result.dtype}[${result.shape}], JAX has ${dtype}[${shape}]`];
  }
  const got = Array.from(await result.data(), Number);
  return values.map(cell).flatMap((wanted, i) =>
    isClose(dtype, got[i]!, wanted) ? [] : [`${what}: element ${i} is ${got[i]}, JAX has ${wanted}`]
  );
}

Deno.test("functions of arrays give the values, shapes and dtypes that JAX gives", async () => {
  await init({ backend: "cpu" });
  assertEquals((await Promise.all(cases.map(compare))).flat(), []);
});

Deno.test("and so they do on WebGPU", { ignore: !hasWebGpu }, async () => {
  await init({ backend: "webgpu" });
  const failures: string[] = [];
  for (const each of cases.filter((_, i) => i % 6 === 0)) failures.push(...await compare(each));
  assertEquals(failures, []);
});
