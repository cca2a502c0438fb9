"""The page that measures, as a page and in the tab. No time is asserted."""

import re

from playwright.sync_api import expect

START = 120_000  # ms for Python to start, on a busy machine

CELLS = """async () => {
    await window.jupyterapp.commands.execute("notebook:run-all-cells");
    const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    const said = (o) => o.text ?? o.ename ?? Object.keys(o.data).join();
    return cells.filter((cell) => cell.model.type === "code")
        .map((cell) => cell.model.outputs.toJSON().map(said).join());
}"""


def test_the_page_says_what_ran_and_describes_its_picture(page, site_url, assert_clean):
    page.goto(f"{site_url}/content/speed.html")
    expect(page.get_by_text(re.compile(r"this is Python on \w+, not in a browser"))).to_be_visible()
    picture = page.get_by_role("img", name="A tile of C: 4 rows of 2 registers")
    expect(picture).to_be_visible()
    assert picture.bounding_box()["width"] > 300
    expect(page.locator(".tt-plot img")).to_have_attribute("alt", re.compile("Python loops"))


def test_all_of_it_runs_in_the_tab(page, site_url, assert_clean):
    page.goto(f"{site_url}/lite/notebooks/index.html?path=speed.ipynb")
    expect(page.locator("body.tt-ready")).to_be_attached(timeout=START)
    said = page.evaluate(CELLS)
    assert not [text for text in said if "Error" in text]
    assert "this browser runs it" in said[0]
    (table,) = [text for text in said if text.startswith("GFLOP/s")]
    rows = dict(re.findall(r"^(\S.*?)  +(.*\d.*)$", table, re.MULTILINE))
    assert list(rows) == [
        "GFLOP/s",
        "Python loops",
        "NumPy as it came",
        "relaxed SIMD",
        "the limit",
    ]
    assert len(rows["relaxed SIMD"].split()) == 8
    assert any("image/png" in text for text in said)
    expect(page.get_by_role("img", name="A tile of C")).to_be_visible()
