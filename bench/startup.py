"""`python -m bench.startup`: how long a reader waits for the first output of Module 01's notebook,
here and in a JupyterLite as it comes, built from the same versions; both in the same run.

The stock site holds JupyterLite, its Pyodide kernel and Pyodide's wheels as they are published, the
same notebook, and our wheel the way JupyterLite's documentation tells (`piplite`); its notebook
begins with the `%pip install` that this takes. A visit is a browser that was just started: the
first one has an empty profile, the second one what the first has left. Time runs from the address
to the first output on the screen, with the cells started as soon as JupyterLab takes them. Both
sites come from this machine, through a server that counts what it sends.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from playwright.sync_api import Page, Playwright, sync_playwright

from bench.tab import TYPES, find_browser
from lite import runtime, serve
from lite.build import listing
from lite.pack import LABEXTENSION

SITE = Path(__file__).parents[1] / "_build" / "html"
NOTEBOOK = "01_tensor.ipynb"
KERNEL = ("ipython", "jedi", "micropip", "packaging", "numpy")  # what its kernel and page import
PATIENCE = 120_000  # ms
# Runs the notebook's first cells as soon as there is a kernel to take them, and tells when one of
# them has printed its tensor.
FIRST_OUTPUT = """() => {
  const { commands, shell } = window.jupyterapp ?? {};
  const panel = shell?.currentWidget;
  if (!panel?.sessionContext?.session?.kernel || !panel.content?.widgets?.length) return false;
  if (!window.begun) {
    window.begun = true;
    panel.content.activeCellIndex = 0;
    for (let i = 0; i < 5; i++) commands.execute("notebook:run-cell-and-select-next");
  }
  return [...document.querySelectorAll(".jp-OutputArea-output pre")]
    .some((output) => output.textContent.includes("Tensor([["));
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """A plain static host; the time of a file decides whether it is sent again."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        **TYPES,
    }

    def copyfile(self, source, outputfile) -> None:
        data = source.read()
        self.server.sent += len(data)
        outputfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


class Server(serve.Server):
    sent = 0  # bytes of content


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def pyodide(folder: Path) -> None:
    """Pyodide as it is published, with what the stock kernel imports.

    The kernel's pure-Python wheels are those of Pyodide's lock; where the release itself cannot be
    reached they come from the package index, and the lock is told their hashes.
    """
    core = runtime.pyodide_dir()
    lock = json.loads((core / runtime.LOCK).read_text(encoding="utf-8"))
    packages = lock["packages"]
    shutil.copytree(core, folder)
    kept = runtime.cache_dir() / "bench" / "kernel"
    kept.mkdir(parents=True, exist_ok=True)
    for name in runtime.closure(lock, KERNEL):
        entry = packages[name]
        if (folder / entry["file_name"]).exists():
            continue
        stem = f"{entry['file_name'].split('-')[0]}-{entry['version']}"
        if not any(kept.glob(f"{stem}-*.whl")):
            wanted = f"{name}=={entry['version']}"
            command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "-d", str(kept)]
            subprocess.run([*command, "--only-binary", ":all:", wanted], check=True)
        (found,) = kept.glob(f"{stem}-*.whl")
        shutil.copy(found, folder)
        entry |= {"file_name": found.name, "sha256": runtime.sha256(found.read_bytes())}
    here = {path.name for path in folder.iterdir()}
    lock["packages"] = {n: entry for n, entry in packages.items() if entry["file_name"] in here}
    (folder / runtime.LOCK).write_text(json.dumps(lock), encoding="utf-8")


def plain_wheels(folder: Path) -> list[Path]:
    """Our wheel before it is compiled for the browser, and `comm`, which the kernel asks for."""
    code = "import sys, hatchling.build as b; b.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=SITE.parents[1], check=True)
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, f"comm=={version('comm')}"], check=True)
    return sorted(folder.glob("*.whl"))


def stock(folder: Path) -> Path:
    """Build JupyterLite as it comes; returns the folder to serve."""
    source, out = folder / "source", folder / "out"
    (source / "wheels").mkdir(parents=True)
    wheels = plain_wheels(source / "wheels")
    notebook = json.loads((SITE / "lite" / "files" / NOTEBOOK).read_text(encoding="utf-8"))
    first = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    lines = "".join(first["source"]).splitlines(keepends=True)
    after = max(i for i, line in enumerate(lines) if "__future__" in line) + 1
    first["source"] = "".join(lines[after:])
    install = {**first, "id": "install", "metadata": {}, "source": "%pip install -q tinytorch"}
    notebook["cells"].insert(0, install)
    pyodide(source / "static" / "pyodide")
    kernel = {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
    settings = {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "exposeAppInBrowser": True,
            "contentsAllJsonFile": "all.json",
            "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        },
    }
    (source / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    options = {
        "LiteBuildConfig": {
            "apps": ["notebooks"],
            "ignore_sys_prefix": True,
            "federated_extensions": [str(LABEXTENSION)],
        },
        "PipliteAddon": {"piplite_urls": [str(path) for path in wheels]},
    }
    (source / "jupyter_lite_config.json").write_text(json.dumps(options), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(source)]
    command += ["--output-dir", str(out)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"jupyter lite build failed:\n{done.stdout}\n{done.stderr}")
    # JupyterLite itself would want a Jupyter server to list its contents.
    (out / "files").mkdir()
    (out / "files" / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
    runtime.write(out / "api/contents/all.json", listing("", [NOTEBOOK], out / "files"))
    return out


def visit(page: Page, address: str, server: Server) -> tuple[float, float]:
    """Seconds and megabytes until the first output."""
    server.sent = 0
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(FIRST_OUTPUT, timeout=PATIENCE)
    return time.perf_counter() - start, server.sent / 1e6


def visits(playwright: Playwright, address: str, server: Server, again: int) -> list[tuple]:
    """The first visit of a new profile and the ones after, each in a browser just started."""
    found = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for turn in range(1 + again):
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=find_browser("chromium"),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                viewport={"width": 1400, "height": 900},
            )
            page = context.pages[0]
            found.append(visit(page, address, server))
            if turn == 0:
                settle(page, server)
            context.close()
    return found


def settle(page: Page, server: Server) -> None:
    """Let the first visit end as a reader's does: until nothing more is fetched."""
    quiet, before = 0, -1
    while quiet < 3:
        quiet = quiet + 1 if server.sent == before else 0
        before = server.sent
        page.wait_for_timeout(1000)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.startup")
    parser.add_argument("--rounds", type=int, default=3, help="of each site; they take turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp, contextlib.ExitStack() as stack:
        sites = {"stock JupyterLite": (stock(Path(tmp)), ""), "TinyTorch": (SITE, "lite/")}
        playwright = stack.enter_context(sync_playwright())
        servers = {n: stack.enter_context(serving(folder)) for n, (folder, _) in sites.items()}
        got: dict[str, list] = {name: [] for name in sites}
        for _ in range(options.rounds):
            for name, server in servers.items():
                place = (
                    f"http://127.0.0.1:{server.server_port}/{sites[name][1]}notebooks/index.html"
                )
                got[name].append(visits(playwright, f"{place}?path={NOTEBOOK}", server, 2))
    print("\nfirst output of Module 01's notebook, in Chromium, from this machine's disk")
    print(f"{'':20}{'first visit':>18}{'later visits':>18}   fastest to slowest")
    for name, rounds in got.items():
        first = [r[0] for r in rounds]
        later = [v for r in rounds for v in r[1:]]
        cells = []
        for found in (first, later):
            seconds, sent = (statistics.median(values) for values in zip(*found, strict=True))
            cells.append(f"{seconds:.1f} s, {sent:.1f} MB")
        spread = " and ".join(f"{min(v)[0]:.1f} to {max(v)[0]:.1f}" for v in (first, later))
        print(f"{name:20}{cells[0]:>18}{cells[1]:>18}   {spread} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
