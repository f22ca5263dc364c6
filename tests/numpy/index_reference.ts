// Indexing written down plainly, one element at a time, for the tests to compare with; and random indices.

/** Part of an index as the reference takes it: an array is its shape and its elements. */
export type ReferencePart = number | readonly (number | null)[] | null | IndexArray;

/** A whole number from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** Numbers that look random and are the same in every run (the generator of Numerical Recipes). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

/** The positions along an axis that Python's `range(*slice(...).indices(extent))` lists. */
function rangePositions([start, stop, step]: readonly (number | null)[], extent: number): number[] {
  const by = step ?? 1;
  const place = (end: number) => end < 0 ? end + extent : end;
  let at = start === undefined || start === null ? (by > 0 ? 0 : extent - 1) : place(start);
  at = by > 0 ? Math.max(at, 0) : Math.min(at, extent - 1);
  const end = stop === undefined || stop === null
    ? (by > 0 ? extent : -1)
    : by > 0
    ? Math.min(place(stop), extent)
    : Math.max(place(stop), -1);
  const out: number[] = [];
  for (; by > 0 ? at < end : at > end; at += by) out.push(at);
  return out;
}

/** An array of indices. */
export interface IndexArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Whether a part is an array of indices. */
export function isIndexArray(part: ReferencePart): part is IndexArray {
  return part !== null && typeof part === "object" && !Array.isArray(part);
}

/** One axis of the result, and the part that made it: index arrays make axes together, new ones none. */
interface ResultAxis {
  readonly extent: number;
  readonly part: number | "block" | "new";
}

/** The extents that index arrays broadcast to. */
function blockShape(arrays: readonly IndexArray[]): number[] {
  const rank = Math.max(0, ...arrays.map((a) => a.shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = arrays.map((a) => a.shape[axis - rank + a.shape.length] ?? 1);
    return extents.find((extent) => extent !== 1) ?? 1;
  });
}

/** NumPy's order of the result's axes: those of index arrays first, unless the arrays are neighbours. */
function resultAxes(
  parts: readonly ReferencePart[],
  block: readonly number[],
  positions: readonly (readonly number[] | undefined)[],
): ResultAxis[] {
  const arrays = parts.some(isIndexArray);
  const advanced = parts.map((p) => arrays && (isIndexArray(p) || typeof p === "number"));
  const first = advanced.indexOf(true);
  const together = advanced.slice(first, advanced.lastIndexOf(true) + 1).every((a) => a);
  const blockAxes = block.map((extent): ResultAxis => ({ extent, part: "block" }));
  const axes: ResultAxis[] = together ? [] : [...blockAxes];
  parts.forEach((part, at) => {
    if (together && at === first) axes.push(...blockAxes);
    if (part === null) axes.push({ extent: 1, part: "new" });
    else if (positions[at]) axes.push({ extent: positions[at].length, part: at });
  });
  return axes;
}

/** The element of an index array at a place of the block that all of them broadcast to. */
function indexAt({ shape, values }: IndexArray, place: readonly number[]): number {
  let number = 0;
  shape.forEach((extent, axis) => {
    const at = place[axis + place.length - shape.length]!;
    number = number * extent + (extent === 1 ? 0 : at);
  });
  return values[number]!;
}

/** The coordinates of the `flat`-th place of a shape in row-major order. */
function coordinates(flat: number, axes: readonly ResultAxis[]): number[] {
  const place: number[] = [];
  let rest = flat;
  for (let a = axes.length - 1; a >= 0; a--) {
    place[a] = rest % axes[a]!.extent;
    rest = Math.floor(rest / axes[a]!.extent);
  }
  return place;
}

/** What an index reads: for every element of the result the number of an element, -1 if it is out of range. */
export interface Picked {
  readonly shape: readonly number[];
  /** With indices in arrays moved into range. */
  readonly clamped: readonly number[];
  /** With those out of range left out. */
  readonly dropped: readonly number[];
}

/** Follows NumPy's rules of indexing for one element of the result after the other. */
export function pick(shape: readonly number[], given: readonly ReferencePart[]): Picked {
  const parts: ReferencePart[] = [...given];
  while (parts.filter((p) => p !== null).length < shape.length) parts.push([]);
  const axisOf = parts.map((_, at) => parts.slice(0, at).filter((p) => p !== null).length);
  const positions = parts.map((part, at) =>
    Array.isArray(part) ? rangePositions(part, shape[axisOf[at]!]!) : undefined
  );
  const block = blockShape(parts.filter(isIndexArray));
  const axes = resultAxes(parts, block, positions);
  const clamped: number[] = [];
  const dropped: number[] = [];
  const total = axes.reduce((n, { extent }) => n * extent, 1);
  for (let flat = 0; flat < total; flat++) {
    const place = coordinates(flat, axes);
    const ofBlock = place.filter((_, a) => axes[a]!.part === "block");
    let element = 0;
    let outside = false;
    parts.forEach((part, at) => {
      if (part === null) return;
      const extent = shape[axisOf[at]!]!;
      const own = axes.findIndex((a) => a.part === at);
      const index = typeof part === "number"
        ? part
        : isIndexArray(part)
        ? indexAt(part, ofBlock)
        : positions[at]![place[own]!]!;
      const positive = index < 0 ? index + extent : index;
      outside ||= positive < 0 || positive >= extent;
      element = element * extent + Math.min(Math.max(positive, 0), extent - 1);
    });
    clamped.push(element);
    dropped.push(outside ? -1 : element);
  }
  return { shape: axes.map(({ extent }) => extent), clamped, dropped };
}

/** A random shape of up to four axes. */
export function randomShape(random: Random): number[] {
  return Array.from({ length: random(5) }, () => random(12) === 0 ? 0 : 1 + random(5));
}

function randomEnd(random: Random, extent: number): number | null {
  return random(4) === 0 ? null : random(2 * extent + 5) - extent - 2;
}

/** A random index of an array: fewer parts than axes at times, all kinds of parts, arrays out of range too. */
export function randomParts(random: Random, shape: readonly number[]): ReferencePart[] {
  const parts: ReferencePart[] = [];
  const blocks: number[][] = [[], [3], [2, 1], [2, 3], [1], [0]];
  const block = blocks[random(blocks.length)]!;
  const used = shape.length === 0 ? 0 : random(shape.length + 1);
  for (let axis = 0; axis < used; axis++) {
    if (random(8) === 0) parts.push(null);
    const extent = shape[axis]!;
    const kind = random(7);
    if (kind < 2 && extent > 0) parts.push(random(2 * extent) - extent);
    else if (kind < 4 && extent > 0) {
      const own = random(2) === 0 ? block : block.slice(1);
      const size = own.reduce((n, e) => n * e, 1);
      const values = Array.from({ length: size }, () => random(2 * extent + 4) - extent - 2);
      parts.push({ shape: own, values });
    } else if (kind === 4) parts.push([]);
    else {
      const steps = [1, 2, 3, -1, -2];
      const step = random(2) === 0 ? [] : [steps[random(steps.length)]!];
      parts.push([randomEnd(random, extent), randomEnd(random, extent), ...step]);
    }
  }
  if (random(6) === 0) parts.push(null);
  return parts;
}
