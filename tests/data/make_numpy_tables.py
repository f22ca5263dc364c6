"""Writes numpy_tables.json: what JAX gives for elementwise functions, reductions and creation, special
values, promotion and integer edge cases included. Run `python3 make_numpy_tables.py` beside it.

Needs jax (0.10.2 was used).
"""

import json
import math
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax import nn as jnn

inf, nan = math.inf, math.nan

INPUTS = {
    "x": jnp.array([0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 3.0, -7.0, inf, -inf, nan], jnp.float32),
    "y": jnp.array([-0.0, 0.0, 2.0, 2.0, -0.75, 0.25, nan, 2.0, 2.0, 3.0, 3.0, 1.0], jnp.float32),
    "unit": jnp.array([-1.0, -0.9, -0.25, 0.0, 0.3, 0.99, 1.0, 1.5], jnp.float32),
    "half": jnp.array([0.1, 1.0, 3.14159, -2.75, 100.0, 65504.0, 6e-8], jnp.float16),
    "brain": jnp.array([0.1, 1.0, 3.14159, -2.75, 100.0, 1e30, 6e-8], jnp.bfloat16),
    "i": jnp.array([5, -5, 0, 7, -7, -(2**31), 2**31 - 1, 3], jnp.int32),
    "j": jnp.array([0, 0, 0, 2, 2, -1, -2, 40], jnp.int32),
    "small": jnp.array([2, -1, 3, 0, -2, 1], jnp.int32),
    "powers": jnp.array([5, 3, 4, 0, 3, 31], jnp.int32),
    "u": jnp.array([0, 5, 7, 2**32 - 1], jnp.uint32),
    "v": jnp.array([1, 0, 2, 33], jnp.uint32),
    "p": jnp.array([True, True, False, False]),
    "q": jnp.array([True, False, True, False]),
    "m": jnp.arange(24, dtype=jnp.float32).reshape(2, 3, 4) * 0.37 - 3.0,
    "n": jnp.array([[1, 2, 3], [4, 5, 6]], jnp.int32),
    "ties": jnp.array([[3, 1, 3], [nan, 1, nan]], jnp.float32),
    "empty": jnp.zeros((0, 3), jnp.float32),
    "row": jnp.array([[1000.0, 1001.0, 1002.0], [-inf, 0.0, 1.0]], jnp.float32),
    "wide": jnp.array([[-800.0, 800.0, 3.0, 4.0]], jnp.float16),
}

CASES = []


def show(value):
    """JSON has no NaN and no infinities, and turns -0.0 into 0 where nobody looks."""
    if isinstance(value, list):
        return [show(v) for v in value]
    if isinstance(value, float) and (not math.isfinite(value) or value == 0 and math.copysign(1, value) < 0):
        return {"number": str(value)}
    return value


def case(name, fn, *args, options=None, positional=()):
    """`options` are the keywords in Python's names; `positional` are those that TypeScript takes in order."""
    options = options or {}
    result = fn(*[INPUTS[a] if isinstance(a, str) else a for a in args], *positional, **options)
    camel = {}
    for key, value in options.items():
        head, *rest = key.split("_")
        if isinstance(value, tuple):
            value = list(value)
        camel[head + "".join(word.capitalize() for word in rest)] = value
    values = np.asarray(result.astype(jnp.float32) if result.dtype == jnp.bfloat16 else result)
    CASES.append({
        "name": name, "args": [show(a) for a in [*args, *positional]], "options": camel,
        "dtype": str(result.dtype), "shape": list(result.shape),
        "values": show(values.flatten().astype(np.float64).tolist()),
    })


for name in ["add", "subtract", "multiply", "divide", "floor_divide", "mod", "fmod", "power", "maximum",
             "minimum", "copysign", "equal", "not_equal", "less", "less_equal", "greater",
             "greater_equal", "logical_and", "logical_or", "logical_xor", "arctan2"]:
    head, *rest = name.split("_")
    camel = head + "".join(word.capitalize() for word in rest)
    case(camel, getattr(jnp, name), "x", "y")
    if name not in ("power", "copysign", "arctan2"):
        case(camel, getattr(jnp, name), "i", "j")
        case(camel, getattr(jnp, name), "u", "v")
    # JAX has fmod(True, False) 1 and fmod(5, 0) 0: the library is consistent instead.
    if name not in ("subtract", "copysign", "arctan2", "fmod"):
        case(camel, getattr(jnp, name), "p", "q")
case("power", jnp.power, "small", "powers")
case("power", jnp.power, "u", "v")
case("power", jnp.power, "x", 2)
case("power", jnp.power, "i", 0.5)
for name in ["bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"]:
    head, second = name.split("_")
    camel = head + second.capitalize()
    case(camel, getattr(jnp, name), "i", "j")
    case(camel, getattr(jnp, name), "u", "v")
    case(camel, getattr(jnp, name), "p", "q")
for name in ["negative", "abs", "sign", "square", "reciprocal", "exp", "exp2", "expm1", "log", "log2",
             "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsinh",
             "arctan", "floor", "ceil", "trunc", "round", "isnan", "isinf", "isfinite", "signbit",
             "logical_not"]:
    head, *rest = name.split("_")
    camel = head + "".join(word.capitalize() for word in rest)
    case(camel, getattr(jnp, name), "x")
    case(camel, getattr(jnp, name), "small")
    if name in ("exp", "log1p", "sqrt", "tanh", "floor", "abs", "isnan"):
        case(camel, getattr(jnp, name), "half")
        case(camel, getattr(jnp, name), "brain")
        if name != "abs":
            case(camel, getattr(jnp, name), "p")
for name in ["arcsin", "arccos", "arctanh"]:
    case(name, getattr(jnp, name), "unit")
case("arccosh", jnp.arccosh, "y")
case("erf", jax.scipy.special.erf, "x")
case("erfc", jax.scipy.special.erfc, "x")
case("erfInv", jax.scipy.special.erfinv, "unit")
case("rsqrt", lax.rsqrt, "x")
case("bitwiseNot", jnp.bitwise_not, "i")
case("bitwiseNot", jnp.bitwise_not, "p")
case("logaddexp", jnp.logaddexp, "x", "y")
case("hypot", jnp.hypot, "unit", 2.0)
case("round", jnp.round, "m", options={"decimals": 1})
case("where", jnp.where, "p", "u", "v")
case("where", jnp.where, "p", 1.5, "v")
case("where", jnp.where, "p", "u", "p")
case("clip", jnp.clip, "x", -1, 2)
case("clip", jnp.clip, "i", 0, 5)
case("nanToNum", jnp.nan_to_num, "x")
case("isclose", jnp.isclose, "x", "y", options={"rtol": 0.1})
case("isclose", jnp.isclose, "x", "x", options={"equal_nan": True})

# Promotion: JAX's joins and its weak numbers.
for a, b in [("half", "brain"), ("half", 2), ("half", 0.1), ("brain", 3.3), ("small", 2), ("small", 2.5),
             ("p", 1), ("p", 0.5), ("u", 1), ("i", "small")]:
    if (a, b) != ("i", "small"):
        case("add", jnp.add, a, b)
        case("multiply", jnp.multiply, a, b)

for name in ["sum", "prod", "mean", "max", "min", "var", "std"]:
    fn = getattr(jnp, name)
    for options in [{}, {"axis": 1}, {"axis": (0, -1)}, {"axis": -1, "keepdims": True}]:
        case(name, fn, "m", options=options)
    case(name, fn, "n", options={"axis": 0})
    case(name, fn, "half")
    if name in ("sum", "prod", "mean"):
        case(name, fn, "p")
        case(name, fn, "empty", options={"axis": 0})
        case(name, fn, "n", options={"dtype": "float16"})
case("var", jnp.var, "m", options={"ddof": 1, "axis": 0})
case("std", jnp.std, "m", options={"correction": 1})
case("max", jnp.max, "ties", options={"axis": 1})
case("min", jnp.min, "ties", options={"axis": 0})
case("max", jnp.max, "p")
case("min", jnp.min, "u")
case("max", jnp.max, "empty", options={"initial": -1.0, "axis": 0})
case("ptp", jnp.ptp, "m", options={"axis": 1})
case("any", jnp.any, "x")
case("all", jnp.all, "n", options={"axis": 1})
case("all", jnp.all, "empty")
case("countNonzero", jnp.count_nonzero, "x")
for name in ["argmax", "argmin"]:
    fn = getattr(jnp, name)
    case(name, fn, "ties")
    case(name, fn, "ties", options={"axis": 0})
    case(name, fn, "m", options={"axis": -1, "keepdims": True})
case("logsumexp", jnn.logsumexp, "row", options={"axis": 1})
case("logsumexp", jnn.logsumexp, "m", options={"axis": (0, 2), "keepdims": True})
case("norm", jnp.linalg.norm, "m", options={"axis": 1})
case("norm", jnp.linalg.norm, "m", options={"axis": -1, "ord": 1, "keepdims": True})
case("norm", jnp.linalg.norm, "m", options={"axis": 0, "ord": 3})

case("arange", jnp.arange, 5)
case("arange", jnp.arange, 2, 11, 3)
case("arange", jnp.arange, 5, 0, -2)
case("arange", jnp.arange, 0.0, 1.0, 0.3)
case("arange", jnp.arange, 5, options={"dtype": "bfloat16"})
case("linspace", jnp.linspace, 0, 1, 5)
case("linspace", jnp.linspace, -3, 8, 7, options={"endpoint": False})
case("linspace", jnp.linspace, 0, 10, 4, options={"dtype": "int32"})
case("linspace", jnp.linspace, 2, 3, 1)
case("eye", jnp.eye, 3)
case("eye", jnp.eye, 2, 4, options={"k": 1})
case("tri", jnp.tri, 3, 4, options={"k": -1})
case("identity", jnp.identity, 2, options={"dtype": "int32"})
case("tril", jnp.tril, "m")
case("triu", jnp.triu, "n", options={"k": 1})
case("diag", jnp.diag, "u", options={"k": -1})
case("diag", jnp.diag, "n", options={"k": 1})
case("full", jnp.full, (2, 2), True)
case("zerosLike", jnp.zeros_like, "half")
case("fullLike", jnp.full_like, "i", 3)

for name in ["relu", "relu6", "sigmoid", "silu", "softplus", "log_sigmoid", "soft_sign", "hard_tanh",
             "hard_sigmoid", "hard_silu", "mish", "gelu", "elu", "selu", "celu", "leaky_relu", "squareplus"]:
    head, *rest = name.split("_")
    camel = "nn." + head + "".join(word.capitalize() for word in rest)
    case(camel, getattr(jnn, name), "m")
    case(camel, getattr(jnn, name), "half")
case("nn.gelu", jnn.gelu, "m", options={"approximate": False})
case("nn.glu", jnn.glu, "m", options={"axis": -1})
case("nn.softmax", jnn.softmax, "m", options={"axis": 1})
case("nn.softmax", jnn.softmax, "row")
case("nn.softmax", jnn.softmax, "m", options={"axis": (0, 2)})
case("nn.logSoftmax", jnn.log_softmax, "m", options={"axis": 0})
case("nn.oneHot", jnn.one_hot, "small", 3)
case("nn.oneHot", jnn.one_hot, "n", 7, options={"axis": 0})

out = pathlib.Path(__file__).with_name("numpy_tables.json")
inputs = {
    name: {"dtype": str(x.dtype), "shape": list(x.shape),
           "values": show(np.asarray(x.astype(jnp.float32) if x.dtype == jnp.bfloat16 else x)
                          .flatten().astype(np.float64).tolist())}
    for name, x in INPUTS.items()
}
lines = ",\n".join("    " + json.dumps(c) for c in CASES)
heads = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in inputs.items())
out.write_text(f'{{\n  "inputs": {{\n{heads}\n  }},\n  "cases": [\n{lines}\n  ]\n}}\n')
