"""Fits the polynomials of kernels/elementary: prints their float32 coefficients and error bounds.

Needs numpy and mpmath. Each fit minimises the largest weighted error by Remez's exchange; then the
coefficients are rounded to float32 one after the other, lowest first, refitting the rest each time, so
that the later ones make up for the rounding of the earlier. Nothing at run time depends on this file.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 30
POINTS = 801


def exchange(basis, target):
    """Coefficients with the smallest largest |target - basis @ c|, and that error."""
    points, unknowns = basis.shape
    nodes = (points - 1) * (1 - np.cos(np.pi * np.arange(unknowns + 1) / unknowns)) / 2
    nodes = np.unique(np.round(nodes).astype(int))
    best = None
    for _ in range(60):
        signs = (-1.0) ** np.arange(len(nodes))
        system = np.column_stack([basis[nodes], signs])
        solution = np.linalg.lstsq(system, target[nodes], rcond=None)[0]
        error = target - basis @ solution[:-1]
        largest = np.abs(error).max()
        if best is None or largest < best[1]:
            best = (solution[:-1], largest)
        if largest <= abs(solution[-1]) * 1.0005:
            break
        edges = np.flatnonzero(np.diff(np.sign(error))) + 1
        nodes = [part[np.argmax(np.abs(error[part]))] for part in np.split(np.arange(points), edges)]
        while len(nodes) > unknowns + 1:
            nodes.pop(0 if abs(error[nodes[0]]) < abs(error[nodes[-1]]) else -1)
        if len(nodes) < unknowns + 1:
            break
    return best


def reweighted(basis, target):
    """As exchange, by Lawson's algorithm: for the fits whose error does not alternate as often."""
    weights = np.ones(len(target))
    best = None
    for _ in range(300):
        root = np.sqrt(weights)
        c = np.linalg.lstsq(basis * root[:, None], target * root, rcond=None)[0]
        error = np.abs(target - basis @ c)
        if best is None or error.max() < best[1]:
            best = (c, error.max())
        weights *= error / error.max() + 1e-12
        weights /= weights.sum()
    return best


def fit(name, target, weight, variable, low, high, degree):
    """Fits weight(x) * (target(x) - P(variable(x))) on low..high."""
    x = (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    exact = [mp.mpf(float(v)) for v in x]
    scale = np.array([float(weight(v)) for v in exact])
    powers = np.array([float(variable(v)) for v in exact])
    rest = [target(v) for v in exact]
    coefficients = []
    for i in range(degree + 1):
        wanted = np.array([float(v) for v in rest]) * scale
        basis = np.column_stack([powers**k * scale for k in range(i, degree + 1)])
        best = min(exchange(basis, wanted), reweighted(basis, wanted), key=lambda b: b[1])
        coefficients.append(np.float32(best[0][0]))
        factor = mp.mpf(float(coefficients[-1]))
        rest = [r - factor * variable(v) ** i for r, v in zip(rest, exact)]
    error = max(abs(float(r)) * s for r, s in zip(rest, scale))
    print(f"{name}: degree {degree}, error 2^{np.log2(error):.1f}")
    print("  [" + ", ".join(str(c) for c in coefficients) + "]", flush=True)


def same(x):
    return x


def square(x):
    return x * x


def artanh_series(s):
    return (mp.log((1 + s) / (1 - s)) / s - 2) / s**2


def odd(function):
    """Target and weight of an odd function f as x + x^3 P(x^2)."""
    return lambda x: (function(x) / x - 1) / x**2, lambda x: x**3 / function(x)


def erfcx(v):
    t = 2 * (1 + v) / (1 - v)
    return (1 + 2 * t) * mp.exp(t * t) * mp.erfc(t)


def erf_inv(w):
    x = mp.sqrt(-mp.expm1(-w))
    return mp.erfinv(x) / x


def log_weight(s):
    return abs(s**3 / mp.log((1 + s) / (1 - s)))


fit("exp", lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / abs(mp.expm1(r)), same, -0.3475, 0.3475, 4)
fit("exp2", lambda f: mp.expm1(f * mp.log(2)) / f, lambda f: abs(f) / 2**f, same, -0.5001, 0.5001, 5)
fit("log", artanh_series, log_weight, square, 1e-4, 0.1716, 2)
fit("log in pow", artanh_series, log_weight, square, 1e-4, 0.1716, 3)
fit("sin", *odd(mp.sin), square, 1e-4, 0.7858, 2)
fit(
    "cos",
    lambda r: (mp.cos(r) - 1 + r * r / 2) / r**4,
    lambda r: r**4 / mp.cos(r),
    square,
    1e-3,
    0.7858,
    2,
)
fit("atan", *odd(mp.atan), square, 1e-4, 1.0, 7)
fit("asin", *odd(mp.asin), square, 1e-4, 0.5001, 4)
fit("sinh", *odd(mp.sinh), square, 1e-4, 1.0, 2)
fit("cbrt", mp.cbrt, lambda m: 1 / mp.cbrt(m), same, 1.0, 8.0, 4)
fit("erf", lambda r: mp.erf(r) / r - 1, lambda r: r / mp.erf(r), square, 1e-4, 1.0, 5)
fit("erfcx", erfcx, lambda v: 1 / erfcx(v), same, -1.0, 8.5 / 12.5, 9)
fit("erfInv, center", lambda u: erf_inv(u + 2.5), lambda u: 1 / erf_inv(u + 2.5), same, -2.4999, 2.5, 8)
fit("erfInv, tail", lambda u: erf_inv((u + 3) ** 2), lambda u: 1 / erf_inv((u + 3) ** 2), same, 5**0.5 - 3, 1.0, 8)
