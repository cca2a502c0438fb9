"""A small static server for looking at the built site: `python -m lite.serve FOLDER PORT`.

It answers as a static host would, with the types browsers insist on and the headers of `_headers`.
"""

from __future__ import annotations

import errno
import http.server
import sys
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from lite import policy


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar[dict[str, str]] = {  # type: ignore[misc]
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".ipynb": "application/json",
        ".svg": "image/svg+xml",
        ".whl": "application/zip",
        ".webmanifest": "application/manifest+json",
    }

    def end_headers(self) -> None:
        for name, value in policy.headers().items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-cache")  # ask again, and be told 304
        super().end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A tab that is closed in the middle of an answer is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server(folder: Path, port: int = 0) -> Server:
    """A server of `folder` on 127.0.0.1; port 0 takes a free one. Raises OSError if it is taken."""
    return Server(("127.0.0.1", port), partial(Handler, directory=str(folder)))


def main(folder: str, port: str) -> int:
    try:
        site = server(Path(folder), int(port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        other = int(port) + 1
        print(f"Port {port} is in use. Try: make serve PORT={other}", file=sys.stderr)
        return 1
    print(f"TinyTorch is at http://127.0.0.1:{site.server_port}/  (Ctrl+C stops it)", flush=True)
    try:
        site.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
