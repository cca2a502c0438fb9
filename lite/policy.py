"""The Content-Security-Policy of every page: what a page of this site may load, and from where.

It is written twice, from one text: into each page as a <meta>, which holds on any host, and into
`_headers`, which some static hosts (Netlify, Cloudflare Pages) send as real headers, and lite.serve
too. Only headers reach workers, and only they can say who may put the site into a frame.
"""

from __future__ import annotations

import re
from pathlib import Path

SELF = "'self'"
COMMON = {
    "default-src": SELF,
    "style-src": "'self' 'unsafe-inline'",  # the theme, plots, JupyterLab
    "img-src": "'self' data: blob:",  # plots
    "font-src": "'self' data:",
    "connect-src": SELF,
    "worker-src": SELF,
    "frame-src": SELF,  # the notebook over the page
    "object-src": "'none'",
    "base-uri": SELF,
    "form-action": SELF,  # the search
}
BOOK = {"script-src": "'self' 'unsafe-inline'"}  # the theme's own lines, and HTML outputs of cells
# Pyodide compiles WebAssembly; JupyterLab makes functions out of its settings' schemas.
NOTEBOOK = {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'"}
HEADER_ONLY = {"frame-ancestors": SELF}
META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
PLACE = re.compile(r"<meta charset=[^>]*>\s*|<head\b[^>]*>\s*(?!.*<meta charset=)", re.I | re.S)


def policy(*parts: dict[str, str]) -> str:
    """The policy's text: later parts replace what earlier ones say."""
    merged = {name: value for part in (COMMON, *parts) for name, value in part.items()}
    return "; ".join(f"{name} {value}" for name, value in merged.items())


def with_policy(page: str, text: str) -> str:
    """A page's HTML with this policy, in place of one it has. It stands before anything is loaded.

    Raises ValueError for a page with neither a <meta charset> nor a <head>.
    """
    page = META.sub("", page)
    place = PLACE.search(page)
    if place is None:
        raise ValueError("the page has no <meta charset> or <head>, after which its policy stands")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{text}">\n'
    return page[: place.end()] + meta + page[place.end() :]


def headers() -> dict[str, str]:
    """What a host that can send headers sends with every file; a page's own policy is stricter."""
    return {
        "Content-Security-Policy": policy(NOTEBOOK, HEADER_ONLY),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def write(site: Path) -> None:
    """Put the policy into every page of a built site, and `_headers` beside them.

    Raises ValueError, naming the page, where it cannot stand.
    """
    for path in sorted(site.rglob("*.html")):
        kind = NOTEBOOK if path.is_relative_to(site / "lite") else BOOK
        before = path.read_text(encoding="utf-8")
        try:
            after = with_policy(before, policy(kind))
        except ValueError as problem:
            raise ValueError(f"{path.relative_to(site)}: {problem}") from None
        if after != before:
            path.write_text(after, encoding="utf-8")
    lines = ["/*", *(f"  {name}: {value}" for name, value in headers().items())]
    (site / "_headers").write_text("\n".join(lines) + "\n", encoding="utf-8")
