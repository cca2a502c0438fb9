"""Without a network: the site is loaded once, the server stops, the course goes on."""

import contextlib
import http.server
import itertools
import json
import os
import re
import shutil
import threading
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest
from lab import cell_with, edition, files, run_in, until, write_and_run
from playwright.sync_api import expect

from bench.tab import find_browser
from lite import offline
from lite.runtime import sha256
from lite.serve import Server
from tinytorch.course.exercise import get

BUILT = Path(__file__).parents[2] / "_build" / "html"
START = 60_000  # ms, on a busy machine
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ADD = get("tensor.Tensor.__add__")
at_root = pytest.mark.parametrize("loaded", [""], ids=["root"], indirect=True)
MINE = ADD.cell("a, b = self._operands(other, 'add')\nTensor.mark = 'mine'\nreturn Tensor(a + b)")


class Site:
    """A copy of the built site at an address of its own, with a server that can be stopped."""

    def __init__(self, folder, path):
        self.folder, self.path, self.port = folder, path, 0
        self.root = folder / path
        shutil.copytree(BUILT, self.root, copy_function=os.link)
        self.sent = []  # paths that were answered with their bytes
        self.late = {}  # path -> how long each answer waits, in seconds
        self.running = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/{self.path}".rstrip("/")

    def start(self):
        site = self

        class Recorder(http.server.SimpleHTTPRequestHandler):  # as `python -m http.server` answers
            def log_message(self, *args):
                pass

            def do_GET(self):
                path = self.path.split("?")[0].removeprefix(f"/{site.path}")
                if path in site.late:
                    time.sleep(next(site.late[path]))
                super().do_GET()

            def send_response(self, code, message=None):
                super().send_response(code, message)
                if code == 200 and self.command == "GET":
                    site.sent.append(self.path.split("?")[0].removeprefix(f"/{site.path}"))

        handler = partial(Recorder, directory=str(self.folder))
        self.running = Server(("127.0.0.1", self.port), handler)
        self.port = self.running.server_port
        threading.Thread(target=self.running.serve_forever, daemon=True).start()

    def stop(self):
        if self.running:
            self.running.shutdown()
            self.running.server_close()
            self.running = None

    def replace(self, name, content):
        """Give a file other bytes, without writing through the link to the built site."""
        path = self.root / name
        path.unlink()
        path.write_bytes(content)


@contextlib.contextmanager
def browser(playwright, profile):
    """A Chromium whose profile stays when it is closed."""
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=find_browser("chromium"),
        args=ARGS,
        viewport={"width": 1400, "height": 900},
    )
    try:
        yield context.pages[0]
    finally:
        context.close()


def status(page):
    return page.locator(".tt-nav [data-offline]")


def stop_workers(page):
    """What a browser does with a worker that nobody has asked for a while."""
    session = page.context.new_cdp_session(page)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    session.detach()


def opened(page, site, name):
    page.goto(f"{site.url}/lite/notebooks/index.html?path={name}")
    return started(page)


def started(page):
    expect(page.locator("body.tt-ready")).to_be_attached(timeout=START)
    return page


@pytest.fixture(scope="module", params=["", "course/"], ids=["root", "sub-path"])
def loaded(request, tmp_path_factory, playwright):
    """A site and a browser profile in which its home page was read until all was ready."""
    folder = tmp_path_factory.mktemp("loaded")
    site = Site(folder / "site", request.param)
    site.start()
    with browser(playwright, folder / "profile") as page:
        page.goto(f"{site.url}/content/index.html")
        expect(status(page)).to_contain_text(re.compile(r"Getting ready for offline: \d"))
        expect(status(page)).to_contain_text("Ready for offline", timeout=START)
        page.get_by_role("button", name=re.compile(r"Keep MNIST too, \d+ MB")).first.click()
        expect(status(page)).to_contain_text("with MNIST", timeout=START)
    site.stop()
    yield site, folder / "profile"
    site.stop()


@pytest.fixture
def profile(loaded, tmp_path):
    """A copy of the profile, for one test."""
    return shutil.copytree(loaded[1], tmp_path / "profile", symlinks=True)


def test_a_module_never_opened_is_worked_through_without_a_server(
    loaded, profile, playwright, tmp_path
):
    site, _ = loaded
    with browser(playwright, profile) as page:
        failed = []
        page.context.on("requestfailed", lambda request: failed.append(request.url))
        opened(page, site, "01_tensor.ipynb")
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        cell = cell_with(page, f'@build("{ADD.id}")')
        write_and_run(page, cell, MINE)
        card = page.locator(f'[data-exercise="{ADD.id}"]')
        expect(card).to_have_attribute("data-result", "passed", timeout=START)
        page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        stop_workers(page)
        page.reload()
        started(page)
        expect(cell).to_contain_text("Tensor.mark = 'mine'")
        ask = "tinytorch.Tensor([1]) + 1; print(tinytorch.Tensor.mark)"
        assert run_in(page, ask) == "mine\n"
        assert failed == []


@at_root
def test_the_data_taken_along_is_there_without_a_server(loaded, profile, playwright):
    site, _ = loaded
    with browser(playwright, profile) as page:
        opened(page, site, "playground.ipynb")
        ask = "from tinytorch.data import mnist; print(mnist()[0].images.shape)"
        assert run_in(page, ask).splitlines()[-1] == "(60000, 28, 28)"


@pytest.fixture
def site(tmp_path):
    """A copy of the built site of a test's own, being served."""
    made = Site(tmp_path / "own", "")
    made.start()
    yield made
    made.stop()


def test_from_page_to_notebook_and_back_there_is_one_worker(site, tmp_path, playwright):
    ask = "() => navigator.serviceWorker.getRegistrations().then((all) => all.map((r) => r.scope))"
    with browser(playwright, tmp_path / "profile") as page:
        for visit in ("first", "second"):
            page.goto(f"{site.url}/content/modules/01_tensor.html")
            until(page, "navigator.serviceWorker.controller !== null")
            opened(page, site, "playground.ipynb")
            # JupyterLite has found a worker, and Python its drive
            assert page.evaluate(ask) == [f"{site.url}/"]
            run_in(page, f"open('/drive/{visit}.txt', 'w').write('here')")
            page.wait_for_timeout(1000)
            worker = page.evaluate("navigator.serviceWorker.controller.scriptURL")
            assert worker == f"{site.url}/service-worker.js"
        ask = (
            "from pathlib import Path; print(sorted(p.stem for p in Path('/drive').glob('*.txt')))"
        )
        assert run_in(page, ask) == "['first', 'second']\n"


def test_a_notebook_that_starts_comes_first(site, tmp_path, playwright):
    other = "content/modules/05_autograd.html"  # which a notebook does not ask for
    with browser(playwright, tmp_path / "profile") as page:
        opened(page, site, "playground.ipynb")
        assert other not in site.sent
        expect(page.locator("#tt-offline")).to_contain_text(re.compile("Getting ready|Ready"))
        page.wait_for_function(
            "async (url) => (await caches.match(url, { ignoreSearch: true })) !== undefined",
            arg=f"{site.url}/{other}",
            timeout=START,
        )
        # what Python was started with was kept then, and is not fetched again
        python = [path for path in site.sent if path.endswith("pyodide.asm.wasm")]
        assert len(python) == 1


def new_build(site):
    """Build B: a page, a notebook, and the tinytorch wheel, under its old name, have changed."""

    def edit(name, change):
        site.replace(name, change((site.root / name).read_text(encoding="utf-8")).encode())

    page, notebook = "content/playground.html", "lite/files/01_tensor.ipynb"
    edit(page, lambda text: f"{text}<!-- build B -->")
    before = (site.root / notebook).read_text(encoding="utf-8")
    new = edition(json.loads(before), "Words of build B.")
    edit(notebook, lambda _: json.dumps(new))
    version = json.loads(before)["metadata"]["tinytorch"]["version"]
    app = "lite/notebooks/index.html"  # knows the notebooks' versions
    edit(app, lambda text: text.replace(version, new["metadata"]["tinytorch"]["version"]))
    (wheel,) = (site.root / "lite/static/pyodide").glob("tinytorch-*.whl")
    wheel = wheel.relative_to(site.root)
    content = (site.root / wheel).read_bytes()
    site.replace(wheel, content)
    with zipfile.ZipFile(site.root / wheel, "a") as archive:
        archive.writestr("tinytorch/deployed.py", "BUILD = 'B'\n")
    lock = "lite/static/pyodide/pyodide-lock.json"
    digests = sha256(content), sha256((site.root / wheel).read_bytes())
    edit(lock, lambda text: text.replace(*digests))
    site.replace(offline.WORKER, offline.worker(site.root))
    return {page, notebook, app, wheel.as_posix(), lock}


def kept(page):
    """What the browser keeps: address -> the number of copies, and the builds it knows."""
    return page.evaluate(
        """async () => {
            const copies = {};
            let builds = 0;
            for (const name of await caches.keys()) {
                const keys = await (await caches.open(name)).keys();
                if (name.endsWith(" builds")) builds += keys.length;
                if (!name.endsWith(" files")) continue;
                for (const { url } of keys) {
                    const path = new URL(url).pathname;
                    copies[path] = (copies[path] ?? 0) + 1;
                }
            }
            return [copies, builds];
        }"""
    )


@at_root
def test_a_new_build_replaces_the_old_one_whole(loaded, profile, playwright):
    site, _ = loaded
    text = "(path) => fetch(path).then((response) => response.text())"
    changed_page = f"{site.url}/content/playground.html"
    site.start()
    which = (
        "import importlib.util; print(importlib.util.find_spec('tinytorch.deployed') is not None)"
    )
    with browser(playwright, profile) as page:
        notebook = opened(page.context.new_page(), site, "01_tensor.ipynb")
        write_and_run(notebook, cell_with(notebook, ADD.id), MINE)
        card = notebook.locator(f'[data-exercise="{ADD.id}"]')
        expect(card).to_have_attribute("data-result", "passed", timeout=START)
        notebook.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        page.goto(f"{site.url}/content/index.html")
        expect(status(page)).to_contain_text("Ready for offline")
        work = files(page)
        assert "mark = 'mine'" in work["01_tensor.ipynb"]
        assert "mark = 'mine'" in work["my_tinytorch/tensor.py"]
        # an open page goes on getting its own build, however long it stays
        site.sent.clear()  # before there is anything new: a browser may look by itself
        changed = new_build(site)
        page.evaluate("navigator.serviceWorker.ready.then((r) => r.update())")
        expect(status(page)).to_have_text("New version: reload", timeout=START)
        assert set(site.sent) == {*changed, offline.WORKER}
        assert all(site.sent.count(path) == 1 for path in changed)
        assert "build B" not in page.evaluate(text, changed_page)
        copies, builds = kept(page)
        assert builds == 2
        assert sum(copies.values()) - len(copies) == len(changed)

        # also when the browser has stopped the worker meanwhile
        stop_workers(page)
        assert "build B" not in page.evaluate(text, changed_page)

        # so does an open notebook, with a Python that is started now
        expect(notebook.locator("#tt-offline")).to_have_text("New version: reload")
        notebook.bring_to_front()
        notebook.locator("#tt-restart").click()
        expect(notebook.locator("#tt-kernel")).to_have_text("starting")
        expect(notebook.locator("#tt-kernel")).to_have_text("ready", timeout=START)
        assert run_in(notebook, which) == "False\n"

        page.bring_to_front()
        status(page).get_by_role("button", name="New version: reload").click()
        expect(status(page)).to_contain_text("Ready for offline")
        assert "build B" in page.evaluate(text, changed_page)
        # the last page of the old build takes its files along
        assert kept(page)[1] == 2
        notebook.get_by_role("button", name="New version: reload").click()
        started(notebook)
        for _ in range(100):
            copies, builds = kept(page)
            if builds == 1 and set(copies.values()) == {1}:
                break
            page.wait_for_timeout(100)
        assert builds == 1
        assert {name for name, count in copies.items() if count > 1} == set()
        assert len(copies) == len(offline.entries(site.root)[0])

        assert run_in(started(notebook), which) == "True\n"
        # and the student's work is what it was
        notice = notebook.locator('#tt-notice [data-key="edition"]')
        expect(notice).to_contain_text("This notebook has a new version")
        assert files(page) == work
        mine = "import tinytorch; tinytorch.Tensor([1]) + 1; print(tinytorch.Tensor.mark)"
        assert run_in(notebook, mine) == "mine\n"


@pytest.mark.parametrize("file", ["pyodide.asm.wasm", "python.zip", "numpy"])
def test_a_flipped_bit_is_refused(site, tmp_path, playwright, file):
    (path,) = (site.root / "lite/static/pyodide").glob(f"{file}*")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    site.replace(path.relative_to(site.root), content)
    with browser(playwright, tmp_path / "profile") as page:
        page.goto(f"{site.url}/lite/notebooks/index.html?path=playground.ipynb")
        trouble = page.locator("#tt-trouble")
        expect(trouble).to_contain_text("is not the file this site was built with", timeout=START)
        expect(trouble).to_contain_text(path.name)
        assert page.locator("body.tt-ready").count() == 0
        # nor is it kept
        copies, _ = kept(page)
        assert not any(path.name in name for name in copies)


@pytest.mark.alone
def test_thirty_readers_get_their_drive_however_late_the_worker(browser_type, site):
    """Python's worker is made only once the service worker answers for it."""
    delays = [n / 10 for n in range(30)]  # seconds
    site.late = {
        offline.WORKER: itertools.cycle(delays),
        "lite/static/pyodide/pyodide.mjs": itertools.cycle([20]),  # thirty Pythons need not run
    }
    address = f"{site.url}/lite/notebooks/index.html?path=playground.ipynb"
    chromium = browser_type.launch(executable_path=find_browser("chromium"), args=ARGS)
    try:
        for _ in range(3):
            readers = []
            for _ in range(10):
                page = chromium.new_context().new_page()
                page.route("**/lite/build/**", lambda route: route.abort())  # not needed for it
                answers = []
                page.on("response", lambda response, into=answers: into.append(response))
                page.goto(address, wait_until="commit")
                readers.append((page, answers))
            for page, answers in readers:
                expect(page.locator('[data-step="python"][data-state]')).to_be_attached()
                assert page.evaluate("navigator.serviceWorker.controller !== null")
                while not (scripts := [a for a in answers if "/worker.mjs" in a.url]):
                    page.wait_for_timeout(50)
                assert [a.from_service_worker for a in scripts] == [True]
                page.context.close()
    finally:
        chromium.close()


def test_a_build_that_replaces_one_not_yet_complete(site, tmp_path, playwright):
    python = "lite/static/pyodide/pyodide.asm.wasm"
    site.late = {python: itertools.cycle([5])}
    with browser(playwright, tmp_path / "profile") as page:
        page.goto(f"{site.url}/content/index.html")
        expect(status(page)).to_contain_text(re.compile(r"Getting ready for offline: [1-9]"))
        new_build(site)
        page.evaluate("navigator.serviceWorker.ready.then((r) => r.update())")
        expect(status(page)).to_have_text("New version: reload")
        status(page).get_by_role("button", name="New version: reload").click()
        site.late = {}
        expect(status(page)).to_contain_text("Ready for offline", timeout=START)
        copies, builds = kept(page)
        assert builds == 1
        assert set(copies.values()) == {1}
        site.stop()
        changed = page.goto(f"{site.url}/content/playground.html")
        assert "build B" in changed.text()


def test_who_saves_data_is_asked_first(site, tmp_path, playwright):
    other = "content/modules/05_autograd.html"
    with browser(playwright, tmp_path / "profile") as page:
        page.add_init_script(
            "Object.defineProperty(NetworkInformation.prototype, 'saveData', {get: () => true})"
        )
        page.goto(f"{site.url}/content/index.html")
        begin = status(page).get_by_role(
            "button", name=re.compile(r"Make ready for offline, \d+ MB")
        )
        expect(begin).to_be_visible()
        page.wait_for_timeout(3000)  # more than the fill takes to begin
        assert other not in site.sent
        begin.click()
        expect(status(page)).to_contain_text("Ready for offline", timeout=START)
        assert other in site.sent


def test_a_full_disk_takes_nothing_away(site, tmp_path, playwright):
    with browser(playwright, tmp_path / "profile") as page:
        cdp = page.context.new_cdp_session(page)
        quota = {"origin": site.url, "quotaSize": 10_000_000}
        cdp.send("Storage.overrideQuotaForOrigin", quota)
        page.goto(f"{site.url}/content/index.html")
        expect(status(page)).to_contain_text("no room on this device", timeout=START)
        page.goto(f"{site.url}/content/modules/05_autograd.html")
        expect(page.get_by_role("heading", name="Autograd").first).to_be_visible()
        opened(page, site, "playground.ipynb")
        assert run_in(page, "print(tinytorch.Tensor([1]) + 1)") == "Tensor([2.0000])\n"


def test_it_can_be_installed(site, tmp_path, playwright):
    with browser(playwright, tmp_path / "profile") as page:
        page.goto(f"{site.url}/content/index.html")
        until(page, "navigator.serviceWorker.controller !== null")
        session = page.context.new_cdp_session(page)
        manifest = session.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert manifest["url"] == f"{site.url}/manifest.webmanifest"
        for icon in json.loads(manifest["data"])["icons"]:
            assert page.request.get(f"{site.url}/{icon['src']}").ok
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
