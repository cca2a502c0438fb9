"""The built site, served here, and a Chromium that notes what a clean page must not do."""

import threading
from pathlib import Path

import pytest

from bench.tab import find_browser
from lite.serve import server

SITE = Path(__file__).parents[2] / "_build" / "html"


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
