"""Other shapes of a Tensor. A view is a tensor over the same memory: writing to one shows in both.

`reshape` and `transpose`, which Module 01 builds, stand in tensor.py.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from .tensor_base import Base
from .tensor_checks import _ints


class Views(Base):
    """The same elements under another shape."""

    def view(self, *sizes: int | tuple[int, ...]) -> Self:
        """As `reshape`, but never a copy: ValueError if the memory layout would need one."""
        out = self.reshape(*sizes)
        if out.numel() and not np.may_share_memory(out.data, self.data):
            layout = f"shape {self.shape} with strides {self.stride()}"
            raise ValueError(f"view: {layout} needs a copy to become {out.shape}; use reshape")
        return out

    @property
    def T(self) -> Self:
        """All dimensions in reverse order, as a view: of a matrix, the transpose."""
        return self._new(self.data.T)

    @property
    def mT(self) -> Self:
        """The last two dimensions swapped, as a view: each matrix of a batch transposed."""
        if self.ndim < 2:
            raise ValueError(f"mT: expected at least two dimensions, got shape {self.shape}")
        return self.transpose(-2, -1)

    def permute(self, *dims: int | tuple[int, ...]) -> Self:
        """The dimensions in the given order, as a view. Raises ValueError unless each is there."""
        order = tuple(self._dim(dim, "permute") for dim in _ints("permute", dims))
        if sorted(order) != list(range(self.ndim)):
            asked = f"dims {_ints('permute', dims)}"
            raise ValueError(f"permute: {asked} must name each dimension of {self.shape} once")
        return self._new(self.data.transpose(order))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Self:
        """Dimensions start_dim to end_dim (included) merged into one; a view if possible."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self._dim(start_dim, "flatten"), self._dim(end_dim, "flatten")
        if start > end:
            raise ValueError(f"flatten: start_dim {start_dim} lies after end_dim {end_dim}")
        merged = math.prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], merged, *self.shape[end + 1 :])

    def squeeze(self, dim: int | None = None) -> Self:
        """All dimensions of size 1 removed, or only `dim` if its size is 1; a view."""
        drop = range(self.ndim) if dim is None else (self._dim(dim, "squeeze", number=True),)
        return self._new(self.data.squeeze(tuple(d for d in drop if self.shape[d : d + 1] == (1,))))

    def unsqueeze(self, dim: int) -> Self:
        """A new dimension of size 1 at position `dim`; a view."""
        return self._new(np.expand_dims(self.data, self._dim(dim, "unsqueeze", extra=1)))

    def expand(self, *sizes: int | tuple[int, ...]) -> Self:
        """Dimensions of size 1 repeated, and new ones put in front, without using memory.

        A size of -1 keeps the dimension. The result is a view with stride 0 where it repeats, and
        cannot be written to if it does. Raises ValueError if another size would have to change.
        """
        shape = _ints("expand", sizes)
        own = (1,) * (len(shape) - self.ndim) + self.shape
        wanted = tuple(m if n == -1 else n for m, n in zip(own, shape, strict=False))
        if len(shape) < self.ndim or any(
            n < 0 or m not in (1, n) for m, n in zip(own, wanted, strict=True)
        ):
            raise ValueError(f"expand: shape {self.shape} does not expand to {shape}")
        if wanted[len(shape) - self.ndim :] == self.shape and math.prod(wanted) == self.numel():
            return self._new(
                self.data[(None,) * (len(shape) - self.ndim) + (...,)]
            )  # nothing repeats
        return self._new(np.broadcast_to(self.data, wanted))
