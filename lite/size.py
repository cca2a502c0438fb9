"""What a built site weighs, by part and offline: `python -m lite.size _build/html`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

PARTS = (  # first match wins
    ("Python and its library", ("static/pyodide/pyodide", "static/pyodide/python.zip")),
    ("notebook kernel", ("static/pyodide/kernel.zip", "extensions/", "static/pyodide/boot")),
    ("NumPy", ("static/pyodide/numpy",)),
    ("tinytorch", ("static/pyodide/tinytorch",)),
    ("matplotlib and what it needs (when drawn with)", ("static/pyodide/",)),
    ("data (when used)", ("static/data/",)),
    ("JupyterLite", ("build/", "notebooks/", "static/", "config-utils", "service-worker")),
    ("notebooks", ("files/", "api/")),
)


def part_of(path: str, lite: bool) -> str:
    """The part of the site a file belongs to; `path` is relative to lite/ when `lite`."""
    if lite:
        return next((n for n, starts in PARTS if path.startswith(starts)), "other")
    if path.startswith("_static/"):
        return "book: scripts, styles, fonts"
    return "book: images" if path.startswith("_images/") else "book: pages"


def sizes(site: Path) -> dict[str, int]:
    """Bytes by part, largest first, for a book with lite/ in it or for a lite site alone."""
    total: Counter[str] = Counter()
    alone = (site / "jupyter-lite.json").exists()
    for path in site.rglob("*"):
        if path.is_file():
            name = path.relative_to(site).as_posix()
            inside = alone or name.startswith("lite/")
            total[part_of(name.removeprefix("lite/"), inside)] += path.stat().st_size
    return dict(total.most_common())


def report(site: Path) -> str:
    """The sizes as a small table."""
    parts = sizes(site)
    rows = [*parts.items(), ("total", sum(parts.values()))]
    return "\n".join(f"{size / 1e6:8.1f} MB  {name}" for name, size in rows)


if __name__ == "__main__":
    from lite import offline

    site = Path(sys.argv[1] if len(sys.argv) > 1 else "_build/html")
    print(report(site))
    print(offline.report(site))
