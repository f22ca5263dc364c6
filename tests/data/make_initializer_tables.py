"""Writes initializer_tables.json: what jax.nn.initializers give for one key. Run `python3 make_initializer_tables.py`
beside it, then `deno fmt initializer_tables.json`.

Needs jax (0.10.2 was used). Of long arrays a few elements and the sum of all are kept.
"""

import json
import pathlib

import numpy as np
from jax import random
from jax.nn import initializers

KEY = random.PRNGKey(3)
CASES = []


def case(name, args, shape, dtype="float32", **options):
    python = {"inAxis": "in_axis", "outAxis": "out_axis", "batchAxis": "batch_axis", "columnAxis": "column_axis"}
    snake = "".join("_" + c.lower() if c.isupper() else c for c in name)
    make = getattr(initializers, snake)
    keywords = {python.get(key, key): value for key, value in options.items()}
    initializer = make if name in ("zeros", "ones") else make(*args, **keywords)
    values = np.asarray(initializer(KEY, tuple(shape), dtype).astype("float32"), np.float64).ravel()
    at = np.unique(np.linspace(0, max(values.size - 1, 0), 8).astype(int))[: values.size]
    CASES.append({
        "name": name, "args": args, "options": options, "shape": shape, "dtype": dtype,
        "at": at.tolist(), "values": values[at].tolist(), "sum": values.sum(),
    })


FAN = ["lecunNormal", "lecunUniform", "glorotNormal", "glorotUniform", "heNormal", "heUniform"]
for name in FAN:
    for shape in [[64, 48], [3, 3, 8, 16]]:
        case(name, [], shape)
    case(name, [], [20, 30], "bfloat16")
    case(name, [], [20, 30], "float16")
case("lecunNormal", [], [4, 8, 6], inAxis=1, outAxis=[0, 2])
case("glorotNormal", [], [5, 8, 6], batchAxis=0)
case("varianceScaling", [1, "fan_in", "normal"], [40, 6], outAxis=0)
case("varianceScaling", [2, "fan_out", "uniform"], [40, 6])
case("varianceScaling", [0.5, "fan_geo_avg", "truncated_normal"], [40, 6])
case("normal", [0.02], [50])
case("uniform", [0.3], [50])
case("truncatedNormal", [0.5], [50])
case("truncatedNormal", [0.5], [50], lower=-1.0, upper=3.0)
case("constant", [2.5], [2, 3])
case("zeros", [], [2, 3])
case("ones", [], [2, 3])
for shape in [[6, 6], [9, 4], [4, 9], [3, 3, 2, 5]]:
    case("orthogonal", [1.5], shape)
case("orthogonal", [], [4, 5, 3], columnAxis=0)

path = pathlib.Path(__file__).with_name("initializer_tables.json")
path.write_text("[\n" + ",\n".join(json.dumps(entry) for entry in CASES) + "\n]\n")
