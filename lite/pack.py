"""Packs what the browser's Python starts with, compiled ahead of time.

`python.zip` is the standard library, which Python imports from without unpacking; `kernel.zip` is
the notebook kernel with everything it imports, one archive in place of eighteen wheels. Pyodide's
wheels are repacked without what a notebook cannot use (tests, headers, type stubs). All hold .pyc
files made by Pyodide itself.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lite.runtime import LOCK, PINS, cache_dir, closure, pyodide_dir, sha256, write

HERE = Path(__file__).parent
SITE_PACKAGES = f"/lib/python{PINS['pyodide']['python'].rsplit('.', 1)[0]}/site-packages/"
STDLIB = f"/lib/python{PINS['pyodide']['python'].rsplit('.', 1)[0].replace('.', '')}.zip/"
LABEXTENSION = Path(sys.prefix, "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension")
UNUSED = re.compile(
    r"/tests?/|\.pyi$|\.pxd$|\.h$|/include/|/RECORD$|^numpy/f2py/|/sample_data/"
    r"|^IPython/(external|sphinxext)/"
    rf"|^pygments/lexers/(?!({'|'.join(PINS['kernel']['lexers'])})\.py$)"
)
NATIVE = (".so", ".pyd")  # of the machine that builds, not of the browser


@dataclass
class Job:
    """One archive to compile: names are relative to the work folder."""

    source: str
    target: str
    prefix: str
    keep_source: bool = False


def node() -> Path:
    """The Node.js that Playwright brings: the same one everywhere, nothing to install beside it."""
    from playwright._impl._driver import compute_driver_executable

    return Path(compute_driver_executable()[0])


def compile_archives(pyodide: Path, work: Path, jobs: list[Job]) -> None:
    """Compile `jobs` in the folder `work`, in Pyodide under Node."""
    (work / "jobs.json").write_text(json.dumps([asdict(job) for job in jobs]), encoding="utf-8")
    subprocess.run([node(), HERE / "compile.mjs", pyodide, work], check=True)


def installed_files(name: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of an installed package.

    Raises RuntimeError if a file is not what its wheel's RECORD says.
    """
    for entry in importlib.metadata.distribution(name).files or []:
        path = entry.as_posix()
        if path.startswith("..") or path.endswith(".pyc") or entry.hash is None:
            continue
        data = Path(entry.locate()).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.new(entry.hash.mode, data).digest())
        if digest.rstrip(b"=").decode() != entry.hash.value:
            raise RuntimeError(f"{name}: {entry.locate()} is damaged; delete .venv and start again")
        yield path, data


def kernel_files() -> dict[str, bytes]:
    """Everything the notebook kernel imports, as import path -> content."""
    files: dict[str, bytes] = {}
    for name in PINS["kernel"]["packages"]:
        for path, data in installed_files(name):
            if not UNUSED.search(path) and not path.endswith(NATIVE):
                files[path] = data
    for stem in ("pyodide_kernel", "ipykernel"):
        (wheel,) = (LABEXTENSION / "static" / "pypi").glob(f"{stem}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            files |= {n: archive.read(n) for n in archive.namelist() if not UNUSED.search(n)}
    own = HERE / "kernel"
    for source in sorted(own.rglob("*.py")):
        files[source.relative_to(own).as_posix()] = source.read_bytes()
    return files


def strip(source: Path, target: Path) -> None:
    """Copy an archive without what a notebook cannot use; RECORD is written anew later."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if not UNUSED.search(name) or name.endswith("/RECORD"):
                new.writestr(name, old.read(name))


def lock_entries(pyodide: Path) -> dict[str, dict]:
    """Pyodide's lock cut down to what the site carries."""
    lock = json.loads((pyodide / LOCK).read_bytes())
    names = closure(lock, PINS["pyodide"]["packages"])
    entries = {n: lock["packages"][n] for n in names if n not in PINS["pyodide"]["unused"]}
    late = {*PINS["pyodide"]["late"], *PINS["pyodide"]["unused"]}
    for entry in entries.values():
        entry["depends"] = [d for d in entry["depends"] if d not in late]
    return entries


def fingerprint() -> str:
    """Changes when anything `packed` is made of changes."""
    parts = [p.read_bytes() for p in sorted(HERE.glob("compile.*"))]
    parts += [Path(__file__).read_bytes(), (HERE / "pins.toml").read_bytes()]
    parts += [p.read_bytes() for p in sorted((HERE / "kernel").rglob("*.py"))]
    versions = {n: importlib.metadata.version(n) for n in PINS["kernel"]["packages"]}
    versions["kernel"] = importlib.metadata.version("jupyterlite-pyodide-kernel")
    return sha256(b"".join([*parts, json.dumps(versions).encode()]))[:16]


def packed() -> Path:
    """A folder with python.zip, kernel.zip, the compiled wheels and their lock, packages.json."""
    folder = cache_dir() / f"packed-{fingerprint()}"
    if (folder / "packages.json").is_file():
        return folder
    pyodide = pyodide_dir()
    entries = lock_entries(pyodide)
    with tempfile.TemporaryDirectory() as tmp:
        work = Path(tmp)
        (work / "in").mkdir()
        (work / "out").mkdir()
        shutil.copy(pyodide / "python_stdlib.zip", work / "in" / "python.zip")
        with zipfile.ZipFile(work / "in" / "kernel.zip", "w") as archive:
            for name, data in kernel_files().items():
                archive.writestr(name, data)
        jobs = [
            Job("in/python.zip", "out/python.zip", STDLIB),
            Job("in/kernel.zip", "out/kernel.zip", SITE_PACKAGES),
        ]
        for entry in entries.values():
            name = entry["file_name"]
            strip(pyodide / name, work / "in" / name)
            jobs.append(Job(f"in/{name}", f"out/{name}", SITE_PACKAGES))
        print("  compiling Python's library and packages for the browser", file=sys.stderr)
        compile_archives(pyodide, work, jobs)
        for path in (work / "out").iterdir():
            write(folder / path.name, path.read_bytes())
        for entry in entries.values():
            entry["sha256"] = sha256((work / "out" / entry["file_name"]).read_bytes())
    write(folder / "packages.json", json.dumps(entries, indent=1, sort_keys=True).encode())
    return folder


def compile_wheel(wheel: Path, target: Path) -> None:
    """Compile our own wheel. It keeps its sources: students read them, the course quotes them."""
    with tempfile.TemporaryDirectory() as tmp:
        work = Path(tmp)
        shutil.copy(wheel, work / "in.whl")
        job = Job("in.whl", "out.whl", SITE_PACKAGES, keep_source=True)
        compile_archives(pyodide_dir(), work, [job])
        write(target, (work / "out.whl").read_bytes())


if __name__ == "__main__":
    print(packed())
