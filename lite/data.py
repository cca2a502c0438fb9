"""The data the site carries: fetched, verified and packed once, kept in the cache.

`tinytorch.data` knows what the data is and how to check it; here is only where it stands on the
site. Run as `python -m lite.data` it says what is there, or what is missing and what to do.
"""

from __future__ import annotations

from pathlib import Path

from tinytorch.data import DATA_SETS

FOLDER = "static/data"  # `tinytorch.data.files.from_site` reads from here


def data_files() -> dict[str, Path]:
    """Path on the site -> file in the cache.

    Raises tinytorch.data.DataMissing, naming what could not be had.
    """
    files = [data.packed_file() for data in DATA_SETS]
    return {f"{FOLDER}/{file.name}": file for file in files}


if __name__ == "__main__":
    for name, path in data_files().items():
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {name}")
