// Saving arrays in a safetensors file.

import { NDArray, ownHandle } from "../array.ts";
import { isHalf } from "../core/dtype.ts";
import { checkOptions, describe, isPlainObject } from "../core/errors.ts";
import { flatten, type TreeStructure } from "../core/pytree.ts";
import { collectValues } from "../ir/value.ts";
import { dottedNames } from "./leaf_names.ts";
import { checkFilePath, replaceFile, writeAll } from "./replace_file.ts";
import {
  checkNames,
  inFileOrder,
  type Metadata,
  type NamedTensor,
  writeHeader,
} from "./safetensors_layout.ts";

/** An array to be saved, with a handle of its own. */
export interface NamedArray extends NamedTensor {
  /** The handle, which is disposed when the array has been written. */
  readonly array: NDArray;
}

/** What `saveSafetensors` may be told. */
export interface SaveSafetensorsOptions {
  /** Words that the file carries beside the arrays. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * An array under its name, held until it is written: whoever saves may dispose of the array or donate it
 * in the meantime.
 *
 * @throws TypeError for what is no array, or one without elements as yet.
 */
export function holdArray(what: string, name: string, leaf: unknown): NamedArray {
  if (!(leaf instanceof NDArray)) {
    throw new TypeError(
      `Cannot ${what}: ${name || "the tree"} must be an NDArray, got ${describe(leaf)}`,
    );
  }
  if (leaf.content.kind === "traced") {
    throw new TypeError(
      `Cannot ${what}: ${name || "the tree"} must have a value, got an array that is being traced`,
    );
  }
  // A scope around the call may end before the array is written: the handle is not one of the scope's.
  const array = collectValues(new Set(), () => ownHandle(what, leaf, leaf));
  return { name, dtype: leaf.dtype, shape: leaf.shape, array };
}

/** The bytes that an array has in a file: those of the device, but for a bool, which takes one. */
export async function bytesInFile(array: NDArray): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = isHalf(array.dtype)
    ? await array.bits()
    : await array.data();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function checkMetadata(metadata: unknown): Metadata | undefined {
  if (metadata === undefined) return undefined;
  if (!isPlainObject(metadata)) {
    throw new TypeError(
      `Cannot save safetensors: metadata must be an object of strings, got ${describe(metadata)}`,
    );
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string" && value.isWellFormed() && key.isWellFormed()) continue;
    throw new TypeError(
      `Cannot save safetensors: metadata ${describe(key)} must be Unicode text, got ${
        describe(value)
      }`,
    );
  }
  return metadata as Metadata;
}

function holdTree(what: string, tree: unknown): NamedArray[] {
  const [leaves, structure] = flatten(tree) as [unknown[], TreeStructure];
  const names = dottedNames(structure);
  checkNames(what, names);
  const held: NamedArray[] = [];
  try {
    for (const [i, leaf] of leaves.entries()) held.push(holdArray(what, names[i]!, leaf));
  } catch (error) {
    for (const { array } of held) array.dispose();
    throw error;
  }
  return held;
}

/**
 * Saves arrays in a safetensors file, which other engines read.
 *
 * Every element keeps its bits: float32 is written as F32, float16 as F16, bfloat16 as BF16, int32 as I32,
 * uint32 as U32 and bool as BOOL. The arrays of a tree are named by their keys, joined by dots:
 * `{ layers: [{ kernel }] }` has `layers.0.kernel`. The bytes are those that the reference implementation
 * writes for the same arrays. A temporary file beside the old one is renamed once it is whole, so a failure
 * leaves the old one as it was; this takes `--allow-read` and `--allow-write` for the folder.
 *
 * The arrays may be disposed of or donated as soon as the call has returned its promise.
 *
 * @param path The file's path or `file:` URL.
 * @param tensors Arrays by name, or any tree of them.
 * @throws {TypeError} if a leaf is no array with a value, or the metadata is no record of strings.
 * @throws {RangeError} if two arrays have one name.
 *
 * @example
 * ```ts
 * import { init, loadSafetensors, numpy as jnp, saveSafetensors } from "@zenith/jax";
 *
 * await init();
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * const params = { dense: { kernel: jnp.ones([4, 2], { dtype: "bfloat16" }), bias: jnp.zeros([2]) } };
 * await saveSafetensors(path, params, { metadata: { made: "by hand" } });
 * console.log(Object.keys(await loadSafetensors(path))); // [ "dense.bias", "dense.kernel" ]
 * await Deno.remove(path);
 * ```
 */
export async function saveSafetensors(
  path: string | URL,
  tensors: unknown,
  options: SaveSafetensorsOptions = {},
): Promise<void> {
  const what = "save safetensors";
  checkFilePath(what, path);
  checkOptions(what, options, ["metadata"]);
  const metadata = checkMetadata(options.metadata);
  const held = inFileOrder(holdTree(what, tensors));
  try {
    await replaceFile(what, path, async (file) => {
      await writeAll(file, writeHeader(held, metadata));
      for (const { array } of held) await writeAll(file, await bytesInFile(array));
    });
  } finally {
    for (const { array } of held) array.dispose();
  }
}
