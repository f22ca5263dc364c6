// Saving the state of a run and loading it again, so that the run continues as if it had not stopped.

import { crc32 } from "node:zlib";
import { fromBytes, NDArray } from "../array.ts";
import { describe } from "../core/errors.ts";
import { flatten, type TreeStructure, unflatten } from "../core/pytree.ts";
import { type Aval, showAval } from "../ir/aval.ts";
import { ShapeDtype } from "../transform/graphs.ts";
import { scope } from "../transform/scope.ts";
import type { ByteSource } from "./byte_source.ts";
import {
  type HostState,
  type HostValue,
  isHostValue,
  readHostState,
  writeHostState,
} from "./checkpoint_state.ts";
import { distinctNames } from "./leaf_names.ts";
import { checkFilePath, replaceFile, writeAll } from "./replace_file.ts";
import type { StoredFile, StoredTensor } from "./safetensors_format.ts";
import { checkNames, inFileOrder, writeHeader } from "./safetensors_layout.ts";
import { withStoredFile } from "./safetensors_read.ts";
import { bytesInFile, holdArray, type NamedArray } from "./safetensors_write.ts";
import { deviceElements } from "./stored_elements.ts";
import { storedNames } from "./stored_types.ts";

/** The metadata that a checkpoint has: what is no array, and a checksum over it and then all the data. */
const stateKey = "zenith.state";
const checksumKey = "zenith.crc32";

/** A state taken apart, its arrays held until they are written. */
interface HeldState {
  readonly arrays: readonly NamedArray[];
  readonly host: HostState;
}

function holdState(what: string, state: unknown): HeldState {
  const [leaves, structure] = flatten(state) as [unknown[], TreeStructure];
  const names = distinctNames(structure);
  checkNames(what, names);
  const arrays: NamedArray[] = [];
  const values = new Map<string, HostValue>();
  try {
    for (const [i, leaf] of leaves.entries()) {
      if (isHostValue(leaf)) values.set(names[i]!, leaf);
      else arrays.push(holdArray(what, names[i]!, leaf));
    }
  } catch (error) {
    for (const { array } of arrays) array.dispose();
    throw error;
  }
  const weak = arrays.flatMap(({ name, array: { aval } }) =>
    aval.weak ? [[name, aval.weak] as const] : []
  );
  return { arrays, host: { values, weak: new Map(weak) } };
}

/** Eight hexadecimal digits, so that a header's length does not depend on the checksum. */
function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}

/**
 * Saves the state of a run: any tree of arrays, with JavaScript numbers, booleans, strings and bigints
 * among its leaves, null and undefined, and registered classes.
 *
 * The file is in the safetensors format. Arrays keep every bit, and are named by the path of their leaf,
 * `params.dense.kernel`; a dot in a key is written `\.` and a backslash `\\`. The other leaves stand in the
 * metadata, as does a checksum. A temporary file beside the old one is renamed once it is whole, so a
 * failure or a crash leaves the old checkpoint as it was; this takes `--allow-read` and `--allow-write` for
 * the folder.
 *
 * The arrays may be donated to the next step as soon as the call has returned its promise.
 *
 * @param path The file's path or `file:` URL.
 * @throws {TypeError} if a leaf is neither an array with a value nor one of those JavaScript values.
 *
 * @example
 * ```ts
 * import { init, loadCheckpoint, numpy as jnp, saveCheckpoint } from "@zenith/jax";
 *
 * await init();
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * const state = { params: { kernel: jnp.ones([4, 2]) }, step: 7 };
 * await saveCheckpoint(path, state);
 * const resumed = await loadCheckpoint(path, state);
 * console.log(resumed.step, resumed.params.kernel.shape); // 7 [ 4, 2 ]
 * await Deno.remove(path);
 * ```
 */
export async function saveCheckpoint(path: string | URL, state: unknown): Promise<void> {
  const what = "save checkpoint";
  checkFilePath(what, path);
  const { arrays, host } = holdState(what, state);
  const inOrder = inFileOrder(arrays);
  const hostText = writeHostState(host);
  const header = (checksum: number) =>
    writeHeader(inOrder, { [stateKey]: hostText, [checksumKey]: checksumText(checksum) });
  try {
    await replaceFile(what, path, async (file) => {
      let checksum = crc32(hostText);
      await writeAll(file, header(checksum));
      for (const { array } of inOrder) {
        const bytes = await bytesInFile(array);
        checksum = crc32(bytes, checksum);
        await writeAll(file, bytes);
      }
      await file.seek(0, Deno.SeekMode.Start);
      await writeAll(file, header(checksum));
    });
  } finally {
    for (const { array } of arrays) array.dispose();
  }
}

/** What a leaf of `like` asks for: an array by its shape and dtype, or a JavaScript value by its type. */
function showLeaf(leaf: unknown): string {
  return leaf instanceof NDArray || leaf instanceof ShapeDtype
    ? showAval({ shape: leaf.shape, dtype: leaf.dtype })
    : `a ${typeof leaf}`;
}

function showTensor({ dtype, shape, storedType }: StoredTensor): string {
  return storedNames[dtype] === storedType
    ? showAval({ shape, dtype })
    : `${storedType}[${shape.join(",")}]`;
}

/** The first few of a list, and how many more there are. */
function listSome(items: readonly string[]): string {
  const shown = items.slice(0, 5).join(", ");
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown;
}

/**
 * Throws if the file does not hold exactly the leaves of `like`.
 *
 * @throws RangeError that says which leaf differs, what was required and what the file has.
 */
function checkLeaves(
  required: ReadonlyMap<string, unknown>,
  tensors: ReadonlyMap<string, StoredTensor>,
  values: ReadonlyMap<string, HostValue>,
): void {
  const held = new Map<string, string>([
    ...[...tensors].map(([name, tensor]) => [name, showTensor(tensor)] as const),
    ...[...values].map(([name, value]) => [name, `a ${typeof value}`] as const),
  ]);
  const different = [...required].flatMap(([name, leaf]) => {
    const got = held.get(name);
    const wanted = showLeaf(leaf);
    return got === undefined || got === wanted ? [] : [`${name} must be ${wanted}, got ${got}`];
  });
  const missing = [...required.keys()].filter((name) => !held.has(name));
  const unexpected = [...held.keys()].filter((name) => !required.has(name));
  const problems = [
    ...different.length > 0 ? [listSome(different)] : [],
    ...missing.length > 0 ? [`missing ${listSome(missing)}`] : [],
    ...unexpected.length > 0 ? [`unexpected ${listSome(unexpected)}`] : [],
  ];
  if (problems.length === 0) return;
  throw new RangeError(
    `Cannot load checkpoint: the file must hold the leaves of the state given; ${
      problems.join("; ")
    }`,
  );
}

/** The leaves of `like` by their names in the file. */
function requiredLeaves(like: unknown): [ReadonlyMap<string, unknown>, TreeStructure] {
  const [leaves, structure] = flatten(like) as [unknown[], TreeStructure];
  const names = distinctNames(structure);
  checkNames("load checkpoint", names);
  for (const [i, leaf] of leaves.entries()) {
    if (leaf instanceof NDArray || leaf instanceof ShapeDtype || isHostValue(leaf)) continue;
    throw new TypeError(
      `Cannot load checkpoint: ${
        names[i] || "the state"
      } must be an array, a ShapeDtype, a number, ` +
        `a boolean or a string, got ${describe(leaf)}`,
    );
  }
  return [new Map(leaves.map((leaf, i) => [names[i]!, leaf])), structure];
}

function hostStateOf({ metadata }: StoredFile): { text: string; host: HostState } {
  const text = metadata.get(stateKey);
  // Arrays under the right names may come from another program.
  if (text === undefined) return { text: "", host: { values: new Map(), weak: new Map() } };
  return { text, host: readHostState(text) };
}

/** Loads all tensors, in the order of their data, and compares the checksum. */
async function loadArrays(
  source: ByteSource,
  file: StoredFile,
  hostText: string,
  weak: HostState["weak"],
): Promise<Map<string, NDArray>> {
  const arrays = new Map<string, NDArray>();
  let checksum = crc32(hostText);
  for (const tensor of [...file.tensors].sort((a, b) => a.begin - b.begin)) {
    const { name, dtype, shape } = tensor;
    const bytes = await source.read(tensor.begin, tensor.end);
    checksum = crc32(bytes, checksum);
    const aval: Aval = { shape, dtype, weak: weak.get(name) };
    arrays.set(name, fromBytes(deviceElements(tensor, bytes).bytes, aval));
  }
  const found = checksumText(checksum);
  const expected = file.metadata.get(checksumKey);
  const unchecked = expected === undefined && !file.metadata.has(stateKey);
  if (expected !== found && !unchecked) {
    throw new RangeError(
      `Cannot load checkpoint: the file is damaged; its checksum must be ${found}, got ${expected}`,
    );
  }
  return arrays;
}

/**
 * Loads what `saveCheckpoint` saved into a state of the structure of `like`: the same keys, registered
 * classes rebuilt, arrays with the same bits, JavaScript values as they were.
 *
 * The file is checked against `like` before any array is made, and against its checksum; a failure leaves
 * no array behind, and never touches `like`. What a registered class keeps beside its children comes from
 * `like`.
 *
 * @param path The file's path or `file:` URL.
 * @param like A state of the structure, shapes and dtypes that are expected, such as the one that a new run
 * starts with, or `evalShape`'s description of it. Its values are not used.
 * @throws {RangeError} if the file is damaged, or holds other leaves; the message names them.
 * @throws {TypeError} if the file is no safetensors file, or `like` has leaves that no checkpoint holds.
 *
 * @example
 * ```ts
 * import { evalShape, init, loadCheckpoint, type NDArray, numpy as jnp, saveCheckpoint } from "@zenith/jax";
 *
 * await init();
 * const start = (): { w: NDArray } => ({ w: jnp.ones([2], { dtype: "float16" }) });
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await saveCheckpoint(path, start());
 * const { w } = await loadCheckpoint<{ w: NDArray }>(path, evalShape(start)); // makes no arrays to throw away
 * console.log(String(w));
 * await Deno.remove(path);
 * ```
 */
export async function loadCheckpoint<T>(path: string | URL, like: T): Promise<T>;
/** The same where `like` only describes the state: the type argument says what comes back. */
export async function loadCheckpoint<T>(path: string | URL, like: unknown): Promise<T>;
export async function loadCheckpoint(path: string | URL, like: unknown): Promise<unknown> {
  const what = "load checkpoint";
  checkFilePath(what, path);
  const [required, structure] = requiredLeaves(like);
  return await withStoredFile(what, path, (source, file) => {
    const { text, host: { values, weak } } = hostStateOf(file);
    checkLeaves(required, new Map(file.tensors.map((own) => [own.name, own])), values);
    return scope(async () => {
      const arrays = await loadArrays(source, file, text, weak);
      const leaves = [...required.keys()].map((name) => arrays.get(name) ?? values.get(name));
      return unflatten(structure, leaves);
    });
  });
}
