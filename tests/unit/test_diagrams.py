"""The pictures and tables made from the course map: whole, with words, and no link into nothing."""

import re
from xml.etree import ElementTree

import pytest

from book import course, diagrams, tour
from book.course import Page
from tinytorch.course.map import COURSE

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name):
    """The figure's <svg> elements."""
    text = diagrams.PICTURES[name](lambda page: f"to:{page.id}")
    return [ElementTree.fromstring(part) for part in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def marked(svg, key):
    return [g.get(f"data-{key}") for g in svg.iter("g") if g.get(f"data-{key}")]


@pytest.mark.parametrize("name", diagrams.PICTURES)
def test_a_picture_holds_every_module_once_and_says_so_in_words(name):
    for svg in drawn(name):
        assert sorted(marked(svg, "module")) == sorted(m.id for m in COURSE.modules)
        assert svg.get("role") == "group"
        ids = {e.get("id"): e.text for e in svg if e.tag in ("title", "desc")}
        title, words = (ids[svg.get(f"aria-{by}")] for by in ("labelledby", "describedby"))
        assert len(title) > 10
        for module in COURSE.modules if name != "arc" else ():
            assert f"{module.number:02} {module.title}" in words
        for act in COURSE.acts if name != "dependencies" else ():
            assert act.title in words


@pytest.mark.parametrize("name", ["arc", "overview"])
def test_there_is_one_for_a_desk_and_one_for_a_phone(name):
    desk, phone = drawn(name)
    wide, narrow = (float(svg.get("viewBox").split()[2]) for svg in (desk, phone))
    assert wide > 800 and narrow <= 360
    for svg in (desk, phone):
        assert sorted(marked(svg, "milestone")) == sorted(m.name for m in COURSE.milestones)
        assert sorted(marked(svg, "act")) == [str(a.number) for a in COURSE.acts]


@pytest.mark.parametrize("name", diagrams.PICTURES)
def test_only_pages_that_exist_are_linked(name):
    for svg in drawn(name):
        for g in svg.iter("g"):
            id = g.get("data-module")
            if id:
                link = g.find("a")
                exists = Page(COURSE.module(id)).exists
                assert (link is not None) == exists
                assert ("tt-coming" in g.get("class")) != exists
                if exists:
                    assert link.get("href") == f"to:{id}"


def test_everything_drawn_stays_inside_the_picture():
    for name in diagrams.PICTURES:
        for svg in drawn(name):
            width, height = (float(x) for x in svg.get("viewBox").split()[2:])
            for circle in svg.iter("circle"):
                x, y, r = (float(circle.get(k)) for k in ("cx", "cy", "r"))
                assert r <= x <= width - r and r <= y <= height - r, (name, svg.get("class"))
            for text in svg.iter("text"):
                assert 0 <= float(text.get("x")) <= width
                assert 8 <= float(text.get("y")) <= height, (name, text.text)


def test_an_edge_for_each_direct_need():
    (svg,) = drawn("dependencies")
    edges = [p for p in svg.iter("path") if p.get("class") == "tt-edge"]
    assert len(edges) == sum(len(COURSE.direct_needs(m)) for m in COURSE.modules)


@pytest.mark.parametrize(
    "name", ["acts", "checkpoints", "milestones", "start", "tiers", "timeline"]
)
def test_a_table_links_only_what_exists(name):
    text = course.render(f"course-{name}.html", "content/somewhere")
    for href in re.findall(r'href="\.\./([^"#]+)\.html', text):
        assert (course.CONTENT.parent / f"{href}.md").is_file()
    assert text.count("<li") == text.count("</li") and text.count("<td") == text.count("</td")


def test_checkpoints_say_what_proves_them():
    text = course.render("course-checkpoints.html", "content/somewhere")
    items = re.findall(r"<li .*?</li>", text, re.DOTALL)
    assert len(items) == 21
    for item, checkpoint in zip(items, COURSE.checkpoints, strict=True):
        assert f">{checkpoint.number:02}<" in item
        proof = re.search(r"(Proved|Will be proved) by the .*\.", item, re.DOTALL)
        assert proof, item
        if checkpoint.module:
            written = Page(COURSE.module(checkpoint.module)).exists
            assert (proof[1] == "Proved") == written
            assert f'data-module="{checkpoint.module}"' in item


def test_hours_and_weeks_are_summed():
    acts = COURSE.acts
    assert (
        course.hours_of(acts[0].modules) == "8–12"
        and course.hours_of([acts[5].modules[0]]) == "8–10"
    )
    assert course.weeks_of(acts[:2]) == "3.5" and course.weeks_of(acts[2:4]) == "3–4"
    text = course.render("course-tiers.html", "content/tiers")
    assert "<td>14–18</td>" in text and "<td>58–78</td>" in text


def test_the_timeline_leaves_room_by_the_years():
    gaps = [course.gap(i) for i in range(len(COURSE.milestones))]
    assert gaps[0] == 0 and max(gaps) == 1
    assert gaps[1] == pytest.approx(12 / 19, abs=0.01)  # 1957 to 1969; the widest is 1998 to 2017


def test_every_picture_of_the_tour_stands_on_the_page_once():
    page = (course.CONTENT / "quickstart.md").read_text(encoding="utf-8")
    assert re.findall(r"^```\{shot\} (\w+)$", page, re.MULTILINE) == list(tour.SHOTS)
