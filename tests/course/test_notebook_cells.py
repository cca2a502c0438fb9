"""Cells of a notebook as students type them: with magics, and with errors in them."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tinytorch.course import decorator, work
from tinytorch.course.exercise import get

ADD = get("tensor.Tensor.__add__")


@pytest.fixture
def shell():
    shell = InteractiveShell.instance()
    shell.run_cell("from tinytorch import Tensor\nfrom tinytorch.course import build")
    decorator.watch_notebook()
    yield shell
    shell.events.unregister("pre_run_cell", decorator._show_unparsed)
    InteractiveShell.clear_instance()


def run(shell, cell):
    with capture_output() as captured:
        result = shell.run_cell(cell, store_history=True)
    return result, captured


def test_a_cell_that_does_not_parse_shows_its_hints(shell):
    _, captured = run(shell, ADD.solution.replace("return Tensor(", "return Tensor(("))
    (card,) = captured.outputs
    assert "does not parse" in card.data["text/plain"] and "Hint 1" in card.data["text/html"]


def test_a_timed_cell_is_checked(shell):
    result, _ = run(shell, "%%time\n" + ADD.solution)
    result.raise_error()
    assert work.sections("tensor")[ADD.id] == ADD.solution
