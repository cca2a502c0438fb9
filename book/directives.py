"""The directives of our pages, {exercise}, {course} and {shot}, and the head of a module's page."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from tinytorch.course.exercise import Exercise, exercises, get

from . import course, diagrams, tour


class exercise(nodes.General, nodes.Element):
    """An exercise's card; its attribute `ids` is its anchor, `exercise` its id."""


def anchor(id: str) -> str:
    return "ex-" + id.replace(".", "-")


def html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


class ExerciseDirective(SphinxDirective):
    """```{exercise} tensor.Tensor.__add__```: the card; a body is a sentence of context."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            found = get(self.arguments[0])
        except KeyError as problem:
            raise self.error(problem.args[0]) from None
        notebook = course.live(self.env.docname)
        if notebook is None or course.page_of(self.env.docname) is None:
            raise self.error(f"{found.id}: exercises stand on a module's page, which has cells")
        if found.module != self.env.docname.rsplit("/", 1)[1]:
            raise self.error(f"{found.id} belongs to the page of {found.module}")
        card = exercise(exercise=found.id, ids=[anchor(found.id)])
        self.set_source_info(card)
        context = {"exercise": found, "notebook": notebook}
        card += html(course.render("exercise-head.html", self.env.docname, **context))
        body = nodes.container(classes=["tt-context"])
        self.state.nested_parse(self.content, self.content_offset, body)
        card += body.children
        card += nodes.literal_block(found.signature, found.signature, language="python")
        card += self.docstring(found)
        card += html(course.render("exercise-foot.html", self.env.docname, **context))
        return [card]

    def docstring(self, found: Exercise) -> list[nodes.Node]:
        """The docstring's paragraphs; what is indented or a session is shown as it stands."""
        made: list[nodes.Node] = []
        for part in re.split(r"\n\s*\n", found.docstring):
            if part.startswith(">>>"):
                made.append(nodes.literal_block(part, part, language="pycon"))
            elif part.startswith("    "):
                text = "\n".join(line.removeprefix("    ") for line in part.splitlines())
                made.append(nodes.literal_block(text, text, language="text"))
            else:
                # An argument's description starts a line of its own, as it does in the source.
                part = re.sub(r"^(\w+): ", r"`\1`: ", part, flags=re.MULTILINE)
                for paragraph in re.split(r"\n(?=`\w+`: )", part):
                    made += self.parse_text_to_nodes(paragraph)
        return made


class CourseDirective(Directive):
    """```{course} acts```: a picture or a table of the course map, by its function or template."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        docname = self.state.document.settings.env.docname
        name = self.arguments[0]
        if name in diagrams.PICTURES:
            up = course.up(docname)
            return [html(diagrams.PICTURES[name](lambda page: f"{up}{page.docname}.html"))]
        if not (course.TEMPLATES / f"course-{name}.html").is_file():
            known = ", ".join(diagrams.PICTURES)
            raise self.error(f"no template course-{name}.html, and no picture; there are {known}")
        return [html(course.render(f"course-{name}.html", docname))]


class ShotDirective(Directive):
    """```{shot} page```: a picture of the site itself; see tour.py. Absent, it leaves no gap."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in tour.SHOTS:
            raise self.error(f"no picture {name!r}; there are {', '.join(tour.SHOTS)}")
        docname = self.state.document.settings.env.docname
        up = course.up(docname)
        addresses = [(theme, up + tour.file(name, theme)) for theme in tour.THEMES]
        shot = tour.SHOTS[name]
        return [html(course.render("shot.html", docname, shot=shot, addresses=addresses))]


class PageHead(SphinxTransform):
    """Puts the facts of a module or milestone, and the way into its notebook, under its title."""

    default_priority = 10

    def apply(self, **kwargs: Any) -> None:
        docname = self.env.docname
        page, notebook = course.page_of(docname), course.live(docname)
        title = next(iter(self.document.findall(nodes.title)), None)
        if title is None or notebook is None:
            return
        count = len(exercises(page.id)) if page and page.kind == "module" else 0
        context = {"page": page, "notebook": notebook, "count": count}
        section = title.parent
        section.insert(
            section.index(title) + 1, html(course.render("page-head.html", docname, **context))
        )


def visit_exercise(self: Any, node: exercise) -> None:
    id, place = node["exercise"], node["ids"][0]
    about = f'data-exercise="{id}" id="{place}" aria-labelledby="{place}-title"'
    self.body.append(f'<section class="exercise" {about}>\n')


def depart_exercise(self: Any, node: exercise) -> None:
    self.body.append("</section>\n")


def setup(app: Sphinx) -> None:
    app.add_node(exercise, html=(visit_exercise, depart_exercise))
    app.add_directive("exercise", ExerciseDirective)
    app.add_directive("course", CourseDirective)
    app.add_directive("shot", ShotDirective)
    app.add_transform(PageHead)
