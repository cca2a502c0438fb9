"""1969: the problem one neuron cannot learn, and the hidden layer that can.

Minsky and Papert 1969, "Perceptrons", MIT Press: no line parts the classes of XOR, and no rule for
one layer can find what is not there. Two layers can part them; what was missing until backward is a
rule for the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.activations import Tanh
from tinytorch.creation import manual_seed
from tinytorch.data import xor
from tinytorch.layers import Linear, Module, Sequential
from tinytorch.losses import BCEWithLogitsLoss
from tinytorch.optimizers import Adam
from tinytorch.tensor import Tensor

from . import perceptron
from .common import Clock, Provenance, Result, conclude, show
from .measure import accuracy

NAME = "xor"
MEASURES = (accuracy(floor=0.95),)
USES = (
    "tensor.Tensor.__init__",
    "tensor.broadcast_shapes",
    "tensor.Tensor.__add__",
    "tensor.Tensor.__mul__",
    "tensor.Tensor.__matmul__",
    "tensor.Tensor.sum",
    "tensor.Tensor.mean",
    "tensor.Tensor.__getitem__",
    "activations.tanh",
    "layers.Linear.forward",
    "layers.kaiming_uniform_",
    "layers.Linear.__init__",
    "layers.Module.named_parameters",
    "layers.Sequential.forward",
    "losses.reduce",
    "losses.binary_cross_entropy_with_logits",
    "autograd.unbroadcast",
    "autograd.MatMul.matrices",
    "autograd.topological_order",
    "autograd.backpropagate",
    "optimizers.Optimizer.step",
    "optimizers.Optimizer.decayed",
    "optimizers.Adam.update",
    "optimizers.Optimizer.add_param_group",
)


def network(hidden: int = 4) -> Module:
    """Two layers: `hidden` neurons that each draw a line, and one that weighs their answers."""
    return Sequential(Linear(2, hidden), Tanh(), Linear(hidden, 1))


def learn(
    net: Module, x: np.ndarray, y: np.ndarray, steps: int = 200, lr: float = 0.05
) -> list[float]:
    """Gradient descent on all points at once; returns the loss before each step."""
    inputs, targets = Tensor(x), Tensor(y[:, None].astype(np.float32))  # (n, 2), (n, 1)
    criterion, optimizer = BCEWithLogitsLoss(), Adam(net.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(net(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@dataclass(repr=False)
class XorResult(Result):
    x: np.ndarray
    y: np.ndarray
    one: perceptron.Learned  # the neuron that fails
    one_accuracy: float
    net: Module
    losses: list[float]

    def plot(self) -> Any:
        """Both boundaries, and how the two layers got there."""
        import matplotlib.pyplot as plt

        fig, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
        draw_regions(left, self.one.neuron, self.x, self.y)
        left.set_title(f"one neuron: {self.one_accuracy:.0%}")
        draw_regions(middle, self.net, self.x, self.y)
        middle.set_title(f"two layers: {self.accuracy:.0%}")
        right.plot(self.losses)
        right.set(title="loss of the two layers", xlabel="step", ylim=0)
        return fig


def draw_regions(ax: Any, net: Callable[[Tensor], Tensor], x: np.ndarray, y: np.ndarray) -> None:
    """The points, and where `net` is above 0: there it says class 1."""
    perceptron.draw_points(ax, x, y)
    side = np.linspace(-1.6, 1.6, 120, dtype=np.float32)
    px, py = np.meshgrid(side, side)
    out = net(Tensor(np.column_stack([px.ravel(), py.ravel()]))).data.reshape(px.shape)
    ax.contourf(px, py, out, levels=[0, 1e9], colors=["#1d4ed8"], alpha=0.12)
    ax.contour(px, py, out, levels=[0], colors="black", linewidths=1.2)
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))


def run(seed: int = 0, n: int = 200, steps: int = 200, hidden: int = 4) -> XorResult:
    """One neuron, then two layers, on the same `n` points; both are tested on 200 others."""
    show(Provenance(USES))
    manual_seed(seed)
    x, y = xor(n + 200, seed)
    one = perceptron.learn(x[:n], y[:n], passes=20)
    fails = perceptron.accuracy(one.neuron, x[n:], y[n:])
    print(f"one neuron: {len(one.lines)} corrections in 20 passes, {one.mistakes[-1]} in the last")
    print(f"one neuron: test accuracy {fails:.2%}")
    net, clock = network(hidden), Clock()
    with clock.running():
        losses = learn(net, x[:n], y[:n], steps)
    print(f"two layers: loss {losses[0]:.3f} at first, {losses[-1]:.3f} at the end")
    tested = perceptron.accuracy(net, x[n:], y[n:])
    values = {"accuracy": tested}
    shown = (x[:n], y[:n], one, fails, net, losses)
    result = XorResult(NAME, MEASURES, values, clock.seconds, *shown)
    return conclude(result, USES)
