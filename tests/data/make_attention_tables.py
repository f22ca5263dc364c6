"""Writes attention_tables.json: what jax.nn.dot_product_attention and its gradients give. Run
`python3 make_attention_tables.py` beside it, then `deno fmt attention_tables.json`.

Needs jax (0.10.2 was used). Everything is float32. Gradients are those of the sum of the result's elements times
1/n, 2/n and so on up to 1, with respect to the queries, the keys, the values and the bias where there is one.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

rng = np.random.default_rng(5)


def floats(*shape):
    return np.round(rng.normal(size=shape), 2).astype(np.float32)


def rows(batch, queries, keys, heads, key_heads, size):
    return [
        floats(batch, queries, heads, size),
        floats(batch, keys, key_heads, size),
        floats(batch, keys, key_heads, size),
    ]


def mask(*shape):
    # Every row sees something: JAX gives equal weights where none is seen.
    seen = rng.random(shape) < 0.6
    seen[..., 0] = True
    return seen


CASES = [
    [rows(2, 3, 4, 2, 2, 4), {}],
    [rows(1, 2, 5, 1, 1, 3), {"scale": 0.3}],
    [rows(1, 4, 4, 2, 2, 4), {"isCausal": True}],
    [rows(1, 5, 2, 1, 1, 4), {"isCausal": True}],
    [rows(1, 2, 5, 1, 1, 4), {"isCausal": True}],
    [rows(1, 3, 4, 4, 2, 4), {"isCausal": True}],
    [rows(1, 2, 3, 6, 2, 3), {"mask": mask(1, 6, 2, 3)}],
    [rows(2, 3, 4, 2, 1, 4), {"mask": mask(2, 1, 1, 4), "bias": floats(1, 2, 3, 4)}],
    [rows(2, 3, 4, 2, 2, 4), {"mask": mask(3, 4), "isCausal": True}],
    [rows(2, 2, 3, 2, 2, 4), {"bias": floats(2, 1, 2, 3)}],
]


def plain(x):
    return {
        "dtype": "bool" if x.dtype == bool else "float32",
        "shape": list(x.shape),
        "data": [bool(v) if x.dtype == bool else float(f"{v:.7g}") for v in x.reshape(-1)],
    }


def case(arrays, options):
    others = {
        "scale": options.get("scale"),
        "is_causal": options.get("isCausal", False),
        "mask": options.get("mask"),
    }
    places = [0, 1, 2] + ([3] if "bias" in options else [])
    args = [*arrays, options.get("bias")]

    def attention(q, k, v, bias):
        return jax.nn.dot_product_attention(q, k, v, bias, **others)

    def loss(*args):
        value = attention(*args).reshape(-1)
        return jnp.sum(value * jnp.arange(1, value.size + 1)) / value.size

    with jax.default_matmul_precision("highest"):
        value = attention(*args)
        gradients = jax.grad(loss, argnums=places)(*args)
    return {
        "arrays": [plain(x) for x in arrays],
        "options": {k: plain(x) if isinstance(x, np.ndarray) else x for k, x in options.items()},
        "value": plain(np.asarray(value)),
        "gradients": [plain(np.asarray(x)) for x in gradients],
    }


text = json.dumps([case(*c) for c in CASES])
pathlib.Path(__file__).with_name("attention_tables.json").write_text(text)
