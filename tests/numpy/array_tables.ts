// Runs the cases of tests/data/array_tables.json, which NumPy and JAX wrote: whole numbers, so that one
// expectation serves every dtype.

import { assert, assertEquals } from "@std/assert";
import { type DType, init, lax, type NDArray, numpy as jnp } from "../../mod.ts";
import type { IndexPart, IndexUpdate } from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";

/** An array of the table. */
interface Stored {
  readonly shape: readonly number[];
  /** The elements with spaces between, since a formatter gives each item of a list its line. */
  readonly values: string;
  /** Positions are int32; everything else takes the dtype under test. */
  readonly positions?: boolean;
}

/** A reference to an input by its name. */
interface Reference {
  readonly $: string;
}

type Argument = Reference | number | string | null | readonly Argument[];

/** One call and what it gives. */
interface Case {
  readonly group: string;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly results: readonly Stored[];
}

const { inputs, cases }: {
  readonly inputs: Readonly<Record<string, Stored>>;
  readonly cases: readonly Case[];
} = JSON.parse(
  await Deno.readTextFile(new URL("../data/array_tables.json", import.meta.url)),
);

function numbersOf({ values }: Stored): number[] {
  return values === "" ? [] : values.split(" ").map(Number);
}

type AnyFunction = (...args: unknown[]) => NDArray | NDArray[];

/** An array of the table in a dtype. */
export function tableInput(name: string, dtype: DType): NDArray {
  const { shape, positions } = inputs[name]!;
  return jnp.array(new Float32Array(numbersOf(inputs[name]!)), {
    dtype: positions ? "int32" : dtype,
  })
    .reshape([...shape]);
}

function argument(arg: Argument, dtype: DType): unknown {
  if (arg === null || typeof arg !== "object") return arg;
  if (Array.isArray(arg)) return arg.map((item) => argument(item, dtype));
  return tableInput((arg as Reference).$, dtype);
}

function call({ name, args, options }: Case, dtype: DType): NDArray | NDArray[] {
  const given = args.map((arg) => argument(arg, dtype));
  const [space, method] = name.split(".") as [string, string | undefined];
  if (space === "at") {
    const [x, values, ...parts] = given as [NDArray, NDArray, ...IndexPart<NDArray>[]];
    return x.at(...parts)[method as Exclude<keyof IndexUpdate<NDArray>, "get">](values);
  }
  const namespace = (space === "lax" ? lax : jnp) as unknown as Record<string, AnyFunction>;
  const fn = namespace[method ?? space];
  assert(fn, `there is no ${name}`);
  return fn(...given, ...Object.keys(options).length ? [options] : []);
}

/** What is wrong with a case's result, if anything. */
async function failuresOf(each: Case, dtype: DType): Promise<string[]> {
  const what = `${each.name}(${JSON.stringify(each.args)}, ${
    JSON.stringify(each.options)
  }) ${dtype}`;
  let results: NDArray[];
  try {
    results = [call(each, dtype)].flat();
  } catch (error) {
    return [`${what}: ${(error as Error).message}`];
  }
  const failures: string[] = [];
  assertEquals(results.length, each.results.length, what);
  for (const [i, result] of each.results.entries()) {
    const { shape } = result;
    const values = numbersOf(result);
    const got = Array.from(await results[i]!.data(), Number);
    if (String(results[i]!.shape) !== String(shape)) {
      failures.push(`${what}: shape [${results[i]!.shape}] is not [${shape}]`);
    } else if (String(got.map((x) => x + 0)) !== String(values)) {
      failures.push(`${what}: [${got}] is not [${values}]`);
    }
  }
  return failures;
}

/** Whole numbers up to here are the same in every dtype but bool. */
const exact: Readonly<Record<DType, number>> = {
  float32: 2 ** 24,
  float16: 2 ** 11,
  bfloat16: 2 ** 8,
  int32: 2 ** 31,
  uint32: 2 ** 32,
  bool: 1,
};

/** Whether a case's numbers are the same in a dtype. */
function holds(each: Case, dtype: DType): boolean {
  const used = JSON.stringify(each.args).matchAll(/"\$":"(\w+)"/g);
  const all = [...used].flatMap(([, name]) =>
    inputs[name!]!.positions ? [] : numbersOf(inputs[name!]!)
  )
    .concat(each.results.flatMap(numbersOf));
  return all.every((x) => Math.abs(x) <= exact[dtype] && (dtype !== "uint32" || x >= 0));
}

const dtypes: readonly DType[] = ["float32", "float16", "bfloat16", "int32", "uint32"];

async function run(chosen: readonly (readonly [Case, DType])[]): Promise<void> {
  const failures: string[] = [];
  for (const [each, dtype] of chosen) failures.push(...await failuresOf(each, dtype));
  assertEquals(failures, []);
}

/** Registers the tests of a group: every dtype on the CPU, one dtype a case in turn on the GPU. */
export function testGroup(group: string, every: number = 1): void {
  const own = cases.filter((each) => each.group === group);
  Deno.test(`${group}: every dtype gives what NumPy and JAX give, on the CPU`, async () => {
    await init({ backend: "cpu" });
    const all = own.flatMap((each) =>
      dtypes.filter((dtype) => holds(each, dtype)).map((dtype) => [each, dtype] as const)
    );
    await run(all);
  });
  webgpuTest(`${group}: dtypes in turn give what NumPy and JAX give, on WebGPU`, async () => {
    await init({ backend: "webgpu" });
    const inTurn = own.filter((_, i) => i % every === 0).flatMap((each, i) => {
      const allowed = dtypes.filter((dtype) => holds(each, dtype));
      return allowed.length ? [[each, allowed[i % allowed.length]!] as const] : [];
    });
    await run(inTurn);
  });
}
