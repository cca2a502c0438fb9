"""The student's code is what runs: adopted, broken, deleted, damaged, strict."""

import numpy as np
import pytest

import tinytorch
from tinytorch import Tensor
from tinytorch.course import NotBuiltYet, forget, overlay, provenance, source, strict, work
from tinytorch.course.exercise import all_exercises, get

ADD = "tensor.Tensor.__add__"


def student(id: str, body: str) -> str:
    return get(id).cell(body)


COUNTING = """
a, b = self._operands(other, "add")
Tensor.additions = getattr(Tensor, "additions", 0) + 1
return Tensor(a + b)
"""


@pytest.fixture(autouse=True)
def no_counter():
    yield
    if hasattr(Tensor, "additions"):
        del Tensor.additions


def test_an_adopted_symbol_is_what_later_code_runs():
    overlay.adopt(ADD, student(ADD, COUNTING))
    assert (Tensor([1]) + 1).tolist() == [2]
    assert (1 + Tensor([1])).tolist() == [2]  # the reflected operator goes through it as well
    assert Tensor.additions == 2
    assert provenance()[ADD] == "yours"


def test_it_is_in_force_again_after_a_restart():
    overlay.adopt(ADD, student(ADD, COUNTING))
    overlay._student.clear()
    overlay._apply({})
    assert overlay.load() == []
    Tensor([1]) + 1
    assert Tensor.additions == 1


def test_a_broken_one_breaks_what_uses_it():
    overlay.adopt("tensor.Tensor.sum", student("tensor.Tensor.sum", "return Tensor(0.0)"))
    assert Tensor([1, 2, 3]).mean().item() == 0


def test_a_replaced_function_is_replaced_wherever_it_is_held():
    cell = student("tensor.broadcast_shapes", "return (7, 7)")
    overlay.adopt("tensor.broadcast_shapes", cell)
    assert tinytorch.broadcast_shapes((1,)) == tinytorch.tensor.broadcast_shapes((1,)) == (7, 7)
    assert (Tensor([1, 2]) + Tensor([1, 2])).tolist() == [2, 4]
    forget("tensor.broadcast_shapes")
    assert tinytorch.broadcast_shapes((1,)) == tinytorch.tensor.broadcast_shapes((1,)) == (1,)


def test_a_deleted_section_falls_back_to_the_reference(home):
    overlay.adopt(ADD, student(ADD, "return Tensor(99.0)"))
    assert (Tensor(1) + 1).item() == 99
    path = home / "tensor.py"
    path.write_text(path.read_text().split("# %%")[0])
    overlay.load()
    assert (Tensor(1) + 1).item() == 2
    assert provenance()[ADD] == "reference"


def test_forgetting_keeps_the_text(home):
    overlay.adopt(ADD, student(ADD, "return Tensor(99.0)"))
    forget(ADD)
    assert (Tensor(1) + 1).item() == 2
    assert "99.0" in next((home / "history").iterdir()).read_text()
    with pytest.raises(KeyError, match="not one of yours"):
        forget(ADD)
    overlay.adopt(ADD, student(ADD, "return Tensor(98.0)"))  # into a file left without sections
    assert (Tensor(1) + 1).item() == 98


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ('@build("tensor.cat")\ndef cat(tensors, dim=0:\n    pass\n', "SyntaxError"),
        ('@build("tensor.cat")\ndef cat(tensors, dim=1 / 0):\n    pass\n', "ZeroDivisionError"),
        ('@build("tensor.cat")\ndef cat(t):\n    """unterminated\n', "SyntaxError"),
        (
            'import sys\nx = sys.exit(3)\n@build("tensor.cat")\ndef cat(t):\n    pass\n',
            "SystemExit",
        ),
        ("x = 1\n", "SyntaxError"),
    ],
)
def test_a_damaged_symbol_blocks_nothing_and_is_kept(home, capsys, cell, says):
    overlay.adopt(ADD, student(ADD, COUNTING))
    work.save("tensor.cat", cell)
    overlay.adopt("tensor.Tensor.sum", student("tensor.Tensor.sum", "return Tensor(5.0)"))
    (problem,) = overlay.load()
    assert "tensor.cat" in problem and says in problem and "set_aside" in problem
    assert problem in capsys.readouterr().err
    assert (home / "set_aside" / "tensor.cat.py").read_text() == cell
    Tensor([1]) + 1
    assert Tensor.additions == 1 and Tensor([1]).sum().item() == 5
    assert tinytorch.cat([Tensor([1]), Tensor([2])]).tolist() == [1, 2]
    assert overlay.load() == []  # reported once


def test_an_unknown_symbol_is_set_aside():
    work.save("tensor.Tensor.no_such_thing", "def f(): pass\n")
    work.save("nothing_like_it.f", "def f(): pass\n")
    assert len(overlay.load()) == 2


def test_bytes_that_are_not_text_are_set_aside(home):
    overlay.adopt(ADD, student(ADD, COUNTING))
    (home / "layers.py").write_bytes(b"\xff\xfe\x00# %% layers.Linear")
    (problem,) = overlay.load()
    assert "layers.py" in problem
    assert (home / "set_aside" / "layers.py").read_bytes().startswith(b"\xff\xfe")
    assert provenance()[ADD] == "yours"


def test_a_replaced_version_goes_to_the_history(home):
    overlay.adopt(ADD, student(ADD, "return Tensor(1.0)"))
    overlay.adopt(ADD, student(ADD, "return Tensor(2.0)"))
    (old,) = (home / "history").iterdir()
    assert "Tensor(1.0)" in old.read_text()
    assert "Tensor(2.0)" in work.sections("tensor")[ADD]


def test_a_section_mark_inside_a_cell_does_not_split_it():
    cell = student(ADD, "# %% tensor.cat\nreturn Tensor(3.0)").replace("    # %%", "# %%")
    overlay.adopt(ADD, cell)
    assert list(work.sections("tensor")) == [ADD]
    assert overlay.load() == []
    assert (Tensor(1) + 1).item() == 3


def test_helpers_and_imports_travel_with_the_cell_and_experiments_stay_out(capsys):
    cell = "from math import floor\nK = floor(3.7)\ndef triple(x):\n    return K * x\n"
    cell += student("tensor.contiguous_strides", "return tuple(map(triple, shape))")
    cell += 'print("an experiment")\n'
    overlay.adopt("tensor.contiguous_strides", cell)
    overlay.load()
    assert tinytorch.contiguous_strides((1, 2)) == (3, 6)
    assert capsys.readouterr().out == ""


def test_super_works_in_a_method_outside_its_class():
    overlay.adopt(
        "tensor.Tensor.__init__",
        student("tensor.Tensor.__init__", "super().__init__()\nself.data = np.float32([42])"),
    )
    assert Tensor(1).data.tolist() == [42]


def test_strict_mode_refuses_what_is_not_built():
    says = r"tensor\.Tensor\.__init__ is not built yet"
    with strict(), pytest.raises(NotBuiltYet, match=says):
        Tensor([1])
    assert (Tensor([1]) + 1).tolist() == [2]


def test_strict_mode_runs_a_student_who_built_everything_and_misses_one_who_did_not():
    def use():
        a = Tensor([[1, 2], [3, 4]])
        b = tinytorch.cat([a @ a, a * a]) + a[0]
        return b.reshape(2, 4).transpose(0, 1).contiguous().sum().item(), b.mean().item()

    wanted = use()
    for exercise in all_exercises():
        overlay.adopt(exercise.id, exercise.solution)
    with strict():
        assert use() == wanted
    forget("tensor.Tensor.transpose")
    with strict(), pytest.raises(NotBuiltYet, match=r"exercise \d+ of module 01_tensor"):
        use()
    assert use() == wanted


def test_the_framework_grows():
    assert source(ADD).mine == frozenset()
    assert "return" not in str(source(ADD)) and "until you build it" in str(source(ADD))
    assert "return Tensor(a + b)" in str(source(ADD, whole=True))
    mark = "# mine, with my own idea of addition"
    cell = "import math\n" + student(ADD, f"{mark}\nreturn Tensor(99.0)") + "ADD_AT = math.pi\n"
    overlay.adopt(ADD, cell)
    text = source("tensor.Tensor")
    assert mark in str(text) and "@build" not in str(text)
    lines = str(text).splitlines()
    assert all(mark not in lines[n - 1] for n in range(1, len(lines)) if n not in text.mine)
    whole = source("tensor", whole=True)
    scope = {"__name__": "tinytorch.assembled"}
    exec(compile(str(whole), "assembled", "exec"), scope)
    assert (scope["Tensor"](1) + 1).item() == 99
    assert mark in whole._repr_html_() and "<mark>" in whole._repr_html_()
    with pytest.raises(KeyError, match="no_such"):
        source("tensor.no_such")


def test_only_the_symbol_under_check_is_the_students():
    overlay.adopt("tensor.Tensor.sum", student("tensor.Tensor.sum", "return Tensor(0.0)"))
    with overlay.only({}):
        assert Tensor(np.ones(3)).sum().item() == 3
    assert Tensor(np.ones(3)).sum().item() == 0
