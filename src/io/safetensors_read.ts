// Loading arrays from a safetensors file.

import { fromHost, type NDArray } from "../array.ts";
import { describe } from "../core/errors.ts";
import { parseSafetensors, type StoredTensor, storedValues } from "./safetensors_format.ts";

async function readFile(source: string | URL | Uint8Array): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (typeof source === "string" || source instanceof URL) return await Deno.readFile(source);
  throw new TypeError(
    `Cannot load safetensors: a path, a URL or the file's bytes (Uint8Array) are required, ` +
      `got ${describe(source)}`,
  );
}

function loadTensor(tensor: StoredTensor): NDArray {
  const { values, changed } = storedValues(tensor);
  if (tensor.storedType === "F64" || tensor.storedType === "I64") {
    const losses = changed > 0 ? `; ${changed} of ${tensor.size} values were rounded` : "";
    console.warn(
      `loadSafetensors: ${describe(tensor.name)} is ${tensor.storedType} and is narrowed to ` +
        `${tensor.dtype}${losses}`,
    );
  }
  return fromHost(values, tensor.shape, tensor.dtype);
}

/**
 * Loads every tensor of a safetensors file.
 *
 * F32, F16, BF16, I32, U32 and BOOL keep their type. F64 becomes float32 and I64 int32, with a warning on
 * the console that counts the values which that changed. The file is checked before any array is made.
 *
 * @param source The file's path (which needs `--allow-read`) or `file:` URL, or its bytes.
 * @returns The arrays by name, in the header's order.
 * @throws {TypeError} if the header is not one, or names an element type other than these.
 * @throws {RangeError} if sizes and offsets do not fit one another or the file, or an I64 does not fit int32.
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
  source: string | URL | Uint8Array,
): Promise<Record<string, NDArray>> {
  const tensors = parseSafetensors(await readFile(source));
  return Object.fromEntries(tensors.map((tensor) => [tensor.name, loadTensor(tensor)]));
}
