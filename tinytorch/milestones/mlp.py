"""1986: a network with a hidden layer, taught by back-propagation, reads handwritten digits.

Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", Nature
323, https://doi.org/10.1038/323533a0. The digits are MNIST, of LeCun et al. 1998, "Gradient-based
learning applied to document recognition", https://doi.org/10.1109/5.726791, where a network of this
kind with 300 hidden units is given 95.3%.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch import autograd
from tinytorch.activations import ReLU, softmax
from tinytorch.creation import manual_seed
from tinytorch.data import mnist
from tinytorch.data.mnist import Digits
from tinytorch.layers import Linear, Module, Sequential
from tinytorch.losses import CrossEntropyLoss
from tinytorch.lr_scheduler import OneCycleLR
from tinytorch.optimizers import Adam
from tinytorch.tensor import Tensor
from tinytorch.training import Trainer, accuracy

from . import measure
from .common import Provenance, Result, conclude, show
from .pad import Pad

NAME = "mlp"
MEASURES = (measure.accuracy(floor=0.95),)
USES = (
    "tensor.Tensor.__init__",
    "tensor.broadcast_shapes",
    "tensor.Tensor.__add__",
    "tensor.Tensor.__matmul__",
    "tensor.Tensor.sum",
    "tensor.Tensor.mean",
    "tensor.Tensor.reshape",
    "tensor.Tensor.__getitem__",
    "activations.relu",
    "activations.log_softmax",
    "layers.Linear.forward",
    "layers.kaiming_uniform_",
    "layers.Linear.__init__",
    "layers.Module.named_parameters",
    "layers.Sequential.forward",
    "losses.reduce",
    "losses.cross_entropy",
    "autograd.unbroadcast",
    "autograd.MatMul.matrices",
    "autograd.topological_order",
    "autograd.backpropagate",
    "autograd.CrossEntropy.rows",
    "autograd.no_grad",
    "optimizers.Optimizer.step",
    "optimizers.Optimizer.decayed",
    "optimizers.Adam.update",
    "optimizers.Optimizer.add_param_group",
    "training.Trainer.step",
    "training.Trainer.evaluate",
    "lr_scheduler.LRScheduler.step",
    "lr_scheduler.OneCycleLR.lr_at",
)


def network(inputs: int = 784, hidden: int = 128) -> Module:
    """Pixels in, one number for each of the ten digits out."""
    return Sequential(Linear(inputs, hidden), ReLU(), Linear(hidden, 10))


def as_inputs(images: np.ndarray) -> Tensor:
    """Images (n, h, w) uint8 as rows of numbers from 0 to 1, (n, h * w) float32."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows *= 1 / 255
    return Tensor(rows)


class Batches:
    """Shuffled batches of digits, anew in each pass; images become floats batch by batch.

    60,000 images are 47 MB as bytes and 188 MB as floats: the floats are never all there at once.
    """

    def __init__(self, digits: Digits, batch_size: int, seed: int = 0) -> None:
        self.digits, self.batch_size = digits, batch_size
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return -(-len(self.digits.labels) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = self.rng.permutation(len(self.digits.labels))
        for i in range(0, len(order), self.batch_size):
            chosen = order[i : i + self.batch_size]
            yield as_inputs(self.digits.images[chosen]), Tensor(self.digits.labels[chosen])


def logits(net: Module, images: np.ndarray) -> np.ndarray:
    """What the network says to each image, (n, 10), a thousand images at a time."""
    net.eval()
    with autograd.no_grad():
        parts = [net(as_inputs(images[i : i + 1000])).data for i in range(0, len(images), 1000)]
    return np.concatenate(parts)


@dataclass(repr=False)
class MlpResult(Result):
    net: Module
    test: Digits
    scores: np.ndarray  # (n, 10)
    history: list[dict[str, float]]  # the Trainer's, an entry for each pass

    @property
    def answers(self) -> np.ndarray:
        """The digit the network reads in each test image, (n,)."""
        return self.scores.argmax(1)

    @property
    def wrong(self) -> np.ndarray:
        """Indices of the test images it misreads, the most confident mistakes first."""
        shares = softmax(Tensor(self.scores)).data
        missed = np.flatnonzero(self.answers != self.test.labels)
        return missed[np.argsort(-shares[missed, self.answers[missed]])]

    @property
    def confusion(self) -> np.ndarray:
        """(10, 10) counts: row by what a digit is, column by what it is read as."""
        table = np.zeros((10, 10), int)
        np.add.at(table, (self.test.labels, self.answers), 1)
        return table

    def plot_gallery(self, count: int = 24) -> Any:
        """The mistakes it is surest of."""
        import matplotlib.pyplot as plt

        chosen = self.wrong[:count]
        shares = softmax(Tensor(self.scores)).data
        rows = max(1, -(-len(chosen) // 8))
        fig, axes = plt.subplots(
            rows, 8, figsize=(9, 1.5 * rows), layout="constrained", squeeze=False
        )
        for ax in axes.flat:
            ax.axis("off")
        for ax, i in zip(axes.flat, chosen, strict=False):
            answer, truth = self.answers[i], self.test.labels[i]
            ax.imshow(self.test.images[i], cmap="gray_r")
            ax.set_title(f"{truth} read as {answer}\n{shares[i, answer]:.0%}", fontsize=8)
        return fig

    def plot_confusion(self) -> Any:
        """Counts of every mix-up; the diagonal, what it reads rightly, is left pale."""
        import matplotlib.pyplot as plt

        mistakes = self.confusion.copy()
        np.fill_diagonal(mistakes, 0)
        fig, ax = plt.subplots(figsize=(5, 4.4), layout="constrained")
        ax.imshow(mistakes, cmap="Oranges")
        for i, j in np.ndindex(10, 10):
            if self.confusion[i, j]:
                dark = i != j and mistakes[i, j] > mistakes.max() * 0.6
                ax.text(
                    j,
                    i,
                    self.confusion[i, j],
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if dark else "0.6" if i == j else "black",
                )
        ax.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="is")
        return fig

    def plot_history(self) -> Any:
        """Loss on the training set and accuracy on the test set, pass by pass."""
        import matplotlib.pyplot as plt

        passes = range(1, len(self.history) + 1)
        fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
        left.plot(passes, [h["loss"] for h in self.history], "o-")
        left.set(title="training loss", xlabel="pass", ylim=0)
        right.plot(passes, [100 * h["val_accuracy"] for h in self.history], "o-")
        right.set(title="test accuracy, %", xlabel="pass")
        return fig

    def read(self, image: np.ndarray) -> np.ndarray:
        """Ten probabilities for one image (h, w) uint8."""
        return softmax(Tensor(logits(self.net, image[None]))).data[0]

    def pad(self) -> Pad:
        """A square to draw digits in, read by this network."""
        return Pad(self.read, self.test)


def report(trainer: Trainer, event: str) -> None:
    """A callback: one line for each pass."""
    if event == "epoch_end":
        entry = trainer.history[-1]
        numbers = f"loss {entry['loss']:.3f}, test accuracy {entry['val_accuracy']:.2%}"
        print(f"pass {entry['epoch']}: {numbers}, {entry['seconds']:.1f} s")


def learn(net: Module, batches: Batches, test: Digits, passes: int, lr: float) -> Trainer:
    """`passes` times over all batches, and after each a look at the test images."""
    tests = range(0, len(test.labels), 1000)
    validation = [
        (as_inputs(test.images[i : i + 1000]), Tensor(test.labels[i : i + 1000])) for i in tests
    ]
    optimizer = Adam(net.parameters())
    schedule = OneCycleLR(optimizer, max_lr=lr, total_steps=passes * len(batches))
    trainer = Trainer(
        net,
        CrossEntropyLoss(),
        optimizer,
        schedule,
        callbacks=[report],
        metrics={"accuracy": accuracy},
    )
    trainer.fit(batches, validation, epochs=passes)
    return trainer


def run(
    data: tuple[Digits, Digits] | None = None,
    passes: int = 5,
    hidden: int = 128,
    batch_size: int = 128,
    lr: float = 5e-3,
    seed: int = 0,
) -> MlpResult:
    """Learn to read digits, and be tested on others; `data` is MNIST unless given."""
    show(Provenance(USES))
    train, test = data or mnist()
    manual_seed(seed)
    net = network(train.images[0].size, hidden)
    count = sum(p.numel() for p in net.parameters())
    print(f"{len(train.labels):,} digits to learn from, {count:,} parameters")
    history = learn(net, Batches(train, batch_size, seed), test, passes, lr).history
    scores = logits(net, test.images)
    values = {"accuracy": float((scores.argmax(1) == test.labels).mean())}
    seconds = sum(entry["seconds"] for entry in history)
    result = MlpResult(NAME, MEASURES, values, seconds, net, test, scores, history)
    return conclude(result, USES)
