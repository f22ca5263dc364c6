// WGSL that looks at the bits of a `vec4f`: compilers may assume that no number is NaN or infinite and drop
// a test that is written as arithmetic. Every argument is the name of a `let`.

/** The bits without the sign, `vec4u`. */
export function magnitudeBits(x: string): string {
  return `(bitcast<vec4u>(${x}) & vec4u(0x7fffffffu))`;
}

/** Which elements are NaN, `vec4<bool>`. */
export function isNaNBits(x: string): string {
  return `(${magnitudeBits(x)} > vec4u(0x7f800000u))`;
}

/** Which elements of the two are both numbers, `vec4<bool>`. */
export function areNumbers(x: string, y: string): string {
  return `(max(${magnitudeBits(x)}, ${magnitudeBits(y)}) <= vec4u(0x7f800000u))`;
}

/** Which elements have the sign bit, `vec4<bool>`. */
export function hasSignBit(x: string): string {
  return `(bitcast<vec4i>(${x}) < vec4i(0))`;
}

/** Integers in the order of the numbers, `vec4i`: -0 below 0. */
export function orderBits(x: string): string {
  return `(bitcast<vec4i>(${x}) ^ ((bitcast<vec4i>(${x}) >> vec4u(31u)) & vec4i(0x7fffffff)))`;
}

/** A finite number as an `f32` literal. */
export function floatLiteral(value: number): string {
  return `${Math.fround(value)}f`;
}
