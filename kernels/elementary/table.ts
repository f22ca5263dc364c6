// Every elementary function by name, and the text of any selection of them.

import { activationFunctions } from "./activation.ts";
import { bitFunctions } from "./bits.ts";
import { combinedFunctions } from "./combined.ts";
import { errorFunctions } from "./error_function.ts";
import { exponentialFunctions } from "./exponential.ts";
import type { ElementaryFunction } from "./function.ts";
import { hyperbolicFunctions } from "./hyperbolic.ts";
import { integerDivisionFunctions } from "./integer_division.ts";
import { integerPowerFunctions } from "./integer_power.ts";
import { inverseTrigonometricFunctions } from "./inverse_trigonometric.ts";
import { logarithmFunctions } from "./logarithm.ts";
import { powerFunctions } from "./power.ts";
import { remainderFunctions } from "./remainder.ts";
import { threefryFunctions } from "./threefry.ts";
import { trigonometricFunctions } from "./trigonometric.ts";

/**
 * The elementary functions on `vec4f`, within 8 ulp of the exact result over all float32 arguments
 * whatever the accuracy of the driver's own exp, log, pow and so on. Keys of one argument: `exp`, `exp2`,
 * `expm1`, `log`, `log2`, `log10`, `log1p`, `sqrt`, `rsqrt`, `cbrt`, `sin`, `cos`, `tan`, `asin`, `acos`,
 * `atan`, `sinh`, `cosh`, `tanh`, `asinh`, `acosh`, `atanh`, `erf`, `erfc`, `erfInv`, `sigmoid`, `silu`,
 * `softplus`, `geluTanh`, `geluErf`. Of two: `atan2` (y, x), `pow`, `rem`, `mod`, `hypot`,
 * `logaddexp`, `floorDivide`; `signedPower`, `unsignedMod` and their like are of integers, `threefryBits`
 * hashes words. The other keys are
 * the pieces these are made of, e.g. `seal`. The functions call `zero() -> u32`, which the kernel declares.
 */
export const elementaryFunctions: ReadonlyMap<string, ElementaryFunction> = new Map(
  Object.entries({
    ...bitFunctions,
    ...exponentialFunctions,
    ...logarithmFunctions,
    ...trigonometricFunctions,
    ...inverseTrigonometricFunctions,
    ...hyperbolicFunctions,
    ...errorFunctions,
    ...powerFunctions,
    ...remainderFunctions,
    ...activationFunctions,
    ...combinedFunctions,
    ...integerPowerFunctions,
    ...integerDivisionFunctions,
    ...threefryFunctions,
  }),
);

/**
 * Module-scope WGSL of the named functions and everything they call, each once, callees first.
 *
 * @param names keys of {@linkcode elementaryFunctions}.
 * @throws RangeError where a name is not one of them.
 */
export function elementarySource(names: Iterable<string>): string {
  const written = new Set<string>();
  const texts: string[] = [];
  const write = (name: string): void => {
    if (written.has(name)) return;
    written.add(name);
    const fn = elementaryFunctions.get(name);
    if (fn === undefined) {
      throw new RangeError(
        `Cannot write elementary functions: each name must be a key of elementaryFunctions, got "${name}"`,
      );
    }
    for (const required of fn.requires ?? []) write(required);
    texts.push(fn.code);
  };
  for (const name of names) write(name);
  return texts.join("\n");
}
