"""The part that runs in the browser only: open a kernel, try it, give it to NumPy or do not."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from .loops import LoopTable

LOOPS = {np.float32: "tt_matmul_f32", np.float64: "tt_matmul_f64"}
_LOOP = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


class Wrong(RuntimeError):
    """A kernel's product is not NumPy's."""


def accepts(path: Path) -> bool:
    """Whether this browser can compile the file."""
    import js
    from pyodide.ffi import to_js

    return bool(js.WebAssembly.validate(to_js(path.read_bytes())))


class State:
    """np.matmul's table, NumPy's own loops, and the kernels opened so far."""

    def __init__(self) -> None:
        self.table = LoopTable(np.matmul)
        self.own = {dtype: self.table.get(dtype) for dtype in LOOPS}
        self.opened: dict[Path, ctypes.CDLL] = {}

    def install(self, path: Path) -> None:
        """Put a kernel's loops in, if its products are right. Raises, and leaves NumPy as it was,
        if they are not."""
        library = self.opened.get(path) or ctypes.CDLL(str(path))
        self.opened[path] = library
        library.tt_set_numpy_loops(*[ctypes.c_void_p(self.own[d]) for d in LOOPS])
        for dtype, name in LOOPS.items():
            _try(getattr(library, name), dtype)
        try:
            for dtype, name in LOOPS.items():
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
                self.table.put(dtype, address)
                a, b, expected = _example(dtype)
                if not np.array_equal(a @ b, expected):
                    raise Wrong(f"np.matmul with {name} is wrong")
        except BaseException:
            self.restore()
            raise

    def restore(self) -> None:
        """NumPy's own loops again."""
        for dtype, address in self.own.items():
            self.table.put(dtype, address)


def _example(dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A product of small whole numbers, exact in every order of adding; with edges to the tiles."""
    m, k, n = 9, 20, 21
    a = (np.arange(m * k) * 7 % 19 - 9).reshape(m, k)
    b = (np.arange(k * n) * 5 % 17 - 8).reshape(k, n)
    return a.astype(dtype), b.astype(dtype), a @ b  # the integers' loop stays NumPy's


def _try(loop, dtype: type) -> None:
    """Call a loop by hand, as NumPy would, before NumPy does."""
    a, b, expected = _example(dtype)
    c = np.full(expected.shape, np.nan, dtype)
    pointers = (ctypes.c_void_p * 3)(*[x.ctypes.data for x in (a, b, c)])
    dims = (ctypes.c_long * 4)(1, *a.shape, b.shape[1])
    steps = (ctypes.c_long * 9)(0, 0, 0, *a.strides, *b.strides, *c.strides)
    loop = ctypes.cast(loop, _LOOP)
    loop(*[ctypes.addressof(x) for x in (pointers, dims, steps)], None)
    if not np.array_equal(c, expected):
        raise Wrong(f"a {dtype.__name__} product by the kernel is wrong")
