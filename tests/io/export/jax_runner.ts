// Running exported modules in JAX, where Python has it: an independent reader of what the library writes.

import { type DType, dtypes } from "../../../src/core/dtype.ts";
import { decodeBytes, encodeValues } from "../../../src/core/element_data.ts";
import { type Shape, sizeOf } from "../../../src/core/shape.ts";

/** An array on the host. */
export interface HostArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: ArrayLike<number>;
}

/** A module, its arguments, and the types of its results. */
export interface Job {
  readonly text: string;
  readonly inputs: readonly HostArray[];
  readonly outputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
}

/** What came of a job: its results, or why there are none. */
export type Outcome = readonly HostArray[] | string;

async function findJax(): Promise<boolean> {
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return false;
  const find =
    "import importlib.util as u, sys; sys.exit(not (u.find_spec('jax') and u.find_spec('jaxlib')))";
  try {
    return (await new Deno.Command("python3", { args: ["-c", find] }).output()).success;
  } catch {
    return false;
  }
}

/** Whether python3 has JAX, found out once. */
export const hasJax: boolean = await findJax();

/** Registers a test that needs JAX; elsewhere it says that there is one more, which CI does not count as skipped. */
export function jaxTest(name: string, fn: () => Promise<void>): void {
  if (hasJax) Deno.test(`${name} (JAX)`, fn);
  else console.log(`not run, for want of JAX in python3: ${name}`);
}

/** The bytes that numpy has for an array: a bool takes one. */
export function numpyBytes({ dtype, values }: HostArray): Uint8Array {
  const bytes = encodeValues(dtype, values);
  return dtype === "bool" ? new Uint8Array(new Uint32Array(bytes.buffer)) : bytes;
}

/** An array of the bytes that numpy has for it. */
export function fromNumpyBytes(
  bytes: Uint8Array,
  { shape, dtype }: Job["outputs"][number],
): HostArray {
  const values = dtype === "bool" ? bytes : decodeBytes(dtype, bytes, sizeOf(shape));
  return { shape, dtype, values };
}

function splitResults(bytes: Uint8Array, outputs: Job["outputs"]): HostArray[] {
  let at = 0;
  return outputs.map(({ shape, dtype }) => {
    const count = sizeOf(shape);
    const length = count * (dtype === "bool" ? 1 : dtypes[dtype].bytes);
    return fromNumpyBytes(bytes.subarray(at, at += length), { shape, dtype });
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Runs modules in one process of Python. */
export async function runInJax(jobs: readonly Job[]): Promise<Outcome[]> {
  const root = await Deno.makeTempDir();
  try {
    const folders = jobs.map((_, i) => `${root}/${i}`);
    for (const [i, { text, inputs }] of jobs.entries()) {
      await Deno.mkdir(folders[i]!);
      await Deno.writeTextFile(`${folders[i]}/module.mlir`, text);
      await Deno.writeFile(`${folders[i]}/arguments.bin`, joined(inputs.map(numpyBytes)));
    }
    const script = new URL("run_stablehlo.py", import.meta.url).pathname;
    const { success, stderr } = await new Deno.Command("python3", { args: [script, ...folders] })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Promise.all(folders.map(async (folder, i) => {
      try {
        return splitResults(await Deno.readFile(`${folder}/results.bin`), jobs[i]!.outputs);
      } catch {
        return await Deno.readTextFile(`${folder}/error.txt`);
      }
    }));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
