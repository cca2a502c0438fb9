"""The live notebook itself: how it starts, what it keeps, what it fetches."""

import base64
import json

import pytest
from lab import LITE, START, opened, run_in, until, without_worker, write_and_run
from playwright.sync_api import expect


def test_the_bar_and_the_steps_need_no_script_of_jupyterlab(page, site_url):
    page.route("**/lite/build/**", lambda route: route.abort())
    opened(page, site_url, "01_tensor.ipynb", wait=False)
    expect(page.locator("#tt-title")).to_have_text("Module 01: Tensor")
    back = page.locator("#tt-back")
    expect(back).to_have_attribute("href", "../../content/modules/01_tensor.html")
    for step in ("notebook", "python", "packages", "kernel", "work"):
        expect(page.locator(f'#tt-steps [data-step="{step}"]')).to_be_visible()
    # Python starts without waiting for the rest.
    expect(page.locator('[data-step="packages"][data-state="done"]')).to_be_visible(timeout=START)


def test_steps_are_announced_in_order_with_an_end(page, site_url, assert_clean):
    page.add_init_script(
        """window.heard = [];
        new BroadcastChannel("tinytorch-boot").onmessage = ({ data }) => heard.push(data);"""
    )
    opened(page, site_url)
    page.wait_for_function("heard.some((m) => m.step === 'ready')")
    heard = page.evaluate("heard")
    done = [m["step"] for m in heard if m["state"] == "done"]
    assert done == ["python", "packages", "kernel", "work", "ready"]
    assert [m["t"] for m in heard] == sorted(m["t"] for m in heard)
    assert {"numpy", "tinytorch"} <= {m["detail"] for m in heard if m["step"] == "packages"}
    expect(page.locator("#tt-boot")).to_be_hidden()


def test_files_written_on_the_first_visit_are_there_later_and_elsewhere(
    page, context, site_url, assert_clean
):
    opened(page, site_url)
    write = """
from pathlib import Path
folder = Path("/drive/my_tinytorch"); folder.mkdir(exist_ok=True)
for text in ("first", "second é"):  # a second time over the first
    (folder / "new-note.txt").write_text(text, encoding="utf-8")
    (folder / "new-note.txt").replace(folder / "note.txt")
print(sorted(p.name for p in folder.iterdir()))
"""
    assert "note.txt" in run_in(page, write)
    read = "print(open('/drive/my_tinytorch/note.txt', encoding='utf-8').read())"
    page.reload()
    expect(page.locator("body.tt-ready")).to_be_attached(timeout=START)
    assert run_in(page, read) == "second é\n"
    other = opened(context.new_page(), site_url, "01_tensor.ipynb")
    assert run_in(other, read) == "second é\n"
    # where the book's pages look for it
    stored = other.evaluate(
        """() => new Promise((resolve) => {
            indexedDB.open("tinytorch").onsuccess = ({ target }) => {
                const get = target.result.transaction("files").objectStore("files")
                    .get("my_tinytorch/note.txt");
                get.onsuccess = () => { target.result.close(); resolve(get.result); };
            };
        })"""
    )
    assert stored["format"] == "base64"
    assert base64.b64decode(stored["content"]).decode() == "second é"


def test_a_kernel_is_whole_and_restarts(page, site_url, assert_clean):
    fetched = []
    page.context.on("request", lambda request: fetched.append(request.url.rsplit("/", 1)[-1]))
    opened(page, site_url)

    # completion, help and tracebacks, without the packages left out of the kernel
    assert run_in(page, "1 / 0") == "division by zero"
    run_in(page, "left = 1")
    reply = page.evaluate(
        """async () => {
            const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
            const names = await kernel.requestComplete({ code: "np.arang", cursor_pos: 8 });
            const ask = { code: "np.arange", cursor_pos: 9, detail_level: 0 };
            const help = await kernel.requestInspect(ask);
            return [names.content.matches, help.content.data["text/plain"]];
        }"""
    )
    assert any(name.endswith("arange") for name in reply[0])
    assert "Start of interval" in reply[1]
    assert "Nothing can be installed here" in run_in(page, "%pip install pandas")

    # matplotlib comes when it is imported, here where the kernel cannot foresee it
    assert any(name.startswith("numpy-") for name in fetched)
    assert not any(name.startswith("matplotlib-") for name in fetched)
    code = "import importlib\nplt = importlib.import_module('matplotlib.pyplot')\n"
    assert run_in(page, code + "print(plt.figure().axes); plt.close()") == "[]\n"
    assert any(name.startswith("matplotlib-") for name in fetched)
    assert not any(name.startswith("fonttools-") for name in fetched)

    page.locator("#tt-restart").click()
    expect(page.locator("#tt-kernel")).to_have_text("starting")
    expect(page.locator("#tt-kernel")).to_have_text("ready", timeout=START)
    assert run_in(page, "left") == "name 'left' is not defined"
    assert run_in(page, "import tinytorch; print(tinytorch.__name__)") == "tinytorch\n"


@pytest.fixture
def bare_page(browser, browser_context_args):
    """A page in a browser that refuses service workers, as some private windows do."""
    context = browser.new_context(**browser_context_args, service_workers="block")
    yield context.new_page()
    context.close()


def test_without_a_place_for_files_the_page_says_so(bare_page, site_url):
    opened(bare_page, site_url)
    expect(bare_page.locator("#tt-notice")).to_contain_text("cannot be kept here")


def test_a_page_that_cannot_get_python_says_so(bare_page, site_url):
    bare_page.route("**/static/pyodide/numpy-*", lambda route: route.abort())
    opened(bare_page, site_url, wait=False)
    expect(bare_page.locator("#tt-trouble")).to_contain_text("did not start", timeout=START)


def test_saved_outputs_keep_their_styles_after_a_reload(page, site_url, assert_clean):
    opened(page, site_url)
    page.evaluate(
        """() => {
            const { model } = window.jupyterapp.shell.currentWidget.content;
            const html = '<div data-exercise="x" style="color: rgb(1, 2, 3)">' +
                "<style>.t { color: red }</style><details><summary>s</summary>d</details></div>";
            const source = `from IPython.display import HTML\nHTML('''${html}''')`;
            model.sharedModel.insertCell(0, { cell_type: "code", source });
            const app = window.jupyterapp;
            app.shell.currentWidget.content.activeCellIndex = 0;
            return app.commands.execute("notebook:run-cell");
        }"""
    )
    shown = page.locator('.jp-OutputArea [data-exercise="x"]')
    expect(shown).to_have_attribute("style", "color: rgb(1, 2, 3)")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    expect(shown).to_have_attribute("style", "color: rgb(1, 2, 3)", timeout=START)
    expect(shown.locator("details")).to_be_attached()


def test_an_exercise_in_the_address_is_shown(page, site_url, assert_clean):
    opened(page, site_url, "01_tensor.ipynb#ex=tensor.Tensor.__matmul__")
    cell = page.locator(".jp-Cell.jp-mod-active")
    expect(cell).to_contain_text('@build("tensor.Tensor.__matmul__")')
    expect(cell).to_be_in_viewport()
    page.evaluate("location.hash = 'ex=tensor.Tensor.__add__'")
    expect(cell).to_contain_text('@build("tensor.Tensor.__add__")')
    expect(cell).to_be_in_viewport()


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_the_books_theme_is_followed(page, site_url, choice, assert_clean):
    page.add_init_script(f"localStorage.setItem('mode', '{choice}')")
    opened(page, site_url)
    light = json.dumps(choice == "light")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)


TRAINING = """
from tinytorch import SGD, CrossEntropyLoss, Linear, Tensor, Trainer, randn
x, y = randn(64, 20), Tensor(np.arange(64) % 2)
model = Linear(20, 2)
trainer = Trainer(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
trainer.fit([(x, y)] * 1000, epochs=1_000_000)
"""


def test_the_stop_button_ends_a_cell_and_keeps_what_there_was(page, site_url, assert_clean):
    opened(page, site_url)
    cell = page.locator(".jp-CodeCell").first
    output = cell.locator(".jp-OutputArea-output").last
    stop = page.get_by_role("button", name="Interrupt the kernel")
    status = page.locator("#tt-kernel")

    def stopped(code):
        write_and_run(page, cell, code)
        expect(status).to_have_text("running")
        page.wait_for_timeout(1500)  # it runs, and does not only begin to
        stop.click()
        expect(status).to_have_text("ready", timeout=START)

    stopped("kept = 1\nwhile True: kept += 1")
    expect(output).to_contain_text("KeyboardInterrupt")
    assert run_in(page, "print(kept > 1000)") == "True\n"
    stopped("def forever(n):\n    while True: n = -n\nforever(1)")
    expect(output).to_contain_text("KeyboardInterrupt")
    # As with Ctrl-C in a terminal, training finishes its step, and can go on from there.
    stopped(TRAINING)
    expect(output).not_to_contain_text("KeyboardInterrupt")
    assert (
        run_in(page, "print(trainer.stopped, trainer.progress.steps > 0)") == "interrupted True\n"
    )
    # It cannot hear inside a single call, which is said; it stops right after.
    write_and_run(page, cell, "import time\ntime.sleep(8)\nwhile True: kept += 1")
    expect(status).to_have_text("running")
    stop.click()
    unheard = page.locator("#tt-notice [data-key=kernel]")
    expect(unheard).to_contain_text("inside one long step", timeout=START)
    expect(unheard).to_have_count(0, timeout=START)
    expect(output).to_contain_text("KeyboardInterrupt")
    # What is asked of a Python that has nothing to do is not kept for the next cell.
    stop.click()
    assert (
        run_in(page, "import time\nfor _ in range(15): time.sleep(0.1)\nprint('done')") == "done\n"
    )


def test_a_file_of_pythons_that_does_not_come_is_named(page, site_url):
    without_worker(page)
    page.route("**/pyodide.asm.wasm", lambda route: route.abort())
    opened(page, site_url, wait=False)
    expect(page.locator("#tt-trouble")).to_contain_text(
        "Python did not start: pyodide.asm.wasm could not be fetched", timeout=START
    )


def test_in_a_frame_the_way_back_is_told_to_the_page(page, site_url):
    page.goto(f"{site_url}/content/index.html")
    page.evaluate(
        """(src) => {
            window.told = null;
            addEventListener("message", ({ data }) => { window.told = data.type; });
            const frame = document.createElement("iframe");
            frame.src = src;
            document.body.append(frame);
        }""",
        f"{site_url}{LITE}playground.ipynb",
    )
    page.frame_locator("iframe").locator("#tt-back").dispatch_event("click")
    until(page, "window.told === 'tinytorch-close'")


def test_a_deep_graph_is_freed_in_the_tab(page, site_url):
    """A stack in WebAssembly is small: freed nested, 2,500 operations end Python for good."""
    opened(page, site_url)
    code = """
from tinytorch import Tensor
for back in (False, True):
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(20_000):
        y = y * 1.0
    if back:
        y.backward()
    del y
print("freed", x.grad.item())
"""
    assert run_in(page, code) == "freed 1.0\n"
