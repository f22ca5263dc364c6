// Float64 references of the elementary functions. V8's Math is a port of fdlibm: below 1 ulp of float64, for
// huge arguments of sin, cos and tan too. The rest is built here with relative errors below 1e-13.

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/** e^(t^2) erfc t for t >= 2 by its continued fraction (DLMF 7.9.2), evaluated upwards. */
function erfcxTail(t: number): number {
  let fraction = t;
  for (let k = Math.ceil(16 + 160 / (t * t)); k > 0; k--) fraction = t + k / 2 / fraction;
  return 1 / (fraction * Math.sqrt(Math.PI));
}

/** erf for 0 <= t <= 2 by the series with positive terms only (DLMF 7.6.2). */
function erfSeries(t: number): number {
  const square = t * t;
  let term = t;
  let sum = t;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= square / (k + 0.5);
    sum += term;
  }
  return twoOverRootPi * Math.exp(-square) * sum;
}

/** erfc t for t >= 2; the square is split so that its rounding does not show in a tail near e^-104. */
function erfcTail(t: number): number {
  const head = Math.fround(t);
  return Math.exp(-head * head) * Math.exp(-(t - head) * (t + head)) * erfcxTail(t);
}

/** erf x. */
export function erf(x: number): number {
  const t = Math.abs(x);
  if (Number.isNaN(x)) return x;
  const y = t < 2 ? erfSeries(t) : 1 - (t > 30 ? 0 : erfcTail(t));
  return x < 0 || Object.is(x, -0) ? -y : y;
}

/** erfc x. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 2) return 1 - erf(x);
  return x > 30 ? 0 : erfcTail(x);
}

/** The inverse of erf, by Newton's method on erf or, near the ends, on log erfc. */
export function erfInv(x: number): number {
  const t = Math.abs(x);
  if (!(t <= 1)) return NaN;
  if (t === 1) return x * Infinity;
  const w = -Math.log1p(-t * t);
  // Winitzki's approximation starts within 2e-3.
  const a = 2 / (Math.PI * 0.147) - w / 2;
  let y = Math.sqrt(Math.max(Math.sqrt(a * a + w / 0.147) - a, 0));
  if (t < 1e-4) y = t / twoOverRootPi * (1 + Math.PI * t * t / 12);
  for (let i = 0; i < 4 && t >= 1e-4; i++) {
    const slope = twoOverRootPi * Math.exp(-y * y);
    if (y < 1) y -= (erf(y) - t) / slope;
    else {
      const q = erfc(y);
      y += Math.log(q / (1 - t)) * q / slope;
    }
  }
  return x < 0 ? -y : Object.is(x, -0) ? x : y;
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** log(1 + e^x). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** gelu's tanh form, as x sigmoid(2 u). */
export function geluTanh(x: number): number {
  const t = Math.max(Math.min(x, 1e5), -1e5);
  return x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (t + 0.044715 * t * t * t));
}

/** x Phi(x). */
export function geluErf(x: number): number {
  return 0.5 * x * erfc(-x / Math.SQRT2);
}

/** numpy's mod: the remainder with the divisor's sign, zero with the dividend's. */
export function mod(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && (r < 0) !== (y < 0) ? r + y : r;
}

/** IEEE 754's pow, which takes 1 to any power, where JavaScript's has NaN. */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return Math.pow(x, y);
}

/** The references of one argument, by the functions' keys. */
export const unaryOracles: Readonly<Record<string, (x: number) => number>> = {
  exp: Math.exp,
  exp2: (x) => Math.pow(2, x),
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  cbrt: Math.cbrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  erf,
  erfc,
  erfInv,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  softplus,
  geluTanh,
  geluErf,
};

/** The references of two arguments, by the functions' keys. */
export const binaryOracles: Readonly<Record<string, (x: number, y: number) => number>> = {
  atan2: Math.atan2,
  pow,
  rem: (x, y) => x % y,
  mod,
};
