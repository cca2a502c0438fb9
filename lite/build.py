"""Builds the live notebooks: `build(contents, output)` makes a JupyterLite site.

Three parts, each rebuilt only when its inputs changed: JupyterLite itself with our configuration
(`app`), Python for the browser (`lite.pack`), and our own wheel. They are kept in the cache and
linked into the output; only the notebooks are written anew each time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from lite import npm, offline
from lite.data import data_files
from lite.pack import LABEXTENSION, compile_wheel, packed
from lite.runtime import LOCK, cache_dir, pyodide_dir, sha256, write
from lite.size import report

HERE = Path(__file__).parent
ROOT = HERE.parent
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
OWN = ("shell.js", "shell.css")  # in static/
PYTHON = ("arrival.mjs", "boot.mjs", "interrupt.mjs", "package.mjs")  # beside Pyodide
# The student's folders are there from the start: otherwise JupyterLite asks the site for them in
# vain each time, and a browser's console shows every 404.
FOLDERS = ("my_tinytorch", "my_tinytorch/history", "my_tinytorch/set_aside")
# Font formats no browser with WebAssembly asks for, and pages of apps that are not built.
UNUSED = ("build/*.eot", "build/*.svg", "build/*.ttf", "doc", "*.config*.js", "package.json",
          "*/package.json", "manifest.webmanifest", "icon-*.png", "bootstrap.js",
          "service-worker.js", "build/service-worker.js",  # ours stands at the site's root
          "extensions/@jupyterlite/pyodide-kernel-extension/static/pypi")  # fmt: skip


def fingerprint(paths: Iterable[Path], *more: str) -> str:
    """A short hash over files and strings."""
    parts = [p.relative_to(ROOT).as_posix().encode() + b"\0" + p.read_bytes() for p in paths]
    return sha256(b"\0".join([*parts, *(m.encode() for m in more)]))[:16]


def fresh(folder: Path) -> Path:
    """A temporary neighbor of `folder`, to be renamed to it when complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))


def app() -> Path:
    """JupyterLite with our settings and without notebooks, in the cache."""
    settings = [HERE / "jupyter-lite.json", HERE / "overrides.json", Path(__file__)]
    versions = [version("jupyterlite-core"), version("jupyterlite-pyodide-kernel")]
    folder = cache_dir() / f"app-{fingerprint(settings, *versions)}"
    if folder.is_dir():
        return folder
    print("  building JupyterLite", file=sys.stderr, flush=True)
    made = fresh(folder)
    with tempfile.TemporaryDirectory() as tmp:
        for path in settings[:2]:
            shutil.copy(path, tmp)
        options = {
            "apps": ["notebooks"],
            "ignore_sys_prefix": True,
            "federated_extensions": [str(LABEXTENSION)],
            "cache_dir": f"{tmp}/cache",
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
        }
        config = Path(tmp, "jupyter_lite_config.json")
        config.write_text(json.dumps({"LiteBuildConfig": options}), encoding="utf-8")
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", tmp]
        command += ["--output-dir", str(made)]
        result = subprocess.run(command, cwd=tmp, capture_output=True, text=True, check=False)
        if result.returncode:
            shutil.rmtree(made)
            raise RuntimeError(f"jupyter lite build failed:\n{result.stdout}\n{result.stderr}")
    for pattern in UNUSED:
        for path in made.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    try:
        made.chmod(0o755)
        made.rename(folder)
    except OSError:  # another build was quicker
        shutil.rmtree(made)
    return folder


def wheel_inputs() -> list[Path]:
    """The files our wheel is made of."""
    files = [p for p in (ROOT / "tinytorch").rglob("*") if p.is_file()]
    more = ("pyproject.toml", "hatch_build.py", "LICENSE", "README.md")
    files += [ROOT / n for n in more if (ROOT / n).exists()]
    return sorted(p for p in files if "__pycache__" not in p.parts)


def wheel() -> Path:
    """Our own wheel, built from the tree with hatchling and compiled for the browser."""
    tools = [HERE / "compile.py", HERE / "compile.mjs", HERE / "pins.toml"]
    folder = cache_dir() / f"wheel-{fingerprint([*wheel_inputs(), *tools], version('hatchling'))}"
    found = list(folder.glob("*.whl"))
    if found:
        return found[0]
    print("  building the tinytorch wheel", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        code = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1]))"
        command = [sys.executable, "-c", code, tmp]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RuntimeError(f"building the tinytorch wheel failed:\n{result.stderr}")
        (made,) = Path(tmp).glob("*.whl")
        compile_wheel(made, folder / made.name)
    return folder / made.name


def place(source: Path, target: Path) -> None:
    """Link a file (copy where links cannot reach), never writing through an old link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def runtime_files() -> dict[str, Path | bytes]:
    """static/pyodide/: path -> a file to link, or content to write."""
    core, compiled, own = pyodide_dir(), packed(), wheel()
    packages = json.loads((compiled / "packages.json").read_bytes())
    packages["tinytorch"] = {
        "name": "tinytorch",
        "version": own.name.split("-")[1],
        "file_name": own.name,
        "install_dir": "site",
        "sha256": sha256(own.read_bytes()),
        "package_type": "package",
        "imports": ["tinytorch"],
        "depends": ["numpy"],
        "unvendored_tests": False,
    }
    info = json.loads((core / LOCK).read_bytes())["info"]
    lock = {"info": info, "packages": packages}
    (worker,) = (LABEXTENSION / "static").glob("comlink.worker.*.js")
    extension = LABEXTENSION.relative_to(LABEXTENSION.parents[1]).as_posix()
    files: dict[str, Path | bytes] = {name: core / name for name in CORE}
    files |= {p.name: p for p in compiled.iterdir() if p.suffix in (".whl", ".zip")}
    files[own.name] = own
    files[LOCK] = json.dumps(lock, indent=1, sort_keys=True).encode()
    files |= {name: HERE / name for name in PYTHON}
    # The kernel's own worker, with Pyodide started before it is asked to.
    files["worker.mjs"] = (
        f'import "../../extensions/{extension}/static/{worker.name}";\n'
        'import { warm } from "./boot.mjs";\nwarm();\n'
    ).encode()
    return {f"static/pyodide/{name}": file for name, file in files.items()}


def pages(contents: Path) -> dict[str, dict[str, str]]:
    """Notebook name -> title, url of its book page, version. `contents/pages.json` gives the first
    two; without it they follow from the notebook's name."""
    given = contents / "pages.json"
    known = json.loads(given.read_text(encoding="utf-8")) if given.exists() else {}
    found = {}
    for path in sorted(contents.glob("*.ipynb")):
        metadata = json.loads(path.read_text(encoding="utf-8")).get("metadata", {})
        entry = {"title": path.stem, "url": f"../../content/modules/{path.stem}.html"}
        entry |= known.get(path.name) or known.get(path.stem) or {}
        entry["version"] = str(metadata.get("tinytorch", {}).get("version", ""))
        found[path.name] = entry
    return found


def preloads(base: Path) -> str:
    """Hints for the largest scripts, which the browser would learn of only four requests later."""
    paths = [
        *base.glob("build/jlab_core.*.js"),
        *base.glob("extensions/*/*/static/remoteEntry.*.js"),
    ]
    names = [p.relative_to(base).as_posix() for p in sorted(paths)]
    return "".join(f'<link rel="preload" as="script" href="../{n}">\n' for n in names)


def index_page(page: str, hints: str, known: dict[str, dict[str, str]]) -> str:
    """The notebook app's page with our bar and start panel in it, there before any script runs."""
    bar = (HERE / "shell.html").read_text(encoding="utf-8")
    data = json.dumps({"appVersion": version("jupyterlite-core"), "pages": known}, sort_keys=True)
    data = data.replace("<", "\\u003c")
    head = (
        '<link rel="icon" type="image/svg+xml" href="../../_static/favicon.svg">\n'
        '<link rel="icon" href="favicon.ico">\n'
        '<link rel="stylesheet" href="../static/shell.css">\n'
        f'<script type="application/json" id="tt-data">{data}</script>\n'
        f'<script src="../static/shell.js"></script>\n'
        f'<script defer src="../../_static/offline.js"></script>\n{hints}'
    )
    page = page.replace("<title>Jupyter Notebook - Notebooks</title>", "<title>TinyTorch</title>")
    page = page.replace('    <link rel="manifest" href="../manifest.webmanifest">\n', "")
    page = page.replace("<head>", f"<head>\n{head}", 1)
    marker = '<body class="jp-ThemedContainer" data-notebook="notebooks">'
    if marker not in page:
        raise RuntimeError(f"JupyterLite's notebooks/index.html has changed: no {marker}")
    return page.replace(marker, f"{marker}\n{bar.replace('<html-lang>', 'en')}", 1)


def listing(folder: str, names: Iterable[str], contents: Path) -> bytes:
    """JupyterLite's index of a served folder: what a Jupyter server would answer."""

    def entry(path: str, kind: str, size: int | None = None) -> dict:
        # The times are fixed: a student's own copy always wins, and builds must be reproducible.
        when = "2000-01-01T00:00:00Z"
        return {
            **{"name": path.rsplit("/", 1)[-1], "path": path, "type": kind, "size": size},
            **{"created": when, "last_modified": when, "writable": True},
            **{"content": None, "format": None, "mimetype": None},
        }

    inside = [entry(n, "notebook", (contents / n).stat().st_size) for n in names]
    inside += [entry(f, "directory") for f in FOLDERS if f.rpartition("/")[0] == folder]
    index = {**entry(folder, "directory"), "content": inside, "format": "json"}
    return json.dumps(index, indent=1, sort_keys=True).encode()


def build(contents: Path, output: Path) -> None:
    """Make the JupyterLite site in `output` with the notebooks of `contents` (a flat folder).

    Raises RuntimeMissing when the browser's Python cannot be fetched, RuntimeError when JupyterLite
    or our wheel cannot be built.
    """
    contents, output = Path(contents).resolve(), Path(output).resolve()
    base = app()
    files: dict[str, Path | bytes] = {
        p.relative_to(base).as_posix(): p for p in base.rglob("*") if p.is_file()
    }
    files |= runtime_files()
    files |= data_files()
    files |= {f"static/{name}": HERE / name for name in OWN}
    files |= {f"static/keep/{p.name}": p for p in (HERE / "keep").iterdir()}
    files["static/keep/fflate.js"] = npm.pinned("fflate")["esm/browser.js"]
    known = pages(contents)
    index = (base / "notebooks" / "index.html").read_text(encoding="utf-8")
    files["notebooks/index.html"] = index_page(index, preloads(base), known).encode()
    files |= {f"files/{name}": (contents / name).read_bytes() for name in known}
    files["api/contents/all.json"] = listing("", known, contents)
    files |= {f"api/contents/{f}/all.json": listing(f, (), contents) for f in FOLDERS}
    for name, file in files.items():
        target = output / name
        if isinstance(file, Path):
            if not (target.exists() and target.samefile(file)):
                place(file, target)
        elif not (target.is_file() and target.read_bytes() == file):
            write(target, file)
    for path in [p for p in output.rglob("*") if p.is_file()]:
        if path.relative_to(output).as_posix() not in files:
            path.unlink()  # left from an earlier build
    book = output.parent
    print(report(book if (book / "index.html").exists() else output), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m lite.build CONTENTS OUTPUT")
    build(Path(sys.argv[1]), Path(sys.argv[2]))
    offline.build(Path(sys.argv[2]).resolve().parent)
