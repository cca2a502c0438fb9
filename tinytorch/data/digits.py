"""Digits drawn by our own pen: strokes, shaken and slanted, rendered by distance to the ink.

They need no download, and any number of them can be had. Not a replacement for handwriting: no
hand wrote them, and a network finds them easier than MNIST.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .mnist import Digits

TURN = 2 * np.pi


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> list[tuple]:
    """Points on an ellipse around (x, y), from one turn to another; 0 is right, 0.25 is down."""
    steps = max(2, round(abs(end - start) * 12) + 1)
    turns = np.linspace(start, end, steps) * TURN
    return [(x + rx * np.cos(t), y + ry * np.sin(t)) for t in turns]


# Each digit as strokes in a box from (0, 0) top left to (1, 1); one shape for each way of writing.
SHAPES: list[list[list[list[tuple]]]] = [
    [[_arc(0.5, 0.5, 0.3, 0.46, -0.25, 0.75)]],
    [[[(0.5, 0.03), (0.5, 0.97)]], [[(0.32, 0.2), (0.52, 0.03), (0.52, 0.97)]]],
    [[[*_arc(0.5, 0.29, 0.29, 0.26, -0.5, 0.08), (0.2, 0.96), (0.82, 0.96)]]],
    [[[*_arc(0.47, 0.27, 0.28, 0.24, -0.45, 0.25), *_arc(0.47, 0.73, 0.31, 0.24, -0.25, 0.45)]]],
    [
        [[(0.6, 0.03), (0.16, 0.64), (0.86, 0.64)], [(0.64, 0.34), (0.64, 0.97)]],
        [[(0.2, 0.05), (0.2, 0.5), (0.78, 0.5)], [(0.74, 0.05), (0.74, 0.97)]],
    ],
    [[[(0.8, 0.04), (0.28, 0.04), (0.25, 0.44), *_arc(0.47, 0.68, 0.32, 0.28, -0.33, 0.4)]]],
    [
        [
            [
                (0.66, 0.04),
                *_arc(0.48, 0.68, 0.28, 0.28, -0.55, -0.52),
                *_arc(0.48, 0.69, 0.28, 0.28, 0.5, -0.5),
            ]
        ]
    ],
    [
        [[(0.18, 0.05), (0.82, 0.05), (0.42, 0.97)]],
        [[(0.18, 0.05), (0.82, 0.05), (0.42, 0.97)], [(0.36, 0.5), (0.74, 0.5)]],
    ],
    [[_arc(0.5, 0.27, 0.24, 0.23, 0.25, 1.25), _arc(0.5, 0.74, 0.29, 0.24, -0.25, 0.75)]],
    [[[*_arc(0.5, 0.31, 0.27, 0.28, 0.0, -1.0), (0.77, 0.31), (0.68, 0.97)]]],
]


def _segments(shape: list[list[tuple]]) -> np.ndarray:
    """The straight pieces of a shape: (pieces, 2 ends, 2 coordinates)."""
    return np.array([pair for stroke in shape for pair in pairwise(stroke)])


def _draw(segments: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """One image of these segments with a random slant, turn, scale, place and pen."""
    turn = rng.normal(0, 0.03) * TURN
    slant, wide, high = rng.normal(0.12, 0.15), rng.uniform(0.65, 1.0), rng.uniform(0.8, 1.05)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = rotate @ np.array([[wide, -slant], [0, high]])
    center = 0.5 + rng.uniform(-0.04, 0.04, 2)
    # A slow wave along both axes bends the strokes without tearing them where they meet.
    phase, bend = rng.uniform(0, TURN, 2), rng.normal(0, 0.025, 2)
    points = (segments - 0.5) @ shape.T * 0.72
    points = points + bend * np.sin(points[..., ::-1] * TURN + phase) + center  # (pieces, 2, 2)
    pixels = (np.arange(size) + 0.5) / size
    p = np.stack(np.meshgrid(pixels, pixels), -1).reshape(-1, 1, 2)  # (pixels, 1, 2)
    a, along = points[:, 0], points[:, 1] - points[:, 0]  # (pieces, 2)
    t = ((p - a) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-9)
    nearest = a + np.clip(t, 0, 1)[..., None] * along  # (pixels, pieces, 2)
    distance = np.sqrt(((p - nearest) ** 2).sum(-1)).min(1)  # (pixels,)
    pen = rng.uniform(0.035, 0.06)
    ink = np.clip((pen - distance) * size + 0.5, 0, 1) * rng.uniform(0.85, 1.0)
    return np.round(ink.reshape(size, size) * 255).astype(np.uint8)


def digits(n: int = 1000, seed: int = 0, size: int = 16) -> Digits:
    """`n` drawn digits, as many of each class as possible, in random order.

    images are (n, size, size) uint8, 0 paper and 255 ink; labels (n,) int64. The same `n`, `seed`
    and `size` give the same digits.

    Raises ValueError for a negative `n` or a `size` below 8.
    """
    if n < 0 or size < 8:
        raise ValueError(f"digits: expected n >= 0 and size >= 8, got n={n} and size={size}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n, dtype=np.int64) % 10)
    images = np.empty((n, size, size), np.uint8)
    for i, label in enumerate(labels):
        ways = SHAPES[label]
        images[i] = _draw(_segments(ways[rng.integers(len(ways))]), size, rng)
    return Digits(images, labels)
