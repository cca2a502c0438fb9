"""Saving and loading: what a `state_dict` returns, in a file, and back to the last bit.

A file is a zip of NumPy arrays and one `tree.json` that says where each belongs, so `np.load` and
any text editor can look into it. Unlike PyTorch's it is not a pickle: loading runs no code,
whoever the file comes from. Numbers that several tensors share, as tied weights do, are written
once, and are shared again after loading.
It does not care what the values mean; `load_state_dict` checks names and shapes.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .layers import Parameter
from .tensor import Tensor, _describe

_PLAIN = (bool, int, float, str, type(None))
_File = str | os.PathLike | BinaryIO


def save(obj: object, f: _File) -> None:
    """Write `obj` to the file `f`, whole or not at all.

    obj: Tensors, arrays, numbers, text, True, False and None, in dicts, lists and tuples.
    f: a path, or an open file for bytes, such as io.BytesIO().
    Raises TypeError, naming the place, for anything else, and ValueError for what holds itself.
    """
    arrays: list[np.ndarray] = []
    try:
        tree = json.dumps(_take_apart(obj, arrays, {}, "the object"))
    except RecursionError:
        raise ValueError("save: the object holds itself, or is nested too deep") from None
    if hasattr(f, "write"):
        _write(f, tree, arrays)
        return
    path = _path(f, "save")
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")  # a stop half-way leaves the old file as it was
    try:
        _write(new, tree, arrays)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def load(f: _File) -> object:
    """What `save` wrote to the file `f`, a path or an open file for bytes.

    Raises FileNotFoundError, and ValueError for a file that is damaged or not one of ours.
    """
    if hasattr(f, "read"):
        return _read(f, "the file")
    path = _path(f, "load")
    with path.open("rb") as file:
        return _read(file, str(path))


def _path(f: object, op: str) -> Path:
    if not isinstance(f, str | os.PathLike):
        raise TypeError(f"{op}: expected a path or an open file, got {_describe(f)}")
    return Path(f)


def _write(f: Path | BinaryIO, tree: str, arrays: list[np.ndarray]) -> None:
    with zipfile.ZipFile(f, "w") as archive:
        archive.writestr("tree.json", tree)
        for i, array in enumerate(arrays):
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            archive.writestr(f"{i}.npy", member.getbuffer())


def _read(file: BinaryIO, name: str) -> object:
    try:
        with zipfile.ZipFile(file) as archive:
            arrays = {
                int(name.removesuffix(".npy")): np.load(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
                if name.endswith(".npy")
            }
            return _put_together(json.loads(archive.read("tree.json")), arrays, {})
    except Exception as error:  # zipfile, zlib, json and NumPy fail in many ways on damaged bytes
        what = str(error) or type(error).__name__
        raise ValueError(f"load: {name} is damaged, or no file that save wrote: {what}") from None


def _take_apart(value: object, arrays: list[np.ndarray], places: dict, where: str) -> object:
    """`value` as JSON; arrays go into `arrays` and leave their number behind.

    places: the number of an array by where and how it lies in memory.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        array = value.data if isinstance(value, Tensor) else value
        if array.dtype.hasobject:
            raise TypeError(f"save: {where} is an array of objects, which cannot be saved")
        place = (array.ctypes.data, array.shape, array.strides, array.dtype.str)
        if array.size == 0 or place not in places:
            places[place] = len(arrays)
            arrays.append(array)
        return {_kind(value): places[place]}
    if isinstance(value, dict):  # pairs, because JSON's keys are all text
        pairs = ((k, _take_apart(v, arrays, places, f"{where}[{k!r}]")) for k, v in value.items())
        key = f"a key of {where}"
        return {"dict": [[_take_apart(k, arrays, places, key), v] for k, v in pairs]}
    if isinstance(value, (list, tuple)):
        items = [_take_apart(v, arrays, places, f"{where}[{i}]") for i, v in enumerate(value)]
        return {type(value).__name__: items} if type(value) in (list, tuple) else {"tuple": items}
    raise TypeError(f"save: {where} is {_describe(value)}, which cannot be saved")


def _kind(value: Tensor | np.ndarray) -> str:
    """What is to become of an array: "array", "tensor", "leaf" (requires a gradient), ..."""
    if not isinstance(value, Tensor):
        return "array"
    if isinstance(value, Parameter):
        return "parameter" if value.requires_grad else "frozen"
    return "leaf" if value.requires_grad else "tensor"


def _put_together(tree: object, arrays: dict[int, np.ndarray], made: dict) -> object:
    """The object that `_take_apart` made `tree` of; one Tensor for all that share their memory."""
    if not isinstance(tree, dict):
        return tree
    ((kind, inner),) = tree.items()
    if kind in ("array", "tensor", "leaf", "parameter", "frozen"):
        if (kind, inner) not in made:
            array = arrays[inner]
            if kind in ("parameter", "frozen"):
                array = Parameter(array, requires_grad=kind == "parameter")
            elif kind != "array":
                array = Tensor(array, requires_grad=kind == "leaf")
            made[kind, inner] = array
        return made[kind, inner]
    if kind == "dict":
        return {_put_together(k, arrays, made): _put_together(v, arrays, made) for k, v in inner}
    if kind not in ("list", "tuple"):
        raise ValueError(f"there is no kind {kind!r}")
    items = [_put_together(v, arrays, made) for v in inner]
    return tuple(items) if kind == "tuple" else items
