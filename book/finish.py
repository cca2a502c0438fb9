"""After the pages: what is left over goes, a way in comes, then notebooks and the live site.

Each step is a function of its own, in the order in which `finish` runs them.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from . import course, notebook

log = logging.getLogger(__name__)
UNUSED = ("_static/**/*.map", "_static/*macros.html", "objects.inv")  # what no page asks for


def finish(app: Sphinx, problem: Exception | None) -> None:
    """Complete a built site. Warnings make the build fail: then nothing is made of it."""
    if problem:
        return
    if app._warncount:
        forget(app)
        log.info("Warnings are errors here: no notebooks are made.")
        return
    if app.builder.name != "html":
        return
    out = Path(app.outdir)
    remove_unused(out, plots={name for _, name in app.env.images.values()})
    flatten_theme(out)
    write_entrance(out, f"{app.config.root_doc}.html")
    contents = out.parent / "contents"
    write_notebooks(contents, {name: t.astext() for name, t in app.env.titles.items()})
    write_live_site(contents, out)


def forget(app: Sphinx) -> None:
    """Pages that caused a warning count as read; forget them, so that they are read again."""
    (Path(app.doctreedir) / ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def remove_unused(out: Path, plots: set[str]) -> None:
    """Remove what no page asks for, and the plots of earlier builds.

    plots: the names of those that are shown; a plot's name is its content's hash.
    """
    for pattern in UNUSED:
        for path in out.glob(pattern):
            path.unlink()
    for path in (out / "_images").glob("*"):
        if path.name not in plots:
            path.unlink()


def flatten_theme(out: Path) -> None:
    """One request fewer: the theme's first sheet is nothing but an import of another."""
    basic = (out / "_static" / "basic.css").read_text(encoding="utf-8")
    basic = re.sub(r"url\(([\"']?)(?!data:)", r"url(\1../", basic)
    (out / "_static" / "styles" / "theme.css").write_text(basic, encoding="utf-8")


def write_entrance(out: Path, home: str) -> None:
    """The site's root leads to its home page."""
    (out / "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>TinyTorch</title>\n'
        f'<link rel="icon" href="_static/favicon.svg">\n'
        f'<meta http-equiv="refresh" content="0; url={home}">\n'
        f'<a href="{home}">TinyTorch</a>\n</html>\n',
        encoding="utf-8",
    )


def write_notebooks(contents: Path, page_titles: dict[str, str]) -> None:
    """A notebook for each page that has cells. `page_titles`: docname -> its heading.

    Raises ExtensionError, with file and line, for what has no form in a notebook.
    """
    titles = {page.id: page.full_title for page in course.all_pages()}
    for name, title in page_titles.items():
        titles.setdefault(Path(name).name, title)
    try:
        names = notebook.write_all(contents, titles)
    except notebook.PageError as error:
        raise ExtensionError(str(error)) from None
    log.info("notebooks: %s", ", ".join(names))


def write_live_site(contents: Path, out: Path) -> None:
    """JupyterLite with these notebooks, the site's policy, and what offline needs, in this order:
    the service worker has the hash of every file."""
    from lite import build, offline, policy

    build.build(contents, out / "lite")
    policy.write(out)
    offline.build(out)
