// The threefry2x32 hash of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (2011), with 20 rounds: what random bits are made of.

import type { ElementaryFamily } from "./function.ts";

/** How far the second word turns in each round: four rounds by the first row, four by the second, and so on. */
export const threefryRotations: readonly (readonly number[])[] = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];

/** What the third word of the key is joined from besides the other two. */
export const threefryParity = 0x1bd11bda;

/** Four rounds each, followed by two words of the key and the group's number. */
export const threefryGroups = 5;

function group(number: number): string {
  const rounds = threefryRotations[number % 2]!.map((turn) =>
    `  a += b;
  b = a ^ ((b << vec4u(${turn}u)) | (b >> vec4u(${32 - turn}u)));`
  );
  return `${rounds.join("\n")}
  a += k${(number + 1) % 3};
  b += k${(number + 2) % 3} + ${number + 1}u;`;
}

/** The hash of a counter of two words under a key of two words. Functions on `vec4u`. */
export const threefryFunctions: ElementaryFamily = {
  threefry: {
    name: "threefry2x32",
    code: `struct ThreefryWords { first: vec4u, second: vec4u }
fn threefry2x32(k0: vec4u, k1: vec4u, x0: vec4u, x1: vec4u) -> ThreefryWords {
  let k2 = k0 ^ k1 ^ vec4u(${threefryParity}u);
  var a = x0 + k0;
  var b = x1 + k1;
${Array.from({ length: threefryGroups }, (_, i) => group(i)).join("\n")}
  return ThreefryWords(a, b);
}`,
  },
  threefryBits: {
    name: "threefry2x32_bits",
    code: `fn threefry2x32_bits(k0: vec4u, k1: vec4u, x0: vec4u, x1: vec4u) -> vec4u {
  let words = threefry2x32(k0, k1, x0, x1);
  return words.first ^ words.second;
}`,
    requires: ["threefry"],
  },
};
