"""Sees to it that there is a Chromium for the tests: `python -m lite.browser`.

One on the PATH is taken; else Debian's package is installed if that can be done; else Playwright's
own; else one clear error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from bench.tab import find_browser


def ensure_chromium() -> str | None:
    """The path of a Chromium, installed if there was none; None if there is no way to get one."""
    if found := find_browser("chromium"):
        return found
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("installing Debian's Chromium", flush=True)
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "check": False}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], **quiet)
        if found := find_browser("chromium"):
            return found
    print("asking Playwright for its Chromium", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find_browser("chromium")


if __name__ == "__main__":
    if ensure_chromium() is None:
        sys.exit(
            "No Chromium: none is on the PATH, Debian's package could not be installed, and "
            "Playwright could not fetch its own. Install one, or name it in TINYTORCH_CHROMIUM."
        )
