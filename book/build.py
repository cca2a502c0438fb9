"""What surrounds the pages: settings, static files, and what each page's templates need."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from . import course, notebook
from .finish import finish

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent
# In their order: the course, what reads progress, what shows it.
SCRIPTS = (
    *("course.js", "progress.js", "marks.js", "journey.js"),
    *("live.js", "reach.js", "work.js", "offline.js"),
)


def hash_of(*paths: str) -> str:
    """A short hash over files of the repository, and over all files below its folders."""
    digest = hashlib.sha256()
    for name in paths:
        root = ROOT / name
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def configure(app: Sphinx, config: Config) -> None:
    """Point Sphinx at our files, and give cells the repository's tinytorch and a plain setting."""
    outputs = hash_of("tinytorch", "book/matplotlibrc")
    names = [p.relative_to(ROOT).as_posix() for p in sorted(notebook.CONTENT.rglob("*.md"))]
    # Pages show the map, signatures and outputs: when any of these change, all are read again.
    config.tinytorch_state = f"{outputs} {hash_of('book')} {' '.join(names)}"

    # The theme copies its logo to _static before Sphinx makes that folder.
    (Path(app.outdir) / "_static").mkdir(parents=True, exist_ok=True)
    generated = Path(app.outdir).parent / "static"
    write_static(generated)
    config.html_static_path = [str(generated), str(HERE / "static")]
    config.templates_path = [str(course.TEMPLATES), *config.templates_path]
    config.html_js_files = [(name, {"defer": "defer"}) for name in SCRIPTS]
    config.html_css_files = ["book.css"]

    # Cached outputs belong to the framework and the style that made them.
    caches = Path(app.outdir).parent / ".jupyter_cache"
    for old in caches.glob("*"):
        if old.name != outputs:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    config.nb_execution_cache_path = str(caches / outputs)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
    )
    # Pages show the reference's outputs, whatever this machine's user has built or configured: the
    # folder of work is an empty one, below the temporary folder that a page's cells run in.
    os.environ["TINYTORCH_HOME"] = "my_tinytorch"
    os.environ["MATPLOTLIBRC"] = str(HERE / "matplotlibrc")
    os.environ["IPYTHONDIR"] = str(write_profile(generated.parent / ".ipython"))


def write_static(folder: Path) -> None:
    """The static files that are made: the course for our scripts, the part of MathJax we use."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "course.js").write_text(course.script(), encoding="utf-8")
    shutil.copy(ROOT / "lite" / "offline.js", folder)
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    assert spec and spec.submodule_search_locations
    source = Path(spec.submodule_search_locations[0]) / "static" / "mathjax"
    fonts = "output/chtml/fonts/woff-v2"
    if not (folder / "mathjax").is_dir():
        shutil.copytree(source / fonts, folder / "mathjax" / fonts)
        shutil.copy(source / "tex-chtml.js", folder / "mathjax")


def write_profile(folder: Path) -> Path:
    """An IPython profile for the build: vector plots, errors without the paths of this machine."""
    settings = {
        "InlineBackend": {"figure_formats": ["svg"], "rc": {}},
        "InteractiveShell": {"xmode": "Minimal"},
        "HistoryManager": {"enabled": False},
    }
    (folder / "profile_default").mkdir(parents=True, exist_ok=True)
    path = folder / "profile_default" / "ipython_config.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return folder


def page_context(
    app: Sphinx,
    docname: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """What our templates need, and the order of pages as the map has it."""
    here = course.page_of(docname)
    listed = app.env.toctree_includes.get(app.config.root_doc, [])
    first = next((i for i, name in enumerate(listed) if course.page_of(name)), len(listed))
    before = [(name, app.env.titles[name].astext()) for name in listed[:first]]
    after = [
        (name, app.env.titles[name].astext())
        for name in listed[first:]
        if course.page_of(name) is None
    ]
    context.update(
        tt_acts=[(act, course.pages_of(act)) for act in course.COURSE.acts],
        tt_before=before,
        tt_after=after,
        tt_page=here,
        tt_live=course.live(docname),
        tt_live_url=course.live_url,
        tt_start_label=course.start_label,
        tt_docname=docname,
    )
    pathto = context["pathto"]
    context["metatags"] = context.get("metatags", "") + (
        f'\n<link rel="manifest" href="{pathto("manifest.webmanifest", 1)}">'
        f'\n<link rel="apple-touch-icon" href="{pathto("_static/icon-apple.png", 1)}">'
    )
    if here:
        context["title"] = here.full_title
    order = [(app.config.root_doc, "Home"), *before]
    order += [(p.docname, f"{p.label} {p.title}".strip()) for p in course.all_pages() if p.exists]
    order += after
    names = [name for name, _ in order]
    if docname in names:
        at = names.index(docname)
        around: dict[str, tuple[str, str] | None] = {
            "prev": order[at - 1] if at else None,
            "next": order[at + 1] if order[at + 1 :] else None,
        }
        for key, to in around.items():
            uri = to and app.builder.get_relative_uri(docname, to[0])
            context[key] = {"link": uri, "title": to[1]} if to else None
    else:
        context["prev"] = context["next"] = None


def finish_plots(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give plots a frame to scroll in and a text: their own words, left in the file as comments."""
    for image in list(doctree.findall(nodes.image)):
        if not image["uri"].endswith(".svg") or "jupyter_execute" not in image["uri"]:
            continue
        words = re.findall(r"<!-- (.*?) -->", (Path(app.srcdir) / image["uri"]).read_text("utf-8"))
        words = [w for w in dict.fromkeys(words) if re.search(r"[A-Za-z]", w) and "\\" not in w]
        image.setdefault("alt", "Plot. " + "; ".join(words) if words else "Plot")
        # The theme's script lets the keyboard scroll an `.output` that is too wide.
        image.replace_self(nodes.container("", image.deepcopy(), classes=["output", "tt-plot"]))


def setup(app: Sphinx) -> None:
    app.keep_going = True  # any warning gives exit status 1, with the bare command too
    for unused in ("comments_config", "use_jupyterbook_latex"):  # Jupyter Book always sets these
        app.add_config_value(unused, None, "", [dict, bool])
    app.add_config_value("tinytorch_state", "", "env", [str])
    app.connect("config-inited", configure, priority=400)
    # Early: the theme leaves out templates that come out empty when it looks at them.
    app.connect("html-page-context", page_context, priority=400)
    app.connect("doctree-resolved", finish_plots)
    # Last: the theme's own step changes files too, and the service worker has every file's hash.
    app.connect("build-finished", finish, priority=900)
