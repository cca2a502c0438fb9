"""What the service worker is made of: the list of files, Workbox, icons."""

import base64
import hashlib
import io
import json
import re

import pytest
from PIL import Image

from lite import npm, offline, runtime
from lite.runtime import RuntimeMissing

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
<g fill="#ff0000"><{shape} x="0" y="0" width="5" height="10"/></g></svg>"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(offline, "workbox", lambda: b"/* workbox */")
    files = {
        "index.html": "home",
        "_static/a b.css": "style",
        "_static/locales/de/x.mo": "never asked for",
        "_static/font.woff": "old",
        "_static/font.woff2": "new",
        "_static/math.woff": "only",
        "lite/static/data/digits.npz": "data",
        "service-worker.js": "of an earlier build",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def listed(worker, name):
    return json.loads(re.search(rf"const {name} = (.*);", worker.decode()).group(1))


def test_every_file_is_listed_with_its_hash_and_data_apart(site):
    worker = offline.worker(site)
    files = listed(worker, "FILES")
    assert [row[0] for row in files] == [
        "_static/a%20b.css",
        "_static/font.woff2",
        "_static/math.woff",
        "index.html",
    ]
    digest = base64.b64encode(hashlib.sha256(b"home").digest()).decode()
    assert files[-1] == ["index.html", digest, 4]
    assert [row[0] for row in listed(worker, "DATA")] == ["lite/static/data/digits.npz"]


def test_a_build_is_known_by_its_files(site):
    first = offline.worker(site)
    assert offline.worker(site) == first
    (site / "index.html").write_text("home again")
    second = offline.worker(site)
    ids = [re.search(rb'const BUILD = "(\w+)"', worker).group(1) for worker in (first, second)]
    assert ids[0] != ids[1]


def test_icons_are_the_drawing(tmp_path):
    svg = tmp_path / "logo.svg"
    svg.write_text(SVG.format(shape="rect"))
    image = Image.open(io.BytesIO(offline.icon(svg, 20)))
    assert image.size == (20, 20)
    assert image.getpixel((5, 10)) == (255, 0, 0, 255)
    assert image.getpixel((15, 10))[3] == 0
    framed = Image.open(io.BytesIO(offline.icon(svg, 20, margin=0.25, paper="#ffffff")))
    assert framed.getpixel((0, 10)) == (255, 255, 255, 255)
    assert framed.getpixel((7, 10)) == (255, 0, 0, 255)


def test_a_drawing_that_icons_cannot_be_made_of_is_named(tmp_path):
    svg = tmp_path / "logo.svg"
    svg.write_text(SVG.format(shape="circle"))
    with pytest.raises(ValueError, match=r"logo\.svg: .*rect.* not .*circle"):
        offline.icon(svg, 20)


def test_a_workbox_with_other_bytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTORCH_CACHE", str(tmp_path))
    monkeypatch.delenv("TINYTORCH_MIRROR", raising=False)
    monkeypatch.setattr(npm, "members", lambda package, names: {n: b"other" for n in names})
    with pytest.raises(RuntimeMissing, match=r"could not get workbox-core\.prod\.js"):
        offline.workbox()
    assert not list(tmp_path.rglob("*.js"))


def test_a_mirror_spares_the_registry(tmp_path, monkeypatch):
    files = {name: f"{name};" for name in ("workbox-core", "workbox-routing")}
    pins = {n: runtime.sha256(text.encode()) for n, text in files.items()}
    monkeypatch.setitem(offline.PINS, "workbox", {"version": "1", "files": pins})
    for name, text in files.items():
        (tmp_path / f"{name}.prod.js").write_text(text)
    monkeypatch.setenv("TINYTORCH_MIRROR", str(tmp_path))
    monkeypatch.setenv("TINYTORCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(npm, "members", lambda *_: pytest.fail("asked the registry"))
    assert offline.workbox() == b"workbox-core;\nworkbox-routing;"
    assert len(list((tmp_path / "cache").rglob("*.js"))) == 2
