"""A check is a check, after anything: what a student's cell does to the session stays in it."""

import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinytorch
from tinytorch import Tensor
from tinytorch.course.card import Card
from tinytorch.course.check import check
from tinytorch.course.decorator import submit
from tinytorch.course.exercise import Case, Exercise, get

ADD = get("tensor.Tensor.__add__")
QUICK = Exercise(ADD.id, "x", ADD.hints, ADD.cases, ADD.wrong, seconds=0.3)
RIGHT = "\na, b = self._operands(other, 'add')\nreturn Tensor(a + b)"


def text(body: str, exercise: Exercise = ADD) -> str:
    report = check(exercise, exercise.cell(body))
    assert not report.passed
    card = Card(report)
    assert card.html()
    return card.text()


@pytest.mark.parametrize(
    "patch",
    [
        "np.isclose = lambda *a, **k: np.True_",
        "np.concatenate = None",
        "import builtins; builtins.repr = None",
        "import os; os.getcwd = None",
        "import time; time.perf_counter = lambda: 0",
        "import math; math.sqrt = None",
        "Tensor.__init__ = lambda self, data: None",
        "Tensor.sum = None",
    ],
)
def test_a_wrong_answer_that_patches_fails_and_the_patch_is_put_back(patch):
    said = text(patch + "\nreturn Tensor(0.0)")
    assert "was put back" in said
    assert not np.isclose(1, 2) and np.concatenate and math.sqrt(4) == 2
    assert os.getcwd() and time.perf_counter() > 0 and repr(1) == "1"
    assert Tensor([1, 2]).sum().item() == 3
    assert check(ADD, ADD.solution).passed


def test_state_is_as_it_was(monkeypatch):
    before = os.getcwd(), dict(os.environ), list(sys.path), np.get_printoptions(), np.geterr()
    body = (
        "import os, sys\nos.chdir('/')\nos.environ['TINYTORCH_HOME'] = '/nowhere'\n"
        "sys.path.insert(0, '/nowhere')\nnp.set_printoptions(precision=1)\n"
        "np.seterr(all='raise')\nsys.stdout = None\n"
    )
    assert check(ADD, ADD.cell(body + RIGHT)).passed
    now = os.getcwd(), dict(os.environ), list(sys.path), np.get_printoptions(), np.geterr()
    assert now == before and sys.stdout is not None


def test_files_do_not_land_beside_the_students_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check(ADD, ADD.cell("open('left.txt', 'w').close()" + RIGHT)).passed
    assert not Path("left.txt").exists()


@pytest.mark.parametrize(
    "body",
    [
        "import time\ntime.perf_counter = lambda: 0\nwhile True: pass",
        "while True:\n    try:\n        len(str(other))\n    except BaseException:\n        pass",
        "def g():\n    while True: pass\nwhile True:\n    try: g()\n    except BaseException: pass",
    ],
)
def test_the_limit_holds_against_a_faked_clock_and_a_swallowed_stop(body):
    assert "still running" in text(body, QUICK)
    assert check(ADD, ADD.solution).passed


def test_the_top_level_of_a_cell_has_the_limit_too():
    report = check(QUICK, "while True:\n    pass\n" + ADD.solution)
    assert "still running" in report.problem


def test_the_cell_runs_once(capsys):
    cell = "import sys\nsys.ran = getattr(sys, 'ran', 0) + 1\n" + ADD.solution
    try:
        assert submit(ADD, cell).report.passed
        assert sys.ran == 1
    finally:
        del sys.ran


@pytest.mark.parametrize(
    "body",
    [
        "import sys\nsys.exit()",
        "t = Tensor(1)\nt.data = [[1, 2], [3]]\nreturn t",
        "return [[1, 2], [3]]",
        "return 2**70",
        "return 10**400",
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
        "class T(Tensor):\n    @property\n    def data(self): 1 / 0\nreturn T.__new__(T)",
        "class R:\n    def __repr__(self): raise ValueError\nreturn R()",
        "class R:\n    def __getattr__(self, name): raise ValueError(name)\nreturn R()",
    ],
)
@pytest.mark.parametrize("id", [ADD.id, "tensor.broadcast_shapes", "training.clip_grad_norm_"])
def test_judging_describing_and_drawing_never_raise(body, id):
    text(body, get(id))


def test_a_huge_number_is_compared_with_a_number():
    number = Exercise(ADD.id, "x", ("one",), (Case("x", "a = Tensor(1)\na + a", "2.0"),), ())
    assert text("return 10**400", number)


def test_a_helper_of_another_cell_is_named(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "my_helper", len, raising=False)
    assert "Helpers must stand in this cell" in text("return my_helper(other)")


def test_a_changed_signature_is_named():
    step = get("autograd.CrossEntropy.rows")
    cell = step.solution.replace("classes: np.ndarray, grad: np.ndarray", "grad, classes")
    assert cell != step.solution
    assert "signature changed" in Card(check(step, cell)).text()


def test_an_init_that_sets_no_data_is_named():
    assert "must set `self.data`" in text("data = data", get("tensor.Tensor.__init__"))


def test_numbers_are_shown_plainly():
    assert "np.float" not in text("return np.float64(0.5)")


def test_np_and_math_are_at_hand_in_every_file():
    for id in ("training.clip_grad_norm_", "optimizers.SGD.update", "losses.mse_loss"):
        exercise = get(id)
        assert check(exercise, exercise.cell("np.pi, math.pi\nraise NotImplementedError")).is_stub


def test_future_imports_are_code_like_any_other():
    assert check(ADD, "from __future__ import annotations\n" + ADD.solution).passed


def test_the_random_numbers_go_on():
    tinytorch.manual_seed(3)
    state = tinytorch.get_rng_state()
    check(ADD, ADD.cell("import tinytorch\ntinytorch.manual_seed(9)" + RIGHT))
    assert tinytorch.get_rng_state() == state
