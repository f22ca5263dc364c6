/**
 * `unicodeWidth`, for the scripts of this project: combining marks take no column, East Asian wide
 * characters and emoji take two, everything else one.
 *
 * @module
 */

const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]$/u;

/** The columns that `str` takes in a terminal. */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const character of str) {
    if (ZERO.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
