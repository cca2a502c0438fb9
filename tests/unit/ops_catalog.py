"""Every differentiable operation, one entry each: what it computes, and inputs to try it on.

test_ops.py takes each entry through values, dtypes, gradients, empty and 0-d tensors and memory
layouts. A new operation adds one entry here; until it does, a test names it as missing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np

import tinytorch as tt
from tinytorch import Tensor, activations


@dataclass(frozen=True)
class Op:
    """id: where it lives, as exercises name it. call: Tensors, and options, to a Tensor.

    exact: the same in NumPy, float64 arrays to an array, written another way than in tinytorch.
    inputs: a strategy for pairs (arrays, options). Each array becomes a Tensor whose gradient is
    wanted. edges: pairs like these that are tried always.
    """

    id: str
    call: Callable
    exact: Callable
    inputs: st.SearchStrategy
    edges: tuple = ()


# Inputs. Shapes are drawn, 0-d and empty ones among them; numbers come from a grid on which no two
# are equal, none is 0, and none lies where a function has a corner.


def numbers(rng: np.random.Generator, shapes, low=-2.0, high=2.0) -> list[np.ndarray]:
    sizes = [int(np.prod(shape)) for shape in shapes]
    grid = low + (rng.permutation(sum(sizes)) + 0.37) / max(sum(sizes), 1) * (high - low)
    parts = np.split(grid, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


randoms = st.integers(0, 2**32 - 1).map(np.random.default_rng)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
filled = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)


@st.composite
def one(draw, low=-2.0, high=2.0, shapes=shapes, **options):
    """One array; options: for each a strategy, or a function of the shape that gives one."""
    (x,) = numbers(draw(randoms), [draw(shapes)], low, high)
    drawn = {k: draw(v(x.shape) if callable(v) else v) for k, v in options.items()}
    return [x], drawn


@st.composite
def broadcast(draw, count=2, low=-2.0, high=2.0):
    """Arrays that broadcast to one shape."""
    drawn = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0,
                                                   max_side=3))  # fmt: skip
    return numbers(draw(randoms), drawn.input_shapes, low, high), {}


@st.composite
def alike(draw, count=2, low=-2.0, high=2.0, **options):
    """Arrays of one shape."""
    shape = draw(shapes)
    drawn = {k: draw(v) for k, v in options.items()}
    return numbers(draw(randoms), [shape] * count, low, high), drawn


def a_dim(shape):
    """One dimension, counted from either end; None for all."""
    return st.none() if not shape else st.none() | st.integers(-len(shape), len(shape) - 1)


def dims(shape):
    """None, one dimension or several."""
    if not shape:
        return st.none()
    each = st.integers(-len(shape), len(shape) - 1)
    several = st.lists(each, unique_by=lambda d: d % len(shape), min_size=1).map(tuple)
    return a_dim(shape) | several


def certain_dim(shape):
    return st.integers(-len(shape), len(shape) - 1)


def indices(shape):
    """Ints, slices, None and `...`; a mask; arrays of ints, with repeats."""
    found = [hnp.basic_indices(shape, allow_newaxis=True), hnp.arrays(bool, shape)]
    if shape and 0 not in shape:
        results = hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=3)
        found.append(hnp.integer_array_indices(shape, result_shape=results))
    return st.one_of(found)


with_dims = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
rows = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)
flags = st.booleans()
reductions = st.sampled_from(["mean", "sum", "none"])


@st.composite
def products(draw):
    drawn = draw(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2,
                                                   min_side=0, max_side=3))  # fmt: skip
    return numbers(draw(randoms), drawn.input_shapes), {}


@st.composite
def chosen(draw):
    (a, b, c), _ = draw(broadcast(3))
    return [a, b], {"condition": c > 0}


@st.composite
def joined(draw):
    shape, dim = list(draw(with_dims)), draw(st.integers(-1, 0))
    parts = []
    for n in draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)):
        shape[dim] = n
        parts.append(tuple(shape))
    return numbers(draw(randoms), parts), {"dim": dim}


@st.composite
def reshaped(draw):
    (x,), _ = draw(one())
    sizes = draw(st.permutations(x.shape))
    return [x], {"sizes": draw(st.sampled_from([sizes, [*sizes, 1], [1, *sizes]]))}


@st.composite
def expanded(draw):
    drawn = draw(hnp.mutually_broadcastable_shapes(num_shapes=1, max_dims=3, min_side=0,
                                                   max_side=3))  # fmt: skip
    wider = draw(hnp.array_shapes(min_dims=0, max_dims=1, max_side=2)) + drawn.result_shape
    return numbers(draw(randoms), drawn.input_shapes), {"sizes": wider}


@st.composite
def normalized(draw):
    features = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    front = draw(st.lists(st.integers(0, 3), max_size=2))
    return numbers(draw(randoms), [(*front, *features), features, features]), {}


@st.composite
def classified(draw):
    shape = draw(rows)
    dim = 1 if len(shape) > 1 else 0
    rng = draw(randoms)
    target = rng.integers(0, shape[dim], shape[:dim] + shape[dim + 1 :])
    options = {"reduction": draw(reductions), "label_smoothing": draw(st.sampled_from([0.0, 0.1]))}
    return numbers(rng, [shape]), {"target": target, **options}


@st.composite
def pairs(draw):
    shape, rng = draw(rows), draw(randoms)
    target = rng.integers(0, 2, shape[:-1]).astype(float)
    return numbers(rng, [shape, shape]), {"target": target, "reduction": draw(reductions)}


@st.composite
def likely(draw):
    (x, y), options = draw(alike(reduction=reductions))
    return [x, 0.5 + y / 5], options  # targets from 0.1 to 0.9


# What operations compute, in NumPy


def reduced(losses, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def softmax(x, dim):
    powers = np.exp(np.longdouble(x) - (x.max(dim, keepdims=True) if x.size else 0))
    return np.float64(powers / powers.sum(dim, keepdims=True))


def log_softmax(x, dim):
    return x - np.logaddexp.reduce(x, axis=dim, keepdims=True)


def layer_norm(x, weight, bias):
    axes = tuple(range(x.ndim - weight.ndim, x.ndim))
    scale = np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    return (x - x.mean(axes, keepdims=True)) / scale * weight + bias


def cross_entropy(x, target, reduction, label_smoothing):
    x = np.moveaxis(x, 1 if x.ndim > 1 else 0, -1)
    shares = log_softmax(x, -1)
    right = np.take_along_axis(shares, target[..., None], -1)[..., 0]
    each = -(1 - label_smoothing) * right - label_smoothing * shares.mean(-1)
    return reduced(each, reduction)


def yes_or_no(x, y, reduction):
    return reduced(y * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x), reduction)


def contrastive(a, b, target, reduction):
    d = np.sqrt(((a - b) ** 2).sum(-1))
    return reduced(np.where(target == 1, d**2, np.maximum(0, 1 - d) ** 2) / 2, reduction)


def gelu(x):
    return x / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


FAR = ([np.array([-1000.0, -20.0, 20.0, 1000.0])], {})
ROWS = np.array([[0.0, 1.0], [1000.0, 1001.0]])  # one row's largest is nothing to the other

OPS = [
    # Module 01
    Op("tensor.Tensor.__add__", lambda a, b: a + b, np.add, broadcast()),
    Op("tensor.Tensor.__sub__", lambda a, b: a - b, np.subtract, broadcast()),
    Op("tensor.Tensor.__mul__", lambda a, b: a * b, np.multiply, broadcast()),
    Op("tensor.Tensor.__truediv__", lambda a, b: a / b, np.divide, broadcast(low=0.5)),
    Op("tensor.Tensor.__pow__", lambda a, b: a**b, np.power, broadcast(low=0.5)),
    Op("tensor.Tensor.__neg__", lambda x: -x, np.negative, one()),
    Op("tensor.Tensor.__abs__", abs, np.abs, one()),
    Op("tensor.Tensor.exp", Tensor.exp, np.exp, one()),
    Op("tensor.Tensor.log", Tensor.log, np.log, one(low=0.1)),
    Op("tensor.Tensor.sqrt", Tensor.sqrt, np.sqrt, one(low=0.1)),
    Op("tensor.Tensor.tanh", Tensor.tanh, np.tanh, one(), (FAR,)),
    Op("tensor.Tensor.clamp", lambda x: x.clamp(-1, 0.5), lambda x: x.clip(-1, 0.5), one()),
    Op("tensor.Tensor.__matmul__", lambda a, b: a @ b, np.matmul, products()),
    Op("tensor.Tensor.reshape", lambda x, sizes: x.reshape(*sizes),
       lambda x, sizes: x.reshape(sizes), reshaped()),
    Op("tensor.Tensor.squeeze", Tensor.squeeze, np.squeeze, one()),
    Op("tensor.Tensor.unsqueeze", Tensor.unsqueeze, lambda x, dim: np.expand_dims(x, dim),
       one(dim=lambda shape: st.integers(-len(shape) - 1, len(shape)))),
    Op("tensor.Tensor.expand", lambda x, sizes: x.expand(*sizes),
       lambda x, sizes: x + np.zeros(sizes), expanded(),
       edges=[([np.zeros(0)], {"sizes": (2, 0)}), ([np.ones(2)], {"sizes": (1, 2)})]),
    Op("tensor.Tensor.transpose", Tensor.transpose, lambda x, dim0, dim1: x.swapaxes(dim0, dim1),
       one(shapes=with_dims, dim0=certain_dim, dim1=certain_dim)),
    Op("tensor.Tensor.T", lambda x: x.T, np.transpose, one()),
    Op("tensor.Tensor.permute", lambda x, dims: x.permute(dims), lambda x, dims: x.transpose(dims),
       one(dims=lambda shape: st.permutations(range(len(shape))))),
    Op("tensor.Tensor.__getitem__", lambda x, index: x[index], lambda x, index: x[index],
       one(index=indices)),
    Op("tensor.Tensor.sum", Tensor.sum, lambda x, dim, keepdim: x.sum(dim, keepdims=keepdim),
       one(dim=dims, keepdim=flags)),
    Op("tensor.Tensor.mean", Tensor.mean, lambda x, dim, keepdim: x.mean(dim, keepdims=keepdim),
       one(dim=dims, keepdim=flags)),
    Op("tensor.Tensor.std", lambda x, **o: x.std(correction=0, **o),
       lambda x, dim, keepdim: x.std(dim, keepdims=keepdim),
       one(shapes=filled, dim=dims, keepdim=flags)),
    Op("tensor.Tensor.max", lambda x, dim, keepdim: x.max(dim, keepdim)[0] if dim is not None
       else x.max(), lambda x, dim, keepdim: x.max(dim, keepdims=keepdim and dim is not None),
       one(shapes=filled, dim=a_dim, keepdim=flags)),
    Op("tensor.Tensor.min", lambda x, dim, keepdim: x.min(dim, keepdim)[0] if dim is not None
       else x.min(), lambda x, dim, keepdim: x.min(dim, keepdims=keepdim and dim is not None),
       one(shapes=filled, dim=a_dim, keepdim=flags)),
    Op("tensor.Tensor.to", lambda x: x.to(tt.float64).to(x.dtype), np.array, one()),
    Op("tensor.Tensor.clone", Tensor.clone, np.array, one()),
    Op("tensor.Tensor.contiguous", lambda x: x.T.contiguous(), np.transpose, one()),
    Op("tensor.cat", lambda *xs, dim: tt.cat(xs, dim), lambda *xs, dim: np.concatenate(xs, dim),
       joined()),
    Op("tensor.maximum", tt.maximum, np.maximum, broadcast()),
    Op("tensor.minimum", tt.minimum, np.minimum, broadcast()),
    Op("tensor.where", lambda a, b, condition: tt.where(Tensor(condition), a, b),
       lambda a, b, condition: np.where(condition, a, b), chosen()),
    # Module 02
    Op("activations.relu", tt.relu, lambda x: x * (x > 0), one()),
    Op("activations.sigmoid", tt.sigmoid, lambda x: 0.5 + 0.5 * np.tanh(x / 2), one(), (FAR,)),
    Op("activations.tanh", activations.tanh, np.tanh, one(), (FAR,)),
    Op("activations.gelu", tt.gelu, gelu, one(), (([np.array([-50.0, -9.0, 9.0, 50.0])], {}),)),
    Op("activations.softmax", tt.softmax, softmax, one(shapes=with_dims, dim=certain_dim),
       (([ROWS], {"dim": 1}),)),
    Op("activations.log_softmax", tt.log_softmax, log_softmax,
       one(shapes=rows, dim=certain_dim), (([ROWS], {"dim": 1}),)),
    # Modules 03 and 04
    Op("layers.layer_norm", tt.layer_norm, layer_norm, normalized()),
    Op("losses.mse_loss", tt.mse_loss, lambda x, y, reduction: reduced((x - y) ** 2, reduction),
       alike(reduction=reductions)),
    Op("losses.cross_entropy", lambda x, target, **o: tt.cross_entropy(x, Tensor(target), **o),
       cross_entropy, classified(),
       (([ROWS], {"target": np.array([0, 0]), "reduction": "sum", "label_smoothing": 0.0}),)),
    Op("losses.binary_cross_entropy_with_logits", tt.binary_cross_entropy_with_logits, yes_or_no,
       likely(), (([FAR[0][0], np.array([0.2, 0.9, 0.9, 0.2])], {"reduction": "sum"}),)),
    Op("losses.contrastive_loss", lambda a, b, target, **o:
       tt.contrastive_loss(a, b, Tensor(target, dtype=a.dtype), **o), contrastive, pairs()),
]  # fmt: skip
