"""The feedback card: one check's report as HTML for a notebook and as plain text for a terminal.

It must read well with its styles removed: a notebook that is reopened may have them sanitized
away. So the pictures of tensors are tables, hints are `<details>`, and words carry the meaning.
"""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path
from typing import Any

import numpy as np

from .check import NOT_BUILT, Outcome, Report
from .compare import safe_repr
from .exercise import exercises

_TRIES = 3  # different attempts before the solution is offered
_SIDE = 6  # rows and columns of a tensor's picture


class Card:
    """A report with what the student's folder knows: tries so far, what is built in the module."""

    def __init__(
        self, report: Report, tries: int = 1, built: int = 0, kept: bool = False, unsaved: str = ""
    ) -> None:
        self.report = report
        self.tries = tries
        self.built = built  # exercises of this module that are the student's now
        self.kept = kept  # an earlier version that passed stays in force
        self.unsaved = unsaved  # why nothing could be written, if so

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.text()}

    @property
    def exercise(self):
        return self.report.exercise

    @property
    def headline(self) -> str:
        total = len(self.exercise.cases)
        if self.report.passed:
            return f"Passed, {total} of {total} cases"
        passed = sum(o.passed for o in self.report.outcomes)
        return f"Not yet, {passed} of {total} cases pass"

    @property
    def next_step(self) -> str:
        rest = exercises(self.exercise.module)[self.exercise.number :]
        return f"Next: {rest[0].title}." if rest else "That was the last one of this module."

    def _patched_line(self) -> str:
        names = self.report.patched
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        listed = ", ".join(f"`{name}`" for name in names[:3]) + more
        return f"The cell replaced {listed}; that was put back." if names else ""

    def _call(self, failure: Outcome) -> str:
        """The failing call as the student could run it: with what the cases start from."""
        return f"{self.exercise.given}\n{failure.case.call}".strip("\n")

    def _kept_line(self) -> str:
        if self.unsaved:
            return f"Nothing could be saved: {self.unsaved}. The notebook still holds your cell."
        file = self.exercise.symbol.file
        if self.report.passed:
            total = len(exercises(self.exercise.module))
            name = ".".join(self.exercise.symbol.path)
            return (
                f"Saved in my_tinytorch/{file}.py. From here on `{name}` is yours: "
                f"{self.built} of {total} built in this module. {self.next_step}"
            )
        return "Your earlier version, which passed, stays in force." if self.kept else ""

    # -- plain text

    def text(self) -> str:
        mark = "passed" if self.report.passed else "failed"
        lines = [f"[{mark}] {self.exercise.title} ({self.exercise.id}): {self.headline}"]
        lines += [self.report.problem] if self.report.problem else []
        if failure := self.report.failure:
            lines += [f"  case: {failure.case.name}", *_indent("  call: ", self._call(failure))]
            lines += [f"  {line}" for line in _explain(failure)]
            if _has_values(failure):
                lines += _indent("  expected: ", safe_repr(failure.expected))
                lines += _indent("  got:      ", safe_repr(failure.got))
            if failure.printed:
                lines += ["  printed:", *_indent("    ", failure.printed)]
        if not self.report.passed:
            lines += [f"  hint: {self.exercise.hints[0]}"]
        for line in filter(None, (self._kept_line(), self._patched_line())):
            lines += [f"  {line}"]
        return "\n".join(lines)

    # -- HTML

    def html(self) -> str:
        state = "passed" if self.report.passed else "failed"
        parts = [f"<p class='tt-head'><strong>{_inline(self.headline)}</strong>"]
        parts += [f" <span>{_inline(self.exercise.title)}</span></p>"]
        if self.report.problem:
            parts += [f"<p>{_inline(self.report.problem)}</p>"]
        if self.report.failure:
            parts += [self._failure(self.report.failure)]
        for line in filter(None, (self._kept_line(), self._patched_line())):
            parts += [f"<p>{_inline(line)}</p>"]
        parts += [self._cases()]
        if self.report.passed:
            parts += [_details("Compare with the reference", _code(self.exercise.solution))]
        else:
            parts += [self._hints(), self._solution()]
        return (
            f"<div class='tt-card' data-exercise='{self.exercise.id}' data-result='{state}' "
            f"role='status'><style>{_css()}</style>{''.join(parts)}</div>"
        )

    def _failure(self, failure: Outcome) -> str:
        parts = [f"<p>{_inline(_capital(failure.case.name))}:</p>{_code(self._call(failure))}"]
        parts += [f"<p>{_inline(line)}</p>" for line in _explain(failure)]
        if _has_values(failure):
            index = failure.index
            parts += [
                "<div class='tt-pair'>",
                _picture("expected", failure.expected, index),
                _picture("got", failure.got, index),
                "</div>",
            ]
        if failure.printed:
            parts += [f"<p>Your code printed:</p>{_code(failure.printed)}"]
        return "".join(parts)

    def _cases(self) -> str:
        rows = []
        for n, case in enumerate(self.exercise.cases):
            state = "not run"
            if n < len(self.report.outcomes):
                state = "passes" if self.report.outcomes[n].passed else "fails"
            rows.append(f"<li data-case='{state}'>{_inline(case.name)}: {state}</li>")
        return _details("All cases", f"<ol>{''.join(rows)}</ol>")

    def _hints(self) -> str:
        """Each hint holds the next one, so they open one at a time."""
        hints = self.exercise.hints
        inner = ""
        for n in range(len(hints), 0, -1):
            inner = _details(f"Hint {n} of {len(hints)}", f"<p>{_inline(hints[n - 1])}</p>{inner}")
        return inner

    def _solution(self) -> str:
        left = _TRIES - self.tries
        if left > 0:
            more = f"{left} more different attempt{'s' if left > 1 else ''}"
            return f"<p class='tt-quiet'>The solution opens after {more}.</p>"
        return _details("Show the solution", _code(self.exercise.solution))


def _explain(outcome: Outcome) -> list[str]:
    lines = [outcome.message]
    if outcome.case.why and not outcome.message.startswith(NOT_BUILT):
        lines.append(outcome.case.why)
    if outcome.where and not outcome.message.startswith(NOT_BUILT):
        lines.append(f"In your cell, {outcome.where.replace(': ', ': `', 1)}`.")
    return lines


def _has_values(outcome: Outcome) -> bool:
    return outcome.got is not None and outcome.expected is not ... and outcome.case.raises is None


def _picture(label: str, value: Any, index: tuple[int, ...] | None) -> str:
    """A small table of a tensor's numbers, the first differing one marked."""
    try:
        array = getattr(value, "data", value)
        array = np.asarray(array) if isinstance(array, list) else array
    except Exception:  # ragged, too large, or a `data` that raises
        array = None
    if not isinstance(array, np.ndarray) or array.dtype == object:
        return f"<figure><figcaption>{label}</figcaption>{_code(safe_repr(value)[:300])}</figure>"
    caption = f"{label}, shape {array.shape}"
    at = index if index is not None and len(index) == array.ndim else None
    if array.ndim > 2:  # show the matrix the difference is in
        lead = at[:-2] if at else (0,) * (array.ndim - 2)
        caption += f", showing [{', '.join(map(str, lead))}]"
        array, at = (array[lead], at[-2:] if at else None) if array.size else (array, None)
    rows = array.reshape(1, -1) if array.ndim < 2 else array
    if at is not None:
        at = (0,) * (2 - len(at)) + at
    if rows.ndim != 2 or not rows.size:
        return f"<figure><figcaption>{caption}</figcaption><p>(empty)</p></figure>"
    r0 = max(0, min(at[0] - 2, rows.shape[0] - _SIDE)) if at else 0
    c0 = max(0, min(at[1] - 2, rows.shape[1] - _SIDE)) if at else 0
    body = []
    for r in range(r0, min(r0 + _SIDE, rows.shape[0])):
        cells = []
        for c in range(c0, min(c0 + _SIDE, rows.shape[1])):
            text = html.escape(_cell(rows[r, c]))
            cells.append(f"<td><mark>{text}</mark></td>" if (r, c) == at else f"<td>{text}</td>")
        body.append(
            f"<tr>{''.join(cells)}{'<td>…</td>' if rows.shape[1] > c0 + _SIDE else ''}</tr>"
        )
    if rows.shape[0] > r0 + _SIDE:
        body.append("<tr><td>…</td></tr>")
    return f"<figure><figcaption>{caption}</figcaption><table>{''.join(body)}</table></figure>"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _details(summary: str, inner: str) -> str:
    return f"<details><summary>{summary}</summary>{inner}</details>"


def _code(text: str) -> str:
    return f"<pre><code>{html.escape(text.strip(chr(10)))}</code></pre>"


def _inline(text: str) -> str:
    """Escaped text with `code` spans."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _indent(first: str, text: str) -> list[str]:
    lines = text.rstrip("\n").splitlines() or [""]
    return [first + lines[0], *(" " * len(first) + line for line in lines[1:])]


@functools.cache
def _css() -> str:
    return (Path(__file__).parent / "card.css").read_text(encoding="utf-8")
