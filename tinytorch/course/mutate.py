"""`python -m tinytorch mutate`: small changes to every solution, each of which a check must notice.

A mutant that passes is a wrong answer that would be accepted: it needs a case that catches it, or,
if it computes the same as the solution, an entry with the reason in `equivalent.py`. The changes
are those of mutation testing (DeMillo, Lipton and Sayward 1978, "Hints on test data selection"),
and a few that students make: the result in float32, or rounded to it on the way, the global for
the row's maximum, a result written into an argument. What only costs time or memory is no mutant.
"""

from __future__ import annotations

import ast
import copy
import multiprocessing
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .check import check
from .equivalent import EQUIVALENT
from .exercise import Exercise, all_exercises, get

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
_COMMUTE = {"maximum", "minimum", "max", "min", "add", "multiply", "swapaxes"}
_ROOT = Path(__file__).parents[2]
_HERE = f"__import__({__name__!r}, fromlist=['*'])"


def in_float32(result: Any) -> Any:
    """A returned value with all arrays and Tensors in it, in tuples too, as float32."""
    return _converted(result, lambda x, to: to("float32"))


def rounded_to_float32(result: Any) -> Any:
    """The same in its own dtype, but with no more digits than float32 has."""
    return _converted(result, lambda x, to: in_own(to("float32"), x.dtype))


def in_own(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if hasattr(x, "astype") else x.to(dtype)


def _converted(x: Any, convert: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(_converted(item, convert) for item in x)
    to = getattr(x, "astype", None) or getattr(x, "to", None)
    return convert(x, to) if to and hasattr(x, "dtype") else x


def mutants(exercise: Exercise) -> dict[str, str]:
    """Cells that differ from the solution in one place, by what differs: "a < b -> a <= b"."""
    tree = ast.parse(exercise.solution)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    whole = ast.unparse(tree)
    made: dict[str, str] = {}
    returns = ast.unparse(getattr(exercise.symbol.node, "returns", None) or ast.Pass())
    has_dtype = "Tensor" in returns or "ndarray" in returns
    places = [p for definition in tree.body for p in _places(definition)]
    for holder, name, at in places:
        field = getattr(holder, name)
        old = field[at] if at is not None else field
        for new in _changes(old) if has_dtype or not isinstance(old, ast.Return) else ():
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
        if getattr(root, "arg", "") == "strict":
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
            if value:
                yield ast.Constant(value - 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 2 + 1)
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.Call():
            yield from _calls(new)
        case ast.Return(value=value) if value is not None:
            for cast in (in_float32, rounded_to_float32):
                function = ast.parse(f"{_HERE}.{cast.__name__}", mode="eval").body
                yield ast.Return(ast.Call(function, [value], []))
        case ast.If(body=body, orelse=orelse):
            yield ast.If(ast.Constant(True), body, orelse)
            yield ast.If(ast.Constant(False), body, orelse)
        case ast.With(body=body) if "errstate" not in ast.unparse(node.items[0]):
            yield ast.If(ast.Constant(True), body, [])
        case ast.Try(body=body, finalbody=finalbody):
            yield ast.If(ast.Constant(True), body + finalbody, [])
        case ast.Expr(value=ast.Call(keywords=keywords) as call):
            yield ast.Pass()
            yield from (ast.Expr(other) for other in _outs(call, keywords))
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.For() | ast.Continue() | ast.Break():
            yield ast.Pass()


def _calls(call: ast.Call) -> Iterator[ast.AST]:
    function, args, keywords = call.func, call.args, call.keywords
    name = getattr(function, "attr", getattr(function, "id", ""))
    if name == "errstate":  # decides about warnings, not about a value
        return
    for i, keyword in enumerate(keywords):
        if keyword.arg not in ("out", "strict"):  # `out` is memory alone, `strict` a reminder
            yield ast.Call(function, args, keywords[:i] + keywords[i + 1 :])
    for i, arg in enumerate(args):
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
            yield ast.Call(function, [*args[:i], ast.Constant("?"), *args[i + 1 :]], keywords)
    if len(args) == 2 and name not in _COMMUTE and not any(_is_starred(a) for a in args):
        yield ast.Call(function, args[::-1], keywords)
    if isinstance(function, ast.Attribute):
        if function.attr in _OTHER_NAME:
            other = ast.Attribute(function.value, _OTHER_NAME[function.attr], ast.Load())
            yield ast.Call(other, args, keywords)
        if function.attr in _REDUCTIONS and (args or len(keywords) > 1):
            yield ast.Call(function, [], [])  # of everything, where it was of each row
        if not isinstance(function.value, ast.Name) or function.value.id not in ("np", "math"):
            yield function.value


def _is_starred(node: ast.AST) -> bool:
    return isinstance(node, ast.Starred)


def _outs(call: ast.Call, keywords: list[ast.keyword]) -> Iterator[ast.Call]:
    """The call of a statement with `out=` left out, or with one of its arguments there."""
    for i, keyword in enumerate(keywords):
        if keyword.arg == "out":
            rest = keywords[:i] + keywords[i + 1 :]
            yield ast.Call(call.func, call.args, rest)
            for arg in call.args:
                if isinstance(arg, ast.Name):
                    yield ast.Call(call.func, call.args, [*rest, ast.keyword("out", arg)])


def _describe(old: ast.AST, new: ast.AST) -> str:
    if isinstance(old, ast.If):
        return f"if {ast.unparse(old.test)} -> if {ast.unparse(new.test)}"
    if isinstance(old, ast.Return):
        return f"{ast.unparse(old)} -> {new.value.func.attr.replace('_', ' ')}"
    first = ast.unparse(old).splitlines()[0]
    if isinstance(old, ast.With | ast.Try):
        return f"{first} -> without"
    return f"{first} -> {ast.unparse(new).splitlines()[0]}"


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
    made = mutants(exercise)
    return id, len(made), [change for change, cell in made.items() if check(exercise, cell).passed]


def mutate(names: Iterable[str] = (), since: str = "", jobs: int = 2) -> int:
    """Print what survives among the exercises of `names` (ids, files, modules; all without any),
    or among those that changed since a git revision; the number of faults is returned.

    Raises ValueError for a name that is none, and for a revision that git does not know.
    """
    listed = _chosen(list(names), since)
    faults = count = 0
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs) as pool:
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


def _chosen(names: list[str], since: str) -> list[Exercise]:
    everything = all_exercises()
    places = {e.id: (e.id, e.symbol.file, e.module) for e in everything}
    for name in names:
        if not any(name in place for place in places.values()):
            raise ValueError(f"mutate: {name!r} is no exercise, file or module with exercises")
    if since and _git("rev-parse", "--verify", "--quiet", f"{since}^{{commit}}") is None:
        raise ValueError(f"mutate: git knows no revision {since!r} here")
    named = [e for e in everything if not names or any(name in places[e.id] for name in names)]
    return [e for e in named if not since or _changed(e, since)]


def _changed(exercise: Exercise, since: str) -> bool:
    """Whether the reference or the declaration differs from what it was at a git revision."""
    declared = exercise.course_module.file
    files = (f"tinytorch/{exercise.symbol.file}.py", f"tinytorch/course/exercises/{declared}.py")
    for path in files:
        before = _git("show", f"{since}:{path}")
        now = (_ROOT / path).read_text(encoding="utf-8")
        if before is None or _part(before, exercise) != _part(now, exercise):
            return True
    return False


def _git(*command: str) -> str | None:
    """What git prints, or None if it fails."""
    done = subprocess.run(["git", *command], cwd=_ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _part(text: str, exercise: Exercise) -> list[str]:
    """What of a file is about the exercise: its definition, its declaration, and what declarations
    share. An id that is not plain text, f"losses.{BCE}", may be any."""
    found: list[str] = []
    shared: list[str] = []
    for node in ast.walk(tree := ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise":
            if getattr(node.args[0], "value", exercise.id) == exercise.id:
                found.append(ast.dump(node))
            shared = [ast.dump(n) for n in tree.body if _is_shared(n)]
        elif getattr(node, "name", None) == exercise.symbol.name:
            found.append(ast.dump(node))
    return found + shared


def _is_shared(node: ast.stmt) -> bool:
    """Whether a statement of a declarations file gives a name to text that exercises use."""
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") != "EXERCISES"
