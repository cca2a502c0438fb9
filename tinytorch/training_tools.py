"""Callbacks for a Trainer: a progress bar, a plot that grows, checkpoints in a file.

A callback is a function of (trainer, event); these are objects with `__call__`, because they
remember something. None of them changes what is computed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from .progress_bar import IN_BROWSER, progress_bar
from .serialization import save
from .training import Trainer


class ProgressBar:
    """A bar for the epoch under way, and a line with its numbers when it is over.

    The bar needs tqdm and somebody to look at it: a terminal, or a notebook in the browser.
    """

    def __init__(self) -> None:
        self.bar: Any = None
        self.shown = False

    def __call__(self, trainer: Trainer, event: str) -> None:
        now = trainer.progress
        if event == "fit_start":
            self.shown = IN_BROWSER or sys.stdout.isatty()
        elif event == "step_end" and self.shown:
            if self.bar is None:
                name = f"epoch {now.epoch + 1}/{trainer.epochs}"
                self.bar = progress_bar(trainer.batches or None, name, sys.stdout, leave=False)
            if self.bar is not None:
                self.bar.set_postfix_str(f"loss {now.loss / now.examples:.4f}", refresh=False)
                self.bar.update(now.batch - self.bar.n)
        elif event in ("epoch_end", "fit_end"):
            if self.bar is not None:
                self.bar.close()
                self.bar = None
            if event == "epoch_end":
                print(self.line(trainer))
            elif trainer.stopped:
                where = f", {now.batch} batches into epoch {now.epoch + 1}" if now.batch else ""
                print(f"stopped{where}: {trainer.stopped}")

    @staticmethod
    def line(trainer: Trainer) -> str:
        """What the last epoch came to: `epoch 2/5: loss 0.1234, val_accuracy 0.9712, 1.9 s`."""
        entry = trainer.history[-1]
        skipped = ("epoch", "step", "lr", "seconds")
        numbers = [f"{name} {value:.4f}" for name, value in entry.items() if name not in skipped]
        head = f"epoch {entry['epoch']}/{trainer.epochs}"
        return f"{head}: {', '.join(numbers)}, {entry['seconds']:.2f} s"


class LossPlot:
    """The loss of every step, drawn while training goes on; epochs' validation losses as points.

    Needs matplotlib and a notebook; elsewhere it does nothing until `plot()` is called. Drawing
    takes at most about a tenth of the time: slow machines draw less often.
    """

    def __init__(self, log: bool = False) -> None:
        """log: draw the loss on a logarithmic scale."""
        self.log = log
        self.handle: Any = None
        self.due = 0.0

    def __call__(self, trainer: Trainer, event: str) -> None:
        start = time.perf_counter()
        if event == "fit_start":
            self.handle, self.due = None, start + 1
        elif event == "fit_end" or start > self.due:
            self._show(trainer)
            self.due = time.perf_counter() + 10 * (time.perf_counter() - start)

    def plot(self, trainer: Trainer) -> Any:
        """The figure as it is now."""
        import matplotlib.pyplot as plt
        import numpy as np

        losses = np.array(trainer.progress.losses)
        fig, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
        ax.plot(np.arange(1, len(losses) + 1), losses, lw=0.6, alpha=0.4, label="each step")
        width = max(1, len(losses) // 50)
        if width > 1:
            smooth = np.convolve(losses, np.ones(width) / width, "valid")
            ax.plot(np.arange(width, len(losses) + 1), smooth, "C0", label=f"mean of {width}")
        ends = [(h["step"], h["val_loss"]) for h in trainer.history if "val_loss" in h]
        if ends:
            ax.plot(*zip(*ends, strict=True), "o-", color="C1", label="validation")
        ax.set(xlabel="step", title="loss", yscale="log" if self.log else "linear")
        if not self.log and len(losses):
            ax.set_ylim(0, None)
        ax.legend(frameon=False, ncols=3)
        return fig

    def _show(self, trainer: Trainer) -> None:
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            return
        if get_ipython() is None or not trainer.progress.losses:
            return
        import matplotlib.pyplot as plt

        fig = self.plot(trainer)
        if self.handle is None:
            self.handle = display(fig, display_id=True)
        else:
            self.handle.update(fig)
        plt.close(fig)  # or the notebook would show it once more at the end of the cell


class SaveCheckpoint:
    """Writes the trainer's state to a file after every epoch, and wherever training stops.

    To go on, with parts made as before: `trainer.load_state_dict(tinytorch.load(path))`.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)

    def __call__(self, trainer: Trainer, event: str) -> None:
        if event in ("epoch_end", "fit_end") and trainer.progress.steps:
            save(trainer.state_dict(), self.path)
