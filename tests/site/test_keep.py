"""No work is lost: taking it elsewhere and back, a full disk, two tabs, a new build."""

import io
import zipfile

from lab import START, cell_with, opened, run_in, write_and_run
from playwright.sync_api import Page, expect

from tinytorch.course.exercise import get

STRIDES = get("tensor.contiguous_strides")
FOLDER = "my_tinytorch"

# The text of every file in the browser's storage, by path, as an export has it.
FILES = """async () => {
    const { all, text } = await import("/lite/static/keep/store.js");
    const files = [...await all()].filter(([, record]) => record.type !== "directory");
    return Object.fromEntries(files.map(([path, record]) => [path, text(record)]));
}"""


def files(page: Page) -> dict[str, str]:
    return page.evaluate(FILES)


def put(page: Page, **files: str) -> None:
    """Files into the browser's storage, as text: name with __ for / and _dot_ for a dot."""
    page.evaluate(
        """async (files) => {
            const { change, record } = await import("/lite/static/keep/store.js");
            await change(new Map(Object.entries(files).map(([p, t]) => [p, record(p, t)])));
        }""",
        {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()},
    )


def pass_strides(page: Page) -> None:
    cell = cell_with(page, STRIDES.id)
    write_and_run(page, cell, STRIDES.solution)
    expect(cell.locator(".tt-card[data-result=passed]")).to_be_visible(timeout=START)
    page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


def exported(page: Page) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export everything").click()
    return download.value.path().read_bytes()


def imported(page: Page, data: bytes) -> None:
    """Offer a zip to the open panel."""
    file = {"name": "work.zip", "mimeType": "application/zip", "buffer": data}
    page.locator(".tt-keep input[type=file]").set_input_files(file)


def panel(page: Page, site_url: str) -> None:
    page.goto(f"{site_url}/content/playground.html#your-work")
    expect(page.get_by_role("dialog", name="Your work")).to_be_visible()


def said(page: Page):
    return page.locator(".keep-said")


def test_work_goes_to_another_browser_and_is_the_same(page, site_url, assert_clean):
    opened(page, site_url, "01_tensor.ipynb")
    pass_strides(page)
    run_in(page, "open('/drive/notes.txt', 'w').write('a note, é'); None")
    page.locator("#tt-work").click()
    expect(page.locator(".tt-keep")).to_contain_text("1 of ")
    data = exported(page)
    before = files(page)
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert {f"{FOLDER}/tensor.py", "notebooks/01_tensor.ipynb", "notebooks/notes.txt"} <= {*names}

    cdp = page.context.new_cdp_session(page)
    page.goto("about:blank")
    cdp.send("Storage.clearDataForOrigin", {"origin": site_url, "storageTypes": "all"})
    panel(page, site_url)
    assert files(page) == {}
    imported(page, data)
    expect(said(page)).to_contain_text("only work that is yours, or that you trust")
    assert files(page) == {}  # asked first
    page.get_by_role("button", name="Import", exact=True).last.click()
    expect(said(page)).to_contain_text("Imported")
    assert files(page) == before
    again = zipfile.ZipFile(io.BytesIO(exported(page)))
    assert {n: again.read(n) for n in again.namelist()} == {
        n: zipfile.ZipFile(io.BytesIO(data)).read(n) for n in names
    }
    page.goto(f"{site_url}/content/modules/01_tensor.html")
    expect(page.locator("#ex-tensor-contiguous_strides.tt-done")).to_be_attached()
    opened(page, site_url, "01_tensor.ipynb")
    mine = (
        "from tinytorch.course import provenance; print(provenance()['tensor.contiguous_strides'])"
    )
    assert run_in(page, mine) == "yours\n"
