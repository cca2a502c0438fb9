"""What a Tensor is made from: dtypes, and checks of sizes, lists and indices.

They come before tensor.py and know of a Tensor only that its `data` is an array.
"""

from __future__ import annotations

import operator

import numpy as np

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
int8, int32, int64 = np.dtype("int8"), np.dtype("int32"), np.dtype("int64")
uint8, bool_ = np.dtype("uint8"), np.dtype("bool")

Shape = tuple[int, ...]


def _array(value: object) -> object:
    """A Tensor's array; anything else as it is."""
    data = getattr(value, "data", None)
    return data if isinstance(data, np.ndarray) else value


# Text for messages


def _join(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(str(shape) for shape in shapes)


def _describe(value: object) -> str:
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} ({text if len(text) <= 40 else text[:37] + '...'})"


# What may become a tensor


def _nested_shape(data: object, where: str = "data") -> Shape:
    """Shape of nested lists of numbers. TypeError if not numbers, ValueError if ragged."""
    if isinstance(data, (bool, int, float)):
        return ()
    array = _array(data)
    if isinstance(array, (np.ndarray, np.generic)):
        _check_numeric(array)
        return array.shape
    if not isinstance(data, (list, tuple, range)):
        expected = "expected numbers, nested lists of numbers or an array"
        at = "" if where == "data" else f" at {where}"
        raise TypeError(f"Tensor: {expected}, got {_describe(data)}{at}")
    shapes = [_nested_shape(item, f"{where}[{i}]") for i, item in enumerate(data)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            depth = 0
            while shape[depth : depth + 1] == shapes[0][depth : depth + 1]:
                depth += 1
            ends = [
                f"has length {s[depth]}" if s[depth:] else "is a number" for s in (shapes[0], shape)
            ]
            names = [f"{where}[{j}]" + "[0]" * depth for j in (0, i)]
            raise ValueError(f"Tensor: ragged list: {names[0]} {ends[0]}, {names[1]} {ends[1]}")
    return (len(data), *(shapes[0] if shapes else ()))


def _check_numeric(array: np.ndarray | np.generic) -> None:
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Tensor: expected numbers, got an array of dtype {array.dtype}")


def _ints(op: str, sizes: tuple) -> Shape:
    """Sizes given as f(2, 3) or f((2, 3)), as a tuple of ints."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    for size in sizes:
        if isinstance(size, (bool, np.bool_)) or not hasattr(size, "__index__"):
            raise TypeError(f"{op}: expected ints, got {_describe(size)}")
    return tuple(operator.index(size) for size in sizes)


# Dtypes of results


def _promote(a: np.dtype, b: np.dtype) -> np.dtype:
    """The dtype of a result, by PyTorch's rule: ints beside floats do not widen the floats."""
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.result_type(a, b)


def _promote_arrays(a: np.ndarray, b: np.ndarray) -> np.dtype:
    """As `_promote`; a single number beside a larger tensor only decides if of a higher kind."""
    if (a.ndim == 0) != (b.ndim == 0):
        single, larger = (a, b) if a.ndim == 0 else (b, a)
        rank = {"b": 0, "u": 1, "i": 1, "f": 2}
        if rank[single.dtype.kind] <= rank[larger.dtype.kind]:
            return larger.dtype
    return _promote(a.dtype, b.dtype)


# Indices


def _index(index: object) -> tuple:
    """An index NumPy understands: Tensors and lists as arrays, the whole as a tuple."""
    items = []
    for item in index if isinstance(index, tuple) else (index,):
        item = _array(item)
        if isinstance(item, np.ndarray) and item.ndim == 0:
            item = item.item()
        elif isinstance(item, list):
            item = np.array(item, dtype=None if item else np.int64)
        items.append(item)
    if not any(item is Ellipsis for item in items):
        items.append(Ellipsis)  # so that x[0, 0] is a 0-d view and not a copied number
    return tuple(items)


def _ints_first(array: np.ndarray, index: object) -> tuple:
    """An int beside an index array is taken first, as in PyTorch: what is left of array and index.

    NumPy would count the int as an index array, and `x[0, :, [1, 2]]` then has its dims swapped.
    """
    if not isinstance(index, tuple):
        return array, index
    kinds = [_index_kind(item) for item in index]
    if "int" not in kinds or not {"ints", "bools"} & set(kinds):
        return array, index
    first, rest = [], []
    for item, kind in zip(index, kinds, strict=True):
        if kind != "int":
            rest.append(item)
        if kind == "int":
            first.append(_index(item)[0])
        elif kind == "ellipsis":
            first.append(item)
        elif kind != "none":
            first += [slice(None)] * (np.ndim(item) if kind == "bools" else 1)
    return array[tuple(first)], tuple(rest)


def _index_kind(item: object) -> str:
    """What an index is: an int, several ints or bools, a slice, `...` or None."""
    if item is None or item is Ellipsis:
        return "none" if item is None else "ellipsis"
    if isinstance(item, slice):
        return "slice"
    array = np.asarray(_array(item))
    if array.dtype.kind == "b":
        return "bools"
    return "ints" if array.ndim else "int"
