"""Reductions of a Tensor, and the sum that keeps its digits.

`sum` and `mean`, which Module 01 builds, stand in tensor.py.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Self

import numpy as np

from .tensor_base import Base
from .tensor_checks import Shape, float16, float32, int64

MinMax = namedtuple("MinMax", ["values", "indices"])


def _add_up(array: np.ndarray, dims: Shape | None = None, keepdims: bool = False) -> np.ndarray:
    """`array.sum(axis=dims)`, ints and bools in int64, without losing digits to rounding.

    NumPy adds in pairs only along the innermost dimension in memory. Along others it adds one row
    after the other, and a large float32 total swallows what is added to it. There blocks of 64
    are added up first, then their sums. float16 is added up in float32.
    """
    if array.dtype == float16:
        with np.errstate(over="ignore"):
            return np.asarray(_add_up(array.astype(float32), dims, keepdims)).astype(float16)
    if array.dtype == float32 and array.size > 1024:
        axes = tuple(range(array.ndim)) if dims is None else dims
        slow = [d for d in axes if d not in _pairwise(array, axes)]
        while slow and math.prod(array.shape[d] for d in slow) > 128:
            array = _add_blocks(array, max(slow, key=lambda d: array.shape[d]))
    dtype = array.dtype if array.dtype.kind == "f" else int64
    return array.sum(axis=dims, keepdims=keepdims, dtype=dtype)


def _pairwise(array: np.ndarray, dims: Shape) -> set[int]:
    """Which of `dims` NumPy adds up in pairs: the innermost in memory, and what continues it."""
    layout = zip(array.strides, range(array.ndim), array.shape, strict=True)
    found, next_step = set(), None
    for step, d in sorted((abs(step) or math.inf, d) for step, d, size in layout if size > 1):
        if d not in dims or next_step not in (None, step):
            break
        found.add(d)
        next_step = step * array.shape[d]
    return found


def _add_blocks(array: np.ndarray, dim: int, block: int = 64) -> np.ndarray:
    """Sums of blocks along `dim`, which gets that much shorter; the last one may be smaller."""
    before, (n, *after) = array.shape[:dim], array.shape[dim:]
    front, block = (slice(None),) * dim, min(block, n)
    whole = n - n % block
    split = array[(*front, slice(whole))].reshape(*before, whole // block, block, *after)
    sums = split.sum(axis=dim + 1)
    if whole == n:
        return sums
    rest = array[(*front, slice(whole, None))].sum(axis=dim, keepdims=True)
    return np.concatenate([sums, rest], axis=dim)


class Reductions(Base):
    """Reductions. dim is one dimension, a tuple of them, or None for all."""

    def var(
        self, dim: int | tuple[int, ...] | None = None, correction: int = 1, keepdim: bool = False
    ) -> Self:
        """The variance: squared distances from the mean, summed, over count - correction.

        correction=1 estimates the variance of what n samples came from; 0 is that of the samples.
        """
        x = self._wide()
        x = x - x._first(dim)  # changes nothing but rounding: equal numbers have variance 0
        centered = x - x.mean(dim, keepdim=True)
        total = (centered * centered).sum(dim, keepdim)
        return (total / max(self.numel() / max(total.numel(), 1) - correction, 0)).to(self.dtype)

    def _first(self, dim: int | tuple[int, ...] | None) -> Self:
        """The first element along `dim`, which stays, as plain numbers; 0 if it is not finite."""
        dims = self._dims(dim, "var")
        part = (slice(1) if dims is None or d in dims else slice(None) for d in range(self.ndim))
        first = self.data[(*part, ...)]
        return self._new(np.where(np.isfinite(first), first, first.dtype.type(0)))

    def std(
        self, dim: int | tuple[int, ...] | None = None, correction: int = 1, keepdim: bool = False
    ) -> Self:
        """The standard deviation, the square root of `var`."""
        return self._wide().var(dim, correction, keepdim).sqrt().to(self.dtype)

    def _arg(self, op: str, dim: int | None, keepdim: bool) -> Self:
        if isinstance(dim, (tuple, list)):
            raise TypeError(f"{op}: expected one dim, got {dim}; take one after the other")
        axis = None if dim is None else self._dim(dim, op, number=True)
        axis = axis if self.ndim else None
        if (self.numel() if axis is None else self.shape[axis]) == 0:
            raise ValueError(f"{op}: shape {self.shape} has no elements to compare")
        find = np.argmax if op.endswith("max") else np.argmin
        return self._new(find(self.data, axis=axis, keepdims=keepdim), dtype=int64)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """Where the largest element is, int64: in the flattened tensor, or along `dim`."""
        return self._arg("argmax", dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """Where the smallest element is, int64: in the flattened tensor, or along `dim`."""
        return self._arg("argmin", dim, keepdim)

    def _extreme(self, op: str, dim: int | None, keepdim: bool) -> Self | MinMax:
        indices = self._arg(op, dim, keepdim=True)
        if dim is None:
            return self._new(self.data.reshape(-1)[indices.data.item()])
        if self.ndim == 0:
            return MinMax(self.clone(), indices)
        values = self._new(np.take_along_axis(self.data, indices.data, self._dim(dim, op)))
        return MinMax(*(t if keepdim else t.squeeze(dim) for t in (values, indices)))

    def max(self, dim: int | None = None, keepdim: bool = False) -> Self | MinMax:
        """The largest element; with `dim`, the pair (values, indices) along it."""
        return self._extreme("max", dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Self | MinMax:
        """The smallest element; with `dim`, the pair (values, indices) along it."""
        return self._extreme("min", dim, keepdim)

    def any(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Self:
        """Whether at least one element is true (not zero)."""
        axis = () if dim == () else self._dims(dim, "any")  # here, as in PyTorch, () is no dims
        return self._new(self.data.any(axis=axis, keepdims=keepdim))

    def all(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Self:
        """Whether every element is true (not zero)."""
        axis = () if dim == () else self._dims(dim, "all")  # here, as in PyTorch, () is no dims
        return self._new(self.data.all(axis=axis, keepdims=keepdim))
