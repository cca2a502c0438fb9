"""The data: verified, fetched from whatever source has it, and one clear error otherwise."""

import dataclasses
import gzip
import hashlib
import io
import re
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest

from tinytorch import data
from tinytorch.data import DATA_SETS, DataMissing, dataset, files, mnist, sources

FOLDER = "the folder in TINYTORCH_MIRROR"
mnist_module = sys.modules["tinytorch.data.mnist"]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A world in which MNIST is 30 + 10 images: the four files by name, and an empty cache."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (30, 28, 28)).astype(np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 30).astype(np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (10, 28, 28)).astype(np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 10).astype(np.uint8),
    }
    originals = {n: mnist_module.header(a) + a.tobytes() for n, a in arrays.items()}
    digests = {n: hashlib.sha256(d).hexdigest() for n, d in originals.items()}
    monkeypatch.setattr(mnist_module, "SHA256", digests)
    there = sources.mirror("mnist"), sources.official("http://127.0.0.1:9/")  # nothing listens
    declared = dataclasses.replace(mnist_module.MNIST, sha256=digests, sources=there)
    monkeypatch.setattr(mnist_module, "MNIST", declared)
    monkeypatch.setenv("TINYTORCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYTORCH_MIRROR", raising=False)
    mnist.cache_clear()
    yield originals
    mnist.cache_clear()


def mirror(folder, monkeypatch, originals, change=lambda name, data: data):
    folder.mkdir()
    for name, content in originals.items():
        (folder / name).write_bytes(change(name, content))
    monkeypatch.setenv("TINYTORCH_MIRROR", str(folder))


def test_the_framework_alone_loads_nothing_of_the_network():
    asked = "import sys, tinytorch; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert "tinytorch.tensor" in loaded.stdout
    for name in ("ssl", "http", "urllib.request", "tarfile", "email", "tinytorch.data"):
        assert name not in loaded.stdout.split(), name


def test_every_data_set_has_a_name_of_its_own():
    assert len({data.packed for data in DATA_SETS}) == len(DATA_SETS)
    for declared in DATA_SETS:
        assert declared.title and declared.sha256 and declared.sources
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in declared.sha256.values())


def test_the_real_thing():
    train, test = data.mnist()
    assert train.images.shape == (60000, 28, 28) and test.images.shape == (10000, 28, 28)
    assert train.images.dtype == np.uint8 and train.labels.dtype == np.int64
    assert train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]  # as every account of MNIST shows
    assert np.bincount(test.labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert round(train.images.mean() / 255, 4) == 0.1307
    with pytest.raises(ValueError, match="read-only"):
        train.images[0] = 0


def test_a_mirror_is_read_plain_or_compressed(small, tmp_path, monkeypatch):
    mirror(tmp_path / "m", monkeypatch, small)
    path = tmp_path / "m" / "t10k-images-idx3-ubyte"
    (tmp_path / "m" / "mnist").mkdir()
    with gzip.open(tmp_path / "m" / "mnist" / f"{path.name}.gz", "wb") as out:
        out.write(path.read_bytes())
    path.unlink()
    train, test = mnist()
    assert train.images.tobytes() == small["train-images-idx3-ubyte"][16:]
    assert test.images.tobytes() == small["t10k-images-idx3-ubyte"][16:]
    assert test.labels.tolist() == list(small["t10k-labels-idx1-ubyte"][8:])


def test_the_second_time_it_comes_from_the_cache(small, tmp_path, monkeypatch):
    mirror(tmp_path / "m", monkeypatch, small)
    first = mnist_module.MNIST.packed_file().read_bytes()
    shutil.rmtree(tmp_path / "m")
    assert len(mnist()[0].labels) == 30
    assert mnist_module.pack(small) == first  # packing is reproducible


@pytest.mark.parametrize("cut", [0, 1000, -1])
def test_a_damaged_cache_is_fetched_again(small, tmp_path, monkeypatch, cut):
    mirror(tmp_path / "m", monkeypatch, small)
    path = mnist_module.MNIST.packed_file()
    path.write_bytes(path.read_bytes()[:cut])
    assert len(mnist()[0].labels) == 30
    mnist_module.unpack(path.read_bytes(), "the cache")


def test_missing_everywhere_is_one_clear_error(small):
    with pytest.raises(DataMissing) as error:
        mnist()
    text = str(error.value)
    assert "could not get train-images-idx3-ubyte, train-labels-idx1-ubyte" in text
    assert f"Tried {FOLDER}, the official download (TINYTORCH_MIRROR is not set)" in text
    assert "put the original files into a folder and set TINYTORCH_MIRROR to it" in text


@pytest.mark.parametrize(
    "change",
    [lambda d: d[:-5], lambda d: d[:10] + bytes([d[10] ^ 1]) + d[11:], lambda d: b""],
    ids=["truncated", "one bit", "empty"],
)
def test_a_damaged_mirror_is_named(small, tmp_path, monkeypatch, change):
    name = "t10k-labels-idx1-ubyte"
    mirror(tmp_path / "m", monkeypatch, small, lambda n, d: change(d) if n == name else d)
    with pytest.raises(DataMissing, match=f"{name} from {FOLDER} is damaged or cut short"):
        mnist()
    assert not (tmp_path / "cache").exists()  # nothing half-good is kept


def test_a_damaged_archive_of_a_mirror_is_named(small, tmp_path, monkeypatch):
    mirror(tmp_path / "m", monkeypatch, small)
    path = tmp_path / "m" / "train-images-idx3-ubyte"
    whole = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataMissing, match=f"train-images-idx3-ubyte from {FOLDER} is damaged"):
        mnist()


@pytest.mark.parametrize("end", [0, 10, 3000, -1, -40])
def test_a_cut_file_says_so(small, end):
    whole = mnist_module.pack(small)
    with pytest.raises(DataMissing, match=r"MNIST: the site's file is damaged or cut short \(\d"):
        mnist_module.unpack(whole[:end], "the site's file")


def test_a_file_of_other_numbers_says_so(small):
    out = io.BytesIO()
    arrays = {n: mnist_module.from_idx(d).copy() for n, d in small.items()}
    arrays["t10k-images-idx3-ubyte"][3, 4, 5] ^= 1
    np.savez_compressed(out, **arrays)
    with pytest.raises(DataMissing, match=r"t10k-images-idx3-ubyte has sha256 \w+…, not"):
        mnist_module.unpack(out.getvalue(), "it")


# In the tab: a stand-in for the browser, which answers as servers do


class Server:
    """XMLHttpRequest's side of the world: `content` by path, or a status, or no connection."""

    def __init__(self, content: bytes, ranges: bool = True, status: int = 0, dies_at: int = -1):
        self.content, self.ranges, self.status, self.dies_at = content, ranges, status, dies_at
        self.requests: list[tuple[str, dict]] = []


@pytest.fixture
def tab(monkeypatch):
    """`tab(server)` makes tinytorch.data believe it runs in a tab of a site with that server."""

    class JsException(Exception):
        pass

    def enter(server: Server) -> None:
        class Request:
            def open(self, method, url, asynchronous):
                assert (method, asynchronous) == ("GET", False)
                self.url, self.headers = url, {}

            def setRequestHeader(self, name, value):
                self.headers[name] = value

            def getResponseHeader(self, name):
                return self.answer[name]

            def send(self, body):
                server.requests.append((self.url, self.headers))
                start, end = map(int, re.findall(r"\d+", self.headers["Range"]))
                if 0 <= server.dies_at <= start:
                    raise JsException("NetworkError")
                part = server.content[start : end + 1] if server.ranges else server.content
                self.status = server.status or (206 if server.ranges else 200)
                last = start + len(part) - 1
                self.answer = {"Content-Range": f"bytes {start}-{last}/{len(server.content)}"}
                self.response = types.SimpleNamespace(to_bytes=lambda: part)

        js = types.ModuleType("js")
        js.tinytorchBase = "https://site.example/lite/static/pyodide/"
        js.XMLHttpRequest = types.SimpleNamespace(new=Request)
        js.URL = types.SimpleNamespace(
            new=lambda path, base: types.SimpleNamespace(href=base + path)
        )
        ffi = types.ModuleType("pyodide.ffi")
        ffi.JsException, ffi.to_js = JsException, bytes
        monkeypatch.setitem(sys.modules, "js", js)
        monkeypatch.setitem(sys.modules, "pyodide", types.ModuleType("pyodide"))
        monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
        monkeypatch.setattr(dataset, "IN_BROWSER", True)
        monkeypatch.setattr(files, "CHUNK", 4096)
        mnist.cache_clear()

    return enter


@pytest.mark.parametrize("ranges", [True, False])
def test_in_the_tab_it_comes_from_the_site(small, tab, ranges, capsys):
    whole = mnist_module.pack(small)
    tab(server := Server(whole, ranges))
    train, _ = mnist()
    assert train.images.tobytes() == small["train-images-idx3-ubyte"][16:]
    assert server.requests[0][0].endswith("/lite/static/pyodide/../data/mnist.npz")
    assert len(server.requests) == (-(-len(whole) // 4096) if ranges else 1)
    shown = capsys.readouterr().out
    assert "mnist.npz" in shown and "100%" in shown


def test_in_the_tab_a_missing_file_says_so(small, tab):
    tab(Server(b"not found", status=404))
    with pytest.raises(DataMissing, match=r"mnist.npz is not on this site .*answers 404"):
        mnist()


def test_in_the_tab_a_lost_connection_says_so(small, tab):
    tab(Server(mnist_module.pack(small), dies_at=4096))
    with pytest.raises(DataMissing, match="Check that you are online and run the cell again"):
        mnist()


def test_in_the_tab_a_damaged_file_is_asked_for_once_more(small, tab):
    tab(server := Server(mnist_module.pack(small)[:-9]))
    with pytest.raises(DataMissing, match="as this site sends it is damaged or cut short"):
        mnist()
    fresh = [h.get("Cache-Control") for _, h in server.requests]
    assert fresh == [None] * (len(fresh) // 2) + ["no-cache"] * (len(fresh) // 2)


# Ours


def test_digits_are_the_same_for_the_same_seed():
    one, two, other = data.digits(50, seed=3), data.digits(50, seed=3), data.digits(50, seed=4)
    assert np.array_equal(one.images, two.images) and np.array_equal(one.labels, two.labels)
    assert not np.array_equal(one.images, other.images)


def test_digits_are_images_of_ten_classes():
    d = data.digits(200, size=12)
    assert d.images.shape == (200, 12, 12) and d.images.dtype == np.uint8
    assert np.bincount(d.labels).tolist() == [20] * 10 and d.labels.dtype == np.int64
    assert (d.images.reshape(200, -1).max(1) > 100).all()  # each has ink
    border = [d.images[:, 0], d.images[:, -1], d.images[:, :, 0], d.images[:, :, -1]]
    assert np.mean([b.mean() for b in border]) < 8  # and it is not cut off at the edge
    assert data.digits(0).images.shape == (0, 16, 16)
    with pytest.raises(ValueError, match="size=4"):
        data.digits(10, size=4)


def test_digits_can_be_told_apart_but_not_by_a_ruler():
    """Nearest neighbors in other digits' company: learnable. Nearest class mean: not trivial."""
    train, test = data.digits(1000, seed=1), data.digits(300, seed=2)
    a, b = (d.images.reshape(len(d.images), -1) / 255 for d in (train, test))
    means = np.stack([a[train.labels == k].mean(0) for k in range(10)])
    by_mean = ((b[:, None] - means) ** 2).sum(-1).argmin(1)
    by_neighbor = train.labels[((b[:, None] - a[None]) ** 2).sum(-1).argmin(1)]
    assert (by_neighbor == test.labels).mean() > 0.93
    assert (by_mean == test.labels).mean() < (by_neighbor == test.labels).mean()


@pytest.mark.parametrize("seed", range(5))
def test_separable_points_have_a_line_between_them(seed):
    x, y = data.separable(80, seed, margin=0.15)
    assert x.shape == (80, 2) and x.dtype == np.float32 and np.bincount(y).tolist() == [40, 40]
    turns = np.linspace(0, 2 * np.pi, 2000)
    gaps = []
    for t in turns:  # the widest gap over all directions is a line with room on both sides
        side = x @ np.array([np.cos(t), np.sin(t)])
        gaps.append(side[y == 1].min() - side[y == 0].max())
    assert max(gaps) > 0.28  # twice the margin, less the coarseness of the directions


def test_separable_refuses_a_margin_without_room():
    with pytest.raises(ValueError, match=r"between 0 and 0\.5, got 0.9"):
        data.separable(10, margin=0.9)


def test_xor_is_the_sign_of_a_product():
    x, y = data.xor(4, noise=0)
    assert sorted(x.tolist()) == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert np.array_equal(y, x[:, 0] * x[:, 1] < 0)
    x, y = data.xor(400)
    assert ((x[:, 0] * x[:, 1] < 0) == y).mean() > 0.99 and np.bincount(y).tolist() == [200, 200]
