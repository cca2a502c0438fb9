"""`python -m tinytorch mutate`: small changes to every solution, each of which a check must notice.

A mutant that passes is a wrong answer that would be accepted: it needs a case that catches it, or,
if it computes the same as the solution, an entry with the reason in `equivalent.py`. The changes
are those of mutation testing (DeMillo, Lipton and Sayward 1978, "Hints on test data selection"),
and a few that students make: the result in another dtype, the global for the row's maximum.
It does not care about speed or style of an answer.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import multiprocessing
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from .check import check
from .equivalent import EQUIVALENT
from .exercise import Exercise, all_exercises, get

_SECONDS = 2.0  # for one mutant: what takes longer than the solution has been noticed
_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip
_OTHER_NAME = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max"}
_REDUCTIONS = {"max", "min", "sum", "mean", "any", "all", "prod"}
_CAST = "(lambda r: r.astype('float32') if hasattr(r, 'astype') else r.to('float32'))"


def mutants(exercise: Exercise) -> dict[str, str]:
    """Cells that differ from the solution in one place, by what differs: "a < b -> a <= b"."""
    tree = ast.parse(exercise.solution)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    whole = ast.unparse(tree)
    made: dict[str, str] = {}
    places = [p for definition in tree.body for p in _places(definition)]
    for holder, name, at in places:
        field = getattr(holder, name)
        old = field[at] if at is not None else field
        for new in _changes(old):
            if at is not None:
                field[at] = new
            else:
                setattr(holder, name, new)
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text != whole and text not in made.values():
                made[_key(_describe(old, new), made)] = text
        if at is not None:
            field[at] = old
        else:
            setattr(holder, name, old)
    return made


def _places(root: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Every node below `root` as (holder, field, index), decorators and annotations left out."""
    for name, value in ast.iter_fields(root):
        if name in ("decorator_list", "annotation", "returns", "type_params"):
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield root, name, at
                yield from _places(child)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What a node might be instead."""
    new = copy.deepcopy(node)
    match new:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            new.ops = [_COMPARISONS[type(op)]()]
            yield new
        case ast.BinOp(left=left, op=op, right=right):
            if type(op) in _ARITHMETIC:
                yield ast.BinOp(left, _ARITHMETIC[type(op)](), right)
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div):
                yield ast.BinOp(right, op, left)
            yield left
            yield right
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            for i in range(len(values)):
                rest = values[:i] + values[i + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 2 + 1)
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.Call():
            yield from _calls(new)
        case ast.Return(value=value) if value is not None:
            cast = ast.parse(_CAST, mode="eval").body
            yield ast.Return(ast.Call(cast, [value], []))
        case ast.If(body=body, orelse=orelse):
            yield ast.If(ast.Constant(True), body, orelse)
            yield ast.If(ast.Constant(False), body, orelse)
        case ast.Expr() | ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.Pass()


def _calls(call: ast.Call) -> Iterator[ast.AST]:
    function, args, keywords = call.func, call.args, call.keywords
    for i in range(len(keywords)):
        yield ast.Call(function, args, keywords[:i] + keywords[i + 1 :])
    if len(args) == 2 and not any(isinstance(a, ast.Starred) for a in args):
        yield ast.Call(function, args[::-1], keywords)
    if isinstance(function, ast.Attribute):
        if function.attr in _OTHER_NAME:
            other = ast.Attribute(function.value, _OTHER_NAME[function.attr], ast.Load())
            yield ast.Call(other, args, keywords)
        if function.attr in _REDUCTIONS and (args or len(keywords) > 1):
            yield ast.Call(function, [], [])  # of everything, where it was of each row
        if not isinstance(function.value, ast.Name) or function.value.id not in ("np", "math"):
            yield function.value


def _describe(old: ast.AST, new: ast.AST) -> str:
    if isinstance(old, ast.If):
        return f"if {ast.unparse(old.test)} -> if {ast.unparse(new.test)}"
    if isinstance(old, ast.Return):
        return f"{ast.unparse(old)} -> in float32"
    return f"{ast.unparse(old)} -> {ast.unparse(new)}"


def _key(text: str, taken: Iterable[str]) -> str:
    """`text`, numbered if the same change was made in another place."""
    key, n = text, 1
    while key in taken:
        n += 1
        key = f"{text} ({n})"
    return key


def survivors(id: str) -> tuple[str, int, list[str]]:
    """The exercise's id, how many mutants it has, and those that pass although they differ."""
    exercise = get(id)
    quick = dataclasses.replace(exercise, seconds=min(exercise.seconds, _SECONDS))
    made = mutants(exercise)
    return id, len(made), [change for change, cell in made.items() if check(quick, cell).passed]


def mutate(names: Iterable[str] = (), since: str = "") -> int:
    """Print what survives among the exercises of `names` (ids, files, modules; all without any),
    or among those that changed since a git revision; the number of faults is returned."""
    listed = [e for e in all_exercises() if _named(e, list(names)) and _changed(e, since)]
    faults = count = 0
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        for id, made, alive in pool.imap(survivors, [e.id for e in listed]):
            known = EQUIVALENT.get(id, {})
            lines = [f"passes: {change}" for change in alive if change not in known]
            lines += [f"is listed and does not pass: {c}" for c in known if c not in alive]
            print(f"{id}: {made} mutants, {len(alive)} equivalent" if not lines else f"{id}:")
            for line in lines:
                print(f"  {line}")
            faults, count = faults + len(lines), count + made
    print(f"{len(listed)} exercises, {count} mutants, {faults} to be looked at")
    return faults


def _named(exercise: Exercise, names: list[str]) -> bool:
    places = (exercise.id, exercise.symbol.file, exercise.module)
    return not names or any(name in places for name in names)


def _changed(exercise: Exercise, since: str) -> bool:
    """Whether the reference or the declaration differs from what it was at a git revision."""
    if not since:
        return True
    file = exercise.symbol.file
    return _at(f"tinytorch/{file}.py", exercise, since) or _at(
        f"tinytorch/course/exercises/{file}.py", exercise, since
    )


def _at(path: str, exercise: Exercise, since: str) -> bool:
    root = Path(__file__).parents[2]
    shown = subprocess.run(
        ["git", "show", f"{since}:{path}"], cwd=root, capture_output=True, text=True, check=False
    )
    now = (root / path).read_text(encoding="utf-8")
    return shown.returncode != 0 or _part(shown.stdout, exercise) != _part(now, exercise)


def _part(text: str, exercise: Exercise) -> list[str]:
    """What of a file is about the exercise: its definition, its declaration."""
    found, path = [], exercise.symbol.path
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise":
            if isinstance(node.args[0], ast.Constant) and node.args[0].value == exercise.id:
                found.append(ast.dump(node))
        elif getattr(node, "name", None) == path[-1]:
            found.append(ast.dump(node))
    return found
