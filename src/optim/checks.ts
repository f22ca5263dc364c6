// Checks of what users configure optimizers and schedules with.

import { describe } from "../core/errors.ts";

/** A finite number from `min` on; errors call it by its name. */
export function checkNumber(
  what: string,
  name: string,
  value: unknown,
  min: number = -Infinity,
): number {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(`Cannot ${what}: ${name} must be a number, got ${describe(value)}`);
  }
  if (Number.isFinite(value) && value >= min) return value;
  const range = min === -Infinity ? "finite" : `a finite number from ${min} on`;
  throw new RangeError(`Cannot ${what}: ${name} must be ${range}, got ${value}`);
}

/** A whole number from `min` on. */
export function checkCount(what: string, name: string, value: unknown, min: number): number {
  const count = checkNumber(what, name, value, min);
  if (Number.isInteger(count)) return count;
  throw new RangeError(`Cannot ${what}: ${name} must be a whole number, got ${count}`);
}

/** How quickly a moving average forgets: from 0 up to, but not including, 1. */
export function checkDecay(what: string, name: string, value: unknown): number {
  const decay = checkNumber(what, name, value, 0);
  if (decay < 1) return decay;
  throw new RangeError(`Cannot ${what}: ${name} must be below 1, got ${decay}`);
}

/** A number or a schedule. */
export function checkNumberOrSchedule(what: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  if (typeof value === "number") checkNumber(what, name, value);
  else {
    throw new TypeError(
      `Cannot ${what}: ${name} must be a number or a schedule, got ${describe(value)}`,
    );
  }
}
