"""Taking the work elsewhere: one zip with the student's folder and an installable package.

In the package the student's bodies stand in place of the reference's; it needs nothing from this
site. Importing brings the folder back, here or on another machine, and overwrites nothing unseen:
what differs goes to `history/` first.
"""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

from . import overlay, work
from .assembled import source

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
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, f"{work.FOLDER}/{file.relative_to(folder).as_posix()}")
        archive.writestr("package/pyproject.toml", _PYPROJECT.format(version="0.1.0"))
        for file in sorted(p for p in _PACKAGE.rglob("*") if _ships(p)):
            name = file.relative_to(_PACKAGE).as_posix()
            mine = name.removesuffix(".py") in work.files()
            content = str(source(file.stem, whole=True)).encode() if mine else file.read_bytes()
            archive.writestr(f"package/tinytorch/{name}", content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(buffer.getvalue())
    return Export(target)


def _ships(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts


def import_work(path: str | Path) -> list[str]:
    """Bring exported work into the student's folder and into force; returns the symbols brought.

    A saved cell that is already there and differs is kept in `history/`. Raises ValueError for a
    file that is not such an export.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.startswith(f"{work.FOLDER}/")]
            texts = {n.split("/", 1)[1]: archive.read(n).decode() for n in names}
    except (zipfile.BadZipFile, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{path} cannot be read as an export: {error}") from None
    if not texts:
        raise ValueError(f"{path} holds no {work.FOLDER}/ folder: it is not an export")
    brought = []
    for name, text in texts.items():
        if name.endswith(".py") and "/" not in name:
            for id, cell in work.split(text).items():
                work.save(id, cell)
                brought.append(id)
        elif name == "progress.json":
            work.merge_progress(text)
    overlay.load()
    return brought
