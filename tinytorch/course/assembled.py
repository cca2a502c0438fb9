"""The framework as it stands: a reference file's text with the student's bodies in it."""

from __future__ import annotations

import ast
import html
from dataclasses import dataclass

from . import work
from .exercise import all_exercises
from .symbols import (
    Symbol,
    built_id,
    first_line,
    is_build,
    lines_of,
    reference_text,
    without_body,
)

_NOT_BUILT = "...  # the reference's, until you build it"


@dataclass(frozen=True)
class Source:
    """Python text that knows which of its lines are the student's; draws itself in a notebook."""

    text: str
    mine: frozenset[int]  # 1-based line numbers

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            f"<mark>{html.escape(line)}</mark>" if n in self.mine else html.escape(line)
            for n, line in enumerate(self.text.splitlines(), 1)
        ]
        note = f"{len(self.mine)} of {len(rows)} lines are yours (marked)."
        return f"<p>{note}</p><pre>" + "\n".join(rows) + "</pre>"


def source(id: str = "tensor", whole: bool = False) -> Source:
    """The assembled text of a file ("tensor"), class ("tensor.Tensor") or any symbol.

    An exercise that is not built yet shows as its signature and docstring, unless `whole` asks for
    the reference's body in its place. Raises KeyError for a name that the file does not define.
    """
    file, *path = id.split(".")
    text = reference_text(file)
    lines = [(line, False) for line in text.splitlines()]
    cells = work.in_force(file, work.waiting())
    unbuilt = set() if whole else {e.id for e in all_exercises() if e.symbol.file == file}
    edits = []  # (first line, end, new lines, whether they are the student's), as slices of lines
    for symbol in map(Symbol, unbuilt.union(cells)):
        node = symbol.node
        at, mine = first_line(node) - 1, symbol.id in cells
        if mine:
            definition, helpers = _student_lines(symbol, cells[symbol.id])
            top = first_line(Symbol(f"{file}.{symbol.path[0]}").node) - 1
            edits.append((top, top, [*helpers, "", ""] if helpers else [], mine))
        else:
            definition = without_body(text, node, _NOT_BUILT)
        indent = " " * node.col_offset
        new = [indent + line if line else line for line in definition]
        edits.append((at, node.end_lineno, new, mine))
    for start, end, new, mine in sorted(edits, reverse=True):  # from below: numbers above hold
        lines[start:end] = [(line, mine and bool(line)) for line in new]
    text = "\n".join(line for line, _ in lines) + "\n"
    mine = frozenset(n for n, (_, is_mine) in enumerate(lines, 1) if is_mine)
    return _part(text, mine, path) if path else Source(text, mine)


def _part(text: str, mine: frozenset[int], path: list[str]) -> Source:
    node: ast.AST = ast.parse(text)
    for name in path:
        found = [n for n in node.body if getattr(n, "name", None) == name]
        if not found:
            raise KeyError(f"no {name!r} in {'.'.join(path)}")
        node = found[0]
    start = first_line(node)
    shifted = frozenset(n - start + 1 for n in mine if start <= n <= node.end_lineno)
    return Source("\n".join(lines_of(text, node)) + "\n", shifted)


def _student_lines(symbol: Symbol, cell: str) -> tuple[list[str], list[str]]:
    """The definition's lines without `@build`, and the cell's other statements."""
    rows = cell.splitlines()
    definition: list[str] = []
    helpers: list[str] = []
    for node in ast.parse(cell).body:
        if isinstance(node, ast.Expr):
            continue
        skip = {
            n
            for d in getattr(node, "decorator_list", [])
            if is_build(d)
            for n in range(d.lineno, d.end_lineno + 1)
        }
        numbers = range(first_line(node), node.end_lineno + 1)
        kept = [rows[n - 1] for n in numbers if n not in skip]
        if built_id(node) == symbol.id:
            definition = kept
        else:
            helpers += kept
    return definition, helpers
