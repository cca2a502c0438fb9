"""A square to draw a digit in, and a network that reads it while it is drawn.

The page and the kernel are two threads of the browser. They talk over a BroadcastChannel of their
own: the page sends the ink, Python answers with what it sees and what it reads. Nothing of this
depends on the notebook program. Where the channel does not reach, as with a Python outside the
browser, the pad says so, and `Pad.example()` still reads a test image.
"""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.data.mnist import Digits
from tinytorch.progress_bar import IN_BROWSER

SIDE, BOX = 28, 20  # MNIST's images, and the box in them that the ink was scaled to


def as_mnist(ink: np.ndarray) -> np.ndarray:
    """A drawing made to look as MNIST's do: (h, w) of ink, 0 to 255, to (28, 28) uint8.

    The ink is cut out, scaled so that its longer side fills 20 pixels, and placed with its center
    of mass on the pixel (14, 14), as LeCun et al. did. No ink gives an empty image.
    """
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    image = np.zeros((SIDE, SIDE))
    if not len(rows):
        return image.astype(np.uint8)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
    h, w = (max(1, round(BOX * n / max(ink.shape))) for n in ink.shape)
    small = _shrink(ink.shape[0], h) @ ink @ _shrink(ink.shape[1], w).T  # (h, w)
    mass = small.sum()
    center = [(small.sum(1 - d) @ (np.arange(small.shape[d]) + 0.5)) / mass for d in (0, 1)]
    top, left = (
        min(max(round(SIDE / 2 + 0.5 - c), 0), SIDE - n)
        for c, n in zip(center, (h, w), strict=True)
    )
    image[top : top + h, left : left + w] = small
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _shrink(old: int, new: int) -> np.ndarray:
    """(new, old): each row averages the stretch of old pixels that a new one covers."""
    edges = np.arange(new + 1) * old / new
    start = np.arange(old)
    overlap = np.minimum(edges[1:, None], start + 1) - np.maximum(edges[:-1, None], start)
    return np.maximum(overlap, 0) * new / old


class Pad:
    """Shown as the last value of a cell: a square to draw in, and a reader that answers.

    read: maps an image (28, 28) uint8 to ten probabilities. examples: images to read instead.
    `image` is what was read last.
    """

    def __init__(self, read: Callable[[np.ndarray], np.ndarray], examples: Digits) -> None:
        self.read, self.examples = read, examples
        self.image = np.zeros((SIDE, SIDE), np.uint8)
        self.name = "tinytorch-pad"  # a page built elsewhere is the same whenever it is built
        self._channel: Any = None
        if IN_BROWSER:
            self.name += f"-{secrets.token_hex(4)}"  # other tabs have pads of their own
            import js
            from pyodide.ffi import create_proxy

            self._channel = js.BroadcastChannel.new(self.name)
            self._channel.onmessage = create_proxy(lambda event: self._heard(event.data))

    def _heard(self, text: str) -> None:
        self._channel.postMessage(json.dumps(self.answer(json.loads(text))))

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """What Python says to a message of the page: "hello", "ink" or "example"."""
        try:
            if message["say"] == "hello":
                return {"say": "ready"}
            if message["say"] == "example":
                return self._reading(*self._pick(None))
            side = message["side"]
            ink = np.frombuffer(bytes.fromhex(message["ink"]), np.uint8).reshape(side, side)
            return self._reading(as_mnist(ink), None) if ink.any() else {"say": "ready"}
        except Exception as error:  # the network is the student's: what it raises is shown there
            return {"say": "failed", "error": f"{type(error).__name__}: {error}"}

    def _pick(self, index: int | None) -> tuple[np.ndarray, int]:
        if index is None:
            index = secrets.randbelow(len(self.examples.labels))
        return self.examples.images[index], int(self.examples.labels[index])

    def _reading(self, image: np.ndarray, truth: int | None) -> dict[str, Any]:
        self.image = image
        shares = np.asarray(self.read(image), float)
        return {
            "say": "read",
            "digit": int(shares.argmax()),
            "shares": shares.round(4).tolist(),
            "seen": image.ravel().tolist(),
            "truth": truth,
        }

    def example(self, index: int | None = None) -> str:
        """Read a test image, a random one if no index is given: the way without a mouse."""
        image, truth = self._pick(index)
        shares = self._reading(image, truth)["shares"]
        best = int(np.argmax(shares))
        ink = "\n".join(
            "".join(" .:+*#"[v * 6 // 256] * 2 for v in row) for row in image[4:24].tolist()
        )
        return f"{ink}\n\nit reads {best} ({shares[best]:.0%}), and it is a {truth}"

    def __repr__(self) -> str:
        return "a pad to draw a digit in; it needs a notebook. Without one: print(pad.example())"

    def _repr_html_(self) -> str:
        page = (Path(__file__).parent / "pad.html").read_text(encoding="utf-8")
        return page.replace("PAD-NAME", html.escape(self.name))
