"""Writes optim_tables.json: where optax's optimizers take parameters in 20 steps, and what its schedules say.
Run `python3 make_optim_tables.py` beside it, then `deno fmt optim_tables.json`.

Needs optax (0.2.8 was used) with jax. A specification is a call, `[name, ...arguments]` in the library's own
names; arguments may be calls too, and objects are options. null in data is NaN.
"""

import json
import math
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax

STEPS = 20
SAVED = [1, 2, 7, 20]
SHAPES = {"b": (7,), "scalar": (), "w": (3, 5)}


def wave(name, step):
    """Gradients that change sign and size from element to element and from step to step."""
    size = math.prod(SHAPES[name])
    phase = {"b": 0.3, "scalar": 1.1, "w": 2.0}[name]
    values = [math.sin(1.7 * i + phase + 0.9 * step) * 10 ** ((i % 3) - 1) for i in range(size)]
    return np.array(values, np.float32).reshape(SHAPES[name])


PARAMS = {name: wave(name, 0) + np.float32(0.5) for name in SHAPES}
GRADS = [{name: wave(name, step) for name in SHAPES} for step in range(1, STEPS + 1)]

W_ONLY = {"b": False, "scalar": False, "w": True}
WARMUP = {"initValue": 0.001, "peakValue": 0.1, "warmupSteps": 5, "decaySteps": 15, "endValue": 0.01}


def warmup(o):
    return optax.warmup_cosine_decay_schedule(
        o["initValue"], o["peakValue"], o["warmupSteps"], o["decaySteps"], o.get("endValue", 0.0)
    )


def accumulated(transform, every):
    return optax.MultiSteps(transform, every).gradient_transformation()


def mask_of(o):
    return (lambda p: jax.tree.map(lambda x: x.ndim > 0, p)) if o.get("mask") == "arrays" else o.get("mask")


CALLS = {
    "sgd": lambda rate, o={}: optax.sgd(rate, **o),
    "adam": lambda rate, o={}: optax.adam(rate, **o),
    "adamw": lambda rate, o={}: optax.adamw(
        rate, **{k: v for k, v in o.items() if k in ("b1", "b2", "eps")},
        weight_decay=build(o.get("weightDecay", 1e-4)), mask=mask_of(o),
    ),
    "lion": lambda rate, o={}: optax.lion(
        rate, **{k: v for k, v in o.items() if k in ("b1", "b2")},
        weight_decay=build(o.get("weightDecay", 1e-3)), mask=mask_of(o),
    ),
    "chain": optax.chain,
    "clipByGlobalNorm": optax.clip_by_global_norm,
    "addDecayedWeights": lambda rate, o={}: optax.add_decayed_weights(rate, mask_of(o)),
    "scale": optax.scale,
    "scaleBySchedule": optax.scale_by_schedule,
    "trace": lambda decay, o={}: optax.trace(decay, **o),
    "scaleByAdam": lambda o={}: optax.scale_by_adam(**o),
    "scaleByLion": lambda o={}: optax.scale_by_lion(**o),
    "applyIfFinite": optax.apply_if_finite,
    "multiSteps": accumulated,
    "constant": optax.constant_schedule,
    "linear": optax.linear_schedule,
    "cosineDecay": lambda init, steps, o={}: optax.cosine_decay_schedule(init, steps, **o),
    "warmupCosine": warmup,
}


def build(spec):
    if isinstance(spec, list):
        return CALLS[spec[0]](*[build(argument) for argument in spec[1:]])
    return spec


# A specification, and the steps whose gradients have a NaN in `b`.
TRAJECTORIES = [
    (["sgd", 0.1], []),
    (["sgd", 0.1, {"momentum": 0.9}], []),
    (["sgd", ["linear", 0.1, 0.01, 12], {"momentum": 0.8, "nesterov": True}], []),
    (["adam", 0.01], []),
    (["adam", ["warmupCosine", WARMUP], {"b1": 0.8, "b2": 0.99, "eps": 1e-4}], []),
    (["adamw", 0.01], []),
    (["adamw", 0.01, {"weightDecay": 0.1, "mask": W_ONLY}], []),
    (["adamw", ["cosineDecay", 0.1, 15], {"weightDecay": ["linear", 0.1, 0, 10], "mask": "arrays"}], []),
    (["lion", 0.01], []),
    (["lion", 0.01, {"b1": 0.5, "b2": 0.8, "weightDecay": 0.3, "mask": W_ONLY}], []),
    (["chain", ["clipByGlobalNorm", 0.5], ["adam", 0.01]], []),
    (["chain", ["clipByGlobalNorm", 18.8], ["sgd", 0.1]], []),
    (["chain", ["addDecayedWeights", 0.1], ["trace", 0.9, {"nesterov": True}], ["scale", -0.1]], []),
    (["chain", ["scaleByLion"], ["scaleBySchedule", ["cosineDecay", -0.1, 12, {"alpha": 0.2}]]], []),
    (["multiSteps", ["adam", 0.01], 4], []),
    (["multiSteps", ["sgd", ["linear", 0.1, 0.01, 5], {"momentum": 0.9}], 3], []),
    (["multiSteps", ["adamw", 0.01, {"weightDecay": 0.1}], 1], []),
    (["applyIfFinite", ["adam", 0.01], 2], [1, 4, 7, 8]),
    (["applyIfFinite", ["sgd", 0.1, {"momentum": 0.9}], 1], [3, 6, 7]),
    (["applyIfFinite", ["sgd", ["linear", 0.1, 0.01, 12]], 0], [5]),
]

COUNTERS = {
    "ApplyIfFiniteState": ["notfinite_count", "last_finite", "total_notfinite"],
    "MultiStepsState": ["mini_step", "gradient_step"],
}


def plain(x):
    flat = [None if math.isnan(v) else float(v) for v in np.asarray(x, np.float32).reshape(-1)]
    return [v if v is None else float(f"{v:.9g}") for v in flat]


def trajectory(spec, broken):
    optimizer = build(spec)
    params = {name: jnp.asarray(p) for name, p in PARAMS.items()}
    state = optimizer.init(params)
    update = jax.jit(optimizer.update)
    saved = {}
    for step, grads in enumerate(GRADS, 1):
        if step in broken:
            grads = {**grads, "b": np.where(np.arange(7) == 2, np.float32(np.nan), grads["b"])}
        updates, state = update(grads, state, params)
        params = optax.apply_updates(params, updates)
        if step in SAVED:
            saved[step] = {name: plain(p) for name, p in params.items()}
    names = COUNTERS.get(type(state).__name__, [])
    counters = {name: int(getattr(state, name)) for name in names}
    return {"spec": spec, "broken": broken, "params": saved, "counters": counters}


SCHEDULES = [
    ["constant", 0.3],
    ["linear", 1, 0.1, 10],
    ["linear", -2, 3, 7],
    ["linear", 0.5, 1, 0],
    ["cosineDecay", 0.1, 100],
    ["cosineDecay", 2, 10, {"alpha": 0.1}],
    ["warmupCosine", WARMUP],
    ["warmupCosine", {"initValue": 0.5, "peakValue": 1, "warmupSteps": 0, "decaySteps": 10}],
    ["warmupCosine", {"initValue": 0, "peakValue": 3, "warmupSteps": 100, "decaySteps": 1000}],
]
COUNTS = [0, 1, 2, 3, 5, 7, 9, 10, 11, 14, 15, 50, 99, 100, 101, 550, 999, 1000, 5000, 2147483647]


def schedule(spec):
    fn = jax.jit(build(spec))
    return {"spec": spec, "values": plain([fn(jnp.int32(count)) for count in COUNTS])}


table = {
    "shapes": SHAPES,
    "params": {name: plain(p) for name, p in PARAMS.items()},
    "grads": [{name: plain(g) for name, g in grads.items()} for grads in GRADS],
    "trajectories": [trajectory(spec, broken) for spec, broken in TRAJECTORIES],
    "counts": COUNTS,
    "schedules": [schedule(spec) for spec in SCHEDULES],
}
path = pathlib.Path(__file__).parent / "optim_tables.json"
path.write_text(json.dumps(table))
