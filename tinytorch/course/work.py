"""The student's folder: plain Python files, one for each framework file, and `progress.json`.

A file is a row of sections, each a cell that passed its check, under a line `# %% tensor.cat`.
Whatever cannot be read is moved to `set_aside/`, whatever is replaced is kept in `history/`;
nothing is ever deleted. What came out of a zip is listed in `imported.json` and waits there until
the student accepts it: imported code is never run before. This file does not know what a section
means: see `overlay.py`.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

IN_BROWSER = sys.platform == "emscripten"
FOLDER = "my_tinytorch"
IMPORTED = "imported.json"  # in the folder: the sections that wait; it is not exported
DRIVE = Path("/drive")  # where JupyterLite mounts the files a student sees

_MARK = re.compile(r"^# %% ([a-z_0-9]+(?:\.\w+)+)[ \t]*$", re.MULTILINE)
_HEAD = '''"""My {file}.py: every section is a cell that passed its check.

`import tinytorch` puts these definitions in place of the reference's. Deleting a section brings
the reference back.
"""
'''


def folder() -> Path:
    """Where the student's work is: $TINYTORCH_HOME, else `my_tinytorch` on the drive or here."""
    home = os.environ.get("TINYTORCH_HOME")
    if home:
        return Path(home)
    return (DRIVE if IN_BROWSER and DRIVE.is_dir() else Path.cwd()) / FOLDER


def sections(file: str) -> dict[str, str]:
    """The saved cells of one file, id to text, in the file's order; damaged bytes are set aside."""
    path = folder() / f"{file}.py"
    if not path.is_file():
        return {}
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        aside = set_aside(path.name, path.read_bytes())
        path.unlink()
        raise ValueError(f"{path.name} is not text; it is kept as {aside}") from None
    return split(text)


def in_force(file: str, held: set[str]) -> dict[str, str]:
    """The saved cells of one file that count: its own, without those that wait in `held`.

    A section under another file's name is never run: it could bring back what waits there.
    """
    cells = sections(file).items()
    return {id: cell for id, cell in cells if id.split(".")[0] == file and id not in held}


def waiting() -> set[str]:
    """The imported sections that the student has not accepted yet."""
    path = folder() / IMPORTED
    try:
        data = json.loads(path.read_bytes())
        if isinstance(data, list) and all(isinstance(id, str) for id in data):
            return set(data)
        raise ValueError
    except FileNotFoundError:
        return set()
    except (OSError, ValueError):  # nothing says any more which they are: none of them must run
        paths = [path for path in folder().glob("*.py") if path.is_file()]
        return {id for path in paths for id in split(path.read_text("utf-8", "replace"))}


def accept() -> list[str]:
    """Imported work counts as the student's from now on. Returns the sections that waited."""
    held = waiting()
    (folder() / IMPORTED).unlink(missing_ok=True)
    return [id for file in files() for id in sections(file) if id in held]


def _hold(ids: set[str]) -> None:
    _write(folder() / IMPORTED, json.dumps(sorted(ids)))


def split(text: str) -> dict[str, str]:
    """The sections of a saved file's text, id to cell, in order."""
    marks = list(_MARK.finditer(text))
    ends = [*(m.start() for m in marks[1:]), len(text)]
    return {m[1]: text[m.end() : end].strip("\n") + "\n" for m, end in zip(marks, ends)}  # noqa: B905


def files() -> list[str]:
    """The framework files the student has saved something for."""
    return sorted(path.stem for path in folder().glob("*.py"))


def save(id: str, cell: str, imported: bool = False) -> Path:
    """Write a cell as the section `id`, keeping the section it replaces in `history/`.

    imported: it waits until `accept()`, unless this very text is in force already.
    """
    file = id.split(".")[0]
    cell = _MARK.sub(r"#  %% \1", cell).strip("\n") + "\n"
    kept = sections(file)
    before = kept.get(id)
    if imported and before != cell and id not in (held := waiting()):
        _hold(held | {id})  # first: at no moment is it there and not held
    if before not in (None, cell):
        _write(folder() / "history" / _stamped(id), before)
    kept[id] = cell
    path = _write_sections(file, kept)
    if not imported and id in (held := waiting()):
        _hold(held - {id})
    return path


def remove(id: str) -> None:
    """Take a section out of its file; its text goes to `history/`."""
    file = id.split(".")[0]
    kept = sections(file)
    if id in kept:
        _write(folder() / "history" / _stamped(id), kept.pop(id))
        _write_sections(file, kept)


def set_aside(name: str, content: bytes) -> Path:
    """Keep `content` under a new name in `set_aside/` and return where."""
    path = folder() / "set_aside" / name
    n = 1
    while path.exists():
        n += 1
        path = path.with_name(f"{Path(name).stem}-{n}{Path(name).suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def set_section_aside(id: str) -> Path:
    """Move a saved cell that does not load out of the way and return where it is now."""
    file = id.split(".")[0]
    kept = sections(file)
    path = set_aside(f"{id}.py", kept.pop(id).encode())
    _write_sections(file, kept)
    return path


def progress() -> dict[str, Any]:
    """`progress.json` as a dict; a file that does not parse is set aside, and a new one begun."""
    path = folder() / "progress.json"
    try:
        return _parse_progress(path.read_bytes())
    except FileNotFoundError:
        pass
    except ValueError:
        aside = set_aside(path.name, path.read_bytes())
        path.unlink()
        print(f"progress.json could not be read; it is kept as {aside}", file=sys.stderr)
    return {"version": 1, "exercises": {}, "milestones": {}}


def _parse_progress(text: bytes | str) -> dict[str, Any]:
    """A progress file's content. Raises ValueError if it is not of the form we write."""
    data = json.loads(text)
    parts = [data.get("exercises"), data.get("milestones", {})] if isinstance(data, dict) else [0]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError("exercises and milestones must be objects")
    if not all(isinstance(entry, dict) for part in parts for entry in part.values()):
        raise ValueError("an entry is not an object")
    return data


def merge_progress(text: str) -> None:
    """Add another progress file's entries; where both have one, the one that passed stays."""
    try:
        other = _parse_progress(text)
    except ValueError:
        set_aside("progress.json", text.encode())
        return
    data = progress()
    for part in ("exercises", "milestones"):
        for id, entry in other.get(part, {}).items():
            mine = data.setdefault(part, {}).get(id)
            if mine is None or ("passed" in entry and "passed" not in mine):
                data[part][id] = entry
    write_progress(data)


def record(id: str, passed: bool, attempt: str) -> dict[str, Any]:
    """Note one try at an exercise; equal attempts count once. Returns the exercise's entry."""
    data = progress()
    entry = data["exercises"].setdefault(id, {"tries": 0})
    if entry.get("last") != attempt:
        entry["tries"] = entry.get("tries", 0) + 1
        entry["last"] = attempt
    if passed:
        entry.setdefault("passed", _now())
    write_progress(data)
    return entry


def record_milestone(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """Note that a milestone was reached: `result`, and when and where. Returns its entry.

    The latest run stands in the entry, with the date of the first and the best values so far:
    "best" (of the accuracy) and "most ..." are the highest, "least ..." the lowest.
    """
    data = progress()
    milestones = data.setdefault("milestones", {})
    before = milestones.get(name)
    before = before if isinstance(before, dict) else {}
    now = _now()
    bests = {"best": result["accuracy"]} if "accuracy" in result else {}
    bests |= {k: v for k, v in result.items() if k.startswith(("most ", "least "))}
    for key, value in bests.items():
        if isinstance(before.get(key), int | float):
            bests[key] = (min if key.startswith("least ") else max)(value, before[key])
    milestones[name] = {
        **result,
        **bests,
        "first": before.get("first", now),
        "date": now,
        "where": where(),
    }
    write_progress(data)
    return milestones[name]


def where() -> str:
    """The browser this runs in, or the Python and the machine."""
    if not IN_BROWSER:
        return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    from js import navigator

    agent = str(navigator.userAgent)
    for name, mark in (("Edge", "Edg"), ("Firefox", "Firefox"), ("Chromium", "Chrome")):
        if found := re.search(rf"{mark}/(\d+)", agent):
            return f"{name} {found[1]}"
    found = re.search(r"Version/(\d+)", agent)
    return f"Safari {found[1]}" if found and "Safari" in agent else "a browser"


def write_progress(data: dict[str, Any]) -> None:
    text = json.dumps(data, indent=1)
    _write(folder() / "progress.json", text)
    if IN_BROWSER:  # other tabs and the book's pages redraw what they show
        from js import BroadcastChannel

        channel = BroadcastChannel.new("tinytorch-progress")
        channel.postMessage(text)
        channel.close()


def _write_sections(file: str, kept: dict[str, str]) -> Path:
    parts = [f"# %% {id}\n{cell}" for id, cell in kept.items()]
    path = folder() / f"{file}.py"
    _write(path, "\n\n".join([_HEAD.format(file=file), *parts]))
    return path


def _write(path: Path, text: str) -> None:
    """Write whole or not at all: a tab closed half-way must not leave half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(text, encoding="utf-8")
        _must_say(new, text)
        new.replace(path)
        _must_say(path, text)
    except FileNotFoundError:  # a browser without room makes the file, and says nothing
        raise OSError(f"there is no room for {path.name}") from None


def _must_say(path: Path, text: str) -> None:
    if path.read_text(encoding="utf-8") != text:
        raise OSError(f"there is no room for {path.name}")


def _stamped(id: str) -> str:
    return f"{id} {_now().replace(':', '')}.py"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
