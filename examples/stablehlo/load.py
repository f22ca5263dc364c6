"""Loads a StableHLO module written by toStableHLO as a function that JAX jits, shards and runs anywhere.

    from load import load
    step = load("step.mlir")
    results = step(*arrays)      # the leaves of the arguments, in order; a list of the results' leaves

Needs jax (0.4.36 or later; tested with 0.10.2) and only what it makes public.
"""

import dataclasses
import pathlib
import re

import jax
import jax.numpy as jnp
from jax import export
from jax.extend import mlir
from jaxlib.mlir.dialects import stablehlo

DTYPES = {
    "f32": jnp.float32,
    "f16": jnp.float16,
    "bf16": jnp.bfloat16,
    "i32": jnp.int32,
    "ui32": jnp.uint32,
    "i1": jnp.bool_,
}

TENSOR = re.compile(r"tensor<((?:\d+x)*)(\w+)>")
NAME = re.compile(r"jax\.(?:arg|result)_info = \"([^\"]*)\"")


def _types(text):
    return [
        jax.ShapeDtypeStruct([int(n) for n in extents.split("x")[:-1]], DTYPES[dtype])
        for extents, dtype in TENSOR.findall(text)
    ]


def signature(text):
    """What @main takes and returns: names, shapes and dtypes of the arguments and of the results."""
    line = next(line for line in text.splitlines() if "@main(" in line)
    taken, returned = line.split(") -> (", 1)
    return (NAME.findall(taken), _types(taken)), (NAME.findall(returned), _types(returned))


def load_text(text, platform=None):
    """A function of a module's arguments, as arrays, that returns its results as a list.

    platform: "cpu", "cuda" or "tpu"; by default the one that JAX computes on.
    """
    (_, taken), (_, returned) = signature(text)
    # An exported function of the same signature, whose module is then replaced.
    zeros = jax.jit(lambda *_: [jnp.zeros(t.shape, t.dtype) for t in returned], keep_unused=True)
    shell = export.export(zeros, platforms=[platform or jax.default_backend()])(*taken)
    version = stablehlo.get_current_version()
    module = mlir.serialize_portable_artifact(text, version)
    return dataclasses.replace(shell, mlir_module_serialized=module, _get_vjp=None).call


def load(path, platform=None):
    """As load_text, from a file."""
    return load_text(pathlib.Path(path).read_text(), platform)
