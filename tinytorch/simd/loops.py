"""NumPy's table of inner loops: where `np.matmul` keeps the C function for each dtype.

A ufunc object holds an array of functions and, beside it, the type numbers each is for. NumPy's C
interface lets a program put another function in (`PyUFunc_ReplaceLoopBySignature`, entry 30 of the
table in the capsule `_UFUNC_API`, a place it has had since NumPy 1.0). Everything else, from
checking shapes to broadcasting, copying overlapping operands and `out=`, stays NumPy's.
"""

from __future__ import annotations

import ctypes

import numpy as np

REPLACE_LOOP = 30


class TableDiffers(RuntimeError):
    """NumPy's tables are not laid out as this module knows them."""


class _UFunc(ctypes.Structure):
    """The head of PyUFuncObject (numpy/ufuncobject.h)."""

    _fields_ = (
        ("refcount", ctypes.c_ssize_t),
        ("type", ctypes.c_void_p),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.c_void_p),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_byte)),
    )


class LoopTable:
    """The loops of one ufunc. Raises TableDiffers when they are not where they should be."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc = ufunc
        if type(ufunc).__basicsize__ < ctypes.sizeof(_UFunc):
            raise TableDiffers(f"{ufunc.__name__}: the ufunc object is smaller than expected")
        self._head = head = _UFunc.from_address(id(ufunc))
        seen = (head.type, head.nin, head.nout, head.nargs, head.ntypes)
        expected = (id(type(ufunc)), ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes)
        # The pointers are followed only once the plain numbers around them make sense.
        if seen != expected or head.name != ufunc.__name__.encode():
            raise TableDiffers(f"{ufunc.__name__}: found {seen} where {expected} should be")
        # Reversed, for the first of several names of a number is the one NumPy prints.
        chars = {np.dtype(c).num: c for c in reversed(np.typecodes["All"])}
        for i, signature in enumerate(ufunc.types):
            numbers = head.types[i * head.nargs : (i + 1) * head.nargs]
            if "".join(chars.get(t, "?") for t in numbers) != signature.replace("->", ""):
                raise TableDiffers(f"{ufunc.__name__}: loop {i} is for {numbers}, not {signature}")
        self._replace = _replace_loop()

    def get(self, dtype: type) -> int:
        """Address of the loop for arguments that all have this dtype."""
        number, nargs = np.dtype(dtype).num, self._head.nargs
        for i in range(self._head.ntypes):
            if self._head.types[i * nargs : (i + 1) * nargs] == [number] * nargs:
                address = self._head.functions[i]
                if address:
                    return address
        raise TableDiffers(f"{self.ufunc.__name__}: no loop for {np.dtype(dtype)}")

    def put(self, dtype: type, address: int) -> None:
        """Let the loop for this dtype be the function at `address`."""
        before, number, nargs = self.get(dtype), np.dtype(dtype).num, self._head.nargs
        signature, old = (ctypes.c_int * nargs)(*[number] * nargs), ctypes.c_void_p()
        failed = self._replace(self.ufunc, address, signature, ctypes.byref(old))
        if failed or old.value != before or self.get(dtype) != address:
            raise TableDiffers(f"{self.ufunc.__name__}: the loop for {np.dtype(dtype)} stayed")


def _replace_loop():
    from numpy._core import _multiarray_umath

    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    table = pointer(_multiarray_umath._UFUNC_API, None)
    prototype = ctypes.PYFUNCTYPE(
        ctypes.c_int,
        ctypes.py_object,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_int),
        ctypes.POINTER(ctypes.c_void_p),
    )
    return prototype(ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[REPLACE_LOOP])
