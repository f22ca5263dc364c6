// The index of weights that are spread over several safetensors files, as the Hugging Face hub has them:
// `model.safetensors.index.json` says in its `weight_map` which file beside it holds which tensor.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, isPlainObject } from "../core/errors.ts";
import { openSource } from "./byte_source.ts";
import { explainFileError } from "./replace_file.ts";
import { longestHeader } from "./safetensors_format.ts";
import { parseJson } from "./strict_json.ts";

const failed = "Cannot load safetensors";

/** The files of a set of weights, and the names of the tensors in each. */
export type ShardNames = ReadonlyMap<string, readonly string[]>;

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    using file = await openSource("load safetensors", path);
    if (file.size <= longestHeader) return await file.read(0, file.size);
    throw new RangeError(
      `${failed}: the index must have at most ${longestHeader} bytes, got ${file.size}`,
    );
  } catch (error) {
    throw explainFileError("load safetensors", error);
  }
}

/** Whether a source is the index of a set of files. */
export function isIndex(source: unknown): source is string | URL {
  const path = source instanceof URL ? source.pathname : source;
  return typeof path === "string" && path.endsWith(".safetensors.index.json");
}

/** Anything but the name of a file in the same folder could lead anywhere on the disk. */
function isPlainName(file: unknown): file is string {
  return typeof file === "string" && file !== "" && file !== "." && file !== ".." &&
    !/[/\\:\0]/.test(file);
}

/**
 * Reads an index.
 *
 * @returns The paths of the files, beside the index, with the names of their tensors.
 * @throws TypeError for anything that is no index, or that names files elsewhere.
 */
export async function readIndex(source: string | URL): Promise<ShardNames> {
  const path = source instanceof URL ? fileURLToPath(source) : source;
  const index = parseJson(`${failed}: the index`, await readWhole(path));
  const weightMap = isPlainObject(index) ? index.weight_map : undefined;
  if (!isPlainObject(weightMap)) {
    throw new TypeError(
      `${failed}: the index must be an object with a weight_map, got ${describe(index)}`,
    );
  }
  for (const [name, file] of Object.entries(weightMap)) {
    if (isPlainName(file)) continue;
    throw new TypeError(
      `${failed}: the index must name files of its own folder, got ${describe(file)} for ${
        describe(name)
      }`,
    );
  }
  const names = Map.groupBy(Object.keys(weightMap), (name) => weightMap[name] as string);
  return new Map([...names].map(([file, own]) => [join(dirname(path), file), own]));
}
