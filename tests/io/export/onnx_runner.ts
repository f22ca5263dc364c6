// Running exported models in onnxruntime, where it is installed: `ONNXRUNTIME_NODE` names the folder of the npm
// package onnxruntime-node, which is installed with --ignore-scripts.

import { fromNumpyBytes, type HostArray, numpyBytes, type Outcome } from "./jax_runner.ts";

/** A model, what is in its file of weights, and its inputs by name. */
export interface OnnxJob {
  readonly model: Uint8Array;
  readonly weights?: { readonly name: string; readonly bytes: Uint8Array };
  readonly inputs: Readonly<Record<string, HostArray>>;
  readonly outputs: readonly (Pick<HostArray, "shape" | "dtype"> & { readonly name: string })[];
}

function findPackage(): string | undefined {
  const variable = { name: "env", variable: "ONNXRUNTIME_NODE" } as const;
  if (Deno.permissions.querySync(variable).state !== "granted") return undefined;
  return Deno.env.get("ONNXRUNTIME_NODE");
}

const packageFolder = findPackage();

/** Registers a test that needs onnxruntime; elsewhere it says that there is one more. */
export function onnxTest(name: string, fn: () => Promise<void>): void {
  if (packageFolder) Deno.test(`${name} (onnxruntime)`, fn);
  else console.log(`not run, for want of onnxruntime (ONNXRUNTIME_NODE): ${name}`);
}

async function writeJob(folder: string, { model, weights, inputs }: OnnxJob): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeFile(`${folder}/model.onnx`, model);
  if (weights) await Deno.writeFile(`${folder}/${weights.name}`, weights.bytes);
  const given = Object.entries(inputs).map(([name, { shape, dtype, values }]) => ({
    name,
    dtype,
    shape,
    bytes: [...numpyBytes({ shape, dtype, values })],
  }));
  await Deno.writeTextFile(`${folder}/arguments.json`, JSON.stringify(given));
}

async function readOutcome(folder: string, { outputs }: OnnxJob): Promise<Outcome> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${folder}/results.json`);
  } catch {
    return await Deno.readTextFile(`${folder}/error.txt`);
  }
  const results: Record<string, { type: string; bytes: number[] }> = JSON.parse(text);
  return outputs.map(({ name, shape, dtype }) => {
    const { type, bytes } = results[name]!;
    if (type !== dtype) throw new Error(`${name} is ${type}, ${dtype} was wanted`);
    return fromNumpyBytes(Uint8Array.from(bytes), { shape, dtype });
  });
}

/** Runs models in one process. */
export async function runInOnnxRuntime(jobs: readonly OnnxJob[]): Promise<Outcome[]> {
  const root = await Deno.makeTempDir();
  try {
    const folders = jobs.map((_, i) => `${root}/${i}`);
    await Promise.all(jobs.map((job, i) => writeJob(folders[i]!, job)));
    const script = new URL("run_onnx.ts", import.meta.url).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, packageFolder!, ...folders],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Promise.all(jobs.map((job, i) => readOutcome(folders[i]!, job)));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
