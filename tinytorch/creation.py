"""Creation: tensors from sizes, from ranges, from chance and from data.

Sizes are given as zeros(2, 3) or zeros((2, 3)); dtype is float32 unless said otherwise.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from types import ModuleType

import numpy as np

from . import tensor as tensor_file
from .tensor import Tensor
from .tensor_checks import Shape, _describe, _ints, _nested_shape, float32, float64, int64


def _create(op: str, sizes: tuple, dtype: object, make: Callable[[Shape], object]) -> Tensor:
    """Tensor(make(shape)) as dtype, with sizes checked and failures to allocate explained."""
    shape = _ints(op, sizes)
    if min(shape, default=0) < 0:
        raise ValueError(f"{op}: sizes must not be negative, got {shape}")
    try:
        return Tensor(make(shape), dtype=dtype)
    except (MemoryError, OverflowError, ValueError) as error:
        nbytes = math.prod(shape) * np.dtype(dtype).itemsize
        raise ValueError(f"{op}: cannot make shape {shape} of {nbytes:,} bytes: {error}") from None


def zeros(*sizes: int | tuple[int, ...], dtype: object = float32) -> Tensor:
    """A tensor of zeros."""
    return _create("zeros", sizes, dtype, lambda shape: np.zeros(shape, dtype))


def ones(*sizes: int | tuple[int, ...], dtype: object = float32) -> Tensor:
    """A tensor of ones."""
    return _create("ones", sizes, dtype, lambda shape: np.ones(shape, dtype))


def full(size: int | tuple[int, ...], fill_value: float, dtype: object = float32) -> Tensor:
    """A tensor of this size with every element `fill_value`."""
    value = Tensor(fill_value, dtype).item()
    return _create("full", (size,), dtype, lambda shape: np.full(shape, value, dtype))


def zeros_like(x: Tensor, dtype: object = None) -> Tensor:
    """Zeros in the shape and dtype of `x`, or in another dtype."""
    return zeros(x.shape, dtype=dtype or x.dtype)


def ones_like(x: Tensor, dtype: object = None) -> Tensor:
    """Ones in the shape and dtype of `x`, or in another dtype."""
    return ones(x.shape, dtype=dtype or x.dtype)


def eye(n: int, m: int | None = None, dtype: object = float32) -> Tensor:
    """An (n, m) matrix, square without m, with ones on the diagonal and zeros elsewhere."""
    return _create(
        "eye", (n, n if m is None else m), dtype, lambda shape: np.eye(*shape, dtype=dtype)
    )


def arange(start: float, end: float | None = None, step: float = 1, dtype: object = None) -> Tensor:
    """start, start + step, ... up to but without end; arange(n) counts from 0.

    int64 if all arguments are ints, else float32. Raises ValueError if step is 0. A step
    that leads away from end gives no elements, as in Python's range; PyTorch refuses it.
    """
    start, end = (0, start) if end is None else (start, end)
    for value in (start, end, step):
        if not isinstance(value, (int, float, np.integer, np.floating)):
            raise TypeError(f"arange: expected numbers, got {_describe(value)}")
        if value != value or value in (math.inf, -math.inf):
            raise ValueError(f"arange: expected finite numbers, got {value}")
    if step == 0:
        raise ValueError("arange: step must not be 0")
    if dtype is None:
        whole = all(isinstance(value, (int, np.integer)) for value in (start, end, step))
        dtype = int64 if whole else float32
    count = max(math.ceil((end - start) / step), 0)
    return _create(
        "arange", (count,), dtype, lambda shape: start + step * np.arange(*shape, dtype=int64)
    )


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory and dtype. Raises TypeError for anything else."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {_describe(array)}")
    return Tensor(array)


def tensor(data: object, dtype: object = None) -> Tensor:
    """A new tensor with a copy of `data`: numbers, nested lists of them, an array or a Tensor.

    Python's ints become int64, its bools bool and its floats float32, as in PyTorch, while
    `Tensor(...)` makes float32 of all of them. Arrays and Tensors keep their dtype.
    """
    if isinstance(data, Tensor):
        data = data.data
    if not isinstance(data, (np.ndarray, np.generic)):
        _nested_shape(data)
        data = np.array(data)
        if dtype is None and (data.dtype.kind == "f" or data.size == 0):
            dtype = float32
    return Tensor(np.array(data, dtype=dtype))


class _CallableModule(ModuleType):
    """This module, called: `tinytorch.tensor([1, 2])`, which has the name of the file too."""

    def __call__(self, data: object, dtype: object = None) -> Tensor:
        return tensor(data, dtype)


tensor_file.__class__ = _CallableModule


# Random numbers

_generator = np.random.default_rng()


def manual_seed(seed: int) -> None:
    """Restart the random generator, so that what follows is the same every time."""
    global _generator
    _generator = np.random.default_rng(operator.index(seed))


def get_rng_state() -> dict:
    """Where the random generator stands, to come back to with `set_rng_state`.

    A dict of numbers and text, as NumPy's bit generators give it; PyTorch's is a tensor of bytes.
    """
    return _generator.bit_generator.state


def set_rng_state(new_state: dict) -> None:
    """Continue the random numbers from where `get_rng_state` stood."""
    _generator.bit_generator.state = new_state


def rand(*sizes: int | tuple[int, ...], dtype: object = float32) -> Tensor:
    """Random numbers spread evenly over [0, 1)."""
    draw = dtype if dtype == float64 else float32
    return _create("rand", sizes, dtype, lambda shape: _generator.random(shape, draw))


def randn(*sizes: int | tuple[int, ...], dtype: object = float32) -> Tensor:
    """Random numbers from the normal distribution of mean 0 and variance 1."""
    draw = dtype if dtype == float64 else float32
    return _create("randn", sizes, dtype, lambda shape: _generator.standard_normal(shape, draw))


def randint(low: int, high: int, size: int | tuple[int, ...], dtype: object = int64) -> Tensor:
    """Random ints from low to high - 1. Raises ValueError if there are none."""
    low, high = _ints("randint", (low, high))
    if low >= high:
        raise ValueError(f"randint: no ints lie in [{low}, {high})")
    return _create("randint", (size,), dtype, lambda s: _generator.integers(low, high, s, int64))
