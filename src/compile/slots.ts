// Sharing buffers: temporaries whose lives do not overlap take turns in one. All lives are known beforehand,
// so the largest is placed first, and small ones fill what is left over: greedy by size, as in Pisarchyk and
// Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020), section 4.3.

/** How much memory something takes, and the first and the last step that need it. */
export interface Life {
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** Which buffer each takes, and how large the buffers are. */
export interface Slots {
  readonly slotOf: ReadonlyMap<Life, number>;
  readonly sizes: readonly number[];
}

/** Assigns buffers; no two that are needed at the same step share one. */
export function shareSlots(lives: Iterable<Life>): Slots {
  const bySize = [...lives].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const slotOf = new Map<Life, number>();
  const slots: { bytes: number; taken: Life[] }[] = [];
  for (const life of bySize) {
    const isFree = ({ taken }: { taken: readonly Life[] }) =>
      taken.every(({ first, last }) => life.last < first || last < life.first);
    // Sizes fall as slots are made, so the last that is free is the one that fits best.
    let found = slots.findLastIndex(isFree);
    if (found < 0) found = slots.push({ bytes: life.bytes, taken: [] }) - 1;
    slots[found]!.taken.push(life);
    slotOf.set(life, found);
  }
  return { slotOf, sizes: slots.map(({ bytes }) => bytes) };
}
