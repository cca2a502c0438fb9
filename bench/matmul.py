"""`python -m bench.matmul`: how fast A @ B is in a browser, and what else the kernels replace; all
from the same run.

Compared are NumPy's own loops, our kernels, SciPy's OpenBLAS (if its wheel can be had) and
TensorFlow.js's wasm backend (if npm can bring it), beside the machine's limit: multiply-adds on
registers and nothing else. All take turns, and the fastest of a few turns counts.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bench.tab import HERE, Tab, TabError
from lite import runtime
from tinytorch.simd import build

TFJS = "4.22.0"
SQUARES = [64, 128, 256, 512, 1024]
SHAPES = [([n, n], [n, n]) for n in SQUARES] + [
    ([100, 784], [784, 128]),
    ([32768, 27], [27, 32]),
    ([8192, 288], [288, 32]),
    ([32, 8, 64, 64], [32, 8, 64, 64]),
]
SMALL = [([n, n], [n, n]) for n in (1, 2, 4, 8, 16)]
FUNCTIONS_OF = [[64, 4, 64, 64], [100, 128], [128, 10]]
COLUMNS = ["numpy", "baseline", "relaxed", "scipy", "tfjs"]
TITLES = {"relaxed": "relaxed SIMD", "baseline": "plain SIMD", "tfjs": "TF.js"}


def package(folder: Path) -> Path:
    """tinytorch.simd and its kernels in one archive."""
    files = build.compile(folder)
    path = folder / "simd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinytorch/__init__.py", "")
        for file in [*build.SOURCE.glob("*.py"), *files]:
            archive.write(file, f"tinytorch/simd/{file.name}")
    return path


def with_scipy(folder: Path) -> tuple[Path, bool]:
    """Pyodide's files with SciPy among them, and whether that could be had."""
    core = runtime.pyodide_dir()
    scipy = json.loads((core / runtime.LOCK).read_text())["packages"]["scipy"]
    kept = runtime.cache_dir() / "bench"
    try:
        runtime.ensure(kept, {scipy["file_name"]: scipy["sha256"]})
    except runtime.RuntimeMissing:
        return core, False
    for path in [*core.iterdir(), kept / scipy["file_name"]]:
        if path.is_file():
            (folder / path.name).symlink_to(path)
    return folder, True


def tensorflow() -> dict[str, Path]:
    """Folders of TensorFlow.js's two packages, fetched once by npm; empty without it."""
    folder = runtime.cache_dir() / "bench" / f"tfjs-{TFJS}"
    names = ["tfjs-core", "tfjs-backend-wasm"]
    found = {n: folder / "node_modules" / "@tensorflow" / n / "dist" for n in names}
    if not all(path.is_dir() for path in found.values()) and (npm := shutil.which("npm")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit"]
        command += ["--no-fund", "--silent", *(f"@tensorflow/{n}@{TFJS}" for n in names)]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return found if all(path.is_dir() for path in found.values()) else {}


def times(shape: list[int]) -> str:
    return "×".join(map(str, shape))


def rate(shape_a: list[int], shape_b: list[int], seconds: float) -> float:
    """GFLOP/s: a multiplication and an addition for every step of the inner dimension."""
    flops = 2 * shape_b[-1]
    for d in shape_a:
        flops *= d
    return flops / seconds / 1e9


def row(label: str, cells: list[str]) -> None:
    print(label.ljust(34) + "".join(c.rjust(16) for c in cells), flush=True)


def figures(tab: Tab) -> None:
    for dtype in ("float32", "float64"):
        print(f"\n{dtype}, GFLOP/s (× NumPy's own)")
        heads = [TITLES.get(c, c) for c in COLUMNS] + ["limit", "of limit"]
        row("", heads)
        for a, b in SHAPES if dtype == "float32" else SHAPES[: len(SQUARES)]:
            got = tab.run("product(**args)", 300, shape_a=a, shape_b=b, dtype=dtype)
            best = next(k for k in ("relaxed", "baseline", "numpy") if k in got)
            cells = []
            for name in COLUMNS:
                if name not in got:
                    cells.append("–")
                    continue
                ratio = "" if name == "numpy" else f" ({got['numpy'] / got[name]:.1f}×)"
                cells.append(f"{rate(a, b, got[name]):.1f}{ratio}")
            if top := got.get(f"limit {best}"):
                cells += [f"{rate(a, b, top):.1f}", f"{top / got[best]:.2f}"]
            row(f"{times(a)} @ {times(b)}", cells)


def small(tab: Tab) -> None:
    print("\nsmall products, float32, µs a call (× NumPy's own)")
    often = {"dtype": "float32", "repeats": 40, "at_least": 0.004}
    for a, b in SMALL:
        got = tab.run("product(**args)", shape_a=a, shape_b=b, **often)
        cells = [
            f"{got[c] * 1e6:.2f} ({got['numpy'] / got[c]:.1f}×)" if c in got else "–"
            for c in COLUMNS
        ]
        row(f"{times(a)} @ {times(b)}", cells)


def functions(tab: Tab) -> None:
    for shape in FUNCTIONS_OF:
        print(f"\nfunctions of float32, {times(shape)}, ns a number (× NumPy's own)")
        row("", [TITLES.get(c, c) for c in COLUMNS[:3]])
        for name in tab.run("list(EACH)"):
            got = tab.run("each(**args)", name=name, shape=shape)
            known = [c for c in COLUMNS if c in got]
            row(name, [f"{got[c] * 1e9:.2f} ({got['numpy'] / got[c]:.1f}×)" for c in known])


def steps(tab: Tab) -> None:
    print("\nwhole steps, seconds (× NumPy's own)")
    jobs = {
        "conv 128×3×32×32, 32 of 5×5": "conv(128, 3, 32, 32, 5)",
        "epoch 784-128-10, 60,000 in 100s": "epoch(60_000, 100)",
    }
    for label, call in jobs.items():
        got = tab.run(call, 300)
        cells = [f"{got[c]:.4g} ({got['numpy'] / got[c]:.1f}×)" for c in COLUMNS if c in got]
        row(label, cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.matmul")
    parser.add_argument("--browser", default="chromium", choices=("chromium", "firefox"))
    parser.add_argument("--alone", action="store_true", help="without SciPy and TensorFlow.js")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp, "pyodide")
        folder.mkdir()
        archive = package(Path(tmp))
        pyodide, scipy = (runtime.pyodide_dir(), False) if options.alone else with_scipy(folder)
        folders = {"pyodide": pyodide} | ({} if options.alone else tensorflow())
        names = ("numpy", "scipy") if scipy else ("numpy",)
        with Tab(options.browser, packages=names, archives=(archive,), folders=folders) as tab:
            tab.run((HERE / "in_tab.py").read_text(encoding="utf-8"))
            print(tab.agent)
            if "tfjs-core" in folders:
                try:
                    tab.run("""
from pyodide.code import run_js
tfjs = await run_js("import('/tfjs.mjs')")
None""")
                except TabError as e:
                    print(f"TensorFlow.js is left out: {e}")
            figures(tab)
            small(tab)
            functions(tab)
            steps(tab)
    return 0


if __name__ == "__main__":
    sys.exit(main())
