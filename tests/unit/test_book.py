"""From page to notebook, and the course as the pages see it."""

import json
import re

import nbformat
import pytest
from sphinx.errors import ExtensionError

from book import course, finish, notebook
from book.notebook import CONTENT, PageError, convert, is_notebook, write_all
from tinytorch.course.exercise import exercises, get
from tinytorch.course.map import COURSE

HEAD = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""


@pytest.fixture
def site(tmp_path):
    """Write a page of a small content folder and convert it."""

    def write(text, name="modules/01_tensor.md"):
        path = tmp_path / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + text, encoding="utf-8")
        return path

    write.content = tmp_path / "content"
    write.convert = lambda text: convert(write(text), write.content)
    return write


def kinds(notebook):
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_prose_and_code_become_cells(site):
    notebook = site.convert(
        "# Title\n\nProse with $x^2$.\n\n```{code-cell} ipython3\n1 + 1\n```\nEnd\n"
    )
    assert kinds(notebook) == [
        ("markdown", "# Title\n\nProse with $x^2$."),
        ("code", "1 + 1"),
        ("markdown", "End"),
    ]
    assert notebook.cells[1].outputs == []
    assert notebook.metadata.kernelspec.name == "python"
    nbformat.validate(notebook)


def test_tags_of_a_cell_are_kept_and_nothing_else(site):
    text = "```{code-cell} ipython3\n:tags: [raises-exception]\n\n1 / 0\n```\n"
    (cell,) = site.convert(text).cells
    assert cell.source == "1 / 0"
    assert cell.metadata == {"tags": ["raises-exception"]}


def test_an_exercise_is_a_heading_and_its_stub(site):
    id = "tensor.Tensor.__add__"
    notebook = site.convert(f"Before\n\n```{{exercise}} {id}\nA word about it.\n```\n\nAfter\n")
    before, heading, cell, after = notebook.cells
    assert (before.source, after.source) == ("Before", "After")
    assert heading.source == f"### Exercise 3: {get(id).title}\n\nA word about it."
    assert cell.source == get(id).stub.rstrip()
    assert cell.source.startswith(f'@build("{id}")\ndef __add__(')
    assert cell.metadata == {"tinytorch": {"exercise": id}}
    assert cell.id == "ex-tensor-Tensor-__add__"


def test_the_first_cell_lets_signatures_name_what_is_not_imported(site):
    fence = "```{code-cell} ipython3\nimport numpy\n```\n\n"
    exercise = "```{exercise} tensor.Tensor.__add__\n```\n"
    (first, *_) = (c for c in site.convert(fence + exercise).cells if c.cell_type == "code")
    assert first.source == f"{notebook.FUTURE}\n\nimport numpy"
    (only,) = site.convert(fence).cells
    assert only.source == "import numpy"


def test_no_solution_is_in_any_notebook():
    for path in CONTENT.rglob("*.md"):
        if is_notebook(path):
            for cell in convert(path).cells:
                exercise = cell.metadata.get("tinytorch", {}).get("exercise")
                if exercise:
                    assert cell.source.endswith("raise NotImplementedError")
                    assert get(exercise).solution.split('"""')[-1].strip() not in cell.source


def test_admonitions_become_quotations(site):
    notebook = site.convert(
        "```{note}\nOne.\n\nTwo.\n```\n\n:::{admonition} A title\nThree.\n:::\n"
    )
    (cell,) = notebook.cells
    expect = "> **Note**\n>\n> One.\n>\n> Two.\n\n\n> **A title**\n>\n> Three."
    assert re.sub(r"\n+", "\n", cell.source) == re.sub(r"\n+", "\n", expect)


def test_math_is_kept_in_dollars(site):
    notebook = site.convert("$$\na = b\n$$\n\n```{math}\nc = d\n```\n\ninline $e$\n")
    text = notebook.cells[0].source
    assert "$$\na = b\n$$" in text and "$$\nc = d\n$$" in text and "inline $e$" in text


def test_comments_and_targets_are_left_out(site):
    (cell,) = site.convert("One\n\n% a note to the author\n\n(target)=\n\nTwo\n").cells
    assert re.sub(r"\n+", "\n", cell.source) == "One\nTwo"


def test_links_point_at_the_built_pages(site):
    site("# Other\n", "modules/02_activations.md")
    site("# Home\n", "index.md")
    text = (
        "[next](02_activations.md#relu), [home](../index.md), [here](#shapes), "
        "[out](https://example.org/a.md), `[code](02_activations.md)`\n"
    )
    (cell,) = site.convert(text).cells
    assert "[next](../../content/modules/02_activations.html#relu)" in cell.source
    assert "[home](../../content/index.html)" in cell.source
    assert "[here](../../content/modules/01_tensor.html#shapes)" in cell.source
    assert "[out](https://example.org/a.md)" in cell.source


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("One\n\n```{figure} a.png\n```\n", 10, r"directive \{figure\}.*code-cell, exercise"),
        ("One\n\nTwo {doc}`x`\n", 10, r"role \{doc\}"),
        ("![a picture](a.png)\n", 8, "pictures"),
        ("```{exercise} tensor.Tensor.__ad__\n```\n", 8, "did you mean.*__add__"),
        ("- a\n\n  ```{note}\n  b\n  ```\n", 10, r"\{note\} must not stand inside"),
        ("```{note}\nsee\n\n```\n\n[a](nowhere.md)\n", 13, "nowhere.md: there is no such page"),
        ("```{note}\n:class: x\n\ntext\n```\n", 9, "takes no options"),
        ("````{note}\n```{exercise} tensor.cat\n```\n````\n", 9, "must not stand inside"),
    ],
)
def test_what_has_no_form_in_a_notebook_is_refused_with_its_line(site, text, line, message):
    with pytest.raises(PageError, match=rf"content/modules/01_tensor.md:{line}: .*{message}"):
        site.convert(text)


CELLS = "A\n\n```{code-cell} ipython3\n1\n```\n\nB\n\n```{code-cell} ipython3\n1\n```\n"


def test_the_same_text_gives_the_same_notebook(site):
    assert nbformat.writes(site.convert(CELLS)) == nbformat.writes(site.convert(CELLS))
    ids = [cell.id for cell in site.convert(CELLS).cells]
    assert len(set(ids)) == len(ids) == 4


def test_an_edit_changes_the_version_and_no_other_cells_id(site):
    old, new = site.convert(CELLS), site.convert(CELLS.replace("B", "Better"))
    assert old.metadata.tinytorch.version != new.metadata.tinytorch.version
    same = [a.id == b.id for a, b in zip(old.cells, new.cells, strict=True)]
    assert same == [True, True, False, True]


def test_write_all_writes_notebooks_and_what_the_shell_needs(site, tmp_path):
    site("# Tensor\n")
    site("# Playground\n", "playground.md")
    (site.content / "faq.md").write_text("# No cells here\n")
    out = tmp_path / "out"
    out.mkdir()
    (out / "gone.ipynb").write_text("{}")
    names = write_all(out, {"01_tensor": "Module 01: Tensor"}, site.content)
    assert names == ["01_tensor.ipynb", "playground.ipynb"]
    assert sorted(p.name for p in out.iterdir()) == sorted([*names, "pages.json"])
    assert json.loads((out / "pages.json").read_text())["01_tensor.ipynb"] == {
        "title": "Module 01: Tensor",
        "url": "../../content/modules/01_tensor.html",
    }


def test_two_pages_of_one_name_are_refused(site, tmp_path):
    site("# One\n")
    site("# Two\n", "milestones/01_tensor.md")
    with pytest.raises(PageError, match="two pages are called 01_tensor"):
        write_all(tmp_path / "out", {}, site.content)


@pytest.mark.parametrize("module", [p.stem for p in sorted(CONTENT.glob("modules/*.md"))])
def test_a_page_holds_its_modules_exercises_in_their_order(module):
    cells = convert(CONTENT / "modules" / f"{module}.md").cells
    ids = [c.metadata.tinytorch.exercise for c in cells if "tinytorch" in c.metadata]
    assert ids == [e.id for e in exercises(module)]


def test_every_entry_of_the_map_is_in_the_navigation_once():
    pages = course.all_pages()
    assert len({p.docname for p in pages}) == len(pages)
    assert {p.id for p in pages} == {x.id for x in (*COURSE.modules, *COURSE.milestones)}
    # A milestone stands after the modules of the act that unlocks it, before the next act's.
    names = [p.id for p in pages]
    assert names.index("04_losses") < names.index("1957_perceptron") < names.index("05_autograd")


def test_what_the_scripts_know_of_the_course_is_the_map():
    text = course.script().removeprefix("window.tinytorchCourse = ").rstrip(";\n")
    known = json.loads(text)
    first = known["modules"][0]
    assert [m["name"] for m in known["milestones"]][:3] == ["perceptron", "xor", "mlp"]
    assert known["complete"][:2] == [1, 2]
    assert first["id"] == "01_tensor"
    assert first["url"] == "content/modules/01_tensor.html"
    assert [e["id"] for e in first["exercises"]] == [e.id for e in exercises("01_tensor")]


def test_what_a_build_leaves_over_is_removed_and_what_is_shown_stays(tmp_path):
    kept = ["_images/shown.svg", "_static/styles/theme.css", "_static/book.css"]
    gone = ["_images/old.svg", "_static/a/b.css.map", "_static/x_macros.html", "objects.inv"]
    for name in [*kept, *gone]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    finish.remove_unused(tmp_path, plots={"shown.svg"})
    left = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(left) == sorted(kept)


def test_the_themes_sheet_is_the_one_it_imported_with_its_addresses(tmp_path):
    (tmp_path / "_static" / "styles").mkdir(parents=True)
    (tmp_path / "_static" / "basic.css").write_text('a{b:url("c.png")} d{e:url(data:f)}')
    finish.flatten_theme(tmp_path)
    sheet = (tmp_path / "_static" / "styles" / "theme.css").read_text()
    assert sheet == 'a{b:url("../c.png")} d{e:url(data:f)}'


def test_a_page_that_cannot_become_a_notebook_stops_the_build(tmp_path, monkeypatch):
    def refuse(contents, titles):
        raise PageError("content/a.md:3: no form in a notebook")

    monkeypatch.setattr(notebook, "write_all", refuse)
    with pytest.raises(ExtensionError, match="no form in a notebook"):
        finish.write_notebooks(tmp_path, {})
