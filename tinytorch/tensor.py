"""Tensor: an n-dimensional array of numbers, the one data type everything else is built from.

The numbers live in a NumPy array, `self.data`. NumPy supplies the loops; this file says what the
operations are called, which shapes fit, which dtype comes out and when memory is shared.
Names and behavior follow PyTorch (https://pytorch.org/docs/stable/tensors.html).

There are no in-place operators: Python runs `a += b` as `a = a + b`, which makes a new tensor.
Only assignment to an index, `a[0] = 1`, writes into existing memory.
"""

from __future__ import annotations

import math

import numpy as np

from .tensor_base import Base, _tensors
from .tensor_checks import (
    Shape,
    _check_numeric,
    _describe,
    _index,
    _ints,
    _ints_first,
    _join,
    _nested_shape,
    _promote_arrays,
    float32,
    int32,
    int64,
)
from .tensor_elementwise import Elementwise
from .tensor_reductions import Reductions, _add_up
from .tensor_views import Views

# Shapes and strides


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to.

    Line the shapes up at the right. In each dimension all sizes other than 1 must agree, and that
    size is the result's; a dimension a shape does not have counts as size 1.

    Raises ValueError, with dimensions counted from the left of the result:
    `shapes (2, 3) and (4,) do not broadcast: dimension 1 has sizes 3 and 4`

    >>> broadcast_shapes((2, 1, 3), (4, 1))
    (2, 4, 3)
    """
    result = [1] * max((len(shape) for shape in shapes), default=0)
    for shape in shapes:
        for i in range(1, len(shape) + 1):  # counted from the right, so that missing ones match
            if result[-i] == 1:
                result[-i] = shape[-i]
            elif shape[-i] not in (1, result[-i]):
                where = f"dimension {len(result) - i} has sizes {result[-i]} and {shape[-i]}"
                raise ValueError(f"shapes {_join(shapes)} do not broadcast: {where}")
    return tuple(result)


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of a row-major tensor of this shape.

    The stride of a dimension is the distance in memory between one index and the next: 1 for the
    last dimension, and for each other one the product of all sizes to its right. In that product a
    size of 0 counts as 1.

    >>> contiguous_strides((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _check_broadcast(op: str, a: Shape, b: Shape) -> None:
    if a != b:
        try:
            broadcast_shapes(a, b)
        except ValueError as error:
            raise ValueError(f"{op}: {error}") from None


class Tensor(Elementwise, Reductions, Views):
    """An n-dimensional array of numbers, all of one dtype, float32 unless said otherwise."""

    __array_priority__ = 1000  # makes `ndarray + Tensor` ask Tensor.__radd__

    def __init__(self, data: object, dtype: object = None) -> None:
        """Store `data` as a NumPy array in `self.data`.

        data: a number or nested lists or tuples of numbers, copied as float32; a NumPy array or
        scalar, which keeps its dtype and is not copied; or a Tensor, whose array is shared.
        dtype: converts to this dtype instead, copying only when it differs.

        Raises TypeError for anything that is not numbers and ValueError for ragged lists.
        `_nested_shape(data)` makes both checks for numbers and lists; `_check_numeric(array)`
        makes them for an array.

        >>> Tensor([[1, 2, 3], [4, 5, 6]]).data.dtype
        dtype('float32')
        """
        if isinstance(data, Tensor):
            data = data.data
        if not isinstance(data, (np.ndarray, np.generic)):
            _nested_shape(data)
            data = np.array(data, dtype=dtype or float32)
        self.data = np.asarray(data, dtype=dtype)
        _check_numeric(self.data)

    # Given helpers: the other operand

    def _operands(self, other: object, op: str, broadcast: bool = True) -> tuple:
        """This tensor and the other operand as two things NumPy combines by PyTorch's dtype rules.

        `other` is a Tensor, an array or a number. A number stays a number and takes the tensor's
        dtype, except that a float turns an int tensor into float32. Raises TypeError for anything
        else, and ValueError for shapes that do not broadcast; both name `op`.
        """
        a = self.data
        if isinstance(other, np.generic):
            other = other.item()
        if isinstance(other, (bool, int, float)):
            if isinstance(other, float) and a.dtype.kind != "f":
                a = a.astype(float32)
            elif a.dtype.kind == "b" and not isinstance(other, bool):
                a = a.astype(int64)
            return a, other
        if not isinstance(other, (Tensor, np.ndarray)):
            raise TypeError(f"{op}: expected a Tensor, number or array, got {_describe(other)}")
        b = other.data if isinstance(other, Tensor) else Tensor(other).data
        if broadcast:
            _check_broadcast(op, a.shape, b.shape)
        if a.dtype != b.dtype:
            dtype = _promote_arrays(a, b)
            a, b = a.astype(dtype, copy=False), b.astype(dtype, copy=False)
        if op == "matmul" and a.dtype.kind in "iu" and a.dtype.itemsize < 4:
            a, b = a.astype(int32), b.astype(int32)  # a sum of products is more than a byte holds
        return a, b

    def _left(self, other: object, op: str) -> Tensor:
        """`other` as a Tensor that can stand left of this one: for 2 - x, 2 / x, 2 ** x."""
        a, b = self._operands(other, op)
        return Tensor(np.asarray(b, dtype=a.dtype))

    # Arithmetic

    def __add__(self, other: object) -> Tensor:
        """Elementwise sum, as a new tensor; neither operand changes.

        other: a Tensor, array or number. Shapes broadcast; the result has shape
        `broadcast_shapes(self.shape, other.shape)`. A number takes this tensor's dtype.

        Raises TypeError for other types and ValueError when the shapes do not broadcast.
        `a, b = self._operands(other, "add")` raises both, and gives two operands ready for NumPy.

        >>> Tensor([[1, 2], [3, 4]]) + Tensor([10, 20])
        Tensor([[11.0000, 22.0000],
                [13.0000, 24.0000]])
        """
        a, b = self._operands(other, "add")
        return Tensor(a + b)

    def __mul__(self, other: object) -> Tensor:
        """Elementwise product, as a new tensor; neither operand changes.

        other: a Tensor, array or number. Shapes broadcast and errors are raised as in `__add__`,
        but name "mul": `a, b = self._operands(other, "mul")`. For the matrix product see `@`.

        >>> Tensor([[1, 2], [3, 4]]) * Tensor([[10], [100]])
        Tensor([[ 10.0000,  20.0000],
                [300.0000, 400.0000]])
        """
        a, b = self._operands(other, "mul")
        return Tensor(a * b)

    # Matrix product

    def __matmul__(self, other: object) -> Tensor:
        """Matrix product.

            (n, k) @ (k, m)        -> (n, m)     result[i, j] = sum over k of a[i, k] * b[k, j]
            (n, k) @ (k,)          -> (n,)       a 1-d right operand is a column
            (k,) @ (k, m)          -> (m,)       a 1-d left operand is a row
            (k,) @ (k,)            -> ()         the dot product
            (..., n, k) @ (..., k, m)            the leading dimensions broadcast

        The inner dimensions, `k`, are the last of the left operand and the second-last of the
        right one (or its only one). NumPy's own `@` computes all five cases.

        Raises TypeError if `other` is not a Tensor or array, and ValueError
        - if an operand is a number or has no dimensions,
        - if the inner ones differ: `matmul: (2, 3) @ (4, 5): inner dimensions 3 and 4 differ`,
        - if the leading ones do not broadcast: `_check_broadcast(text, a_shape, b_shape)` raises
          it, with `text` in front.
        `a, b = self._operands(other, "matmul", broadcast=False)` raises the TypeError and gives two
        operands ready for NumPy.
        """
        a, b = self._operands(other, "matmul", broadcast=False)
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            shapes = f"{np.shape(a)} and {np.shape(b)}"
            raise ValueError(f"matmul: operands need at least one dimension, got shapes {shapes}")
        columns, rows = a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]
        if columns != rows:
            inner = f"inner dimensions {columns} and {rows} differ"
            raise ValueError(f"matmul: {a.shape} @ {b.shape}: {inner}")
        _check_broadcast(f"matmul: {a.shape} @ {b.shape}", a.shape[:-2], b.shape[:-2])
        return Tensor(a @ b)

    def __rmatmul__(self, other: object) -> Tensor:
        self._operands(other, "matmul", broadcast=False)
        return Tensor(other) @ self

    # Shape. A view is a tensor over the same memory: writing to one shows in the other.

    def reshape(self, *sizes: int | tuple[int, ...]) -> Tensor:
        """The same elements, in row-major order, in another shape; a view whenever one is possible.

        sizes: `reshape(2, 3)` or `reshape((2, 3))`; `_ints("reshape", sizes)` gives a tuple for
        either. At most one size may be -1: it becomes whatever makes the element counts equal.

        Raises ValueError, naming the number of elements and both shapes, if the counts differ, if
        a size is otherwise negative, or if -1 cannot be worked out.

        >>> Tensor([1, 2, 3, 4, 5, 6]).reshape(2, -1).shape
        (2, 3)
        """
        shape = _ints("reshape", sizes)
        known = math.prod(size for size in shape if size != -1)
        if shape.count(-1) == 1 and known > 0:
            shape = tuple(self.numel() // known if size == -1 else size for size in shape)
        if min(shape, default=0) < 0 or math.prod(shape) != self.numel():
            count = f"{self.numel()} elements of shape {self.shape}"
            raise ValueError(f"reshape: the {count} do not fit shape {_ints('reshape', sizes)}")
        return Tensor(self.data.reshape(shape))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Swap two dimensions, as a view: no element moves in memory.

        Dims may be negative, counted from the end. Raises IndexError for a dim out of range:
        `self._dim(dim0, "transpose")` does, and gives the dim as a number >= 0.

        >>> x = Tensor([[1, 2, 3], [4, 5, 6]])  # (2, 3)
        >>> x.transpose(0, 1).shape
        (3, 2)
        """
        dim0, dim1 = self._dim(dim0, "transpose"), self._dim(dim1, "transpose")
        return Tensor(self.data.swapaxes(dim0, dim1))

    # Indexing

    def __getitem__(self, index: object) -> Tensor:
        """The elements at `index`.

        index: an int, slice, None, `...`, or a list, array or Tensor of ints or bools; or a tuple
        of these, one per dimension. Ints and slices give a view of this tensor's memory, also when
        a single element is left (shape ()). Lists, arrays and Tensors give a copy.

        `array, index = _ints_first(self.data, index)` takes ints beside an index array first, as
        PyTorch does, and `_index(index)` gives an index in a form NumPy understands. Raises
        IndexError, with this tensor's shape in the text, where NumPy raises IndexError.

        >>> x = Tensor([[1, 2, 3], [4, 5, 6]])
        >>> x[:, 1]
        Tensor([2.0000, 5.0000])
        """
        try:
            array, index = _ints_first(self.data, index)
            return Tensor(array[_index(index)])
        except IndexError as error:
            raise IndexError(f"getitem: {error} (shape {self.shape})") from None

    def __setitem__(self, index: object, value: object) -> None:
        """Write `value`, a number or something that broadcasts to the place, into this memory."""
        value = value if isinstance(value, (bool, int, float)) else Tensor(value).data
        try:
            array, index = _ints_first(self.data, index)
            array[_index(index)] = value
        except (IndexError, ValueError) as error:
            raise type(error)(f"setitem: {error} (shape {self.shape})") from None

    # Reductions. dim is one dimension, a tuple of them, or None for all.

    def sum(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
        """The sum of all elements, shape (), or along `dim`, which disappears from the shape.

        dim: an int or a tuple of ints; negative ones count from the end. `self._dims(dim, "sum")`
        gives NumPy's `axis` and raises IndexError for a dim out of range. With keepdim=True the
        summed dimensions stay, with size 1. Floats keep their dtype; ints and bools give int64.
        `_add_up(array, axis, keepdim)` is NumPy's `sum` with that dtype, and more exact.

        >>> Tensor([[1, 2, 3], [4, 5, 6]]).sum(dim=1)
        Tensor([ 6.0000, 15.0000])
        """
        return Tensor(_add_up(self.data, self._dims(dim, "sum"), keepdim))

    def mean(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
        """The mean of all elements, shape (), or along `dim`; dim and keepdim as for `sum`.

        It is the sum divided by how many elements went into each sum. The mean of no elements is
        nan. Raises TypeError for ints and bools: their mean is not one of them. float16 is added up
        in float32, `self._wide()`, for the sum may be more than float16 holds.

        >>> Tensor([[1, 2, 3], [4, 5, 6]]).mean(dim=0, keepdim=True)
        Tensor([[2.5000, 3.5000, 4.5000]])
        """
        if self.dtype.kind != "f":
            raise TypeError(
                f"mean: expected a float tensor, got {self.dtype}; use x.float().mean()"
            )
        total = self._wide().sum(dim, keepdim)
        return (total / (self.numel() / max(total.numel(), 1))).to(self.dtype)

    # Memory layout

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order without gaps.

        That is so when `self.stride()` is what `contiguous_strides` gives for this shape. The
        stride of a dimension of size 1 does not matter, since no step is ever taken along it; and
        a tensor without elements is contiguous.

        >>> x = Tensor([[1, 2, 3], [4, 5, 6]])
        >>> x.is_contiguous(), x.T.is_contiguous()
        (True, False)
        """
        if self.numel() == 0:
            return True
        layout = zip(self.shape, self.stride(), contiguous_strides(self.shape), strict=True)
        return all(size == 1 or actual == expected for size, actual, expected in layout)

    def contiguous(self) -> Tensor:
        """A contiguous tensor with these elements: itself if it already is one, else a copy.

        >>> x = Tensor([[1, 2, 3], [4, 5, 6]])
        >>> x.contiguous() is x, x.T.contiguous().stride()
        (True, (2, 1))
        """
        if self.is_contiguous():
            return self
        return Tensor(self.data.copy(order="C"))


Base._new = Tensor

# Joining


def cat(tensors: list[Tensor], dim: int = 0) -> Tensor:
    """The tensors joined along an existing dimension, as a new tensor.

    Their shapes may differ in `dim` only; the result's size there is the sum of theirs.
    `_tensors(tensors, "cat")` checks the list, drops those of shape (0,) and converts the others to
    one dtype; `x._dim(dim, "cat")` checks `dim`.

    Raises ValueError for an empty list, and for a shape that does not fit:
    `cat: tensor 1 has shape (2, 4), tensor 0 has (2, 3): they may differ in dimension 0 only`

    >>> cat([zeros(2, 3), ones(1, 3)]).shape
    (3, 3)
    """
    tensors = _tensors(tensors, "cat")
    first = tensors[0].shape
    dim = tensors[0]._dim(dim, "cat")
    for i, x in enumerate(tensors):
        if x.ndim != len(first) or any(x.shape[d] != n for d, n in enumerate(first) if d != dim):
            shapes = f"tensor {i} has shape {x.shape}, tensor 0 has {first}"
            raise ValueError(f"cat: {shapes}: they may differ in dimension {dim} only")
    return Tensor(np.concatenate([x.data for x in tensors], axis=dim))


def stack(tensors: list[Tensor], dim: int = 0) -> Tensor:
    """The tensors, all of one shape, joined along a new dimension, as a new tensor.

    The new dimension stands at position `dim` of the result and has size len(tensors). It is `cat`
    of the tensors after `unsqueeze(dim)`. `_tensors(tensors, "stack")` checks the list,
    `x._dim(dim, "stack", extra=1)` checks `dim`, which may be one more than for `cat`.

    Raises ValueError for an empty list, and for shapes that differ:
    `stack: tensor 1 has shape (2, 4), tensor 0 has (2, 3): all shapes must be the same`

    >>> stack([zeros(2, 3), ones(2, 3)], dim=1).shape
    (2, 2, 3)
    """
    tensors = _tensors(tensors, "stack")
    first = tensors[0].shape
    dim = tensors[0]._dim(dim, "stack", extra=1)
    for i, x in enumerate(tensors):
        if x.shape != first:
            shapes = f"tensor {i} has shape {x.shape}, tensor 0 has {first}"
            raise ValueError(f"stack: {shapes}: all shapes must be the same")
    return cat([x.unsqueeze(dim) for x in tensors], dim)
