"""What the framework adds to the arithmetic: `python -m bench.training`, natively and in a tab.

One training step of the 784-128-10 network with Adam, batch 64, by tinytorch and by hand in NumPy,
taking turns in the same run; backward against forward; an epoch of 60,000 images; the peak memory
of a stretch of it. Images are random where MNIST's zeros are, and ink elsewhere: the values do not
change the time. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from statistics import median

# One core: with more, a machine that is busy elsewhere makes NumPy's threads wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

BATCH, SIZES = 64, (784, 128, 10)
# On one core the process's own time is what an idle machine would take; a tab has only the clock.
clock = time.perf_counter if sys.platform == "emscripten" else time.process_time


class ByHand:
    """The same network, loss and Adam with nothing but arrays: what NumPy itself costs."""

    def __init__(self, parameters: list[np.ndarray], lr: float = 1e-3) -> None:
        self.p = [p.copy() for p in parameters]  # w1 (128, 784), b1, w2 (10, 128), b2
        self.m = [np.zeros_like(p) for p in self.p]
        self.v = [np.zeros_like(p) for p in self.p]
        self.scratch = [np.empty_like(p) for p in self.p]
        self.lr, self.t = lr, 0

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step on images (n, 784) and labels (n,); returns the loss before it."""
        w1, b1, w2, b2 = self.p
        rows = np.arange(len(y))
        h = x @ w1.T  # (n, 128)
        h += b1
        np.maximum(h, 0, out=h)
        z = h @ w2.T  # (n, 10)
        z += b2
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        total = p.sum(1, keepdims=True)
        loss = float((np.log(total[:, 0]) - z[rows, y]).mean())
        p /= total
        p[rows, y] -= 1
        p /= len(y)
        dh = p @ w2  # (n, 128)
        dh *= h > 0
        self.adam([dh.T @ x, dh.sum(0), p.T @ h, p.sum(0)])
        return loss

    def adam(self, gradients: list[np.ndarray], b1: float = 0.9, b2: float = 0.999) -> None:
        self.t += 1
        for p, g, m, v, out in zip(self.p, gradients, self.m, self.v, self.scratch, strict=True):
            m *= b1
            m += np.multiply(g, 1 - b1, out=out)
            v *= b2
            np.multiply(g, g, out=out)
            out *= 1 - b2
            v += out
            np.sqrt(v, out=out)
            out *= 1 / np.sqrt(1 - b2**self.t)
            out += 1e-8
            np.divide(m, out, out=out)
            out *= self.lr / (1 - b1**self.t)
            p -= out


def images(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 784) uint8, a fifth of it ink as in MNIST, and (n,) int64."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 256, (n, SIZES[0]), dtype=np.uint8)
    x *= rng.random(x.shape, dtype=np.float32) < 0.19
    return x, rng.integers(0, 10, n)


def take_turns(seconds: float, rounds: int, **contenders: Callable[[], object]) -> dict[str, list]:
    """Seconds per call of each, round by round: each round lasts about `seconds` for each."""
    calls = {}
    for name, run in contenders.items():
        run()
        start = clock()
        for _ in range(5):
            run()
        calls[name] = max(1, round(seconds * 5 / max(clock() - start, 1e-4)))
    times: dict[str, list] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = clock()
            for _ in range(calls[name]):
                run()
            times[name].append((clock() - start) / calls[name])
    return times


def ratio(times: dict[str, list], over: str, under: str) -> float:
    """Median over the rounds: what else the machine does falls on both sides of a round."""
    return median(a / b for a, b in zip(times[over], times[under], strict=True))


def measure(rounds: int = 9, epoch_images: int = 60000) -> Iterator[str]:
    """The report, line by line."""
    from tinytorch import Tensor, manual_seed
    from tinytorch.losses import CrossEntropyLoss
    from tinytorch.milestones.mlp import network
    from tinytorch.optimizers import Adam

    manual_seed(0)
    net, criterion = network(SIZES[0], SIZES[1]), CrossEntropyLoss()
    hand = ByHand([p.data for p in net.parameters()])
    optimizer = Adam(net.parameters(), lr=1e-3)
    pixels, labels = images(epoch_images)
    # Many batches, not one: a network that has learned one by heart computes with denormal numbers.
    rows = [slice(i, i + BATCH) for i in range(0, 100 * BATCH, BATCH)]
    arrays = [(pixels[r].astype(np.float32) / 255, labels[r]) for r in rows]
    tensors = [(Tensor(x), Tensor(y)) for x, y in arrays]
    inputs, targets = tensors[0]

    def step(inputs: Tensor, targets: Tensor) -> float:
        optimizer.zero_grad()
        loss = criterion(net(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    ours, theirs = step(inputs, targets), hand.step(*arrays[0])
    yield f"the same first loss: {ours:.6f} by tinytorch, {theirs:.6f} by hand"
    ours, theirs = cycle(tensors), cycle(arrays)
    times = take_turns(
        0.15,
        rounds,
        tinytorch=lambda: step(*next(ours)),
        numpy=lambda: hand.step(*next(theirs)),
    )
    a, b = (median(times[k]) * 1e3 for k in ("tinytorch", "numpy"))
    more = ratio(times, "tinytorch", "numpy")
    yield f"training step   {a:.3f} ms, by hand {b:.3f} ms: {more:.2f}x"

    loss = criterion(net(inputs), targets)

    def forward() -> None:
        nonlocal loss
        loss = criterion(net(inputs), targets)

    def both() -> None:
        optimizer.zero_grad()
        forward()
        loss.backward()

    times = take_turns(0.15, rounds, forward=forward, both=both)
    spent = median((t - f) / f for t, f in zip(times["both"], times["forward"], strict=True))
    yield f"forward         {median(times['forward']) * 1e3:.3f} ms; backward {spent:.2f}x of it"

    order = np.random.default_rng(0).permutation(epoch_images)

    def stretch(run: Callable[[np.ndarray, np.ndarray], object], part: np.ndarray) -> float:
        start = clock()
        for i in range(0, len(part), BATCH):
            chosen = part[i : i + BATCH]
            run(pixels[chosen].astype(np.float32) / 255, labels[chosen])
        return clock() - start

    def tensor_step(x: np.ndarray, y: np.ndarray) -> None:
        step(Tensor(x), Tensor(y))

    ours = theirs = 0.0
    for part in np.split(order, 10):  # in turns here too
        ours += stretch(tensor_step, part)
        theirs += stretch(hand.step, part)
    yield f"an epoch        {ours:.2f} s, by hand {theirs:.2f} s ({epoch_images:,} images)"

    tracemalloc.start()  # a new network, so that parameters and Adam's state are counted
    net = network(SIZES[0], SIZES[1])
    optimizer = Adam(net.parameters(), lr=1e-3)
    stretch(tensor_step, order[: 100 * BATCH])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    held = 4 * sum(p.nbytes for p in hand.p) / 1e6
    yield f"peak memory     {peak / 1e6:.1f} MB, {held:.1f} of them parameters and what Adam keeps;"
    yield f"                beside it {pixels.nbytes / 1e6:.0f} MB of images as bytes"


def in_tab(browser: str) -> None:
    """The same, in a browser, with our wheel as a student gets it."""
    from bench.tab import Tab
    from lite.build import wheel

    source = Path(__file__).read_text(encoding="utf-8")
    with Tab(browser, archives=(wheel(),)) as tab:
        print(tab.agent)
        tab.run(source.replace('if __name__ == "__main__":', "if False:"))
        tab.run("from tinytorch import simd; lines = measure(); str(simd.enable())")
        while (line := tab.run("next(lines, None)", timeout=300)) is not None:
            print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.training")
    parser.add_argument("--browser", choices=("chromium", "firefox", "none"), default="chromium")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, on this machine")
    for line in measure():
        print(line, flush=True)
    if options.browser != "none":
        in_tab(options.browser)
    return 0


if __name__ == "__main__":
    sys.exit(main())
