"""1957: Frank Rosenblatt's perceptron. One neuron, one rule, and it learns from its mistakes.

Needs Act I alone: a Linear layer with one output, whose numbers are changed by hand.
Rosenblatt 1958, "The Perceptron: A Probabilistic Model for Information Storage and Organization in
the Brain", Psychological Review 65 (6), https://doi.org/10.1037/h0042519.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytorch.data import separable
from tinytorch.layers import Linear
from tinytorch.tensor import Tensor

from . import measure
from .common import Clock, Provenance, Result, conclude, show

NAME = "perceptron"
MEASURES = (measure.accuracy(floor=0.95),)
USES = (
    "tensor.Tensor.__init__",
    "tensor.broadcast_shapes",
    "tensor.Tensor.__add__",
    "tensor.Tensor.__mul__",
    "tensor.Tensor.__matmul__",
    "tensor.Tensor.__getitem__",
    "layers.Linear.forward",
    "layers.kaiming_uniform_",
    "layers.Linear.__init__",
)


@dataclass
class Learned:
    """A neuron after learning: how its line moved, and how often it was wrong."""

    neuron: Linear
    lines: list[tuple[float, float, float]] = field(default_factory=list)  # w0, w1, b
    mistakes: list[int] = field(default_factory=list)  # in each pass over the points

    @property
    def settled(self) -> bool:
        """Whether the last pass went by without a mistake."""
        return bool(self.mistakes) and self.mistakes[-1] == 0


def learn(x: np.ndarray, y: np.ndarray, passes: int = 100) -> Learned:
    """Rosenblatt's rule: look at one point after the other; when wrong, and only then, correct.

    x: (n, 2) points. y: (n,) classes 0 and 1. A point on the wrong side, or on the line itself,
    adds itself to the weights, with the sign of the side it belongs to:

        w <- w + s x,   b <- b + s,   s = +1 for class 1, -1 for class 0

    Stops after a pass without a mistake, or after `passes`.
    """
    neuron = Linear(2, 1)
    neuron.weight.data[...] = 0  # Rosenblatt's machine began with nothing, and so does the proof
    neuron.bias.data[...] = 0
    learned = Learned(neuron)
    points, signs = Tensor(x), np.where(y == 1, 1.0, -1.0)
    for _ in range(passes):
        wrong = 0
        for i, s in enumerate(signs.tolist()):
            if s * neuron(points[i]).item() <= 0:
                wrong += 1
                neuron.weight.data[...] = (neuron.weight + points[i] * s).data
                neuron.bias.data[...] = (neuron.bias + s).data
                learned.lines.append((*neuron.weight.data[0].tolist(), neuron.bias.item()))
        learned.mistakes.append(wrong)
        if not wrong:
            break
    return learned


def accuracy(neuron: Linear, x: np.ndarray, y: np.ndarray) -> float:
    """The share of points on the side of the line they belong to."""
    outputs = neuron(Tensor(x)).data[:, 0]  # (n,)
    return float(((outputs > 0) == (y == 1)).mean())


@dataclass(repr=False)
class PerceptronResult(Result):
    x: np.ndarray
    y: np.ndarray
    learned: Learned

    def plot(self) -> Any:
        """The line after the first correction, on its way, and at the end; mistakes by pass."""
        import matplotlib.pyplot as plt

        lines = self.learned.lines
        stages = (
            sorted({len(lines) // 20, len(lines) // 9, len(lines) // 3, len(lines) - 1})
            if lines
            else []
        )
        width = len(stages) + 1
        fig, axes = plt.subplots(
            1, width, figsize=(2.5 * width, 2.8), layout="constrained", squeeze=False
        )
        axes = axes[0]
        for ax, stage in zip(axes, stages, strict=False):
            draw_points(ax, self.x, self.y)
            draw_line(ax, *lines[stage])
            ax.set_title(f"correction {stage + 1}")
        mistakes = self.learned.mistakes
        axes[-1].plot(range(1, len(mistakes) + 1), mistakes, "o-")
        axes[-1].set(title="mistakes in each pass", xlabel="pass", ylim=(-0.5, None))
        axes[-1].xaxis.get_major_locator().set_params(integer=True)
        return fig


def draw_points(ax: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Points in the plane; shape as well as color tells the class."""
    for side, marker, color in ((0, "o", "#c2410c"), (1, "s", "#1d4ed8")):
        ax.scatter(*x[y == side].T, s=12, marker=marker, color=color, label=f"class {side}")
    ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))


def draw_line(ax: Any, w0: float, w1: float, b: float) -> None:
    """Where w0 x + w1 y + b = 0; class 1 is on the shaded side."""
    side = np.linspace(-3, 3, 200)
    px, py = np.meshgrid(side, side)
    ax.contourf(px, py, w0 * px + w1 * py + b, levels=[0, 1e9], colors=["#1d4ed8"], alpha=0.12)
    ax.contour(px, py, w0 * px + w1 * py + b, levels=[0], colors="black", linewidths=1.2)


def run(seed: int = 0, n: int = 200, passes: int = 100) -> PerceptronResult:
    """Learn to part `n` points, and be tested on 200 others of the same two clouds."""
    show(Provenance(USES))
    x, y = separable(n + 200, seed)
    clock = Clock()
    with clock.running():
        learned = learn(x[:n], y[:n], passes)
    values = {"accuracy": accuracy(learned.neuron, x[n:], y[n:])}
    settled = "settled" if learned.settled else "has not settled"
    print(f"{len(learned.lines)} corrections in {len(learned.mistakes)} passes; it {settled}")
    result = PerceptronResult(NAME, MEASURES, values, clock.seconds, x[:n], y[:n], learned)
    return conclude(result, USES)
