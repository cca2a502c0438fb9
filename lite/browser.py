"""Sees to it that there are browsers for the tests: `python -m lite.browser`.

A Chromium on the PATH is taken; else Debian's package is installed if that can be done; else
Playwright's own; else one clear error. `--engines` prints what the SIMD kernels are tested in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

from bench.tab import find_browser


def debian(package: str) -> None:
    """Install one of Debian's packages, where that can be done."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        print(f"installing Debian's {package}", file=sys.stderr, flush=True)
        quiet: dict[str, Any] = {
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            "stdout": subprocess.DEVNULL,
            "check": False,
        }
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", package], **quiet)


def ensure_chromium() -> str | None:
    """The path of a Chromium, installed if there was none; None if there is no way to get one."""
    if found := find_browser("chromium"):
        return found
    debian("chromium")
    if found := find_browser("chromium"):
        return found
    print("asking Playwright for its Chromium", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find_browser("chromium")


def engines() -> list[str]:
    """What to test in: Chromium, and for the kernels and offline Firefox, where there is one."""
    if not find_browser("firefox"):
        debian("firefox-esr")
    if find_browser("firefox"):
        return ["chromium", "firefox"]
    print("No Firefox here: all is tested in Chromium alone", file=sys.stderr)
    return ["chromium"]


if __name__ == "__main__":
    if sys.argv[1:] == ["--engines"]:
        print(",".join(engines()))
    elif ensure_chromium() is None:
        sys.exit(
            "No Chromium: none is on the PATH, Debian's package could not be installed, and "
            "Playwright could not fetch its own. Install one, or name it in TINYTORCH_CHROMIUM."
        )
