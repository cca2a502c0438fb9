"""The data the site carries: fetched, verified and packed once, kept in the cache.

`tinytorch.data` knows what the data is and how to check it; here is only where it stands on the
site. Run as `python -m lite.data` it says what is there, or what is missing and what to do.
"""

from __future__ import annotations

from pathlib import Path

from tinytorch.data.mnist import packed_file

FOLDER = "static/data"  # `tinytorch.data.files.from_site` reads from here


def data_files() -> dict[str, Path]:
    """Path on the site -> file in the cache.

    Raises tinytorch.data.DataMissing, naming what could not be had.
    """
    mnist = packed_file()
    return {f"{FOLDER}/{mnist.name}": mnist}


if __name__ == "__main__":
    for name, path in data_files().items():
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {name}")
