"""Layers: functions that own numbers, and `Module`, which finds those numbers wherever they are.

A layer is a Module: its `Parameter`s are attributes, what it computes is `forward`, and calling it
calls `forward`. Modules hold modules. One walk over attributes finds every parameter of the whole,
by name: counting, saving and, later, training are loops over that walk.
Names, defaults and formulas follow PyTorch (https://pytorch.org/docs/stable/nn.html).
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from reprlib import recursive_repr

import numpy as np

from . import activations
from .creation import ones, rand, randn, zeros
from .tensor import Tensor, _describe, _ints

Unmatched = namedtuple("Unmatched", ["missing_keys", "unexpected_keys"])


class Parameter(Tensor):
    """A tensor that a module learns. It is found because it is an attribute of a module.

    data: as for Tensor; a Tensor's or array's memory is shared. Raises TypeError unless floats.
    """

    def __init__(self, data: object, dtype: object = None) -> None:
        super().__init__(data, dtype)
        if self.dtype.kind != "f":
            raise TypeError(f"{type(self).__name__}: expected floats, got {self.dtype}")

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that belongs to a module's state, and is saved with it, but is not learned.

    persistent: False leaves it out of `state_dict()`.
    """

    def __init__(self, data: object, dtype: object = None, persistent: bool = True) -> None:
        super().__init__(data, dtype)
        self.persistent = persistent


# Initialization. A trailing underscore: the function writes into the tensor it is given.


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill `tensor` with random numbers spread evenly over [a, b), and return it."""
    tensor.data[...] = a + (b - a) * rand(tensor.shape, dtype=tensor.dtype).data
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill `tensor` with random numbers of the normal distribution, and return it."""
    tensor.data[...] = mean + std * randn(tensor.shape, dtype=tensor.dtype).data
    return tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much a layer's weights must make up for the nonlinearity that follows it.

    param: the negative slope of "leaky_relu", 0.01 if not given.
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
    }
    if nonlinearity not in gains:
        known = ", ".join(gains)
        raise ValueError(f"calculate_gain: no gain for {nonlinearity!r}; there are {known}")
    return gains[nonlinearity]


def _fans(tensor: Tensor, op: str) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight of shape (out, in, ...): numbers read, and written, at once."""
    if tensor.ndim < 2 or tensor.numel() == 0:
        raise ValueError(f"{op}: expected a weight of shape (out, in, ...), got {tensor.shape}")
    area = math.prod(tensor.shape[2:])
    return tensor.shape[1] * area, tensor.shape[0] * area


def _fan(tensor: Tensor, mode: str, op: str) -> int:
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor, op), strict=True))
    if mode not in fans:
        raise ValueError(f"{op}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return fans[mode]


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Fill a weight of shape (out, in, ...) so that what it multiplies keeps its size; return it.

    The numbers are spread evenly over [-bound, bound), where
        bound = gain * sqrt(3 / fan)
    gives them the standard deviation gain / sqrt(fan).
    `calculate_gain(nonlinearity, a)` is the gain; `a` is the negative slope of a leaky ReLU.
    `_fan(tensor, mode, "kaiming_uniform_")` is the number of inputs of one output (mode "fan_in")
    or of outputs of one input ("fan_out"), and raises ValueError for other modes or shapes.
    `uniform_(tensor, low, high)` fills.

    He et al. 2015, https://arxiv.org/abs/1502.01852, equation 10.
    """
    fan = _fan(tensor, mode, "kaiming_uniform_")
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / fan)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """As `kaiming_uniform_`, with the normal distribution of the same standard deviation."""
    fan = _fan(tensor, mode, "kaiming_normal_")
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Fill a weight evenly over [-bound, bound), bound = gain * sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, equation 16.
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor, "xavier_uniform_")))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """As `xavier_uniform_`, with the normal distribution of the same standard deviation."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor, "xavier_normal_"))))


# Module


class Module:
    """A piece of a network. Subclasses set attributes in `__init__` and define `forward`.

    Attributes that are Parameters, Buffers or Modules are found by their names. As in PyTorch, a
    plain list of modules is not searched: put them into a Sequential.
    """

    training: bool = True

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute. One that holds a Parameter, Buffer or Module goes on holding one.

        A Tensor given to a Buffer's name becomes a Buffer that shares its memory; None is let in
        everywhere. Raises TypeError for anything else: `m.weight = m.weight * 0.5` would leave
        the module without a weight to learn.
        """
        old = vars(self).get(name)
        if type(value) is Tensor and isinstance(old, Buffer):
            value = Buffer(value, persistent=old.persistent)
        for kind in (Parameter, Buffer, Module):
            if isinstance(old, kind) and not isinstance(value, kind | None):
                expected = f"it must stay a {kind.__name__}, or become None"
                if kind is Parameter:
                    expected += f"; to change its numbers write into {name}.data"
                owner = f"{type(self).__name__}.{name}"
                raise TypeError(f"{owner}: {expected}; got {_describe(value)}")
        super().__setattr__(name, value)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` a Buffer of this name; None keeps the name free."""
        if not isinstance(tensor, Tensor | None):
            got = _describe(tensor)
            raise TypeError(f"register_buffer: {name} must be a Tensor or None, got {got}")
        if hasattr(self, name) and not isinstance(getattr(self, name), Buffer | None):
            raise KeyError(f"register_buffer: there is an attribute {name!r} already")
        setattr(self, name, None if tensor is None else Buffer(tensor, persistent=persistent))

    def forward(self, *args: object) -> Tensor:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: object, **kwargs: object) -> Tensor:
        return self.forward(*args, **kwargs)

    # What it is made of

    def _parts(self) -> Iterator[tuple[str, object]]:
        """What `repr` lists: attributes that are modules, with their names."""
        return ((name, x) for name, x in vars(self).items() if isinstance(x, Module))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, in order of definition, each once."""
        seen = set()
        for name, value in self._parts():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one, each once."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module, named "", and every module below it, named by its path: "encoder.0".

        A module that is there twice comes once, under its first name, unless remove_duplicate is
        False. One that lies below itself, a child that holds its parent, is not entered again.
        """
        return self._walk(prefix, set(), remove_duplicate)

    def _walk(
        self, path: str, seen: set[int], remove_duplicate: bool
    ) -> Iterator[tuple[str, Module]]:
        """`seen`: the ids of modules not to enter: all so far, or those that lead here."""
        if id(self) not in seen:
            seen.add(id(self))
            yield path, self
            for name, part in self._parts():
                if isinstance(part, Module):
                    below = seen if remove_duplicate else set(seen)
                    name = f"{path}.{name}" if path else name
                    yield from part._walk(name, below, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and every module below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yield a pair (name, parameter) for each Parameter of this module and of all below it.

        `self.named_modules(remove_duplicate=remove_duplicate)` gives pairs of a path and a module:
        ("", self) first, then, say, ("encoder.0", layer). A module's own parameters are those
        attributes, `vars(module)`, that are Parameters, in order of definition. A name is the path,
        a dot, and the attribute: "encoder.0.weight"; for this module's own the attribute alone.

        A Parameter that is there twice, because two modules share it or the walk comes to one
        module twice, comes once, under its first name, unless remove_duplicate is False. Tell
        parameters apart with `is` or `id()`: `==` compares values.

        >>> [name for name, p in Sequential(Linear(2, 3), Linear(3, 1)).named_parameters()]
        ['0.weight', '0.bias', '1.weight', '1.bias']
        """
        seen = set()
        for path, module in self.named_modules(remove_duplicate=remove_duplicate):
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def parameters(self) -> Iterator[Parameter]:
        """Every Parameter of this module and of all below it, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Buffer]]:
        """A pair (name, buffer) for each Buffer of this module and of all below it."""
        seen = set()
        for path, module in self.named_modules(remove_duplicate=remove_duplicate):
            for name, value in vars(module).items():
                if isinstance(value, Buffer) and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def buffers(self) -> Iterator[Buffer]:
        """Every Buffer of this module and of all below it, each once."""
        return (buffer for _, buffer in self.named_buffers())

    def apply(self, fn: Callable[[Module], object]) -> Module:
        """Call `fn` with every module below, and last with this one; returns this module.

        Each module once, those below before the one that holds them: `net.apply(initialize)`.
        """
        seen = set()

        def visit(module: Module) -> None:
            if id(module) not in seen:
                seen.add(id(module))
                for child in module.children():
                    visit(child)
                fn(module)

        visit(self)
        return self

    # What state it is in

    def train(self, mode: bool = True) -> Module:
        """Set `training` here and in all modules below; returns this module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Leave training: `train(False)`. Dropout, for one, then does nothing."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Set `requires_grad` of every parameter: False freezes them; returns this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def to(self, dtype: object) -> Module:
        """Convert every parameter and every buffer of floats to `dtype`; returns this module."""
        for _, x in (*self.named_parameters(), *self.named_buffers()):
            if x.dtype.kind == "f":
                x.data = x.data.astype(dtype, copy=False)
        return self

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and buffer as a plain Tensor, by name.

        The tensors share the module's memory, so a copy that must not change needs `clone()`. A
        parameter that two modules share is there under both names.

        >>> {name: x.shape for name, x in Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        parameters = self.named_parameters(remove_duplicate=False)
        buffers = self.named_buffers(remove_duplicate=False)
        named = (*parameters, *((name, x) for name, x in buffers if x.persistent))
        return {name: Tensor(x) for name, x in named}

    def load_state_dict(self, state_dict: Mapping[str, object], strict: bool = True) -> Unmatched:
        """Copy values into this module's parameters and buffers, which stay the same objects.

        state_dict: Tensors or arrays by name, as `state_dict()` gives them. `self.state_dict()`
        has this module's own names; its tensors share memory with the module, so
        `own[name][...] = value` writes through.

        With strict=False names that only one side has are passed over. Returns them:
        `Unmatched(missing_keys=[...], unexpected_keys=[...])`, missing from the argument and
        unexpected in it.

        Raises ValueError, before anything is written, naming every fault at once:
        `load_state_dict: missing bias; unexpected scale; weight has shape (2, 3), expected (3, 3)`
        """
        own = self.state_dict()
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        common = [name for name in own if name in state_dict]
        faults = [f"missing {', '.join(missing)}"] if strict and missing else []
        faults += [f"unexpected {', '.join(unexpected)}"] if strict and unexpected else []
        for name in common:
            shape = np.shape(state_dict[name])
            if shape != own[name].shape:
                faults.append(f"{name} has shape {shape}, expected {own[name].shape}")
        if faults:
            raise ValueError(f"load_state_dict: {'; '.join(faults)}")
        for name in common:
            own[name][...] = state_dict[name]
        return Unmatched(missing, unexpected)

    # Display

    def extra_repr(self) -> str:
        """What `repr` says of the module itself, between its brackets."""
        return ""

    @recursive_repr()
    def __repr__(self) -> str:
        extra, name = self.extra_repr(), type(self).__name__
        parts = [f"({part}): {_shown(value)}" for part, value in self._parts()]
        if not parts:
            return f"{name}({extra})"
        lines = "\n".join([extra] * bool(extra) + parts).replace("\n", "\n  ")
        return f"{name}(\n  {lines}\n)"


# Activations, from Module 02, become Modules: a network lists them and switches their mode, too.
activations.Activation.__bases__ = (Module,)


def _shown(value: object) -> str:
    return getattr(value, "__name__", None) or repr(value)


# Layers


def _check_tensor(x: object, op: object) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: expected a Tensor, got {_describe(x)}")


def _sizes(op: str, *sizes: int) -> tuple[int, ...]:
    if min(_ints(op, sizes), default=1) < 1:
        raise ValueError(f"{op}: sizes must be at least 1, got {sizes}")
    return _ints(op, sizes)


class Linear(Module):
    """x @ weight.T + bias: every output is a weighted sum of all inputs, plus an offset.

    weight: Parameter (out_features, in_features). bias: Parameter (out_features,), or None.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        """Make the parameters, filled with random numbers as PyTorch fills them.

        Sets `self.in_features`, `self.out_features`;
        `self.weight`, a Parameter of shape (out_features, in_features), filled by
        `kaiming_uniform_` with a=sqrt(5), which comes to the bound 1 / sqrt(in_features);
        `self.bias`, a Parameter of shape (out_features,), filled by `uniform_` within the same
        bound, or None if `bias` is False.

        `_sizes("Linear", in_features, out_features)` gives both as ints and raises ValueError if
        one is less than 1. Draw the weight first, then the bias.
        """
        self.in_features, self.out_features = _sizes("Linear", in_features, out_features)
        weight = zeros(self.out_features, self.in_features)
        self.weight = Parameter(kaiming_uniform_(weight, a=math.sqrt(5)))
        bound = 1 / math.sqrt(self.in_features)
        self.bias = Parameter(uniform_(zeros(self.out_features), -bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x @ weight.T + bias, the bias only if there is one.

        x: (..., in_features). Returns (..., out_features).

        Raises ValueError for another last dimension, naming the layer and the shape:
        `Linear(in_features=3, out_features=2, bias=True): expected shape (..., 3), got (4, 5)`
        and TypeError for what is no Tensor: `_check_tensor(x, self)` does.
        """
        _check_tensor(x, self)
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(f"{self}: expected shape (..., {self.in_features}), got {x.shape}")
        out = x @ self.weight.T  # (..., in) @ (in, out) -> (..., out)
        return out if self.bias is None else out + self.bias

    def extra_repr(self) -> str:
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Standardize x over its last dimensions, those of `weight`, then scale and shift:

        y = (x - mean) / sqrt(var + eps) * weight + bias

    mean and var are taken over the last `weight.ndim` dimensions, for each position in the others
    separately. var divides by the count (no correction). weight and bias have the same shape.
    Raises ValueError if x does not end in that shape:
    `layer_norm: expected shape (..., 3), got (2, 4)`; `_check_norm(x, weight, bias)` does.
    `_at_least_float32(x.data)` are the numbers to compute with; the result has x's dtype.

    Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """
    _check_norm(x, weight, bias)
    rows = _at_least_float32(x.data).reshape(-1, weight.numel())  # (positions, to standardize)
    out = rows - rows.mean(axis=1, keepdims=True)
    var = np.vecdot(out, out)[:, None] / weight.numel()  # no array of squares in between
    out /= np.sqrt(var + eps)
    out *= weight.data.reshape(-1)
    out += bias.data.reshape(-1)
    return Tensor(out.reshape(x.shape), dtype=x.dtype)


def _at_least_float32(x: np.ndarray) -> np.ndarray:
    """float16 as float32: a sum of squares soon exceeds 65504, the largest float16."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _check_norm(x: Tensor, weight: Tensor, bias: Tensor) -> None:
    _check_tensor(x, "layer_norm")
    if x.dtype.kind != "f":
        raise TypeError(f"layer_norm: expected floats, got {x.dtype}")
    if weight.shape != bias.shape:
        raise ValueError(f"layer_norm: weight has shape {weight.shape}, bias {bias.shape}")
    if weight.ndim == 0 or x.shape[-weight.ndim :] != weight.shape:
        sizes = ", ".join(map(str, weight.shape))
        raise ValueError(f"layer_norm: expected shape (..., {sizes}), got {x.shape}")


class LayerNorm(Module):
    """`layer_norm` with a weight, at first ones, and a bias, at first zeros, of its own."""

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5) -> None:
        shape = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
        self.normalized_shape, self.eps = _sizes("LayerNorm", *shape), eps
        self.weight = Parameter(ones(self.normalized_shape))
        self.bias = Parameter(zeros(self.normalized_shape))

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., *normalized_shape). Returns the same shape."""
        return layer_norm(x, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


class Dropout(Module):
    """In training, sets each number to zero with probability p; otherwise does nothing."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p must lie between 0 and 1, got {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x itself when not training; else x with numbers dropped at random and the rest scaled.

        Each number is kept with probability 1 - p and then divided by 1 - p, so that its expected
        value stays what it was; otherwise it becomes 0. `rand(x.shape)` draws from [0, 1): a number
        is kept where the draw is at least p. With p = 1 everything is 0. x is not changed.

        Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.
        """
        if not self.training or self.p == 0:
            return x
        kept = (rand(x.shape) >= self.p).to(x.dtype)
        return x * (kept * (1 / (1 - self.p) if self.p < 1 else 0))

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Sequential(Module):
    """Layers one after the other. A layer is anything that can be called with a tensor."""

    def __init__(self, *layers: Callable[[Tensor], Tensor]) -> None:
        self.layers: list[Callable[[Tensor], Tensor]] = []
        for layer in layers:
            self.append(layer)

    def append(self, layer: Callable[[Tensor], Tensor]) -> Sequential:
        """Put a layer at the end; returns this module."""
        i = len(self.layers)
        if isinstance(layer, type):
            name = layer.__name__
            raise TypeError(f"Sequential: layer {i} is the class {name}; make one: {name}(...)")
        if not callable(layer):
            raise TypeError(f"Sequential: layer {i} cannot be called: {_describe(layer)}")
        self.layers.append(layer)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Each layer is called with what the one before it returned; the first with x.

        Without layers, x itself.
        """
        for layer in self.layers:
            x = layer(x)
        return x

    def _parts(self) -> Iterator[tuple[str, object]]:
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Callable[[Tensor], Tensor]]:
        return iter(self.layers)

    def __getitem__(self, index: int | slice) -> object:
        """The layer at a position, or for a slice a Sequential of the same layers."""
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]
