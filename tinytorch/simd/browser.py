"""The part that runs in the browser only: open a kernel, try it, give it to NumPy or do not."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .loops import LoopTable

# The ufunc, the dtype, and the kernel's function for them; in the order matmul.c numbers them.
LOOPS = [
    (np.matmul, np.float32, "tt_matmul_f32"),
    (np.matmul, np.float64, "tt_matmul_f64"),
    (np.maximum, np.float32, "tt_maximum_f32"),
    (np.minimum, np.float32, "tt_minimum_f32"),
    (np.maximum, np.float64, "tt_maximum_f64"),
    (np.minimum, np.float64, "tt_minimum_f64"),
    (np.exp, np.float32, "tt_exp_f32"),
    (np.tanh, np.float32, "tt_tanh_f32"),
    (np.sqrt, np.float32, "tt_sqrt_f32"),
    (np.add, np.float32, "tt_add_f32"),
    (np.subtract, np.float32, "tt_subtract_f32"),
    (np.multiply, np.float32, "tt_multiply_f32"),
    (np.divide, np.float32, "tt_divide_f32"),
]
_LOOP = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


class Wrong(RuntimeError):
    """A kernel's result is not NumPy's."""


def accepts(path: Path) -> bool:
    """Whether this browser can compile the file."""
    import js
    from pyodide.ffi import to_js

    return bool(js.WebAssembly.validate(to_js(path.read_bytes())))


class State:
    """The ufuncs' tables, NumPy's own loops, and the kernels opened so far."""

    def __init__(self) -> None:
        self.tables = {ufunc: LoopTable(ufunc) for ufunc, _, _ in LOOPS}
        self.own = [self.tables[ufunc].get(dtype) for ufunc, dtype, _ in LOOPS]
        self.opened: dict[Path, ctypes.CDLL] = {}

    def now(self) -> list[int]:
        """The loops in force, in the order of LOOPS."""
        return [self.tables[ufunc].get(dtype) for ufunc, dtype, _ in LOOPS]

    def open(self, path: Path) -> ctypes.CDLL:
        """A kernel's file, opened once."""
        if path not in self.opened:
            self.opened[path] = ctypes.CDLL(str(path))
        return self.opened[path]

    def multiply_adds(self, path: Path, dtype: str) -> tuple[Callable[[], None], int]:
        """A kernel's loop of multiply-adds on registers, and how many operations a call does."""
        rounds, x = 100_000, np.full(64, 0.5, dtype)
        loop = getattr(self.open(path), {"float32": "tt_peak_f32", "float64": "tt_peak_f64"}[dtype])
        at = ctypes.c_void_p(x.ctypes.data)
        return (lambda _keep=x: loop(rounds, at)), rounds * 20 * 2 * (16 // x.itemsize)

    def peak(self, path: Path, dtype: str) -> float:
        """GFLOP/s of these multiply-adds. The fastest of a few tries: a limit is not an average."""
        run, operations = self.multiply_adds(path, dtype)
        rates, calls = [], 1
        while len(rates) < 5:
            start = time.perf_counter()
            for _ in range(calls):
                run()
            spent = time.perf_counter() - start
            if spent < 0.02:  # too near the tick of a browser's clock
                calls *= 2
            else:
                rates.append(operations * calls / spent / 1e9)
        return max(rates)

    def install(self, path: Path) -> None:
        """Put a kernel's loops in, if their results are right. Raises, and leaves NumPy as it was,
        if they are not. NumPy's own loops must be in force."""
        library = self.open(path)
        for i, own in enumerate(self.own):
            library.tt_set_numpy_loop(i, ctypes.c_void_p(own))
        examples = [_example(ufunc, dtype) for ufunc, dtype, _ in LOOPS]
        for (ufunc, dtype, name), (operands, expected) in zip(LOOPS, examples, strict=True):
            if not _same(ufunc, _call(getattr(library, name), ufunc, operands, expected), expected):
                raise Wrong(f"{ufunc.__name__} of {dtype.__name__} by the kernel is wrong")
        try:
            for (ufunc, dtype, name), (operands, expected) in zip(LOOPS, examples, strict=True):
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
                self.tables[ufunc].put(dtype, address)
                if not _same(ufunc, ufunc(*operands), expected):
                    raise Wrong(f"np.{ufunc.__name__} with {name} is wrong")
        except BaseException:
            self.restore()
            raise

    def restore(self) -> None:
        """NumPy's own loops again."""
        for (ufunc, dtype, _), own in zip(LOOPS, self.own, strict=True):
            self.tables[ufunc].put(dtype, own)


def _example(ufunc: np.ufunc, dtype: type) -> tuple[list[np.ndarray], np.ndarray]:
    """Operands and NumPy's result. For a product: small whole numbers, exact in every order of
    adding, in a shape with edges to the tiles. For the others: numbers that matter, in all pairs
    where two are taken."""
    special = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan], dtype)
    if ufunc is np.matmul:
        m, k, n = 9, 20, 21
        a = (np.arange(m * k) * 7 % 19 - 9).reshape(m, k).astype(dtype)
        b = (np.arange(k * n) * 5 % 17 - 8).reshape(k, n).astype(dtype)
        operands = [a, b]
    elif ufunc.nin == 2:
        operands = [x.ravel() for x in np.meshgrid(special, special)]
    else:
        operands = [np.concatenate([special, np.linspace(-100, 100, 90, dtype=dtype)])]
    return operands, ufunc(*operands)


def _same(ufunc: np.ufunc, result: np.ndarray, expected: np.ndarray) -> bool:
    """Equal, zeros by their sign too; which NaN it is, is the processor's affair. Functions that
    NumPy itself rounds may be off by the last bit."""
    if ufunc.nin == 1:
        return bool(np.allclose(result, expected, rtol=2.0**-23, atol=2.0**-149, equal_nan=True))
    signs = (np.signbit(x) & ~np.isnan(x) for x in (result, expected))
    return np.array_equal(result, expected, equal_nan=True) and np.array_equal(*signs)


def _call(loop, ufunc: np.ufunc, operands: list[np.ndarray], like: np.ndarray) -> np.ndarray:
    """Call a loop by hand, as NumPy would, before NumPy does."""
    arrays = [*operands, np.zeros_like(like)]
    pointers = (ctypes.c_void_p * len(arrays))(*[x.ctypes.data for x in arrays])
    strides = [s for x in arrays for s in x.strides]
    dims, steps = like.shape, strides
    if ufunc is np.matmul:
        a, b = operands
        dims, steps = (1, *a.shape, b.shape[1]), [0, 0, 0, *strides]
    dims, steps = (ctypes.c_long * len(dims))(*dims), (ctypes.c_long * len(steps))(*steps)
    ctypes.cast(loop, _LOOP)(*[ctypes.addressof(x) for x in (pointers, dims, steps)], None)
    return arrays[-1]
