"""What the guide pages say about the code holds: names, numbers, snippets, and the tour's steps."""

import re
import textwrap
from pathlib import Path

import pytest

from book import tour
from tinytorch.course import overlay, work
from tinytorch.course.exercise import all_exercises, get

CONTENT = Path(tour.ROOT) / "content"


def text(name):
    return (CONTENT / f"{name}.md").read_text(encoding="utf-8")


def snippets(name):
    """The Python blocks of a page."""
    blocks = re.findall(r"^```python\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block).strip("\n") for block in blocks]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTORCH_HOME", str(tmp_path / "alice"))
    yield tmp_path / "alice"
    monkeypatch.undo()
    overlay.load()


def test_the_quick_start_and_its_pictures_type_the_same():
    assert snippets("quickstart") == [tour.WRONG, tour.RIGHT]
    numbers = re.findall(r"\*\*Exercise (\d+)\*\*", text("quickstart"))
    assert numbers == [str(get(tour.ID).number)]
    assert re.findall(r"\{shot\} (\w+)", text("quickstart")) == list(tour.SHOTS)
    described = " ".join(shot.alt for shot in tour.SHOTS.values())
    assert re.findall(r"exercise (\d+)", described) == numbers


def test_what_a_weekend_builds_are_exercises():
    (weekend,) = re.findall(r"## A weekend\n(.*?)\n## ", text("teaching"), re.DOTALL)
    known = {e.id.split(".", 1)[1]: e.module for e in all_exercises()}
    names = re.findall(r"`([^`]+)`", weekend)
    assert names
    for module, listed in re.findall(r"\(modules/(\w+)\.md\): ([^\[]*)", weekend):
        for name in re.findall(r"`([^`]+)`", listed):
            assert known.get(name) == module
            names.remove(name)
    assert not names


def test_the_teachers_check_tells_right_from_wrong(home, capsys):
    (code,) = snippets("teaching")
    exercise = get("tensor.Tensor.__add__")
    work.save(exercise.id, exercise.solution)
    work.save("tensor.Tensor.__mul__", get("tensor.Tensor.__mul__").cell("return self"))
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == [
        "passes tensor.Tensor.__add__",
        "fails  tensor.Tensor.__mul__",
    ]


def test_the_workflow_names_what_there_is(home):
    exercise = get("tensor.Tensor.__add__")
    overlay.adopt(exercise.id, exercise.solution)
    build, course, strict, export = snippets("workflow")
    assert build.startswith(f'@build("{exercise.id}")\ndef __add__(self, other')
    exec(course, {})
    assert exercise.id not in overlay._student  # forgotten, as the last line says
    with pytest.raises(overlay.NotBuiltYet):
        exec(strict, {})
    exec(export, {})
    assert home.with_suffix(".zip").is_file()
