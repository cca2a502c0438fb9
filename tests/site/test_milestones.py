"""The milestones in a real browser: on a student's code, to their floors, and a digit drawn."""

import json
import re

import pytest
from lab import opened, run_in
from playwright.sync_api import expect

ADOPT = """
from tinytorch.course import overlay
from tinytorch.course.exercise import all_exercises
for e in all_exercises():
    overlay.adopt(e.id, e.solution)
"""


@pytest.fixture
def playground(page, site_url):
    return opened(page, site_url)


def test_all_of_them_on_a_students_code(playground):
    run_in(playground, ADOPT)
    for name in ("perceptron", "xor", "mlp"):
        said = run_in(playground, f"from tinytorch.milestones import {name}\nr = {name}.run()")
        last = said.strip().split("\n")[-1]
        assert re.fullmatch(r"test accuracy \d+\.\d\d%", last), said[-2000:]
        assert float(last.split()[-1].rstrip("%")) >= 95, said[-2000:]
        assert (found := re.search(r"What runs here: (\d+) of (\d+) are yours", said)), said
        assert found[1] == found[2]
    assert "97" in run_in(playground, "print(r.accuracy >= 0.97 and 97)")
    ask = "import json; from tinytorch.course import work; print(json.dumps(work.progress()))"
    done = json.loads(run_in(playground, ask))["milestones"]
    assert set(done) == {"perceptron", "xor", "mlp"}
    assert done["mlp"]["where"].startswith("Chromium ") and done["mlp"]["seconds"] > 0


def test_a_broken_matmul_breaks_it_in_the_tab(playground):
    broken = "tensor.Tensor.__matmul__"
    body = "return Tensor(np.zeros(self.shape[:-1] + other.shape[-1:], 'f'))"
    run_in(
        playground,
        "from tinytorch.course import overlay, exercise\n"
        f"overlay.adopt({broken!r}, exercise.get({broken!r}).cell({body!r}))",
    )
    code = "from tinytorch.milestones import perceptron\nprint(perceptron.run().passed)"
    assert run_in(playground, code).strip().endswith("False")


def test_a_digit_is_drawn_and_read(playground):
    """The network is a stand-in that tells upper ink from lower; the way there is the test."""
    cell = playground.locator(".jp-CodeCell").first
    cell.locator(".cm-content").click()
    playground.keyboard.press("Control+a")
    playground.keyboard.insert_text(
        "import numpy as np\n"
        "from tinytorch.data import digits\n"
        "from tinytorch.milestones.pad import Pad\n"
        "pad = Pad(lambda i: np.eye(10)[int(i[:14].sum() > i[14:].sum())], digits(9, size=28))\n"
        "pad"
    )
    playground.keyboard.press("Control+Enter")
    pad = playground.locator("[id^=tinytorch-pad]")
    says = pad.locator(".says")
    expect(says).to_have_text("Draw a digit, large, in the square.", timeout=60_000)
    box = pad.locator("canvas").first.bounding_box()
    mouse = playground.mouse

    def draw(*points):
        for i, (x, y) in enumerate(points):
            mouse.move(box["x"] + x, box["y"] + y, steps=5)
            if i == 0:
                mouse.down()
        mouse.up()

    draw((60, 60), (220, 60), (140, 220))  # a seven: more ink above
    expect(says).to_have_text("Read as 1, 100% sure.")
    pad.get_by_role("button", name="Clear").click()
    draw((140, 60), (140, 220), (60, 220), (220, 220))  # an upturned T
    expect(says).to_have_text("Read as 0, 100% sure.")
    assert run_in(playground, "print(pad.image.sum() > 0, pad.image.shape)") == "True (28, 28)\n"

    pad.get_by_role("button", name="A test image").press("Enter")
    expect(says).to_have_text(re.compile(r"Read as \d, 100% sure\. It is a \d\."))

    pad.get_by_role("button", name="Clear").click()
    pad.locator("canvas").first.focus()
    for key in (" ", *["ArrowDown"] * 5, *["ArrowLeft"] * 8, *["ArrowRight"] * 16):
        playground.keyboard.press(key)
    expect(says).to_have_text("Read as 0, 100% sure.")
