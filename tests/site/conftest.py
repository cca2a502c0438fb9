"""The built site, served here, and a Chromium that notes what a clean page must not do.

The tests run side by side, each process with a server and a browser of its own. Tests that share
what is dear to make, a filled browser or a tab with Python, stay in one process; a test that needs
the machine to itself is marked `alone` and runs after the others.
"""

import threading
from pathlib import Path

import pytest

from bench.tab import find_browser
from lite.serve import server

SITE = Path(__file__).parents[2] / "_build" / "html"
SHARED = ("loaded", "tab")  # fixtures for many tests, made once for each of their parameters


def pytest_collection_modifyitems(items):
    """Keep the tests together that share a fixture which takes long to make."""
    for item in items:
        for name in SHARED:
            if name in getattr(item, "fixturenames", ()):
                params = item.callspec.params if hasattr(item, "callspec") else {}
                group = f"{item.path.stem} {name} {params.get(name)}"
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def site_url():
    if not (SITE / "content" / "index.html").exists():
        pytest.fail("the site is not built: run `make site`")
    running = server(SITE)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": find_browser("chromium"),
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1400, "height": 900}}


@pytest.fixture
def context(context):
    """An empty browser that does not begin to fetch the whole site for offline, as every new one
    would: test_offline.py is about that, in browsers of its own."""
    context.add_init_script(
        """(({ prototype } = {}) => {
            if (!prototype) return;  // about:blank has none
            const { postMessage } = prototype;
            prototype.postMessage = function (message, ...more) {
                if (message !== "fill") postMessage.call(this, message, ...more);
            };
        })(globalThis.ServiceWorker);"""
    )
    return context


@pytest.fixture
def noted(context, site_url):
    """What every page of this test's context did that it must not: a list of lines."""
    lines = []

    def console(message):
        if message.type == "error":
            lines.append(f"console: {message.text} ({message.location.get('url', '')})")

    def request(sent):
        if not sent.url.startswith((site_url, "data:", "blob:")):
            lines.append(f"off-origin request: {sent.url}")

    def response(got):
        if got.status >= 400:
            lines.append(f"{got.status}: {got.url}")

    context.on("console", console)
    context.on("request", request)
    context.on("response", response)
    context.on("weberror", lambda error: lines.append(f"exception: {error.error}"))
    return lines


@pytest.fixture
def assert_clean(noted):
    """Call at the end of a test: no console errors, no failed and no off-origin requests."""

    def check():
        assert noted == []

    yield check
    check()
