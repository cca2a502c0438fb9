"""Points in the plane: two clouds that a line parts, and four that none does."""

from __future__ import annotations

import numpy as np


def separable(n: int = 100, seed: int = 0, margin: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """`n` points in [-1, 1]², (n, 2) float32, and on which side of a hidden line each lies.

    Sides are 0 or 1, (n,) int64, half of each. No point is closer to the line than `margin`.

    Raises ValueError for a margin outside [0, 0.5]: a wider one may leave a side no room.
    """
    if not 0 <= margin <= 0.5:
        raise ValueError(f"separable: margin must be between 0 and 0.5, got {margin}")
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi)
    normal = np.array([np.cos(angle), np.sin(angle)])
    offset = rng.uniform(-0.2, 0.2)
    sides = np.arange(n) % 2
    x = np.empty((n, 2), np.float32)
    for i, side in enumerate(sides):
        while True:
            x[i] = rng.uniform(-1, 1, 2)
            distance = x[i] @ normal - offset
            if abs(distance) >= margin and (distance > 0) == side:
                break
    order = rng.permutation(n)
    return x[order], sides[order].astype(np.int64)


def xor(n: int = 200, seed: int = 0, noise: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    """`n` points around the corners of a square, (n, 2) float32, and their classes, (n,) int64.

    The corners are (±1, ±1). A point's class is 1 if its two signs differ, else 0. `noise` is the
    standard deviation of the cloud at each corner; with `n=4, noise=0` they are the corners.
    """
    rng = np.random.default_rng(seed)
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.float32)
    classes = np.array([0, 1, 1, 0], np.int64)
    which = np.arange(n) % 4
    x = corners[which] + noise * rng.standard_normal((n, 2))
    return x.astype(np.float32), classes[which]
