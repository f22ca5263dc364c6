"""Writes array_tables.json: what NumPy and JAX give for functions that move, index, multiply and sort
arrays. Run `python3 make_array_tables.py` beside it, then `deno fmt array_tables.json`.

Needs jax (0.10.2 was used) with numpy. Arguments are written as the library takes them: `{"$": name}` is
an input, null a new axis or an end left out, a list a range.
"""

import json
import pathlib

import jax.numpy as jnp
import numpy as np
from jax import lax

rng = np.random.default_rng(7)

# Small whole numbers are the same in every dtype, so that one table serves them all.
INPUTS = {
    "scalar": np.array(5, np.float32),
    "v": np.arange(7, dtype=np.float32),
    "m": np.arange(12, dtype=np.float32).reshape(3, 4),
    "w": np.arange(12, 24, dtype=np.float32).reshape(4, 3),
    "t": np.arange(60, dtype=np.float32).reshape(3, 4, 5),
    "f": np.arange(48, dtype=np.float32).reshape(2, 3, 2, 4),
    "one": np.arange(6, dtype=np.float32).reshape(1, 6, 1),
    "none": np.zeros((0, 3), np.float32),
    "row": np.array([[7, 8, 9, 10]], np.float32),
    "ties": np.array([[3, 1, 3, 2, 1], [5, 5, 0, 5, 1]], np.float32),
    "few": rng.integers(0, 4, (2, 3, 3)).astype(np.float32),
    "i": np.array([2, -1, 0], np.int32),
    "j": np.array([1, 1, -3], np.int32),
    "ij": np.array([[0, 2], [1, -1]], np.int32),
    "column": np.array([[0], [2]], np.int32),
    "k": np.array(1, np.int32),
    "window": np.full((2, 2), 7, np.float32),
    "empty": np.zeros((0,), np.int32),
    "along": np.array([[0, -1], [2, 1], [3, 0]], np.int32),
    "a": rng.integers(-3, 4, (5, 6)).astype(np.float32),
    "b": rng.integers(-3, 4, (6, 4)).astype(np.float32),
    "c": rng.integers(-3, 4, (4, 5)).astype(np.float32),
    "ba": rng.integers(-3, 4, (2, 3, 5, 6)).astype(np.float32),
    "bb": rng.integers(-3, 4, (3, 6, 4)).astype(np.float32),
    "x6": rng.integers(-3, 4, (6,)).astype(np.float32),
    "x4": rng.integers(-3, 4, (4,)).astype(np.float32),
    "sq": rng.integers(-3, 4, (4, 4)).astype(np.float32),
    "cube": rng.integers(-3, 4, (2, 3, 3)).astype(np.float32),
    "q": rng.integers(-3, 4, (2, 5, 3, 4)).astype(np.float32),
    "kk": rng.integers(-3, 4, (2, 7, 3, 4)).astype(np.float32),
}


class Ref(str):
    """The name of an input."""


def r(name):
    return Ref(name)


def write_argument(arg):
    if isinstance(arg, Ref):
        return {"$": str(arg)}
    if isinstance(arg, (list, tuple)):
        return [write_argument(a) for a in arg]
    return arg


def read_argument(arg):
    if isinstance(arg, Ref):
        return INPUTS[arg]
    if isinstance(arg, list):
        return [read_argument(a) for a in arg]
    return arg


CASES = []


def write_array(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "values": " ".join(str(int(v)) for v in x.reshape(-1))}


def case(group, name, args, result, options=None):
    results = result if isinstance(result, (list, tuple)) else [result]
    CASES.append(
        {
            "group": group,
            "name": name,
            "args": [write_argument(a) for a in args],
            "options": options or {},
            "results": [write_array(x) for x in results],
        }
    )


def numpy_case(group, name, args, options=None, fn=None, kwargs=None):
    """A function that NumPy has under the same name, or `fn` in its place."""
    fn = fn or getattr(np, name)
    given = kwargs if kwargs is not None else (options or {})
    case(group, name, args, fn(*[read_argument(a) for a in args], **given), options)


def movement():
    g = "movement"
    for x, shape in [("m", [2, 6]), ("m", [-1]), ("t", [5, -1, 2]), ("none", [3, 0, 4]), ("scalar", [1, 1])]:
        numpy_case(g, "reshape", [r(x), shape])
    for x in ["t", "scalar", "none"]:
        numpy_case(g, "ravel", [r(x)])
        numpy_case(g, "transpose", [r(x)])
    for axes in [[2, 0, 1], [0, -1, 1], [1, 0, 2], [0, 1, 2]]:
        numpy_case(g, "transpose", [r("t"), axes])
    numpy_case(g, "swapaxes", [r("t"), 0, -1])
    numpy_case(g, "moveaxis", [r("f"), 0, 2])
    numpy_case(g, "moveaxis", [r("f"), [0, -1], [1, 0]])
    for axis in [0, -1, [0, 2], [1, -1]]:
        numpy_case(g, "expandDims", [r("m"), axis], fn=lambda x, a: np.expand_dims(x, tuple(np.atleast_1d(a))))
    numpy_case(g, "squeeze", [r("one")])
    numpy_case(g, "squeeze", [r("one")], {"axis": -1})
    numpy_case(g, "squeeze", [r("one")], {"axis": [0, 2]}, kwargs={"axis": (0, 2)})
    numpy_case(g, "broadcastTo", [r("row"), [2, 3, 4]], fn=np.broadcast_to)
    numpy_case(g, "broadcastTo", [r("scalar"), [2, 0]], fn=np.broadcast_to)
    numpy_case(g, "broadcastArrays", [r("row"), r("m"), r("scalar")], fn=lambda *x: list(np.broadcast_arrays(*x)))
    for n, f in [("atleast1d", np.atleast_1d), ("atleast2d", np.atleast_2d), ("atleast3d", np.atleast_3d)]:
        for x in ["scalar", "v", "m", "t"]:
            numpy_case(g, n, [r(x)], fn=f)
    for axis in [0, 1, -1]:
        numpy_case(g, "concatenate", [[r("t"), r("t"), r("t")]], {"axis": axis})
        numpy_case(g, "stack", [[r("m"), r("m")]], {"axis": axis})
    numpy_case(g, "concatenate", [[r("m"), r("row"), r("row"), r("m"), r("row"), r("m"), r("row")]], {"axis": 0})
    numpy_case(g, "concatenate", [[r("v")] * 21], {"axis": 0})
    numpy_case(g, "concatenate", [[r("none"), r("w"), r("none")]], {"axis": 0})
    for n in ["hstack", "vstack", "dstack"]:
        numpy_case(g, n, [[r("m"), r("m")]])
        numpy_case(g, n, [[r("v"), r("v")]])
    numpy_case(g, "hstack", [[r("scalar"), r("v")]])
    numpy_case(g, "split", [r("t"), 2], {"axis": 1})
    numpy_case(g, "split", [r("t"), [1, 2]])
    numpy_case(g, "split", [r("v"), [3, 3, 9]])
    numpy_case(g, "split", [r("v"), [-2]])
    numpy_case(g, "arraySplit", [r("v"), 3], fn=np.array_split)
    numpy_case(g, "arraySplit", [r("m"), 7], {"axis": 1}, fn=np.array_split)
    for axis in [None, 0, -1]:
        numpy_case(g, "flip", [r("t")], {} if axis is None else {"axis": axis})
    numpy_case(g, "flip", [r("t")], {"axis": [0, 2]}, kwargs={"axis": (0, 2)})
    numpy_case(g, "flip", [r("none")])
    for shift, axis in [(2, None), (-1, None), (9, 0), (-2, 1), (0, 0)]:
        numpy_case(g, "roll", [r("m"), shift], {} if axis is None else {"axis": axis})
    numpy_case(g, "roll", [r("t"), [1, -2]], {"axis": [0, 2]}, kwargs={"axis": (0, 2)})
    numpy_case(g, "roll", [r("none"), 1], {"axis": 0})
    for repeats, axis in [(2, None), (3, 0), (2, -1), (0, 1)]:
        numpy_case(g, "repeat", [r("m"), repeats], {} if axis is None else {"axis": axis})
    numpy_case(g, "repeat", [r("m"), [1, 0, 2]], {"axis": 0})
    for reps in [2, [2, 1], [1, 3], [2, 1, 2], [0, 1]]:
        numpy_case(g, "tile", [r("m"), reps])
    numpy_case(g, "tile", [r("scalar"), 3])
    for k in [1, 2, 3, -1, 4]:
        numpy_case(g, "rot90", [r("m")], {"k": k})
    numpy_case(g, "rot90", [r("t")], {"k": 1, "axes": [2, 0]})
    for widths in [2, [1, 3], [[0, 2], [3, 1]]]:
        for mode in ["constant", "edge", "reflect", "symmetric", "wrap"]:
            numpy_case(g, "pad", [r("m"), widths], {"mode": mode})
    numpy_case(g, "pad", [r("m"), [[1, 0], [0, 2]]], {"constantValues": 4}, kwargs={"constant_values": 4})
    numpy_case(g, "pad", [r("v"), [20, 17]], {"mode": "reflect"})
    numpy_case(g, "pad", [r("v"), [20, 17]], {"mode": "symmetric"})
    numpy_case(g, "pad", [r("none"), [[0, 0], [1, 1]]], {"mode": "wrap"})


def python_index(part):
    if isinstance(part, Ref):
        return INPUTS[part]
    if isinstance(part, list):
        return slice(None) if not part else slice(*part)
    return part


SLICES = [
    ("m", [1]),
    ("m", [-1, 2]),
    ("m", [[], 1]),
    ("m", [[1, 3], [0, 2]]),
    ("m", [[None, None, -1], [None, None, 2]]),
    ("m", [[None, None], [-1, -9, -2]]),
    ("m", [[2, 1], []]),
    ("m", [[5, 9]]),
    ("m", [None, [], None, 2]),
    ("m", []),
    ("scalar", []),
    ("scalar", [None]),
    ("v", [[-3, None]]),
    ("v", [[None, -3]]),
    ("v", [[10, None, -3]]),
    ("none", [[], 1]),
    ("none", [[0, 0], None]),
    ("m", [r("i")]),
    ("m", [[], r("i")]),
    ("m", [r("ij")]),
    ("m", [r("k")]),
    ("m", [r("i"), r("j")]),
    ("m", [r("column"), r("i")]),
    ("m", [1, r("i")]),
    ("m", [r("i"), -1]),
    ("m", [r("empty")]),
    ("m", [None, r("i")]),
    ("m", [r("i"), None]),
    ("t", [r("i"), [], r("j")]),
    ("t", [[], r("i"), r("j")]),
    ("t", [r("i"), r("j")]),
    ("t", [r("i"), None, r("j")]),
    ("t", [[0, 2], r("i"), [None, None, -2]]),
    ("t", [0, [], r("i")]),
    ("t", [[], 1, r("i")]),
    ("t", [r("ij"), [1, 3]]),
    ("f", [[], r("column"), 1, r("i")]),
    ("f", [r("k"), [], r("k"), r("i")]),
    ("f", [[], r("i"), [], r("j")]),
    ("f", [1, None, [1, None], r("k"), [None, None, -1]]),
]


def indexing():
    g = "indexing"
    for x, parts in SLICES:
        index = tuple(python_index(p) for p in parts)
        case(g, "slice", [r(x), *parts], INPUTS[x][index])
    for mode in ["set", "add", "mul", "min", "max"]:
        for x, parts in SLICES if mode in ("set", "add") else SLICES[::5]:
            index = tuple(python_index(p) for p in parts)
            # NumPy's in-place writes are not defined where places repeat, so JAX says what an update is.
            shape = INPUTS[x][index].shape
            values = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape) % 7 + 2
            if mode == "set" and len(np.unique(np.arange(INPUTS[x].size).reshape(INPUTS[x].shape)[index])) < values.size:
                continue
            target = jnp.asarray(INPUTS[x]).at[index]
            update = getattr(target, {"mul": "multiply"}.get(mode, mode))
            name = f"at.{mode}"
            key = f"update{len(INPUTS)}"
            INPUTS[key] = values
            case(g, name, [r(x), r(key), *parts], update(values))
            if mode == "add":
                case(g, name, [r(x), 3, *parts], update(3))
    for indices, axis in [("i", 0), ("ij", 1), ("k", 1), ("empty", 0)]:
        numpy_case(g, "take", [r("m"), r(indices)], {"axis": axis})
    numpy_case(g, "take", [r("m"), r("ij")])
    numpy_case(g, "take", [r("m"), [[3, -1], [0, 2]]], {"axis": -1})
    numpy_case(g, "take", [r("m"), 2], {"axis": 0})
    numpy_case(g, "takeAlongAxis", [r("m"), r("along")], {"axis": 1}, fn=np.take_along_axis)
    numpy_case(g, "takeAlongAxis", [r("m"), [[1, -1, 2, 0]]], {"axis": 0},
               fn=lambda x, i, axis: np.take_along_axis(x, np.asarray(i), axis))
    for starts in [[0, 0], [1, 2], [2, 3], [-1, -2], [-9, 9]]:
        case(g, "lax.dynamicSlice", [r("m"), starts, [2, 2]], lax.dynamic_slice(INPUTS["m"], starts, (2, 2)))
        update = INPUTS["window"]
        case(g, "lax.dynamicUpdateSlice", [r("m"), r("window"), starts],
             lax.dynamic_update_slice(INPUTS["m"], update, starts))
    case(g, "lax.slice", [r("m"), [0, 1], [3, 4], [2, 2]], lax.slice(INPUTS["m"], (0, 1), (3, 4), (2, 2)))
    case(g, "lax.broadcastInDim", [r("v"), [2, 7, 3], [1]], lax.broadcast_in_dim(INPUTS["v"], (2, 7, 3), (1,)))
    case(g, "lax.rev", [r("m"), [0]], lax.rev(INPUTS["m"], (0,)))


EINSUMS = [
    ("ij,jk->ik", ["a", "b"]),
    ("ij,jk", ["a", "b"]),
    ("ba,cb->ca", ["a", "c"]),
    ("ij,jk,kl->il", ["a", "b", "c"]),
    ("ij,jk,kl,lm->im", ["a", "b", "c", "a"]),
    ("ij,jk,ki->", ["a", "b", "c"]),
    ("ii", ["sq"]),
    ("ii->i", ["sq"]),
    ("ij->ji", ["a"]),
    ("ij->j", ["a"]),
    ("ij->", ["a"]),
    ("i,i", ["x6", "x6"]),
    ("i,j->ij", ["x6", "x4"]),
    ("ij,ij->ij", ["sq", "sq"]),
    ("ij,ij->i", ["sq", "sq"]),
    ("ij,ji->i", ["sq", "sq"]),
    ("ij,ik->ijk", ["sq", "sq"]),
    ("bqhd,bkhd->bhqk", ["q", "kk"]),
    ("...ij,...jk->...ik", ["ba", "bb"]),
    ("...ij,jk->...ik", ["ba", "b"]),
    ("...ii->...i", ["cube"]),
    ("...ij->...ji", ["cube"]),
    ("ijj,j->i", ["cube", "few3"]),
    ("i...,i...->...", ["sq", "sq"]),
    ("ij,j->i", ["a", "x6"]),
    ("i,ij,j->", ["x4", "sq", "x4"]),
    ("ik,jk->ij", ["sq", "unit"]),
    ("Ba,aC->BC", ["a", "b"]),
    ("ab,cd->acbd", ["a", "b"]),
]


def linear_algebra():
    g = "linear_algebra"
    INPUTS["few3"] = rng.integers(-3, 4, (3,)).astype(np.float32)
    INPUTS["unit"] = rng.integers(-3, 4, (3, 1)).astype(np.float32)
    pairs = [("a", "b"), ("x6", "b"), ("a", "x6"), ("x6", "x6"), ("ba", "b"), ("ba", "bb"), ("a", "bb"),
             ("ba", "x6"), ("x6", "bb")]
    for x, y in pairs:
        numpy_case(g, "matmul", [r(x), r(y)])
    for x, y in [("a", "b"), ("x6", "x6"), ("ba", "x6"), ("a", "bb"), ("scalar", "a"), ("ba", "bb")]:
        numpy_case(g, "dot", [r(x), r(y)])
    numpy_case(g, "vdot", [r("sq"), r("sq")])
    for x, y in [("x6", "a"), ("ba", "a"), ("scalar", "a")]:
        numpy_case(g, "inner", [r(x), r(y)])
    numpy_case(g, "outer", [r("x6"), r("sq")])
    numpy_case(g, "kron", [r("x4"), r("m")])
    numpy_case(g, "kron", [r("sq"), r("row")])
    numpy_case(g, "tensordot", [r("sq"), r("sq")])
    numpy_case(g, "tensordot", [r("a"), r("b")], {"axes": 1})
    numpy_case(g, "tensordot", [r("a"), r("b")], {"axes": 0})
    numpy_case(g, "tensordot", [r("sq"), r("sq")], {"axes": [[1, 0], [0, 1]]})
    numpy_case(g, "tensordot", [r("q"), r("kk")], {"axes": [[2, -1], [2, 3]]})
    for offset in [0, 1, -2, 9]:
        numpy_case(g, "diagonal", [r("m")], {"offset": offset})
        numpy_case(g, "trace", [r("m")], {"offset": offset})
    numpy_case(g, "diagonal", [r("t")], {"axis1": 2, "axis2": 0})
    numpy_case(g, "trace", [r("t")], {"axis1": 2, "axis2": -2})
    for subscripts, names in EINSUMS:
        expected = np.einsum(subscripts, *[INPUTS[n] for n in names])
        case(g, "einsum", [subscripts, *[r(n) for n in names]], expected)
    dims = (((3,), (3,)), ((0, 2), (0, 2)))
    case(g, "lax.dotGeneral", [r("q"), r("kk")], lax.dot_general(INPUTS["q"], INPUTS["kk"], dims),
         {"contracting": [[3], [3]], "batch": [[0, 2], [0, 2]]})
    dims = (((0, 1), (1, 0)), ((), ()))
    case(g, "lax.dotGeneral", [r("sq"), r("sq")], lax.dot_general(INPUTS["sq"], INPUTS["sq"], dims),
         {"contracting": [[0, 1], [1, 0]]})


def sorting():
    g = "sorting"
    for x in ["ties", "few"]:
        for axis in [0, 1, -1]:
            for descending in [False, True]:
                options = {"axis": axis, "descending": descending}
                case(g, "sort", [r(x)], jnp.sort(INPUTS[x], axis=axis, descending=descending), options)
                case(g, "argsort", [r(x)], jnp.argsort(INPUTS[x], axis=axis, descending=descending), options)
    numpy_case(g, "sort", [r("none")])
    for k in [0, 1, 3, 5]:
        case(g, "lax.topK", [r("ties"), k], list(lax.top_k(INPUTS["ties"], k)))
    for axis in [None, 0, 1, -1]:
        numpy_case(g, "cumsum", [r("few")], {} if axis is None else {"axis": axis})
        numpy_case(g, "cumprod", [r("few")], {} if axis is None else {"axis": axis})
    for n, f in [("cumsum", lax.cumsum), ("cumprod", lax.cumprod), ("cummax", lax.cummax), ("cummin", lax.cummin)]:
        for axis in [0, 1]:
            case(g, f"lax.{n}", [r("ties")], f(INPUTS["ties"], axis=axis, reverse=axis == 1),
                 {"axis": axis, "reverse": axis == 1})
    numpy_case(g, "diff", [r("ties")])
    numpy_case(g, "diff", [r("ties")], {"n": 2, "axis": 1})
    numpy_case(g, "diff", [r("ties")], {"n": 3, "axis": 0})
    numpy_case(g, "diff", [r("ties")], {"n": 0})


movement()
indexing()
linear_algebra()
sorting()

tables = {
    "inputs": {
        name: {**write_array(x), "positions": bool(x.dtype == np.int32)} for name, x in INPUTS.items()
    },
    "cases": CASES,
}

pathlib.Path(__file__).with_name("array_tables.json").write_text(json.dumps(tables))
