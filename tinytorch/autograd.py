"""Autograd: every operation remembers how it was made, and `backward()` walks back along it.

The computations themselves stay what Modules 01-04 made them. Importing this file puts a wrapper
around each (`differentiable`): when a gradient is wanted, it leaves a `Function` at the result, a
node of the graph, which holds what the way back needs. On that way gradients are NumPy arrays;
where they arrive, in a tensor's `grad`, they are Tensors.
Names and behaviour follow PyTorch (https://pytorch.org/docs/stable/autograd.html).
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from . import activations, layers
from . import tensor as _tensor
from .layers import Module, Parameter
from .tensor import Shape, Tensor, _describe, _index, _ints

# Whether operations are recorded


_recording = True


def _set_recording(on: bool) -> bool:
    """Switch recording on or off; returns what it was."""
    global _recording
    before, _recording = _recording, on
    return before


def is_grad_enabled() -> bool:
    """Whether operations leave a graph behind."""
    return _recording


@contextmanager
def no_grad() -> Iterator[None]:
    """`with no_grad():` nothing inside leaves a graph. Also decorates: `@no_grad()`.

    `_set_recording(False)` switches recording off and returns whether it was on. At the end of the
    block it must be what it was at the start: blocks are nested, and blocks raise.
    """
    before = _set_recording(False)
    try:
        yield
    finally:
        _set_recording(before)


@contextmanager
def enable_grad() -> Iterator[None]:
    """`with enable_grad():` records again, inside a `no_grad()`."""
    before = _set_recording(True)
    try:
        yield
    finally:
        _set_recording(before)


# Writing into memory. What backward saved must still be what it was. A clock ticks with every
# write; a write notes the time under the memory it went to, which views share.

_clock = 0
_written: dict[int, int] = {}  # id of the array that owns the memory -> time of the last write


def _owner(array: np.ndarray) -> np.ndarray:
    """The array that owns this one's memory: itself, or what it is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _note_write(array: np.ndarray) -> None:
    global _clock
    _clock += 1
    _written[id(_owner(array))] = _clock


def _last_write(array: np.ndarray) -> int:
    return _written.get(id(_owner(array)), 0)


# The graph


class Function:
    """A node: one operation that was computed, and the rule that takes gradients back through it.

    Subclasses define `backward(grad)`, and, if it needs anything from the computation,
    `forward(*args)`, which computes `self.op(*args)` and keeps what is needed:

        class Exp(OfResult):
            def backward(self, grad):
                (out,) = self.saved
                return grad * out  # e^x is its own derivative

    op: the operation itself, Tensors to a Tensor.
    inputs: for each argument the node its gradient goes to, or None.
    needs: for each argument whether a gradient is wanted.
    shape, dtype: those of the result.
    """

    op: Callable
    inputs: tuple[Function | None, ...] = ()
    needs: tuple[bool, ...] = ()
    shape: Shape
    dtype: np.dtype
    tensor: weakref.ref[Tensor] | None = None  # whose `grad` receives what arrives here
    listed = False  # whether the first argument is a list, and its items are the inputs

    _saved: tuple | None = ()
    _time = 0

    def forward(self, *args: object, **kwargs: object) -> Tensor:
        """Compute the operation, and save what `backward` will need."""
        return self.op(*args, **kwargs)

    def backward(self, grad: np.ndarray) -> np.ndarray | tuple[np.ndarray | None, ...]:
        """The gradients of the inputs, given that of the result, which must not be changed.

        One array, or a tuple with one for each argument (None where there is none). An array may
        still have the shape that its input was broadcast to.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def save(self, *values: object) -> None:
        """Keep Tensors (as arrays), arrays or numbers for `backward`."""
        self._saved = tuple(_raw(value) for value in values)

    @property
    def saved(self) -> tuple:
        """What `save` kept. RuntimeError if an array was written to in the meantime."""
        if _clock != self._time:
            for value in self._saved:
                if isinstance(value, np.ndarray) and _last_write(value) > self._time:
                    raise RuntimeError(
                        f"backward: {self.name} needs a tensor of shape {value.shape} as it was, "
                        "and it was written to since; write to a clone() of it"
                    )
        return self._saved

    @property
    def name(self) -> str:
        """The operation's name: "add", "matmul"."""
        return getattr(self.op, "__name__", type(self).__name__).strip("_")

    def gradients(self, grad: np.ndarray) -> Iterator[tuple[Function, np.ndarray]]:
        """Pairs of an input's node and its gradient, in the input's own shape and dtype."""
        if self._saved is None:
            raise RuntimeError(
                f"backward: the graph was used already, and what {self.name} had saved is gone; "
                "use backward(retain_graph=True) the first time"
            )
        grads = self.backward(grad)
        if not isinstance(grads, tuple):
            grads = (grads,)
        if any(self.inputs[len(grads) :]):
            counts = f"{len(grads)} gradients for {len(self.inputs)} arguments"
            raise RuntimeError(f"{type(self).__name__}.backward returned {counts}")
        for node, g in zip(self.inputs, grads, strict=False):
            if node is not None and g is not None:
                g = np.asarray(g, dtype=node.dtype)
                yield node, g if g.shape == node.shape else unbroadcast(g, node.shape)

    def release(self) -> None:
        """Let go of what was saved. There is no second backward after that."""
        self._saved = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name} {self.shape}>"


class Leaf(Function):
    """Where the graph begins: a tensor that nothing computed and whose gradient is wanted."""

    op = None
    name = "leaf"

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = weakref.ref(tensor)
        self.follow(tensor)

    def follow(self, tensor: Tensor) -> None:
        """Take over the tensor's shape and dtype, which may have changed since the last use."""
        self.shape, self.dtype = tensor.data.shape, tensor.data.dtype

    def backward(self, grad: np.ndarray) -> tuple:
        return ()

    def release(self) -> None:
        """Nothing was saved; a leaf is part of many graphs."""


def _raw(x: object) -> object:
    """A Tensor's array; a NumPy number as a Python one, which does not widen float32."""
    if isinstance(x, Tensor):
        return x.data
    return x.item() if isinstance(x, np.generic) else x


def unbroadcast(grad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: the gradient of something of `shape` that was stretched to grad's shape.

    A number that was used many times receives the sum of the gradients of all its uses. So sum over
    the dimensions that were put in front, and over those that were 1 and are not any more; the
    latter stay, with size 1. Returns `grad` itself if nothing was stretched.

    Raises ValueError if `shape` does not broadcast to `grad.shape`.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    >>> unbroadcast(np.ones((2, 3)), (2, 1))
    array([[3.],
           [3.]])
    """
    if grad.shape == shape:
        return grad
    front = grad.ndim - len(shape)
    if front < 0 or any(n not in (1, m) for n, m in zip(shape, grad.shape[front:], strict=True)):
        raise ValueError(f"unbroadcast: shape {shape} does not broadcast to {grad.shape}")
    ones = [dim for dim, n in enumerate(shape, front) if n == 1]
    return grad.sum(axis=(*range(front), *ones), keepdims=True).reshape(shape)


# Backward


def topological_order(root: Function) -> list[Function]:
    """All nodes that `root` was computed from, `root` first, each before its inputs.

    A node may use the gradient of its result only when all uses of that result have added to it: it
    comes after every node that it is an input of. `node.inputs` is a tuple of nodes, and of None
    where an argument wants no gradient. Each node comes once, however many paths lead to it.

    A graph can be thousands of operations deep, deeper than Python lets functions call themselves.
    """
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))  # comes up again when all its inputs are in the order
            stack += [(source, False) for source in node.inputs if source is not None]
    return order[::-1]


def backpropagate(root: Function, grad: np.ndarray, retain_graph: bool = False) -> None:
    """Carry `grad`, the gradient of root's result, back to everything root was computed from.

    Visit `topological_order(root)`. At each node, which by then has its gradient complete:
    - `_deliver(node, g, taken)` hands it to the node's tensor, if there is one that wants it;
      `taken` is one dict for the whole run, empty at first;
    - `node.gradients(g)` gives pairs (input node, gradient), and an input that several nodes use
      receives the sum. A node that receives nothing passes nothing on;
    - `node.release()` frees what the node saved, unless retain_graph.

    Gradients may share memory with one another, so none may be changed in place.
    """
    grads, taken = {root: grad}, {}
    for node in topological_order(root):
        g = grads.pop(node, None)
        if g is None:
            continue
        _deliver(node, g, taken)
        for source, part in node.gradients(g):
            grads[source] = grads[source] + part if source in grads else part
        if not retain_graph:
            node.release()


def _deliver(node: Function, grad: np.ndarray, taken: dict[int, np.ndarray]) -> None:
    """Add `grad` to the `grad` of the node's tensor, if there is one and it is still alive.

    The tensor keeps the array itself if that is plain memory that no other tensor got in this run.
    """
    tensor = node.tensor and node.tensor()
    if tensor is None:
        return
    if tensor.grad is not None:
        tensor.grad = Tensor(np.asarray(tensor.grad.data + grad))
        return
    owner = _owner(grad)
    plain = grad.flags.c_contiguous and grad.flags.writeable and grad.size == owner.size
    if not plain or id(owner) in taken:
        grad = grad.copy(order="C")
    taken[id(owner)] = owner  # kept alive, so that the id stays its own
    tensor.grad = Tensor(grad)


# What Tensor gains. A tensor has a node if and only if gradients flow to it.

Tensor._node = None
Tensor.grad = None


def _requires_grad(self: Tensor) -> bool:
    """Whether operations on this tensor are recorded. May be set on a leaf, of floats."""
    return self._node is not None


def _set_requires_grad(self: Tensor, on: bool) -> None:
    if not _is_leaf(self):
        made = f"it was computed by {self._node.name}"
        raise RuntimeError(f"requires_grad: only a leaf's can be set, and {made}; use detach()")
    if on and self.dtype.kind != "f":
        raise RuntimeError(f"requires_grad: only floats have gradients, this is {self.dtype}")
    if bool(on) != (self._node is not None):
        self._node = Leaf(self) if on else None


def _requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Set `requires_grad`, and return this tensor."""
    self.requires_grad = requires_grad
    return self


def _is_leaf(self: Tensor) -> bool:
    """Whether this tensor was given rather than computed by a recorded operation."""
    return self._node is None or isinstance(self._node, Leaf)


def _grad_fn(self: Tensor) -> Function | None:
    """The node of the operation that computed this tensor; None for a leaf."""
    return None if _is_leaf(self) else self._node


def _detach(self: Tensor) -> Tensor:
    """The same memory as a tensor outside the graph."""
    return Tensor(self.data)


def _retain_grad(self: Tensor) -> None:
    """Let backward leave a `grad` here too, although this tensor is not a leaf."""
    if self._node is None:
        raise RuntimeError("retain_grad: this tensor does not require a gradient")
    self._node.tensor = weakref.ref(self)


def _backward(self: Tensor, gradient: object = None, retain_graph: bool = False) -> None:
    """Add to the `grad` of every leaf below the gradient of this tensor with respect to it.

    gradient: where to start, in this tensor's shape; for a single number it is 1. It weights the
    elements: what arrives is the gradient of (self * gradient).sum().
    retain_graph: keep what the graph has saved, so that there can be a second backward.

    Raises RuntimeError if this tensor does not require a gradient, if it is not a single number and
    no gradient is given, if the graph was used already, or if something saved was written to.
    """
    if self._node is None:
        raise RuntimeError("backward: this tensor does not require a gradient")
    if gradient is None:
        if self.data.size != 1:
            says = f"shape {self.shape} is not one number; give a gradient, or take sum() or mean()"
            raise RuntimeError(f"backward: {says}")
        seed = np.ones_like(self.data)
    else:
        seed = np.array(_raw(gradient), dtype=self.dtype)
        if seed.shape != self.shape:
            raise RuntimeError(f"backward: gradient has shape {seed.shape}, expected {self.shape}")
    backpropagate(self._node, seed, retain_graph)


def _getstate(self: Tensor) -> dict:
    """What copy and pickle keep: everything but the graph."""
    leaf = self._node is not None and _is_leaf(self)
    return {**vars(self), "_node": leaf}


def _setstate(self: Tensor, state: dict) -> None:
    vars(self).update(state, _node=None)
    self.requires_grad = state["_node"]


for _name, _value in {
    "requires_grad": property(_requires_grad, _set_requires_grad),
    "requires_grad_": _requires_grad_,
    "is_leaf": property(_is_leaf),
    "grad_fn": property(_grad_fn),
    "detach": _detach,
    "retain_grad": _retain_grad,
    "backward": _backward,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}.items():
    setattr(Tensor, _name, _value)


# Recording


def differentiable(function: type[Function], op: Callable) -> Callable:
    """`op`, Tensors to a Tensor, as an operation that leaves a `function` node where one is wanted.

    The wrapper's attribute `forward` is the operation itself, looked up at each call: whatever is
    put there (the student's code) is what runs, with and without gradients.
    """
    listed = function.listed

    @functools.wraps(op)
    def wrapper(*args: object, **kwargs: object) -> Tensor:
        if _recording:
            if kwargs:
                args, kwargs = _tensors_first(op, args, kwargs)
            for x in args[0] if listed and args and isinstance(args[0], (list, tuple)) else args:
                if isinstance(x, Tensor) and x._node is not None:
                    return _record(function, wrapper.forward, args, kwargs)
        return wrapper.forward(*args, **kwargs)

    wrapper.forward = op
    return wrapper


def _tensors_first(op: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments given by name moved to their positions, if tensors are among them."""
    if any(isinstance(v, Tensor) or _has_tensors(v) for v in kwargs.values()):
        bound = inspect.signature(op).bind(*args, **kwargs)
        return bound.args, bound.kwargs
    return args, kwargs


def _has_tensors(value: object) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(x, Tensor) for x in value)


def _record(function: type[Function], op: Callable, args: tuple, kwargs: dict) -> Tensor:
    """Compute with a node of class `function`, and leave the node at the result."""
    node = function()
    node.op = op
    inputs = []
    for x in args[0] if function.listed else args:
        source = x._node if isinstance(x, Tensor) else None
        if type(source) is Leaf:
            source.follow(x)
        inputs.append(source)
    node.inputs = tuple(inputs)
    node.needs = tuple([source is not None for source in inputs])
    before = _set_recording(False)  # only the operation as a whole is a node
    try:
        result = node.forward(*args, **kwargs)
    finally:
        _set_recording(before)
    out = result[0] if isinstance(result, tuple) else result  # of (values, indices), the values
    if not isinstance(out, Tensor) or out.data.dtype.kind != "f" or any(out is x for x in args):
        return result  # ints have no gradient; an argument that comes back has its own node
    node.shape, node.dtype, node._time = out.data.shape, out.data.dtype, _clock
    out._node = node
    return result


def _install(owner: type | ModuleType, functions: dict[str, type[Function]]) -> None:
    """Make operations of a class or module differentiable, wherever they are held."""
    for name, function in functions.items():
        held = vars(owner)[name]
        if isinstance(held, property):
            setattr(owner, name, property(differentiable(function, held.fget)))
            continue
        wrapper = differentiable(function, held)
        setattr(owner, name, wrapper)
        if isinstance(owner, ModuleType):  # other modules have imported it by name
            for file, module in list(sys.modules.items()):
                if file == "tinytorch" or file.startswith("tinytorch."):
                    for key, value in list(vars(module).items()):
                        if value is held:
                            setattr(module, key, wrapper)


# What earlier modules do with tensors that now have gradients


def _init(init: Callable) -> Callable:
    @functools.wraps(init)
    def wrapper(self, data, dtype=None, requires_grad=False):
        wrapper.forward(self, data, dtype)
        if requires_grad:
            self.requires_grad = True

    wrapper.forward = init
    return wrapper


def _parameter_init(init: Callable) -> Callable:
    @functools.wraps(init)
    def wrapper(self, data, dtype=None, requires_grad=True):
        wrapper.forward(self, data, dtype)
        self.requires_grad = requires_grad

    wrapper.forward = init
    return wrapper


def _setitem(setitem: Callable) -> Callable:
    @functools.wraps(setitem)
    def wrapper(self, index, value):
        if _recording and (self._node is not None or getattr(value, "_node", None) is not None):
            raise RuntimeError(
                f"setitem: writing into a tensor of shape {self.shape} leaves no gradient, and "
                f"{'it' if self._node is not None else 'the value'} requires one; compute a new "
                "tensor with where() or cat(), use detach(), or write inside no_grad()"
            )
        wrapper.forward(self, index, value)
        _note_write(self.data)

    wrapper.forward = setitem
    return wrapper


def _unrecorded(method: Callable) -> Callable:
    @functools.wraps(method)
    def wrapper(*args, **kwargs):
        with no_grad():
            return wrapper.forward(*args, **kwargs)

    wrapper.forward = method
    return wrapper


def _zero_grad(self: Module) -> None:
    """Forget the gradients of all parameters."""
    for parameter in self.parameters():
        parameter.grad = None


def _tensor_repr(wrapped: Callable) -> Callable:
    @functools.wraps(wrapped)
    def wrapper(self):
        text = wrapper.forward(self)
        if self._node is None or isinstance(self, Parameter):
            return text
        note = "requires_grad=True" if self.is_leaf else f"grad_fn={self._node.name}"
        return f"{text[:-1]}, {note})"

    wrapper.forward = wrapped
    return wrapper


Tensor.__init__ = _init(Tensor.__init__)
Tensor.__setitem__ = _setitem(Tensor.__setitem__)
Tensor.__repr__ = _tensor_repr(Tensor.__repr__)
Parameter.__init__ = _parameter_init(Parameter.__init__)
Module.load_state_dict = _unrecorded(Module.load_state_dict)
Module.zero_grad = _zero_grad


# The rules. (n, k) is a shape; `grad` has the shape of the result, and broadcasting is undone by
# whoever called.


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


class Mul(Function):
    """a * b"""

    def forward(self, a, b):
        need_a, need_b = self.needs
        self.save(
            a if need_b else None, b if need_a else None
        )  # each one's gradient needs the other
        return self.op(a, b)

    def backward(self, grad: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The gradients of a and b, where the result is a * b, elementwise.

        grad: the gradient of the result, an array of its shape.
        `need_a, need_b = self.needs` says which of the two are wanted; for the other one return
        None. `a, b = self.saved` are the operands, arrays or numbers; one that no wanted gradient
        depends on is None. Both results may have grad's shape: broadcasting is undone afterwards.
        """
        need_a, need_b = self.needs
        a, b = self.saved
        return grad * b if need_a else None, grad * a if need_b else None


class Div(Function):
    """a / b"""

    def forward(self, a, b):
        self.save(a if self.needs[1] else None, b)
        return self.op(a, b)

    def backward(self, grad):
        a, b = self.saved
        by_a = grad / b
        return by_a, -by_a * a / b if self.needs[1] else None


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
            if need_a:  # a ** 0 is constant, also at 0
                by_a = grad * (
                    b * a ** (b - 1) if np.all(b) else np.where(b == 0, 0, b * a ** (b - 1.0))
                )
            if need_b:  # and so is 0 ** b
                by_b = grad * np.where(np.equal(a, 0) & np.greater_equal(b, 0), 0, out * np.log(a))
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

    def forward(self, x):
        out = self.op(x)
        self.save(out)
        return out

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


class MatMul(Function):
    """a @ b"""

    def forward(self, a, b):
        self.save(a, b)
        return self.op(a, b)

    def backward(self, grad):
        a, b = self.saved
        if b.ndim <= 2:  # one b for all rows of a: one product of matrices
            k = b.shape[0]
            rows, columns = a.reshape(-1, k), b.reshape(k, -1)  # (n, k), (k, m)
            by_a, by_b = self.matrices(rows, columns, grad.reshape(len(rows), columns.shape[1]))
            return by_a if by_a is None else by_a.reshape(a.shape), (
                by_b if by_b is None else by_b.reshape(b.shape)
            )
        if a.ndim == 1:
            a, grad = a[None], grad[..., None, :]  # (1, k), (..., 1, m)
        return self.matrices(a, b, grad)

    def matrices(
        self, a: np.ndarray, b: np.ndarray, grad: np.ndarray
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The gradients of a and b, where the result is a @ b, for matrices or stacks of them.

        a: (..., n, k). b: (..., k, m). grad: (..., n, m), the gradient of the result.
        Returns arrays (..., n, k) and (..., k, m). `need_a, need_b = self.needs` says which are
        wanted; for the other one return None. `x.mT` is an array with its last two dimensions
        swapped.

        result[i, j] = sum over l of a[i, l] * b[l, j]: so a[i, l] took part in row i of the result,
        each time multiplied with a number of row l of b.
        """
        need_a, need_b = self.needs
        return grad @ b.mT if need_a else None, a.mT @ grad if need_b else None


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
        self.index, self.before = _index(index), x.shape
        self.save(*[item for item in self.index if isinstance(item, np.ndarray)])
        return out

    def backward(self, grad):
        out = np.zeros(self.before, grad.dtype)
        if any(picks.dtype.kind != "b" for picks in self.saved):
            places = np.arange(out.size).reshape(out.shape)[self.index]
            np.add.at(out.reshape(-1), places.reshape(-1), grad.reshape(-1))
        else:  # slices, single elements and masks pick nothing twice
            out[self.index] = grad
        return out


class Cat(Function):
    """Tensors joined along a dimension"""

    listed = True

    def forward(self, tensors, dim=0):
        out = self.op(tensors, dim)
        self.dim, self.sizes = dim, [x.shape[dim] for x in tensors]
        return out

    def backward(self, grad):
        return tuple(np.split(grad, np.cumsum(self.sizes[:-1]), axis=self.dim))


class Sum(Function):
    """Sum of all elements or along dims: each one counts once"""

    def forward(self, x, dim=None, keepdim=False):
        out = self.op(x, dim, keepdim)
        self.before, self.gone = x.shape, () if keepdim or dim is None else x._dims(dim, "sum")
        return out

    def backward(self, grad):
        grad = np.expand_dims(grad, self.gone)  # size 1 again where dims disappeared
        return np.broadcast_to(grad, self.before)


class Mean(Sum):
    """The sum divided by how many elements went into it"""

    def backward(self, grad):
        return super().backward(grad * (grad.size / max(math.prod(self.before), 1)))


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
            found = x == value
            return found * (grad / int(found.sum()))
        (indices,) = self.saved
        if not self.keepdim:
            grad, indices = (np.expand_dims(y, self.dim) for y in (grad, indices))
        out = np.zeros(self.before, grad.dtype)
        np.put_along_axis(out, indices, grad, self.dim)
        return out


class Choose(Function):
    """maximum and minimum of a and b: to the one chosen, half to each if they are equal"""

    def forward(self, a, b):
        out = self.op(a, b)
        self.save(a, b, out)
        return out

    def backward(self, grad):
        a, b, out = self.saved
        half = grad / 2
        return tuple(
            np.where(a == b, half, np.where(x == out, grad, 0)) if need else None
            for x, need in zip((a, b), self.needs, strict=True)
        )


class Where(Function):
    """a where the condition is true, else b"""

    def forward(self, condition, a, b):
        self.save(condition)
        return self.op(condition, a, b)

    def backward(self, grad):
        (condition,) = self.saved
        return None, np.where(condition, grad, 0), np.where(condition, 0, grad)


class Clamp(Function):
    """x limited to [min, max]; past a limit the gradient is the limit's"""

    def forward(self, x, min=None, max=None):
        self.save(x, -np.inf if min is None else min, np.inf if max is None else max)
        return self.op(x, min, max)

    def backward(self, grad):
        x, low, high = self.saved
        above, below = x > high, x < low
        by_x = np.where(above | below, 0, grad)
        if not any(self.needs[1:]):
            return by_x
        above |= np.greater_equal(low, high)  # the upper limit is applied last
        return by_x, np.where(below & ~above, grad, 0), np.where(above, grad, 0)


class Relu(OfResult):
    """max(x, 0)"""

    def backward(self, grad):
        (out,) = self.saved
        return np.where(out <= 0, np.zeros((), grad.dtype), grad)  # a nan stays visible


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
        self.eps = eps
        self.save(x, weight)
        return self.op(x, weight, bias, eps)

    def backward(self, grad):
        x, weight = self.saved
        n = weight.size
        z, g = x.reshape(-1, n).copy(), grad.reshape(-1, n)  # (positions, n)
        z -= z.mean(axis=1, keepdims=True)
        s = np.sqrt(np.vecdot(z, z)[:, None] / n + self.eps)
        z /= s
        by_weight, by_bias = np.einsum("pn,pn->n", g, z), g.sum(axis=0)
        # mean and s depend on every x of the position: what moves them along is taken out again
        g = g * weight.reshape(-1)
        z *= np.vecdot(g, z)[:, None] / n
        by_x = g - g.mean(axis=1, keepdims=True)
        by_x -= z
        by_x /= s
        return by_x.reshape(x.shape), by_weight.reshape(weight.shape), by_bias.reshape(weight.shape)


_install(
    Tensor,
    {
        "__add__": Add, "__sub__": Sub, "__mul__": Mul, "__truediv__": Div, "__pow__": Pow,
        "__neg__": Neg, "__abs__": Abs, "exp": Exp, "log": Log, "sqrt": Sqrt, "tanh": Tanh,
        "clamp": Clamp, "__matmul__": MatMul, "reshape": Reshape, "squeeze": Reshape,
        "unsqueeze": Reshape, "expand": Same, "transpose": Transpose, "T": Reverse,
        "permute": Permute, "__getitem__": GetItem, "sum": Sum, "mean": Mean, "max": Extreme,
        "min": Extreme, "to": Same, "clone": Same, "contiguous": Same,
    },
)  # fmt: skip
_install(_tensor, {"cat": Cat, "maximum": Choose, "minimum": Choose, "where": Where})
_install(
    activations,
    {
        "relu": Relu, "sigmoid": Sigmoid, "tanh": Tanh, "gelu": Gelu, "softmax": Softmax,
        "log_softmax": LogSoftmax,
    },
)  # fmt: skip
_install(layers, {"layer_norm": Normalize})


# Recomputing instead of remembering


class Checkpoint(Function):
    """A whole function as one node, which remembers its inputs and nothing in between.

    `self.op` is the function. Nothing inside `forward` is recorded, as in every Function.
    """

    name = "checkpoint"

    def forward(self, *inputs: object) -> Tensor:
        self.random = _tensor._generator.bit_generator.state  # so that dropout drops the same again
        self.save(*inputs)
        return self.op(*inputs)

    def backward(self, grad: np.ndarray) -> tuple[np.ndarray | None, ...]:
        """Compute the function a second time, with a graph, and go back through that.

        1. Make new leaves of `self.saved`, the inputs' arrays: `Tensor(array, requires_grad=need)`,
           with need from `self.needs`.
        2. Inside `with self.replay():`, which records and restores the random numbers, call
           `self.op` with them.
        3. `backward(grad)` on the result. Parameters inside the function receive their gradients
           there. Only if it requires one: the function may ignore its inputs.
        4. Return a tuple with each leaf's gradient as an array, None where there is none.

        Chen et al. 2016, https://arxiv.org/abs/1604.06174.
        """
        inputs = [
            Tensor(array, requires_grad=need)
            for array, need in zip(self.saved, self.needs, strict=True)
        ]
        with self.replay():
            out = self.op(*inputs)
        if out.requires_grad:
            out.backward(grad)
        return tuple(x.grad if x.grad is None else x.grad.data for x in inputs)

    @contextmanager
    def replay(self) -> Iterator[None]:
        """Record, with random numbers as they were in `forward`."""
        generator = _tensor._generator.bit_generator
        now, generator.state = generator.state, self.random
        try:
            with enable_grad():
                yield
        finally:
            generator.state = now


def checkpoint(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """function(*inputs), with a graph that keeps the inputs only.

    Backward computes the function again: more time, less memory. `function` must compute the same
    both times; what it uses besides `inputs` may be parameters, which receive gradients as usual.
    Raises TypeError for inputs that are not Tensors.
    """
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise TypeError(f"checkpoint: input {i} is not a Tensor but {_describe(x)}")
    return _record(Checkpoint, function, inputs, {}) if _recording else function(*inputs)


# Looking at it


def saved_bytes(tensor: Tensor, exclude: Iterable[Tensor] = ()) -> int:
    """Bytes of memory that the graph below `tensor` keeps for backward.

    Arrays that share memory count once. exclude: tensors whose memory does not count because it is
    there anyway: the data, the parameters.
    """
    nodes = topological_order(tensor._node) if tensor._node is not None else []
    arrays = [x for node in nodes for x in node._saved or () if isinstance(x, np.ndarray)]
    owners = {id(owner): owner for owner in map(_owner, arrays)}
    for x in exclude:
        owners.pop(id(_owner(x.data)), None)
    return sum(owner.nbytes for owner in owners.values())


def gradcheck(
    fn: Callable[..., Tensor],
    inputs: Tensor | Iterable[Tensor],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Compare the gradients of fn(*inputs) with differences; True if they agree.

    Each element of each input that requires a gradient is moved by eps both ways:
    (f(x + eps) - f(x - eps)) / (2 eps) must be within atol + rtol * |it| of the gradient. A result
    of several elements is first reduced to one number with fixed random weights. Inputs must be
    float64: in float32 the difference would be mostly rounding.

    Raises AssertionError that names the input, the index and both numbers; ValueError if no input
    requires a gradient, or one is not float64.
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        raise ValueError("gradcheck: no input requires a gradient")
    for i in wanted:
        if inputs[i].dtype != np.float64:
            raise ValueError(f"gradcheck: input {i} must be float64, it is {inputs[i].dtype}")
    leaves = [
        Tensor(x.data.copy(), requires_grad=i in wanted) if isinstance(x, Tensor) else x
        for i, x in enumerate(inputs)
    ]
    out = fn(*leaves)
    if not out.requires_grad:
        raise AssertionError("gradcheck: the result does not require a gradient: the graph is cut")
    weights = np.random.default_rng(0).uniform(0.5, 1.5, out.shape)
    out.backward(weights)
    for i in wanted:
        x = leaves[i]
        found = np.zeros(x.shape) if x.grad is None else x.grad.data
        if found.shape != x.shape:
            shapes = f"the gradient of input {i} has shape {found.shape}, the input {x.shape}"
            raise AssertionError(f"gradcheck: {shapes}")
        for index in np.ndindex(x.shape):
            with no_grad():
                here, sides = x.data[index], []
                for step in (eps, -eps):
                    x.data[index] = here + step
                    sides.append((fn(*leaves).data * weights).sum())
                x.data[index] = here
            expected = (sides[0] - sides[1]) / (2 * eps)
            if not abs(found[index] - expected) <= atol + rtol * abs(expected):
                place = f"input {i} at index {index}" if index else f"input {i}"
                raise AssertionError(
                    f"gradcheck: the gradient of {place} is {found[index]:.6g}, "
                    f"differences give {expected:.6g}"
                )
    return True
