"""The quick start's pictures: all there, made from this site, showing something, in their theme."""

import re

import numpy as np
import pytest
from conftest import SITE
from lab import without_worker
from PIL import Image
from playwright.sync_api import expect

from book import tour

PAGE = "/content/quickstart.html"
PICTURES = [(name, theme) for name in tour.SHOTS for theme in tour.THEMES]


def test_they_show_what_this_site_was_built_from():
    assert tour.fresh(SITE), "run `python -m book.tour --must`"


def test_pictures_of_another_site_are_removed(tmp_path):
    folder = tmp_path / tour.FOLDER
    folder.mkdir(parents=True)
    for name, theme in PICTURES:
        (tmp_path / tour.file(name, theme)).write_bytes(b"picture")
    (folder / tour.MADE).write_text(tour.fingerprint())
    tour.remove_old(tmp_path)
    assert tour.fresh(tmp_path)
    (folder / tour.MADE).write_text("another")
    tour.remove_old(tmp_path)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("name", "theme"), PICTURES)
def test_each_shows_something_in_its_theme(name, theme):
    shot = tour.SHOTS[name]
    picture = Image.open(SITE / tour.file(name, theme)).convert("L")
    assert picture.size == (shot.width * tour.SCALE, shot.height * tour.SCALE)
    gray = np.asarray(picture, dtype=float)
    assert gray.std() > 8  # text stands on it
    assert (gray > 128).mean() > 0.5 if theme == "light" else (gray < 128).mean() > 0.5
    others = [n for n in tour.SHOTS if n != name]
    assert all(
        (SITE / tour.file(n, theme)).read_bytes() != (SITE / tour.file(name, theme)).read_bytes()
        for n in others
    )


@pytest.mark.parametrize("theme", tour.THEMES)
def test_the_page_shows_those_of_its_theme_without_a_jump(page, site_url, theme, assert_clean):
    page.emulate_media(color_scheme=theme)
    page.goto(site_url + PAGE)
    pictures = page.locator(".tt-shot img").filter(visible=True)
    expect(pictures).to_have_count(len(tour.SHOTS))
    height = "document.fonts.ready.then(() => document.documentElement.scrollHeight)"
    before = page.evaluate(height)
    for name, picture in zip(tour.SHOTS, pictures.all(), strict=True):
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_attribute("src", re.compile(rf"/{name}-{theme}\.webp$"))
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("e => e.naturalWidth") == tour.SHOTS[name].width * tour.SCALE
        assert picture.get_attribute("alt")
    assert page.evaluate(height) == before


def test_a_picture_that_is_not_there_leaves_no_gap(page, site_url):
    without_worker(page)
    page.route("**/tour/failed-*.webp", lambda route: route.abort())
    page.goto(site_url + PAGE)
    gone = page.locator(".tt-shot").nth(list(tour.SHOTS).index("failed"))
    page.mouse.wheel(0, 20_000)
    page.locator("h2").last.scroll_into_view_if_needed()
    page.get_by_role("heading", name=re.compile("Read the card")).scroll_into_view_if_needed()
    expect(gone).to_be_hidden()
    expect(page.locator(".tt-shot").filter(visible=True)).to_have_count(len(tour.SHOTS) - 1)
