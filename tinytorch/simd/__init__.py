"""A fast `A @ B` for NumPy in the browser, and the arithmetic a training step needs besides.

NumPy is built for the browser without a BLAS, and multiplies float32 matrices at a few GFLOP/s.
Here is a kernel of our own (gemm.h), in 128-bit SIMD, that takes the place of the float32 and
float64 inner loops of `np.matmul`: `@`, batches, transposed and strided operands, `out=` all run
through it, unchanged. Other loops are replaced where that pays more than one and a half times:

- `+ - * /`, `.sum()` and `np.sqrt` of float32 (arithmetic.h, exponential.h), and `np.maximum`,
  `np.minimum`, `.max()` and `.min()` (maximum.h): bit for bit NumPy's;
- `np.exp` and `np.tanh` of float32 (exponential.h): the float32 nearest to the true value, but for
  a few in a hundred thousand, and those are next to it.

Measured in Chromium 156 on one core of an AMD EPYC, arrays of (64, 4, 64, 64) random float32, in ns
a number (`make bench` measures it anew):

                       NumPy's   relaxed   baseline
    x + y                 0.42      0.18       0.18
    x / y                 0.83      0.21       0.21
    x.sum(0)              0.44      0.14       0.14
    x.sum(-1)             0.56      0.37       0.36
    np.maximum(x, 0)       7.4      0.16       0.15     numbers of random sign
    x.max(-1)              4.3      0.88       0.88
    np.sqrt(x)             1.4      0.36       0.36
    np.exp(x)              4.9       2.0        2.8
    np.tanh(x)              19       2.7        3.6
    softmax over (-1)       12       4.5        5.5

NumPy's own remain: float64 except for the product, maximum and minimum (two lanes gain too little);
comparisons, `where`, `log`, and copying. Rows of ten, as in a classifier's softmax, gain a quarter:
there, most of the time goes into starting each row.

    >>> from tinytorch import simd
    >>> simd.info().kernel
    'relaxed'

`np.dot` and `np.tensordot` keep NumPy's own loop: for two matrices they call a function for one
row times one column, many times over, and nothing in that table could hold a matrix product. Write
`@`. `np.einsum(..., optimize=True)` ends in `np.matmul` since NumPy 2.4 and is fast.

On CPython nothing happens. Where anything is not as expected, NumPy stays as it was and `info()`
says why.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

FOLDER = Path(__file__).parent
KERNELS = ("relaxed", "baseline")  # fastest first


@dataclass(frozen=True)
class Info:
    """Which kernel runs, and why that one."""

    kernel: str  # "relaxed", "baseline", or "numpy" for NumPy's own loops
    reason: str
    numpy: str | None = None  # NumPy's version
    file: str | None = None
    sha256: str | None = None


class _Damaged(RuntimeError):
    """A kernel file is not the one that was built."""


_info = Info("numpy", "not switched on yet: tinytorch.simd.enable()")
_state = None  # what the browser side keeps between calls: the table and NumPy's own loops
_latest = None  # the file of the kernel last in force
_warned = False


def info() -> Info:
    """The kernel in force now."""
    return _info


def enable(kernel: str | None = None) -> Info:
    """Put the best kernel this browser accepts, or the one named, in place of NumPy's loops.

    Never raises, except ValueError for a name that is not in `KERNELS`. When it cannot be done,
    NumPy's loops run as before and the returned `Info` says why. Calling it again costs nothing.
    """
    global _info, _warned
    if kernel is not None and kernel not in KERNELS:
        raise ValueError(f"kernel is {kernel!r}, expected one of {KERNELS} or None")
    if sys.platform != "emscripten":
        _info = Info("numpy", f"this is Python on {sys.platform}, not in a browser")
        return _info
    if _info.kernel != "numpy" and kernel in (None, _info.kernel):
        return _info
    disable()
    try:
        _info = _install(KERNELS if kernel is None else (kernel,))
    except Exception as e:  # whatever goes wrong, arrays must go on multiplying
        _info = replace(_info, kernel="numpy", reason=f"{type(e).__name__}: {e}")
        if isinstance(e, _Damaged) and not _warned:
            _warned = True
            warnings.warn(f"{e} NumPy's own matmul is used.", RuntimeWarning, stacklevel=2)
    return _info


def disable() -> Info:
    """Put NumPy's own loops back. `enable()` switches the kernel on again."""
    global _info
    if _state is not None and _info.kernel != "numpy":
        _state.restore()
        _info = Info("numpy", "switched off: tinytorch.simd.disable()", _info.numpy)
    return _info


def peak(dtype: str = "float32") -> float | None:
    """The machine's limit, measured now: GFLOP/s of multiply-adds on registers and nothing else, in
    the SIMD of the kernel in force, or of the last one that was. A product can only come near it.

    None where no kernel has been in force, as on CPython. Takes 0.2 s. Raises ValueError if dtype
    is neither float32 nor float64.
    """
    name = getattr(dtype, "__name__", str(dtype))
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype is {name!r}, expected 'float32' or 'float64'")
    if _latest is None:
        return None
    return _state.peak(_latest, name)


def _install(names: tuple[str, ...]) -> Info:
    """Load the first of these kernels that the browser accepts and put it in force."""
    global _state, _latest
    import numpy as np

    from . import browser

    if _state is None:
        _state = browser.State()
    refused = []
    for name in names:
        path, digest = _checked(name)
        if not browser.accepts(path):
            refused.append(name)
            continue
        _state.install(path)
        _latest = path
        reason = "this browser runs it"
        if refused:
            reason = f"this browser does not know {' and '.join(refused)} SIMD"
        return Info(name, reason, np.__version__, path.name, digest)
    reason = f"this browser does not know {' nor '.join(refused)} SIMD"
    return Info("numpy", reason, np.__version__)


def _checked(name: str) -> tuple[Path, str]:
    """A kernel's file and checksum. Raises if it is missing or not what the build wrote."""
    import hashlib
    import json

    entry = json.loads((FOLDER / "kernels.json").read_text(encoding="utf-8"))["kernels"][name]
    path = FOLDER / entry["file"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != entry["sha256"]:
        raise _Damaged(f"{path.name} is damaged: sha256 {digest}, expected {entry['sha256']}.")
    return path, digest
