"""The pages about the whole course, for a first visitor, a student half-way, and a phone."""

import json
import re

import pytest
from lab import seed
from playwright.sync_api import expect

from tinytorch.course.exercise import exercises
from tinytorch.course.map import COURSE

PAGES = ["journey", "tiers", "milestones", "checkpoints"]
WRITTEN = [m for m in COURSE.modules if exercises(m.id)]


def record(modules, more=0, milestones=()):
    """progress.json of a student who has built the first `modules`, and `more` of the next."""
    ids = [e.id for m in WRITTEN[:modules] for e in exercises(m.id)]
    ids += [e.id for e in exercises(WRITTEN[modules].id)[:more]] if more else []
    passed = {
        id: {"tries": 1, "passed": f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z"}
        for n, id in enumerate(ids)
    }
    reached = {
        name: {
            "accuracy": 0.9792, "best": 0.98, "seconds": 2.6, "yours": 31, "of": 31,
            "date": "2026-11-20T10:00:00Z", "where": "Chromium 140",
        }
        for name in milestones
    }  # fmt: skip
    return json.dumps({"version": 1, "exercises": passed, "milestones": reached})


@pytest.fixture
def student(page, site_url, assert_clean):
    """Open a page as a student with this record."""

    def opened(name, text):
        page.goto(f"{site_url}/content/index.html")
        seed(page, text)
        page.goto(f"{site_url}/content/{name}.html")
        return page

    return opened


@pytest.mark.parametrize("name", PAGES)
def test_a_first_visitor_sees_the_course_and_nothing_of_a_student(
    page, site_url, assert_clean, name
):
    page.goto(f"{site_url}/content/{name}.html")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".tt-done, .tt-begun, .tt-here, .tt-open")).to_have_count(0)
    expect(page.locator(".tt-position")).to_be_hidden()
    assert "".join(page.locator(".tt-state, .tt-count").all_inner_texts()) == ""
    assert page.evaluate("indexedDB.databases()") == []


def test_half_way_the_pictures_show_it(student):
    page = student("journey", record(3, more=2))
    for picture in ("svg.tt-arc-desk", "svg.tt-needs"):
        done = page.locator(f"{picture} g.tt-module.tt-done")
        expect(done).to_have_count(3)
        names = done.evaluate_all("all => all.map(e => e.dataset.module).sort()")
        assert names == [m.id for m in WRITTEN[:3]]
        here = page.locator(f"{picture} g.tt-module.tt-here")
        expect(here).to_have_count(1)
        assert here.get_attribute("data-module") == WRITTEN[3].id
        expect(page.locator(f"{picture} g.tt-module.tt-begun")).to_have_count(1)
    expect(page.locator("svg.tt-arc-desk g.tt-act.tt-here")).to_have_attribute("data-act", "1")
    expect(page.locator("svg.tt-arc-desk g.tt-act.tt-done")).to_have_count(0)


@pytest.mark.parametrize("name", [*PAGES, "modules/01_tensor", "faq"])
def test_every_page_says_where_one_is_and_leads_on(student, name):
    page = student(name, record(3, more=2))
    fourth = exercises(WRITTEN[3].id)
    strip = page.locator(".tt-position")
    expect(strip).to_be_visible()
    expect(strip.locator(".tt-where")).to_have_text(f"Act I · 04 Losses · 2 of {len(fourth)}")
    expect(strip.locator(".tt-next")).to_have_text(f"Next: {fourth[2].title}")
    strip.click()
    anchor = f"#ex-{fourth[2].id.replace('.', '-')}"
    assert page.url.endswith(f"/content/modules/04_losses.html{anchor}")
    expect(page.locator(anchor)).to_be_in_viewport()


def test_milestones_say_what_they_wait_for(student):
    page = student("milestones", record(3, more=2))
    built = sum(len(exercises(m.id)) for m in WRITTEN[:3]) + 2
    for name, after in (("perceptron", 1), ("xor", 2)):
        total = sum(len(exercises(m.id)) for m in WRITTEN if m.act.number <= after)
        state = page.locator(f'.tt-history [data-milestone="{name}"] .tt-state')
        expect(state).to_have_text(f"{built} of the {total} exercises it runs on are yours")
    expect(page.locator(".tt-history .tt-open, .tt-history .tt-done")).to_have_count(0)


def test_an_act_that_is_built_unlocks_its_milestones(student):
    page = student("milestones", record(4))
    opened = page.locator(".tt-history .tt-open")
    assert opened.evaluate_all("all => all.map(e => e.dataset.milestone)") == ["perceptron"]
    expect(opened.locator(".tt-state")).to_have_text(
        "Unlocked: all it runs is yours. Ready when you are."
    )


def test_what_an_act_unlocks_is_the_next_step_until_it_was_reached(student):
    page = student("faq", record(4))
    strip = page.locator(".tt-position")
    expect(strip).to_have_text("Act I · 04 Losses · 5 of 5 Next: 1957 Perceptron")
    strip.click()
    expect(page).to_have_url(re.compile(r"/content/milestones/1957_perceptron\.html$"))
    seed(page, record(4, milestones=["perceptron"]))
    page.reload()
    first = exercises(WRITTEN[4].id)
    expect(strip).to_have_text(f"Act II · 05 Autograd · 0 of {len(first)} Next: {first[0].title}")
    seed(page, record(4, more=1))  # gone on without it
    page.reload()
    expect(strip).to_have_text(f"Act II · 05 Autograd · 1 of {len(first)} Next: {first[1].title}")


def test_a_milestone_that_was_reached_shows_its_result(student):
    page = student("milestones", record(len(WRITTEN), milestones=["mlp"]))
    opened = page.locator(".tt-history .tt-open")
    assert opened.evaluate_all("all => all.map(e => e.dataset.milestone)") == ["perceptron", "xor"]
    expect(page.locator('.tt-history .tt-done[data-milestone="mlp"] .tt-state')).to_have_text(
        "Reached: test accuracy 97.92%, best 98.00%, 2.6 s of learning, 31 of 31 exercises in it "
        "yours, 2026-11-20, Chromium 140"
    )
    expect(page.locator(".tt-history .tt-done")).to_have_count(1)
    for act in ("1", "2"):
        page.goto(page.url.replace("milestones", "journey"))
        expect(page.locator(f'svg.tt-arc-desk g.tt-act.tt-done[data-act="{act}"]')).to_have_count(1)


def test_checkpoints_fill_as_modules_do(student):
    page = student("checkpoints", record(3, more=2))
    ticks = page.locator(".tt-checkpoints .tt-tick:visible")
    expect(ticks).to_have_count(4)  # 00, and the three modules
    counts = page.locator(".tt-checkpoints .tt-count").all_inner_texts()
    assert counts[3] == f"2 of {len(exercises(WRITTEN[3].id))}" and counts[4] == ""


def test_what_passes_in_another_tab_appears_here(student, context, site_url):
    page = student("milestones", record(3))
    other = context.new_page()
    other.goto(f"{site_url}/content/index.html")
    tell = "text => new BroadcastChannel('tinytorch-progress').postMessage(text)"
    other.evaluate(tell, record(4))
    expect(page.locator('.tt-history .tt-open[data-milestone="perceptron"]')).to_be_attached()
    expect(page.locator(".tt-next")).to_have_text("Next: 1957 Perceptron")


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_in_the_dark(student, name):
    page = student(name, record(3, more=2))
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    strip = page.locator(".tt-position")
    expect(strip).to_be_visible()
    box = strip.bounding_box()
    assert box["x"] + box["width"] <= 390
    shown = page.locator("svg.tt-picture").filter(visible=True)
    for picture in shown.all():
        sizes = picture.evaluate(
            """svg => [...svg.querySelectorAll("text")].map((t) =>
                 parseFloat(getComputedStyle(t).fontSize) * svg.getScreenCTM().a)"""
        )
        assert min(sizes) > 9.5, (name, min(sizes))
    assert {p.get_attribute("class").split()[1] for p in shown.all()} == {
        "journey": {"tt-arc-phone", "tt-needs"},
        "tiers": {"tt-overview-phone"},
    }.get(name, set())
