"""Saving and loading: what a `state_dict` returns, in a file, and back to the last bit.

A file is a zip of NumPy arrays and one `tree.json` that says where each belongs, so `np.load` and
any text editor can look into it. Unlike PyTorch's it is not a pickle: loading runs no code,
whoever the file comes from.
It does not care what the values mean; `load_state_dict` checks names and shapes.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from .tensor import Tensor, _describe

_PLAIN = (bool, int, float, str, type(None))


def save(obj: object, f: str | os.PathLike) -> None:
    """Write `obj` to the file `f`, whole or not at all.

    obj: Tensors, arrays, numbers, text, True, False and None, in dicts, lists and tuples.
    Raises TypeError, naming the place, for anything else.
    """
    arrays: list[np.ndarray] = []
    tree = _take_apart(obj, arrays, "the object")
    path = Path(f)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")  # a stop half-way leaves the old file as it was
    with zipfile.ZipFile(new, "w") as archive:
        archive.writestr("tree.json", json.dumps(tree))
        for i, array in enumerate(arrays):
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            archive.writestr(f"{i}.npy", member.getbuffer())
    new.replace(path)


def load(f: str | os.PathLike) -> object:
    """What `save` wrote to the file `f`.

    Raises FileNotFoundError, and ValueError for a file that is damaged or not one of ours.
    """
    try:
        with zipfile.ZipFile(f) as archive:
            arrays = {
                int(name.removesuffix(".npy")): np.load(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
                if name.endswith(".npy")
            }
            return _put_together(json.loads(archive.read("tree.json")), arrays)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise ValueError(
            f"load: {Path(f)} is damaged, or no file that save wrote: {error}"
        ) from None


def _take_apart(value: object, arrays: list[np.ndarray], where: str) -> object:
    """`value` as JSON; arrays go into `arrays` and leave their number behind."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        kind = "tensor" if isinstance(value, Tensor) else "array"
        arrays.append(value.data if isinstance(value, Tensor) else value)
        return {kind: len(arrays) - 1}
    if isinstance(value, dict):  # pairs, because JSON's keys are all text
        pairs = ((k, _take_apart(v, arrays, f"{where}[{k!r}]")) for k, v in value.items())
        return {"dict": [[_take_apart(k, arrays, f"a key of {where}"), v] for k, v in pairs]}
    if isinstance(value, (list, tuple)):
        items = [_take_apart(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]
        return {type(value).__name__: items} if type(value) in (list, tuple) else {"tuple": items}
    raise TypeError(f"save: {where} is {_describe(value)}, which cannot be saved")


def _put_together(tree: object, arrays: dict[int, np.ndarray]) -> object:
    if not isinstance(tree, dict):
        return tree
    ((kind, inner),) = tree.items()
    if kind == "tensor":
        return Tensor(arrays[inner])
    if kind == "array":
        return arrays[inner]
    if kind == "dict":
        return {_put_together(k, arrays): _put_together(v, arrays) for k, v in inner}
    items = [_put_together(v, arrays) for v in inner]
    return tuple(items) if kind == "tuple" else items
