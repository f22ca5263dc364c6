"""Writes loss_tables.json: what optax's losses and their gradients are. Run `python3 make_loss_tables.py` beside
it, then `deno fmt loss_tables.json`.

Needs optax (0.2.8 was used) with jax. Gradients are those of the sum of the losses times 1, 2, 3 and so on, with
respect to the arguments that are floating; null is NaN.
"""

import json
import math
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax

rng = np.random.default_rng(11)


def floats(*shape, scale=2.0):
    return rng.normal(size=shape).astype(np.float32) * np.float32(scale)


def distribution(*shape):
    weights = rng.random(size=shape).astype(np.float32)
    return weights / weights.sum(-1, keepdims=True)


def ints(*values):
    return np.array(values, np.int32)


LARGE = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4 - 1, 9990]], np.float32)
MASK = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]], bool)
SPARSE = np.array([[0, 0.25, 0.75, 0, 0], [1, 0, 0, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]], np.float32)


def integer(logits, labels, axis=-1, where=None, labelSmoothing=0.0):
    if labelSmoothing == 0:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels, axis=axis, where=where)
    one_hot = jax.nn.one_hot(labels, logits.shape[-1])
    smooth = optax.losses.smooth_labels(one_hot, labelSmoothing, where=where)
    return optax.softmax_cross_entropy(logits, smooth, where=where)


LOSSES = {
    "softmaxCrossEntropyWithIntegerLabels": integer,
    "softmaxCrossEntropy": optax.softmax_cross_entropy,
    "sigmoidBinaryCrossEntropy": optax.sigmoid_binary_cross_entropy,
    "squaredError": optax.squared_error,
    "absoluteError": lambda x, y=0.0: abs(x - y),
    "huberLoss": lambda x, y=None, delta=1.0: optax.huber_loss(x, y, delta=delta),
    "klDivergence": optax.losses.kl_divergence,
    "smoothLabels": lambda labels, alpha, **o: optax.losses.smooth_labels(labels, alpha, **o),
}

CASES = [
    ["softmaxCrossEntropyWithIntegerLabels", [floats(4, 7), ints(0, 6, -1, -7)], {}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(3, 5), ints(5, -6, 2)], {}],
    ["softmaxCrossEntropyWithIntegerLabels", [LARGE, ints(1, 0, 2)], {}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(5), ints(3).reshape(())], {}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(2, 5, 3), ints(0, 1, 2, 4, 3, 1).reshape(2, 3)], {"axis": 1}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(2, 3, 4), ints(11, 5)], {"axis": [1, 2]}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(3, 5), ints(1, 2, 0)], {"where": MASK}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(3, 5), ints(1, 2, 0)], {"where": MASK[:, 0]}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(3, 6), ints(1, 5, 0)], {"labelSmoothing": 0.1}],
    ["softmaxCrossEntropyWithIntegerLabels", [floats(1, 5), ints(2)], {"labelSmoothing": 0.3, "where": MASK[2:]}],
    ["softmaxCrossEntropy", [floats(4, 7), distribution(4, 7)], {}],
    ["softmaxCrossEntropy", [LARGE, distribution(3, 3)], {}],
    ["softmaxCrossEntropy", [floats(2, 5, 3), distribution(2, 5, 3)], {"axis": 1}],
    ["softmaxCrossEntropy", [floats(3, 5), distribution(5)], {}],
    ["softmaxCrossEntropy", [floats(3, 5), distribution(3, 5)], {"where": MASK}],
    ["sigmoidBinaryCrossEntropy", [floats(3, 4), rng.random((3, 4)).astype(np.float32)], {}],
    ["sigmoidBinaryCrossEntropy", [LARGE, (LARGE > 0).astype(np.float32)], {}],
    ["squaredError", [floats(3, 4), floats(3, 4)], {}],
    ["squaredError", [floats(5)], {}],
    ["absoluteError", [floats(3, 4), floats(3, 4)], {}],
    ["huberLoss", [floats(3, 4), floats(3, 4)], {}],
    ["huberLoss", [floats(6), floats(6)], {"delta": 2.5}],
    ["klDivergence", [np.log(distribution(4, 6)), distribution(4, 6)], {}],
    ["klDivergence", [np.log(distribution(3, 5)), SPARSE], {}],
    ["klDivergence", [np.log(distribution(3, 5)), distribution(3, 5)], {"where": MASK}],
    ["klDivergence", [np.log(distribution(3, 5)), distribution(3, 5)], {"axis": 0}],
    ["smoothLabels", [np.eye(4, dtype=np.float32)[:2], 0.2], {}],
    ["smoothLabels", [np.eye(3, dtype=np.float32), 0.1], {"axis": 0}],
]


def encoded(x):
    if not isinstance(x, (np.ndarray, jax.Array)):
        return x
    x = np.asarray(x)
    flat = [None if isinstance(v, float) and math.isnan(v) else v for v in x.reshape(-1).tolist()]
    if x.dtype == np.float32:
        flat = [v if v is None else float(f"{v:.9g}") for v in flat]
    return {"dtype": str(x.dtype), "shape": x.shape, "data": flat}


def case(name, args, options):
    places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype == np.float32]

    def loss(*floating):
        own = list(args)
        for place, x in zip(places, floating):
            own[place] = x
        return LOSSES[name](*own, **options)

    chosen = [jnp.asarray(args[place]) for place in places]
    value, pullback = jax.vjp(loss, *chosen)
    gradients = pullback((1.0 + jnp.arange(value.size, dtype=jnp.float32)).reshape(value.shape))
    return {
        "name": name,
        "args": [encoded(x) for x in args],
        "options": {key: encoded(x) for key, x in options.items()},
        "value": encoded(value),
        "gradients": [encoded(g) for g in gradients],
    }


path = pathlib.Path(__file__).parent / "loss_tables.json"
path.write_text(json.dumps([case(*c) for c in CASES]))
