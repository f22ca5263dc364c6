"""Runs StableHLO modules in JAX: each folder given has module.mlir and arguments.bin, the bytes of all arguments one
after the other, and gets results.bin."""

import os
import pathlib
import sys

# Without it XLA leaves out roundings to half types in the middle of a program.
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_allow_excess_precision=false"
here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parents[2] / "examples" / "stablehlo"))

import jax  # noqa: E402
import numpy as np  # noqa: E402
from load import load_text, signature  # noqa: E402


def split(data, types):
    arrays, at = [], 0
    for t in types:
        count = int(np.prod(t.shape, dtype=np.int64))
        arrays.append(np.frombuffer(data, t.dtype, count, at).reshape(t.shape))
        at += count * t.dtype.itemsize
    return arrays


for folder in map(pathlib.Path, sys.argv[1:]):
    text = (folder / "module.mlir").read_text()
    (_, taken), _ = signature(text)
    arguments = split((folder / "arguments.bin").read_bytes(), taken)
    try:
        results = jax.jit(load_text(text, "cpu"))(*arguments)
    except Exception as error:  # The test that asked for it says which module it was.
        (folder / "error.txt").write_text(str(error))
        continue
    (folder / "results.bin").write_bytes(b"".join(np.asarray(r).tobytes() for r in results))
