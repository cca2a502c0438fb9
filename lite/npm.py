"""Files out of npm packages, for what is pinned by sha256: `members("name@1.2.3", [...])`.

`pinned("name")` does it all for a package that `pins.toml` lists with its files.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lite.runtime import PINS, RuntimeMissing, cache_dir, from_folder, sha256, sound, write
from tinytorch.data.sources import NPM_IN_WHEEL


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
            kept = {n: archive.extractfile(found[n]) for n in names if n in found}
            return {n: file.read() for n, file in kept.items() if file}


def pinned(name: str) -> dict[str, Path]:
    """The files of a package in `pins.toml`, path in the package -> where it is, verified.

    Raises RuntimeMissing when one cannot be had.
    """
    pin = PINS[name]
    folder = cache_dir() / f"{name}-{pin['version']}"
    found = {}
    for member, digest in pin["files"].items():
        path = found[member] = folder / member
        if sound(path, digest):
            continue
        data = from_folder({f"{name}-{path.name}": digest}).get(f"{name}-{path.name}")
        data = data or members(f"{name}@{pin['version']}", [member]).get(member, b"")
        if sha256(data) != digest:
            raise RuntimeMissing(
                f"{name} {pin['version']}: could not get {member} from the folder in "
                "TINYTORCH_MIRROR or from npm's registry."
            )
        write(path, data)
    return found
