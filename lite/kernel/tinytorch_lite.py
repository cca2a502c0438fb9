"""What happens in the browser's kernel before the first cell runs: an IPython extension.

It names its steps to the page, lets late packages be imported from anywhere, and imports tinytorch.
That is before the student's drive is there; once it is, `load_work` brings their saved code into
force.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.abc
import io
import json
import sys
import traceback
import zipfile
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import js
import pyodide_js

SITE_PACKAGES = Path(f"/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")


def announce(step: str, state: str, label: str = "", detail: str = "") -> None:
    """Tell the page how far the start has come: `state` is "start" or "done"."""
    if hasattr(js, "tinytorchAnnounce"):
        js.tinytorchAnnounce(step, state, label, detail)


class LatePackages(importlib.abc.MetaPathFinder):
    """Fetches a package of the site when its import is reached, wherever that import stands.

    The kernel looks for imports in a cell's text, which does not see `import matplotlib` inside a
    function of tinytorch. In a worker a request may block, so the import simply waits.
    """

    def __init__(self) -> None:
        lock = json.loads(js.tinytorchLock)
        self.packages: dict[str, dict] = lock["packages"]
        self.owner = {m: n for n, p in self.packages.items() for m in p["imports"]}
        self.fetched: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = self.owner.get(fullname)
        if name is not None and self.fetch(name):
            importlib.invalidate_caches()
            return importlib.machinery.PathFinder.find_spec(fullname, path, target)
        return None

    def fetch(self, name: str) -> bool:
        """Unpack a package and what it needs; False when there was nothing to do."""
        loaded = pyodide_js.loadedPackages.to_py()
        if name in self.fetched or name in loaded:
            return False
        self.fetched.add(name)
        package = self.packages[name]
        for other in package["depends"]:
            self.fetch(other)
        request = js.XMLHttpRequest.new()
        request.open("GET", js.tinytorchBase + package["file_name"], False)
        request.responseType = "arraybuffer"
        request.send(None)
        if request.status != 200:
            raise ImportError(f"{package['file_name']} could not be fetched ({request.status})")
        data = request.response.to_bytes()
        if hashlib.sha256(data).hexdigest() != package["sha256"]:
            self.fetched.discard(name)
            raise ImportError(
                f"{package['file_name']} is not the file this site was built with: it arrived "
                "damaged. Run the cell again, or reload the page."
            )
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            wheel.extractall(SITE_PACKAGES)
        setattr(pyodide_js.loadedPackages, name, "tinytorch site")
        return True


def names(tinytorch: ModuleType) -> dict[str, object]:
    """What every notebook has from the start, so that a student may begin at any cell."""
    from tinytorch.course import build

    public = {n: v for n, v in vars(tinytorch).items() if not n.startswith("_")}
    return {**public, "tinytorch": tinytorch, "np": sys.modules["numpy"], "build": build}


_shell: Any = None


def load_ipython_extension(shell: Any) -> None:
    """Called while the kernel is made: boot.mjs does that before it is asked for."""
    global _shell
    _shell = shell
    shell.Completer.use_jedi = False  # not in this kernel, see pins.toml
    sys.meta_path.insert(0, LatePackages())  # before anything of that name on the drive
    with contextlib.suppress(Exception):  # load_work meets it again, and says it
        importlib.import_module("tinytorch.course")


def load_work() -> None:
    """Called once the drive is mounted: the student's code comes into force, with all its names."""
    announce("kernel", "done")
    announce("work", "start")
    # A file called random.py, the student's own or out of a zip, must not pass for Python's.
    sys.path.sort(key=lambda place: place == "" or place.startswith("/drive"))
    if Path("/drive").is_dir():  # so there is a service worker, which can be asked (interrupt.mjs)
        _shell.events.register("pre_run_cell", lambda *_: js.tinytorchRunning(True))
        _shell.events.register("post_run_cell", lambda *_: js.tinytorchRunning(False))
    try:
        with contextlib.redirect_stderr(sys.__stderr__):  # there is no cell yet to show it
            importlib.import_module("tinytorch.course.overlay").load()
        _shell.push(names(sys.modules["tinytorch"]), interactive=False)
        announce("work", "done")
    except Exception:
        # A broken import must not take the notebook with it: the student sees it in the first cell.
        traceback.print_exc(file=sys.__stderr__)
        announce("work", "done", detail="tinytorch could not be imported; a cell will say why")
