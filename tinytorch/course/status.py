"""Where a student stands: modules, exercises, milestones, with what is theirs."""

from __future__ import annotations

from . import overlay, work
from .exercise import exercises
from .map import COURSE


class Text(str):
    """Text that a notebook shows as it is, without quotes."""

    __repr__ = str.__str__


def status() -> Text:
    """The whole course as text, the same that `python -m tinytorch` prints."""
    mine = overlay.provenance()
    done = work.progress()
    lines = [f"Your work: {work.folder()}", ""]
    for act in COURSE.acts:
        lines.append(f"Act {act.roman}  {act.title}: {act.theme}")
        for module in act.modules:
            lines += _module(module, mine)
        for milestone in COURSE.milestones:
            if milestone.after == act.number:
                result = done.get("milestones", {}).get(milestone.name)
                state = "done" if result else "milestone"
                label = f"{milestone.year} {milestone.title}".strip()
                lines.append(f"  *  {label}: {milestone.proof} ({state})")
        lines.append("")
    built = sum(owner == "yours" for owner in mine.values())
    lines.append(f"{built} of {len(mine)} exercises are built by you.")
    return Text("\n".join(lines))


def _module(module, mine: dict[str, str]) -> list[str]:
    listed = exercises(module.id)
    head = f"  {module.id[:2]} {module.title}"
    if not listed:
        return [f"{head} (not written yet)"]
    built = sum(mine[e.id] == "yours" for e in listed)
    rows = [f"{head}: {built} of {len(listed)} built"]
    for e in listed:
        rows.append(f"     [{'x' if mine[e.id] == 'yours' else ' '}] {e.id:32} {e.title}")
    return rows
