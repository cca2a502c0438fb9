"""Where bytes come from: a folder, an address, the site this page belongs to.

Nothing here knows what a file means. Whoever asks must check what it gets, since any of these may
hand over half a file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..progress_bar import progress_bar

CONNECT_SECONDS = 3
# Bytes asked for at a time: often enough for a progress bar, rarely enough to be quick.
CHUNK = 1 << 20
KEPT = "tinytorch-data"  # the browser's Cache Storage; the service worker answers from it offline


class DataMissing(RuntimeError):
    """Raised when data cannot be had or is damaged; the message says what to do."""


def cache_dir() -> Path:
    """Where fetched data is kept: `TINYTORCH_CACHE`, or ~/.cache/tinytorch."""
    return Path(os.environ.get("TINYTORCH_CACHE") or Path.home() / ".cache" / "tinytorch")


def write(path: Path, data: bytes) -> None:
    """Write whole or not at all: another process may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def download(url: str) -> bytes | None:
    """The bytes at an address, with a progress bar on a terminal; None if it cannot be reached."""
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as reply:
            total = int(reply.headers.get("Content-Length") or 0)
            shown = total > CHUNK and sys.stderr.isatty()
            advance = _bar(url.rsplit("/", 1)[1], total, sys.stderr) if shown else _nothing
            parts = []
            while part := reply.read(CHUNK):
                parts.append(part)
                advance(len(part))
    except (OSError, ValueError):
        return None
    return b"".join(parts)


def from_site(name: str, again: bool = False) -> bytes:
    """A file of the site's data folder, read from inside the notebook's kernel.

    It is asked for in pieces, so that progress shows even though Python is blocked meanwhile; a
    server that does not know pieces sends the whole at once, which is as good. `again` goes past
    what the browser has kept.

    Raises DataMissing when the site does not have it or cannot be reached.
    """
    import js
    from pyodide.ffi import JsException

    url = js.URL.new(f"../data/{name}", js.tinytorchBase).href
    parts: list[bytes] = []
    done, total = 0, 1
    advance: Callable[[int], Any] = _nothing
    while done < total:
        request = js.XMLHttpRequest.new()
        request.open("GET", url, False)  # in a worker a request may block
        request.responseType = "arraybuffer"
        request.setRequestHeader("Range", f"bytes={done}-{done + CHUNK - 1}")
        if again:
            request.setRequestHeader("Cache-Control", "no-cache")
        try:
            request.send(None)
        except JsException as error:
            raise DataMissing(
                f"{name} could not be fetched: {done / 1e6:.1f} MB had come when the connection "
                f"failed. Check that you are online and run the cell again."
            ) from error
        if request.status not in (200, 206):
            raise DataMissing(
                f"{name} is not on this site ({url} answers {request.status}). Whoever built the "
                "site can add it: `python -m lite.data` says what is missing."
            )
        part = request.response.to_bytes()
        if request.status == 200:  # the whole, in answer to the first request
            parts, total = [part], len(part)
        else:
            total = int(request.getResponseHeader("Content-Range").rsplit("/", 1)[1])
            parts.append(part)
        if not done:
            advance = _bar(name, total, sys.stdout)
        done += len(part)
        advance(len(part))
        if not part:
            break
    data = b"".join(parts)
    _keep(url, data)
    return data


def _keep(url: str, data: bytes) -> None:
    """Put a file into the browser's Cache Storage once Python is idle; losing it costs a fetch."""
    import asyncio

    import js
    from pyodide.ffi import JsException, to_js

    if not hasattr(js, "caches"):  # only secure origins have it
        return

    async def put() -> None:
        try:
            cache = await js.caches.open(KEPT)
            await cache.put(url, js.Response.new(to_js(data)))
        except JsException:
            pass  # a full disk, a private window

    asyncio.ensure_future(put())  # noqa: RUF006 - the browser's event loop holds it


def _bar(name: str, total: int, stream: Any) -> Callable[[int], Any]:
    """The advance(bytes) of a progress bar that ends with the last byte."""
    bar = progress_bar(total, name, stream, unit="B", unit_scale=True)
    if bar is None:
        return _nothing

    def advance(count: int) -> None:
        bar.update(count)
        if bar.n >= total:
            bar.close()

    return advance


def _nothing(count: int) -> None:
    pass
