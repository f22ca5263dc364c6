"""Writes nn_tables.json: what Flax's modules give. Run `python3 make_nn_tables.py` beside it, then
`deno fmt nn_tables.json`.

Needs flax (0.12.8 was used) with jax, and computes in float64. Each case has a module's name and options in this library's words, parameters
and inputs, the output, and the gradients of the sum of its squares with respect to parameters and a floating input.
What Flax's linen has no module for (grouped queries, rotary positions, blocks) is put together here from its parts.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

rng = np.random.default_rng(5)
jax.config.update("jax_enable_x64", True)


def floats(*shape, scale=1.0):
    """Numbers that float32 holds exactly."""
    return np.round(rng.normal(size=shape) * scale * 256) / 256


def ints(*values):
    return np.array(values, np.int32)


def parameters(module, *inputs, **options):
    """Parameters of the module's structure, all of them random: zeros and ones would hide mistakes."""
    shapes = jax.eval_shape(lambda: module.init(jax.random.key(0), *inputs, **options))["params"]
    return jax.tree.map(lambda leaf: floats(*leaf.shape, scale=0.5), shapes)


def encoded(x):
    if isinstance(x, dict):
        return {key: encoded(value) for key, value in x.items()}
    if not isinstance(x, (np.ndarray, jax.Array)):
        return x
    x = np.asarray(x)
    values = [float(f"{v:.8g}") if x.dtype == np.float64 else v for v in x.reshape(-1).tolist()]
    dtype = "float32" if x.dtype == np.float64 else str(x.dtype)
    return {"dtype": dtype, "shape": x.shape, "data": values}


def case(name, config, params, x, apply, options=None, method="apply"):
    def loss(params, x):
        return (apply(params, x) ** 2).sum()

    gradients = {"params": jax.grad(loss)(params, x)}
    if x.dtype == np.float64:
        gradients["x"] = jax.grad(loss, argnums=1)(params, x)
    return {
        "name": name,
        "config": config,
        "method": method,
        "params": encoded(params),
        "x": encoded(x),
        "options": encoded(options or {}),
        "output": encoded(apply(params, x)),
        "gradients": encoded(gradients),
    }


def linen(name, config, module, x):
    params = parameters(module, x)
    return case(name, config, params, x, lambda p, x: module.apply({"params": p}, x))


def convolution(config, x):
    words = {"kernelSize": "kernel_size", "kernelDilation": "kernel_dilation", "useBias": "use_bias",
             "featureGroupCount": "feature_group_count"}
    given = {words.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    given["kernel_size"] = tuple(np.atleast_1d(config["kernelSize"]).tolist())
    given.pop("inFeatures")
    return linen("conv", config, nn.Conv(**given), x)


def pooling(name, window, options, x):
    given = dict(options)
    strides = given.pop("strides", None)
    if "countIncludePad" in given:
        given["count_include_pad"] = given.pop("countIncludePad")
    pool = nn.max_pool if name == "maxPool" else nn.avg_pool
    apply = lambda _, x: pool(x, tuple(window), strides=strides and tuple(strides), **given)
    return case(name, window, {}, x, apply, options, method="function")


def rotated(x, base=10000.0):
    """Rotary positions in complex numbers."""
    half = x.shape[-1] // 2
    angles = jnp.arange(x.shape[1])[:, None] * base ** (-jnp.arange(half) / half)
    turned = jax.lax.complex(x[..., :half], x[..., half:]) * jnp.exp(1j * angles)[:, None, :]
    return jnp.concatenate([turned.real, turned.imag], -1)


def attend(params, x, key_value=None, mask=None, causal=False, rotary=None):
    """Flax's attention, with fewer heads of keys than of queries where the parameters have them so."""
    source = x if key_value is None else key_value
    project = lambda p, x: jnp.einsum("blf,fhd->blhd", x, p["kernel"]) + p.get("bias", 0.0)
    query, key, value = (project(params[n], v) for n, v in (("query", x), ("key", source), ("value", source)))
    if rotary:
        query, key = rotated(query, rotary), rotated(key, rotary)
    groups = query.shape[2] // key.shape[2]
    key, value = (jnp.repeat(v, groups, axis=2) for v in (key, value))
    visible = jnp.ones((1, 1, query.shape[1], key.shape[1]), bool) if mask is None else mask
    if causal:
        visible = visible & nn.make_causal_mask(x[..., 0], dtype=bool)
    y = nn.dot_product_attention(query, key, value, mask=visible)
    return jnp.einsum("blhd,hdf->blf", y, params["out"]["kernel"]) + params["out"].get("bias", 0.0)


def flax_attention(config, x, mask=None, key_value=None):
    module = nn.MultiHeadDotProductAttention(config["numHeads"], qkv_features=config["features"],
                                             use_bias=config.get("useBias", True))
    source = x if key_value is None else key_value
    params = parameters(module, x, source)
    causal = nn.make_causal_mask(x[..., 0]) if config.get("isCausal") else None
    both = nn.combine_masks(causal, mask)
    apply = lambda p, x: module.apply({"params": p}, x, x if key_value is None else key_value, mask=both)
    options = {**({} if mask is None else {"mask": mask}), **({} if key_value is None else {"keyValue": key_value})}
    return case("multiHeadDotProductAttention", config, params, x, apply, options)



def attention_parameters(features, heads, key_heads, bias=True):
    size = features // heads
    kernel = lambda *shape: floats(*shape, scale=0.5)
    into = lambda n: {"kernel": kernel(features, n, size), **({"bias": kernel(n, size)} if bias else {})}
    out = {"kernel": kernel(heads, size, features), **({"bias": kernel(features)} if bias else {})}
    return {"query": into(heads), "key": into(key_heads), "value": into(key_heads), "out": out}


def own_attention(config, x):
    heads = config["numHeads"]
    params = attention_parameters(config["features"], heads, config.get("numKeyValueHeads", heads))
    rotary = config.get("rotary")
    base = rotary["base"] if isinstance(rotary, dict) else 10000.0 if rotary else None
    apply = lambda p, x: attend(p, x, causal=config.get("isCausal", False), rotary=base)
    return case("multiHeadDotProductAttention", config, params, x, apply)


def linear(p, x):
    return x @ p["kernel"] + p.get("bias", 0.0)


def feed_forward(p, x, activation):
    if "gate" in p:
        return linear(p["down"], activation(linear(p["gate"], x)) * linear(p["up"], x))
    return linear(p["down"], activation(linear(p["up"], x)))


def feed_forward_parameters(features, hidden, gated, bias=True):
    layer = lambda n, m: {"kernel": floats(n, m, scale=0.5), **({"bias": floats(m, scale=0.5)} if bias else {})}
    gate = {"gate": layer(features, hidden)} if gated else {}
    return {"up": layer(features, hidden), **gate, "down": layer(hidden, features)}


def mlp(config, x, bias=True):
    gated = config.get("gated", False)
    params = feed_forward_parameters(config["features"], config.get("hidden", 4 * config["features"]), gated, bias)
    return case("mlp", config, params, x, lambda p, x: feed_forward(p, x, nn.gelu))


def block(config, x):
    features, heads = config["features"], config["numHeads"]
    rms = config.get("norm") == "rmsNorm"
    norm = nn.RMSNorm() if rms else nn.LayerNorm()
    scale = lambda: {"scale": floats(features), **({} if rms else {"bias": floats(features, scale=0.5)})}
    params = {
        "norm1": scale(),
        "attn": attention_parameters(features, heads, config.get("numKeyValueHeads", heads)),
        "norm2": scale(),
        "mlp": feed_forward_parameters(features, config.get("hidden", 4 * features), config.get("gated", False)),
    }

    def apply(p, x):
        normed = norm.apply({"params": p["norm1"]}, x)
        base = 10000.0 if config.get("rotary") else None
        x = x + attend(p["attn"], normed, causal=config.get("isCausal", False), rotary=base)
        return x + feed_forward(p["mlp"], norm.apply({"params": p["norm2"]}, x), nn.gelu)

    return case("transformerBlock", config, params, x, apply)


def embedding(method):
    module = nn.Embed(num_embeddings=7, features=4)
    config = {"numEmbeddings": 7, "features": 4}
    params = parameters(module, ints(0))
    x = ints([0, 3, 6], [3, 3, 1]) if method == "apply" else floats(2, 3, 4)
    call = None if method == "apply" else module.attend
    return case("embed", config, params, x, lambda p, x: module.apply({"params": p}, x, method=call), method=method)


def sequential():
    module = nn.Sequential([nn.Dense(6), nn.gelu, nn.LayerNorm(), nn.Dense(2, use_bias=False)])
    layers = [
        ["dense", {"inFeatures": 3, "features": 6}],
        ["gelu"],
        ["layerNorm", {"features": 6}],
        ["dense", {"inFeatures": 6, "features": 2, "useBias": False}],
    ]
    return linen("sequential", layers, module, floats(4, 3))


MASK = np.array([[True, False, True, True, True], [True, True, False, False, True]])[:, None, None, :]

CASES = [
    linen("dense", {"inFeatures": 5, "features": 3}, nn.Dense(3), floats(4, 5)),
    linen("dense", {"inFeatures": 5, "features": 4, "useBias": False}, nn.Dense(4, use_bias=False), floats(2, 3, 5)),
    linen("dense", {"inFeatures": [2, 3], "features": [2, 2]}, nn.DenseGeneral((2, 2), axis=(-2, -1)),
          floats(4, 2, 3)),
    linen("dense", {"inFeatures": 3, "features": 1}, nn.Dense(1), floats(3)),
    embedding("apply"),
    embedding("attend"),
    linen("layerNorm", {"features": 6}, nn.LayerNorm(), floats(3, 2, 6)),
    linen("layerNorm", {"features": 5, "epsilon": 0.1, "useBias": False}, nn.LayerNorm(epsilon=0.1, use_bias=False),
          floats(3, 5)),
    linen("layerNorm", {"features": 5, "useScale": False}, nn.LayerNorm(use_scale=False), floats(3, 5)),
    linen("rmsNorm", {"features": 6}, nn.RMSNorm(), floats(3, 6)),
    convolution({"inFeatures": 3, "features": 4, "kernelSize": 3}, floats(2, 6, 3)),
    convolution({"inFeatures": 3, "features": 4, "kernelSize": [3], "strides": 2, "useBias": False}, floats(2, 7, 3)),
    convolution({"inFeatures": 2, "features": 4, "kernelSize": [4], "strides": [3], "padding": "VALID"},
                floats(1, 12, 2)),
    convolution({"inFeatures": 2, "features": 3, "kernelSize": [3], "kernelDilation": 2, "padding": "CAUSAL"},
                floats(2, 6, 2)),
    convolution({"inFeatures": 3, "features": 4, "kernelSize": [3, 3]}, floats(2, 5, 4, 3)),
    convolution({"inFeatures": 3, "features": 5, "kernelSize": [3, 2], "strides": [2, 1], "padding": [[1, 0], [0, 2]]},
                floats(1, 6, 5, 3)),
    convolution({"inFeatures": 2, "features": 4, "kernelSize": [2, 3], "strides": 2, "kernelDilation": [2, 1]},
                floats(2, 6, 7, 2)),
    convolution({"inFeatures": 4, "features": 6, "kernelSize": [3, 3], "featureGroupCount": 2}, floats(1, 4, 4, 4)),
    convolution({"inFeatures": 3, "features": 3, "kernelSize": [2, 2], "featureGroupCount": 3, "padding": "VALID"},
                floats(1, 4, 4, 3)),
    convolution({"inFeatures": 3, "features": 4, "kernelSize": [1, 1], "strides": 2}, floats(1, 5, 4, 3)),
    convolution({"inFeatures": 2, "features": 3, "kernelSize": [3, 3]}, floats(4, 5, 2)),
    convolution({"inFeatures": 2, "features": 3, "kernelSize": [3]}, floats(2, 2, 5, 2)),
    pooling("maxPool", [2, 2], {"strides": [2, 2]}, floats(2, 4, 5, 3)),
    pooling("maxPool", [3], {"padding": "SAME"}, floats(2, 5, 3)),
    pooling("maxPool", [2, 3], {"strides": [1, 2], "padding": [[1, 0], [1, 1]]}, floats(1, 4, 6, 2)),
    pooling("avgPool", [2, 2], {"strides": [2, 2]}, floats(2, 4, 5, 3)),
    pooling("avgPool", [3, 3], {"strides": [2, 2], "padding": "SAME"}, floats(1, 5, 6, 2)),
    pooling("avgPool", [3], {"padding": "SAME", "countIncludePad": False}, floats(2, 5, 3)),
    flax_attention({"features": 8, "numHeads": 2}, floats(2, 5, 8)),
    flax_attention({"features": 8, "numHeads": 4, "isCausal": True, "useBias": False}, floats(1, 4, 8)),
    flax_attention({"features": 8, "numHeads": 2}, floats(2, 5, 8), mask=MASK),
    flax_attention({"features": 8, "numHeads": 2}, floats(2, 3, 8), key_value=floats(2, 5, 8), mask=MASK),
    own_attention({"features": 8, "numHeads": 4, "numKeyValueHeads": 2}, floats(2, 3, 8)),
    own_attention({"features": 8, "numHeads": 2, "rotary": True, "isCausal": True}, floats(2, 5, 8)),
    own_attention({"features": 8, "numHeads": 2, "numKeyValueHeads": 1, "rotary": {"base": 100}}, floats(1, 4, 8)),
    mlp({"features": 3}, floats(2, 3)),
    mlp({"features": 4, "hidden": 6, "gated": True}, floats(2, 3, 4)),
    mlp({"features": 4, "hidden": 5, "useBias": False}, floats(3, 4), bias=False),
    block({"features": 8, "numHeads": 2, "hidden": 12}, floats(2, 3, 8)),
    block({"features": 8, "numHeads": 4, "numKeyValueHeads": 2, "hidden": 12, "gated": True, "norm": "rmsNorm",
           "isCausal": True, "rotary": True}, floats(1, 5, 8)),
    sequential(),
]

path = pathlib.Path(__file__).parent / "nn_tables.json"
path.write_text(json.dumps(CASES))
