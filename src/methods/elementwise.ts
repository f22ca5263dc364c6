// The methods of arrays that compute element by element.

import type { DType } from "../core/dtype.ts";
import type { Like } from "./like.ts";

/** Which diagonal of a matrix. */
export interface DiagonalOption {
  /** 0 is the main diagonal; positive ones are above it, negative ones below. */
  readonly k?: number;
}

/** Options of `round`. */
export interface RoundOptions {
  /** Digits kept after the point; negative ones round to tens and so on. By default 0. */
  readonly decimals?: number;
}

/** What NaN and the infinities become in `nanToNum`; by default 0 and the largest and least numbers of the type. */
export interface NanToNumOptions {
  /** In place of NaN; by default 0. */
  readonly nan?: number;
  /** In place of infinity. */
  readonly posinf?: number;
  /** In place of -infinity. */
  readonly neginf?: number;
}

/** Tolerances of `isclose` and `allclose`. */
export interface CloseOptions {
  /** Share of |y| that x may be away; by default 1e-5. */
  readonly rtol?: number;
  /** Distance that x may be away besides; by default 1e-8. */
  readonly atol?: number;
  /** Whether NaN counts as close to NaN; by default not. */
  readonly equalNan?: boolean;
}

/** What is created like another array. */
export interface LikeOptions {
  /** By default the array's own type. */
  readonly dtype?: DType;
  /** By default the array's own shape. */
  readonly shape?: readonly number[];
}

/** Arithmetic, as methods. */
export interface ArithmeticMethods {
  /** x + y. */
  add(y: Like<this>): this;
  /** x - y. */
  subtract(y: Like<this>): this;
  /** x - y. */
  sub(y: Like<this>): this;
  /** x * y. */
  multiply(y: Like<this>): this;
  /** x * y. */
  mul(y: Like<this>): this;
  /** x / y as floats. */
  divide(y: Like<this>): this;
  /** x / y as floats. */
  div(y: Like<this>): this;
  /** x / y as floats. */
  trueDivide(y: Like<this>): this;
  /** x / y rounded down. */
  floorDivide(y: Like<this>): this;
  /** The remainder with the sign of y. */
  mod(y: Like<this>): this;
  /** The remainder with the sign of y. */
  remainder(y: Like<this>): this;
  /** The remainder with the sign of x. */
  fmod(y: Like<this>): this;
  /** x to the power y. */
  power(y: Like<this>): this;
  /** x to the power y. */
  pow(y: Like<this>): this;
  /** -x. */
  negative(): this;
  /** -x. */
  neg(): this;
  /** |x|. */
  abs(): this;
  /** |x|. */
  absolute(): this;
  /** -1, 0 or 1 by the sign. */
  sign(): this;
  /** x * x. */
  square(): this;
  /** 1 / x. */
  reciprocal(): this;
  /** |x| with the sign of y. */
  copysign(y: Like<this>): this;
  /** sqrt(x * x + y * y). */
  hypot(y: Like<this>): this;
  /** The greater of x and y; NaN wins. */
  maximum(y: Like<this>): this;
  /** The lesser of x and y; NaN wins. */
  minimum(y: Like<this>): this;
}

/** Comparison, logic and selection, as methods. */
export interface ComparisonMethods {
  /** Whether x == y. */
  equal(y: Like<this>): this;
  /** Whether x != y. */
  notEqual(y: Like<this>): this;
  /** Whether x < y. */
  less(y: Like<this>): this;
  /** Whether x <= y. */
  lessEqual(y: Like<this>): this;
  /** Whether x > y. */
  greater(y: Like<this>): this;
  /** Whether x >= y. */
  greaterEqual(y: Like<this>): this;
  /** Whether both are true. */
  logicalAnd(y: Like<this>): this;
  /** Whether either is true. */
  logicalOr(y: Like<this>): this;
  /** Whether one of the two is true. */
  logicalXor(y: Like<this>): this;
  /** Whether it is false. */
  logicalNot(): this;
  /** The bits that both have. */
  bitwiseAnd(y: Like<this>): this;
  /** The bits that either has. */
  bitwiseOr(y: Like<this>): this;
  /** The bits that one of the two has. */
  bitwiseXor(y: Like<this>): this;
  /** Every bit the other way. */
  bitwiseNot(): this;
  /** Every bit the other way. */
  invert(): this;
  /** x shifted to higher bits by y. */
  leftShift(y: Like<this>): this;
  /** x shifted to lower bits by y. */
  rightShift(y: Like<this>): this;
  /** Which elements are NaN. */
  isnan(): this;
  /** Which elements are infinite. */
  isinf(): this;
  /** Which elements are neither infinite nor NaN. */
  isfinite(): this;
  /** Which elements have their sign bit set. */
  signbit(): this;
  /** x where this array is true, y elsewhere. */
  where(x: Like<this>, y: Like<this>): this;
  /** Elements moved into min..max. */
  clip(min?: Like<this>, max?: Like<this>): this;
  /** Numbers in place of NaN and the infinities. */
  nanToNum(options?: NanToNumOptions): this;
  /** Whether elements are close. */
  isclose(y: Like<this>, options?: CloseOptions): this;
  /** Whether all elements are close. */
  allclose(y: Like<this>, options?: CloseOptions): this;
  /** Whether shape and elements are equal. */
  arrayEqual(y: Like<this>): this;
}

/** Elementary functions and conversion, as methods. */
export interface ElementaryMethods {
  /** e^x. */
  exp(): this;
  /** 2^x. */
  exp2(): this;
  /** e^x - 1. */
  expm1(): this;
  /** The natural logarithm. */
  log(): this;
  /** The logarithm to base 2. */
  log2(): this;
  /** The logarithm to base 10. */
  log10(): this;
  /** log(1 + x). */
  log1p(): this;
  /** The square root. */
  sqrt(): this;
  /** 1 / sqrt(x). */
  rsqrt(): this;
  /** The cube root. */
  cbrt(): this;
  /** The error function. */
  erf(): this;
  /** 1 - erf(x). */
  erfc(): this;
  /** The inverse of erf. */
  erfInv(): this;
  /** The sine. */
  sin(): this;
  /** The cosine. */
  cos(): this;
  /** The tangent. */
  tan(): this;
  /** The inverse sine. */
  asin(): this;
  /** The inverse sine. */
  arcsin(): this;
  /** The inverse cosine. */
  acos(): this;
  /** The inverse cosine. */
  arccos(): this;
  /** The inverse tangent. */
  atan(): this;
  /** The inverse tangent. */
  arctan(): this;
  /** The hyperbolic sine. */
  sinh(): this;
  /** The hyperbolic cosine. */
  cosh(): this;
  /** The hyperbolic tangent. */
  tanh(): this;
  /** The inverse of sinh. */
  asinh(): this;
  /** The inverse of sinh. */
  arcsinh(): this;
  /** The inverse of cosh. */
  acosh(): this;
  /** The inverse of cosh. */
  arccosh(): this;
  /** The inverse of tanh. */
  atanh(): this;
  /** The inverse of tanh. */
  arctanh(): this;
  /** Rounded down. */
  floor(): this;
  /** Rounded up. */
  ceil(): this;
  /** Rounded towards 0. */
  trunc(): this;
  /** log(e^x + e^y). */
  logaddexp(y: Like<this>): this;
  /** The angle whose tangent is this array over x. */
  atan2(y: Like<this>): this;
  /** The angle whose tangent is this array over x. */
  arctan2(y: Like<this>): this;
  /** Rounded to the nearest whole number, ties to even. */
  round(options?: RoundOptions): this;
  /** The same elements in another type. */
  astype(dtype: DType): this;
  /** Zeros in this shape and type. */
  zerosLike(options?: LikeOptions): this;
  /** Ones in this shape and type. */
  onesLike(options?: LikeOptions): this;
  /** One value in this shape and type. */
  fullLike(value: Like<this>, options?: LikeOptions): this;
  /** The lower triangle of matrices. */
  tril(options?: DiagonalOption): this;
  /** The upper triangle of matrices. */
  triu(options?: DiagonalOption): this;
  /** The matrix with this diagonal, or the diagonal of this matrix. */
  diag(options?: DiagonalOption): this;
}

/** The functions of `numpy` that compute element by element, as methods. */
export interface ElementwiseMethods
  extends ArithmeticMethods, ComparisonMethods, ElementaryMethods {}
