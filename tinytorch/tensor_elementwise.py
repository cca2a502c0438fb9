"""Elementwise operations of a Tensor, all of one pattern: two arrays, NumPy's function, a Tensor.

`+` and `*`, which Module 01 builds, stand in tensor.py.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from .tensor_base import Base
from .tensor_checks import _describe, bool_, float32


class Elementwise(Base):
    """Arithmetic, logic and comparison. `_operands` and `_left`, in tensor.py, make the checks."""

    # Arithmetic. The reflected methods (__radd__ for 2 + x) call the plain ones.

    def __radd__(self, other: object) -> Self:
        return self + other

    def __sub__(self, other: object) -> Self:
        """Elementwise difference, with broadcasting."""
        a, b = self._operands(other, "sub")
        return self._new(a - b)

    def __rsub__(self, other: object) -> Self:
        return self._left(other, "sub") - self

    def __rmul__(self, other: object) -> Self:
        return self * other

    @np.errstate(all="ignore")  # inf and nan are values
    def __truediv__(self, other: object) -> Self:
        """Elementwise quotient, with broadcasting. Ints divided by ints give float32."""
        a, b = self._operands(other, "div")
        return self._new(np.divide(a, b, dtype=a.dtype if a.dtype.kind == "f" else float32))

    def __rtruediv__(self, other: object) -> Self:
        return self._left(other, "div") / self

    @np.errstate(all="ignore")  # inf and nan are values
    def __pow__(self, other: object) -> Self:
        """Elementwise power, with broadcasting."""
        a, b = self._operands(other, "pow")
        return self._new(a**b)

    def __rpow__(self, other: object) -> Self:
        return self._left(other, "pow") ** self

    def __neg__(self) -> Self:
        return self._new(-self.data)

    def __abs__(self) -> Self:
        return self._new(np.abs(self.data))

    def abs(self) -> Self:
        """Elementwise absolute value."""
        return abs(self)

    @np.errstate(all="ignore")  # inf and nan are values
    def exp(self) -> Self:
        """Elementwise e ** x."""
        return self._new(np.exp(self._floats()))

    @np.errstate(all="ignore")  # inf and nan are values
    def log(self) -> Self:
        """Elementwise natural logarithm."""
        return self._new(np.log(self._floats()))

    @np.errstate(all="ignore")  # inf and nan are values
    def sqrt(self) -> Self:
        """Elementwise square root."""
        return self._new(np.sqrt(self._floats()))

    def tanh(self) -> Self:
        """Elementwise hyperbolic tangent."""
        return self._new(np.tanh(self._floats()))

    def clamp(self, min: object = None, max: object = None) -> Self:
        """Elementwise: values below `min` become `min`, values above `max` become `max`."""
        out = self if min is None else maximum(self, min)
        return out if max is None else minimum(out, max)

    def pow(self, exponent: object) -> Self:
        """Elementwise power, as `**`."""
        return self**exponent

    def __floordiv__(self, other: object) -> Self:
        """Elementwise quotient rounded down, with broadcasting; it has no gradient.

        Raises ZeroDivisionError for ints divided by 0.
        """
        a, b = self._operands(other, "floor_divide")
        if a.dtype.kind in "iub" and not np.all(b):
            raise ZeroDivisionError("floor_divide: ints have no quotient by 0")
        with np.errstate(all="ignore"):
            return self._new(np.floor(np.divide(a, b)) if a.dtype.kind == "f" else a // b)

    def __rfloordiv__(self, other: object) -> Self:
        return self._left(other, "floor_divide") // self

    def __mod__(self, other: object) -> Self:
        """Elementwise remainder self - (self // other) * other, with the sign of `other`."""
        return self - (self // other) * other

    def __rmod__(self, other: object) -> Self:
        return self._left(other, "remainder") % self

    # Logic on bools, bit by bit on ints

    def _bits(self, other: object, op: str) -> tuple:
        a, b = self._operands(other, op)
        if a.dtype.kind == "f":
            raise TypeError(f"{op}: expected bools or ints, got {a.dtype}")
        return a, b

    def __and__(self, other: object) -> Self:
        a, b = self._bits(other, "and")
        return self._new(a & b)

    def __or__(self, other: object) -> Self:
        a, b = self._bits(other, "or")
        return self._new(a | b)

    def __xor__(self, other: object) -> Self:
        a, b = self._bits(other, "xor")
        return self._new(a ^ b)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Self:
        """Elementwise not: of bools the other one, of ints each bit."""
        if self.dtype.kind == "f":
            raise TypeError(f"invert: expected bools or ints, got {self.dtype}")
        return self._new(~self.data)

    # Comparison: elementwise, giving bool tensors

    __hash__ = object.__hash__  # defining __eq__ would remove it

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        if not isinstance(other, (Base, np.ndarray, np.generic, bool, int, float)):
            return NotImplemented  # so that `x == None` is plainly False
        a, b = self._operands(other, "eq")
        return self._new(a == b)

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else self._new(~equal.data)

    def __lt__(self, other: object) -> Self:
        a, b = self._operands(other, "lt")
        return self._new(a < b)

    def __le__(self, other: object) -> Self:
        a, b = self._operands(other, "le")
        return self._new(a <= b)

    def __gt__(self, other: object) -> Self:
        a, b = self._operands(other, "gt")
        return self._new(a > b)

    def __ge__(self, other: object) -> Self:
        a, b = self._operands(other, "ge")
        return self._new(a >= b)


# Elementwise choice


def _first_operand(a: object, op: str) -> Base:
    if not isinstance(a, Base):
        raise TypeError(f"{op}: expected a Tensor as the first operand, got {_describe(a)}")
    return a


def maximum[T: Base](a: T, b: object) -> T:
    """Elementwise larger of two, with broadcasting."""
    return a._new(np.maximum(*_first_operand(a, "maximum")._operands(b, "maximum")))


def minimum[T: Base](a: T, b: object) -> T:
    """Elementwise smaller of two, with broadcasting."""
    return a._new(np.minimum(*_first_operand(a, "minimum")._operands(b, "minimum")))


def where[T: Base](condition: T, a: object, b: object) -> T:
    """Elementwise `a` where the bool tensor `condition` is true, else `b`, with broadcasting."""
    mask = Base._new(condition)
    if mask.dtype != bool_:
        raise TypeError(f"where: expected a bool condition, got {mask.dtype}")
    if not isinstance(a, Base):
        a = (b if isinstance(b, Base) else Base._new(np.zeros((), bool_)))._left(a, "where")
    x, y = a._operands(b, "where")
    shape = np.broadcast_shapes(x.shape, np.shape(y))
    mask._operands(np.broadcast_to(np.False_, shape), "where")  # does the condition fit, too?
    return mask._new(np.where(mask.data, x, y))
