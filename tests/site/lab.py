"""What the tests do in a live notebook: open it, wait, type into a cell, run code in its Python;
and a student's record, to start from."""

import hashlib
import json
import time

from playwright.sync_api import Locator, Page, expect

START = 120_000  # ms for Python to start, on a busy machine
RUN = 300_000  # ms for a piece of code to end
# As JupyterLite stores a file, in a database that it has not made yet.
SEED = """(text) => new Promise((resolve) => {
  const request = indexedDB.open("tinytorch", 2);
  request.onupgradeneeded = () => request.result.createObjectStore("files");
  request.onsuccess = () => {
    const db = request.result;
    const write = db.transaction("files", "readwrite");
    write.objectStore("files").put(
      {name: "progress.json", type: "file", format: "text", content: text},
      "my_tinytorch/progress.json");
    write.oncomplete = () => { db.close(); resolve(); };
  };
})"""
# The text of every file in the browser's storage, by path, as an export has it.
FILES = """async (root) => {
    const { all, text } = await import(`${root}/lite/static/keep/store.js`);
    const files = [...await all()].filter(([, record]) => record.type !== "directory");
    return Object.fromEntries(files.map(([path, record]) => [path, text(record)]));
}"""
LITE = "/lite/notebooks/index.html?path="


def opened(page: Page, site_url: str, name: str = "playground.ipynb", wait: bool = True) -> Page:
    """A notebook in a tab of its own; once Python is ready, unless not to wait."""
    page.goto(f"{site_url}{LITE}{name}")
    if wait:
        expect(page.locator("body.tt-ready")).to_be_attached(timeout=START)
    return page


def overlay(page: Page):
    """The frame of the notebook that is open over a page of the book, once Python is ready."""
    frame = page.frame_locator("#tt-overlay iframe")
    expect(frame.locator("body.tt-ready")).to_be_attached(timeout=START)
    return frame


def cell_with(frame, text: str) -> Locator:
    """The first code cell with this text."""
    return frame.locator(".jp-CodeCell").filter(has_text=text).first


def write_and_run(page: Page, cell: Locator, text: str) -> None:
    """Replace a cell's text by typing over it, and run it with the keyboard."""
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")


def run_in(target, code: str) -> str:
    """Run code in the open notebook's Python, without a cell; what it prints, shows or raises."""
    return target.evaluate(
        """async ([code, ms]) => {
            const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
            const future = kernel.requestExecute({ code });
            let out = "";
            future.onIOPub = ({ content }) => {
                out += content.text ?? content.data?.["text/plain"] ?? content.evalue ?? "";
            };
            const late = new Promise((_, no) => setTimeout(() => no(Error(`no end: ${out}`)), ms));
            await Promise.race([future.done, late]);
            return out;
        }""",
        [code, RUN],
    )


def files(page: Page, root: str = "") -> dict[str, str]:
    """What the browser keeps of the site at this path, path to text."""
    return page.evaluate(FILES, root)


def edition(notebook: dict, words: str) -> dict:
    """The notebook as another build would serve it: with other words, and their own version."""
    cells = notebook["cells"]
    cells[0]["source"] = "".join(cells[0]["source"]) + f"\n\n{words}"
    said = [[c["cell_type"], "".join(c["source"]), c["metadata"]] for c in cells]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    notebook["metadata"]["tinytorch"]["version"] = digest[:12]
    return notebook


def until(target, condition: str, ms: int = 30_000) -> None:
    """Wait for a JavaScript condition, asked from outside.

    Playwright's own wait_for_function evaluates the text inside the page, where the book's policy
    forbids it.
    """
    end = time.monotonic() + ms / 1000
    while not target.evaluate(condition):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {ms / 1000:g} s: {condition}")
        time.sleep(0.05)


def without_worker(page: Page) -> None:
    """No service worker on this page: what one asks for passes a route by."""
    page.add_init_script("navigator.serviceWorker.register = async () => { throw Error('none') }")


def seed(page: Page, text: str) -> None:
    """Store `text` as the student's progress.json, the way JupyterLite does."""
    page.evaluate(SEED, text)
