"""What surrounds a check: whatever a student's code does to the session is undone behind it.

The random numbers, the recording flag, NumPy's print options and error state, the folder, the
environment and `sys.path` are put back; files written go to a temporary folder; functions and
classes that the code replaced in NumPy, the standard library or tinytorch itself are put back too.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import os
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

# The judge's own, taken before any student's code runs.
_chdir, _getcwd = os.chdir, os.getcwd
_TemporaryDirectory = tempfile.TemporaryDirectory
_get_options, _set_options = np.get_printoptions, np.set_printoptions
_geterr, _seterr = np.geterr, np.seterr
_KINDS = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, np.ufunc)
_FIXED = (np, np.linalg, np.random, math, time, os, os.path, builtins)
_type, _vars, _setattr, _delattr, _isinstance = type, vars, setattr, delattr, isinstance
_list, _dict, _callable = list, dict, callable


def _places() -> list[Any]:
    """Every module and class of which the members are watched."""
    places = [*_FIXED]
    for name, module in _list(sys.modules.items()):
        if name.startswith("tinytorch") and not name.startswith("tinytorch.course"):
            places.append(module)
            for value in _list(_vars(module).values()):
                if _isinstance(value, _type) and value.__module__ == name:
                    places.append(value)
    return places


def _members() -> list[tuple[Any, dict[str, Any]]]:
    return [(place, _dict(_vars(place))) for place in _places()]


def _put_back(before: list[tuple[Any, dict[str, Any]]]) -> list[str]:
    """Undo every replaced function, class, property or module; the names of what was replaced."""
    changed = []
    for place, members in before:
        now = _vars(place)
        is_class = _isinstance(place, _type)
        for name, value in members.items():
            watched = is_class or _callable(value) or _isinstance(value, _KINDS)
            if watched and now.get(name) is not value and name not in ("__doc__", "__slotnames__"):
                with contextlib.suppress(AttributeError, TypeError):
                    _setattr(place, name, value)
                    changed.append(f"{place.__name__}.{name}")
        if is_class or place is builtins:
            for name in [n for n in now if n not in members and n not in ("_", "__slotnames__")]:
                with contextlib.suppress(AttributeError, TypeError):
                    _delattr(place, name)
    return changed


@contextlib.contextmanager
def isolated() -> Iterator[list[str]]:
    """Run a block and put the session back as it was. Yields a list that names what was patched."""
    from ..autograd import _set_recording, is_grad_enabled
    from ..creation import get_rng_state, set_rng_state

    random, recording, cwd = get_rng_state(), is_grad_enabled(), _getcwd()
    options, errors = _get_options(), _geterr()
    environment, path = _dict(os.environ), _list(sys.path)
    streams = sys.stdout, sys.stderr, sys.stdin
    before, patched = _members(), []
    with warnings.catch_warnings(), _TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        warnings.simplefilter("ignore")
        _chdir(folder)
        try:
            yield patched
        finally:
            patched += _put_back(before)
            _chdir(cwd)
            sys.stdout, sys.stderr, sys.stdin = streams
            sys.path[:] = path
            if _dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
            _set_options(**options)
            _seterr(**errors)
            _set_recording(recording)
            set_rng_state(random)
