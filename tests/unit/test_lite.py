"""The browser side that needs no browser: pins, fetching, packing, the JupyterLite site."""

import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from lite import build, pack, runtime, size
from lite.runtime import PINS, RuntimeMissing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sources(monkeypatch):
    """Replace the places files come from by one that gives what a test says; returns the calls."""
    calls = []

    def use(given):
        def source(files):
            calls.append(sorted(files))
            return {n: d for n, d in given.items() if n in files}

        monkeypatch.setattr(runtime, "SOURCES", [source])
        return calls

    return use


def digest(text):
    return runtime.sha256(text.encode())


def test_a_missing_and_a_damaged_file_are_fetched_and_a_sound_one_is_not(tmp_path, sources):
    files = {"a": digest("a"), "b": digest("b"), "c": digest("c")}
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("damaged")
    calls = sources({"b": b"b", "c": b"c"})
    runtime.ensure(tmp_path, files)
    assert calls == [["b", "c"]]
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "a", "b": "b", "c": "c"}


def test_what_no_source_has_is_named(tmp_path, sources):
    sources({})
    with pytest.raises(RuntimeMissing, match=r"could not get wasm\. Tried .*TINYTORCH_MIRROR"):
        runtime.ensure(tmp_path, {"wasm": digest("x")})


def test_a_mirror_gives_only_what_has_the_right_hash(tmp_path, monkeypatch):
    (tmp_path / "pyodide").mkdir()
    (tmp_path / "pyodide" / "good").write_text("good")
    (tmp_path / "bad").write_text("something else")
    monkeypatch.setenv("TINYTORCH_MIRROR", str(tmp_path))
    found = runtime.from_folder({"good": digest("good"), "bad": digest("bad"), "no": digest("")})
    assert found == {"good": b"good"}


def test_the_release_is_given_up_after_one_failure(monkeypatch):
    asked = []

    def refuse(url):
        asked.append(url)
        raise OSError("no route")

    monkeypatch.setattr(runtime, "_download", refuse)
    assert runtime._from_release({"a": "", "b": "", "c": ""}) == {}
    assert len(asked) == 1


def test_closure_follows_dependencies():
    lock = {"packages": {n: {"depends": d} for n, d in {"a": ["b"], "b": ["a"], "c": []}.items()}}
    assert runtime.closure(lock, ["a"]) == ["a", "b"]


def test_every_copy_of_the_pyodide_version_agrees():
    folder = runtime.pyodide_dir()
    lock = json.loads((folder / runtime.LOCK).read_bytes())
    assert lock["info"]["python"] == PINS["pyodide"]["python"]
    assert lock["info"]["abi_version"] == PINS["pyodide"]["abi"]
    said = re.search(r'="(\d+\.\d+\.\d+)"', (folder / "pyodide.mjs").read_text())
    assert said and said[1] == PINS["pyodide"]["version"]
    from jupyterlite_pyodide_kernel import constants

    # The kernel is made for a Pyodide of this series and this Python.
    series, python = PINS["pyodide"]["version"].split(".")[0], PINS["pyodide"]["python"]
    assert constants.PYODIDE_VERSION.split(".")[0] == series
    assert python.startswith(constants.PYODIDE_PYTHON_VERSION + ".")
    wheels = [n for n in runtime.wanted(lock) if "wasm32" in n]
    assert wheels and all(f"pyemscripten_{PINS['pyodide']['abi']}" in n for n in wheels)


def test_the_version_is_written_once():
    """In code and settings; prose may name it, and tests may be about it."""
    found = subprocess.run(
        ["git", "grep", "-lF", PINS["pyodide"]["version"], "--", ".", ":!*.md", ":!*.lock"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stdout.split() == ["lite/pins.toml"]


def test_kernel_packages_are_pinned_and_installed_as_pinned():
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in PINS["kernel"]["packages"]:
        assert f"\n{name}=={importlib.metadata.version(name)} " in "\n" + locked
    assert "http" not in locked


def test_a_damaged_installed_file_is_not_packed(tmp_path, monkeypatch):
    (tmp_path / "module.py").write_text("damaged")
    entry = SimpleNamespace(
        as_posix=lambda: "module.py",
        locate=lambda: tmp_path / "module.py",
        hash=SimpleNamespace(mode="sha256", value="of the sound file"),
    )
    package = SimpleNamespace(files=[entry])
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: package)
    with pytest.raises(RuntimeError, match=r"module\.py is damaged"):
        list(pack.installed_files("anything"))


def test_the_kernel_has_no_native_code_and_nothing_left_out():
    names = pack.kernel_files()
    assert not [n for n in names if n.endswith((".so", ".pyd", ".pyc"))]
    assert not [n for n in names if n.startswith(("jedi/", "prompt_toolkit/", "psutil/"))]
    assert {"IPython/__init__.py", "pyodide_kernel/__init__.py", "tinytorch_lite.py"} <= set(names)


def test_the_lock_of_the_site_is_closed_and_has_no_late_packages_among_dependencies():
    packages = json.loads((pack.packed() / "packages.json").read_bytes())
    needed = {d for p in packages.values() for d in p["depends"]}
    assert needed <= set(packages)
    assert not needed & {*PINS["pyodide"]["late"], *PINS["pyodide"]["unused"]}
    for package in packages.values():
        assert runtime.sound(pack.packed() / package["file_name"], package["sha256"])


def test_archives_hold_bytecode_of_the_browsers_python():
    with zipfile.ZipFile(pack.packed() / "python.zip") as archive:
        code = archive.read("json/__init__.pyc")
        assert "json/__init__.py" not in archive.namelist()
    assert code[4:8] == b"\x01\x00\x00\x00"  # unchecked hash: no source is looked for
    if sys.version_info[:2] == tuple(map(int, PINS["pyodide"]["python"].split(".")[:2])):
        assert code[:4] == importlib.util.MAGIC_NUMBER


def test_our_wheel_keeps_its_sources_and_is_compiled():
    with zipfile.ZipFile(build.wheel()) as archive:
        names = archive.namelist()
    assert "tinytorch/tensor.py" in names
    assert any(re.fullmatch(r"tinytorch/__pycache__/tensor\.\S+\.pyc", n) for n in names)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contents")
    metadata = {"tinytorch": {"version": "abc"}}
    notebook = {"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (folder / "01_a.ipynb").write_text(json.dumps(notebook))
    (folder / "02_b.ipynb").write_text(json.dumps({**notebook, "metadata": {}}))
    pages = {"01_a.ipynb": {"title": "One </script>", "url": "../../content/one.html"}}
    (folder / "pages.json").write_text(json.dumps(pages))
    return folder


@pytest.fixture(scope="module")
def site(contents, tmp_path_factory):
    output = tmp_path_factory.mktemp("site") / "lite"
    build.build(contents, output)
    return output


def test_a_site_has_what_it_names(site, contents):
    config = json.loads((site / "jupyter-lite.json").read_bytes())["jupyter-config-data"]
    assert config["contentsStorageName"] == "tinytorch"  # the book's pages look there
    settings = config["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert (site / settings["pyodideUrl"]).is_file()
    assert settings["disablePyPIFallback"] is True
    lock = json.loads((site / "static/pyodide/pyodide-lock.json").read_bytes())
    for package in lock["packages"].values():
        assert runtime.sound(site / "static/pyodide" / package["file_name"], package["sha256"])
    worker = (site / "static/pyodide/worker.mjs").read_text()
    for path in re.findall(r'"(\.[^"]+)"', worker):
        assert (site / "static/pyodide" / path).is_file()
    listing = json.loads((site / "api/contents/all.json").read_bytes())["content"]
    notebooks = [f["path"] for f in listing if f["type"] == "notebook"]
    assert notebooks == ["01_a.ipynb", "02_b.ipynb"]
    for name in ("01_a.ipynb", "02_b.ipynb"):
        assert (site / "files" / name).read_bytes() == (contents / name).read_bytes()


def test_a_page_knows_its_notebooks(site):
    index = (site / "notebooks/index.html").read_text(encoding="utf-8")
    data = re.search(r'id="tt-data">(.*?)</script>', index)[1]
    pages = json.loads(data)["pages"]
    assert pages["01_a.ipynb"]["title"] == "One </script>"
    assert pages["01_a.ipynb"]["version"] == "abc"
    assert pages["02_b.ipynb"]["url"] == "../../content/modules/02_b.html"
    assert index.index('id="tt-bar"') < index.index('id="jupyterlite-loading-indicator"')


def test_nothing_superfluous_is_served(site):
    names = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    assert not [n for n in names if n.endswith((".map", ".eot", ".ttf"))]
    apps = {n.split("/")[0] for n in names if n.endswith("/index.html")}
    assert apps == {"notebooks"}
    assert sum(size.sizes(site).values()) == sum((site / n).stat().st_size for n in names)


def test_building_again_changes_nothing_and_removes_what_is_gone(site, contents):
    before = {p: p.stat().st_mtime_ns for p in site.rglob("*") if p.is_file()}
    (site / "files" / "old.ipynb").write_text("{}")
    build.build(contents, site)
    assert {p: p.stat().st_mtime_ns for p in site.rglob("*") if p.is_file()} == before
