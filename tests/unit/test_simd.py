"""tinytorch.simd where it does nothing (CPython), and what the build makes of it. What it does in a
browser: tests/site/test_simd_browser.py."""

import ctypes
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinytorch import simd
from tinytorch.simd import build, loops

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kernels")
    build.compile(folder)
    return folder


def test_on_cpython_nothing_happens_and_info_says_why():
    table = loops.LoopTable(np.matmul)
    before = [table.get(np.float32), table.get(np.float64)]
    info = simd.enable()
    assert info == simd.info()
    assert (info.kernel, info.file, info.sha256) == ("numpy", None, None)
    assert info.reason == f"this is Python on {sys.platform}, not in a browser"
    assert simd.disable().kernel == "numpy"
    assert before == [table.get(np.float32), table.get(np.float64)]


def test_unknown_kernel():
    with pytest.raises(ValueError, match="kernel is 'avx'"):
        simd.enable("avx")


def test_no_limit_is_known_without_a_kernel():
    assert simd.peak() is None
    with pytest.raises(ValueError, match="dtype is 'int32', expected 'float32' or 'float64'"):
        simd.peak(np.int32)


def test_two_kernels_and_their_checksums(kernels):
    about = json.loads((kernels / "kernels.json").read_text())
    assert tuple(about["kernels"]) == ("baseline", "relaxed")
    assert set(about["kernels"]) == set(simd.KERNELS)
    for entry in about["kernels"].values():
        data = (kernels / entry["file"]).read_bytes()
        assert data[:4] == b"\0asm"
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert str(ROOT).encode() not in data


def test_the_build_is_reproducible(kernels, tmp_path):
    for path in build.compile(tmp_path):
        assert path.read_bytes() == (kernels / path.name).read_bytes()


def test_a_kernel_is_checked_before_it_is_used(kernels, tmp_path, monkeypatch):
    monkeypatch.setattr(simd, "FOLDER", tmp_path)
    for path in kernels.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path, digest = simd._checked("relaxed")
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(simd._Damaged, match=r"relaxed\.wasm is damaged: sha256 \w+, expected"):
        simd._checked("relaxed")
    simd._checked("baseline")
    path.unlink()
    with pytest.raises(FileNotFoundError):
        simd._checked("relaxed")


def test_the_compiler_refusing_the_source_is_an_error(tmp_path):
    source = tmp_path / "bad.c"
    source.write_text("int f(void) { return x; }")
    with pytest.raises(RuntimeError, match="undeclared identifier 'x'"):
        build.side_module(source, tmp_path / "bad.wasm")


def test_the_wheel(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.whl")
    assert path.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(path) as wheel:
        compiled = [i for i in wheel.infolist() if i.filename.endswith(".wasm")]
        assert {i.filename for i in compiled} == {
            "tinytorch/simd/matmul-baseline.wasm",
            "tinytorch/simd/matmul-relaxed.wasm",
        }
        assert sum(i.file_size for i in compiled) < 100_000
        about = json.loads(wheel.read("tinytorch/simd/kernels.json"))
        for entry in about["kernels"].values():
            data = wheel.read(f"tinytorch/simd/{entry['file']}")
            assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_nothing_compiled_is_in_the_repository():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not [f for f in done.stdout.split() if f.endswith((".wasm", ".so", ".o"))]


def test_the_loop_table_reads_numpys_and_writes_it():
    table = loops.LoopTable(np.matmul)
    own = {d: table.get(d) for d in (np.float32, np.float64)}
    assert all(own.values()) and len(set(own.values())) == 2
    x = np.arange(12.0).reshape(3, 4)
    try:  # the loop for float64 under float32's name: np.matmul must follow
        table.put(np.float32, own[np.float64])
        assert table.get(np.float32) == own[np.float64]
    finally:
        table.put(np.float32, own[np.float32])
    assert (x.astype("f4") @ x.T.astype("f4") == x @ x.T).all()


def test_a_table_that_differs_is_left_alone(monkeypatch):
    class Shifted(ctypes.Structure):
        _fields_ = (("new", ctypes.c_void_p), *loops._UFunc._fields_)

    monkeypatch.setattr(loops, "_UFunc", Shifted)
    with pytest.raises(loops.TableDiffers, match="matmul: found"):
        loops.LoopTable(np.matmul)
