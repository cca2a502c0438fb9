"""Symbols: where `tensor.Tensor.__add__` lives, what its reference source is, how it is replaced.

A symbol's id is its path below `tinytorch`: a function (`tensor.cat`), a class (`losses.MSELoss`)
or something on a class (`tensor.Tensor.__add__`). This file reads the reference *text*, turns a
student's cell into an object, and swaps objects. Who wants what swapped is the overlay's business.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import linecache
import math
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Symbol:
    id: str

    @property
    def file(self) -> str:
        """The framework file it lives in, without `.py`."""
        return self.id.split(".")[0]

    @property
    def path(self) -> list[str]:
        return self.id.split(".")[1:]

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(f"tinytorch.{self.file}")

    @property
    def owner(self) -> type | None:
        """The class the symbol sits on; None for a module's own function or class."""
        return getattr(self.module, self.path[0]) if len(self.path) == 2 else None

    @property
    def node(self) -> ast.FunctionDef | ast.ClassDef:
        """The definition in the reference file's text, whatever stands in its place now."""
        node: Any = reference_tree(self.file)
        for part in self.path:
            definitions = [n for n in node.body if getattr(n, "name", None) == part]
            if not definitions:
                raise KeyError(f"tinytorch/{self.file}.py defines no {'.'.join(self.path)}")
            node = definitions[0]
        return node

    @property
    def held(self) -> Any:
        """What stands in its place now, for all who use tinytorch."""
        return vars(self.owner or self.module)[self.name]

    def get(self) -> Any:
        """What is in force now; for a class attribute the raw object (a property stays one).

        An operation that autograd has made differentiable is a wrapper whose `forward` is the
        operation itself: that is what an exercise builds, so that is what is read and replaced.
        """
        held = self.held
        if isinstance(held, type):
            return Members.of(held)
        return getattr(held, "forward", held) if inspect.isfunction(held) else held

    def put(self, value: Any) -> None:
        """Put `value` in force, for every tinytorch module that holds the present object.

        A class stays the object it is and receives the members of the new one: subclasses,
        instances, `isinstance`, `super()` and the operations made from it all see the change.
        """
        held = self.held
        if isinstance(held, type) and isinstance(value, type | Members):
            (value if isinstance(value, Members) else Members.of(value)).graft(held)
            return
        if inspect.isfunction(held) and hasattr(held, "forward"):
            held.forward = value
            return
        if self.owner:
            setattr(self.owner, self.name, value)
            return
        for name, module in list(sys.modules.items()):
            if name == "tinytorch" or name.startswith("tinytorch."):
                for key, bound in list(vars(module).items()):
                    if bound is held:
                        setattr(module, key, value)


_OWN = {"__dict__", "__weakref__", "__module__", "__qualname__", "__slotnames__"}


class Members:
    """What a class's body defined, apart from the class: it can be put on another one."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    @classmethod
    def of(cls, owner: type) -> Members:
        return cls({name: v for name, v in vars(owner).items() if name not in _OWN})

    def graft(self, owner: type) -> None:
        """Give `owner` these members and no others of its own."""
        for name in [n for n in vars(owner) if n not in _OWN and n not in self.members]:
            delattr(owner, name)
        for name, value in self.members.items():
            for function in _functions(value):
                _set_class(function, owner)
            if vars(owner).get(name) is not value:
                setattr(owner, name, value)


def _functions(value: Any) -> list[Any]:
    """The plain functions in a class's member: of a property, a classmethod, or itself."""
    parts = [getattr(value, name, None) for name in ("fget", "fset", "fdel", "__func__")]
    return [f for f in (value, *parts) if inspect.isfunction(f)]


def _set_class(function: Any, owner: type) -> None:
    """Let `super()` in the function mean the class it is on now."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name == "__class__":
            cell.cell_contents = owner


@functools.cache
def reference_text(file: str) -> str:
    return (Path(__file__).parents[1] / f"{file}.py").read_text(encoding="utf-8")


@functools.cache
def reference_tree(file: str) -> ast.Module:
    return ast.parse(reference_text(file))


def first_line(node: ast.AST) -> int:
    """Where a definition starts, decorators included, 1-based."""
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])


def lines_of(text: str, node: ast.AST) -> list[str]:
    """A definition's lines with its decorators, the common indent taken off."""
    lines = text.splitlines()[first_line(node) - 1 : node.end_lineno]
    return [line[node.col_offset :] for line in lines]


def without_body(text: str, node: ast.AST, body: str = "raise NotImplementedError") -> list[str]:
    """A definition's lines up to and with its docstring, then `body` in place of the rest.

    A class keeps its assignments, and each of its methods is treated the same way.
    """
    source = text.splitlines()
    indent = " " * (node.col_offset + 4)
    head_end = node.body[0].lineno - 1
    if ast.get_docstring(node) is not None:
        head_end = node.body[0].end_lineno
    lines = source[first_line(node) - 1 : head_end]
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.FunctionDef):
                lines += ["", *(indent + line for line in without_body(text, child, body))]
            elif not isinstance(child, ast.Expr):
                lines += source[child.lineno - 1 : child.end_lineno]
    else:
        lines += [indent + line if line else "" for line in body.splitlines()]
    return [line[node.col_offset :] for line in lines]


def is_build(node: ast.expr) -> bool:
    """Whether a decorator is `@build(...)`."""
    func = getattr(node, "func", None)
    return isinstance(node, ast.Call) and "build" in (
        getattr(func, "id", None),
        getattr(func, "attr", None),
    )


def built_id(node: ast.stmt) -> str | None:
    """The id in a definition's `@build("id")`, if it has one."""
    for decorator in getattr(node, "decorator_list", []):
        if is_build(decorator) and decorator.args and isinstance(decorator.args[0], ast.Constant):
            return decorator.args[0].value
    return None


def compile_cell(
    symbol: Symbol,
    cell: str,
    watch: Callable[[Iterable[CodeType]], AbstractContextManager] = lambda codes: nullcontext(),
) -> tuple[Any, list[CodeType]]:
    """The object a student's cell builds for `symbol`, and all code objects in it.

    The cell runs as the body of a function in the reference file's namespace: the file's names are
    there, live; helpers and imports of the cell travel with it; bare expressions (a `print`, an
    experiment) stay out; and `super()` works in a method that stands outside its class, because
    Python looks `__class__` up as a variable of the enclosing function.

    The cell's top level runs once, inside `watch(codes)`, which may bound its time.

    Raises SyntaxError for text that does not parse, and whatever the cell's own statements raise.
    """
    filename = f"<your {symbol.id}>"
    linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
    body, future, name = [], [], None
    for node in ast.parse(cell, filename).body:
        if isinstance(node, ast.Expr) or _is_star_import(node):
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            future.append(node)  # must stand first, outside of the wrapper
            continue
        if built_id(node) == symbol.id:
            name = node.name
        if hasattr(node, "decorator_list"):
            node.decorator_list = [d for d in node.decorator_list if not is_build(d)]
        body.append(node)
    if name is None:
        raise SyntaxError(f'the cell has no definition under @build("{symbol.id}")')
    wrapper = ast.parse(f"def _cell(__class__):\n    return {name}\n").body[0]
    wrapper.body[:0] = body
    tree = ast.fix_missing_locations(ast.Module([*future, wrapper], type_ignores=[]))
    _lend_names(tree, symbol.module)
    code = compile(tree, filename, "exec")
    scope: dict[str, Any] = {}
    codes = list(_codes(code))
    with watch(codes):
        exec(code, vars(symbol.module), scope)
        value = scope["_cell"](symbol.owner)
    inner = getattr(value, "fget", None) or getattr(value, "__func__", value)
    inner.__qualname__ = ".".join(symbol.path)
    inner.__module__ = f"tinytorch.{symbol.file}"
    return value, codes


def _is_star_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


def _lend_names(tree: ast.Module, module: ModuleType) -> None:
    """`np`, `math` and public names of tinytorch that the reference file does not import."""
    public = {**vars(sys.modules["tinytorch"]), "np": np, "math": math}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not hasattr(module, node.id) and node.id in public:
            setattr(module, node.id, public[node.id])


def _codes(code: CodeType):
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)
