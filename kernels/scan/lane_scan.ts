// The scan across the threads of a workgroup that the tile kernels share, and their sizes.

import type { Target } from "../target.ts";

/** Threads of a workgroup that scans; each holds one accumulator in workgroup memory, twice. */
export function scanThreads(target: Target): number {
  // Two copies of a value and a flag of 4 bytes each.
  const fitting = Math.floor(target.maxWorkgroupStorage / 16);
  return 2 ** Math.floor(Math.log2(Math.min(256, target.maxInvocations, fitting)));
}

/**
 * WGSL of `scan_lanes(lane, value, restarts)`: every lane's value becomes the combination of those up to it,
 * back to the last lane that restarts (1 where a row begins within the lane's part, else 0). The result is
 * in `totals` and `restarted` from the returned offset on. Every thread of the workgroup must call it.
 *
 * Hillis and Steele's scan over two copies, so that a step needs one barrier.
 */
export function laneScanFunction(scalar: string, threads: number): string {
  return `
var<workgroup> totals: array<${scalar}, ${2 * threads}>;
var<workgroup> restarted: array<u32, ${2 * threads}>;
fn scan_lanes(lane: u32, value: ${scalar}, restarts: u32) -> u32 {
  var total = value;
  var flag = restarts;
  var offset = 0u;
  totals[lane] = total;
  restarted[lane] = flag;
  for (var distance = 1u; distance < ${threads}u; distance *= 2u) {
    workgroupBarrier();
    if (lane >= distance) {
      let before = offset + lane - distance;
      if (flag == 0u) { total = combine1(totals[before], total); }
      flag |= restarted[before];
    }
    offset = ${threads}u - offset;
    totals[offset + lane] = total;
    restarted[offset + lane] = flag;
  }
  workgroupBarrier();
  return offset;
}
`;
}
