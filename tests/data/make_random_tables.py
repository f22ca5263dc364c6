"""Writes random_tables.json: what JAX's random functions give. Run `python3 make_random_tables.py` beside it.

Needs jax (0.10.2 was used), whose default is jax_threefry_partitionable. Arrays are written as the words that
hold them, so that every bit counts; long ones as a few elements and the exclusive or of all words.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

CASES = []


def words(x):
    x = np.asarray(x)
    if x.dtype == np.bool_:
        return x.ravel().astype(int).tolist()
    return x.ravel().view(np.uint16 if x.dtype.itemsize == 2 else np.uint32).tolist()


def dtype_name(x):
    return str(np.asarray(x).dtype)


def case(name, seed, *args, result, **options):
    result = np.asarray(result)
    flat = words(result)
    entry = {"name": name, "seed": seed, "args": list(args), "options": options}
    entry.update(dtype=dtype_name(result), shape=list(result.shape))
    if len(flat) <= 64:
        entry["words"] = flat
    else:
        entry["at"] = [0, 1, len(flat) // 2, len(flat) - 2, len(flat) - 1]
        entry["words"] = [flat[i] for i in entry["at"]]
        entry["joined"] = int(np.bitwise_xor.reduce(np.array(flat, np.uint32)))
    CASES.append(entry)


SEEDS = [0, 1, 42, -1, 2**31, 2**32 - 1]
SHAPES = [[], [0], [1], [5], [3, 7], [2, 0, 3], [70001]]
FLOATS = ["float32", "float16", "bfloat16"]

for seed in SEEDS:
    key = random.PRNGKey(seed)
    case("key", seed, result=key)
    case("split", seed, 2, result=random.split(key))
    case("foldIn", seed, 7, result=random.fold_in(key, 7))
    case("bits", seed, [4], result=random.bits(key, (4,)))

KEY = random.PRNGKey(9)
case("split", 9, 5, result=random.split(KEY, 5))
case("split", 9, [2, 3], result=random.split(KEY, (2, 3)))
case("split", 9, 1, result=random.split(KEY, 1))
case("split", 9, 0, result=random.split(KEY, 0))
for data in [0, 2**24 + 1, 2**31, 2**32 - 1]:
    case("foldIn", 9, data, result=random.fold_in(KEY, data))

for shape in SHAPES:
    case("bits", 9, shape, result=random.bits(KEY, shape))
    for dtype in FLOATS:
        drawn = random.uniform(KEY, shape, dtype)
        case("uniform", 9, shape, dtype=dtype, result=drawn)

for dtype in FLOATS:
    for low, high in [(-1, 1), (0, 0.25), (2, 6)]:
        drawn = random.uniform(KEY, (33,), dtype, low, high)
        case("uniform", 9, [33], dtype=dtype, minval=low, maxval=high, result=drawn)
    # Compiled, XLA may round the product and the sum with a lower bound at once; here each is rounded.
    with jax.disable_jit():
        drawn = random.uniform(KEY, (33,), dtype, 0.1, 0.3)
    case("uniform", 9, [33], dtype=dtype, minval=0.1, maxval=0.3, result=drawn)

for dtype in FLOATS:
    for shape in [[], [4, 15]]:
        for name in ["normal", "gumbel", "exponential"]:
            case(name, 9, shape, dtype=dtype, result=getattr(random, name)(KEY, shape, dtype))
    for low, high in [(-2, 2), (0, 1), (-jnp.inf, 0.5), (1, 3)]:
        drawn = random.truncated_normal(KEY, low, high, (40,), dtype)
        bounds = [str(v) if np.isinf(v) else v for v in (float(low), float(high))]
        case("truncatedNormal", 9, *bounds, [40], dtype=dtype, result=drawn)

case("bernoulli", 9, result=random.bernoulli(KEY))
for p in [0, 0.1, 0.5, 0.9, 1]:
    case("bernoulli", 9, p, [50], result=random.bernoulli(KEY, float(p), (50,)))

for low, high in [(0, 10), (-5, 5), (3, 3), (7, 2), (0, 2**20 + 1), (-(2**31), 2**31 - 1)]:
    case("randint", 9, [21], low, high, result=random.randint(KEY, (21,), low, high))
case("randint", 9, [70001], 0, 1000, result=random.randint(KEY, (70001,), 0, 1000))
for low, high in [(0, 10), (5, 2**31)]:
    drawn = random.randint(KEY, (21,), jnp.uint32(low), jnp.uint32(high), "uint32")
    case("randint", 9, [21], low, high, dtype="uint32", result=drawn)

LOGITS = [[0.5, -1.0, 2.0, 0.0], [1.0, 1.0, 1.0, 1.0], [-3.0, 4.0, 3.5, 0.0]]
logits = jnp.array(LOGITS)
case("categorical", 9, LOGITS, result=random.categorical(KEY, logits))
case("categorical", 9, LOGITS, axis=0, result=random.categorical(KEY, logits, axis=0))
case("categorical", 9, LOGITS, shape=[20, 3], result=random.categorical(KEY, logits, shape=(20, 3)))
case("categorical", 9, LOGITS, axis=0, shape=[5, 4],
     result=random.categorical(KEY, logits, axis=0, shape=(5, 4)))

for n in [0, 1, 2, 17, 3000]:
    case("permutation", 9, n, result=random.permutation(KEY, n))
matrix = np.arange(24, dtype=np.float32).reshape(4, 6)
for axis in [0, 1]:
    for independent in [False, True]:
        drawn = random.permutation(KEY, matrix, axis, independent)
        case("permutation", 9, matrix.tolist(), axis=axis, independent=independent, result=drawn)

case("choice", 9, 5, result=random.choice(KEY, 5))
case("choice", 9, 50, [2, 6], result=random.choice(KEY, 50, (2, 6)))
case("choice", 9, 50, [2, 6], replace=False, result=random.choice(KEY, 50, (2, 6), False))
case("choice", 9, matrix.tolist(), [3], result=random.choice(KEY, matrix, (3,)))
case("choice", 9, matrix.tolist(), [3], axis=1, replace=False,
     result=random.choice(KEY, matrix, (3,), False, axis=1))
P = [0.125, 0.5, 0.25, 0.125]
case("choice", 9, 4, [30], p=P, result=random.choice(KEY, 4, (30,), p=jnp.array(P)))
case("choice", 9, 4, [3], p=P, replace=False, result=random.choice(KEY, 4, (3,), False, jnp.array(P)))

keys = random.split(KEY, 3)
MAPPED = {
    "uniform": jax.vmap(lambda k: random.uniform(k, (2, 3)))(keys),
    "split": jax.vmap(random.split)(keys),
    "foldIn": jax.vmap(lambda k: random.fold_in(k, 5))(keys),
    "randint": jax.vmap(lambda k: random.randint(k, (4,), 0, 100))(keys),
    "permutation": jax.vmap(lambda k: random.permutation(k, 6))(keys),
    "key": jax.vmap(random.PRNGKey)(jnp.array([3, -4, 5])),
}

path = pathlib.Path(__file__).with_name("random_tables.json")
mapped = {name: {"shape": list(x.shape), "words": words(x)} for name, x in MAPPED.items()}
lines = ",\n".join(json.dumps(entry) for entry in CASES)
path.write_text('{"mapped": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(mapped), lines))
