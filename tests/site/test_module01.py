"""A student's first hour in a real browser: read, fail, pass, reload, and it is still theirs."""

import re

from lab import START, cell_with, opened, overlay, run_in, write_and_run
from playwright.sync_api import expect

from tinytorch.course.exercise import exercises, get

ADD = get("tensor.Tensor.__add__")
SOLUTION = ADD.solution.split('"""')[-1].strip()
# What the student writes: the reference's way, and a mark by which it is known again.
MINE = ADD.cell("a, b = self._operands(other, 'add')\nTensor.mark = 'mine'\nreturn Tensor(a + b)")
WRONG = ADD.cell(ADD.wrong[0].body)


def test_from_the_home_page_to_ones_own_addition(page, context, site_url, assert_clean):
    page.goto(site_url + "/")
    page.get_by_role("link", name="Start Module 01").click()
    expect(page).to_have_url(re.compile(r"/content/modules/01_tensor\.html"))
    page.locator("#tt-start").click()

    # within a second there is a sign of what is happening
    frame = page.frame_locator("#tt-overlay iframe")
    expect(frame.locator("#tt-steps")).to_be_visible(timeout=5000)
    frame = overlay(page)

    cell = cell_with(frame, '@build("tensor.Tensor.__add__")')
    write_and_run(page, cell, WRONG)
    card = frame.locator(f'[data-exercise="{ADD.id}"]')
    expect(card).to_have_attribute("data-result", "failed", timeout=60_000)
    expect(card).to_contain_text(ADD.wrong[0].message.replace("`", ""))
    expect(card.get_by_text("Hint 1 of 3")).to_be_visible()
    expect(card.get_by_text("Hint 2 of 3")).to_be_hidden()
    card.get_by_text("Hint 1 of 3").click()
    expect(card.get_by_text("Hint 2 of 3")).to_be_visible()
    assert SOLUTION not in card.inner_html()

    write_and_run(page, cell, MINE)
    expect(card).to_have_attribute("data-result", "passed", timeout=60_000)
    expect(card).to_contain_text("is yours")

    # what was written is on disk before the tab goes away, then: back to the page, which shows it
    page.frames[-1].evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    frame.locator("#tt-back").click()
    expect(page.locator("#tt-overlay")).to_be_hidden()
    expect(page.locator(f'section.exercise[data-exercise="{ADD.id}"]')).to_have_class(
        re.compile("tt-done")
    )

    page.reload()
    bar = page.locator('.tt-progress[data-module="01_tensor"]').first
    expect(bar).to_contain_text(re.compile(rf"1\s+of\s+{len(exercises('01_tensor'))}"))

    # another notebook, with a Python of its own
    other = context.new_page()
    opened(other, site_url)
    ask = (
        "import tinytorch\nfrom tinytorch.course import provenance\n"
        "tinytorch.Tensor([1]) + 1\n"
        f"print(tinytorch.Tensor.mark, provenance()['{ADD.id}'])"
    )
    assert run_in(other, ask) == "mine yours\n"

    # and after a restart of that Python
    other.locator("#tt-restart").click()
    expect(other.locator("#tt-kernel")).to_have_text("starting")
    expect(other.locator("#tt-kernel")).to_have_text("ready", timeout=START)
    assert run_in(other, ask) == "mine yours\n"

    # the first notebook still holds the cell, and its card reads well
    page.bring_to_front()  # a tab in the background draws its cells when it is idle, or never
    page.locator("#tt-start").click()
    frame = overlay(page)
    expect(cell_with(frame, "Tensor.mark")).to_be_attached()
    expect(frame.get_by_text("is yours").first).to_be_attached()


def test_the_course_is_at_hand_in_a_notebook(page, site_url, assert_clean):
    opened(page, site_url)
    assert "exercises are built by you" in run_in(page, "%run -m tinytorch")
    assert "[ ] tensor.Tensor.__add__" in run_in(page, "tinytorch.course.status()")
    # an endless loop in an exercise stops by itself, in the tab too
    loop = get("tensor.contiguous_strides").cell("while True:\n    pass")
    said = run_in(page, f"from tinytorch.course import build\n{loop}")
    assert "still running" in said
    # everything the exercises declare holds on the browser's Python
    said = run_in(page, "from tinytorch.course.verify import verify; print(verify())")
    assert said.splitlines()[-1] == "0", said[-2000:]
    # matplotlib comes when it is asked for
    assert run_in(page, "import sys; print('matplotlib' in sys.modules)") == "False\n"
    drawn = "import matplotlib.pyplot as plt; print(len(plt.plot([1, 2]))); plt.close()"
    assert run_in(page, drawn) == "1\n"


def test_a_phone_can_read_and_code(page, site_url, assert_clean):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site_url + "/content/modules/01_tensor.html")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    page.locator("#tt-start").click()
    frame = overlay(page)
    expect(frame.locator("#tt-back")).to_be_visible()
    expect(cell_with(frame, "import numpy")).to_be_visible()
