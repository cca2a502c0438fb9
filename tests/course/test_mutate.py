"""`python -m tinytorch mutate`: what it changes, what it finds, and what it is pointed at."""

from __future__ import annotations

import ast
import dataclasses
import subprocess

import numpy as np
import pytest

from tinytorch import Tensor
from tinytorch.__main__ import main
from tinytorch.course import exercise as exercises
from tinytorch.course import mutate
from tinytorch.course.check import check
from tinytorch.course.equivalent import EQUIVALENT


def changes(id: str) -> dict[str, str]:
    return mutate.mutants(exercises.get(id))


@pytest.mark.parametrize(
    "id, change",
    [
        ("tensor.Tensor.__add__", "return Tensor(a + b) -> in float32"),
        ("tensor.Tensor.__add__", "return Tensor(a + b) -> rounded to float32"),
        ("tensor.Tensor.__add__", "a + b -> a"),
        ("tensor.Tensor.__matmul__", "a @ b -> b @ a"),
        ("tensor.Tensor.__matmul__", "if columns != rows -> if False"),
        ("tensor.Tensor.sum", "_add_up(self.data, self._dims(dim, 'sum'), keepdim) -> _add_up"),
        ("autograd.CrossEntropy.rows", "logits.max(axis=1, keepdims=True) -> logits.max()"),
        ("autograd.CrossEntropy.rows", "out *= grad[:, None] -> pass"),
        ("autograd.no_grad", "try: -> without"),
        ("optimizers.RMSprop.update", "np.sqrt(v, out=out) -> np.sqrt(v, out=v)"),
        ("training.EarlyStopping.__call__", "since >= self.patience -> since > self.patience"),
        ("training.clip_grad_norm_", "norm + 1e-06 -> norm"),
    ],
)
def test_mutants(id, change):
    if change.endswith("_add_up"):  # a plain function is no method of something
        assert change not in changes(id)
    else:
        cell = changes(id)[change]
        assert not check(exercises.get(id), cell).passed


def test_every_mutant_parses_and_is_one_of_a_kind():
    for e in exercises.all_exercises():
        made = mutate.mutants(e)
        assert made, e.id
        assert len(set(made.values())) == len(made), e.id
        for cell in made.values():
            ast.parse(cell)


def test_equivalent_mutants_exist_and_have_reasons():
    for id, known in EQUIVALENT.items():
        assert set(known) <= set(changes(id)), id
        assert all(len(reason) > 15 for reason in known.values()), id


def test_what_is_no_mutant():
    text = "\n".join(change for e in exercises.all_exercises() for change in mutate.mutants(e))
    assert "errstate" not in text  # whether NumPy warns is no value
    assert "swapaxes(dim1, dim0)" not in text  # the same as (dim0, dim1)
    assert not any("in float32" in c for c in changes("tensor.contiguous_strides"))  # plain ints


def test_conversions_go_through_tuples():
    a, none, n, t = mutate.in_float32((np.arange(2.0), None, 3, Tensor([1], dtype=int)))
    assert (a.dtype, none, n, t.dtype) == (np.float32, None, 3, np.float32)
    rounded = mutate.rounded_to_float32(np.array([0.1]))
    assert rounded.dtype == np.float64 and rounded[0] == np.float32(0.1)


def test_a_survivor_is_a_fault(capsys, monkeypatch):
    real = exercises.get("tensor.contiguous_strides")
    lax = dataclasses.replace(real, cases=real.cases[:1])  # one line: a cube would tell more
    monkeypatch.setattr(mutate, "get", lambda id: lax)
    _, made, alive = mutate.survivors(real.id)
    assert made > len(alive) and "step *= max(size, 1) -> pass" in alive


def test_the_report(capsys, monkeypatch):
    known = {"tensor.contiguous_strides": {"no such change": "of another time"}}
    monkeypatch.setattr(mutate, "EQUIVALENT", known)
    assert mutate.mutate(["tensor.contiguous_strides"], jobs=1) == 1
    assert "is listed and does not pass: no such change" in capsys.readouterr().out


def test_unknown_names_and_revisions(capsys):
    with pytest.raises(SystemExit):
        main(["mutate", "tensor.nothing"])
    assert "'tensor.nothing' is no exercise" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["mutate", "--changed", "no-such-revision"])
    assert "no revision 'no-such-revision'" in capsys.readouterr().err


DECLARED = """\
BCE = "bce"
SHARED = "x = 1"
EXERCISES = (
    Exercise("tensor.cat", title="Join", hints=()),
    Exercise(f"losses.{BCE}", title="Surprise"),
)
"""


@pytest.mark.parametrize(
    "old, new, tells",
    [
        ("Join", "Put together", True),
        ("x = 1", "x = 2", True),  # what declarations share
        ("EXERCISES", "# moved\n\nEXERCISES", False),
        ("Join", "Join", False),
    ],
)
def test_what_counts_as_changed(old, new, tells):
    cat = exercises.get("tensor.cat")
    before, after = DECLARED, DECLARED.replace(old, new)
    assert (mutate._part(before, cat) != mutate._part(after, cat)) is tells


def test_changed_since_a_revision(monkeypatch):
    asked = []

    def git(*command):
        asked.append(command)
        if command[0] == "rev-parse":
            return "1234\n"
        path = command[1].split(":")[1]
        text = (mutate._ROOT / path).read_text(encoding="utf-8")
        return text.replace('title="Join along a dimension"', 'title="Join"')

    monkeypatch.setattr(mutate, "_git", git)
    assert [e.id for e in mutate._chosen([], "main")] == ["tensor.cat"]
    assert mutate._chosen(["layers"], "main") == []


def test_git_says_none_where_it_fails():
    assert mutate._git("rev-parse", "--verify", "--quiet", "no-such-revision") is None
    assert subprocess.run(["git", "--version"], check=False).returncode == 0
