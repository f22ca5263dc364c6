// Float64 references of functions that JavaScript's Math does not have.

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/** erf near 0: the series whose terms are all positive (DLMF 7.6.2). */
function erfSeries(t: number): number {
  let term = t;
  let sum = t;
  for (let k = 1; term > sum * 1e-18; k++) {
    term *= t * t / (k + 0.5);
    sum += term;
  }
  return twoOverRootPi * Math.exp(-t * t) * sum;
}

/** erfc t for t >= 1.5: the trapezoidal rule on its integral over a line, with the residue of the pole (Hunter and Regan, 1972). */
function erfcTail(t: number): number {
  const step = 0.5;
  let sum = 1 / (t * t);
  for (let k = 1; k < 14; k++) {
    const square = (k * step) ** 2;
    sum += 2 * Math.exp(-square) / (square + t * t);
  }
  const residue = t < Math.PI / step ? 2 / Math.expm1(2 * Math.PI * t / step) : 0;
  return step * t * Math.exp(-t * t) / Math.PI * sum - residue;
}

/** The error function. */
export function erf(x: number): number {
  const t = Math.abs(x);
  if (!(t > 0)) return x;
  return Math.sign(x) * (t < 1.5 ? erfSeries(t) : t < 30 ? 1 - erfcTail(t) : 1);
}

/** 1 - erf x, without cancellation. */
export function erfc(x: number): number {
  if (Math.abs(x) < 1.5 || Number.isNaN(x)) return 1 - erf(x);
  if (Math.abs(x) > 30) return x > 0 ? 0 : 2;
  return x > 0 ? erfcTail(x) : 2 - erfcTail(-x);
}

/** The inverse of erf, by Newton's method: on erf near 0, on log erfc in the tail, where that is nearly straight. */
export function erfInv(x: number): number {
  const t = Math.abs(x);
  if (t > 1) return NaN;
  if (!(t > 0)) return x;
  if (t === 1) return x * Infinity;
  let y = t < 0.7 ? t / twoOverRootPi : Math.sqrt(-Math.log(1 - t));
  for (let i = 0; i < 40; i++) {
    const slope = twoOverRootPi * Math.exp(-y * y);
    const step = t < 0.7 ? (erf(y) - t) / slope : -Math.log(erfc(y) / (1 - t)) * erfc(y) / slope;
    y -= step;
    if (Math.abs(step) <= 1e-14 * y) break;
  }
  return Math.sign(x) * y;
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** log(1 + e^x). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** IEEE 754's pow, which takes 1 to any power and -1 to the infinite ones, where JavaScript has NaN. */
export function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** The nearest integer, ties to even. */
export function roundHalfToEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return x - low < 0.5 ? low : Math.ceil(x);
  return low % 2 === 0 ? low : Math.ceil(x);
}
