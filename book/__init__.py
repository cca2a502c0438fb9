"""The Sphinx side: exercises on pages, the course's navigation, and the notebooks.

build.py       what comes before and around the pages: settings, static files, their templates
finish.py      what comes after them: tidying up, notebooks, the live site
course.py      the course as templates see it: which pages exist, order, titles, addresses
directives.py  {exercise}, {course}, and the head of each module's page
tour.py        pictures of the site for the quick start, taken in a browser after the build
notebook.py    from a page to a student's notebook
templates/     pieces of HTML; static/: our css and js
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    from . import build, directives, tour

    build.setup(app)
    directives.setup(app)
    tour.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
