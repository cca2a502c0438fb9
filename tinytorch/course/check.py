"""Running an exercise's cases against a student's cell, and saying exactly what differed.

While exercise X is checked, X is the student's and everything else the reference, so a failure is
about X. This file produces data; `card.py` draws it.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import math
import re
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import overlay
from .compare import compare, short
from .exercise import Case, Exercise
from .isolated import isolated
from .limit import TimeLimit, time_limit
from .symbols import compile_cell

# The judge's own: a cell that replaces these in NumPy changes no verdict.
_isclose, _argwhere, _errstate, _printoptions = (
    np.isclose,
    np.argwhere,
    np.errstate,
    np.printoptions,
)

_PRINTED = 2000  # characters of a failing case's own output worth showing


@dataclass
class Outcome:
    """What one case gave. `message` is empty when it passed."""

    case: Case
    message: str = ""
    expected: Any = None
    got: Any = None
    index: tuple[int, ...] | None = None  # the first place where the values differ
    where: str = ""  # the student's line that raised
    printed: str = ""

    @property
    def passed(self) -> bool:
        return not self.message


NOT_BUILT = "Not built yet"


@dataclass
class Report:
    exercise: Exercise
    outcomes: list[Outcome] = field(default_factory=list)
    problem: str = ""  # the cell could not be run at all
    value: Any = None  # what the cell built
    patched: list[str] = field(default_factory=list)  # what it replaced elsewhere; put back

    @property
    def passed(self) -> bool:
        return not self.problem and all(o.passed for o in self.outcomes)

    @property
    def is_stub(self) -> bool:
        """Whether the body is still to be written."""
        return any(o.message.startswith(NOT_BUILT) for o in self.outcomes)

    @property
    def failure(self) -> Outcome | None:
        return next((o for o in self.outcomes if not o.passed), None)


def check(exercise: Exercise, cell: str) -> Report:
    """Run every case of `exercise` with the symbol that `cell` builds in force."""
    report = Report(exercise)
    with isolated() as patched:
        _check(exercise, cell, report)
    report.patched = patched
    return report


def _check(exercise: Exercise, cell: str, report: Report) -> None:
    def limit(codes):
        return time_limit(exercise.seconds, codes)

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the notebook has shown it already
            report.value, codes = compile_cell(exercise.symbol, cell, limit)
    except SyntaxError as error:
        report.problem = f"The cell does not parse: {error.msg}, line {error.lineno}."
    except TimeLimit:
        report.problem = _too_long(exercise)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too
        report.problem = f"The cell raised {_describe(error)} while it was being defined."
    else:
        _run_cases(exercise, codes, report)
        if failure := report.failure:
            failure.message += _about_definition(exercise, report, failure)


def _run_cases(exercise: Exercise, codes: Any, report: Report) -> None:
    with overlay.only({}):
        wanted = [_expected(exercise, case) for case in exercise.cases]
    with overlay.only({exercise.id: report.value}):
        try:
            with time_limit(exercise.seconds, codes):
                for case, expected in zip(exercise.cases, wanted, strict=True):
                    report.outcomes.append(_run(exercise, case, expected))
        except TimeLimit:
            case = exercise.cases[min(len(report.outcomes), len(exercise.cases) - 1)]
            report.outcomes.append(Outcome(case, _too_long(exercise)))


def _about_definition(exercise: Exercise, report: Report, failure: Outcome) -> str:
    """What the definition itself says about a failure: a changed signature, no `return`."""
    if failure.message.startswith(NOT_BUILT):
        return ""
    reference, value = exercise.symbol.node, report.value
    said = ""
    if isinstance(reference, ast.FunctionDef) and inspect.isfunction(value):
        args = reference.args
        wanted = [a.arg for a in [*args.posonlyargs, *args.args]]
        got = list(value.__code__.co_varnames[: value.__code__.co_argcount])
        if sorted(wanted) == sorted(got) and wanted != got:
            said += f" The signature changed: the parameters must be ({', '.join(wanted)}) in this"
            said += f" order; they are ({', '.join(got)})."
        if failure.got is None and "None" in failure.message and "return" not in failure.message:
            tree = ast.parse("".join(inspect.getsourcelines(value)[0]).lstrip())
            if _returns(reference) and not _returns(tree):
                said += " It returned None. Is a `return` missing?"
    return said


def _returns(tree: ast.AST) -> bool:
    kinds = ast.Return | ast.Yield | ast.YieldFrom
    return any(isinstance(node, kinds) and node.value is not None for node in ast.walk(tree))


def _too_long(exercise: Exercise) -> str:
    return (
        f"Stopped after {exercise.seconds:g} seconds: the code was still running. "
        "Is there a loop whose condition never becomes false?"
    )


def _expected(exercise: Exercise, case: Case) -> Any:
    if case.expect is ...:
        return ...
    return _as_tensors(_evaluate(f"{exercise.given}\n{case.expect}"))


class Exactly:
    """In an `expect`: `exactly([1, 2])` is this list, or whatever it holds, and no Tensor."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _as_tensors(value: Any) -> Any:
    """Lists and arrays stand for tensors; made here, while the reference's Tensor is in force."""
    from ..tensor import Tensor

    if isinstance(value, Exactly):
        return value.value
    if isinstance(value, list | np.ndarray):
        return Tensor(value)
    return tuple(map(_as_tensors, value)) if type(value) is tuple else value


def _run(exercise: Exercise, case: Case, expected: Any) -> Outcome:
    outcome = Outcome(case, expected=expected)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), _errstate(all="ignore"):
            outcome.got = _evaluate(f"{exercise.given}\n{case.call}")
    except (TimeLimit, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too
        outcome.message = _judge_error(case, error)
        if outcome.message:
            outcome.where = _student_line(error, exercise.id)
    else:
        try:
            _judge_value(outcome)
        except Exception as error:  # a value whose own methods raise
            outcome.message = f"It returned a value that cannot be compared: {_describe(error)}."
    outcome.printed = out.getvalue()[:_PRINTED]
    return outcome


def _evaluate(text: str) -> Any:
    """Run statements and return the value of the last one, which must be an expression.

    Random numbers begin at the same place each time: an answer is judged alike on every run.
    """
    tinytorch = sys.modules["tinytorch"]
    tinytorch.manual_seed(0)
    namespace = {**vars(tinytorch), "np": np, "math": math, "exactly": Exactly}
    tree = ast.parse(text.strip())
    last = ast.Expression(tree.body.pop().value)
    with tinytorch.enable_grad():  # a no_grad that is half written must not outlive its case
        exec(compile(tree, "<case>", "exec"), namespace)
        return eval(compile(last, "<case>", "eval"), namespace)


def _judge_error(case: Case, error: BaseException) -> str:
    if isinstance(error, NotImplementedError) and not _text(error):
        return f"{NOT_BUILT}: write the body in place of `raise NotImplementedError`."
    if isinstance(error, NameError) and error.name in vars(sys.modules["__main__"]):
        return (
            f"`{error.name}` is defined in another cell. Helpers must stand in this cell, above "
            "the function: they are saved with it."
        )
    no_data = (
        isinstance(error, AttributeError)
        and error.name in ("data", "_data")
        and case.raises is None
    )
    if no_data and type(error.obj).__name__ in ("Tensor", "Parameter"):
        return "A Tensor has no `data`: its `__init__` must set `self.data`."
    if case.raises is None:
        return f"It raised {_describe(error)}."
    kind, pattern = case.raises
    if not isinstance(error, kind):
        return f"It must raise {_named(kind)}, and it raised {_describe(error)}."
    if not re.search(pattern, _text(error)):
        return f"Its {kind.__name__} must say more: the message is {_text(error)!r}."
    return ""


def _judge_value(outcome: Outcome) -> None:
    case, got, expected = outcome.case, outcome.got, outcome.expected
    if case.raises is not None:
        outcome.message = f"It must raise {_named(case.raises[0])}, and it returned {short(got)}."
    elif got is None and expected is not None:
        outcome.message = "It returned None. Is a `return` missing?"
    else:
        outcome.message, outcome.index = compare(got, expected, case.tol)


def _describe(error: BaseException) -> str:
    text = _text(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "an error whose own text raises"


def _named(kind: type[BaseException]) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def _student_line(error: Exception, id: str) -> str:
    """The last line of the student's cell on the way to the error: "line 4: `x = y`"."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == f"<your {id}>"]
    return f"line {frames[-1].lineno}: {frames[-1].line}" if frames else ""
