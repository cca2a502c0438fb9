"""`python -m tinytorch verify`: every exercise's stub, solution and wrong answers, all run.

It works on the declarations alone and neither reads nor writes a student's folder.
"""

from __future__ import annotations

from .card import Card
from .check import check
from .exercise import Exercise, all_exercises


def verify() -> int:
    """Print a table of all exercises and a closing line; the number of faults is returned."""
    faults: list[str] = []
    stubs = solutions = caught = 0
    listed = all_exercises()
    width = max((len(e.id) for e in listed), default=0)
    for e in listed:
        bad = list(_faults(e))
        stubs += "stub" not in [b[0] for b in bad]
        solutions += "solution" not in [b[0] for b in bad]
        caught += len(e.wrong) - sum(b[0] == "wrong" for b in bad)
        faults += [f"{e.id}: {text}" for _, text in bad]
        state = "ok" if not bad else "FAULT"
        print(f"{e.id:{width}}  {len(e.cases):2} cases  {len(e.wrong)} wrong answers  {state}")
    for fault in faults:
        print(f"fault: {fault}")
    print(
        f"{len(listed)} exercises: {stubs} stubs fail, {solutions} solutions pass, "
        f"{caught} wrong answers caught"
    )
    return len(faults)


def _faults(e: Exercise):
    """What is wrong with a declaration: pairs of a kind and a line that says it."""
    if len(e.hints) < 2:
        yield "hints", f"has {len(e.hints)} hints, needs two or more"
    if not e.wrong:
        yield "none", "has no wrong answer"
    if check(e, e.stub).passed:
        yield "stub", "the empty stub passes"
    report = check(e, e.solution)
    if not report.passed:
        yield "solution", f"the reference's own body fails: {Card(report).text()}"
    for n, wrong in enumerate(e.wrong, 1):
        report = check(e, e.cell(wrong.body))
        text = Card(report, tries=1).text()
        if report.passed:
            yield "wrong", f"wrong answer {n} passes"
        elif wrong.message not in text:
            yield "wrong", f"wrong answer {n} does not say {wrong.message!r}: {text}"
