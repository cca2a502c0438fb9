"""The course map is consistent, and nothing uses what a later module builds."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import jupytext
import pytest

import tinytorch
from tinytorch.course.exercise import all_exercises, exercises
from tinytorch.course.map import COURSE

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "content" / "modules").glob("*.md"))
FRAMEWORK = [m for m in COURSE.modules if (ROOT / "tinytorch" / f"{m.file}.py").exists()]
ORDER = {file: m.number for m in COURSE.modules for file in m.files}


def test_twenty_modules_in_six_acts_and_three_tiers():
    numbers = [m.number for m in COURSE.modules]
    assert numbers == list(range(1, 21))
    assert [a.number for a in COURSE.acts] == list(range(1, 7))
    assert [n for t in COURSE.tiers for n in range(t.first, t.last + 1)] == numbers
    assert len({m.id for m in COURSE.modules}) == 20
    files = [file for m in COURSE.modules for file in m.files]
    assert len(files) == len(set(files))


def test_needs_name_earlier_modules():
    for module in COURSE.modules:
        assert all(COURSE.module(id).number < module.number for id in module.needs), module.id


def test_checkpoints_are_zero_to_twenty_and_milestones_follow_the_acts():
    assert [c.number for c in COURSE.checkpoints] == list(range(21))
    after = [m.after for m in COURSE.milestones]
    assert after == sorted(after) and set(after) == set(range(1, 7))


def test_hours_of_the_modules_fit_their_acts():
    for act in COURSE.acts:
        low, high = (sum(m.hours[i] for m in act.modules) for i in (0, 1))
        assert low <= act.hours[1] and high >= act.hours[0], act.title


def test_an_unknown_module_is_named():
    with pytest.raises(KeyError, match="no module '99_x'"):
        COURSE.module("99_x")


def test_what_is_written_of_a_module_is_written_whole():
    """A page, a framework file and exercises come together, or the module is still to come."""
    for module in COURSE.modules:
        parts = [
            (ROOT / "content" / "modules" / f"{module.id}.md").exists(),
            all((ROOT / "tinytorch" / f"{file}.py").exists() for file in module.files),
            bool(exercises(module.id)),
        ]
        assert all(parts) or not any(parts), (module.id, parts)
    assert {p.stem for p in PAGES} <= {m.id for m in COURSE.modules}


def test_every_exercise_stands_on_its_page_once_and_in_order():
    for page in PAGES:
        named = re.findall(r"^`{3,}\{exercise\} (\S+)", page.read_text(), re.MULTILINE)
        assert named == [e.id for e in exercises(page.stem)], page.name
    assert len({e.id for e in all_exercises()}) == len(all_exercises())


def imports(tree: ast.AST, package: str) -> set[str]:
    """The framework files that a syntax tree imports, wherever the import stands."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            name = ("." * node.level) + (node.module or "")
            if node.level == 1 or name.startswith("tinytorch"):
                path = name.removeprefix("tinytorch").strip(".").split(".")
                names = [path[0]] if path[0] else [alias.name for alias in node.names]
                found |= {n if n in ORDER else owner(n) for n in names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("tinytorch.")}
    return {f for f in found if f in ORDER}


def owner(name: str) -> str:
    """The framework file a flat name (`from tinytorch import cat`) comes from."""
    for file in ORDER:
        module = getattr(tinytorch, file, None)
        value = getattr(tinytorch, name, None)
        if module is not None and getattr(module, name, None) is value:
            return file  # the first file that has it is the one that defines it
    return ""


@pytest.mark.parametrize("module", FRAMEWORK, ids=lambda m: m.id)
def test_framework_files_import_only_earlier_ones(module):
    within = {}
    for file in module.files:
        tree = ast.parse((ROOT / "tinytorch" / f"{file}.py").read_text())
        found = imports(tree, "tinytorch")
        assert not {f for f in found if ORDER[f] > module.number} and file not in found
        within[file] = {f for f in found if ORDER[f] == module.number}
    list(TopologicalSorter(within).static_order())  # within a module: CycleError for a circle


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_uses_only_what_is_built_by_then(page):
    number = COURSE.module(page.stem).number
    cells = jupytext.reads(page.read_text(), fmt="md:myst").cells
    code = "\n".join(c.source for c in cells if c.cell_type == "code")
    tree = ast.parse(code)
    late = {f for f in imports(tree, "tinytorch") if ORDER[f] > number}
    assert not late
    if number < COURSE.module("05_autograd").number:
        attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        assert not attributes & {"backward", "grad", "requires_grad", "detach"}


def test_direct_needs_are_enough_to_find_all_others():
    """What is left out of the picture follows from what is drawn, and nothing drawn follows."""

    def reached(module, needs):
        found = set()
        for need in needs(module):
            found |= {need.id} | reached(need, needs)
        return found

    def all_needs(module):
        return [COURSE.module(id) for id in module.needs]

    for module in COURSE.modules:
        whole = reached(module, all_needs)
        assert reached(module, COURSE.direct_needs) == whole == {m.id for m in COURSE.below(module)}
        for need in COURSE.direct_needs(module):
            others = [n for n in COURSE.direct_needs(module) if n is not need]
            assert need.id not in set().union(*(reached(n, all_needs) for n in others), set())


def test_every_checkpoint_is_proved_by_something():
    """By a module's exercises where it is written; 00 by a live notebook that came up."""
    modules = [c.module for c in COURSE.checkpoints if c.module]
    assert sorted(modules) == [m.id for m in COURSE.modules]
    assert all(exercises(id) for id in modules if (ROOT / f"content/modules/{id}.md").exists())
    shell = "".join(p.read_text() for p in (ROOT / "lite").rglob("*.js"))
    shown = (ROOT / "book" / "static" / "journey.js").read_text()
    assert 'localStorage.setItem("tt-visited"' in shell and "tt-visited" in shown


def test_spans_go_from_low_to_high_and_no_text_is_empty():
    for thing in (*COURSE.acts, *COURSE.modules):
        assert 0 < thing.hours[0] <= thing.hours[1], thing.title
    assert all(act.title and act.theme and act.arc for act in COURSE.acts)
    assert all(m.builds and m.insight and m.checkpoint for m in COURSE.modules)
    assert all(m.title and m.proof for m in COURSE.milestones)


def test_a_milestone_with_a_page_has_the_code_that_records_its_result():
    for milestone in COURSE.milestones:
        page = ROOT / "content" / "milestones" / f"{milestone.id}.md"
        code = ROOT / "tinytorch" / "milestones" / f"{milestone.name}.py"
        assert page.exists() == code.exists(), milestone.id
