"""Autograd: every operation remembers how it was made, and `backward()` walks back along it.

The computations themselves stay what Modules 01-04 made them. A wrapper around each operation
(`differentiable`) leaves a `Function` at the result when a gradient is wanted: a node of the graph,
which holds what the way back needs. `backward` visits the nodes, last one first. On that way
gradients are NumPy arrays; where they arrive, in a tensor's `grad`, they are Tensors.

This file is the whole of one backward pass, with the rules of the products and of cross-entropy.
The other rules of Modules 01-04 are in autograd_rules.py, what Tensor gains in autograd_tensor.py,
and what looks at graphs in autograd_tools.py; each needs this file, and this one needs none of
them: `tinytorch/__init__.py` puts them in place. An operation of a later module has its rule beside
itself, `@differentiable(Rule)`.
Names and behavior follow PyTorch (https://pytorch.org/docs/stable/autograd.html).
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ContextDecorator
from contextlib import contextmanager as _used_once

import numpy as np

from .activations import log_softmax
from .creation import get_rng_state, set_rng_state, zeros
from .losses import _aims, _has_more
from .tensor import Shape, Tensor, _describe, cat
from .tensor_sum import _add_up

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


class _Block(ContextDecorator):
    """A `with` block around one `yield`, which may be entered again, also inside itself."""

    def __init__(self, enter: Callable[[], AbstractContextManager]) -> None:
        self.enter, self.entered = enter, []

    def __enter__(self) -> object:
        block = self.enter()
        value = block.__enter__()
        self.entered.append(block)
        return value

    def __exit__(self, *error: object) -> bool | None:
        return self.entered.pop().__exit__(*error)


def contextmanager(function: Callable[..., Iterator]) -> Callable[..., _Block]:
    """contextlib's, but what the function returns can be kept and used more than once."""

    @functools.wraps(function)
    def block(*args: object, **kwargs: object) -> _Block:
        return _Block(lambda: _used_once(function)(*args, **kwargs))

    return block


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
# write; a write notes the time under the memory it went to, which views share. The note goes when
# the memory does.

_clock = 0
_written: dict[int, int] = {}  # id of the array that owns the memory -> time of the last write
_ends: dict[int, weakref.ref] = {}  # the same id -> what waits for the end of that array


def _owner(array: np.ndarray) -> np.ndarray:
    """The array that owns this one's memory: itself, or what it is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _note_write(array: np.ndarray) -> None:
    """A write into this array's memory happened."""
    global _clock
    _clock += 1
    owner = _owner(array)
    key = id(owner)
    if key not in _written:
        _ends[key] = weakref.ref(owner, lambda _: (_written.pop(key), _ends.pop(key)))
    _written[key] = _clock


def _last_write(array: np.ndarray) -> int:
    return _written.get(id(_owner(array)), 0)


# The graph


class Function:
    """A node: one operation that was computed, and the rule that takes gradients back through it.

    Subclasses define `backward(grad)`, and, if it needs anything from the computation,
    `forward(*args)`, which computes `self.op(*args)` and keeps what is needed:

        class Square(Function):
            def forward(self, x):
                self.save(x)
                return self.op(x)

            def backward(self, grad):
                (x,) = self.saved
                return grad * 2 * x

    op: the operation itself, Tensors to a Tensor.
    inputs: for each argument the node its gradient goes to, or None.
    needs: for each argument whether a gradient is wanted.
    shape, dtype: those of the result.
    """

    op: Callable | None = None
    inputs: tuple[Function | None, ...] = ()
    needs: tuple[bool, ...] = ()
    shape: Shape
    dtype: np.dtype
    tensor: weakref.ref[Tensor] | None = None  # whose `grad` receives what arrives here
    listed = False  # whether the first argument is a list, and its items are the inputs
    height = 0  # the longest way down to a node with a brake, or to a leaf
    brake: Brake | None = None

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
        self._time = _clock  # what was written before this, also to memory used again, is no matter

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
        if len(grads) < len(self.inputs) and any(self.inputs[len(grads) :]):
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


class Brake:
    """Frees what a node holds on to in a loop, and not while the node itself is being freed.

    A node that is freed frees its inputs, and they theirs, one inside the other. Some thousand deep
    that is more than a stack in WebAssembly holds. So on every way down a graph each `EVERY`th node
    at the latest has a brake. The first brake to die frees what it holds in a loop; those that die
    of it queue up there. Graphs less deep than that, which most are, are freed without this.
    """

    EVERY = 50
    queue: list | None = None  # while a loop is running, what it still has to free

    def __init__(self, held: tuple) -> None:
        self.held = held

    def __del__(self) -> None:
        if Brake.queue is not None:
            Brake.queue.append(self.held)
            return
        Brake.queue = queue = [self.held]
        self.held = None
        try:
            while queue:
                queue.pop()
        finally:
            Brake.queue = None


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
    latter stay, with size 1. Returns `grad` itself if nothing was stretched. `_add_up(grad, axis,
    keepdims)` is NumPy's `sum`, and more exact where it is long.

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
    return _add_up(grad, (*range(front), *ones), keepdims=True).reshape(shape)


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


def backward(tensor: Tensor, gradient: object = None, retain_graph: bool = False) -> None:
    """Add to every leaf's `grad` the gradient of `tensor` with respect to that leaf.

    gradient: where to start, in the tensor's shape; for a single number it is 1. It weights the
    elements: what arrives is the gradient of (tensor * gradient).sum().
    retain_graph: keep what the graph has saved, so that there can be a second backward.

    Raises RuntimeError if the tensor does not require a gradient, if it is not a single number and
    no gradient is given, if the graph was used already, or if something saved was written to.
    """
    if tensor._node is None:
        raise RuntimeError("backward: this tensor does not require a gradient")
    if gradient is None:
        if tensor.data.size != 1:
            instead = "give a gradient, or take sum() or mean()"
            raise RuntimeError(f"backward: shape {tensor.shape} is not one number; {instead}")
        seed = np.ones_like(tensor.data)
    else:
        seed = np.array(_raw(gradient), dtype=tensor.dtype)
        if seed.shape != tensor.shape:
            shapes = f"gradient has shape {seed.shape}, expected {tensor.shape}"
            raise RuntimeError(f"backward: {shapes}")
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # inf and nan are values
        backpropagate(tensor._node, seed, retain_graph)


# Recording


def differentiable(function: type[Function], op: Callable | None = None) -> Callable:
    """`op`, Tensors to a Tensor, as an operation that leaves a `function` node where one is wanted.

    Without `op` a decorator: `@differentiable(Rule)` above the operation's `def`.

    The wrapper's attribute `forward` is the operation itself, looked up at each call: whatever is
    put there (the student's code) is what runs, with and without gradients. A rule that is part of
    tinytorch is looked up by its name in the same way. The operation may return a tuple: its first
    item has the gradient, and no other may be a Tensor of floats. Raises TypeError unless
    `function` is a Function class.
    """
    if not (isinstance(function, type) and issubclass(function, Function)):
        raise TypeError(f"differentiable: expected a Function class, got {_describe(function)}")
    if op is None:
        return functools.partial(differentiable, function)
    inside = function.__module__.startswith("tinytorch.")
    rules, name = vars(sys.modules[function.__module__]) if inside else {}, function.__name__

    @functools.wraps(op)
    def wrapper(*args: object, **kwargs: object) -> Tensor:
        if _recording:
            if kwargs:
                args, kwargs = _tensors_first(op, args, kwargs)
            rule = rules.get(name, function)
            listed = rule.listed and args and isinstance(args[0], (list, tuple))
            for x in args[0] if listed else args:
                if isinstance(x, Tensor) and x._node is not None:
                    return _record(rule, wrapper.forward, args, kwargs)
        return wrapper.forward(*args, **kwargs)

    wrapper.forward, wrapper.rule = op, function
    return wrapper


def _tensors_first(op: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments given by name moved to their positions, if tensors are among them."""
    for value in kwargs.values():
        if isinstance(value[0] if isinstance(value, (list, tuple)) and value else value, Tensor):
            bound = inspect.signature(op).bind(*args, **kwargs)
            return bound.args, bound.kwargs
    return args, kwargs


def _record(function: type[Function], op: Callable, args: tuple, kwargs: dict) -> Tensor:
    """Compute with a node of class `function`, and leave the node at the result."""
    node = function()
    node.op = op
    inputs, height = [], 0
    for x in args[0] if function.listed else args:
        source = x._node if isinstance(x, Tensor) else None
        if source is not None:
            if type(source) is Leaf:
                source.follow(x)
            elif source.height > height:
                height = source.height
        inputs.append(source)
    node.inputs = tuple(inputs)
    if height == Brake.EVERY or function is Checkpoint:  # whose function may hold on to anything
        node.brake = Brake((node.inputs, op))
    else:
        node.height = height + 1
    node.needs = tuple([source is not None for source in inputs])
    before = _set_recording(False)  # only the operation as a whole is a node
    try:
        result = node.forward(*args, **kwargs)
    finally:
        _set_recording(before)
    out = result
    if isinstance(result, (tuple, list)):  # of (values, indices), the values
        _check_results(node, result)
        out = result[0] if result else None
    if not isinstance(out, Tensor) or out.data.dtype.kind != "f":
        return result  # ints have no gradient
    for x in args:
        if out is x:
            return result  # an argument that comes back as it was keeps its own node
    node.shape, node.dtype, node._time = out.data.shape, out.data.dtype, _clock
    out._node = node
    return result


def _check_results(node: Function, results: tuple | list) -> None:
    """TypeError if gradients would be lost: a node has one result, the first of these."""
    for i, x in enumerate(results):
        if i > 0 and isinstance(x, Tensor) and x.data.dtype.kind == "f":
            raise TypeError(
                f"{node.name}: result {i} is a Tensor of floats, but only the first result of one "
                "operation has a gradient; make them parts of one tensor, or several operations"
            )


# Three rules and a trick


class Mul(Function):
    """a * b"""

    def forward(self, a, b):
        need_a, need_b = self.needs
        self.save(a if need_b else None, b if need_a else None)  # each rule needs the other one
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


def _blank(shape: Shape) -> np.ndarray:
    """An array of this shape that takes no memory, where none of its numbers matters."""
    return np.ndarray(shape, np.float32, bytes(4), strides=(0,) * len(shape))


class MatMul(Function):
    """a @ b"""

    def forward(self, a, b):
        out = self.op(a, b)
        a, b = _raw(a), _raw(b)
        need_a, need_b = self.needs
        self.save(a if need_b else None, b if need_a else None)  # each rule needs the other one
        self.shapes, self.plain = (a.shape, b.shape), b.flags.c_contiguous
        return out

    def backward(self, grad):
        a, b = self.saved
        a = _blank(self.shapes[0]) if a is None else a
        b = _blank(self.shapes[1]) if b is None else b
        if b.ndim > 2:  # stacks of matrices; a 1-d operand is one row
            if a.ndim == 1:
                a, grad = a[None], grad[..., None, :]
            return self.matrices(a, b, grad, self.needs)
        # one b for all rows of a: a single product of matrices, however many dimensions a has
        need_a, need_b = self.needs
        n, k, m = math.prod(a.shape[:-1]), b.shape[0], math.prod(b.shape[1:])
        rows, columns, grad = a.reshape(n, k), b.reshape(k, m), grad.reshape(n, m)
        if self.plain or not need_b:
            by_a, by_b = self.matrices(rows, columns, grad, self.needs)
        else:  # b lies in memory as weight.T does; (a @ b).T = b.T @ a.T lays its gradient out so
            by_a, _ = self.matrices(rows, columns, grad, (need_a, False))
            by_b = self.matrices(columns.T, rows.T, grad.T, (True, False))[0].T
        return by_a.reshape(a.shape) if need_a else None, by_b.reshape(b.shape) if need_b else None

    def matrices(
        self, a: np.ndarray, b: np.ndarray, grad: np.ndarray, needs: tuple[bool, bool]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The gradients of a and b, where the result is a @ b, for matrices or stacks of them.

        a: (..., n, k). b: (..., k, m). grad: (..., n, m), the gradient of the result.
        needs: whether that of a is wanted, and that of b. Returns arrays (..., n, k) and
        (..., k, m), with None in place of one that is not wanted: each of the two costs as much as
        the forward product.

        result[i, j] = sum over l of a[i, l] * b[l, j]. So a[i, l] meets the numbers of row l of b,
        and each product goes into row i of the result. `x.mT` is an array with its last two
        dimensions swapped.
        """
        need_a, need_b = needs
        return grad @ b.mT if need_a else None, a.mT @ grad if need_b else None


def _each(grad: np.ndarray, reduction: str, shape: Shape) -> np.ndarray:
    """The gradient of every single loss, of this shape, given that of their mean, sum or all."""
    count = max(math.prod(shape), 1) if reduction == "mean" else 1
    return np.full(shape, grad / count, grad.dtype)


class CrossEntropy(Function):
    """cross_entropy: -log of the right class's share in the softmax"""

    def forward(self, logits, target, reduction="mean", label_smoothing=0.0, **more):
        self.reduction, self.smoothing, self.more = reduction, label_smoothing, more
        self.save(logits, target)
        return self.op(logits, target, reduction, label_smoothing, **more)

    def backward(self, grad):
        logits, target = self.saved
        more = {"weight": None, "ignore_index": -100, **self.more}
        if _has_more(Tensor(logits), Tensor(target), **more):
            return self.weighted(grad, logits, target, **more)
        last = np.moveaxis(logits, min(1, logits.ndim - 1), -1)  # (N, C, d) -> (N, d, C)
        each = _each(grad, self.reduction, target.shape)
        rows = last.reshape(-1, last.shape[-1])  # (positions, C)
        by_rows = self.rows(rows, target.reshape(-1), each.reshape(-1))
        return np.moveaxis(by_rows.reshape(last.shape), -1, min(1, logits.ndim - 1))

    def weighted(self, grad, logits, target, weight, ignore_index):
        """The gradients where every class of a position counts: sum(aims) * softmax - aims."""
        dim = min(1, logits.ndim - 1)
        options = Tensor(target), self.smoothing, weight, ignore_index
        aims, count = _aims(Tensor(logits), *options)
        logs = np.moveaxis(log_softmax(Tensor(logits), dim).data, dim, -1)
        each = np.asarray(grad / count if self.reduction == "mean" else grad)[..., None]
        by_logits = (aims.sum(-1, keepdims=True) * np.exp(logs) - aims) * each
        by_target = None
        if self.needs[1]:  # probabilities
            by_target = (1 - self.smoothing) * -logs * each
            by_target = by_target if weight is None else by_target * weight.data
            by_target = np.moveaxis(by_target, -1, dim)
        return np.moveaxis(by_logits, -1, dim), by_target

    def rows(self, logits: np.ndarray, classes: np.ndarray, grad: np.ndarray) -> np.ndarray:
        """The gradient of the logits: softmax minus one-hot, each row times its loss's gradient.

        logits: (positions, C), not to be changed. classes: (positions,), the right one of each row.
        grad: (positions,), the gradient of each row's loss. Returns (positions, C).

        The loss of a row is log(sum(e^logits)) - logits[right]. The derivative of the first part by
        the logits is their softmax, that of the second is 1 at the right class and 0 elsewhere.
        With label smoothing s = `self.smoothing` the ones and zeros become 1 - s + s / C and s / C.
        Logits may be large: subtract each row's largest before np.exp.
        """
        out = np.exp(logits - logits.max(axis=1, keepdims=True))
        out /= out.sum(axis=1, keepdims=True)
        out[np.arange(len(classes)), classes] -= 1 - self.smoothing
        out -= self.smoothing / out.shape[1]
        out *= grad[:, None]
        return out


class Checkpoint(Function):
    """A whole function as one node, which remembers its inputs and nothing in between.

    `self.op` is the function. Nothing inside `forward` is recorded, as in every Function.
    """

    name = "checkpoint"

    def forward(self, *inputs: object) -> Tensor:
        self.random = get_rng_state()  # so that dropout drops the same again
        self.save(*inputs)
        return Tensor(self.op(*inputs))  # a tensor of its own, should the function not make one

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
        now = get_rng_state()
        set_rng_state(self.random)
        try:
            with enable_grad():
                yield
        finally:
            set_rng_state(now)


def checkpoint(
    function: Callable[..., Tensor | tuple[Tensor, ...]], *inputs: Tensor
) -> Tensor | tuple[Tensor, ...]:
    """function(*inputs), with a graph that keeps the inputs only.

    Backward computes the function again: more time, less memory. `function` must compute the same
    both times; what it uses besides `inputs` may be parameters, which receive gradients as usual.
    It returns a Tensor or a tuple of Tensors.
    Raises TypeError for inputs or results that are not Tensors.
    """
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise TypeError(f"checkpoint: input {i} is not a Tensor but {_describe(x)}")
    if not _recording:
        return function(*inputs)
    several: list[Tensor] = []  # results, if the function has more than one

    def joined(*inputs: Tensor) -> Tensor:
        """What the function computes, as the one result that a node has: several end to end."""
        out = function(*inputs)
        if isinstance(out, Tensor):
            return out
        if not isinstance(out, (tuple, list)) or not all(isinstance(y, Tensor) for y in out):
            raise TypeError(f"checkpoint: expected Tensors as the result, got {_describe(out)}")
        several[:] = [y.detach() for y in out]
        floats = [y.reshape(-1) for y in out if y.dtype.kind == "f"]
        return cat(floats) if floats else zeros(0)

    flat = _record(Checkpoint, joined, inputs, {})
    if not several:
        return flat
    results, start = [], 0
    for y in several:
        if y.dtype.kind == "f":
            part = flat[start : start + y.numel()]
            start += y.numel()
            y = part.reshape(y.shape).to(y.dtype)
        results.append(y)
    several.clear()
    return tuple(results)
