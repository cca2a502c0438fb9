"""The pictures of the quick start, taken from the built site: `python -m book.tour`.

A browser walks the way the page describes and photographs it, so a picture is never older than the
site it shows. They are made after the build, into it, and are not kept in git; where there is no
browser the page stands without them.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = "_static/tour"
EXERCISE = "tensor.Tensor.__add__"
START = 120_000  # ms for Python to start


@dataclass(frozen=True)
class Shot:
    """A picture: its size in pixels, and what it shows, for those who do not see it."""

    width: int
    height: int
    alt: str


SHOTS = {
    "page": Shot(1000, 560, "The top of Module 01's page, with its facts and the button."),
    "notebook": Shot(1000, 420, "The live notebook: a bar at the top, below it text and cells."),
    "exercise": Shot(900, 420, "The cell of exercise 3: signature, docstring, an empty body."),
    "failed": Shot(900, 430, "A card: not yet; the call, expected and got, and the hints."),
    "passed": Shot(900, 330, "A card: passed, the function is yours."),
    "ticked": Shot(1000, 420, "The exercise on the page, ticked; the head says where you are."),
}  # fmt: skip


def walk(url: str, keep: Callable[[str, bytes], None]) -> None:
    """Walk through the quick start on the site at `url`; `keep(name, png)` gets the pictures."""
    from playwright.sync_api import expect, sync_playwright

    from bench.tab import find_browser
    from tinytorch.course.exercise import get

    exercise = get(EXERCISE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(
            viewport={"width": 1000, "height": 720}, reduced_motion="reduce"
        ).new_page()

        def shoot(name: str, top: float = 0, left: float = 0) -> None:
            shot = SHOTS[name]
            clip = {"x": left, "y": top, "width": shot.width, "height": shot.height}
            keep(name, page.screenshot(clip=clip, animations="disabled"))

        page.goto(f"{url}/content/modules/01_tensor.html")
        shoot("page")
        page.locator("#tt-start").click()
        frame = page.frame_locator("#tt-overlay iframe")
        expect(frame.locator("body.tt-ready")).to_be_attached(timeout=START)
        expect(frame.locator(".jp-CodeCell").first).to_be_visible()
        shoot("notebook")

        cell = frame.locator(".jp-CodeCell").filter(has_text=f'@build("{EXERCISE}")').first
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()

        def run(body: str) -> None:
            cell.locator(".cm-content").click()
            page.keyboard.press("Control+a")
            page.keyboard.insert_text(exercise.cell(body))
            page.keyboard.press("Control+Enter")

        def around(element) -> None:
            """Scroll `element` to the top of what is visible, below the bar."""
            element.evaluate("e => e.scrollIntoView({block: 'start'})")
            page.wait_for_timeout(300)

        around(cell)
        shoot("exercise", top=max(0, cell.bounding_box()["y"] - 6), left=50)
        card = frame.locator(f'[data-exercise="{EXERCISE}"]')
        for name, body, result in (
            ("failed", exercise.wrong[0].body, "failed"),
            ("passed", 'a, b = self._operands(other, "add")\nreturn Tensor(a + b)', "passed"),
        ):
            run(body)
            expect(card).to_have_attribute("data-result", result, timeout=START)
            around(card)
            shoot(name, top=max(0, card.bounding_box()["y"] - 6), left=50)
        frame.locator("#tt-back").click()
        expect(page.locator("#tt-overlay")).to_be_hidden()
        done = page.locator(f'section.exercise.tt-done[data-exercise="{EXERCISE}"]')
        done.evaluate("e => scrollTo(0, e.offsetTop + e.offsetParent.offsetTop - 120)")
        page.wait_for_timeout(300)
        shoot("ticked")
        browser.close()


def take(site: Path) -> list[Path]:
    """Walk through a built site and write the pictures into it; returns their paths."""
    from PIL import Image

    from lite.serve import server

    folder = site / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    made = []

    def keep(name: str, png: bytes) -> None:
        made.append(folder / f"{name}.webp")
        Image.open(io.BytesIO(png)).convert("RGB").save(made[-1], quality=85, method=6)

    running = server(site)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        walk(f"http://127.0.0.1:{running.server_port}", keep)
    finally:
        running.shutdown()
    return made


def main() -> int:
    from bench.tab import find_browser
    from lite import offline

    if find_browser("chromium") is None:
        print("no Chromium: the quick start goes without its pictures", file=sys.stderr)
        return 0
    site = ROOT / "_build" / "html"
    made = take(site)
    offline.build(site)  # the worker knows every file of the site by its hash
    size = sum(path.stat().st_size for path in made) / 1000
    print(f"{len(made)} pictures for the quick start, {size:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
