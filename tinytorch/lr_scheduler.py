"""Learning-rate schedules: how large the steps are, as training goes on.

Each is one formula, `lr_at(step, base)`: the rate after so many steps of a group that began with
`base`. What is remembered is a single count, so any step's rate can be asked for, and drawn.
What others do to a rate in between, a second schedule or a hand, stays: `_base` takes it into the
base. Names, defaults and formulas follow PyTorch's `torch.optim.lr_scheduler`
(https://pytorch.org/docs/stable/optim.html); OneCycleLR leaves the momentum alone.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from .optimizers import Optimizer
from .tensor import _describe


class LRScheduler:
    """Sets every group's learning rate, from how many steps were made and what it was at first.

    optimizer: its groups' "lr" at this moment is kept in them as "initial_lr".
    Subclasses define `lr_at`. Call `step()` after `optimizer.step()`; the Trainer does.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            got = _describe(optimizer)
            raise TypeError(f"{type(self).__name__}: expected an optimizer, got {got}")
        self.optimizer = optimizer
        self.last_epoch = -1  # PyTorch's name; it counts calls of step(), whatever they stand for
        self.base_lrs: list[float] = []  # of each group, as `_base` found it last
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.step()

    def lr_at(self, step: int, base: float) -> float:
        """The learning rate after `step` steps of a group that began with `base`."""
        raise NotImplementedError(f"{type(self).__name__} does not define lr_at")

    def step(self) -> None:
        """Count one step in `self.last_epoch`, and set the learning rate of every group.

        For each group in `self.optimizer.param_groups`: group["lr"] becomes
        `self.lr_at(self.last_epoch, base)`, where the rate that the group began with is
        `base = self._base(group)`. The constructor calls this once, which takes last_epoch from -1
        to 0.
        """
        self.last_epoch += 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr_at(self.last_epoch, self._base(group))

    def _base(self, group: dict) -> float:
        """group["initial_lr"], unless others have changed the rate since this schedule set it.

        Then it is the base from which this schedule would have come to the rate as it is, for a
        schedule that is a straight line in its base. To be asked for once in every step, after
        `last_epoch` was counted.
        """
        i = next(i for i, other in enumerate(self.optimizer.param_groups) if other is group)
        if i == len(self.base_lrs):
            self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))
        base = self.base_lrs[i]
        before = self.last_epoch - 1
        if before < 0:
            base = group["lr"]
        elif group["lr"] != (was := self.lr_at(before, base)):
            slope = self.lr_at(before, 1.0) - self.lr_at(before, 0.0)
            base += (group["lr"] - was) / slope if slope else 0
        self.base_lrs[i] = base
        return base

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group, as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, object]:
        """How far it is, and the rates: {"kind": "StepLR", "last_epoch": 3, "base_lrs", "lrs"}."""
        return {
            "kind": type(self).__name__,
            "last_epoch": self.last_epoch,
            "base_lrs": list(self.base_lrs),
            "lrs": self.get_last_lr(),
        }

    def load_state_dict(self, state_dict: Mapping[str, object]) -> None:
        """Go on from what `state_dict()` gave, and set the rates as they were.

        So it does not matter whether the optimizer's state is loaded before or after. Raises
        ValueError for the state of another class, or of another number of groups.
        """
        name = type(self).__name__
        kind = state_dict.get("kind")
        if kind != name:
            got = "this is none of a schedule" if kind is None else f"this is {kind}'s"
            raise ValueError(f"{name}.load_state_dict: expected the state of a {name}, {got}")
        groups, lrs = self.optimizer.param_groups, state_dict["lrs"]
        if len(lrs) != len(groups):
            counts = f"expected {len(groups)} groups, got {len(lrs)}"
            raise ValueError(f"{name}.load_state_dict: {counts}")
        self.last_epoch, self.base_lrs = state_dict["last_epoch"], list(state_dict["base_lrs"])
        for group, lr in zip(groups, lrs, strict=True):
            group["lr"] = lr


class StepLR(LRScheduler):
    """Multiplies the learning rate by `gamma` after every `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = _positive("StepLR", "step_size", step_size), gamma
        super().__init__(optimizer)

    def lr_at(self, step: int, base: float) -> float:
        """base * gamma ^ (how many whole step_sizes are in `step`)."""
        return base * self.gamma ** (step // self.step_size)


class LinearLR(LRScheduler):
    """A warm-up: from base * start_factor in a straight line to base * end_factor, and on so."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _positive("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def lr_at(self, step: int, base: float) -> float:
        """base times a factor that goes from start_factor to end_factor in total_iters steps."""
        share = min(step / self.total_iters, 1)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class CosineAnnealingLR(LRScheduler):
    """From `base` down to `eta_min` along half a cosine, in `T_max` steps."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = _positive("CosineAnnealingLR", "T_max", T_max), eta_min
        super().__init__(optimizer)

    def lr_at(self, step: int, base: float) -> float:
        """eta_min + (base - eta_min) * (1 + cos(pi * step / T_max)) / 2.

        `self.T_max` and `self.eta_min` are the constructor's.

        Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5.
        """
        return (
            self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2
        )


class OneCycleLR(LRScheduler):
    """Up to `max_lr` and down again to almost nothing, once, in `total_steps` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        """max_lr: the peak. pct_start: the share of the steps in which the rate rises.

        The rate begins at max_lr / div_factor, and ends at that / final_div_factor.
        """
        self.max_lr, self.total_steps = max_lr, _positive("OneCycleLR", "total_steps", total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must lie between 0 and 1, got {pct_start}")
        self.pct_start, self.final_div_factor = pct_start, final_div_factor
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] = max_lr / div_factor
        super().__init__(optimizer)

    def _base(self, group: dict) -> float:
        """group["initial_lr"]: the peak is max_lr, whatever others do to the rate in between."""
        return group.setdefault("initial_lr", group["lr"])

    def lr_at(self, step: int, base: float) -> float:
        """The rate goes from `base` to max_lr, then from max_lr to base / final_div_factor.

        The peak is at step number top = pct_start * total_steps - 1, the end at total_steps - 1;
        after it the rate stays. Between two rates `_along_cosine(start, end, share)` leads from
        one to the other while share goes from 0 to 1. The names are attributes of self.

        Raises ValueError if `step` is above total_steps: the cycle is over.

        Smith and Topin 2018, https://arxiv.org/abs/1708.07120.
        """
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: step {step}, but its total_steps is {self.total_steps}")
        top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        if step <= top:
            return _along_cosine(base, self.max_lr, step / top if top else 1)
        share = (step - top) / (last - top) if last > top else 1
        return _along_cosine(self.max_lr, base / self.final_div_factor, min(share, 1))


class SequentialLR(LRScheduler):
    """One schedule after another: a warm-up, then a descent.

    milestones: the steps at which the second, third, ... schedule begins, which then counts from 0.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        if len(schedulers) != len(milestones) + 1 or list(milestones) != sorted(set(milestones)):
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} rising "
                f"milestones, got {list(milestones)}"
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        for group in optimizer.param_groups:  # from where the first of the schedules began
            group["lr"] = group["initial_lr"]
        super().__init__(optimizer)

    def lr_at(self, step: int, base: float) -> float:
        """What the schedule whose turn it is says, counted from where it began."""
        turn = bisect_right(self.milestones, step)
        began = self.milestones[turn - 1] if turn else 0
        return self.schedulers[turn].lr_at(step - began, base)


def _along_cosine(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine, while `share` goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _positive(name: str, what: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}: {what} must be an integer above 0, got {value!r}")
    return value
