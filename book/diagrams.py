"""Pictures of the course as SVG, made from the map: the arc, what needs what, the whole plan.

Each is drawn for a phone, 360 units wide, and where that would be a column on a desk, once more for
a desk; a page shows the one that fits. Colors and states come from book.css: groups carry
`data-module`, `data-act` or `data-milestone`, and progress.js marks what is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from itertools import pairwise

from tinytorch.autograd_tools import layered
from tinytorch.course.map import COURSE, Act, Milestone, Module

from .course import Page

Link = Callable[[Page], str]


def picture(name: str, title: str, words: str, size: tuple[float, float], *parts: str) -> str:
    """An <svg> that a screen reader hears as its title and its words, and then its links."""
    width, height = size
    return (
        f'<svg class="tt-picture tt-{name}" viewBox="0 0 {width:g} {height:g}" role="group" '
        f'aria-labelledby="tt-{name}-title" aria-describedby="tt-{name}-words" '
        f'style="--wide:{width:g}">'
        f'<title id="tt-{name}-title">{escape(title)}</title>'
        f'<desc id="tt-{name}-words">{escape(words)}</desc>{"".join(parts)}</svg>'
    )


def words(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def group(
    key: str, name: str, *parts: str, page: Page | None = None, link: Link | None = None
) -> str:
    """Parts that belong to one module, act or milestone; a link if its page exists."""
    inside = "".join(parts)
    if page and link and page.exists:
        inside = f'<a href="{link(page)}">{inside}</a>'
    state = "" if page is None or page.exists else " tt-coming"
    return f'<g data-{key}="{escape(name)}" class="tt-{key}{state}">{inside}</g>'


def wrapped(text: str, room: int) -> list[str]:
    """Lines of at most `room` characters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= room and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def label(milestone: Milestone) -> str:
    return f"{milestone.year} {milestone.title}".strip()


def milestones_of(act: Act) -> list[Milestone]:
    return [m for m in COURSE.milestones if m.after == act.number]


# The arc


def arc(link: Link) -> str:
    """Six acts as one way, with the modules as steps; drawn for a desk and for a phone."""
    title = "The learning journey: six acts"
    story = " ".join(
        f"Act {act.roman}, {act.title}: {act.arc}; modules "
        f"{act.modules[0].number:02} to {act.modules[-1].number:02}, then "
        f"{', '.join(label(m) for m in milestones_of(act))}."
        for act in COURSE.acts
    )
    desk = picture("arc-desk", title, story, (960, 352), *_arc_desk(link))
    return f'<figure class="tt-figure">{desk}{_arc_phone(title, story, link)}</figure>'


def _arc_desk(link: Link) -> list[str]:
    count = len(COURSE.acts)
    at = [
        (80 + i * 160.0, 232 - 150 * math.sin(math.pi / 2 * i / (count - 1))) for i in range(count)
    ]
    way = "M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in at[:1])
    for (x0, y0), (x1, y1) in pairwise(at):
        way += f"C{x0 + 60:.1f} {y0 - 14:.1f} {x1 - 60:.1f} {y1 + 14:.1f} {x1:.1f} {y1:.1f}"
    parts = [f'<path class="tt-way" d="{way}"/>']
    for act, (x, y) in zip(COURSE.acts, at, strict=True):
        flags = [
            group("milestone", m.name, words(x, y - 44 - 16 * i, f"◆ {label(m)}", "tt-flag"),
                  page=Page(m), link=link)
            for i, m in enumerate(milestones_of(act)[::-1])
        ]  # fmt: skip
        about = [
            words(x, y + 66 + 15 * i, t, "tt-small") for i, t in enumerate(wrapped(act.arc, 22))
        ]
        parts.append(
            group(
                "act", str(act.number),
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="25" class="tt-stop"/>',
                words(x, y + 6, act.roman, "tt-roman"),
                words(x, y + 48, act.title, "tt-name"), *about,
            )
        )  # fmt: skip
        parts += flags + _dots(act, x, y + 66 + 15 * len(about), link)
    return parts


def _arc_phone(title: str, story: str, link: Link) -> str:
    parts, y = [], 34.0
    ends = []
    for act in COURSE.acts:
        about = wrapped(act.arc, 42)
        flags = milestones_of(act)
        body = [words(76, y + 17 + 16 * i, t, "tt-small", "start") for i, t in enumerate(about)]
        below = y + 17 + 16 * len(about)
        parts.append(
            group(
                "act", str(act.number), f'<circle cx="34" cy="{y:.1f}" r="22" class="tt-stop"/>',
                words(34, y + 5, act.roman, "tt-roman"),
                words(76, y - 2, act.title, "tt-name", "start"), *body,
            )
        )  # fmt: skip
        parts += _dots(act, 76 + 12.5 * len(act.modules), below + 1, link)
        below += 34
        for m in flags:
            mark = words(76, below, f"◆ {label(m)}", "tt-flag", "start")
            parts.append(group("milestone", m.name, mark, page=Page(m), link=link))
            below += 17
        ends.append(y)
        y = below + 30
    way = f'<path class="tt-way" d="M34 {ends[0]:.1f}V{ends[-1]:.1f}"/>'
    return picture("arc-phone", title, story, (360, y - 30), way, *parts)


def _dots(act: Act, x: float, y: float, link: Link) -> list[str]:
    """An act's modules as a row of numbered dots around x."""
    made, start = [], x - 12.5 * (len(act.modules) - 1)
    for i, module in enumerate(act.modules):
        cx = start + 25 * i
        dot = f'<circle cx="{cx:.1f}" cy="{y + 10:.1f}" r="11"/>'
        text = words(cx, y + 14, f"{module.number:02}", "tt-number")
        name = f"<title>{escape(f'{module.number:02} {module.title}')}</title>"
        made.append(group("module", module.id, name, dot, text, page=Page(module), link=link))
    return made


# What needs what


class _Node:
    """A module in the drawing. Its `inputs` are the modules that need it."""

    def __init__(self, module: Module, inputs: list[_Node]) -> None:
        self.module, self.inputs = module, inputs


def dependencies(link: Link) -> str:
    """Every module below those it stands on; a line for each direct need."""
    nodes: dict[str, _Node] = {}
    for module in reversed(COURSE.modules):
        users = [m for m in COURSE.modules if module in COURSE.direct_needs(m)]
        nodes[module.id] = _Node(module, [nodes[m.id] for m in users])
    # Laid out upside down: so every module stands as early as it can.
    order = list(nodes.values())
    at, lines, width, height = layered(order, {node: (56, 42) for node in order})
    parts = []
    for points in lines:
        path = f"M{points[0][0]:.1f} {height - points[0][1]:.1f}"
        for (x0, y0), (x1, y1) in pairwise(points):
            bend = (y1 - y0) / 2
            path += f"C{x0:.1f} {height - y0 - bend:.1f} {x1:.1f} {height - y1 + bend:.1f} "
            path += f"{x1:.1f} {height - y1:.1f}"
        parts.append(f'<path class="tt-edge" d="{path}"/>')
    for node, (x, y) in at.items():
        module, top = node.module, height - y - 42
        kind = "tt-least" if sum(other == y for _, other in at.values()) > 4 else "tt-tiny"
        parts.append(
            group(
                "module", module.id,
                f'<circle cx="{x:.1f}" cy="{top + 13:.1f}" r="12.5"/>',
                words(x, top + 17, f"{module.number:02}", "tt-number"),
                words(x, top + 38, module.title.split(":")[0], kind),
                page=Page(module), link=link,
            )
        )  # fmt: skip
    said = " ".join(
        f"{m.number:02} {m.title} stands on "
        f"{', '.join(f'{n.number:02}' for n in COURSE.direct_needs(m)) or 'nothing'}."
        for m in COURSE.modules
    )
    svg = picture("needs", "Which module stands on which", said, (width + 12, height), *parts)
    return f'<figure class="tt-figure">{svg}</figure>'


# The whole plan


def overview(link: Link) -> str:
    """Tiers as bands, acts in them, modules in those, and the milestones they unlock."""
    said = " ".join(
        f"Tier {tier.title}: "
        + "; ".join(
            f"Act {act.roman} {act.title}, modules "
            f"{', '.join(f'{m.number:02} {m.title}' for m in act.modules)}, milestones "
            f"{', '.join(label(m) for m in milestones_of(act))}"
            for act in COURSE.acts
            if act.modules[0].tier is tier
        )
        + "."
        for tier in COURSE.tiers
    )
    title = "Tiers, acts, modules and milestones"
    made = []
    for name, columns in (("desk", 3), ("phone", 1)):
        parts, edge, bottom = [], 0.0, 0.0
        for i, tier in enumerate(COURSE.tiers):
            left, top = (i * 320.0, 0.0) if columns == 3 else (0.0, edge)
            band, edge = _tier(tier, left, top, link)
            parts.append(band)
            bottom = max(bottom, edge)
        size = (960 if columns == 3 else 320, bottom - 12)
        made.append(picture(f"overview-{name}", title, said, size, *parts))
    return f'<figure class="tt-figure">{"".join(made)}</figure>'


def _tier(tier, left: float, top: float, link: Link) -> tuple[str, float]:
    """One band, and where the next one may begin."""
    y = top + 30
    inside = [
        words(
            left + 14, top + 24, f"{tier.title}, {tier.first:02}–{tier.last:02}", "tt-name", "start"
        )
    ]
    for act in COURSE.acts:
        if act.modules[0].tier is not tier:
            continue
        y += 22
        heading = words(left + 14, y, f"Act {act.roman} · {act.title}", "tt-small", "start")
        inside.append(group("act", str(act.number), heading))
        y += 10
        for i, module in enumerate(act.modules):
            x = left + 14 + 142 * (i % 2)
            box = y + 30 * (i // 2)
            rect = f'<rect x="{x:.1f}" y="{box:.1f}" width="136" height="25" rx="6"/>'
            text = words(
                x + 9,
                box + 17,
                f"{module.number:02} {module.title.split(':')[0]}",
                "tt-item",
                "start",
            )
            inside.append(group("module", module.id, rect, text, page=Page(module), link=link))
        y += 30 * math.ceil(len(act.modules) / 2) + 14
        for m in milestones_of(act):
            text = words(left + 14, y, f"◆ {label(m)}", "tt-flag", "start")
            inside.append(group("milestone", m.name, text, page=Page(m), link=link))
            y += 19
    frame = f'x="{left + 1:.1f}" y="{top + 1:.1f}" width="306" height="{y - top:.1f}" rx="10"'
    return f'<rect class="tt-band" {frame}/>{"".join(inside)}', y + 14


PICTURES: dict[str, Callable[[Link], str]] = {
    "arc": arc,
    "dependencies": dependencies,
    "overview": overview,
}
