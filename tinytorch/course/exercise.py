"""What an exercise is: declared data beside its checks, and the text a student starts from.

Stub, signature and docstring are read from the reference file, so nothing is written twice. The
declarations are in `exercises/`, one file for each framework file; running them is `check.py`.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import importlib.util
import re
import textwrap
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from .map import COURSE, Module
from .symbols import Symbol, first_line, lines_of, reference_text, without_body


@dataclass(frozen=True)
class Case:
    """One thing a check asks: run `call`, compare the value of its last expression.

    `call` is Python text, shown to the student as it is; all of tinytorch and `np` are at hand.
    `expect` is Python text too, evaluated with the reference in force. A list or array stands for
    a Tensor of these values, also inside a tuple; `exactly([1, 2])` is a real list (or array), and
    what a dict holds is taken as it is written. Instead of a value, `raises` names an exception
    and a pattern that its message must match. `why` says in words what a failure means.
    """

    name: str
    call: str
    expect: str | EllipsisType = ...
    raises: tuple[type[BaseException], str] | None = None
    why: str = ""
    tol: float = 1e-5


@dataclass(frozen=True)
class Wrong:
    """A mistake a student would really make, and words its feedback must contain."""

    body: str
    message: str


@dataclass(frozen=True)
class Exercise:
    """A symbol to build. `seconds` bounds the whole check; `given` is code all cases start from."""

    id: str
    title: str
    hints: tuple[str, ...]
    cases: tuple[Case, ...]
    wrong: tuple[Wrong, ...]
    seconds: float = 5.0
    given: str = ""

    @property
    def symbol(self) -> Symbol:
        return Symbol(self.id)

    @property
    def course_module(self) -> Module:
        return next(m for m in COURSE.modules if self.symbol.file in m.files)

    @property
    def module(self) -> str:
        return self.course_module.id

    @property
    def number(self) -> int:
        """Its place in its module, counted from 1."""
        return [e.id for e in exercises(self.module)].index(self.id) + 1

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.symbol.node) or ""

    @property
    def signature(self) -> str:
        """The reference's `def` line(s), decorators included, without the colon."""
        node = self.symbol.node
        head = lines_of(reference_text(self.symbol.file), node)
        return "\n".join(head[: node.body[0].lineno - first_line(node)]).rstrip().rstrip(":")

    def cell(self, body: str) -> str:
        """A full cell with `body` (indented or not) under the reference's signature.

        A body that defines the symbol's own name is a whole cell already.
        """
        body = textwrap.dedent(body).strip("\n")
        if re.search(rf"^(def|class) {re.escape(self.symbol.name)}\b", body, re.MULTILINE):
            text = body
        else:
            text = "\n".join(without_body(reference_text(self.symbol.file), self.symbol.node, body))
        if "@build(" in text:
            return text.rstrip() + "\n"
        return f'@build("{self.id}")\n{text.rstrip()}\n'

    @property
    def stub(self) -> str:
        return self.cell("raise NotImplementedError")

    @property
    def solution(self) -> str:
        lines = lines_of(reference_text(self.symbol.file), self.symbol.node)
        return "\n".join([f'@build("{self.id}")', *lines]) + "\n"


@functools.cache
def exercises(module: str) -> tuple[Exercise, ...]:
    """The exercises of a module ("01_tensor"), in order; none if it is not written yet."""
    name = f"{__package__}.exercises.{COURSE.module(module).file}"
    if importlib.util.find_spec(name) is None:
        return ()
    return tuple(importlib.import_module(name).EXERCISES)


def all_exercises() -> tuple[Exercise, ...]:
    return tuple(e for m in COURSE.modules for e in exercises(m.id))


def get(id: str) -> Exercise:
    """The exercise with this id; a KeyError names the nearest ids there are."""
    known: dict[str, Any] = {e.id: e for e in all_exercises()}
    if id in known:
        return known[id]
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.4)
    raise KeyError(f"no exercise {id!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
