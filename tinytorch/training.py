"""Training: the loop that makes all parts work together.

A `Trainer` does no arithmetic of its own. It calls model, loss, backward and optimizer in their
order, batch after batch, and keeps account of where it is, exactly enough to go on from there.
It does not care where batches come from: they are (inputs, targets) pairs from anything that can be
iterated anew in every epoch. Learning-rate schedules are in lr_scheduler.py; bars, plots and files
are callbacks, in training_tools.py.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import batched, islice

import numpy as np

from .autograd import no_grad
from .creation import get_rng_state, set_rng_state
from .layers import Module
from .lr_scheduler import LRScheduler, _positive
from .optimizers import Optimizer
from .tensor import Tensor, _describe

Batch = tuple[Tensor, Tensor]
Metric = Callable[[Tensor, Tensor], float]


def accuracy(outputs: Tensor, targets: Tensor) -> float:
    """The share of examples whose largest output, of (n, classes), is at the target, of (n,).

    More dimensions in front work as well. Raises ValueError for other shapes: targets of (n, 1)
    would be compared each with each.
    """
    if outputs.ndim == 0 or targets.shape != outputs.shape[:-1]:
        need = f"outputs of shape {outputs.shape} need targets of shape {outputs.shape[:-1]}"
        raise ValueError(f"accuracy: {need}, got {targets.shape}")
    return float((outputs.data.argmax(-1) == targets.data).mean())


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0
) -> Tensor:
    """Scale all gradients down, in place, so that their norm together is at most `max_norm`.

    The norm is that of one long vector of all numbers in all gradients, with p = norm_type:

        norm = (sum over all gradients g of sum |g|^p) ^ (1/p)

    For p = math.inf it is the largest |g|. Every gradient is multiplied by max_norm / (norm + 1e-6)
    unless that is 1 or more. If the norm is nan, so is that, and all gradients become nan.

    `_gradients(parameters, max_norm)` gives the gradients as a list of arrays, passing over
    parameters whose grad is None. It takes one parameter for a list of one, and raises ValueError
    for a max_norm below 0, which would turn all gradients around.

    Returns the norm as it was before, as a Tensor of no dimensions.

    Pascanu et al. 2013, https://proceedings.mlr.press/v28/pascanu13.html, algorithm 1.
    """
    grads = _gradients(parameters, max_norm)
    norms = [np.linalg.norm(g.ravel(), norm_type) for g in grads]
    norm = float(np.linalg.norm(norms, norm_type)) if norms else 0.0
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:  # below 1, or nan
        for g in grads:
            g *= scale
    return Tensor(norm)


def _gradients(parameters: Tensor | Iterable[Tensor], max_norm: float) -> list[np.ndarray]:
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must not be negative, got {max_norm}")
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    return [p.grad.data for p in parameters if p.grad is not None]


@contextmanager
def _mode(model: Module, training: bool) -> Iterator[None]:
    """The model in training or evaluation mode; then each module in its own mode, come what may."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def _check_finite(loss: float) -> None:
    """FloatingPointError unless `loss` is a number to learn from."""
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"Trainer.step: the loss is {loss}; no step was made, the parameters are as they were "
            "before; a smaller lr or clip_norm may help"
        )


# The loop


@dataclass
class Progress:
    """Where a training run stands. Together with its parts' states, all that resuming needs."""

    epoch: int = 0  # epochs finished
    batch: int = 0  # batches taken in the one that is under way
    steps: int = 0  # optimizer steps, all in all
    examples: int = 0  # seen in the epoch under way
    loss: float = 0.0  # the sum of their losses
    seconds: float = 0.0  # spent on it, callbacks not counted
    order: dict = field(default_factory=dict)  # the random generator when that epoch began
    losses: list[float] = field(default_factory=list)  # of every step
    history: list[dict[str, float]] = field(default_factory=list)  # one entry for each epoch


class Trainer:
    """Runs a model over batches: forward, loss, backward, step, again and again.

    model, loss_fn, optimizer: `loss_fn(model(inputs), targets)` is a mean over the batch.
    scheduler: an LRScheduler, moved on after every optimizer step.
    callbacks: functions, called as callback(trainer, event) where event is "fit_start", "step_end",
        "epoch_end" or "fit_end". Any of them may call `trainer.stop(reason)`.
    clip_norm: gradients are scaled down to this norm together; None leaves them.
    accumulate: how many batches make one optimizer step.
    metrics: functions of (outputs, targets) by name, averaged by `evaluate`.
    """

    def __init__(
        self,
        model: Module,
        loss_fn: Callable[[Tensor, Tensor], Tensor],
        optimizer: Optimizer,
        scheduler: LRScheduler | None = None,
        callbacks: Iterable[Callable[[Trainer, str], object]] = (),
        clip_norm: float | None = None,
        accumulate: int = 1,
        metrics: Mapping[str, Metric] | None = None,
    ) -> None:
        for what, value, kind, text in (
            ("model", model, Module, "a Module"),
            ("optimizer", optimizer, Optimizer, "an Optimizer"),
            ("scheduler", scheduler, LRScheduler | None, "a LRScheduler or None"),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"Trainer: {what} must be {text}, got {_describe(value)}")
        if not isinstance(callbacks, Iterable):
            got = _describe(callbacks)
            raise TypeError(f"Trainer: callbacks must be a list of functions, got {got}")
        self.callbacks = list(callbacks)
        for i, callback in enumerate(self.callbacks):
            if isinstance(callback, type) or not callable(callback):
                got = _describe(callback)
                raise TypeError(f"Trainer: callback {i} must be a function or object, got {got}")
        if isinstance(loss_fn, type) or not callable(loss_fn):
            got = _describe(loss_fn)
            raise TypeError(f"Trainer: loss_fn must be a function or an object, got {got}")
        if clip_norm is not None and not clip_norm > 0:
            raise ValueError(f"Trainer: clip_norm must be above 0, got {clip_norm}")
        self.model, self.loss_fn = model, loss_fn
        self.optimizer, self.scheduler = optimizer, scheduler
        self.clip_norm = clip_norm
        self.accumulate = _positive("Trainer", "accumulate", accumulate)
        self.metrics = dict(metrics or {})
        self.progress = Progress()
        self.epochs = self.batches = 0  # how many epochs are wanted, and batches in one, if known
        self.stopped = ""  # why, if training was stopped

    @property
    def history(self) -> list[dict[str, float]]:
        """For each finished epoch: epoch, step, loss, lr, seconds, and `evaluate`'s as val_...."""
        return self.progress.history

    def step(self, batches: Sequence[Batch]) -> float:
        """Make one optimizer step from the batches together; return their mean loss, a float.

        The gradient is that of one large batch, but only one graph is in memory at a time:
        1. `self.optimizer.zero_grad()`.
        2. For each (inputs, targets): the loss, `self.loss_fn(self.model(inputs), targets)`, times
           the batch's share of all examples, len(targets) / total, and `backward()` on that. The
           mean loss is the sum of these.
        3. `_check_finite(mean)`, which raises FloatingPointError for a mean loss of nan or inf: its
           gradient would make every parameter nan.
        4. If `self.clip_norm` is not None, `clip_grad_norm_` on `self.model.parameters()`.
        5. `self.optimizer.step()`, then, unless it is None, `self.scheduler.step()`.
        """
        self.optimizer.zero_grad()
        total = sum(len(targets) for _, targets in batches)
        mean = 0.0
        for inputs, targets in batches:
            loss = self.loss_fn(self.model(inputs), targets)
            if len(batches) > 1:
                loss = loss * (len(targets) / total)
            loss.backward()
            mean += loss.item()
        _check_finite(mean)
        if self.clip_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        return mean

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The loss and every metric, averaged over all examples: {"loss": 0.25, "accuracy": 0.9}.

        Inside `with _mode(self.model, training=False), no_grad():` the model is in evaluation mode
        and nothing is recorded. After it every module is in the mode it was in before, frozen ones
        and others, also after an exception.
        `self.loss_fn(outputs, targets)` and the metrics, functions of (outputs, targets) in the
        dict `self.metrics`, are means over a batch. Batches may differ in size, len(targets), and
        count accordingly. Raises ValueError, through `_mean`, if there are no batches.

        `_mean(values, weights)` is the mean of the values, each counted by its weight.
        """
        values = {name: [] for name in ("loss", *self.metrics)}
        sizes = []
        with _mode(self.model, training=False), no_grad():
            for inputs, targets in batches:
                outputs = self.model(inputs)
                sizes.append(len(targets))
                values["loss"].append(self.loss_fn(outputs, targets).item())
                for name, metric in self.metrics.items():
                    values[name].append(metric(outputs, targets))
        return {name: _mean(one, sizes) for name, one in values.items()}

    def fit(
        self,
        train: Iterable[Batch],
        validation: Iterable[Batch] | None = None,
        epochs: int = 1,
        seconds: float | None = None,
    ) -> list[dict[str, float]]:
        """Train until `epochs` epochs are done, counting those done before; returns `history`.

        train, validation: each iterated anew in every epoch, so lists and loaders, no generators.
        seconds: the time this call may take. When it is up, when a callback calls `stop`, or at an
        interrupt (the stop button, Ctrl-C), the step under way is finished and the rest is left:
        the same call goes on from there. A model in evaluation mode is put into training mode
        first; in one that trains already, modules that were put into evaluation mode stay there.

        Raises FloatingPointError at a loss that is not finite, before it has changed a parameter.
        No callback is called then: a checkpoint in a file stays as it is.
        """
        for what, batches in (("train", train), ("validation", validation)):
            if isinstance(batches, Iterator) or not isinstance(batches, Iterable | None):
                raise TypeError(
                    f"Trainer.fit: {what} must be something that every epoch can iterate anew, "
                    f"such as a list of batches, got {_describe(batches)}"
                )
        self.epochs, self.stopped = _positive("Trainer.fit", "epochs", epochs), ""
        self.batches = len(train) if hasattr(train, "__len__") else 0
        deadline = math.inf if seconds is None else time.perf_counter() + seconds
        with self._finishing_the_step():
            self._tell("fit_start")
            while self.progress.epoch < epochs and not self.stopped:
                if self._epoch(train, deadline):
                    self._close_epoch(validation)
            self._tell("fit_end")
        return self.history

    def stop(self, reason: str = "stopped") -> None:
        """Ask `fit` to return after the step, or the epoch, that is just being made."""
        self.stopped = reason

    def _epoch(self, train: Iterable[Batch], deadline: float) -> bool:
        """Train on the batches of one epoch that are left; False if stopped before its end."""
        now = self.progress
        if not self.model.training:
            self.model.train()
        start = time.perf_counter()
        for group in batched(self._left(train), self.accumulate):
            size = sum(len(targets) for _, targets in group)
            loss = self.step(group)
            now.batch += len(group)
            now.steps += 1
            now.examples += size
            now.loss += loss * size
            now.losses.append(loss)
            now.seconds += time.perf_counter() - start
            self._tell("step_end")
            if time.perf_counter() > deadline:
                self.stop("the time is up")
            if self.stopped and not (self.batches and now.batch >= self.batches):
                return False
            start = time.perf_counter()
        if not now.examples:
            raise ValueError("Trainer.fit: train has no batches")
        return True

    def _left(self, train: Iterable[Batch]) -> Iterator[Batch]:
        """The batches of this epoch that were not taken yet, checked one by one.

        After a stop in the middle of an epoch its order is drawn again, from the random numbers it
        was drawn from, and what was taken is passed over.
        """
        now = self.progress
        if now.batch:
            here = get_rng_state()
            set_rng_state(now.order)
            batches = iter(train)
            for _ in islice(batches, now.batch):
                pass
            set_rng_state(here)
        else:
            now.order = get_rng_state()
            batches = iter(train)
        for number, batch in enumerate(batches, now.batch):
            if not isinstance(batch, (tuple, list)) or len(batch) != 2:
                raise TypeError(
                    f"Trainer.fit: batch {number} is {_describe(batch)}, not a pair "
                    "(inputs, targets)"
                )
            yield batch

    def _close_epoch(self, validation: Iterable[Batch] | None) -> None:
        """Note what the epoch came to, and begin the next."""
        now = self.progress
        now.epoch += 1
        entry = {
            "epoch": now.epoch,
            "step": now.steps,
            "loss": now.loss / now.examples,
            "lr": self.optimizer.param_groups[0]["lr"],
            "seconds": now.seconds,
        }
        now.batch = now.examples = 0
        now.loss = now.seconds = 0.0
        if validation is not None:
            entry |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
        now.history.append(entry)
        self._tell("epoch_end")

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            callback(self, event)

    @contextmanager
    def _finishing_the_step(self) -> Iterator[None]:
        """The first interrupt lets the step finish, a second one is an interrupt as usual."""

        def handler(number: int, frame: object) -> None:
            signal.signal(signal.SIGINT, before)
            self.stop("interrupted")

        try:
            before = signal.signal(signal.SIGINT, handler)
        except ValueError:  # not the main thread: no interrupt arrives here
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    # State

    def state_dict(self) -> dict[str, object]:
        """Everything that the next step depends on, so that resuming changes not a single bit.

        {"model": ..., "optimizer": ..., "scheduler": ..., "random": ..., "progress": ...}:
        the `state_dict()` of the three parts, the scheduler's None if there is none;
        `get_rng_state()`; and `asdict(self.progress)`, which copies it into a dict.

        The tensors share memory with the model and the optimizer; `tinytorch.save` writes them as
        they are now, `copy.deepcopy` keeps them.
        """
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "random": get_rng_state(),
            "progress": asdict(self.progress),
        }

    def load_state_dict(self, state_dict: Mapping[str, object]) -> None:
        """Go on from what `state_dict()` gave. The parts must be like those it was taken from.

        Raises ValueError for other parts, naming what differs.
        """
        expected = ("model", "optimizer", "scheduler", "random", "progress")
        missing = [key for key in expected if key not in state_dict]
        if missing:
            raise ValueError(f"Trainer.load_state_dict: missing {', '.join(missing)}")
        if (self.scheduler is None) != (state_dict["scheduler"] is None):
            saved = "none" if state_dict["scheduler"] is None else "one"
            raise ValueError(
                f"Trainer.load_state_dict: {saved} was saved as scheduler, the trainer has "
                f"{'none' if self.scheduler is None else type(self.scheduler).__name__}"
            )
        self.model.load_state_dict(state_dict["model"])
        self.optimizer.load_state_dict(state_dict["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state_dict["scheduler"])
        set_rng_state(state_dict["random"])
        saved = dict(state_dict["progress"])
        saved.update(
            losses=list(saved["losses"]), history=[dict(entry) for entry in saved["history"]]
        )
        self.progress = Progress(**saved)


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    if not weights:
        raise ValueError("Trainer.evaluate: there are no batches")
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


class EarlyStopping:
    """A callback that stops training when a number in the history no longer falls.

    monitor: which, such as "val_loss". patience: how many epochs it may go without a new best.
    min_delta: what is smaller than the best by less than this is no new best.
    """

    def __init__(
        self, monitor: str = "val_loss", patience: int = 3, min_delta: float = 0.0
    ) -> None:
        self.monitor, self.min_delta = monitor, min_delta
        self.patience = _positive("EarlyStopping", "patience", patience)

    def __call__(self, trainer: Trainer, event: str) -> None:
        """At "epoch_end", stop the trainer once the last `patience` epochs brought nothing better.

        `self._values(trainer)` is the list of these numbers, one for each epoch, the latest last;
        it raises ValueError if the history does not have them. A value is a new best if it is below
        the best before it by more than `self.min_delta`; the first always is. If the latest best is
        `self.patience` or more entries back, call `trainer.stop(reason)`, where the reason names
        self.monitor. Other events change nothing.

        All is read from the history, nothing is kept between calls: so a run that is resumed stops
        where it would have stopped anyway.
        """
        if event != "epoch_end":
            return
        best, since = math.inf, 0
        for value in self._values(trainer):
            since += 1
            if value < best - self.min_delta:
                best, since = value, 0
        if since >= self.patience:
            trainer.stop(f"{self.monitor} is no better than {since} epochs ago")

    def _values(self, trainer: Trainer) -> list[float]:
        """What is monitored, from every entry of `trainer.history`."""
        for entry in trainer.history:
            if self.monitor not in entry:
                needs = "; fit needs a validation" if self.monitor.startswith("val_") else ""
                raise ValueError(
                    f"EarlyStopping: there is no {self.monitor!r} in the history, only "
                    f"{', '.join(entry)}{needs}"
                )
        return [entry[self.monitor] for entry in trainer.history]
