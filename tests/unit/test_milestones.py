"""The milestones: they reach their floors, on the student's code, and say whose code it is."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import tinytorch
from tinytorch import manual_seed
from tinytorch.__main__ import main
from tinytorch.course import overlay, work
from tinytorch.course.exercise import all_exercises, get
from tinytorch.data import digits, separable
from tinytorch.milestones import common, load, mlp, names, perceptron
from tinytorch.milestones.measure import Measure, accuracy
from tinytorch.milestones.pad import Pad, as_mnist

PACKAGE = Path(tinytorch.__file__).parent
ZEROS = {
    "tensor.Tensor.__matmul__": "return Tensor(np.zeros(self.shape[:-1] + other.shape[-1:], 'f'))",
    "layers.Linear.forward": "return Tensor(np.zeros((*x.shape[:-1], self.out_features), 'f'))",
}
# Enough to reach the floor with the reference, in a second or two
QUICK = {
    "perceptron": dict(n=40),
    "xor": dict(n=60, steps=150),
    "mlp": dict(data=(digits(1500, seed=1), digits(300, seed=2)), passes=6, batch_size=32),
}


@pytest.fixture(autouse=True)
def drawing(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    manual_seed(0)


def quick(name):
    return load(name).run(**QUICK[name])


def executed(run) -> set[str]:
    """Ids of the exercises whose code ran during `run()`."""
    seen = set()

    def note(frame, event, arg):
        if event == "call":
            seen.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    ids = set()
    for file, qualname in seen:
        path = Path(file)
        if path.parent == PACKAGE:
            ids.add(f"{path.stem}.{qualname}")
    known = [e.id for e in all_exercises()]
    return {k for k in known if k in ids or any(i.startswith(f"{k}.") for i in ids)}


@pytest.mark.parametrize("name", names())
def test_it_names_exactly_the_exercises_that_it_runs(name):
    known = {e.id for e in all_exercises()}
    assert executed(lambda: quick(name)) == set(load(name).USES) & known
    assert set(load(name).USES) <= known


@pytest.mark.parametrize("name", names())
def test_it_says_whose_code_runs_before_it_runs(name, capsys):
    one = load(name).USES[0]
    overlay.adopt(one, get(one).solution)
    quick(name)
    out = capsys.readouterr().out
    assert out.startswith(f"What runs here: 1 of {len(load(name).USES)} are yours.\n")
    first = out.split("\n")[1].split()
    assert first[2:] == ["yours", one.split(".", 1)[1]]
    assert out.index("What runs here") < out.index("test accuracy")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("broken", ZEROS)
def test_broken_code_of_the_student_breaks_it(name, broken, home, capsys):
    overlay.adopt(broken, get(broken).cell(ZEROS[broken]))
    try:
        result = quick(name)
    except RuntimeError as error:  # what is cut off from the parameters has no backward
        assert "grad" in str(error)
    else:
        assert not result.passed
        assert "not reached, the floor is" in capsys.readouterr().out
    assert name not in work.progress()["milestones"]


@pytest.mark.parametrize("name", names())
def test_the_reference_reaches_it(name):
    assert quick(name).passed
    (measure,) = load(name).MEASURES
    assert work.progress()["milestones"][name]["accuracy"] >= measure.floor == 0.95


def test_the_command_reaches_it_and_notes_it(capsys, home):
    assert main(["milestone", "perceptron"]) == 0
    last = capsys.readouterr().out.strip().split("\n")[-1]
    assert last.startswith("test accuracy ") and last.endswith("%")
    entry = json.loads((home / "progress.json").read_text())["milestones"]["perceptron"]
    assert entry["accuracy"] >= 0.95 and entry["where"].startswith("Python 3.")
    assert entry["yours"] == 0 and entry["date"].endswith("Z")


def test_the_command_fails_with_a_broken_matmul(capsys, home):
    broken = "tensor.Tensor.__matmul__"
    overlay.adopt(broken, get(broken).cell(ZEROS[broken]))
    assert main(["milestone", "perceptron"]) == 1
    assert "test accuracy 4" in capsys.readouterr().out


def test_the_command_names_the_milestones_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["milestone", "hal9000"])
    assert "perceptron" in capsys.readouterr().err
    with pytest.raises(KeyError, match="no milestone 'hal9000'; there are perceptron"):
        load("hal9000")


def test_the_record_keeps_the_first_date_and_the_best(home):
    work.record_milestone("mlp", {"accuracy": 0.97, "seconds": 1.0})
    path = home / "progress.json"
    data = json.loads(path.read_text())
    data["milestones"]["mlp"]["first"] = "2000-01-01T00:00:00Z"
    path.write_text(json.dumps(data))
    entry = work.record_milestone("mlp", {"accuracy": 0.96, "seconds": 2.0})
    assert (entry["accuracy"], entry["best"], entry["seconds"]) == (0.96, 0.97, 2.0)
    assert entry["first"] == "2000-01-01T00:00:00Z" and entry["date"] > entry["first"]
    path.write_text(json.dumps({**data, "milestones": {"mlp": "odd"}}))
    assert work.record_milestone("mlp", {"accuracy": 0.9})["best"] == 0.9


SMALL = (
    accuracy(floor=0.9),
    Measure("kB", "size", floor=120, better="lower", unit="kB"),
    Measure("speed", "speed", unit="tokens/s"),  # told, not judged
)


def small(right, size, speed=1234.5):
    values = {"accuracy": right, "kB": size, "speed": speed}
    return common.Result("small", SMALL, values, seconds=1)


def test_every_measure_must_be_good_enough(home, capsys):
    assert str(small(0.95, 120)) == (
        "small: reached; learning took 1.00 s\ntest accuracy 95.00%\nsize 120 kB\n"
        "speed 1,234 tokens/s"
    )
    assert not small(0.95, 121).passed and not small(0.89, 100).passed
    assert not small(float("nan"), 100).passed and not small(0.95, float("nan")).passed
    said = str(small(0.5, 300.25)).split(";")[:2]
    assert said == [
        "small: not reached, the floor for test accuracy is 90%",
        " not reached, the limit for size is 120 kB",
    ]
    common.conclude(small(0.5, 300), ())
    assert work.progress()["milestones"] == {}


def test_the_record_keeps_the_best_of_each_measure(home):
    for right, size, speed in ((0.97, 110, 20), (0.95, 100, 30), (0.99, 120, 10)):
        common.conclude(small(right, size, speed), ())
    entry = work.progress()["milestones"]["small"]
    assert [entry[key] for key in ("accuracy", "kB", "speed")] == [0.99, 120, 10]
    assert [entry[key] for key in ("best", "least kB", "most speed")] == [0.99, 100, 30]


def test_an_old_record_is_read_and_gains_what_is_measured_now(home):
    old = {"accuracy": 0.96, "best": 0.98, "seconds": 2.6, "yours": 3, "of": 9, "date": "2026"}
    work.write_progress({"version": 1, "exercises": {}, "milestones": {"small": old}})
    common.conclude(small(0.95, 100), ())
    entry = work.progress()["milestones"]["small"]
    assert (entry["best"], entry["least kB"]) == (0.98, 100)


def test_a_measure_without_a_value_is_refused():
    with pytest.raises(ValueError, match=r"small: measures \['accuracy', 'kB', 'speed'\], but"):
        common.Result("small", SMALL, {"accuracy": 0.9}, seconds=1)


def test_the_table_reads_well_in_a_notebook():
    table = common.Provenance(perceptron.USES)._repr_html_()
    assert table.count("<tr>") == table.count("</tr>") == 3
    assert table.count("<td") == table.count("</td>") and "<code>Linear.forward</code>" in table


# 1957


@pytest.mark.parametrize("seed", range(4))
def test_the_rule_settles_within_novikoffs_bound(seed):
    """Novikoff 1962: with |x| <= R and a separating unit vector of margin g, at most (R/g)²."""
    x, y = separable(60, seed, margin=0.1)
    learned = perceptron.learn(x, y)
    assert learned.settled and perceptron.accuracy(learned.neuron, x, y) == 1
    z = np.column_stack([x, np.ones(60)]) * np.where(y == 1, 1, -1)[:, None]
    w = np.append(learned.neuron.weight.data[0], learned.neuron.bias.data)
    margin = (z @ w).min() / np.linalg.norm(w)  # any separating vector gives a bound
    assert sum(learned.mistakes) == len(learned.lines) <= (z**2).sum(1).max() / margin**2


def test_the_rule_is_rosenblatts():
    """Each correction adds the point with its sign: the final weights are their sum."""
    x, y = separable(30, 2)
    learned = perceptron.learn(x, y, passes=1)
    w, corrections = np.zeros(3), 0
    for point, side in zip(x, y, strict=True):
        z = np.append(point, 1) * (1 if side else -1)
        if w @ z <= 0:
            w, corrections = w + z, corrections + 1
    assert learned.mistakes == [corrections] and corrections > 0
    assert np.allclose(learned.lines[-1], w, atol=1e-5)


def test_it_draws_what_it_did():
    result = quick("perceptron")
    titles = [ax.get_title() for ax in result.plot().axes]
    assert titles[0].startswith("correction ") and titles[-1] == "mistakes in each pass"


# 1969


def test_one_neuron_fails_where_two_layers_do_not():
    result = quick("xor")
    assert result.one_accuracy < 0.8 and result.one.mistakes[-1] > 0
    assert len(result.one.mistakes) == 20  # it never settles
    assert result.accuracy > 0.95 and result.losses[-1] < 0.5 * result.losses[0]
    titles = [ax.get_title() for ax in result.plot().axes]
    assert titles[:2] == [f"one neuron: {result.one_accuracy:.0%}", "two layers: 100%"]


# 1986


@pytest.fixture(scope="module")
def read():
    return quick("mlp")


def test_the_mistakes_are_the_mistakes(read):
    test = read.test
    assert read.confusion.sum() == len(test.labels) == 300
    assert read.confusion.trace() / 300 == read.accuracy
    assert (read.confusion.sum(1) == np.bincount(test.labels, minlength=10)).all()
    wrong = read.wrong
    assert len(wrong) == 300 - read.confusion.trace()
    assert (read.answers[wrong] != test.labels[wrong]).all()
    shares = np.exp(read.scores) / np.exp(read.scores).sum(1, keepdims=True)
    sure = shares[wrong, read.answers[wrong]]
    assert (np.diff(sure) <= 1e-6).all()  # the surest first


def test_one_image_is_read_as_in_the_test(read):
    for i in (0, 7, 31):
        shares = read.read(read.test.images[i])
        assert shares.shape == (10,) and abs(shares.sum() - 1) < 1e-5
        assert shares.argmax() == read.answers[i]
    assert "it is a" in read.pad().example(5)


def test_it_draws_mistakes_mix_ups_and_its_way(read):
    assert len(read.plot_gallery(8).axes) == 8
    (ax,) = read.plot_confusion().axes
    assert sum(int(t.get_text()) for t in ax.texts) == 300
    assert [ax.get_title() for ax in read.plot_history().axes][1] == "test accuracy, %"
    read_all = dataclasses.replace(read, scores=np.eye(10)[read.test.labels])
    assert len(read_all.wrong) == 0 and read_all.plot_gallery() is not None


def test_batches_hold_every_digit_once_in_an_order_of_their_own():
    data = digits(50, seed=3)
    batches = mlp.Batches(data, 16, seed=1)
    assert len(batches) == 4
    first, second = list(batches), list(batches)
    assert [x.shape for x, _ in first] == [(16, 256)] * 3 + [(2, 256)]
    x = np.concatenate([x.data for x, _ in first])
    assert x.dtype == np.float32 and x.max() <= 1
    rows = sorted(map(bytes, np.round(x * 255).astype(np.uint8)))
    assert rows == sorted(map(bytes, data.images.reshape(50, -1)))
    assert any((a.data != b.data).any() for (a, _), (b, _) in zip(first, second, strict=True))
    again = list(mlp.Batches(data, 16, seed=1))
    assert all((a.data == b.data).all() for (a, _), (b, _) in zip(first, again, strict=True))


# The pad


@pytest.mark.parametrize(("zoom", "place"), [(1, 0), (4, 0), (4, 13), (5, 31)])
def test_a_drawing_becomes_what_mnist_would_have_made_of_it(zoom, place):
    """MNIST's own digits, enlarged and moved, must come back as they are."""
    from tinytorch.data import mnist

    for image in mnist()[1].images[:40]:
        paper = np.zeros((200, 200), np.uint8)
        side = 28 * zoom
        paper[place : place + side, place : place + side] = image.repeat(zoom, 0).repeat(zoom, 1)
        assert np.abs(as_mnist(paper).astype(int) - image).max() <= 1


def test_an_odd_drawing_is_no_error():
    assert not as_mnist(np.zeros((140, 140), np.uint8)).any()
    dot = np.zeros((140, 140), np.uint8)
    dot[3, 5] = 255
    assert as_mnist(dot).any()
    flat = np.zeros((140, 140), np.uint8)
    flat[70, :] = 255
    assert as_mnist(flat).shape == (28, 28) and as_mnist(flat).max() == 255


@pytest.fixture
def pad():
    def read(image):
        shares = np.full(10, 0.01)
        shares[int(image[:14].sum() > image[14:].sum())] = 0.91  # more ink in the upper half?
        return shares

    return Pad(read, digits(20, seed=1, size=28))


def test_the_pad_answers_the_page(pad):
    assert pad.answer({"say": "hello"}) == {"say": "ready"}
    ink = np.zeros((140, 140), np.uint8)
    ink[20:40, 30:110] = 255
    ink[40:120, 65:75] = 255
    answer = pad.answer({"say": "ink", "side": 140, "ink": ink.tobytes().hex()})
    assert answer["digit"] == 1 and answer["shares"][1] == 0.91 and answer["truth"] is None
    assert answer["seen"] == as_mnist(ink).ravel().tolist() == pad.image.ravel().tolist()
    json.dumps(answer)
    answer = pad.answer({"say": "example"})
    assert answer["truth"] in range(10) and len(answer["seen"]) == 784
    assert pad.answer({"say": "ink", "side": 4, "ink": "00" * 16}) == {"say": "ready"}


def test_the_pad_shows_what_the_students_network_raises(pad):
    def read(image):
        raise ValueError("linear: (1, 784) and (10, 3)")

    pad.read = read
    answer = pad.answer({"say": "example"})
    assert answer == {"say": "failed", "error": "ValueError: linear: (1, 784) and (10, 3)"}


def test_the_pad_reads_without_a_page(pad):
    assert f"and it is a {pad.examples.labels[3]}" in pad.example(3)
    assert "print(pad.example())" in repr(pad)


def test_the_pads_page_is_self_contained(pad):
    page = pad._repr_html_()
    assert page == pad._repr_html_() and page.count('id="tinytorch-pad"') == 1
    assert "PAD-NAME" not in page and "http" not in page and "src=" not in page
    for part in ("aria-label", "aria-live", "tabindex", "ArrowLeft"):
        assert part in page
