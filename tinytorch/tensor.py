"""Tensor: an n-dimensional array of numbers, the one data type everything else is built from.

The numbers live in a NumPy array, `self.data`. NumPy supplies the loops; this file says what the
operations are called, which shapes fit, which dtype comes out and when memory is shared.
Names and behavior follow PyTorch (https://pytorch.org/docs/stable/tensors.html).

There are no in-place operators: Python runs `a += b` as `a = a + b`, which makes a new tensor.
Only assignment to an index, `a[0] = 1`, writes into existing memory.
"""

from __future__ import annotations

import math
import operator
from collections import namedtuple
from collections.abc import Iterator

import numpy as np

from .tensor_checks import (
    Shape,
    _check_numeric,
    _describe,
    _index,
    _ints,
    _ints_first,
    _join,
    _nested_shape,
    _promote,
    _promote_arrays,
    bool_,
    float16,
    float32,
    int32,
    int64,
)
from .tensor_sum import _add_up

MinMax = namedtuple("MinMax", ["values", "indices"])


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


class Tensor:
    """An n-dimensional array of numbers, all of one dtype, float32 unless said otherwise."""

    __array_priority__ = 1000  # makes `ndarray + Tensor` ask Tensor.__radd__

    # Construction

    def _set_data(self, value: object) -> None:
        if type(value) is not np.ndarray:
            if not isinstance(value, (Tensor, np.ndarray, np.generic)):
                raise TypeError(f"data: expected a Tensor or an array, got {_describe(value)}")
            value = value.data if isinstance(value, Tensor) else np.asarray(value)
        self._data = value

    # The NumPy array with the elements. A Tensor that is assigned leaves its array, also in
    # `p.data -= x`. Reading is hot, and attrgetter faster than a function.
    data = property(operator.attrgetter("_data"), _set_data)

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

    def item(self) -> float | int | bool:
        """The single element as a Python number. Raises ValueError if there is not exactly one."""
        if self.numel() != 1:
            raise ValueError(f"item: expected exactly one element, got shape {self.shape}")
        return self.data.item()

    def numpy(self) -> np.ndarray:
        """The elements as a NumPy array sharing this tensor's memory."""
        return self.data

    def tolist(self) -> list | float | int | bool:
        """The elements as nested lists of Python numbers."""
        return self.data.tolist()

    def clone(self) -> Tensor:
        """A row-major copy in memory of its own."""
        return Tensor(self.data.copy())

    def to(self, dtype: object) -> Tensor:
        """The same values as `dtype`: a copy, or this tensor itself if nothing changes."""
        if isinstance(dtype, str) and dtype.split(":")[0] in ("cpu", "cuda", "mps"):
            raise TypeError(f"to: expected a dtype, got {dtype!r}; there are no other devices here")
        return self if self.dtype == dtype else Tensor(self.data, dtype=dtype)

    def float(self) -> Tensor:
        """The same values as float32."""
        return self.to(float32)

    def long(self) -> Tensor:
        """The same values as int64, fractions cut off."""
        return self.to(int64)

    # Given helpers: operands and dims

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

    def _wide(self) -> Tensor:
        """This tensor, or float32 made from float16: what sums of many elements are computed in."""
        return self.float() if self.dtype == float16 else self

    # Arithmetic. The reflected methods (__radd__ for 2 + x) call the plain ones.

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

    def __radd__(self, other: object) -> Tensor:
        return self + other

    def __sub__(self, other: object) -> Tensor:
        """Elementwise difference, with broadcasting."""
        a, b = self._operands(other, "sub")
        return Tensor(a - b)

    def __rsub__(self, other: object) -> Tensor:
        return self._left(other, "sub") - self

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

    def __rmul__(self, other: object) -> Tensor:
        return self * other

    @np.errstate(all="ignore")  # inf and nan are values
    def __truediv__(self, other: object) -> Tensor:
        """Elementwise quotient, with broadcasting. Ints divided by ints give float32."""
        a, b = self._operands(other, "div")
        return Tensor(np.divide(a, b, dtype=a.dtype if a.dtype.kind == "f" else float32))

    def __rtruediv__(self, other: object) -> Tensor:
        return self._left(other, "div") / self

    @np.errstate(all="ignore")  # inf and nan are values
    def __pow__(self, other: object) -> Tensor:
        """Elementwise power, with broadcasting."""
        a, b = self._operands(other, "pow")
        return Tensor(a**b)

    def __rpow__(self, other: object) -> Tensor:
        return self._left(other, "pow") ** self

    def __neg__(self) -> Tensor:
        return Tensor(-self.data)

    def __abs__(self) -> Tensor:
        return Tensor(np.abs(self.data))

    def abs(self) -> Tensor:
        """Elementwise absolute value."""
        return abs(self)

    @np.errstate(all="ignore")  # inf and nan are values
    def exp(self) -> Tensor:
        """Elementwise e ** x."""
        return Tensor(np.exp(self._floats()))

    @np.errstate(all="ignore")  # inf and nan are values
    def log(self) -> Tensor:
        """Elementwise natural logarithm."""
        return Tensor(np.log(self._floats()))

    @np.errstate(all="ignore")  # inf and nan are values
    def sqrt(self) -> Tensor:
        """Elementwise square root."""
        return Tensor(np.sqrt(self._floats()))

    def tanh(self) -> Tensor:
        """Elementwise hyperbolic tangent."""
        return Tensor(np.tanh(self._floats()))

    def clamp(self, min: object = None, max: object = None) -> Tensor:
        """Elementwise: values below `min` become `min`, values above `max` become `max`."""
        out = self if min is None else maximum(self, min)
        return out if max is None else minimum(out, max)

    def pow(self, exponent: object) -> Tensor:
        """Elementwise power, as `**`."""
        return self**exponent

    def __floordiv__(self, other: object) -> Tensor:
        """Elementwise quotient rounded down, with broadcasting; it has no gradient.

        Raises ZeroDivisionError for ints divided by 0.
        """
        a, b = self._operands(other, "floor_divide")
        if a.dtype.kind in "iub" and not np.all(b):
            raise ZeroDivisionError("floor_divide: ints have no quotient by 0")
        with np.errstate(all="ignore"):
            return Tensor(np.floor(np.divide(a, b)) if a.dtype.kind == "f" else a // b)

    def __rfloordiv__(self, other: object) -> Tensor:
        return self._left(other, "floor_divide") // self

    def __mod__(self, other: object) -> Tensor:
        """Elementwise remainder self - (self // other) * other, with the sign of `other`."""
        return self - (self // other) * other

    def __rmod__(self, other: object) -> Tensor:
        return self._left(other, "remainder") % self

    # Logic on bools, bit by bit on ints

    def _bits(self, other: object, op: str) -> tuple:
        a, b = self._operands(other, op)
        if a.dtype.kind == "f":
            raise TypeError(f"{op}: expected bools or ints, got {a.dtype}")
        return a, b

    def __and__(self, other: object) -> Tensor:
        a, b = self._bits(other, "and")
        return Tensor(a & b)

    def __or__(self, other: object) -> Tensor:
        a, b = self._bits(other, "or")
        return Tensor(a | b)

    def __xor__(self, other: object) -> Tensor:
        a, b = self._bits(other, "xor")
        return Tensor(a ^ b)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Tensor:
        """Elementwise not: of bools the other one, of ints each bit."""
        if self.dtype.kind == "f":
            raise TypeError(f"invert: expected bools or ints, got {self.dtype}")
        return Tensor(~self.data)

    # Comparison: elementwise, giving bool tensors

    __hash__ = object.__hash__  # defining __eq__ would remove it

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        if not isinstance(other, (Tensor, np.ndarray, np.generic, bool, int, float)):
            return NotImplemented  # so that `x == None` is plainly False
        a, b = self._operands(other, "eq")
        return Tensor(a == b)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else Tensor(~equal.data)

    def __lt__(self, other: object) -> Tensor:
        a, b = self._operands(other, "lt")
        return Tensor(a < b)

    def __le__(self, other: object) -> Tensor:
        a, b = self._operands(other, "le")
        return Tensor(a <= b)

    def __gt__(self, other: object) -> Tensor:
        a, b = self._operands(other, "gt")
        return Tensor(a > b)

    def __ge__(self, other: object) -> Tensor:
        a, b = self._operands(other, "ge")
        return Tensor(a >= b)

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

    def view(self, *sizes: int | tuple[int, ...]) -> Tensor:
        """As `reshape`, but never a copy: ValueError if the memory layout would need one."""
        out = self.reshape(*sizes)
        if out.numel() and not np.may_share_memory(out.data, self.data):
            layout = f"shape {self.shape} with strides {self.stride()}"
            raise ValueError(f"view: {layout} needs a copy to become {out.shape}; use reshape")
        return out

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

    @property
    def T(self) -> Tensor:
        """All dimensions in reverse order, as a view: of a matrix, the transpose."""
        return Tensor(self.data.T)

    @property
    def mT(self) -> Tensor:
        """The last two dimensions swapped, as a view: each matrix of a batch transposed."""
        if self.ndim < 2:
            raise ValueError(f"mT: expected at least two dimensions, got shape {self.shape}")
        return self.transpose(-2, -1)

    def permute(self, *dims: int | tuple[int, ...]) -> Tensor:
        """The dimensions in the given order, as a view. Raises ValueError unless each is there."""
        order = tuple(self._dim(dim, "permute") for dim in _ints("permute", dims))
        if sorted(order) != list(range(self.ndim)):
            asked = f"dims {_ints('permute', dims)}"
            raise ValueError(f"permute: {asked} must name each dimension of {self.shape} once")
        return Tensor(self.data.transpose(order))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Dimensions start_dim to end_dim (included) merged into one; a view if possible."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self._dim(start_dim, "flatten"), self._dim(end_dim, "flatten")
        if start > end:
            raise ValueError(f"flatten: start_dim {start_dim} lies after end_dim {end_dim}")
        merged = math.prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], merged, *self.shape[end + 1 :])

    def squeeze(self, dim: int | None = None) -> Tensor:
        """All dimensions of size 1 removed, or only `dim` if its size is 1; a view."""
        drop = range(self.ndim) if dim is None else (self._dim(dim, "squeeze", number=True),)
        return Tensor(self.data.squeeze(tuple(d for d in drop if self.shape[d : d + 1] == (1,))))

    def unsqueeze(self, dim: int) -> Tensor:
        """A new dimension of size 1 at position `dim`; a view."""
        return Tensor(np.expand_dims(self.data, self._dim(dim, "unsqueeze", extra=1)))

    def expand(self, *sizes: int | tuple[int, ...]) -> Tensor:
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
        if wanted == own:
            return Tensor(self.data[(None,) * (len(shape) - self.ndim) + (...,)])  # nothing repeats
        return Tensor(np.broadcast_to(self.data, wanted))

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

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len: a tensor of shape () has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

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

    def var(
        self, dim: int | tuple[int, ...] | None = None, correction: int = 1, keepdim: bool = False
    ) -> Tensor:
        """The variance: squared distances from the mean, summed, over count - correction.

        correction=1 estimates the variance of what n samples came from; 0 is that of the samples.
        """
        x = self._wide()
        x = x - x._first(dim)  # changes nothing but rounding: equal numbers have variance 0
        centered = x - x.mean(dim, keepdim=True)
        total = (centered * centered).sum(dim, keepdim)
        return (total / max(self.numel() / max(total.numel(), 1) - correction, 0)).to(self.dtype)

    def _first(self, dim: int | tuple[int, ...] | None) -> Tensor:
        """The first element along `dim`, which stays, as plain numbers; 0 if it is not finite."""
        dims = self._dims(dim, "var")
        part = (slice(1) if dims is None or d in dims else slice(None) for d in range(self.ndim))
        first = self.data[(*part, ...)]
        return Tensor(np.where(np.isfinite(first), first, first.dtype.type(0)))

    def std(
        self, dim: int | tuple[int, ...] | None = None, correction: int = 1, keepdim: bool = False
    ) -> Tensor:
        """The standard deviation, the square root of `var`."""
        return self._wide().var(dim, correction, keepdim).sqrt().to(self.dtype)

    def _arg(self, op: str, dim: int | None, keepdim: bool) -> Tensor:
        if isinstance(dim, (tuple, list)):
            raise TypeError(f"{op}: expected one dim, got {dim}; take one after the other")
        axis = None if dim is None else self._dim(dim, op, number=True)
        axis = axis if self.ndim else None
        if (self.numel() if axis is None else self.shape[axis]) == 0:
            raise ValueError(f"{op}: shape {self.shape} has no elements to compare")
        find = np.argmax if op.endswith("max") else np.argmin
        return Tensor(find(self.data, axis=axis, keepdims=keepdim), dtype=int64)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the largest element is, int64: in the flattened tensor, or along `dim`."""
        return self._arg("argmax", dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the smallest element is, int64: in the flattened tensor, or along `dim`."""
        return self._arg("argmin", dim, keepdim)

    def _extreme(self, op: str, dim: int | None, keepdim: bool) -> Tensor | MinMax:
        indices = self._arg(op, dim, keepdim=True)
        if dim is None:
            return Tensor(self.data.reshape(-1)[indices.data.item()])
        if self.ndim == 0:
            return MinMax(self.clone(), indices)
        values = Tensor(np.take_along_axis(self.data, indices.data, self._dim(dim, op)))
        return MinMax(*(t if keepdim else t.squeeze(dim) for t in (values, indices)))

    def max(self, dim: int | None = None, keepdim: bool = False) -> Tensor | MinMax:
        """The largest element; with `dim`, the pair (values, indices) along it."""
        return self._extreme("max", dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Tensor | MinMax:
        """The smallest element; with `dim`, the pair (values, indices) along it."""
        return self._extreme("min", dim, keepdim)

    def any(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
        """Whether at least one element is true (not zero)."""
        axis = () if dim == () else self._dims(dim, "any")  # here, as in PyTorch, () is no dims
        return Tensor(self.data.any(axis=axis, keepdims=keepdim))

    def all(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
        """Whether every element is true (not zero)."""
        axis = () if dim == () else self._dims(dim, "all")  # here, as in PyTorch, () is no dims
        return Tensor(self.data.all(axis=axis, keepdims=keepdim))

    # Memory layout

    def stride(self) -> Shape:
        """Per dimension, how many elements apart two neighbors lie in memory."""
        return tuple(step // self.data.itemsize for step in self.data.strides)

    @property
    def strides(self) -> Shape:
        """As `stride()`: in elements, where NumPy's are in bytes."""
        return self.stride()

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


# Elementwise choice


def _first_operand(a: object, op: str) -> Tensor:
    if not isinstance(a, Tensor):
        raise TypeError(f"{op}: expected a Tensor as the first operand, got {_describe(a)}")
    return a


def maximum(a: Tensor, b: object) -> Tensor:
    """Elementwise larger of two, with broadcasting."""
    return Tensor(np.maximum(*_first_operand(a, "maximum")._operands(b, "maximum")))


def minimum(a: Tensor, b: object) -> Tensor:
    """Elementwise smaller of two, with broadcasting."""
    return Tensor(np.minimum(*_first_operand(a, "minimum")._operands(b, "minimum")))


def where(condition: Tensor, a: object, b: object) -> Tensor:
    """Elementwise `a` where the bool tensor `condition` is true, else `b`, with broadcasting."""
    mask = Tensor(condition).data
    if mask.dtype != bool_:
        raise TypeError(f"where: expected a bool condition, got {mask.dtype}")
    if not isinstance(a, Tensor):
        a = (b if isinstance(b, Tensor) else Tensor(np.False_))._left(a, "where")
    x, y = a._operands(b, "where")
    _check_broadcast("where", mask.shape, broadcast_shapes(x.shape, np.shape(y)))
    return Tensor(np.where(mask, x, y))


# Joining


def _tensors(tensors: list[Tensor], op: str) -> list[Tensor]:
    """A list of at least one Tensor, converted to one dtype."""
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{op}: expected a list or tuple of tensors, got {_describe(tensors)}")
    if not tensors:
        raise ValueError(
            f"{op}: expected at least one tensor, got an empty {type(tensors).__name__}"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise TypeError(f"{op}: item {i} is not a Tensor but {_describe(x)}")
    dtype = tensors[0].dtype
    for x in tensors[1:]:
        dtype = _promote(dtype, x.dtype)
    if op == "cat":
        for x in tensors:
            x._dim(0, "cat")
        tensors = [x for x in tensors if x.shape != (0,)] or tensors[:1]  # as in PyTorch
    return [x.to(dtype) for x in tensors]


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
