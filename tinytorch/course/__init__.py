"""The course engine: exercises, checks, the student's overlay, progress and feedback.

map.py         acts, modules, milestones, checkpoints: the facts of the course
exercise.py    what an exercise is; exercises/ declares them, one file per framework file
symbols.py     where a symbol lives, its reference text, how it is replaced
check.py       runs an exercise's cases against a cell; limit.py stops what never ends
compare.py     how one value differs from another, by kind, at any depth
isolated.py    undoes what a cell did to the session while it was checked
card.py        draws the report
work.py        the student's folder: saved cells and progress.json
overlay.py     puts the student's symbols in force; strict mode; provenance
decorator.py   @build, which ties these together
assembled.py   the framework's source with the student's bodies in it
verify.py      runs every stub, solution and wrong answer
"""

from .assembled import source
from .decorator import build
from .export import export, import_work
from .overlay import NotBuiltYet, accept, forget, provenance, strict
from .status import status

__all__ = [
    "NotBuiltYet",
    "accept",
    "build",
    "export",
    "forget",
    "import_work",
    "provenance",
    "source",
    "status",
    "strict",
]
