"""Activations: the small nonlinear functions between the layers of a network.

Each is a function, Tensor to Tensor, that leaves its argument alone and keeps the dtype (ints
become float32), and a class whose objects hold the options and call the function. All are finite
wherever the true value is: no exponential is taken of a number above zero.
Names and behavior follow PyTorch (https://pytorch.org/docs/stable/nn.functional.html).
"""

from __future__ import annotations

import math

import numpy as np

from .tensor import Tensor, _describe


def _floats(x: Tensor, op: str) -> np.ndarray:
    """The elements as an array of floats, not to be written into. TypeError if x is no Tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: expected a Tensor, got {_describe(x)}")
    return x._floats()


# Elementwise: each number by itself


def relu(x: Tensor) -> Tensor:
    """Elementwise: x where x is positive, 0 where it is negative. nan stays nan.

    Returns a new tensor. `_floats(x, "relu")` gives the elements as an array, and raises TypeError
    if x is no Tensor.

    >>> relu(Tensor([-2, 0, 3]))
    Tensor([0.0000, 0.0000, 3.0000])
    """
    return Tensor(np.maximum(_floats(x, "relu"), 0))


def sigmoid(x: Tensor) -> Tensor:
    """Elementwise 1 / (1 + e^-x), between 0 and 1, for x of any size.

    e^1000 is more than a float holds. With z = e^-|x|, which lies between 0 and 1,
        sigmoid(x) = 1 / (1 + z)  where x >= 0
        sigmoid(x) = z / (1 + z)  where x < 0
    are the same function without overflow. `np.maximum(x >= 0, z)` is either numerator.
    `_floats(x, "sigmoid")` gives the elements as an array.

    >>> sigmoid(Tensor([-1000, 0, 1000]))
    Tensor([0.0000, 0.5000, 1.0000])
    """
    x = _floats(x, "sigmoid")
    z = np.abs(x, out=np.empty_like(x))
    np.exp(np.negative(z, out=z), out=z)
    out = np.maximum(x >= 0, z)  # True counts as 1
    z += 1
    out /= z
    return Tensor(out)


def tanh(x: Tensor) -> Tensor:
    """Elementwise (e^x - e^-x) / (e^x + e^-x), between -1 and 1, for x of any size.

    For small x it is close to x itself, and as precise as x is. NumPy's own tanh keeps both
    promises. `_floats(x, "tanh")` gives the elements as an array.

    >>> tanh(Tensor([-1000, 0, 1]))
    Tensor([-1.0000,  0.0000,  0.7616])
    """
    return Tensor(np.tanh(_floats(x, "tanh")))


def gelu(x: Tensor) -> Tensor:
    """Elementwise x times the chance that a standard normal number lies below x, approximately:

        0.5 * x * (1 + tanh(u)),  u = sqrt(2 / pi) * (x + 0.044715 * x^3)

    which is within 0.0005 of the exact value, and is PyTorch's with approximate="tanh".
    NumPy's `x**3` goes through a logarithm; `x * (1 + 0.044715 * x * x)` only multiplies.
    `_floats(x, "gelu")` gives the elements as an array, which must not be written into.

    Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.

    >>> gelu(Tensor([-2, -1, 0, 1, 2]))
    Tensor([-0.0454, -0.1588,  0.0000,  0.8412,  1.9546])
    """
    x = _floats(x, "gelu")
    with np.errstate(over="ignore", invalid="ignore"):  # where x^3 overflows, tanh(inf) is 1
        u = np.square(x, out=np.empty_like(x))
        u *= 0.044715
        u += 1
        u *= x
        u *= math.sqrt(2 / math.pi)
        np.tanh(u, out=u)
        u += 1
        u *= 0.5  # before x, which twice as large may be more than a float holds
        u *= x
    return Tensor(u)


# Along a dimension: all numbers of a row together


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """The shares e^x / sum(e^x) along `dim`: positive, and they sum to 1. The shape is x's.

    Adding one number to a whole row changes none of its shares, so the row's largest is subtracted
    first: the largest exponential is then e^0 = 1, and nothing overflows. A -inf gets the share 0.
    `_floats(x, "softmax")` gives the elements as an array. `x._dim(dim, "softmax")` gives NumPy's
    axis and raises IndexError for a dim that is not there.

    >>> softmax(Tensor([[1000, 1000], [0, 1000]]), dim=1)
    Tensor([[0.5000, 0.5000],
            [0.0000, 1.0000]])
    """
    data, axis = _floats(x, "softmax"), x._dim(dim, "softmax")
    with np.errstate(invalid="ignore"):  # a row of -inf becomes nan
        out = data - data.max(axis=axis, keepdims=True, initial=-np.inf)
    np.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)
    return Tensor(out)


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """The logarithm of `softmax(x, dim)`, also where the share itself is too small for a float:

        x - m - log(sum(e^(x - m))),  m the largest of its row

    The sum is at least 1, so its logarithm is finite. `_floats(x, "log_softmax")` gives the
    elements as an array, `x._dim(dim, "log_softmax")` NumPy's axis.

    >>> log_softmax(Tensor([0, 1000]))
    Tensor([-1000.0000,     0.0000])
    """
    data, axis = _floats(x, "log_softmax"), x._dim(dim, "log_softmax")
    with np.errstate(invalid="ignore"):  # a row of -inf becomes nan
        out = data - data.max(axis=axis, keepdims=True, initial=-np.inf)
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return Tensor(out)


# As objects, to stand in a list of layers


class _Later:
    """What stands here for Module, until Module 03 puts that in its place."""


class Activation(_Later):
    """A function as an object. Subclasses define `forward`; calling the object calls it."""

    def forward(self, x: Tensor) -> Tensor:
        """What the activation computes; x's shape."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, x: Tensor) -> Tensor:
        return self.forward(x)

    def __repr__(self) -> str:
        options = [f"{k}={v!r}" for k, v in vars(self).items() if k != "training"]  # Module 03's
        return f"{type(self).__name__}({', '.join(options)})"


class ReLU(Activation):
    """`relu` as an object."""

    def forward(self, x: Tensor) -> Tensor:
        return relu(x)


class Sigmoid(Activation):
    """`sigmoid` as an object."""

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid(x)


class Tanh(Activation):
    """`tanh` as an object."""

    def forward(self, x: Tensor) -> Tensor:
        return tanh(x)


class GELU(Activation):
    """`gelu` as an object."""

    def forward(self, x: Tensor) -> Tensor:
        return gelu(x)


class Softmax(Activation):
    """`softmax` along a fixed dimension, as an object."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return softmax(x, self.dim)


class LogSoftmax(Activation):
    """`log_softmax` along a fixed dimension, as an object."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return log_softmax(x, self.dim)
