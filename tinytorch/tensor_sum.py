"""The sum of many float32 numbers, exact to the last digits."""

from __future__ import annotations

import math

import numpy as np

from .tensor_checks import Shape, float16, float32, int64

BLOCK = 64  # as many numbers are added up one after the other
WIDE = 512  # and in this many places at once, for speed


def _add_up(array: np.ndarray, dims: Shape | None = None, keepdims: bool = False) -> np.ndarray:
    """`array.sum(axis=dims)`, ints and bools in int64, without losing digits to rounding.

    NumPy adds in pairs only along the innermost dimension in memory. Along others it adds one row
    after the other, and a large float32 total swallows what is added to it. There blocks of 64
    are added up first, then their sums. float16 is added up in float32.
    """
    if array.dtype == float16:
        return np.asarray(_add_up(array.astype(float32), dims, keepdims)).astype(float16)
    if array.dtype == float32 and array.size > 1024:
        axes = tuple(range(array.ndim)) if dims is None else dims
        slow = [d for d in axes if d not in _pairwise(array, axes)]
        while slow and math.prod(array.shape[d] for d in slow) > 2 * BLOCK:
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


def _add_blocks(array: np.ndarray, dim: int) -> np.ndarray:
    """The same sum along `dim` from about a 64th as many numbers: each adds up 64 of the old ones.

    Short rows are added `step` at a time: row 0 to row `step` and so on, row 1 to row `step` + 1.
    NumPy does that in one go over memory. Short rows that are left over wait for the next round.
    """
    before, (n, *after) = array.shape[:dim], array.shape[dim:]
    inside = [abs(step) < abs(array.strides[dim]) for step in array.strides]
    row = math.prod(size for size, inner in zip(array.shape, inside, strict=True) if inner)
    block = min(BLOCK, n)
    step = max(min(WIDE // max(row, 1), n // block), 1)
    whole = n - n % (block * step)
    front = (slice(None),) * dim
    split = array[(*front, slice(whole))].reshape(*before, -1, block, step, *after)
    sums = split.sum(axis=dim + 1).reshape(*before, whole // block, *after)
    if whole == n:
        return sums
    rest = array[(*front, slice(whole, None))]
    return np.concatenate([sums, rest if step > 1 else rest.sum(dim, keepdims=True)], dim)
