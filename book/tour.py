"""The pictures of the quick start, taken from the built site: `python -m book.tour`.

A browser walks the way the page describes and photographs it, in both themes. The pictures are made
after the build, into it, and are not kept in git. They carry a hash of what they were made from: as
long as that holds they are not made again, and a build that they no longer show removes them. Where
there is no browser the page stands without them; `--must` makes that an error.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = "_static/tour"
MADE = "made.txt"  # what they were made from
SOURCES = ("_config.yml", "book", "content/modules/01_tensor.md", "lite", "tinytorch")
THEMES = ("light", "dark")
SCALE = 1.5  # pixels of a picture for one of the screen
START = 120_000  # ms for Python to start
ID = "tensor.Tensor.__add__"
# What the page tells the reader to type, see tests/unit/test_guides.py
WRONG = 'a, b = self._operands(other, "add")\na += b\nreturn self'
RIGHT = 'a, b = self._operands(other, "add")\nreturn Tensor(a + b)'


@dataclass(frozen=True)
class Shot:
    """A picture: its size on the screen, and what it shows, for those who do not see it.

    part: the element it frames; "" is the window, from its top.
    """

    part: str
    height: int
    alt: str
    width: int = 840


CELL = f'.jp-CodeCell:has-text("{ID}")'
CARD = f'.tt-card[data-exercise="{ID}"]'
SHOTS = {
    "page": Shot("", 520, "The top of Module 01's page: its facts, and the button Start coding."),
    "notebook": Shot("", 420, "The live notebook: a bar at the top, below it text and cells."),
    "exercise": Shot(CELL, 316, "The cell of exercise 3: signature, docstring, an empty body."),
    "failed": Shot(CARD, 400, "A card, not yet: the call, expected and got, and the hints."),
    "passed": Shot(CARD, 176, "A card: passed, all cases; the function is saved and yours."),
    "ticked": Shot("", 420, "The exercise on the page, ticked; the head says where you are."),
}


def file(name: str, theme: str) -> str:
    """A picture's address below the site's root."""
    return f"{FOLDER}/{name}-{theme}.webp"


def fingerprint() -> str:
    """A hash of what the pictures show."""
    from .build import hash_of

    return hash_of(*SOURCES)


def fresh(site: Path) -> bool:
    """Whether the pictures in a built site are there and show what it was built from."""
    made = site / FOLDER / MADE
    if not made.is_file() or made.read_text(encoding="utf-8") != fingerprint():
        return False
    return all((site / file(name, theme)).is_file() for name in SHOTS for theme in THEMES)


def remove_old(site: Path) -> None:
    """Take pictures of an earlier site out of this one."""
    if not fresh(site):
        for path in (site / FOLDER).glob("*"):
            path.unlink()


def framed(png: bytes, shot: Shot) -> Any:
    """A photograph as a picture of the shot's size: a margin for small parts, large ones shrink."""
    from PIL import Image, ImageOps

    photo = Image.open(io.BytesIO(png)).convert("RGB")
    size = round(shot.width * SCALE), round(shot.height * SCALE)
    if photo.width > size[0] or photo.height > size[1]:
        photo = ImageOps.contain(photo, size, Image.Resampling.LANCZOS)
    paper = photo.getpixel((photo.width - 2, 2))
    picture = Image.new("RGB", size, paper)
    picture.paste(photo, (0, (size[1] - photo.height) // 2))
    return picture


def around(box: dict[str, float], width: float) -> dict[str, float]:
    """A box with a little room above and beside it, on a screen of this width."""
    left, right = max(box["x"] - 10, 0), min(box["x"] + box["width"] + 10, width)
    return {"x": left, "y": box["y"] - 6, "width": right - left, "height": box["height"] + 12}


class Walk:
    """The quick start in a browser: a method for each stretch, `shoot` for each picture."""

    def __init__(self, page: Any, keep: Callable[[str, str, bytes], None]) -> None:
        self.page, self.keep = page, keep
        self.frame = page.frame_locator("#tt-overlay iframe")
        self.theme = THEMES[0]

    def dress(self, theme: str, in_notebook: bool) -> None:
        """Change the system's theme, and wait until page and notebook have followed."""
        from playwright.sync_api import expect

        self.theme = theme
        self.page.mouse.move(1, 700)  # nothing is pointed at
        self.page.emulate_media(color_scheme=theme)
        expect(self.page.locator("html")).to_have_attribute("data-theme", theme)
        if in_notebook:
            light = "true" if theme == "light" else "false"
            body = self.frame.locator("body")
            expect(body).to_have_attribute("data-jp-theme-light", light)
            self.page.wait_for_timeout(300)  # the theme's style sheet

    def shoot(self, name: str, in_notebook: bool = False) -> None:
        """The picture of this name, in the theme that is on and then in the other."""
        shot = SHOTS[name]
        for theme in sorted(THEMES, key=lambda t: t != self.theme):
            self.dress(theme, in_notebook)
            box: dict[str, float] = {"x": 0, "y": 0, "width": shot.width, "height": shot.height}
            if shot.part:
                part = self.frame.locator(shot.part).first
                part.evaluate("e => e.scrollIntoView({block: 'center'})")
                self.page.wait_for_timeout(200)
                box = around(part.bounding_box(), self.page.viewport_size["width"])
            self.keep(name, theme, self.page.screenshot(clip=box, animations="disabled"))

    def run(self, body: str, result: str) -> None:
        """Type the exercise's cell with this body, run it, and wait for its card."""
        from playwright.sync_api import expect

        from tinytorch.course.exercise import get

        self.frame.locator(CELL).first.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(get(ID).cell(body))
        self.page.keyboard.press("Control+Enter")
        card = self.frame.locator(CARD)
        expect(card).to_have_attribute("data-result", result, timeout=START)

    def all(self, url: str) -> None:
        from playwright.sync_api import expect

        self.page.goto(f"{url}/content/modules/01_tensor.html")
        self.shoot("page")
        self.page.locator("#tt-start").click()
        expect(self.frame.locator("body.tt-ready")).to_be_attached(timeout=START)
        expect(self.frame.locator(".jp-CodeCell").first).to_be_visible()
        self.shoot("notebook", in_notebook=True)
        self.frame.locator(CELL).first.scroll_into_view_if_needed()
        self.shoot("exercise", in_notebook=True)
        self.run(WRONG, "failed")
        self.shoot("failed", in_notebook=True)
        self.run(RIGHT, "passed")
        self.shoot("passed", in_notebook=True)
        self.frame.locator("#tt-back").click()
        expect(self.page.locator("#tt-overlay")).to_be_hidden()
        done = self.page.locator(f'section.exercise.tt-done[data-exercise="{ID}"]')
        done.evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 90)")
        self.shoot("ticked")


def take(site: Path) -> None:
    """Walk through a built site and write the pictures into it."""
    from playwright.sync_api import sync_playwright

    from bench.tab import find_browser
    from lite.serve import server

    remove_old(site)
    (site / FOLDER).mkdir(parents=True, exist_ok=True)

    def keep(name: str, theme: str, png: bytes) -> None:
        framed(png, SHOTS[name]).save(site / file(name, theme), quality=80, method=6)

    running = server(site)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_browser("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            context = browser.new_context(
                viewport={"width": 840, "height": 760},
                device_scale_factor=SCALE,
                reduced_motion="reduce",
            )
            Walk(context.new_page(), keep).all(f"http://127.0.0.1:{running.server_port}")
            browser.close()
    finally:
        running.shutdown()
    (site / FOLDER / MADE).write_text(fingerprint(), encoding="utf-8")


def main(argv: list[str]) -> int:
    from bench.tab import find_browser
    from lite import offline

    site = ROOT / "_build" / "html"
    if fresh(site):
        return 0
    try:
        if find_browser("chromium") is None:
            raise RuntimeError("there is no Chromium")
        take(site)
    except Exception as error:
        remove_old(site)
        if "--must" in argv:
            raise
        print(f"the quick start goes without its pictures: {error}", file=sys.stderr)
        return 0
    finally:
        offline.build(site)  # the service worker knows every file of the site by its hash
    size = sum(path.stat().st_size for path in (site / FOLDER).glob("*.webp")) / 1000
    print(f"{len(SHOTS) * len(THEMES)} pictures for the quick start, {size:.0f} kB")
    return 0


def setup(app: Any) -> None:
    """Sphinx: a site that is built anew does not keep the pictures of the one before."""
    # Before the service worker is written, which lists all files.
    app.connect("build-finished", lambda app, problem: remove_old(Path(app.outdir)), priority=100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
