"""The rules of autograd: for each operation, how the gradient of its result becomes its inputs'.

One class for each operation, all of one pattern: `forward`, where there is one, computes the
operation and saves what the rule needs; `backward` is the rule. A gradient may come out in the
shape an input was broadcast to, and in a wider dtype: the caller undoes both.
At the end the operations of Modules 01-04, which know nothing of gradients, are made
differentiable. Operations of later modules have their rules beside themselves.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np

from . import activations, layers, losses, tensor
from .autograd import CrossEntropy, Function, MatMul, Mul, _each, differentiable, enable_grad
from .autograd_tensor import replace
from .tensor import Tensor, _index, _ints
from .tensor_sum import _add_up

# Elementwise


class OfInput(Function):
    """An operation on one tensor whose derivative is written with that tensor."""

    def forward(self, x: Tensor, *options: object, **named: object) -> Tensor:
        self.save(x)
        return self.op(x, *options, **named)


class OfResult(Function):
    """An operation on one tensor whose derivative is written with the result."""

    def forward(self, x: Tensor, *options: object, **named: object) -> Tensor:
        out = self.op(x, *options, **named)
        self.save(out)
        return out


class Same(Function):
    """The same numbers, perhaps converted, copied or repeated."""

    def backward(self, grad):
        return grad


class Add(Function):
    """a + b"""

    def backward(self, grad):
        return grad, grad


class Sub(Function):
    """a - b"""

    def backward(self, grad):
        return grad, -grad if self.needs[1] else None


class Div(Function):
    """a / b"""

    def forward(self, a, b):
        self.save(a if self.needs[1] else None, b)
        return self.op(a, b)

    def backward(self, grad):
        (a, b), (need_a, need_b) = self.saved, self.needs
        by_a = grad / b
        return by_a if need_a else None, -by_a * a / b if need_b else None


class Pow(Function):
    """a ** b"""

    def forward(self, a, b):
        out = self.op(a, b)
        self.save(a, b, out if self.needs[1] else None)
        return out

    def backward(self, grad):
        (a, b, out), (need_a, need_b) = self.saved, self.needs
        by_a = by_b = None
        with np.errstate(divide="ignore", invalid="ignore"):
            if need_a:
                by_a = grad * (b * a ** (b - 1))
                if not np.all(b):  # a ** 0 is constant, also at 0
                    by_a = np.where(b == 0, 0, by_a)
            if need_b:  # and so is 0 ** b
                constant = np.equal(a, 0) & np.greater_equal(b, 0)
                by_b = grad * np.where(constant, 0, out * np.log(a))
        return by_a, by_b


class Neg(Function):
    """-x"""

    def backward(self, grad):
        return -grad


class Abs(OfInput):
    """|x|; 0 where x is 0"""

    def backward(self, grad):
        (x,) = self.saved
        return grad * np.sign(x)


class Exp(OfResult):
    """e ** x, its own derivative"""

    def backward(self, grad):
        (out,) = self.saved
        return grad * out


class Log(OfInput):
    """log(x)"""

    def backward(self, grad):
        (x,) = self.saved
        return grad / x


class Sqrt(OfResult):
    """sqrt(x)"""

    def backward(self, grad):
        (out,) = self.saved
        return grad / (2 * out)


class Tanh(OfResult):
    """tanh(x); the derivative is 1 - tanh(x)²"""

    def backward(self, grad):
        (out,) = self.saved
        return grad * (1 - out * out)


class Extreme(Function):
    """max and min: all of the gradient goes to the place where the value was found"""

    def forward(self, x, dim=None, keepdim=False):
        self.dim, self.keepdim, self.before = dim, keepdim, x.shape
        result = self.op(x, dim, keepdim)
        self.save(*(result[1:] if dim is not None else (x, result)))
        return result

    def backward(self, grad):
        if self.dim is None:  # equal ones share it
            x, value = self.saved
            found = x == value if value == value else np.isnan(x)
            return found * (grad / int(found.sum()))
        (indices,) = self.saved
        if not self.keepdim:
            grad, indices = (np.expand_dims(y, self.dim) for y in (grad, indices))
        out = np.zeros(self.before, grad.dtype)
        np.put_along_axis(out, indices, grad, self.dim)
        return out


class Maximum(Function):
    """The larger of a and b gets the gradient; equal ones half each, and beside a nan both all"""

    def forward(self, a, b):
        self.save(a, b)
        return self.op(a, b)

    def backward(self, grad):
        a, b = self.saved
        return self.shares(grad, a < b, a > b, a == b)

    def shares(self, grad, a_lost, b_lost, equal):
        share = np.where(equal, grad / 2, grad)
        return tuple(
            np.where(lost, 0, share) if need else None
            for lost, need in zip((a_lost, b_lost), self.needs, strict=True)
        )


class Minimum(Maximum):
    """The smaller of a and b"""

    def backward(self, grad):
        a, b = self.saved
        return self.shares(grad, a > b, a < b, a == b)


class Where(Function):
    """a where the condition is true, else b"""

    def forward(self, condition, a, b):
        self.save(condition)
        return self.op(condition, a, b)

    def backward(self, grad):
        (condition,) = self.saved
        return None, np.where(condition, grad, 0), np.where(condition, 0, grad)


class Clamp(Function):
    """x limited to [min, max]; past a limit the gradient is the limit's, at nan it is nobody's"""

    def forward(self, x, min=None, max=None):
        self.save(x, -np.inf if min is None else min, np.inf if max is None else max)
        return self.op(x, min, max)

    def backward(self, grad):
        x, low, high = self.saved
        by_x = grad * ((x >= low) & (x <= high))
        if not any(self.needs[1:]):
            return by_x
        above = (x > high) | np.greater(low, high)  # the upper limit is applied last
        return by_x, np.where((x < low) & ~above, grad, 0), np.where(above, grad, 0)


# Shapes and places


class Reshape(Function):
    """The same numbers in another shape: reshape, squeeze, unsqueeze"""

    def forward(self, x, *args, **kwargs):
        self.before = x.shape
        return self.op(x, *args, **kwargs)

    def backward(self, grad):
        return grad.reshape(self.before)


class Transpose(Function):
    """Two dimensions swapped"""

    def forward(self, x, dim0, dim1):
        self.dims = dim0, dim1
        return self.op(x, dim0, dim1)

    def backward(self, grad):
        return grad.swapaxes(*self.dims)


class Reverse(Function):
    """All dimensions in reverse order: x.T"""

    def backward(self, grad):
        return grad.T


class Permute(Function):
    """Dimensions in another order"""

    def forward(self, x, *dims):
        out = self.op(x, *dims)
        self.order = [dim % x.ndim for dim in _ints("permute", dims)]
        return out

    def backward(self, grad):
        return grad.transpose(np.argsort(self.order))


class GetItem(Function):
    """x[index]; what was not picked gets 0, what was picked twice gets both"""

    def forward(self, x, index):
        out = self.op(x, index)
        self.index, self.before = index, x.shape
        self.save(*[item for item in _index(index) if isinstance(item, np.ndarray)])
        return out

    def backward(self, grad):
        out = np.zeros(self.before, grad.dtype)
        if not self.saved:  # slices and single elements pick nothing twice
            out[_index(self.index)] = grad
            return out
        picks = np.arange(out.size).reshape(out.shape)  # the operation itself says what goes where
        places, parts = self.op(Tensor(picks), self.index).data.reshape(-1), grad.reshape(-1)
        if all(picks.dtype.kind == "b" for picks in self.saved):  # nor do masks
            out.reshape(-1)[places] = parts
        else:
            np.add.at(out.reshape(-1), places, parts)
        return out


class Cat(Function):
    """Tensors joined along a dimension"""

    listed = True

    def forward(self, tensors, dim=0):
        out = self.op(tensors, dim)
        self.dim, self.shapes = dim, [x.shape for x in tensors]
        return out

    def backward(self, grad):  # one without elements need not have as many dimensions
        sizes = [shape[self.dim] if math.prod(shape) else 0 for shape in self.shapes]
        parts = np.split(grad, np.cumsum(sizes[:-1]), axis=self.dim)
        pairs = zip(parts, self.shapes, strict=True)
        return tuple(part.reshape(shape) if part.size else np.zeros(shape) for part, shape in pairs)


class Sum(Function):
    """Sum of all elements or along dims: each one counts once"""

    def forward(self, x, dim=None, keepdim=False, **named):
        out = self.op(x, dim, keepdim, **named)
        self.before, self.gone = x.shape, ()
        if out.ndim not in (0, x.ndim):
            self.gone = x._dims(named.get("axis", dim), "sum")
        return out

    def backward(self, grad):
        grad = np.expand_dims(grad, self.gone)  # size 1 again where dims disappeared
        return np.broadcast_to(grad, self.before)


class Mean(Sum):
    """The sum divided by how many elements went into it"""

    def backward(self, grad):
        return super().backward(grad * (grad.size / max(math.prod(self.before), 1)))


class Std(Function):
    """The root of the variance; where all numbers are equal its gradient is 0, not nan"""

    def forward(self, x, *options, **named):
        self.options = options, named
        out = self.op(x, *options, **named)
        self.save(x, out)
        return out

    def backward(self, grad):
        (data, out), (options, named) = self.saved, self.options
        x = Tensor(data, requires_grad=True)
        by_var = np.divide(grad, 2 * out, out=np.zeros_like(grad), where=out != 0)
        with enable_grad():
            x.var(*options, **named).backward(by_var)
        return x.grad.data


# Modules 02 to 04


class Relu(OfResult):
    """max(x, 0)"""

    def backward(self, grad):
        (out,) = self.saved
        return grad * (out != 0)  # nan counts as positive, as in PyTorch


class Sigmoid(OfResult):
    """1 / (1 + e^-x); the derivative is y * (1 - y)"""

    def backward(self, grad):
        (out,) = self.saved
        return grad * out * (1 - out)


class Gelu(OfInput):
    """x / 2 * (1 + tanh(u)), u = sqrt(2 / pi) * (x + 0.044715 x³): the product rule"""

    def backward(self, grad):
        x = self.saved[0].clip(-10, 10)  # beyond, the derivative is 0 or 1, and x² may overflow
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        t = np.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x))
        return grad * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)


class Softmax(Function):
    """e^x / sum(e^x); the derivative of y_i by x_j is y_i * ((i == j) - y_j)"""

    def forward(self, x, dim=-1):
        out, self.dim = self.op(x, dim), dim
        self.save(out)
        return out

    def backward(self, grad):
        (out,) = self.saved
        by_x = grad * out
        by_x -= out * by_x.sum(axis=self.dim, keepdims=True)
        return by_x


class LogSoftmax(Softmax):
    """x - log(sum(e^x)); the derivative of y_i by x_j is (i == j) - softmax(x)_j"""

    def backward(self, grad):
        (out,) = self.saved
        return grad - np.exp(out) * grad.sum(axis=self.dim, keepdims=True)


class Normalize(Function):
    """layer_norm: z = (x - mean) / s, result z * weight + bias"""

    def forward(self, x, weight, bias, eps=1e-5):
        out = self.op(x, weight, bias, eps)  # first: it says what is wrong with its arguments
        self.eps, self.shapes = eps, (x.shape, weight.shape)
        need_x, need_weight = self.needs[:2]
        self.save(x if need_x or need_weight else None, weight if need_x else None)
        return out

    def backward(self, grad):
        (x, weight), (shape, features) = self.saved, self.shapes
        n = math.prod(features)
        wide = np.promote_types(grad.dtype, np.float32)  # float16 cannot hold the sums
        g = grad.astype(wide, copy=False).reshape(grad.size // max(n, 1), n)  # (positions, n)
        by_bias = _add_up(g, (0,)).reshape(features)
        if x is None or x.size == 0:
            return None if x is None else np.zeros(shape), np.zeros(features), by_bias
        z = x.reshape(g.shape).astype(wide)
        z -= z.mean(axis=1, keepdims=True)
        s = np.sqrt(np.vecdot(z, z)[:, None] / n + self.eps)
        z /= s
        by_weight = _add_up(g * z, (0,)).reshape(features)
        if weight is None:
            return None, by_weight, by_bias
        # mean and s depend on every x of the position: what moves them along is taken out again
        g = g * weight.reshape(-1)
        z *= np.vecdot(g, z)[:, None] / n
        by_x = g - g.mean(axis=1, keepdims=True)
        by_x -= z
        by_x /= s
        return by_x.reshape(shape), by_weight, by_bias


class SquaredError(Function):
    """mse_loss: (x - y)²"""

    def forward(self, x, y, reduction="mean"):
        self.reduction = reduction
        self.save(x, y)
        return self.op(x, y, reduction)

    def backward(self, grad):
        x, y = self.saved
        by_x = (x - y) * (2 * _each(grad, self.reduction, x.shape))
        return by_x, -by_x if any(self.needs[1:]) else None


class BinaryCrossEntropy(Function):
    """binary_cross_entropy_with_logits; the derivative by x is sigmoid(x) - y"""

    def forward(self, x, y, reduction="mean"):
        self.reduction = reduction
        self.save(x, y if self.needs[0] else None)
        return self.op(x, y, reduction)

    def backward(self, grad):
        (x, y), (need_x, need_y) = self.saved, self.needs[:2]
        each = _each(grad, self.reduction, x.shape)
        by_x = None
        if need_x:
            z = np.exp(-np.abs(x))
            tail = z / (1 + z)  # what sigmoid(x) is away from 0 or from 1, with all its digits
            by_x = np.where(x >= 0, (1 - y) - tail, tail - y) * each
        return by_x, -x * each if need_y else None


class Contrastive(Function):
    """contrastive_loss: y * d² / 2 + (1 - y) * max(0, margin - d)² / 2"""

    def forward(self, x1, x2, y, margin=1.0, reduction="mean"):
        self.margin, self.reduction = margin, reduction
        self.save(x1, x2, y)
        return self.op(x1, x2, y, margin, reduction)

    def backward(self, grad):
        x1, x2, y = self.saved
        difference = x1 - x2  # (N, D)
        distance = np.sqrt(np.vecdot(difference, difference) + 1e-12)  # (N,)
        missing = np.maximum(self.margin - distance, 0)
        pull = _each(grad, self.reduction, y.shape) * (y - (1 - y) * missing / distance)
        by_x1 = difference * pull[..., None]
        return by_x1, -by_x1


# The operations become differentiable


def _install(owner: type | ModuleType, functions: dict[str, type[Function]]) -> None:
    """Make operations of a class or module differentiable, wherever they are held."""
    for name, function in functions.items():
        held = vars(owner)[name]
        if isinstance(held, property):
            replace(owner, name, property(differentiable(function, held.fget)))
        else:
            replace(owner, name, differentiable(function, held))


def install() -> None:
    """Make the operations of Modules 01 to 04 differentiable."""
    _install(
        Tensor,
        {
            "__add__": Add, "__sub__": Sub, "__mul__": Mul, "__truediv__": Div, "__pow__": Pow,
            "__neg__": Neg, "__abs__": Abs, "exp": Exp, "log": Log, "sqrt": Sqrt, "tanh": Tanh,
            "clamp": Clamp, "__matmul__": MatMul, "reshape": Reshape, "squeeze": Reshape,
            "unsqueeze": Reshape, "expand": Same, "transpose": Transpose, "T": Reverse,
            "permute": Permute, "__getitem__": GetItem, "sum": Sum, "mean": Mean, "std": Std,
            "max": Extreme, "min": Extreme, "to": Same, "clone": Same, "contiguous": Same,
        },
    )  # fmt: skip
    _install(tensor, {"cat": Cat, "maximum": Maximum, "minimum": Minimum, "where": Where})
    _install(
        activations,
        {
            "relu": Relu, "sigmoid": Sigmoid, "tanh": Tanh, "gelu": Gelu, "softmax": Softmax,
            "log_softmax": LogSoftmax,
        },
    )  # fmt: skip
    _install(layers, {"layer_norm": Normalize})
    _install(
        losses,
        {
            "mse_loss": SquaredError, "cross_entropy": CrossEntropy,
            "binary_cross_entropy_with_logits": BinaryCrossEntropy, "contrastive_loss": Contrastive,
        },
    )  # fmt: skip
