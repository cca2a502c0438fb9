"""The book's pages in Chromium. The live notebook itself is a stand-in here, to be quick and exact:
what happens inside it is tested where it is made."""

import html
import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import SITE
from lab import seed, without_worker
from playwright.sync_api import expect

from book import course
from tinytorch.course.exercise import exercises
from tinytorch.course.map import COURSE

HOME = "/content/index.html"
MODULE = "/content/modules/01_tensor.html"
WRITTEN = [m for m in COURSE.modules if exercises(m.id)]
IDS = [e.id for e in exercises("01_tensor")]
PAGES = [f"/content/{path.stem}.html" for path in sorted(course.CONTENT.glob("*.md"))]
PAGES += [f"/{p.docname}.html" for p in course.all_pages() if p.exists]

# What live.js asks of JupyterLab's application, and a note of where it was sent.
STAND_IN = """<!doctype html><title>stand-in</title><button autofocus>cell</button><script>
const cell = (exercise) => (
  {model: {getMetadata: () => exercise && {exercise}}, node: document.body});
window.content = {
  widgets: [cell(), cell(), cell("tensor.Tensor.__add__"), cell(), cell("tensor.cat")],
  deselectAll() {}, scrollToItem(at) { this.at = at; }, activeCellIndex: 0 };
setTimeout(() => window.jupyterapp = {shell: {currentWidget: {content}}}, 300);
</script>"""


def passed(*ids):
    entries = {
        id: {"passed": f"2026-11-{n:02}T10:00:00Z", "tries": 2} for n, id in enumerate(ids, 1)
    }
    return json.dumps({"version": 1, "exercises": entries, "milestones": {}})


@pytest.fixture
def stand_in(page):
    without_worker(page)
    page.route(
        "**/lite/notebooks/index.html*",
        lambda route: route.fulfill(body=STAND_IN, content_type="text/html"),
    )


@pytest.fixture
def module(page, site_url, stand_in):
    """Module 01, with the stand-in behind its buttons."""
    page.goto(site_url + MODULE)
    return page


def overlay(page):
    return page.locator("#tt-overlay")


def in_frame(page):
    return page.locator("#tt-overlay iframe").element_handle().content_frame()


# What every page has to be


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_quiet_fit_and_can_be_used_by_all(
    page, site_url, path, width, scheme, assert_clean
):
    page.set_viewport_size({"width": width, "height": 850})
    page.emulate_media(color_scheme=scheme)
    page.goto(site_url + path)
    page.wait_for_load_state("networkidle")
    assert_clean()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], [n["target"] for n in v["nodes"]]) for v in serious]


def test_the_root_leads_to_the_home_page(page, site_url):
    page.goto(site_url + "/")
    page.wait_for_url("**/content/index.html")


def test_from_home_to_module_01_by_clicking(page, site_url, assert_clean):
    page.goto(site_url + HOME)
    page.get_by_role("link", name="Start Module 01").click()
    expect(page).to_have_url(re.compile(f"{MODULE}$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tensor")
    assert_clean()


def test_home_shows_the_whole_course_in_one_screen(page, site_url):
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(site_url + HOME)
    expect(page.locator(".tt-acts > li")).to_have_count(6)
    expect(page.locator(".tt-timeline > li")).to_have_count(len(COURSE.milestones))
    last = page.locator(".tt-timeline > li .tt-name").last
    assert last.bounding_box()["y"] < 900


# The sidebar


def test_sidebar_lists_the_course_and_marks_the_page(page, site_url):
    page.goto(site_url + MODULE)
    nav = page.get_by_role("navigation", name="Main")
    expect(nav.locator("li.tt-module")).to_have_count(20)
    expect(nav.locator("li.tt-milestone")).to_have_count(len(COURSE.milestones))
    expect(nav.locator("[aria-current=page]")).to_have_text(re.compile("Tensor"))
    expect(nav.locator("[aria-current=page]")).to_have_count(1)


def test_what_is_not_there_yet_is_no_link(page, site_url):
    page.goto(site_url + MODULE)
    for item in course.all_pages():
        entry = page.locator(f'.tt-nav li[data-{item.kind}="{item.key}"] > a')
        if item.exists:
            expect(entry).to_have_attribute("href", re.compile(r"\.html$|^#$"))
        else:
            expect(entry).to_have_attribute("aria-disabled", "true")
            assert entry.get_attribute("href") is None


def test_sidebar_opens_as_a_drawer_on_a_phone(page, site_url):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site_url + MODULE)
    link = page.locator(".tt-nav").get_by_role("link", name="Playground")
    expect(link).not_to_be_in_viewport()
    page.locator("button.primary-toggle").click()
    link.click()
    expect(page).to_have_url(re.compile("playground.html$"))


# Exercises


def test_each_exercise_has_a_card(page, site_url):
    page.goto(site_url + MODULE)
    cards = page.locator("section.exercise")
    assert cards.evaluate_all("all => all.map(e => e.dataset.exercise)") == IDS
    card = page.locator('[data-exercise="tensor.Tensor.__add__"]')
    expect(card).to_contain_text("def __add__(self, other")
    expect(card).to_contain_text("What the check asks")
    card.locator("summary").click()
    expect(card.get_by_text("leaves its operands alone")).to_be_visible()
    link = card.get_by_role("link", name="Code it")
    assert link.get_attribute("href").endswith("?path=01_tensor.ipynb#ex=tensor.Tensor.__add__")


@pytest.mark.parametrize(
    "module", [m for m in COURSE.modules if exercises(m.id)], ids=lambda m: m.id
)
def test_no_solution_stands_on_the_page_or_in_the_notebook(module):
    def squeezed(text):
        return re.sub(r"\s+", "", text)

    page = (SITE / "content" / "modules" / f"{module.id}.html").read_text(encoding="utf-8")
    shown = squeezed(html.unescape(re.sub(r"<[^>]+>", "", page)))
    cells = json.loads((SITE / "lite" / "files" / f"{module.id}.ipynb").read_text())["cells"]
    given = squeezed("".join("".join(cell["source"]) for cell in cells))
    for exercise in exercises(module.id):
        body = squeezed(exercise.solution.split('"""')[-1])
        assert squeezed(exercise.docstring) in given  # the comparison would find what is there
        assert body not in shown and body not in given, exercise.id


def test_without_scripts_a_page_reads_and_leads_to_its_notebook(browser, site_url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site_url + MODULE)
    expect(page.get_by_role("heading", name="Shapes that fit")).to_be_visible()
    link = page.get_by_role("link", name="Start coding").last
    assert link.get_attribute("href") == "../../lite/notebooks/index.html?path=01_tensor.ipynb"
    context.close()


# The live notebook over the page


def test_start_coding_fills_the_window_and_back_closes_it(module):
    button = module.locator("#tt-start")
    button.click()
    expect(overlay(module)).to_be_visible()
    box, size = overlay(module).bounding_box(), module.viewport_size
    assert (box["x"], box["y"], box["width"], box["height"]) == (
        0,
        0,
        size["width"],
        size["height"],
    )
    assert module.evaluate("document.activeElement.tagName") == "IFRAME"
    assert module.locator(".bd-container").evaluate("e => e.inert")
    module.go_back()
    expect(overlay(module)).to_be_hidden()
    assert module.url.endswith(MODULE)
    assert button.evaluate("e => e === document.activeElement")
    assert not module.locator(".bd-container").evaluate("e => e.inert")


def test_the_frame_closes_itself_and_is_kept(module):
    module.locator("#tt-start").click()
    frame = in_frame(module)
    frame.wait_for_load_state()
    frame.evaluate("window.mark = 7")
    frame.evaluate("parent.postMessage({type: 'tinytorch-close'}, '*')")
    expect(overlay(module)).to_be_hidden()
    module.locator("#tt-start").click()
    expect(overlay(module)).to_be_visible()
    assert in_frame(module).evaluate("window.mark") == 7


def test_escape_outside_the_frame_closes_it(module):
    module.locator("#tt-start").click()
    in_frame(module).wait_for_load_state()
    module.evaluate("document.activeElement.blur()")
    module.keyboard.press("Escape")
    expect(overlay(module)).to_be_hidden()


def test_another_origin_cannot_close_it(module):
    module.locator("#tt-start").click()
    module.evaluate("""dispatchEvent(new MessageEvent("message", {
      data: {type: "tinytorch-close"}, origin: "https://elsewhere.example"}))""")
    expect(overlay(module)).to_be_visible()


def test_code_it_sends_the_frame_to_its_cell_without_a_reload(module):
    module.locator("#tt-start").click()
    in_frame(module).wait_for_load_state()
    in_frame(module).evaluate("window.mark = 7")
    module.go_back()
    module.get_by_role("link", name="Code it: Add, with broadcasting").click()
    frame = in_frame(module)
    frame.wait_for_function("content.at === 1 && content.activeCellIndex === 2")
    assert frame.evaluate("window.mark") == 7
    module.go_back()  # one step, whatever cells were visited
    expect(overlay(module)).to_be_hidden()


def test_code_it_waits_for_the_notebook_and_the_last_click_wins(module):
    module.get_by_role("link", name="Code it: Add, with broadcasting").click()
    module.go_back()
    module.get_by_role("link", name="Code it: Join along a dimension").click()
    in_frame(module).wait_for_function("content.at === 3 && content.activeCellIndex === 4")


def test_hovering_starts_it_unseen(module):
    expect(overlay(module)).to_have_count(0)
    module.locator("#tt-start").hover()
    expect(overlay(module)).to_have_count(1)
    expect(overlay(module)).to_be_hidden()
    assert overlay(module).evaluate("e => e.inert")


def test_reaching_the_first_exercise_starts_it_unseen(module):
    module.locator("section.exercise").first.scroll_into_view_if_needed()
    expect(overlay(module)).to_have_count(1)
    expect(overlay(module)).to_be_hidden()


def test_nothing_is_started_for_who_saves_data(page, site_url, stand_in):
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'connection', {get: () => ({saveData: true})})"
    )
    page.goto(site_url + MODULE)
    page.locator("#tt-start").hover()
    page.locator("section.exercise").first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    expect(overlay(page)).to_have_count(0)
    page.get_by_role("link", name="Code it").first.click()
    expect(overlay(page)).to_be_visible()


def test_a_new_tab_gets_the_notebook_as_a_page(module):
    with module.context.expect_page() as opened:
        module.locator("#tt-start").click(modifiers=["ControlOrMeta"])
    assert opened.value.url.endswith("/lite/notebooks/index.html?path=01_tensor.ipynb")
    expect(overlay(module)).not_to_be_visible()


def test_the_small_button_takes_over_when_the_large_one_is_gone(module):
    for width in (1400, 390):
        module.set_viewport_size({"width": width, "height": 844})
        module.evaluate("scrollTo(0, 0)")
        dock = module.locator(".tt-dock")
        expect(dock).to_be_hidden()
        module.locator("section.exercise").nth(2).scroll_into_view_if_needed()
        expect(dock).to_be_visible()
        expect(dock).to_be_in_viewport()


# Progress


def test_a_first_visitor_sees_no_progress_and_leaves_no_trace(page, site_url, assert_clean):
    for path in (HOME, MODULE):
        page.goto(site_url + path)
        page.wait_for_load_state("networkidle")
        expect(page.locator(".tt-tick:visible, .tt-continue:visible")).to_have_count(0)
    expect(page.locator(".tt-progress")).to_be_hidden()
    assert page.evaluate("indexedDB.databases()") == []
    assert_clean()


def test_progress_is_read_from_the_browser(page, site_url, assert_clean):
    page.goto(site_url + HOME)
    seed(page, passed(*IDS[:3]))
    page.goto(site_url + MODULE)
    expect(page.locator(".tt-progress")).to_have_text(f"3 of {len(IDS)} built")
    done = page.locator("section.exercise.tt-done")
    assert done.evaluate_all("all => all.map(e => e.dataset.exercise)") == IDS[:3]
    expect(page.locator("section.exercise .tt-tick:visible")).to_have_count(3)
    expect(page.locator(".tt-nav li.tt-begun")).to_have_count(1)
    page.goto(site_url + HOME)
    back = page.get_by_role("link", name="Continue where you stopped")
    back.click()
    expect(page).to_have_url(re.compile(f"{MODULE}#ex-{IDS[3].replace('.', '-')}$"))
    assert_clean()


def test_a_finished_module_is_ticked(page, site_url):
    page.goto(site_url + HOME)
    seed(page, passed(*IDS))
    page.goto(site_url + MODULE)
    expect(page.locator(".tt-progress")).to_have_text(f"{len(IDS)} of {len(IDS)} built")
    expect(page.locator('.tt-nav li[data-module="01_tensor"] .tt-tick')).to_be_visible()


def test_progress_follows_another_tab(page, site_url):
    page.goto(site_url + MODULE)
    expect(page.locator(".tt-progress")).to_be_hidden()
    other = page.context.new_page()
    other.goto(site_url + HOME)
    other.evaluate(
        "text => new BroadcastChannel('tinytorch-progress').postMessage(text)", passed(IDS[0])
    )
    expect(page.locator(".tt-progress")).to_have_text(f"1 of {len(IDS)} built")


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"exercises": 3}', '{"exercises": {"a": null}}', ""]
)
def test_a_damaged_record_is_passed_over(page, site_url, text, assert_clean):
    page.goto(site_url + HOME)
    seed(page, text)
    page.goto(site_url + MODULE)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".tt-progress")).to_be_hidden()
    assert_clean()
