"""Taking the work elsewhere: one zip with the student's folder and an installable package.

    my_tinytorch/   the student's folder
    notebooks/      the course's notebooks that stand beside it
    package/        tinytorch with the student's bodies in place of the reference's, installable

The browser's "Your work" (lite/keep/bundle.js) writes the first two, or all three, and either reads
the first two. Importing runs nothing, and overwrites nothing unseen: what differs goes to
`history/` first, and a notebook comes under a number.
"""

from __future__ import annotations

import base64
import importlib.machinery
import importlib.util
import io
import json
import re
import sys
import zipfile
import zlib
from pathlib import Path

from . import overlay, work
from .assembled import source

_NOTEBOOKS = "notebooks"
_MAX_BYTES, _MAX_FILES = 300_000_000, 5000  # far more than a student writes
_PACKAGE = Path(__file__).parents[1]
_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tinytorch"
version = "{version}"
description = "My own framework, built with TinyTorch."
requires-python = ">=3.12"
dependencies = ["numpy>=2.0"]

[tool.hatch.build.targets.wheel]
packages = ["tinytorch"]
"""


class Export:
    """A zip file on the student's drive; in a notebook it shows a link that downloads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"{self.path} ({self.path.stat().st_size:,} bytes)"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.path.read_bytes()).decode()
        return (
            f'<a download="{self.path.name}" href="data:application/zip;base64,{data}">'
            f"Download {self.path.name}</a>"
        )


def export(path: str | Path | None = None) -> Export:
    """Write everything the student built to a zip and return it, with a download link.

    path: default `my_tinytorch.zip` beside the student's folder.
    """
    folder = work.folder()
    target = Path(path) if path else folder.with_suffix(".zip")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        waits = folder / work.IMPORTED
        for file in sorted(p for p in folder.rglob("*") if p.is_file() and p != waits):
            archive.write(file, f"{work.FOLDER}/{file.relative_to(folder).as_posix()}")
        for file in sorted(p for p in folder.parent.glob("*.ipynb") if _of_course(p)):
            archive.write(file, f"{_NOTEBOOKS}/{file.name}")
        for name, content in package().items():
            archive.writestr(f"package/{name}", content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(buffer.getvalue())
    return Export(target)


def package() -> dict[str, bytes]:
    """The installable package, path in it to content. Nothing of the student's is run for it."""
    files = {"pyproject.toml": _PYPROJECT.format(version="0.1.0").encode()}
    for file in sorted(p for p in _PACKAGE.rglob("*") if _ships(p)):
        name = file.relative_to(_PACKAGE).as_posix()
        mine = name.removesuffix(".py") in work.files()
        content = str(source(file.stem, whole=True)).encode() if mine else file.read_bytes()
        files[f"tinytorch/{name}"] = content
    return files


def _ships(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts


def _of_course(path: Path) -> bool:
    try:
        return "tinytorch" in json.loads(path.read_bytes())["metadata"]
    except (ValueError, KeyError, TypeError):
        return False


def import_work(path: str | Path) -> list[str]:
    """Bring exported work into the student's folder; returns the symbols brought.

    Nothing of it is run: until `accept()` the reference stands in for what was brought. A saved
    cell that is already there and differs is kept in `history/`; any other file that differs comes
    in under a number, notebooks beside the folder. Raises ValueError for a file that is not such an
    export, that is far too large for one, or that names a file outside its folders.
    """
    files = _read(path)
    brought = []
    for name, data in files.items():
        top, _, inside = name.partition("/")
        if top == _NOTEBOOKS:
            _place(work.folder().parent / inside, data)
        elif inside.split("/")[0] == work.IMPORTED:
            continue  # what waits here is for this folder to say
        elif inside == "progress.json":
            work.merge_progress(data.decode("utf-8", "replace"))
        elif re.fullmatch(r"\w+\.py", inside, re.IGNORECASE):  # as some systems read names
            for id, cell in work.split(data.decode()).items():
                work.save(id, cell, imported=True)
                brought.append(id)
        else:
            _place(work.folder() / inside, data)
    overlay.load()
    return brought


def _read(path: str | Path) -> dict[str, bytes]:
    """The files of an export's folders, name -> content, all checked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            for entry in entries:
                _check(entry.orig_filename)
            tops = (f"{work.FOLDER}/", f"{_NOTEBOOKS}/")
            entries = [e for e in entries if e.filename.startswith(tops)]
            size = sum(e.file_size for e in entries)
            if size > _MAX_BYTES or len(entries) > _MAX_FILES:
                raise ValueError(
                    f"{path} has {len(entries)} files of {size:,} bytes together; an export has "
                    f"at most {_MAX_FILES} of {_MAX_BYTES:,}"
                )
            files = {e.filename: archive.read(e) for e in entries}
        for name, data in files.items():
            if name.endswith(".py"):
                data.decode()
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{path} cannot be read as an export: {error}") from None
    if not files:
        raise ValueError(f"{path} holds no {work.FOLDER}/ folder: it is not an export")
    return files


def _check(name: str) -> None:
    """Raises ValueError for a name that leads anywhere but into the zip's own folders."""
    odd = any(part in ("", ".", "..") for part in name.split("/"))
    if odd or re.search(r"^\w:|[\\\x00-\x1f\x7f]", name):
        raise ValueError(f"the zip names a file outside its folder, {name!r}: refused")


def _place(path: Path, data: bytes) -> None:
    """Write a file, under a number if there is another one, or a module, of its name."""
    n, free = 1, path
    while free.exists() or _shadows(free):
        if free.is_file() and free.read_bytes() == data:
            return
        n += 1
        free = path.with_name(f"{path.stem}.{n}{path.suffix}")
    free.parent.mkdir(parents=True, exist_ok=True)
    free.write_bytes(data)


def _shadows(path: Path) -> bool:
    """Whether Python would take this file for a module that it has: `json.py` beside the notebooks.

    `python -m tinytorch` looks there first, so such a file would run without anybody asking for it.
    """
    name = path.relative_to(work.folder().parent).parts[0].split(".")[0]
    suffix = path.name.removeprefix(path.name.split(".")[0])
    if not name or suffix not in importlib.machinery.all_suffixes():
        return False
    if name in sys.modules:
        return True
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None  # a mere folder is no module to lose
