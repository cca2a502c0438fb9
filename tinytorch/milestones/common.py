"""What all milestones share: whose code runs, what counts as reached, and the record of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tinytorch.course import overlay, work
from tinytorch.course.map import COURSE

from .measure import Measure


@dataclass
class Result:
    """What a milestone came to. Subclasses add what there is to look at.

    values: for each of `measures`, by its key, what was measured.
    Raises ValueError if a measure has no value or a value no measure.
    """

    name: str
    measures: tuple[Measure, ...]
    values: dict[str, float]
    seconds: float  # of learning

    def __post_init__(self) -> None:
        keys = [measure.key for measure in self.measures]
        if set(keys) != set(self.values) or len(set(keys)) != len(keys):
            raise ValueError(f"{self.name}: measures {keys}, but values of {list(self.values)}")

    @property
    def accuracy(self) -> float:
        """On data it has not learned from, 0 to 1. Raises KeyError where it is not measured."""
        return self.values["accuracy"]

    @property
    def missed(self) -> list[Measure]:
        """The measures that are not good enough."""
        return [m for m in self.measures if not m.reached(self.values[m.key])]

    @property
    def passed(self) -> bool:
        return not self.missed

    def __str__(self) -> str:
        verdict = "; ".join(self._asked(m) for m in self.missed) or "reached"
        lines = [f"{m.label} {m.text(self.values[m.key])}" for m in self.measures]
        head = f"{self.name}: {verdict}; learning took {self.seconds:.2f} s"
        return "\n".join([head, *lines])

    def _asked(self, measure: Measure) -> str:
        """Why a measure is not good enough, in words."""
        assert measure.floor is not None
        limit = "floor" if measure.better == "higher" else "limit"
        short = f"{measure.floor:.0%}" if measure.unit == "%" else measure.text(measure.floor)
        of = f" for {measure.label}" if len(self.measures) > 1 else ""
        return f"not reached, the {limit}{of} is {short}"

    __repr__ = __str__


class Provenance:
    """Whose code a milestone runs: a table, in a notebook and on a terminal."""

    def __init__(self, uses: Iterable[str]) -> None:
        mine = overlay.provenance()
        self.owners = {id: mine[id] for id in uses if id in mine}

    @property
    def yours(self) -> int:
        return sum(owner == "yours" for owner in self.owners.values())

    def _rows(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Module title, names that are the student's, names that are the reference's."""
        for module in COURSE.modules:
            ids = [id for id in self.owners if id.split(".")[0] in module.files]
            if ids:
                split = {"yours": [], "reference": []}
                for id in ids:
                    split[self.owners[id]].append(id.split(".", 1)[1])
                yield f"{module.id[:2]} {module.title}", split["yours"], split["reference"]

    def __str__(self) -> str:
        lines = [f"What runs here: {self.yours} of {len(self.owners)} are yours."]
        for title, yours, reference in self._rows():
            for owner, names in (("yours", yours), ("reference", reference)):
                for i in range(0, len(names), 3):
                    head = (title, owner) if i == 0 else ("", "")
                    lines.append(f"  {head[0]:16} {head[1]:10} {', '.join(names[i : i + 3])}")
                    title = ""
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def cell(names: list[str]) -> str:
            text = "<br>".join(f"<code>{name}</code>" for name in names)
            return f"<td style='text-align:left; vertical-align:top'>{text}</td>"

        rows = "".join(
            f"<tr><td style='text-align:left; vertical-align:top'>{title}</td>"
            f"{cell(yours)}{cell(reference)}</tr>"
            for title, yours, reference in self._rows()
        )
        return (
            "<table><thead><tr><th>What runs here</th><th style='text-align:left'>yours</th>"
            f"<th style='text-align:left'>the reference's</th></tr></thead><tbody>{rows}</tbody>"
            f"</table><p>{self.yours} of {len(self.owners)} are yours.</p>"
        )


def show(thing: Any) -> None:
    """Display in a notebook, print anywhere else."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(thing)
        return
    display(thing) if get_ipython() else print(thing)


class Clock:
    """Seconds inside `with` blocks, added up: learning is timed, drawing is not."""

    seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start


def conclude(result: Result, uses: Iterable[str]) -> Result:
    """Print what was reached and, if it was, note it in the student's progress."""
    if result.passed:
        provenance = Provenance(uses)
        entry: dict[str, Any] = {}
        for measure in result.measures:
            value = round(result.values[measure.key], 4)
            entry |= {measure.key: value, measure.best_key: value}
        entry |= {
            "seconds": round(result.seconds, 2),
            "yours": provenance.yours,
            "of": len(provenance.owners),
        }
        try:
            work.record_milestone(result.name, entry)
        except OSError as error:
            print(f"the result could not be written to your progress: {error}")
    print(result)
    return result
