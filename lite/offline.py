"""The site without a network: `build(site)` writes its service worker, and what makes it an app.

Run last: the worker carries the hash of every other file. `lite/service-worker.js` says what it
does with them.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import io
import json
import sys
import urllib.parse
import xml.etree.ElementTree as ET
from pathlib import Path

from PIL import Image, ImageDraw

from lite import npm
from lite.runtime import PINS, RuntimeMissing, cache_dir, from_folder, sha256, sound, write

HERE = Path(__file__).parent
WORKER = "service-worker.js"
DATA = "lite/static/data/*"
# Never asked for by a page: translations, licenses, single settings schemas (one file has them
# all), fonts in formats for browsers without WebAssembly.
UNUSED = (
    *("*.po", "*.mo", "*.txt", "*.buildinfo", "*.ttf", "*/third-party-licenses.json"),
    *("_static/images/*", "_static/*macros.html", "lite/jupyterlite.schema.*"),
    *("lite/build/schemas/@*", WORKER),
)
PAPER = "#ffffff"


def workbox() -> bytes:
    """Workbox's built scripts, one after the other, as a worker loads them.

    Raises RuntimeMissing when a script cannot be had.
    """
    pin = PINS["workbox"]
    folder = cache_dir() / f"workbox-{pin['version']}"
    for name, digest in pin["files"].items():
        path = folder / f"{name}.prod.js"
        if sound(path, digest):
            continue
        member = f"build/{name}.prod.js"
        data = from_folder({path.name: digest}).get(path.name)
        data = data or npm.members(f"{name}@{pin['version']}", [member]).get(member, b"")
        if sha256(data) != digest:
            raise RuntimeMissing(
                f"{name} {pin['version']}: could not get {path.name} from the folder in "
                "TINYTORCH_MIRROR or from npm's registry."
            )
        write(path, data)
    scripts = [(folder / f"{name}.prod.js").read_text("utf-8") for name in pin["files"]]
    kept = [line for s in scripts for line in s.splitlines() if "sourceMappingURL" not in line]
    return "\n".join(kept).encode()


def entries(site: Path) -> tuple[list[list], list[list]]:
    """The site's files and its data, each as [address, sha256 in base64, bytes], sorted."""
    files: list[list] = []
    data: list[list] = []
    for path in sorted(p for p in site.rglob("*") if p.is_file()):
        name = path.relative_to(site).as_posix()
        if any(fnmatch.fnmatch(name, pattern) for pattern in UNUSED):
            continue
        if path.suffix == ".woff" and path.with_suffix(".woff2").exists():
            continue
        content = path.read_bytes()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        entry = [urllib.parse.quote(name, safe="/@"), digest, len(content)]
        (data if fnmatch.fnmatch(name, DATA) else files).append(entry)
    return files, data


def worker(site: Path) -> bytes:
    """The service worker of a built site. The same site gives the same bytes."""
    files, data = entries(site)
    lines = [f"const {name} = {json.dumps(rows, separators=(',', ':'))};" for name, rows in
             (("FILES", files), ("DATA", data))]  # fmt: skip
    body = b"\n".join([workbox(), "\n".join(lines).encode(), (HERE / WORKER).read_bytes()])
    return f'"use strict";\nconst BUILD = "{sha256(body)[:16]}";\n'.encode() + body


def icon(svg: Path, size: int, margin: float = 0.0, paper: str | None = None) -> bytes:
    """The logo as a PNG of size × size pixels, `margin` (a part of the size) around it.

    Raises ValueError if the drawing holds anything but rectangles.
    """
    root = ET.parse(svg).getroot()
    left, top, width, _ = (float(v) for v in root.attrib["viewBox"].split())
    scale = 4 * size * (1 - 2 * margin) / width  # drawn four times as large: smooth edges
    image = Image.new("RGBA", (4 * size, 4 * size), paper or (0, 0, 0, 0))
    for group in root:
        opacity = round(255 * float(group.get("fill-opacity", 1)))
        color = f"{group.get('fill')}{opacity:02x}"
        layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
        draw = ImageDraw.Draw(layer)
        for shape in group:
            if not shape.tag.endswith("}rect"):
                raise ValueError(f"{svg.name}: icons are drawn from <rect> alone, not {shape.tag}")
            x, y, w, h, r = (float(shape.get(k, 0)) for k in ("x", "y", "width", "height", "rx"))
            x, y = (x - left) * scale + 4 * size * margin, (y - top) * scale + 4 * size * margin
            draw.rounded_rectangle((x, y, x + w * scale, y + h * scale), r * scale, fill=color)
        image = Image.alpha_composite(image, layer)
    out = io.BytesIO()
    image.reduce(4).save(out, "PNG", optimize=True)
    return out.getvalue()


def app_files(site: Path) -> dict[str, bytes]:
    """The web manifest and its icons: path -> content."""
    svg = site / "_static" / "favicon.svg"
    icons = {
        "_static/icon-192.png": icon(svg, 192),
        "_static/icon-512.png": icon(svg, 512),
        # A phone cuts these to its own shape: keep the drawing inside, and the paper opaque.
        "_static/icon-maskable.png": icon(svg, 512, margin=0.2, paper=PAPER),
        "_static/icon-apple.png": icon(svg, 180, margin=0.14, paper=PAPER),
    }
    listed = [
        {"src": "_static/favicon.svg", "sizes": "any", "type": "image/svg+xml"},
        {"src": "_static/icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": "_static/icon-512.png", "sizes": "512x512", "type": "image/png"},
        {"src": "_static/icon-maskable.png", "sizes": "512x512", "type": "image/png"}
        | {"purpose": "maskable"},
    ]
    manifest = {
        "name": "TinyTorch in the browser",
        "short_name": "TinyTorch",
        "description": "Build your own PyTorch, one function at a time.",
        "id": "./",
        "start_url": "content/index.html",
        "scope": "./",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": listed,
    }
    return {**icons, "manifest.webmanifest": json.dumps(manifest, indent=1).encode()}


def build(site: Path) -> None:
    """Write the web manifest, icons and service worker of the finished site.

    Raises RuntimeMissing when Workbox cannot be had.
    """
    if (site / "_static" / "favicon.svg").exists():  # a book is there
        for name, content in app_files(site).items():
            write(site / name, content)
    write(site / "_static" / "offline.js", (HERE / "offline.js").read_bytes())
    content = worker(site)
    if not ((site / WORKER).exists() and (site / WORKER).read_bytes() == content):
        write(site / WORKER, content)
    print(report(site), flush=True)


def report(site: Path) -> str:
    """What a site weighs offline, in one line."""
    files, data = entries(site)
    weight, more = (sum(entry[2] for entry in rows) / 1e6 for rows in (files, data))
    return f"{weight:8.1f} MB  offline, in {len(files)} files; {more:.1f} MB of data on request"


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "_build/html"))
