# Writes reference.safetensors with the reference implementation (safetensors 0.8.0, in Rust):
# python3 tests/data/make_safetensors.py
# Two tensors of every type that the library has, with names out of order, names that JSON escapes, names
# on both sides of the basic plane, an empty tensor, a scalar, and metadata.

import ctypes
import pathlib

from safetensors import TensorSpec, serialize

sizes = {"bool": 1, "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4}
buffers = []


def spec(dtype, shape, data):
    buffer = ctypes.create_string_buffer(data, max(1, len(data)))
    buffers.append(buffer)
    return TensorSpec(
        dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffer), data_len=len(data)
    )


def counting(size):
    return bytes(i % 2 if size == 3 else i + 1 for i in range(size))


tensors = {}
for dtype, size in sizes.items():
    for name in ["b", "a"]:
        tensors[f"{dtype}.{name}"] = spec(dtype, [3], counting(3 * size))
for name in ["10", "9", "\ufb01", "\U0001f600", 'quote" tab\t bell\x07 \u00e9']:
    tensors[name] = spec("bool", [], b"\x01")
tensors["empty"] = spec("float32", [0, 2], b"")

path = pathlib.Path(__file__).parent / "reference.safetensors"
path.write_bytes(serialize(tensors, {"made by": "safetensors 0.8.0"}))
