"""Optimizers: how a parameter moves once its gradient is known.

`backward()` leaves a gradient in each parameter's `grad`; `step()` reads it and changes `data`. The
rules differ in what they remember between steps. They work on the NumPy arrays below the tensors,
in place, so that a step allocates nothing and records nothing.
Names, defaults and formulas follow PyTorch (https://pytorch.org/docs/stable/optim.html).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from numbers import Real

import numpy as np

from .autograd import _note_write
from .tensor import Tensor, _describe

Group = dict[str, object]


class Optimizer:
    """Groups of parameters with their options, and what is remembered of each parameter.

    param_groups: list of dicts; "params" is the list of parameters, the other entries are options,
    such as "lr". They may be changed between steps: that is what a schedule does.
    state: a dict of arrays and numbers for each parameter, empty before its first step.
    Subclasses define `update`, the rule for one parameter.
    """

    def __init__(self, params: Iterable, defaults: Group) -> None:
        """params: an iterable of parameters, or of groups: dicts with "params" and own options.

        defaults: the options of a group that does not say otherwise.
        """
        name = type(self).__name__
        if isinstance(params, (Tensor, Mapping)) or not isinstance(params, Iterable):
            got = _describe(params)
            raise TypeError(f"{name}: expected an iterable of parameters or of groups, got {got}")
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, dict] = defaultdict(dict)
        self._memory: dict[tuple, np.ndarray] = {}
        params = list(params)
        if not params:
            raise ValueError(f"{name}: expected at least one parameter, got none")
        groups = params if isinstance(params[0], Mapping) else [{"params": params}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, object]) -> None:
        """Append a group to `self.param_groups`, as a new dict.

        group: "params" is a parameter or an iterable of them, in the new dict always a list;
        options it names hold for this group, the others are `self.defaults`.
        `self._check_group(new)`, before it is appended, raises ValueError for unknown options, bad
        values and parameters that are already there, and TypeError for what is no parameter.
        """
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        new = {**self.defaults, **group, "params": params}
        self._check_group(new)
        self.param_groups.append(new)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: backward() adds to what it finds.

        With set_to_none=False gradients that are there become zeros in the same memory.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.data[...] = 0

    def step(self) -> None:
        """Move every parameter that has a gradient, by its group's options.

        For each group in `self.param_groups` and each parameter p in its "params", unless p.grad is
        None: `self.update(p.data, g, state, group)`, where g is the gradient as an array,
        `self._gradient(p)`, and the state is `self.state[p]`, a dict that is kept from step to
        step.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p.data, self._gradient(p), self.state[p], group)

    def update(self, p: np.ndarray, g: np.ndarray, state: dict, group: Group) -> None:
        """Change the parameter's array `p` in place. `g` and `group` are only read."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    # State

    def state_dict(self) -> dict[str, object]:
        """What has to be saved to go on later as if nothing had happened.

        {"state": {i: {name: Tensor or number}}, "param_groups": [...]}; parameters are numbered in
        the order of the groups. The tensors share the optimizer's memory: `copy.deepcopy` keeps a
        state that later steps do not change.
        """
        groups, state, number = [], {}, 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], number):
                if self.state.get(p):
                    state[i] = {
                        name: Tensor(value) if isinstance(value, np.ndarray) else value
                        for name, value in self.state[p].items()
                    }
            count = len(group["params"])
            groups.append({**group, "params": list(range(number, number + count))})
            number += count
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, object]) -> None:
        """Go on from what `state_dict()` gave; the values are copied.

        Raises ValueError, before anything is changed, unless options, groups, parameters and shapes
        match. So a state of SGD is none for Adam; Adam and AdamW keep the same and share theirs.
        """
        name = f"{type(self).__name__}.load_state_dict"
        missing = [key for key in ("state", "param_groups") if key not in state_dict]
        if missing:
            raise ValueError(f"{name}: missing {', '.join(missing)}: not an optimizer's state")
        saved = state_dict["param_groups"]
        for i, group in enumerate(saved):
            options = [key for key in group if key not in ("params", "initial_lr")]
            if set(options) != set(self.defaults):
                own = ", ".join(self.defaults)
                raise ValueError(
                    f"{name}: the state is another optimizer's: group {i} has the options "
                    f"{', '.join(options)}, expected {own}"
                )
        counts = [len(group["params"]) for group in self.param_groups]
        if counts != [len(group["params"]) for group in saved]:
            got = [len(group["params"]) for group in saved]
            raise ValueError(f"{name}: expected groups of {counts} parameters, got {got}")
        params = [p for group in self.param_groups for p in group["params"]]
        numbers = [i for group in saved for i in group["params"]]
        state: dict[Tensor, dict] = defaultdict(dict)
        for i, p in zip(numbers, params, strict=True):
            for key, value in state_dict["state"].get(i, {}).items():
                if isinstance(value, (Tensor, np.ndarray)):
                    if value.shape != p.shape:
                        what = f"{key} of parameter {i} has shape {value.shape}"
                        raise ValueError(f"{name}: {what}, expected {p.shape}")
                    value = np.array(Tensor(value).data, dtype=p.dtype)
                state[p][key] = value
        for own, group in zip(self.param_groups, saved, strict=True):
            own.update({key: value for key, value in group.items() if key != "params"})
        self.state = state

    # Given helpers

    def scratch(self, like: np.ndarray, slot: int = 0) -> np.ndarray:
        """An array to compute in, shaped like `like`. Its memory is used again at the next call.

        One piece of memory, as large as the largest parameter, serves them all. A second array that
        is needed at the same time has another `slot`.
        """
        memory = self._memory.get((slot, like.dtype))
        if memory is None or memory.size < like.size:
            memory = self._memory[slot, like.dtype] = np.empty(like.size, like.dtype)
        return memory[: like.size].reshape(like.shape)

    def decayed(self, p: np.ndarray, g: np.ndarray, group: Group) -> np.ndarray:
        """g + weight_decay * p, the gradient of a loss that also punishes large parameters.

        Without weight decay that is `g` itself. Uses slot 1 of the scratch memory.
        """
        if not group["weight_decay"]:
            return g
        out = np.multiply(p, group["weight_decay"], out=self.scratch(p, slot=1))
        out += g
        return out

    def _gradient(self, p: Tensor) -> np.ndarray:
        """p.grad as an array of p's dtype; ValueError if its shape is not p's.

        p is about to be written to. That is noted, so that a graph which saved p's old numbers
        refuses a later backward() instead of using the new ones.
        """
        if p.grad.shape != p.shape:
            shapes = f"the gradient has shape {p.grad.shape}, its parameter {p.shape}"
            raise ValueError(f"{type(self).__name__}: {shapes}")
        _note_write(p.data)
        return p.grad.data.astype(p.dtype, copy=False)

    def _check_group(self, group: Group) -> None:
        name = type(self).__name__
        taken = {id(p) for other in self.param_groups for p in other["params"]}
        for i, p in enumerate(group["params"]):
            if not isinstance(p, Tensor) or p.dtype.kind != "f":
                raise TypeError(f"{name}: parameter {i} is not a Tensor of floats: {_describe(p)}")
            if not p.is_leaf:
                raise ValueError(
                    f"{name}: parameter {i}, of shape {p.shape}, was computed by {p.grad_fn.name}: "
                    "only a leaf can be optimized; give what it was computed from, or its detach()"
                )
            if id(p) in taken:
                raise ValueError(f"{name}: parameter {i}, of shape {p.shape}, is there twice")
            taken.add(id(p))
        unknown = [key for key in group if key != "params" and key not in self.defaults]
        if unknown:
            known = ", ".join(self.defaults)
            raise ValueError(f"{name}: no option {', '.join(unknown)}; there are {known}")
        for key in ("lr", "momentum", "weight_decay", "alpha", "eps"):
            if not isinstance(group.get(key, 0), Real):
                raise TypeError(f"{name}: {key} must be a number, got {_describe(group[key])}")
            if not group.get(key, 0) >= 0:
                raise ValueError(f"{name}: {key} must not be negative, got {group[key]}")
        betas = group.get("betas", (0, 0))
        pair = isinstance(betas, tuple | list) and len(betas) == 2
        if not pair or not all(isinstance(beta, Real) for beta in betas):
            raise TypeError(f"{name}: betas must be two numbers, got {_describe(betas)}")
        for beta in betas:
            if not 0 <= beta < 1:
                raise ValueError(f"{name}: betas must lie in [0, 1), got {group['betas']}")
        if group.get("nesterov") and not group["momentum"]:
            raise ValueError(f"{name}: nesterov needs a momentum above 0")

    def __repr__(self) -> str:
        text = []
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            text.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return "\n".join([f"{type(self).__name__}(", *text, ")"])


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for."""

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        momentum: float = 0.0,
        *,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            dict(lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov),
        )

    def update(self, p: np.ndarray, g: np.ndarray, state: dict, group: Group) -> None:
        """Change `p` in place by one step:

            g = g + weight_decay * p                     self.decayed(p, g, group)
            velocity = momentum * velocity + g           only if momentum is not 0
            d = velocity, or with nesterov g + momentum * velocity; without momentum g
            p = p - lr * d

        velocity starts as zeros and is kept in state["momentum_buffer"]. g is not changed.
        The options are group["lr"], group["momentum"], group["nesterov"]. `self.scratch(p)` is an
        array to compute in.

        Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html.
        """
        g, out = self.decayed(p, g, group), self.scratch(p)
        if momentum := group["momentum"]:
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = np.zeros_like(p)
            velocity = state["momentum_buffer"]
            velocity *= momentum
            velocity += g
            if group["nesterov"]:
                g = np.add(np.multiply(velocity, momentum, out=out), g, out=out)
            else:
                g = velocity
        p -= np.multiply(g, group["lr"], out=out)


class RMSprop(Optimizer):
    """Each number's step is divided by the size its gradient usually has."""

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        options = dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        super().__init__(params, options)

    def update(self, p: np.ndarray, g: np.ndarray, state: dict, group: Group) -> None:
        """Change `p` in place by one step:

            g = g + weight_decay * p                     self.decayed(p, g, group)
            v = alpha * v + (1 - alpha) * g²
            d = g / (sqrt(v) + eps)
            velocity = momentum * velocity + d           only if momentum is not 0, and then
            d = velocity
            p = p - lr * d

        v and velocity start as zeros and are kept in state["square_avg"] and
        state["momentum_buffer"], the latter only if there is momentum. g is not changed. The other
        names are options: group["alpha"]. `self.scratch(p)` is an array to compute in.

        Hinton 2012, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.
        """
        g, out = self.decayed(p, g, group), self.scratch(p)
        if "square_avg" not in state:
            state["square_avg"] = np.zeros_like(p)
        v = state["square_avg"]
        v *= group["alpha"]
        np.multiply(g, g, out=out)
        out *= 1 - group["alpha"]
        v += out
        np.sqrt(v, out=out)
        out += group["eps"]
        np.divide(g, out, out=out)
        if group["momentum"]:
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = np.zeros_like(p)
            velocity = state["momentum_buffer"]
            velocity *= group["momentum"]
            velocity += out
            out[...] = velocity
        out *= group["lr"]
        p -= out


class Adam(Optimizer):
    """Momentum, divided by the usual size of the gradient, both corrected for their start."""

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        options = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, options)

    def update(self, p: np.ndarray, g: np.ndarray, state: dict, group: Group) -> None:
        """Change `p` in place by step number t = 1, 2, 3, ...:

            g = g + weight_decay * p                     self.decayed(p, g, group)
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g²
            p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

        m and v start as zeros and are kept in state["exp_avg"] and state["exp_avg_sq"]; t is kept
        in state["step"]. g is not changed. group["betas"] is the pair (beta1, beta2).
        `self.scratch(p)` is an array to compute in.

        Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1.
        """
        g, out = self.decayed(p, g, group), self.scratch(p)
        beta1, beta2 = group["betas"]
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
        state["step"] += 1
        m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
        m *= beta1
        m += np.multiply(g, 1 - beta1, out=out)
        v *= beta2
        np.multiply(g, g, out=out)
        out *= 1 - beta2
        v += out
        np.sqrt(v, out=out)
        out *= 1 / math.sqrt(1 - beta2**t)
        out += group["eps"]
        np.divide(m, out, out=out)
        out *= group["lr"] / (1 - beta1**t)
        p -= out


class AdamW(Adam):
    """Adam with weight decay that does not pass through its averages."""

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, p: np.ndarray, g: np.ndarray, state: dict, group: Group) -> None:
        """Change `p` in place by one step:

            p = p - lr * weight_decay * p
            then Adam's step, without weight decay: `super().update(...)`, given a group like this
            one but with a weight_decay of 0

        Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2.
        """
        p *= 1 - group["lr"] * group["weight_decay"]
        super().update(p, g, state, {**group, "weight_decay": 0.0})
