"""Compile the kernels: C to two WebAssembly side modules, and a manifest with their checksums.

Runs when the wheel is built (hatch_build.py) and in tests, never in the browser. The compiler is
the package `ziglang`: one download, no Emscripten. Same source and compiler, same bytes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).parent
MANIFEST = "kernels.json"
FEATURES = {
    "baseline": ["-msimd128"],
    "relaxed": ["-msimd128", "-mrelaxed-simd"],
}
FLAGS = [
    *("-target", "wasm32-emscripten", "-std=c11", "-O3", "-fPIC", "-fvisibility=hidden"),
    # Unrolled, the tile needs more registers than there are, and a browser's compiler is less good
    # at choosing which to spill than LLVM believes: half the speed.
    "-fno-unroll-loops",
    *("-Wall", "-Wextra", "-Werror"),
]


def zig(*args: str, cwd: Path) -> str:
    """Run the zig compiler in `cwd`; raises RuntimeError with what it printed if it fails."""
    command = [sys.executable, "-m", "ziglang", *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"zig {' '.join(args)} failed:\n{done.stderr or done.stdout}")
    return done.stdout.strip()


def side_module(source: Path, out: Path, *flags: str) -> Path:
    """Compile one C file into a side module that Pyodide can open with `ctypes.CDLL`."""
    with tempfile.TemporaryDirectory() as tmp:
        compiled = str(Path(tmp, "object.o"))
        # Run beside the source and by its bare name: no path of this machine gets into the file.
        zig("cc", *FLAGS, *flags, "-c", source.name, "-o", compiled, cwd=source.parent)
        link = ["--experimental-pic", "-shared", "--no-entry", "--strip-all"]
        zig("wasm-ld", *link, compiled, "-o", str(out.resolve()), cwd=source.parent)
    out.chmod(0o644)
    return out


def compile(out_dir: Path | str) -> list[Path]:
    """Compile every kernel into `out_dir`; returns the files written, the manifest last.

    Raises RuntimeError if the compiler is missing or refuses the source.
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    files, kernels = [], {}
    for name, features in FEATURES.items():
        path = side_module(SOURCE / "matmul.c", out_dir / f"matmul-{name}.wasm", *features)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        kernels[name] = {"file": path.name, "sha256": digest}
        files.append(path)
    manifest = out_dir / MANIFEST
    about = {"compiler": "zig " + zig("version", cwd=out_dir), "kernels": kernels}
    manifest.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return [*files, manifest]


if __name__ == "__main__":
    for path in compile(sys.argv[1] if len(sys.argv) > 1 else "."):
        print(f"{path}  {path.stat().st_size} bytes")
