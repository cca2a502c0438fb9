"""What Tensor, Parameter and Module gain from autograd, attached from outside.

Modules 01-04 know nothing of this file. Where one of their methods is replaced, the replacement
calls the original, its attribute `forward`, looked up at each call.
"""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable
from types import ModuleType

from . import creation, layers
from .autograd import Function, Leaf, _note_write, backward, is_grad_enabled, no_grad
from .layers import Module, Parameter
from .tensor import Tensor

# What Tensor gains. It has a node, `_node`, if and only if gradients flow to it.


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


def _getstate(self: Tensor) -> dict:
    """What copy and pickle keep: everything but the graph."""
    leaf = self._node is not None and _is_leaf(self)
    return {**vars(self), "_node": leaf}


def _setstate(self: Tensor, state: dict) -> None:
    vars(self).update(state, _node=None)
    self.requires_grad = state["_node"]


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
        if is_grad_enabled() and (
            self._node is not None or getattr(value, "_node", None) is not None
        ):
            raise RuntimeError(
                f"setitem: writing into a tensor of shape {self.shape} leaves no gradient, and "
                f"{'it' if self._node is not None else 'the value'} requires one; compute a new "
                "tensor with where() or cat(), use detach(), or write inside no_grad()"
            )
        wrapper.forward(self, index, value)
        _note_write(self.data)

    wrapper.forward = setitem
    return wrapper


def _way_out(method: Callable) -> Callable:
    """`numpy` and `__array__`: not for a tensor whose gradient would be lost without a word."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        if self._node is not None and is_grad_enabled():
            raise RuntimeError(
                f"numpy: this tensor of shape {self.shape} requires a gradient, and an array has "
                "none; compute with tensors, or use detach().numpy()"
            )
        return wrapper.forward(self, *args, **kwargs)

    wrapper.forward = method
    return wrapper


def _filling(fill: Callable) -> Callable:
    """`uniform_` and the like: they write into the tensor, which backward must know of."""

    @functools.wraps(fill)
    def wrapper(tensor, *args, **kwargs):
        out = wrapper.forward(tensor, *args, **kwargs)
        _note_write(tensor.data)
        return out

    wrapper.forward = fill
    return wrapper


def _creating(create: Callable) -> Callable:
    """`zeros` and the like, with `requires_grad=`."""

    @functools.wraps(create)
    def wrapper(*args, requires_grad: bool = False, **kwargs):
        out = wrapper.forward(*args, **kwargs)
        if requires_grad:
            out.requires_grad = True
        return out

    wrapper.forward = create
    signature = inspect.signature(create)
    option = inspect.Parameter(
        "requires_grad", inspect.Parameter.KEYWORD_ONLY, default=False, annotation="bool"
    )
    wrapper.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])
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


def _repr(repr: Callable) -> Callable:
    @functools.wraps(repr)
    def wrapper(self):
        text = wrapper.forward(self)
        if self._node is None or isinstance(self, Parameter):
            return text
        note = "requires_grad=True" if self.is_leaf else f"grad_fn={self._node.name}"
        return f"{text[:-1]}, {note})"

    wrapper.forward = repr
    return wrapper


FILLS = (
    "uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_",
    "xavier_normal_",
)  # fmt: skip
CREATES = (
    "zeros", "ones", "full", "zeros_like", "ones_like", "eye", "arange", "rand", "randn",
)  # fmt: skip


def replace(owner: type | ModuleType, name: str, value: object) -> None:
    """Put `value` in place of a class's or module's `name`, and wherever else that is held."""
    held = vars(owner)[name]
    setattr(owner, name, value)
    if isinstance(owner, ModuleType):  # other modules have imported it by name
        for file, module in list(sys.modules.items()):
            if file == "tinytorch" or file.startswith("tinytorch."):
                for key, bound in list(vars(module).items()):
                    if bound is held:
                        setattr(module, key, value)


def attach() -> None:
    """Put all of this in its place."""
    Tensor._node = Tensor.grad = None
    gained = {
        "requires_grad": property(_requires_grad, _set_requires_grad),
        "requires_grad_": _requires_grad_,
        "is_leaf": property(_is_leaf),
        "grad_fn": property(_grad_fn),
        "detach": _detach,
        "retain_grad": _retain_grad,
        "backward": backward,
        "__getstate__": _getstate,
        "__setstate__": _setstate,
        "__init__": _init(Tensor.__init__),
        "__setitem__": _setitem(Tensor.__setitem__),
        "__repr__": _repr(Tensor.__repr__),
        "numpy": _way_out(Tensor.numpy),
        "__array__": _way_out(Tensor.__array__),
    }
    for name, value in gained.items():
        setattr(Tensor, name, value)
    Parameter.__init__ = _parameter_init(Parameter.__init__)
    Module.load_state_dict = _unrecorded(Module.load_state_dict)
    Module.zero_grad = _zero_grad
    for name in FILLS:
        replace(layers, name, _filling(vars(layers)[name]))
    for name in CREATES:
        replace(creation, name, _creating(vars(creation)[name]))
