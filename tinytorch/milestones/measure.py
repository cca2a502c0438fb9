"""What a milestone is judged by: one number, or several, each with what it must reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """One of the numbers a milestone comes to.

    key: its name in progress.json. label: how it is called where people read it.
    floor: what counts as reached; None if the number is told and not judged. Where `better` is
    "lower" the floor is the most it may be.
    unit: what stands behind the number; "%" shows a share from 0 to 1 as percent.
    """

    key: str
    label: str
    floor: float | None = None
    better: Literal["higher", "lower"] = "higher"
    unit: str = "%"

    def reached(self, value: float) -> bool:
        """Whether this value is good enough. nan never is, where anything is asked for."""
        if self.floor is None:
            return True
        return value >= self.floor if self.better == "higher" else value <= self.floor

    def text(self, value: float) -> str:
        """The value as people read it: 97.92%, 1.25 kB, 101,770."""
        if self.unit == "%":
            return f"{value:.2%}"
        number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
        return f"{number} {self.unit}".strip()

    @property
    def best_key(self) -> str:
        """Where progress.json keeps the best value so far.

        The first words say which of two is better, so that records can be merged by who knows
        nothing of measures. A test accuracy has had the name "best" from the beginning.
        """
        if self.key == "accuracy":
            return "best"
        return f"most {self.key}" if self.better == "higher" else f"least {self.key}"


def accuracy(floor: float) -> Measure:
    """The share of data it has not learned from that it gets right."""
    return Measure("accuracy", "test accuracy", floor)
