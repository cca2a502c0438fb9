"""The course as pages see it: what exists, in which order, under which address.

Everything comes from the course map and from which files are in `content/`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise

import jinja2

from tinytorch.course.exercise import exercises
from tinytorch.course.map import COURSE, Act, Milestone, Module
from tinytorch.milestones import load

from .notebook import CONTENT, is_notebook

TEMPLATES = CONTENT.parent / "book" / "templates"


@dataclasses.dataclass(frozen=True)
class Page:
    """A module's or milestone's page. `item` is its entry in the map."""

    item: Module | Milestone

    @property
    def kind(self) -> str:
        return "module" if isinstance(self.item, Module) else "milestone"

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def label(self) -> str:
        """What stands before the title: a module's number, a milestone's year."""
        return f"{self.item.number:02}" if isinstance(self.item, Module) else self.item.year

    @property
    def title(self) -> str:
        return self.item.title

    @property
    def docname(self) -> str:
        return f"content/{self.kind}s/{self.id}"

    @cached_property
    def exists(self) -> bool:
        return (CONTENT.parent / f"{self.docname}.md").is_file()

    @property
    def full_title(self) -> str:
        """`Module 01: Tensor`, `Milestone 1957: Perceptron`."""
        return f"{self.kind.capitalize()} {self.label}".strip() + f": {self.title}"

    @property
    def key(self) -> str:
        """How progress.json knows it: a module by its id, a milestone by its short name."""
        return self.item.name if isinstance(self.item, Milestone) else self.item.id


def pages_of(act: Act) -> list[Page]:
    """An act's modules, then the milestones it unlocks."""
    milestones = [m for m in COURSE.milestones if m.after == act.number]
    return [*map(Page, act.modules), *map(Page, milestones)]


def all_pages() -> list[Page]:
    return [page for act in COURSE.acts for page in pages_of(act)]


def page_of(docname: str) -> Page | None:
    """The map's page at a document name, if it is one of the map's."""
    return next((page for page in all_pages() if page.docname == docname), None)


def live(docname: str) -> str | None:
    """The name of a page's notebook; None for a page without cells."""
    path = CONTENT.parent / f"{docname}.md"
    has_cells = path.is_file() and docname.startswith("content/") and is_notebook(path)
    return f"{path.stem}.ipynb" if has_cells else None


def up(docname: str) -> str:
    """The way from a page to the site's root."""
    return "../" * docname.count("/")


def live_url(docname: str, name: str, exercise: str = "") -> str:
    """The address of a live notebook, seen from a page; with `exercise`, of that cell."""
    url = f"{up(docname)}lite/notebooks/index.html?path={name}"
    return f"{url}#ex={exercise}" if exercise else url


def start_label(page: Page | None) -> str:
    """What the button that opens a page's notebook says."""
    if page is None:
        return "Open the notebook"
    return "Start coding" if page.kind == "module" else "Run it"


def script() -> str:
    """What our scripts must know of the course: its written modules, and what a milestone needs."""
    there = [(page, page.item) for page in all_pages() if page.exists]
    modules = [
        {
            "id": page.id,
            "act": item.act.number,
            "where": f"Act {item.act.roman}",
            "label": page.label,
            "title": page.title,
            "url": f"{page.docname}.html",
            "notebook": f"{page.id}.ipynb",
            "exercises": [{"id": e.id, "title": e.title} for e in exercises(page.id)],
        }
        for page, item in there
        if isinstance(item, Module)
    ]
    milestones = [
        {
            "name": page.key,
            "title": f"{page.label} {page.title}".strip(),
            "after": item.after,
            "url": f"{page.docname}.html",
            "measures": [
                {"key": m.key, "label": m.label, "unit": m.unit, "better": m.better}
                | {"best": m.best_key}
                for m in load(item.name).MEASURES
            ],
        }
        for page, item in there
        if isinstance(item, Milestone)
    ]
    known = {
        "modules": modules,
        "milestones": milestones,
        "complete": [a.number for a in COURSE.acts if all(Page(m).exists for m in a.modules)],
    }
    return f"window.tinytorchCourse = {json.dumps(known, ensure_ascii=False)};\n"


def written(modules: Iterable[Module]) -> int:
    """How many of these modules have a page."""
    return sum(Page(module).exists for module in modules)


def gap(index: int) -> float:
    """How far down the timeline a milestone stands below the one before it, 0 to 1."""
    years = [int(m.year or 2026) for m in COURSE.milestones]
    gaps = [0, *(b - a for a, b in pairwise(years))]
    return round(gaps[index] / max(gaps), 2)


def hours_of(modules: Iterable[Module]) -> str:
    """The hours of these modules together: "8–12"."""
    low, high = (sum(m.hours[i] for m in modules) for i in (0, 1))
    return f"{low}" if low == high else f"{low}–{high}"


def weeks_of(acts: Iterable[Act]) -> str:
    """The weeks of these acts together: "3.5–4.5"."""
    ends = [[float(w) for w in act.weeks.split("–")] for act in acts]
    low, high = sum(e[0] for e in ends), sum(e[-1] for e in ends)
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(
        acts=COURSE.acts,
        pages_of=pages_of,
        course=COURSE,
        Page=Page,
        hours_of=hours_of,
        weeks_of=weeks_of,
        exercises=exercises,
        gap=gap,
        written=written,
        start_label=start_label,
    )
    return made


def render(template: str, docname: str, **more: object) -> str:
    """A piece of HTML for a page, from one of our templates."""
    context = {"up": up(docname), "docname": docname, "live_url": live_url, **more}
    return _environment().get_template(template).render(context)
