"""From a page to the student's notebook: the same prose and examples, exercises as cells to fill.

The page is read by MyST-NB's own reader, so cells are cut where the book cuts them. What a notebook
cannot show is refused with the file and line, instead of being dropped.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import posixpath
import re
from collections import Counter
from pathlib import Path

import nbformat
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbformat import NotebookNode

from tinytorch.course.exercise import get

FUTURE = "from __future__ import annotations  # for Pythons before 3.14"
CONTENT = Path(__file__).parent.parent / "content"
TO_SITE = "../../"  # from lite/notebooks/index.html, where the notebook is shown
ADMONITIONS = {"note", "tip", "hint", "important", "seealso", "warning", "caution", "admonition"}
SYNTAX = MdParserConfig(enable_extensions={"colon_fence", "dollarmath"})


class PageError(ValueError):
    """Something on a page that has no counterpart in a notebook."""


@dataclasses.dataclass
class Source:
    """Where text stands, for links and for messages: `line` is its first line, counted from 1."""

    path: Path
    content: Path
    line: int = 1

    def error(self, offset: int, message: str) -> PageError:
        name = (Path(self.content.name) / self.path.relative_to(self.content)).as_posix()
        return PageError(f"{name}:{self.line + offset}: {message}")


def convert(path: Path, content: Path = CONTENT) -> NotebookNode:
    """The notebook of a MyST page below `content`.

    Raises PageError, naming file and line, for what cannot be carried over. The same text gives the
    same notebook, ids included; `metadata.tinytorch.version` is a hash of what the cells say.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    page = read_myst_markdown_notebook(text, SYNTAX, add_source_map=True)
    cells: list[NotebookNode] = []
    for cell, start in zip(page.cells, page.metadata["source_map"], strict=True):
        while start < len(lines) and not lines[start].strip():
            start += 1
        source = Source(path, content, start + 1)
        if cell.cell_type == "raw":
            raise source.error(0, "raw cells are not carried into notebooks")
        if cell.cell_type == "markdown":
            cells += prose(cell.source, source)
        else:
            meta = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
            cells.append(nbformat.v4.new_code_cell(cell.source, metadata=meta))
    _open(cells)
    _name(cells)
    said = json.dumps([[c.cell_type, c.source, c.metadata] for c in cells], sort_keys=True)
    url = "content/" + path.relative_to(content).with_suffix(".html").as_posix()
    metadata = {
        "kernelspec": {"name": "python", "display_name": "Python (Pyodide)", "language": "python"},
        "language_info": {"name": "python"},
        "tinytorch": {"version": hashlib.sha256(said.encode()).hexdigest()[:12], "page": url},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return notebook


def _open(cells: list[NotebookNode]) -> None:
    """Let signatures name types that the notebook does not import, as the framework's files do.

    Python 3.14, the browser's, looks annotations up when they are asked for; older ones at once.
    """
    code = [cell for cell in cells if cell.cell_type == "code"]
    exercises = ["tinytorch" in cell.metadata for cell in code]
    if any(exercises) and not exercises[0]:
        code[0].source = f"{FUTURE}\n\n{code[0].source}"


def _name(cells: list[NotebookNode]) -> None:
    """Ids from what a cell says, so that an edit elsewhere on the page changes none of them."""
    seen: Counter[str] = Counter()
    for cell in cells:
        exercise = cell.metadata.get("tinytorch", {}).get("exercise")
        if exercise:
            cell["id"] = "ex-" + exercise.replace(".", "-")[:60]
            continue
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def prose(text: str, source: Source) -> list[NotebookNode]:
    """The cells of a stretch of prose: cut at each exercise, otherwise one."""
    cells: list[NotebookNode] = []
    kept: list[str] = []

    def flush() -> None:
        markdown = "\n".join(kept).strip("\n")
        kept.clear()
        if markdown:
            cells.append(nbformat.v4.new_markdown_cell(markdown))

    for name, argument, block, offset in _blocks(text, source):
        if name != "exercise":
            kept.append(block)
            continue
        try:
            exercise = get(argument)
        except KeyError as problem:
            raise source.error(offset, problem.args[0]) from None
        flush()
        kept.append(f"### Exercise {exercise.number}: {exercise.title}\n\n{block}")
        flush()
        meta = {"tinytorch": {"exercise": exercise.id}}
        cells.append(nbformat.v4.new_code_cell(exercise.stub.rstrip("\n"), metadata=meta))
    flush()
    return cells


def _blocks(text: str, source: Source) -> list[tuple[str, str, str, int]]:
    """(directive, argument, Markdown, line) for each run of plain text and each directive."""
    lines = text.splitlines()
    blocks: list[tuple[str, str, str, int]] = []
    done = 0  # lines up to here are dealt with
    for token in create_md_parser(SYNTAX, RendererHTML).parse(text + "\n"):
        start, end = token.map or (done, done)
        directive = re.match(r"\{([^}]*)\}\s*(.*)", token.info) if "fence" in token.type else None
        if directive and token.level:
            raise source.error(start, f"{{{directive[1]}}} must not stand inside another block")
        for child in token.children or []:
            _check_inline(child, source, start)
        if directive or token.type in ("myst_target", "myst_line_comment"):
            blocks.append(("", "", _links("\n".join(lines[done:start]), source, done), done))
            done = end
        if directive:
            blocks.append(_directive(directive[1], directive[2].strip(), token, source, start))
    blocks.append(("", "", _links("\n".join(lines[done:]), source, done), done))
    return blocks


def _directive(name: str, argument: str, token: Token, source: Source, start: int):
    body = token.content.strip("\n")
    inner = dataclasses.replace(source, line=source.line + start + 1)
    if name == "math":
        return "", "", f"$$\n{body}\n$$", start
    if name != "exercise" and name not in ADMONITIONS:
        known = ", ".join(["code-cell", "exercise", "math", *sorted(ADMONITIONS)])
        message = f"the directive {{{name}}} has no form in a notebook; there are {known}"
        raise source.error(start, message)
    if body.startswith((":", "---")):
        raise inner.error(0, f"{{{name}}} takes no options in a page that becomes a notebook")
    blocks = _blocks(body, inner)
    if any(b[0] for b in blocks):
        raise inner.error(0, f"an exercise must not stand inside {{{name}}}")
    markdown = "\n".join(b[2] for b in blocks).strip("\n")
    if name in ADMONITIONS:
        title = argument if name == "admonition" else name.capitalize().replace("Seea", "See a")
        quoted = "\n".join(f"> {line}".rstrip() for line in markdown.splitlines())
        return "", "", f"\n> **{title}**\n>\n{quoted}\n", start
    return name, argument, markdown, start


def _check_inline(token: Token, source: Source, offset: int) -> None:
    if token.type == "myst_role":
        raise source.error(offset, f"the role {{{token.meta['name']}}} has no form in a notebook")
    if token.type == "image":
        raise source.error(offset, "pictures are not carried into notebooks; draw it in a cell")


def _links(text: str, source: Source, offset: int) -> str:
    """`text` with links to other pages pointing at their built form."""
    for token in create_md_parser(SYNTAX, RendererHTML).parse(text):
        for child in token.children or []:
            href = str(child.attrGet("href") or "") if child.type == "link_open" else ""
            if href and not re.match(r"[a-z]+:", href):
                line = offset + (token.map or [0])[0]
                text = text.replace(f"]({href}", f"]({_site_url(href, source, line)}")
    return text


def _site_url(href: str, source: Source, offset: int) -> str:
    name, hash, anchor = href.partition("#")
    folder = source.path.relative_to(source.content).parent.as_posix()
    page = posixpath.normpath(posixpath.join(folder, name)) if name else ""
    page = page or source.path.relative_to(source.content).as_posix()
    if not page.endswith(".md") or not (source.content / page).is_file():
        raise source.error(offset, f"{href}: there is no such page")
    return f"{TO_SITE}content/{page[:-3]}.html{hash}{anchor}"


def is_notebook(path: Path) -> bool:
    """Whether a page says, in its front matter, that it is one with cells."""
    return bool(re.match(r"---\n(?:.*\n)*?kernelspec:", path.read_text(encoding="utf-8")))


def write_all(folder: Path, titles: dict[str, str], content: Path = CONTENT) -> list[str]:
    """Write every page's notebook into `folder`, and `pages.json`: name -> title, url of the page.

    titles: what the live notebook's bar calls a page, by the page's name. Files of pages that are
    gone are removed. Returns the notebooks' names.
    """
    pages: dict[str, dict[str, str]] = {}
    texts: dict[str, str] = {}
    for path in sorted(content.rglob("*.md")):
        if not is_notebook(path):
            continue
        notebook = convert(path, content)
        name = f"{path.stem}.ipynb"
        if name in texts:
            raise PageError(f"two pages are called {path.name}: a notebook is known by its name")
        texts[name] = nbformat.writes(notebook) + "\n"
        url = TO_SITE + notebook.metadata["tinytorch"]["page"]
        pages[name] = {"title": titles.get(path.stem, path.stem), "url": url}
    texts["pages.json"] = json.dumps(pages, indent=1, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(pages)
