"""History's milestones, each a small program that runs on the student's own code.

perceptron   1957: one neuron learns to part two clouds of points
xor          1969: one neuron cannot learn this; two layers can
mlp          1986: a network reads handwritten digits

Each has `run()`, which says whose code it runs, runs it, and notes the result in the student's
progress if it is good enough. The same in a tab and as `python -m tinytorch milestone NAME`.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from tinytorch.course.map import COURSE


def names() -> list[str]:
    """The milestones that can be run, in their order."""
    listed = (m.name for m in COURSE.milestones)
    return [n for n in listed if importlib.util.find_spec(f"{__name__}.{n}")]


def load(name: str) -> ModuleType:
    """The module of a milestone. Raises KeyError for another name, listing those there are."""
    if name not in names():
        raise KeyError(f"no milestone {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")
