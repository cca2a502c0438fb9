"""The overlay: the student's symbols in force over the reference, and who wrote what.

`load()` runs at `import tinytorch`. Every change goes through `_apply`, which first puts the
reference back everywhere and then lays the wanted symbols over it: there is no state to drift.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import work
from .symbols import Members, Symbol, compile_cell


class NotBuiltYet(NotImplementedError):
    """In strict mode: this symbol is an exercise, and the student has not built it yet."""


_reference: dict[str, Any] = {}  # id -> the reference's object, for every symbol ever replaced
_in_force: dict[str, Any] = {}  # id -> what lies over it now
_student: dict[str, Any] = {}  # id -> the student's object, in force or not
_strict = False


def _apply(wanted: dict[str, Any]) -> None:
    for id in reversed(list(_in_force)):
        Symbol(id).put(_reference[id])
    _in_force.clear()
    for id, value in wanted.items():
        symbol = Symbol(id)
        _reference.setdefault(id, symbol.get())
        symbol.put(value)
        _in_force[id] = value


def _wanted() -> dict[str, Any]:
    return {**(_refusals() if _strict else {}), **_student}


def load() -> list[str]:
    """Put all saved work in force. Returns, and prints, a line for each cell that did not load.

    Imported work waits: nothing of it is run before `accept()`.

    A cell that does not parse, or raises while it is defined, is set aside under another name and
    the reference stands in its place; the others are loaded all the same.
    """
    _student.clear()
    problems = []
    held = work.waiting()
    for file in work.files():
        try:
            cells = work.in_force(file, held)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        for id, cell in cells.items():
            try:
                symbol = Symbol(id)
                symbol.get()
                _student[id], _ = compile_cell(symbol, cell)
            except BaseException as error:  # a student's cell may raise anything, SystemExit too
                what = traceback.format_exception_only(error)[-1].strip()
                aside = work.set_section_aside(id)
                problems.append(f"{id} did not load ({what}); it is kept as {aside}")
    _apply(_wanted())
    for problem in problems:
        print(f"tinytorch: {problem}", file=sys.stderr)
    return problems


def accept() -> list[str]:
    """Put imported work in force, which runs it. Returns the symbols that waited for this."""
    ids = work.accept()
    load()
    return ids


def adopt(id: str, cell: str, value: Any = None) -> None:
    """Save a cell that passed and put it in force, here and in every later session.

    value: what the cell built, if it has run already; it is not run a second time then.
    """
    _student[id] = compile_cell(Symbol(id), cell)[0] if value is None else value
    _apply(_wanted())
    work.save(id, cell)


def forget(id: str) -> None:
    """Go back to the reference for `id`; the student's text is kept in `history/`.

    Raises KeyError if the student has not built it.
    """
    if id not in _student:
        raise KeyError(f"{id} is not one of yours; yours are {', '.join(_student) or 'none yet'}")
    work.remove(id)
    del _student[id]
    _apply(_wanted())


@contextmanager
def only(symbols: dict[str, Any]) -> Iterator[None]:
    """The reference with exactly `symbols` over it, for as long as the block runs."""
    before = dict(_in_force)
    _apply(symbols)
    try:
        yield
    finally:
        _apply(before)


@contextmanager
def strict() -> Iterator[None]:
    """No reference stands in: an exercise the student has not built raises NotBuiltYet."""
    global _strict
    before, _strict = _strict, True
    _apply(_wanted())
    try:
        yield
    finally:
        _strict = before
        _apply(_wanted())


def _refusals() -> dict[str, Any]:
    from .exercise import all_exercises

    return {e.id: _refusal(e) for e in all_exercises() if e.id not in _student}


def _refusal(exercise: Any) -> Callable | type:
    where = f"exercise {exercise.number} of module {exercise.module}"

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotBuiltYet(f"{exercise.id} is not built yet: {where}, {exercise.title!r}")

    value = _reference.get(exercise.id) or exercise.symbol.get()
    if isinstance(value, Members):  # the class stays, and nothing can be made of it
        return Members({**value.members, "__init__": refuse})
    return property(refuse) if isinstance(value, property) else refuse


def provenance() -> dict[str, str]:
    """For every exercise's symbol: "yours" or "reference"."""
    from .exercise import all_exercises

    return {e.id: "yours" if e.id in _student else "reference" for e in all_exercises()}
