// Loading arrays from safetensors files.

import { fromBytes, type NDArray } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { scope } from "../transform/scope.ts";
import { type ByteSource, type FileSource, openSource } from "./byte_source.ts";
import { explainFileError } from "./replace_file.ts";
import { isIndex, readIndex } from "./safetensors_index.ts";
import { readStoredFile, type StoredFile, type StoredTensor } from "./safetensors_format.ts";
import { deviceElements } from "./stored_elements.ts";

export type { FileSource };

/** What `loadSafetensors` may be told. */
export interface LoadSafetensorsOptions {
  /** The tensors to load; of a file on disk no others are read. By default all. */
  readonly names?: readonly string[];
}

const narrowed: readonly string[] = ["F64", "I64"];

/** The array of a tensor, whose bytes alone are read. */
async function loadTensor(source: ByteSource, tensor: StoredTensor): Promise<NDArray> {
  const { name, storedType, dtype, shape, size, begin, end } = tensor;
  const { bytes, changed } = deviceElements(tensor, await source.read(begin, end));
  if (narrowed.includes(storedType)) {
    const losses = changed > 0 ? `; ${changed} of ${size} values were rounded` : "";
    console.warn(
      `loadSafetensors: ${describe(name)} is ${storedType} and is narrowed to ${dtype}${losses}`,
    );
  }
  return fromBytes(bytes, { shape: checkShape("load safetensors", shape), dtype });
}

/** Opens a file and checks its header; `use` gets both while the file is open. */
export async function withStoredFile<T>(
  what: string,
  from: FileSource,
  use: (source: ByteSource, file: StoredFile) => Promise<T>,
): Promise<T> {
  try {
    using source = await openSource(what, from);
    return await use(source, await readStoredFile(source));
  } catch (error) {
    throw explainFileError(what, error);
  }
}

function checkNames(names: unknown): readonly string[] | undefined {
  if (names === undefined) return undefined;
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new TypeError(
    `Cannot load safetensors: names must be an array of strings, got ${describe(names)}`,
  );
}

/** The names asked for, all by default, in the order in which they are stored. */
function chooseNames(
  stored: readonly string[],
  names: readonly string[] | undefined,
): readonly string[] {
  if (names === undefined) return stored;
  const [there, asked] = [new Set(stored), new Set(names)];
  const missing = names.find((name) => !there.has(name));
  if (missing === undefined) return stored.filter((name) => asked.has(name));
  throw new RangeError(
    `Cannot load safetensors: names must be among those stored, ${describe(stored)}, got ${
      describe(missing)
    }`,
  );
}

async function loadFile(
  from: FileSource,
  names: readonly string[] | undefined,
): Promise<Map<string, NDArray>> {
  return await withStoredFile("load safetensors", from, async (source, { tensors }) => {
    const chosen = new Set(chooseNames(tensors.map(({ name }) => name), names));
    const arrays = new Map<string, NDArray>();
    for (const tensor of tensors) {
      if (chosen.has(tensor.name)) arrays.set(tensor.name, await loadTensor(source, tensor));
    }
    return arrays;
  });
}

async function loadShards(
  index: string | URL,
  names: readonly string[] | undefined,
): Promise<Map<string, NDArray>> {
  const shards = await readIndex(index);
  const chosen = new Set(chooseNames([...shards.values()].flat(), names));
  const arrays = new Map<string, NDArray>();
  for (const [path, stored] of shards) {
    const own = stored.filter((name) => chosen.has(name));
    if (own.length === 0) continue;
    for (const [name, array] of await loadFile(path, own)) arrays.set(name, array);
  }
  return arrays;
}

/**
 * Loads the tensors of a safetensors file, or of several with an index, `model.safetensors.index.json`.
 *
 * F32, F16, BF16, I32, U32 and BOOL keep their type and every bit. U8 and U16 become uint32, I8 and I16
 * int32. F64 becomes float32 and I64 int32, with a warning on the console that counts the values which that
 * changed. The whole header is checked before any array is made, and a failure leaves no array behind.
 *
 * @param source The file's path (which needs `--allow-read`) or `file:` URL, its bytes, a stream of them, or
 * the response of a `fetch`. A file on disk is read tensor by tensor. The path of an index loads the files
 * that it names, which must be beside it.
 * @returns The arrays by name, in the header's order.
 * @throws {TypeError} if the header is not one, has a key twice, or names an element type other than these.
 * @throws {RangeError} if sizes and offsets do not fit one another or the file, if an I64 does not fit int32,
 * or if a tensor is not there.
 *
 * @example
 * ```ts
 * import { init, loadSafetensors } from "@zenith/jax";
 *
 * await init();
 * const header = JSON.stringify({ w: { dtype: "F16", shape: [2], data_offsets: [0, 4] } });
 * const file = new Uint8Array(8 + header.length + 4);
 * file[0] = header.length;
 * file.set(new TextEncoder().encode(header), 8);
 * file.set([0x00, 0x3c, 0x00, 0xc0], 8 + header.length);
 * const { w } = await loadSafetensors(file);
 * console.log(w.dtype, await w.toList()); // float16 [ 1, -2 ]
 * ```
 */
export async function loadSafetensors(
  source: FileSource,
  options: LoadSafetensorsOptions = {},
): Promise<Record<string, NDArray>> {
  checkOptions("load safetensors", options, ["names"]);
  const names = checkNames(options.names);
  return await scope(async () => {
    const arrays = isIndex(source)
      ? await loadShards(source, names)
      : await loadFile(source, names);
    return Object.fromEntries(arrays);
  });
}
