"""Trains with a step that export_step.ts exported, its batch sharded over all devices, and compares the weights at
the end with those that came of the same steps there.

    XLA_FLAGS=--xla_force_host_platform_device_count=2 python3 examples/stablehlo/train_sharded.py FOLDER
"""

import json
import pathlib
import sys

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from load import load_text, signature

BATCH, STEPS, PARTS = 128, 20, 8
NUMPY = {"F32": np.float32, "F16": np.float16, "I32": np.int32, "U32": np.uint32, "BOOL": np.bool_}


def read_safetensors(path):
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:end]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        flat = np.frombuffer(data[end + first : end + last], NUMPY[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


folder = pathlib.Path(sys.argv[1])
text = (folder / "step.mlir").read_text()
start, end = (read_safetensors(folder / f"{name}.safetensors") for name in ("start", "end"))
(taken, _), (returned, _) = signature(text)

# The state is on every device, and each device has its part of the batch.
mesh = Mesh(jax.devices(), ("batch",))
everywhere = NamedSharding(mesh, PartitionSpec())
in_parts = NamedSharding(mesh, PartitionSpec("batch"))
names = [name for name in taken if name.startswith("arg0.")]
assert taken == [*names, "arg1", "arg2"]
assert returned[: len(names)] == [f"result.0{name.removeprefix('arg0')}" for name in names]
step = jax.jit(
    load_text(text),
    in_shardings=[everywhere] * len(names) + [in_parts] * 2,
    out_shardings=[everywhere] * len(returned),
)

state = [start[name] for name in names]
for i in range(STEPS):
    rows = slice(i % PARTS * BATCH, (i % PARTS + 1) * BATCH)
    results = step(*state, start["images"][rows], start["labels"][rows])
    state = results[: len(names)]

parameters = [i for i, name in enumerate(names) if name.startswith("arg0.params.")]
distance = max(float(np.max(np.abs(np.asarray(state[i]) - end[names[i]]))) for i in parameters)
moved = max(float(np.max(np.abs(start[names[i]] - end[names[i]]))) for i in parameters)
loss = float(results[returned.index("result.1.loss")])
print(f"{len(mesh.devices)} devices, loss {loss:.4f}: weights moved by up to {moved:.3g}, "
      f"and differ by up to {distance:.3g}")
sys.exit(0 if distance <= (1e-3 if "f16>" in text else 1e-5) else 1)
