// What mixed precision does with an operation, by its name: half operands, float32 throughout, or as its inputs
// come.

import { describe } from "../core/errors.ts";

/**
 * What mixed precision does with an operation: half operands, float32 throughout, or as its inputs come. Some
 * keep the types that the program gave them, since they are about bits.
 */
export type PrecisionRule = "half" | "full" | "follow" | "keep";

/** Functions of `numpy` and `nn` by the operations that they are made of, where those have other names. */
const functionNames: Readonly<Record<string, readonly string[]>> = {
  matmul: ["dotGeneral"],
  dot: ["dotGeneral"],
  einsum: ["dotGeneral"],
  tensordot: ["dotGeneral"],
  sum: ["reduce_sum"],
  prod: ["reduce_prod"],
  max: ["reduce_max"],
  min: ["reduce_min"],
  power: ["pow"],
  gelu: ["geluTanh", "geluErf"],
  swish: ["silu"],
};

/** Operations that a user moved from the lists that they are on. */
export type MovedOperations = ReadonlyMap<string, "half" | "full">;

/**
 * Checks the options `half` and `full`, lists of names of operations.
 *
 * @param known every operation there is.
 * @throws {TypeError} that lists the names there are, for any other, and for one that is in both lists.
 */
export function checkMovedOperations(
  what: string,
  lists: { readonly half?: unknown; readonly full?: unknown },
  known: readonly string[],
): MovedOperations {
  const moved = new Map<string, "half" | "full">();
  for (const list of ["half", "full"] as const) {
    for (const given of namesOf(what, list, lists[list])) {
      for (const name of operationsOf(what, list, given, known)) {
        if (moved.get(name) === "half" && list === "full") {
          throw new TypeError(
            `Cannot ${what}: an operation is either in half or in full, got ${
              describe(given)
            } in both`,
          );
        }
        moved.set(name, list);
      }
    }
  }
  return moved;
}

function operationsOf(
  what: string,
  list: string,
  given: string,
  known: readonly string[],
): readonly string[] {
  if (known.includes(given)) return [given];
  if (Object.hasOwn(functionNames, given)) return functionNames[given]!;
  const allowed = [...known, ...Object.keys(functionNames)].sort().join(", ");
  throw new TypeError(
    `Cannot ${what}: ${list} must name operations, got ${describe(given)}; there are ${allowed}`,
  );
}

function namesOf(what: string, list: string, given: unknown): readonly string[] {
  if (given === undefined) return [];
  if (Array.isArray(given) && given.every((name) => typeof name === "string")) return given;
  throw new TypeError(
    `Cannot ${what}: ${list} must be an array of names of operations, got ${describe(given)}`,
  );
}
