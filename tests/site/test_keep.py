"""No work is lost: taking it elsewhere and back, a full disk, two tabs, a new build."""

import contextlib
import io
import json
import os
import subprocess
import sys
import textwrap
import threading
import zipfile

import pytest
from conftest import SITE
from lab import (
    START,
    cell_with,
    edition,
    files,
    opened,
    run_in,
    without_worker,
    write_and_run,
)
from playwright.sync_api import Error, Page, expect

from lite.serve import server
from tinytorch.course import work
from tinytorch.course.decorator import submit
from tinytorch.course.exercise import get

STRIDES, CAT = get("tensor.contiguous_strides"), get("tensor.cat")
FOLDER = "my_tinytorch"


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
    expect(said(page)).to_contain_text("Nothing of it runs before you say so")
    assert files(page) == {}  # asked first
    page.get_by_role("button", name="Bring it in").click()
    expect(said(page)).to_contain_text("Imported")
    assert files(page) == {**before, f"{FOLDER}/{work.IMPORTED}": json.dumps([STRIDES.id])}
    again = zipfile.ZipFile(io.BytesIO(exported(page)))
    assert {n: again.read(n) for n in again.namelist()} == {
        n: zipfile.ZipFile(io.BytesIO(data)).read(n) for n in names
    }
    page.get_by_role("button", name="Put it in force").click()
    expect(said(page)).to_contain_text("It is in force")
    assert files(page) == before
    page.goto(f"{site_url}/content/modules/01_tensor.html")
    expect(page.locator("#ex-tensor-contiguous_strides.tt-done")).to_be_attached()
    opened(page, site_url, "01_tensor.ipynb")
    mine = (
        "from tinytorch.course import provenance; print(provenance()['tensor.contiguous_strides'])"
    )
    assert run_in(page, mine) == "yours\n"


def test_the_package_of_an_export_is_the_students_and_stands_alone(
    page, site_url, tmp_path, assert_clean
):
    page.goto(f"{site_url}/content/index.html")
    marked = STRIDES.solution.replace("return", "mine = True\n    return", 1)
    put(page, my_tinytorch__tensor_dot_py=f"# %% {STRIDES.id}\n{marked}")
    panel(page, site_url)
    with page.expect_download(timeout=START) as download:
        page.get_by_role("button", name="Export with a Python package").click()
        expect(said(page)).to_contain_text("a few seconds")
    expect(said(page)).to_contain_text("pip install ./package")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert f"{FOLDER}/tensor.py" in archive.namelist()
        archive.extractall(tmp_path)
    package = tmp_path / "package"
    assert (package / "pyproject.toml").is_file()
    assert "mine = True" in (package / "tinytorch" / "tensor.py").read_text(encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "tinytorch", "verify"],
        cwd=package,  # where Python finds tinytorch first
        env={**os.environ, "TINYTORCH_HOME": str(tmp_path / "nothing")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_package_that_cannot_be_made_is_said(page, site_url):
    without_worker(page)
    page.route("**/pyodide.asm.wasm", lambda route: route.abort())
    panel(page, site_url)
    page.get_by_role("button", name="Export with a Python package").click()
    expect(said(page)).to_contain_text("The package could not be made: pyodide.asm.wasm")
    assert exported(page)


def at_once(page: Page, site_url: str, name: str) -> None:
    """A notebook, without waiting for its Python."""
    opened(page, site_url, name, wait=False)
    expect(page.locator("body.tt-open")).to_be_attached(timeout=START)


def save(page: Page) -> None:
    page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


def type_note(page: Page, text: str) -> None:
    """Put a raw cell with this text first, as an edit that is not saved yet."""
    page.evaluate(
        """(source) => window.jupyterapp.shell.currentWidget.content.model.sharedModel
            .insertCell(0, { cell_type: "raw", source })""",
        text,
    )


def note(page: Page, key: str):
    return page.locator(f'#tt-notice [data-key="{key}"]')


def test_no_room_is_said_loudly_and_costs_nothing(page, site_url):
    opened(page, site_url, "01_tensor.ipynb")
    pass_strides(page)
    before = files(page)
    cdp = page.context.new_cdp_session(page)
    cdp.send("Storage.overrideQuotaForOrigin", {"origin": site_url, "quotaSize": 1000})
    type_note(page, "long " * 100_000)
    # Chromium goes on writing for up to half a minute into what it found to be free before.
    for _ in range(60):
        page.evaluate("window.jupyterapp.shell.currentWidget.context.save().catch(() => {})")
        if note(page, "save").count():
            break
        page.wait_for_timeout(1000)
    expect(note(page, "save")).to_contain_text("Not saved: this browser has no room")
    add = get("tensor.broadcast_shapes")
    cell = cell_with(page, add.id)
    write_and_run(page, cell, add.solution)
    expect(cell.locator(".tt-card")).to_contain_text("Nothing could be saved", timeout=START)
    after = files(page)
    del before["01_tensor.ipynb"], after["01_tensor.ipynb"]  # saved until there was no room
    assert {path: after[path] for path in before} == before
    with page.expect_download() as download:
        note(page, "save").get_by_role("button", name="Export everything").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.read(f"{FOLDER}/tensor.py").decode() == before[f"{FOLDER}/tensor.py"]
    cdp.send("Storage.overrideQuotaForOrigin", {"origin": site_url})
    save(page)
    expect(note(page, "save")).to_have_count(0)
    assert "long long" in files(page)["01_tensor.ipynb"]


def test_two_tabs_lose_nothing(page, context, site_url, assert_clean):
    other = context.new_page()
    for tab in (page, other):
        at_once(tab, site_url, "playground.ipynb")
    type_note(page, "written in the first tab")
    save(page)
    type_note(other, "written in the second tab")
    save(other)
    expect(note(other, "tabs")).to_contain_text("playground.2.ipynb")
    kept = files(page)
    assert "in the first tab" in kept["playground.ipynb"]
    assert "in the second tab" in kept["playground.2.ipynb"]
    note(other, "tabs").get_by_role("button", name="Keep my version").click()
    expect(note(other, "tabs")).to_have_count(0)
    for _ in range(50):
        if "playground.2.ipynb" not in files(page):
            break
        page.wait_for_timeout(200)
    kept = files(page)
    assert "in the second tab" in kept["playground.ipynb"]
    assert "in the first tab" in kept["playground.3.ipynb"]


def crash(page: Page) -> None:
    """End the tab's process, as a system does that has run out of memory."""
    with contextlib.suppress(Error):
        page.goto("chrome://crash", timeout=2000)
    page.close()


@pytest.mark.parametrize("end", [Page.close, crash])
def test_a_tab_that_ends_while_it_saves_loses_nothing_that_was_saved(page, context, site_url, end):
    at_once(page, site_url, "playground.ipynb")
    type_note(page, "what was saved")
    save(page)
    type_note(page, "long " * 1_000_000)
    page.evaluate("void window.jupyterapp.shell.currentWidget.context.save()")
    end(page)
    page = context.new_page()
    at_once(page, site_url, "playground.ipynb")
    text = files(page)["playground.ipynb"]
    assert "what was saved" in text
    assert json.loads(text)["cells"]
    expect(page.locator(".jp-Notebook")).to_contain_text("what was saved")
    # the tab that is gone holds nothing up
    type_note(page, "and on")
    save(page)
    assert "and on" in files(page)["playground.ipynb"]
    expect(note(page, "tabs")).to_have_count(0)


def saved_in_another_tab(page: Page, context, site_url: str) -> Page:
    """Another tab with the same notebook, which has saved; this one is looked at, and shows it."""
    other = context.new_page()
    for tab in (page, other):
        at_once(tab, site_url, "playground.ipynb")
    type_note(other, "from elsewhere")
    save(other)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator(".jp-Notebook")).to_contain_text("from elsewhere")
    return other


def test_a_tab_that_is_looked_at_shows_what_another_saved(page, context, site_url, assert_clean):
    saved_in_another_tab(page, context, site_url)
    type_note(page, "and on here")
    save(page)
    expect(note(page, "tabs")).to_have_count(0)
    assert "playground.2.ipynb" not in files(page)


def test_a_tab_that_has_written_no_word_does_not_hold_another_up(page, context, site_url):
    other = saved_in_another_tab(page, context, site_url)
    # as when its Python starts: no cell says anything else
    other.evaluate(
        "window.jupyterapp.shell.currentWidget.content.model.setMetadata('tinytorch-test', 1)"
    )
    type_note(page, "and on here")
    save(page)
    expect(note(page, "tabs")).to_have_count(0)
    assert "and on here" in files(page)["playground.ipynb"]
    assert "playground.2.ipynb" not in files(page)


def restarted(page: Page, button) -> None:
    """Click, and wait for Python to be back, with the student's code in force."""
    button.click()
    expect(page.locator("#tt-kernel")).to_have_text("ready", timeout=START)
    mine = f"from tinytorch.course import provenance\nprint(provenance()['{STRIDES.id}'])"
    assert run_in(page, mine) == "yours\n"


def test_python_that_stops_is_said_and_comes_back(page, site_url):
    opened(page, site_url)
    put(page, my_tinytorch__tensor_dot_py=f"# %% {STRIDES.id}\n{STRIDES.solution}")
    cell = page.locator(".jp-CodeCell").first
    output = cell.locator(".jp-OutputArea-output").last
    restart = page.locator("#tt-restart")

    # An endless loop in a free cell.
    write_and_run(page, cell, "while True: pass")
    expect(page.locator("#tt-kernel")).to_have_text("running")
    restarted(page, restart)
    # What Python itself can say.
    write_and_run(page, cell, "def f(n): return f(n + 1)\nf(0)")
    expect(output).to_contain_text("RecursionError", timeout=START)
    write_and_run(page, cell, "kept = []\nwhile True: kept.append(bytearray(2**26))")
    expect(output).to_contain_text("MemoryError", timeout=START)
    restarted(page, restart)
    # What it cannot.
    write_and_run(page, cell, "deep = []\nfor _ in range(200_000): deep = [deep]\nrepr(deep)")
    expect(note(page, "died")).to_contain_text("called itself too deeply", timeout=START)
    expect(page.locator("#tt-kernel")).to_have_text("stopped")
    restarted(page, note(page, "died").get_by_role("button", name="Restart"))
    expect(note(page, "died")).to_have_count(0)


CONTENTS = SITE.parent / "contents"


def served(name: str) -> dict:
    """A notebook as the site has it, each cell's source in one piece."""
    notebook = json.loads((CONTENTS / name).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def cell_of(notebook: dict, id: str) -> dict:
    """The cell of an exercise."""
    cells = notebook["cells"]
    return next(c for c in cells if c["metadata"].get("tinytorch", {}).get("exercise") == id)


def of_an_earlier_edition(name: str) -> dict:
    """What an earlier build would have served: other words, with their own version."""
    return edition(served(name), "Words of an earlier edition: é.")


def test_a_new_edition_waits_for_an_answer(page, site_url, assert_clean):
    page.goto(f"{site_url}/content/index.html")
    old = of_an_earlier_edition("01_tensor.ipynb")
    old["cells"].insert(0, {"cell_type": "raw", "id": "mine", "metadata": {}, "source": "my notes"})
    put(
        page,
        **{
            "01_tensor_dot_ipynb": json.dumps(old),
            "my_tinytorch__tensor_dot_py": f"# %% {STRIDES.id}\n# mine\n{STRIDES.solution}",
        },
    )
    before = files(page)["01_tensor.ipynb"]
    at_once(page, site_url, "01_tensor.ipynb")
    expect(note(page, "edition")).to_contain_text("Yours stays as it is")
    assert files(page)["01_tensor.ipynb"] == before
    note(page, "edition").get_by_role("button", name="Show the difference").click()
    difference = page.get_by_role("dialog", name="What differs")
    expect(difference.locator("del").first).to_contain_text("my notes")
    difference.get_by_role("button", name="Close").click()

    note(page, "edition").get_by_role("button", name="Take the new one").click()
    expect(note(page, "edition")).to_contain_text("01_tensor.mine.ipynb")
    expect(page.locator(".jp-Notebook")).not_to_contain_text("my notes")
    now = files(page)
    assert "my notes" in now["01_tensor.mine.ipynb"]
    taken = json.loads(now["01_tensor.ipynb"])
    assert taken["metadata"]["tinytorch"] == served("01_tensor.ipynb")["metadata"]["tinytorch"]
    assert cell_of(taken, STRIDES.id)["source"].startswith("# mine")

    note(page, "edition").get_by_role("button", name="Undo").click()
    expect(page.locator(".jp-Notebook")).to_contain_text("my notes")
    note(page, "edition").get_by_role("button", name="Keep mine").click()
    at_once(page, site_url, "01_tensor.ipynb")
    expect(page.locator(".jp-Notebook")).to_contain_text("my notes")
    expect(note(page, "edition")).to_have_count(0)


def test_a_copy_that_was_only_opened_gives_way(page, site_url, assert_clean):
    page.goto(f"{site_url}/content/index.html")
    old = json.dumps(of_an_earlier_edition("02_activations.ipynb"))
    put(page, **{"02_activations_dot_ipynb": old})
    at_once(page, site_url, "02_activations.ipynb")
    expect(page.locator(".jp-Notebook")).not_to_contain_text("earlier edition")
    expect(note(page, "edition")).to_have_count(0)


def test_taking_back_keeps_what_it_takes_and_can_be_undone(page, site_url, home, assert_clean):
    other = get("tensor.broadcast_shapes")
    for exercise in (STRIDES, other):
        submit(exercise, exercise.solution)
    notebook = served("01_tensor.ipynb")
    cell_of(notebook, STRIDES.id)["source"] = STRIDES.solution
    page.goto(f"{site_url}/content/index.html")
    put(
        page,
        **{
            "my_tinytorch__tensor_dot_py": (home / "tensor.py").read_text(),
            "my_tinytorch__progress_dot_json": (home / "progress.json").read_text(),
            "01_tensor_dot_ipynb": json.dumps(notebook),
        },
    )
    before = files(page)
    panel(page, site_url)
    page.locator(".tt-keep summary").first.click()
    page.get_by_role("button", name=f"Reset {STRIDES.title}").click()
    assert files(page) == before  # asked first
    page.get_by_role("button", name="Undo the import").click()
    expect(said(page)).to_contain_text("Back to the start")
    now = files(page)
    work.remove(STRIDES.id)
    assert now[f"{FOLDER}/tensor.py"] == (home / "tensor.py").read_text()  # as Python writes it
    assert [*json.loads(now[f"{FOLDER}/progress.json"])["exercises"]] == [other.id]
    kept = [text for path, text in now.items() if path.startswith(f"{FOLDER}/history/{STRIDES.id}")]
    assert STRIDES.solution in kept
    cell = cell_of(json.loads(now["01_tensor.ipynb"]), STRIDES.id)
    assert "".join(cell["source"]) == STRIDES.stub.rstrip("\n")
    page.get_by_role("button", name="Undo").click()
    expect(said(page)).to_contain_text("Undone")
    assert files(page) == before
    page.get_by_role("button", name="Reset everything").click()
    page.get_by_role("button", name="Undo the import").click()
    expect(said(page)).to_contain_text("Back to the start")
    now = files(page)
    assert "01_tensor.ipynb" not in now
    assert any(p.startswith(f"{FOLDER}/history/01_tensor") for p in now)
    assert json.loads(now[f"{FOLDER}/progress.json"])["exercises"] == {}
    page.get_by_role("button", name="Undo").click()
    expect(said(page)).to_contain_text("Undone")
    assert files(page) == before


def zipped(**entries: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"my_tinytorch/../../x.py": "x"}, "outside its folder"),
        ({"../x.py": "x", "my_tinytorch/a.py": "a"}, "outside its folder"),
        ({"/my_tinytorch/x.py": "x"}, "outside its folder"),
        ({"notebooks/..\\x.ipynb": "{}"}, "outside its folder"),
        ({"my_tinytorch/big.txt": b"0" * 301_000_000}, "over 300 MB"),
        ({f"my_tinytorch/{n}.txt": "" for n in range(5001)}, "over 5000 files"),
        ({"else.txt": "x"}, "not an export"),
        ({"notebooks/a.ipynb": "not JSON"}, "JSON"),
    ],
    ids=["dots", "above", "root", "backslash", "size", "files", "other", "json"],
)
def test_a_zip_that_is_no_export_is_refused(page, site_url, entries, words):
    panel(page, site_url)
    imported(page, zipped(**entries))
    expect(said(page)).to_contain_text(words)
    assert files(page) == {}


def test_importing_merges_and_loses_nothing(page, site_url, assert_clean):
    first = "# %% tensor.cat\n1\n\n\n# %% tensor.Tensor.sum\nmine\n"
    other = "# %% tensor.Tensor.sum\nother\n\n\n# %% tensor.Tensor.mean\n2\n"
    noted = json.dumps({"exercises": {"a": {"tries": 3}, "b": {"tries": 1, "passed": "x"}}})
    panel(page, site_url)
    put(
        page,
        my_tinytorch__tensor_dot_py=first,
        my_tinytorch__progress_dot_json=noted,
        playground_dot_ipynb='{"cells": ["mine"]}',
    )
    data = zipped(
        **{
            "my_tinytorch/tensor.py": other,
            "my_tinytorch/progress.json": json.dumps(
                {"exercises": {"a": {"passed": "y"}, "c": {"tries": 1}}}
            ),
            "my_tinytorch/history/old.py": "old",
            "notebooks/playground.ipynb": '{"cells": ["other"]}',
            "package/tinytorch/__init__.py": "import os",
        }
    )
    imported(page, data)
    expect(said(page)).to_contain_text("2 different")
    before = files(page)
    page.get_by_role("button", name="Look at it first").click()
    look = page.get_by_role("dialog", name="What differs")
    expect(look.locator("del")).to_contain_text(["mine"])
    expect(look.locator("ins")).to_contain_text(["other"])
    assert files(page) == before
    look.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Import, mine stay first").click()
    expect(said(page)).to_contain_text("Imported")
    now = files(page)
    assert work.split(now[f"{FOLDER}/tensor.py"]) == {
        "tensor.cat": "1\n",
        "tensor.Tensor.sum": "mine\n",
        "tensor.Tensor.mean": "2\n",
    }
    (beside,) = [p for p in now if p.startswith(f"{FOLDER}/history/tensor.Tensor.sum")]
    assert now[beside] == "other\n"
    assert json.loads(now[f"{FOLDER}/progress.json"])["exercises"] == {
        "a": {"passed": "y"},
        "b": {"tries": 1, "passed": "x"},
        "c": {"tries": 1},
    }
    assert json.loads(now["playground.ipynb"]) == {"cells": ["mine"]}
    assert json.loads(now["playground.2.ipynb"]) == {"cells": ["other"]}
    assert not any("package" in path for path in now)


def test_imported_code_runs_when_the_student_says_so(page, site_url, assert_clean):
    ran = "from pathlib import Path\nseen = Path('/drive/ran.txt').write_text('it ran')\n"
    data = zipped(
        **{
            f"{FOLDER}/tensor.py": f"# %% {STRIDES.id}\n{ran}{STRIDES.solution}",
            f"{FOLDER}/{work.IMPORTED}": "[]",
            f"{FOLDER}/{work.IMPORTED}/x.txt": "a folder in its place",
            **{
                f"{FOLDER}/{name}.py": f"# %% {CAT.id}\n{ran}{CAT.solution}"
                for name in ("a-b", "z")
            },
            **{f"notebooks/{name}.py": ran for name in ("json", "numpy", "matplotlib", "helper")},
        }
    )
    panel(page, site_url)
    imported(page, data)
    page.get_by_role("button", name="Bring it in").click()
    expect(page.locator(".keep-waits")).to_contain_text("1 imported function has not run here")
    opened(page, site_url, "playground.ipynb")
    mine = f"""
        import json, matplotlib.pyplot
        from tinytorch.course import provenance
        print(provenance()['{STRIDES.id}'])
    """
    assert run_in(page, textwrap.dedent(mine)) == "reference\n"
    assert "ran.txt" not in files(page)
    page.locator("#tt-work").click()
    page.locator(".keep-waits").get_by_role("button", name="Look at it").click()
    look = page.get_by_role("dialog", name="What differs")
    expect(look.locator("ins").filter(has_text="ran.txt")).to_be_visible()
    look.get_by_role("button", name="Close").click()
    page.locator(".tt-keep").get_by_role("button", name="Close").click()
    note(page, "imported").get_by_role("button", name="Put it in force").click()
    expect(note(page, "imported")).to_have_count(0)
    expect(page.locator("#tt-kernel")).to_have_text("ready", timeout=START)
    assert run_in(page, textwrap.dedent(mine)) == "yours\n"
    assert files(page)["ran.txt"] == "it ran"


def test_an_answer_of_ones_own_needs_no_consent(page, site_url):
    theirs = (
        f"# %% {STRIDES.id}\n{STRIDES.solution}\n\n# %% tensor.cat\n{get('tensor.cat').solution}"
    )
    panel(page, site_url)
    imported(page, zipped(**{f"{FOLDER}/tensor.py": theirs}))
    page.get_by_role("button", name="Bring it in").click()
    expect(page.locator(".keep-waits")).to_contain_text("2 imported functions have not run")
    opened(page, site_url, "01_tensor.ipynb")
    pass_strides(page)
    assert json.loads(files(page)[f"{FOLDER}/{work.IMPORTED}"]) == ["tensor.cat"]
    ask = "from tinytorch.course import provenance as p; print(p()['{}'], p()['tensor.cat'])"
    assert run_in(page, ask.format(STRIDES.id)) == "yours reference\n"
    type_note(page, "not saved yet")
    page.locator("#tt-work").click()
    page.locator(".keep-waits").get_by_role("button", name="Put it in force").click()
    expect(said(page)).to_contain_text("It is in force")
    expect(page.locator("#tt-kernel")).to_have_text("ready", timeout=START)
    assert run_in(page, ask.format(STRIDES.id)) == "yours yours\n"
    expect(page.locator(".jp-Notebook")).to_contain_text("not saved yet")


def test_outputs_out_of_a_zip_run_nothing(page, site_url):
    notebook = served("playground.ipynb")
    html = "<p>shown</p><img src=x onerror='window.ran = 1'><script>window.ran = 1</script>"
    cell = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    cell["metadata"]["trusted"] = True
    data = {"text/html": html}
    cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    panel(page, site_url)
    imported(page, zipped(**{"notebooks/playground.ipynb": json.dumps(notebook)}))
    page.get_by_role("button", name="Bring it in").click()
    expect(said(page)).to_contain_text("Imported")
    at_once(page, site_url, "playground.ipynb")
    expect(page.locator(".jp-OutputArea-output")).to_contain_text("shown")
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None


def test_the_storage_does_not_depend_on_the_sites_path(page, site_url):
    """Moving the site to another folder of its host must not hide anybody's work."""
    settings = json.loads((SITE / "lite" / "jupyter-lite.json").read_text(encoding="utf-8"))
    config = settings["jupyter-config-data"]
    names = [config[f"{what}StorageName"] for what in ("contents", "settings", "workspaces")]
    assert names == ["tinytorch"] * 3
    running = server(SITE.parent)  # the same site, below another path
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        page.goto(f"http://127.0.0.1:{running.server_port}/html/content/index.html")
        path = "/html/lite/static/keep/store.js"
        page.evaluate(
            f"""async () => {{
                const {{ change, record }} = await import("{path}");
                await change(new Map([["here.ipynb", record("here.ipynb", '{{"cells": []}}')]]));
            }}"""
        )
        at_once(page, f"http://127.0.0.1:{running.server_port}/html", "playground.ipynb")
        listed = """async () => {
            const { contents } = window.jupyterapp.serviceManager;
            return (await contents.get("", { content: true })).content.map(({ name }) => name);
        }"""
        assert "here.ipynb" in page.evaluate(listed)
        names = page.evaluate("async () => (await indexedDB.databases()).map(({ name }) => name)")
        assert "tinytorch" in names
        assert not any("html" in name for name in names)
    finally:
        running.shutdown()
