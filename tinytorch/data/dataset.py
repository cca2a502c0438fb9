"""What a data set is: declared files with their hashes, sources to get them from, one packed file.

The originals are fetched once, verified, packed into one file and kept in the cache; the site
carries that file, and the tab reads it from there. Build, tab and terminal all go by the
declaration. What the bytes mean, and the shapes of the arrays, is the data set's own business.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..progress_bar import IN_BROWSER
from .files import DataMissing, cache_dir, from_site, write
from .sources import Source


class Damaged(DataMissing):
    """The bytes are there, and they are not the data."""


@dataclass(frozen=True)
class DataSet:
    """A data set that is fetched.

    title: what people call it. packed: the name of the one file that is kept.
    sha256: for each original file, as it is when not compressed, its hash.
    sources: where originals may come from, in the order they are tried.
    pack: original files by name -> the packed file's bytes, the same every time.
    unpack: (bytes, where they came from) -> the data. Raises Damaged, naming where.
    """

    title: str
    packed: str
    sha256: Mapping[str, str]
    sources: tuple[Source, ...]
    pack: Callable[[dict[str, bytes]], bytes]
    unpack: Callable[[bytes, str], Any]

    def load(self) -> Any:
        """The data, from the site in a tab, from the cache or the sources elsewhere.

        Raises DataMissing when it cannot be had or is damaged; the message says what to do.
        """
        if not IN_BROWSER:
            return self._kept()
        try:
            return self.unpack(from_site(self.packed), f"{self.packed} as the browser has it")
        except Damaged:
            again = from_site(self.packed, again=True)
            return self.unpack(again, f"{self.packed} as this site sends it")

    def packed_file(self) -> Path:
        """The one packed file, complete and verified: what a site is given. Raises as `load`."""
        self._kept()
        return self._path

    @property
    def _path(self) -> Path:
        return cache_dir() / self.packed

    def _kept(self) -> Any:
        try:
            return self.unpack(self._path.read_bytes(), str(self._path))
        except (FileNotFoundError, Damaged):  # a damaged file counts as a missing one
            data = self.pack(self.originals())
            write(self._path, data)
            return self.unpack(data, str(self._path))

    def originals(self) -> dict[str, bytes]:
        """The original files, from whichever source has them, verified. Raises DataMissing."""
        found: dict[str, bytes] = {}
        damaged = []
        for source in self.sources:
            missing = [name for name in self.sha256 if name not in found]
            for name, data in (source(missing) if missing else {}).items():
                if hashlib.sha256(data).hexdigest() == self.sha256[name]:
                    found[name] = data
                else:
                    come = f"is damaged or cut short ({len(data):,} bytes)"
                    damaged.append(f"{name} from {source.label} {come}")
        missing = [name for name in self.sha256 if name not in found]
        if missing:
            folder = os.environ.get("TINYTORCH_MIRROR") or "not set"
            tried = ", ".join(source.label for source in self.sources)
            raise DataMissing(
                f"{self.title}: could not get {', '.join(missing)}. Tried {tried} "
                f"(TINYTORCH_MIRROR is {folder})."
                + "".join(f" {text}." for text in damaged)
                + " Check the network, or put the original files into a folder and set "
                "TINYTORCH_MIRROR to it."
            )
        return found
