"""Writes core_tables.json: half conversions as NumPy and ml_dtypes have them, and JAX's promotion,
limits and order of keys. Run `python3 make_core_tables.py` beside it, then `deno fmt core_tables.json`.

Needs jax (0.10.2 was used) with ml_dtypes and numpy.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

DTYPES = ["float32", "float16", "bfloat16", "int32", "uint32", "bool"]
FLOATS = ["float32", "float16", "bfloat16"]


def tricky_float32():
    """float32 patterns around ties, subnormals, overflow and NaN of both half types."""
    values = [0.0, 1.0, 1 / 3, 65504.0, 65519.0, 65520.0, 65536.0, 1e5, 1e-8, 1e-40, 3.4e38]
    # Ties of float16 have the last 13 bits 1000..., of bfloat16 the last 16.
    for exponent in (-10, 0, 3, 15):
        for step in range(4):
            values += [2.0**exponent * (1 + step * 2.0**-10 + 2.0**-11)]
            values += [2.0**exponent * (1 + step * 2.0**-7 + 2.0**-8)]
    # Subnormals of float16 are multiples of 2**-24: ties between them.
    values += [2.0**-24, 2.0**-25, 3 * 2.0**-25, 5 * 2.0**-25, 2.0**-14 - 2.0**-25, 2.0**-14]
    # Subnormals of bfloat16 are multiples of 2**-133.
    values += [2.0**-133, 2.0**-134, 3 * 2.0**-134, 2.0**-126 - 2.0**-134, 2.0**-126, 2.0**-149]
    patterns = np.array(values, np.float32).view(np.uint32).astype(np.int64)
    around = np.concatenate([patterns - 1, patterns, patterns + 1])
    around = around[around >= 0]
    special = np.array(
        [0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0x7F7FFFFF, 0x7F7F8000, 0x7F7F7FFF]
    )
    positive = np.unique(np.concatenate([around, special]))
    return np.concatenate([positive, positive | 0x80000000]).astype(np.uint32)


def conversions():
    """Rows of float32, float16 and bfloat16 patterns; "nan" where the result is a NaN."""
    patterns = tricky_float32()
    with np.errstate(all="ignore"):
        values = patterns.view(np.float32)
        halves = values.astype(np.float16).view(np.uint16)
        brains = values.astype(ml_dtypes.bfloat16).view(np.uint16)
    rows = []
    for pattern, value, half, brain in zip(patterns, values, halves, brains):
        nan = bool(np.isnan(value))
        rows.append([int(pattern), "nan" if nan else int(half), "nan" if nan else int(brain)])
    return rows


def float64_to_float16():
    """Float64 numbers that rounding to float32 first would take to the wrong float16, as NumPy has it."""
    values = []
    for base in (1 + 2.0**-11, 1 + 3 * 2.0**-11, 2048 + 1.0, 3 * 2.0**-25, 2.0**-25, 65520.0):
        for nudge in (-(2.0**-45), 0.0, 2.0**-45):
            values += [base * (1 + nudge), -base * (1 + nudge)]
    with np.errstate(all="ignore"):
        halves = np.array(values, np.float64).astype(np.float16).view(np.uint16)
    return [[value, int(half)] for value, half in zip(values, halves)]


def limits(dtype):
    info = jnp.finfo(dtype)
    return {
        "bits": int(info.bits),
        "max": float(info.max),
        "smallestNormal": float(info.smallest_normal),
        "smallestSubnormal": float(info.smallest_subnormal),
        "eps": float(info.eps),
    }


def weak(dtype):
    """The types that an array of this type gives with a Python int and a Python float."""
    x = jnp.zeros((), dtype)
    return [str((x + 2).dtype), str((x + 0.5).dtype)]


def ordered_keys():
    keys = ["b", "a", "B", "a1", "_", "10", "9", "key with space", "A", "ab", "", "\u00e9", "z"]
    return {"keys": keys, "sorted": [keys[i] for i in jax.tree.leaves(
        {key: i for i, key in enumerate(keys)})]}


tables = {
    "conversions": conversions(),
    "float64ToFloat16": float64_to_float16(),
    "promotion": {a: {b: str(jnp.promote_types(a, b)) for b in DTYPES} for a in DTYPES},
    "weak": {dtype: weak(dtype) for dtype in DTYPES},
    "finfo": {dtype: limits(dtype) for dtype in FLOATS},
    "iinfo": {
        dtype: {"bits": int(jnp.iinfo(dtype).bits), "min": int(jnp.iinfo(dtype).min),
                "max": int(jnp.iinfo(dtype).max)}
        for dtype in ("int32", "uint32")
    },
    "keyOrder": ordered_keys(),
}
out = pathlib.Path(__file__).with_name("core_tables.json")
out.write_text(json.dumps(tables) + "\n")
