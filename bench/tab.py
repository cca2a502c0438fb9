"""Python in a browser tab, called from here: `with Tab("chromium") as tab: tab.run("1 + 1")`.

A browser is started headless on a page that holds Pyodide in a worker. The page fetches its work
from a small server and posts back what came of it, so any browser that can open an address will do,
with no protocol to drive it.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
QUIET_CHROMIUM = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
]
QUIET_FIREFOX = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class TabError(RuntimeError):
    """The tab did not start, went away, took too long, or its Python raised."""


def find_browser(name: str) -> str | None:
    """Path of "chromium" or "firefox" on this machine, or None. TINYTORCH_CHROMIUM and
    TINYTORCH_FIREFOX name another."""
    if given := os.environ.get(f"TINYTORCH_{name.upper()}"):
        return given
    known = {
        "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        "firefox": ("firefox-esr", "firefox"),
    }
    return next(filter(None, map(shutil.which, known[name])), None) or _playwrights(name)


def _playwrights(name: str) -> str | None:
    # Asked in a process of its own: Playwright's loop would stay in this one. Only its Chromium:
    # its Firefox is patched, and needs its protocol.
    if name != "chromium":
        return None
    ask = "from playwright.sync_api import sync_playwright as s\n"
    ask += "with s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    path = done.stdout.strip()
    return path if Path(path).is_file() else None


class Tab:
    """A browser tab with Pyodide in it.

    packages: names from Pyodide's lock to load; archives: zips to unpack into its site-packages;
    folders: what the server has besides this folder, by the first part of the address ("pyodide"
    is the runtime). Raises TabError if the tab does not come up in `timeout` seconds.
    """

    def __init__(
        self,
        browser: str = "chromium",
        *,
        packages: tuple[str, ...] = ("numpy",),
        archives: tuple[Path, ...] = (),
        folders: dict[str, Path] | None = None,
        timeout: float = 120,
    ) -> None:
        self.folders = {"": HERE, **(folders or {})}
        if "pyodide" not in self.folders:
            from lite.runtime import pyodide_dir

            self.folders["pyodide"] = pyodide_dir()
        self.name, self.timeout, self.packages = browser, timeout, packages
        self.archives = {path.name: path for path in archives}
        self._calls: queue.Queue[dict] = queue.Queue()
        self._answers: queue.Queue[dict] = queue.Queue()

    def __enter__(self) -> Tab:
        path = find_browser(self.name)
        if path is None:
            raise TabError(f"no {self.name} on this machine")
        handler = functools.partial(_Handler, self)
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        address = f"http://127.0.0.1:{self._server.server_port}/tab.html"
        self._process = subprocess.Popen(
            [path, *arguments(self.name, Path(self._profile.name)), address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a browser is many processes, ended together
        )
        try:
            self.agent = self._answer(self.timeout)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.put({"close": True})
        try:
            os.killpg(self._process.pid, 15)
            self._process.wait(10)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait(10)
        self._server.shutdown()
        self._server.server_close()
        self._profile.cleanup()

    def run(self, source: str, timeout: float | None = None, **args: Any) -> Any:
        """Run Python in the tab and return its last expression. `args` (JSON) is a dict there.

        Names persist between calls. Raises TabError with the traceback if it raises.
        """
        self._calls.put({"source": source, "args": args})
        return self._answer(timeout or self.timeout)

    def _answer(self, timeout: float) -> Any:
        end = time.monotonic() + timeout
        while True:
            try:
                answer = self._answers.get(timeout=0.5)
            except queue.Empty:
                if (code := self._process.poll()) is not None:
                    raise TabError(f"{self.name} ended with exit code {code}") from None
                if time.monotonic() > end:
                    raise TabError(f"{self.name}: no answer in {timeout:g} s") from None
                continue
            if "error" in answer:
                raise TabError(answer["error"])
            return answer["value"]


def arguments(name: str, profile: Path) -> list[str]:
    if name == "chromium":
        return [*QUIET_CHROMIUM, f"--user-data-dir={profile}"]
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in QUIET_FIREFOX.items())
    Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
    return ["--headless", "--no-remote", "--profile", str(profile)]


TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A browser that goes away leaves broken connections; nobody wants to read of them."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one piece: in two, the second waits 40 ms for an answer

    def __init__(self, tab: Tab, *args: Any) -> None:
        self.tab = tab
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        pass

    def _send(self, data: bytes | None, suffix: str = ".json") -> None:
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Type", TYPES.get(suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(data or b"")))
        # Isolated from other origins, a page may read a clock of 5 µs instead of 100.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(data or b"")

    def do_GET(self) -> None:
        folder, _, name = self.path.lstrip("/").rpartition("/")
        if self.path == "/setup":
            setup = {"packages": self.tab.packages, "archives": list(self.tab.archives)}
            return self._send(json.dumps(setup).encode())
        if folder == "archives":
            path = self.tab.archives.get(name)
        else:
            path = self.tab.folders.get(folder, HERE) / name
        self._send(path.read_bytes() if path and path.is_file() else None, Path(name).suffix)

    def do_POST(self) -> None:
        self.tab._answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._send(json.dumps(self.tab._calls.get()).encode())
