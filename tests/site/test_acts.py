"""One module of each act as a student meets it: a wrong answer, a hint, the right answer."""

import re

import pytest
from lab import cell_with, opened, run_in, write_and_run
from playwright.sync_api import expect

from tinytorch.course.exercise import get

# A module of every act after the first, which test_module01.py walks through from the home page.
PASSES = ["training.clip_grad_norm_"]


@pytest.mark.parametrize("id", PASSES)
def test_wrong_hint_right(page, site_url, assert_clean, id):
    exercise = get(id)
    opened(page, site_url, f"{exercise.module}.ipynb")
    cell = cell_with(page, f'@build("{id}")')
    wrong = exercise.wrong[0]
    write_and_run(page, cell, exercise.cell(wrong.body))
    card = page.locator(f'[data-exercise="{id}"]')
    expect(card).to_have_attribute("data-result", "failed", timeout=60_000)
    expect(card).to_contain_text(wrong.message.replace("`", ""))
    first = card.get_by_text(re.compile(r"^Hint 1 of \d"))
    expect(first).to_be_visible()
    first.click()
    expect(card.get_by_text(exercise.hints[0].split(".")[0].replace("`", ""))).to_be_visible()

    write_and_run(page, cell, exercise.solution)
    expect(card).to_have_attribute("data-result", "passed", timeout=60_000)
    ask = f"from tinytorch.course import provenance; print(provenance()['{id}'])"
    assert run_in(page, ask) == "yours\n"


def test_a_module_runs_from_its_first_cell_to_its_last(page, site_url, assert_clean):
    """Every cell but the exercises, in one go, in the tab: no error, and the plots are there."""
    opened(page, site_url, "07_training.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    last = cell_with(page, 'startswith(("training.", "lr_scheduler."))')
    expect(last.locator(".jp-OutputArea-output")).to_contain_text("reference", timeout=180_000)
    # Exercises that are not built say so; nothing else may raise.
    said = page.locator('.jp-RenderedText[data-mime-type$="stderr"]').all_inner_texts()
    assert said == []
    resumed = cell_with(page, 'resumed.load_state_dict(load("half.tt"))')
    expect(resumed).to_contain_text("the same to the last bit: True")
