"""The course as pages see it: what exists, in which order, under which address.

Everything comes from the course map and from which files are in `content/`.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cached_property

import jinja2

from tinytorch.course.exercise import exercises
from tinytorch.course.map import COURSE, Act, Milestone, Module

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
    return [Page(item) for item in (*act.modules, *milestones)]


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


def script() -> str:
    """What progress.js must know: for each module its page and exercises, in the course's order."""
    modules = [
        {
            "id": page.id,
            "label": page.label,
            "title": page.title,
            "url": f"{page.docname}.html",
            "notebook": f"{page.id}.ipynb",
            "exercises": [{"id": e.id, "title": e.title} for e in exercises(page.id)],
        }
        for page in all_pages()
        if page.kind == "module" and page.exists
    ]
    return f"window.tinytorchCourse = {json.dumps(modules, ensure_ascii=False)};\n"


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(acts=COURSE.acts, pages_of=pages_of, course=COURSE, Page=Page)
    return made


def render(template: str, docname: str, **more: object) -> str:
    """A piece of HTML for a page, from one of our templates."""
    context = {"up": up(docname), "docname": docname, "live_url": live_url, **more}
    return _environment().get_template(template).render(context)
