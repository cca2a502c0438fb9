"""`@build("tensor.Tensor.__add__")`: running an exercise's cell defines, checks, reports, saves."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import linecache
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from . import overlay, work
from .card import Card
from .check import check
from .exercise import Exercise, exercises, get


def build(id: str) -> Callable[[Any], Any]:
    """Decorate the definition that is to become tinytorch's `id`.

    The definition is checked against the exercise's cases. If all pass, the whole cell is saved in
    the student's folder and replaces the reference, now and in every later session. A failed check
    does not raise, it shows a card.

    The name that the cell defines is then what tinytorch itself uses, so that the cells below work
    even where an exercise is left for later. Only a definition that failed keeps its name: it is
    there to be called and looked into.

    Raises KeyError for an id that is not an exercise, naming the nearest ones.
    """
    exercise = get(id)

    def decorate(definition: Any) -> Any:
        card = submit(exercise, cell_of(definition))
        show(card)
        attempt = not (card.report.passed or card.report.is_stub)
        return definition if attempt or exercise.symbol.owner else exercise.symbol.held

    return decorate


def submit(exercise: Exercise, cell: str) -> Card:
    """Check a cell, keep it if it passes, note the attempt, and return the card to show."""
    report = check(exercise, cell)
    tries, unsaved = 0, ""
    try:
        if report.passed:
            overlay.adopt(exercise.id, cell, report.value)
        if not report.is_stub:  # running the empty stub is not an attempt
            attempt = hashlib.sha256(cell.encode()).hexdigest()[:16]
            tries = work.record(exercise.id, report.passed, attempt)["tries"]
    except OSError as error:
        unsaved = str(error)
    mine = overlay.provenance()
    built = sum(mine[e.id] == "yours" for e in exercises(exercise.module))
    return Card(report, tries, built, kept=mine[exercise.id] == "yours", unsaved=unsaved)


def cell_of(definition: Any) -> str:
    """The text a definition came from: a notebook's whole cell, or its own lines in a script."""
    function = getattr(definition, "fget", None) or getattr(definition, "__func__", definition)
    if isinstance(function, type):
        inside = [v for v in vars(function).values() if inspect.isfunction(v)]
        code = inside[0].__code__ if inside else None
    else:
        code = inspect.unwrap(function).__code__
    if code is not None and not os.path.exists(code.co_filename):
        lines = linecache.getlines(code.co_filename)
        if lines:
            return "".join(lines)
    try:
        return inspect.getsource(function)
    except OSError:  # %%time compiles what is below it under no name
        return _typed(f"def {function.__name__}", f"class {function.__name__}")


def _typed(*marks: str) -> str:
    """The cell as it was typed, without its %% line. OSError if a definition is not in it."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        history = getattr(get_ipython(), "history_manager", None)
        typed = history.input_hist_raw[-1] if history else ""
        lines = [line for line in typed.splitlines(True) if not line.startswith("%%")]
        if any(mark in line for line in lines for mark in marks):
            return "".join(lines)
    raise OSError("the text of this cell cannot be read; take the line with %% out of it")


def show(card: Card) -> None:
    """Display the card in a notebook, print it anywhere else."""
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            display(card)
            return
    print(card.text())


def _show_unparsed(info: Any) -> None:
    """Before a cell runs: one that does not parse never gets to `@build`, so its card comes here.

    IPython prints the SyntaxError itself, with the line, below the card with the hints.
    """
    found = re.search(r"^@build\(['\"]([\w.]+)['\"]\)", info.raw_cell or "", re.MULTILINE)
    if not found:
        return
    from IPython import get_ipython

    try:
        cell = get_ipython().transform_cell(info.raw_cell)
        ast.parse(cell)
    except SyntaxError:
        with contextlib.suppress(KeyError):  # not an exercise: the error alone says enough
            show(Card(check(get(found[1]), info.raw_cell)))


def watch_notebook() -> None:
    """In a notebook: show the card of a cell that does not parse."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if shell := get_ipython():
            shell.events.register("pre_run_cell", _show_unparsed)


watch_notebook()
