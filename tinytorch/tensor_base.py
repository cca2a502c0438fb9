"""The plain side of a Tensor: its array, its size, its numbers as Python's, its text.

Every Tensor is a `Base`. Methods here and in the other base classes make their results with
`self._new(array)`, a plain Tensor: the class stands in tensor.py, which comes after them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from .tensor_checks import Data, Shape, _describe, _ints, _promote, float16, float32, int64


class Base(Data):
    """An array, and what can be asked of it without computing anything."""

    _new: Any  # the class Tensor
    _operands: Callable[..., tuple]  # these two stand in tensor.py
    _left: Callable[..., Any]

    # The array

    def _set_data(self, value: object) -> None:
        if type(value) is not np.ndarray:
            if not isinstance(value, (Base, np.ndarray, np.generic)):
                raise TypeError(f"data: expected a Tensor or an array, got {_describe(value)}")
            value = value.data if isinstance(value, Base) else np.asarray(value)
        self._data = value

    # The NumPy array with the elements. A Tensor that is assigned leaves its array, also in
    # `p.data -= x`. Reading is hot, and attrgetter faster than a function.
    data = property(operator.attrgetter("_data"), _set_data)

    @property
    def shape(self) -> Shape:
        """The size of each dimension; () for a single number."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype:
        """The type of every element."""
        return self.data.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of all elements together: numel() times bytes per element."""
        return self.data.nbytes

    def dim(self) -> int:
        """The number of dimensions, as `ndim`."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.data.size

    def size(self, dim: int | None = None) -> Shape | int:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        return self.shape[self._dim(dim, "size")]

    def stride(self) -> Shape:
        """Per dimension, how many elements apart two neighbors lie in memory."""
        return tuple(step // self.data.itemsize for step in self.data.strides)

    @property
    def strides(self) -> Shape:
        """As `stride()`: in elements, where NumPy's are in bytes."""
        return self.stride()

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len: a tensor of shape () has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    # Conversions

    def item(self) -> float | int | bool:
        """The single element as a Python number. Raises ValueError if there is not exactly one."""
        if self.numel() != 1:
            raise ValueError(f"item: expected exactly one element, got shape {self.shape}")
        return self.data.item()

    def numpy(self) -> np.ndarray:
        """The elements as a NumPy array sharing this tensor's memory."""
        return self.data

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def tolist(self) -> list | float | int | bool:
        """The elements as nested lists of Python numbers."""
        return self.data.tolist()

    def clone(self) -> Self:
        """A row-major copy in memory of its own."""
        return self._new(self.data.copy())

    def to(self, dtype: object) -> Self:
        """The same values as `dtype`: a copy, or this tensor itself if nothing changes."""
        if isinstance(dtype, str) and dtype.split(":")[0] in ("cpu", "cuda", "mps"):
            raise TypeError(f"to: expected a dtype, got {dtype!r}; there are no other devices here")
        return self if self.dtype == dtype else self._new(self.data, dtype=dtype)

    def float(self) -> Self:
        """The same values as float32."""
        return self.to(float32)

    def long(self) -> Self:
        """The same values as int64, fractions cut off."""
        return self.to(int64)

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ValueError(f"bool: shape {self.shape} has no one truth value; use any() or all()")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind == "f" or self.numel() != 1:
            got = f"{self.dtype} of shape {self.shape}"
            raise TypeError(f"index: expected one int, got {got}")
        return int(self.item())

    # Given helpers: dims and dtypes

    def _dim(self, dim: int, op: str, extra: int = 0, number: bool = False) -> int:
        """A dim counted from the front or, if negative, the back, checked and made >= 0.

        With number=True a tensor of shape () takes dim 0 and -1, although it has none.
        """
        (dim,) = _ints(op, (dim,))
        count = max(self.ndim + extra, number)
        if not -count <= dim < count:
            owner = f"a tensor of {self.ndim} dimension{'s' * (self.ndim != 1)}"
            raise IndexError(f"{op}: dim {dim} is out of range for {owner} (shape {self.shape})")
        return dim % count

    def _dims(self, dim: int | tuple[int, ...] | None, op: str) -> Shape | None:
        """NumPy's `axis` for a dim, several dims, or None for all."""
        dims = dim if isinstance(dim, (tuple, list)) else (dim,)
        if dim is None or not dims:  # as in PyTorch, no dims are all dims
            return None
        dims = tuple(self._dim(d, op, number=True) for d in dims)
        if len(set(dims)) != len(dims):
            raise ValueError(f"{op}: dim {dim} names a dimension twice")
        return dims if self.ndim else None

    def _floats(self) -> np.ndarray:
        """The elements as floats: unchanged, or float32 made from ints and bools."""
        return self.data if self.dtype.kind == "f" else self.data.astype(float32)

    def _wide(self) -> Self:
        """This tensor, or float32 made from float16: what sums of many elements are computed in."""
        return self.float() if self.dtype == float16 else self

    # Display

    def __repr__(self) -> str:
        summarized = self.numel() > 200
        text = np.array2string(
            self.data,
            precision=4,
            floatmode="fixed",
            separator=", ",
            prefix="Tensor(",
            suffix=")",
            threshold=200,
            max_line_width=88,
        )
        shape = f", shape={self.shape}" if summarized or self.numel() == 0 else ""
        dtype = f", dtype={self.dtype}" if self.dtype != float32 else ""
        return f"Tensor({text}{shape}{dtype})"

    def __format__(self, spec: str) -> str:
        """f"{loss:.4f}" formats a one-element tensor as its number; f"{x}" is repr(x)."""
        return format(self.item(), spec) if spec else repr(self)


# Joining


def _tensors(tensors: list, op: str) -> list:
    """A list of at least one Tensor, converted to one dtype."""
    if isinstance(tensors, Base) or not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{op}: expected a list or tuple of tensors, got {_describe(tensors)}")
    if not tensors:
        raise ValueError(
            f"{op}: expected at least one tensor, got an empty {type(tensors).__name__}"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, Base):
            raise TypeError(f"{op}: item {i} is not a Tensor but {_describe(x)}")
    dtype = tensors[0].dtype
    for x in tensors[1:]:
        dtype = _promote(dtype, x.dtype)
    if op == "cat":
        for x in tensors:
            x._dim(0, "cat")
        tensors = [x for x in tensors if x.shape != (0,)] or tensors[:1]  # as in PyTorch
    return [x.to(dtype) for x in tensors]
