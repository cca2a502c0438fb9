"""Training against PyTorch (fixtures/pytorch_training.py); stopping, resuming to the last bit,
callbacks, files, errors."""

import copy
import io
import json
import math
import os
import signal
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinytorch as tt
from tinytorch import (
    SGD,
    AdamW,
    CosineAnnealingLR,
    CrossEntropyLoss,
    Dropout,
    EarlyStopping,
    Linear,
    LinearLR,
    LossPlot,
    LRScheduler,
    MSELoss,
    OneCycleLR,
    Parameter,
    ProgressBar,
    ReLU,
    SaveCheckpoint,
    Sequential,
    SequentialLR,
    StepLR,
    Tanh,
    Tensor,
    Trainer,
    accuracy,
    clip_grad_norm_,
    manual_seed,
    rand,
    randn,
)

PYTORCH = json.loads((Path(__file__).parents[1] / "fixtures/pytorch_training.json").read_text())


# Schedules


def two_groups():
    return SGD([{"params": [Parameter([1.0])], "lr": lr} for lr in (0.1, 0.4)])


def rates(schedule, steps=12):
    made = [schedule.get_last_lr()]
    for _ in range(steps):
        schedule.step()
        made.append(schedule.get_last_lr())
    return made


@pytest.mark.parametrize("case", PYTORCH["schedules"], ids=lambda c: f"{c['name']}-{c['options']}")
def test_a_schedule_is_pytorchs(case):
    schedule = getattr(tt, case["name"])(two_groups(), **case["options"])
    theirs = np.array(case["rates"])
    ours = np.array(rates(schedule))
    if case["name"] == "OneCycleLR" and case["options"]["total_steps"] == 12:
        # The last row is the step after the last: PyTorch's cosine turns up again, ours stays.
        assert (ours[-1] == ours[-2]).all()
        ours, theirs = ours[:-1], theirs[:-1]
    assert np.allclose(ours, theirs, rtol=1e-9, atol=0)


def test_a_warm_up_and_a_descent_in_sequence_are_pytorchs():
    o = two_groups()
    parts = [LinearLR(o, 0.25, 1.0, 4), CosineAnnealingLR(o, 6, 0.01)]
    schedule = SequentialLR(o, parts, [4])
    assert np.allclose(rates(schedule), PYTORCH["sequence"], rtol=1e-9)


def test_a_schedule_goes_on_from_its_state():
    whole = rates(CosineAnnealingLR(two_groups(), 9))
    optimizer = two_groups()
    schedule = CosineAnnealingLR(optimizer, 9)
    for _ in range(5):
        schedule.step()
    saved = copy.deepcopy((optimizer.state_dict(), schedule.state_dict()))
    other = two_groups()
    resumed = CosineAnnealingLR(other, 9)
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert rates(resumed, 7) == whole[5:]


def test_two_schedules_on_one_optimizer_are_pytorchs():
    o = SGD([Parameter([1.0])], lr=1.0)
    parts = [LinearLR(o, 0.1, 1.0, 4), StepLR(o, 2, 0.5)]
    for theirs in PYTORCH["together"]:
        for part in parts:
            part.step()
        assert o.param_groups[0]["lr"] == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("case", PYTORCH["by_hand"], ids=lambda c: f"{c['name']}-{c['options']}")
def test_a_rate_set_by_hand_and_a_group_added_later_are_pytorchs(case):
    o = two_groups()
    schedule = getattr(tt, case["name"])(o, **case["options"])
    for step in range(11):
        if step == 3:
            o.param_groups[0]["lr"] = 10.0
            o.add_param_group({"params": [Parameter([1.0])], "lr": 5.0})
        schedule.step()
    assert schedule.get_last_lr() == pytest.approx(case["rates"], rel=1e-9)


@pytest.mark.parametrize("order", ["optimizer first", "schedule made last", "schedule first"])
def test_a_schedule_is_resumed_in_any_order(order):
    def parts():
        optimizer = two_groups()
        return optimizer, LinearLR(optimizer, 0.1, 1.0, 9)

    optimizer, schedule = parts()
    for _ in range(5):
        schedule.step()
    optimizer.param_groups[1]["lr"] = 3.0
    saved = copy.deepcopy((optimizer.state_dict(), schedule.state_dict()))
    if order == "schedule made last":
        other = two_groups()
        other.load_state_dict(saved[0])
        resumed = LinearLR(other, 0.1, 1.0, 9)
        resumed.load_state_dict(saved[1])
    else:
        other, resumed = parts()
        loads = [lambda: other.load_state_dict(saved[0]), lambda: resumed.load_state_dict(saved[1])]
        for load in loads if order == "optimizer first" else loads[::-1]:
            load()
    assert resumed.get_last_lr() == schedule.get_last_lr()
    assert rates(resumed, 6) == rates(schedule, 6)


def test_a_state_of_another_schedule_is_refused():
    state = StepLR(two_groups(), 2).state_dict()
    schedule = CosineAnnealingLR(two_groups(), 9)
    text = "CosineAnnealingLR.load_state_dict: expected the state of a CosineAnnealingLR, this is "
    with pytest.raises(ValueError, match=text + "StepLR's"):
        schedule.load_state_dict(state)
    with pytest.raises(ValueError, match=text + "none of a schedule"):
        schedule.load_state_dict(two_groups().state_dict())
    with pytest.raises(ValueError, match="expected 1 groups, got 2"):
        StepLR(SGD([Parameter([1.0])]), 2).load_state_dict(state)


def test_a_schedule_says_what_is_wrong():
    for make, text in (
        (lambda: StepLR(two_groups(), 0), "StepLR: step_size must be an integer above 0, got 0"),
        (lambda: CosineAnnealingLR(two_groups(), 2.5), "T_max .* got 2.5"),
        (lambda: OneCycleLR(two_groups(), 1.0, 5, pct_start=3), "pct_start .* got 3"),
        (lambda: SequentialLR(two_groups(), [], [3]), "0 schedulers need -1"),
    ):
        with pytest.raises(ValueError, match=text):
            make()
    with pytest.raises(TypeError, match="LinearLR: expected an optimizer, got "):
        LinearLR([Parameter([1.0])])
    with pytest.raises(NotImplementedError, match="LRScheduler does not define lr_at"):
        LRScheduler(two_groups())
    schedule = OneCycleLR(two_groups(), 1.0, 3)
    for _ in range(3):
        schedule.step()
    with pytest.raises(ValueError, match="step 4, but its total_steps is 3"):
        schedule.step()


# Clipping


@pytest.mark.parametrize("case", PYTORCH["clipping"], ids=lambda c: f"{c['type']}-{c['max']}")
def test_clipping_is_pytorchs(case):
    params = [Parameter(np.ones(s)) for s in ((2, 3), (4,))]
    for i, p in enumerate(params):
        p.grad = Tensor(np.sin(np.arange(p.numel()) + 3.0 * i).reshape(p.shape))
    norm = clip_grad_norm_(iter(params), case["max"], case["type"])
    assert norm.shape == () and norm.item() == pytest.approx(case["norm"], rel=1e-6)
    for p, grad in zip(params, case["grads"], strict=True):
        assert np.allclose(p.grad.data.ravel(), grad, rtol=1e-5, atol=1e-7)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=9), st.floats(0.01, 1e3))
def test_what_was_clipped_points_the_same_way_and_is_short(values, limit):
    p = Parameter(np.zeros(len(values)))
    p.grad = Tensor(np.array(values))
    before = p.grad.data.copy()
    norm = clip_grad_norm_([p], limit).item()
    after = p.grad.data
    assert np.linalg.norm(after) <= limit * (1 + 1e-6)
    assert np.allclose(after * norm, before * np.linalg.norm(after), atol=1e-6 * max(1, norm**2))
    if norm < limit * (1 - 1e-6):
        assert (after == before).all()


def test_one_parameter_is_a_list_of_one():
    p = Parameter([3.0, 4.0])
    p.grad = Tensor([3.0, 4.0])
    assert clip_grad_norm_(p, 1.0).item() == 5
    assert np.allclose(p.grad.data, [0.6, 0.8])


@pytest.mark.parametrize("limit", [-1.0, math.nan])
def test_gradients_are_not_turned_around(limit):
    p = Parameter([3.0])
    p.grad = Tensor([3.0])
    with pytest.raises(ValueError, match=f"max_norm must not be negative, got {limit}"):
        clip_grad_norm_([p], limit)
    assert p.grad.tolist() == [3]


def test_a_gradient_that_is_nan_makes_all_nan_and_an_infinite_one_zero():
    """As in PyTorch."""
    p, q = Parameter([1.0, 2.0]), Parameter([1.0])
    for bad, expected in ((math.nan, [math.nan] * 3), (math.inf, [0.0, math.nan, 0.0])):
        p.grad, q.grad = Tensor([3.0, bad]), Tensor([5.0])
        with np.errstate(invalid="ignore"):
            norm = clip_grad_norm_([p, q], 1.0).item()
        assert norm == pytest.approx(bad, nan_ok=True)
        got = [*p.grad.tolist(), *q.grad.tolist()]
        np.testing.assert_array_equal(got, expected)


def test_accuracy_does_not_compare_each_with_each():
    outputs = Tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    assert accuracy(outputs, Tensor([1, 0, 0], dtype=tt.int64)) == pytest.approx(2 / 3)
    assert accuracy(outputs[0], Tensor(1, dtype=tt.int64)) == 1
    text = r"accuracy: outputs of shape \(3, 2\) need targets of shape \(3,\), got \(3, 1\)"
    with pytest.raises(ValueError, match=text):
        accuracy(outputs, Tensor([[1], [0], [0]], dtype=tt.int64))


def test_without_gradients_there_is_nothing_to_clip():
    assert clip_grad_norm_([Parameter([1.0])], 1.0).item() == 0


# The loop


class Shuffled:
    """Batches in an order that tinytorch's random numbers decide."""

    def __init__(self, x, y, size):
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return -(-len(self.y) // self.size)

    def __iter__(self):
        order = np.argsort(rand(len(self.y)).data)
        for i in range(0, len(order), self.size):
            chosen = order[i : i + self.size]
            yield Tensor(self.x.data[chosen]), Tensor(self.y.data[chosen])


def problem(n=50):
    """Points (n, 3), and which of two classes each is in."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((n, 3)).astype("f")
    return Tensor(x), Tensor((x @ [1.0, -2.0, 0.5] > 0.2).astype("int64"))


def make(callbacks=(), accumulate=1, steps=100, **options):
    """A trainer whose every part has a state: dropout, momenta, a schedule."""
    manual_seed(3)
    net = Sequential(Linear(3, 8), ReLU(), Dropout(0.3), Linear(8, 2))
    optimizer = AdamW(net.parameters(), lr=1e-2)
    schedule = OneCycleLR(optimizer, 0.05, steps)
    return Trainer(
        net, CrossEntropyLoss(), optimizer, schedule, callbacks, 1.0, accumulate,
        {"accuracy": accuracy}, **options,
    )  # fmt: skip


def parameters(trainer):
    return [p.data.tolist() for p in trainer.model.parameters()]


def stop_at(step, reason="enough"):
    def callback(trainer, event):
        if event == "step_end" and trainer.progress.steps == step:
            trainer.stop(reason)

    return callback


def test_a_run_is_pytorchs():
    net = Sequential(Linear(3, 4), Tanh(), Linear(4, 2)).to(tt.float64)
    for i, p in enumerate(net.parameters()):
        p.data[...] = np.cos(np.arange(p.numel()) * 0.7 + i).reshape(p.shape)
    x = Tensor(np.sin(np.arange(24.0)).reshape(8, 3))
    y = Tensor(np.arange(8) % 2)
    optimizer = AdamW(net.parameters(), lr=0.01)
    trainer = Trainer(net, CrossEntropyLoss(), optimizer, OneCycleLR(optimizer, 0.1, 12))
    trainer.clip_norm = 0.5
    trainer.fit([(x[:4], y[:4]), (x[4:], y[4:])], epochs=6)
    assert np.allclose(trainer.progress.losses, PYTORCH["run"]["losses"], rtol=1e-6)
    for p, theirs in zip(net.parameters(), PYTORCH["run"]["params"], strict=True):
        assert np.allclose(p.data.ravel(), theirs, rtol=1e-5, atol=1e-7)


def test_it_learns_and_keeps_account():
    x, y = problem()
    trainer = make()
    history = trainer.fit(Shuffled(x, y, 8), [(x, y)], epochs=14)
    assert history is trainer.history and len(history) == 14
    assert [h["epoch"] for h in history] == list(range(1, 15))
    assert [h["step"] for h in history] == list(range(7, 99, 7))
    assert history[-1]["val_accuracy"] >= 0.9 > history[0]["val_accuracy"]
    assert history[-1]["val_loss"] == pytest.approx(trainer.evaluate([(x, y)])["loss"])
    assert len(trainer.progress.losses) == trainer.progress.steps == 14 * 7
    assert history[-1]["lr"] == trainer.optimizer.param_groups[0]["lr"]
    sizes = [8] * 6 + [2]
    first = np.average(trainer.progress.losses[:7], weights=sizes)
    assert history[0]["loss"] == pytest.approx(first)


@pytest.mark.parametrize("sizes", [[8, 8, 8], [8, 3, 1]])
def test_accumulated_batches_are_one_large_batch(sizes):
    x, y = problem(sum(sizes))
    ends = np.cumsum(sizes)
    parts = [(x[e - s : e], y[e - s : e]) for s, e in zip(sizes, ends, strict=True)]

    def after(batches, accumulate):
        manual_seed(0)
        net = Sequential(Linear(3, 5), Tanh(), Linear(5, 2)).to(tt.float64)
        trainer = Trainer(
            net, CrossEntropyLoss(), SGD(net.parameters(), 0.5), accumulate=accumulate
        )
        trainer.fit(batches, epochs=2)
        return trainer

    one, many = after([(x, y)], 1), after(parts, 3)
    assert many.progress.steps == one.progress.steps == 2
    assert np.allclose(many.progress.losses, one.progress.losses, rtol=1e-6)
    for a, b in zip(one.model.parameters(), many.model.parameters(), strict=True):
        assert np.allclose(a.data, b.data, rtol=1e-6, atol=1e-8)


def test_the_rest_of_an_epoch_is_a_step_too():
    x, y = problem(50)
    trainer = make(accumulate=3)
    trainer.fit(Shuffled(x, y, 8), epochs=2)  # 7 batches: 3 + 3 + 1
    assert trainer.progress.steps == 6
    assert trainer.scheduler.last_epoch == 6


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("step", [1, 3, 6, 7, 11, 14])
def test_stopped_saved_and_resumed_it_is_the_same_run_to_the_last_bit(tmp_path, accumulate, step):
    x, y = problem()
    batches = Shuffled(x, y, 8)
    whole = make(accumulate=accumulate)
    whole.fit(batches, [(x, y)], epochs=4)

    path = tmp_path / "run.tt"
    first = make([stop_at(step), SaveCheckpoint(path)], accumulate)
    first.fit(batches, [(x, y)], epochs=4)
    assert first.stopped == "enough" and first.progress.steps == step

    second = make(accumulate=accumulate)
    manual_seed(999)  # another session: other random numbers
    second.load_state_dict(tt.load(path))
    second.fit(batches, [(x, y)], epochs=4)
    assert parameters(second) == parameters(whole)
    assert second.progress.losses == whole.progress.losses
    for a, b in zip(second.history, whole.history, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}


def test_going_on_in_the_same_trainer_is_the_same_run_too():
    x, y = problem()
    batches = Shuffled(x, y, 8)
    whole = make()
    whole.fit(batches, epochs=3)
    stopped = make([stop_at(10)])
    stopped.fit(batches, epochs=3)
    stopped.fit(batches, epochs=3)
    assert parameters(stopped) == parameters(whole)
    assert stopped.fit(batches, epochs=3) == stopped.history  # all done: nothing happens
    assert parameters(stopped) == parameters(whole)
    stopped.fit(batches, epochs=4)
    assert stopped.progress.epoch == 4


def test_the_time_is_up():
    x, y = problem()
    trainer = make()
    trainer.fit(Shuffled(x, y, 8), epochs=1000, seconds=0)
    assert trainer.progress.steps == 1 and trainer.stopped == "the time is up"


@pytest.fixture
def interruptible():
    """Python's own handler, which a test run in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_finishes_the_step(interruptible):
    x, y = problem()
    seen = []

    def interrupt(trainer, event):
        seen.append(event)
        if event == "step_end" and trainer.progress.steps == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    trainer = make([interrupt])
    trainer.fit(Shuffled(x, y, 8), epochs=3)
    assert trainer.stopped == "interrupted" and trainer.progress.batch == 3
    assert seen == ["fit_start", "step_end", "step_end", "step_end", "fit_end"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_is_one_as_usual(interruptible):
    x, y = problem()

    def twice(trainer, event):
        if event == "step_end":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        make([twice]).fit(Shuffled(x, y, 8), epochs=3)


def test_it_runs_beside_the_main_thread():
    x, y = problem()
    trainer = make()
    thread = threading.Thread(target=lambda: trainer.fit(Shuffled(x, y, 8), epochs=1))
    thread.start()
    thread.join()
    assert trainer.progress.epoch == 1


def test_a_loss_that_is_not_finite_stops_it():
    x, y = problem()
    net = Linear(3, 2)
    net.weight.data[...] = np.inf
    trainer = Trainer(net, CrossEntropyLoss(), SGD(net.parameters()))
    text = "Trainer.step: the loss is nan; no step was made"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=text):
        trainer.fit([(x, y)] * 5, epochs=2)
    assert trainer.progress.steps == 0 and np.isinf(net.weight.data).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_batch_leaves_parameters_and_checkpoint_as_they_were(tmp_path, bad):
    x, y = problem()
    path = tmp_path / "run.tt"
    trainer = make([SaveCheckpoint(path)])
    trainer.fit([(x, y)], epochs=2)
    good, saved = parameters(trainer), path.read_bytes()
    worse = Tensor(np.full_like(x.data, bad))
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError):
        trainer.fit([(x, y), (worse, y)], epochs=3)
    assert path.read_bytes() == saved
    assert trainer.progress.steps == 3 and parameters(trainer) != good
    assert all(np.isfinite(p.data).all() for p in trainer.model.parameters())
    trainer.load_state_dict(tt.load(path))
    assert parameters(trainer) == good
    trainer.fit([(x, y)], epochs=3)
    assert trainer.progress.epoch == 3


def test_parameters_that_are_not_finite_are_not_saved(tmp_path):
    x, y = problem()
    path = tmp_path / "run.tt"
    trainer = make([SaveCheckpoint(path)])
    trainer.fit([(x, y)], epochs=1)
    saved = path.read_bytes()
    trainer.model[3].bias.data[0] = math.nan
    text = r"SaveCheckpoint: 3.bias holds nan or inf after step 1; .*run.tt stays as it is"
    with pytest.raises(FloatingPointError, match=text):
        trainer.callbacks[0](trainer, "fit_end")
    assert path.read_bytes() == saved


def test_modules_in_evaluation_mode_stay_there():
    x, y = problem()
    trainer = make()
    frozen = trainer.model[2].eval()
    seen = []
    trainer.callbacks.append(lambda t, event: seen.append(frozen.training))
    trainer.fit([(x, y)], [(x, y)], epochs=2)
    assert not any(seen) and trainer.model[0].training
    trainer.model.eval()
    trainer.evaluate([(x, y)])
    assert not any(m.training for m in trainer.model.modules())
    trainer.fit([(x, y)], epochs=3)
    assert seen[-1] is True


def test_training_goes_on_in_training_mode_whatever_happened_between():
    x, y = problem()
    trainer = make()
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 3\), got \(4, 7\)"):
        trainer.evaluate([(randn(4, 7), problem(4)[1])])
    assert all(m.training for m in trainer.model.modules())
    modes = []
    trainer.callbacks.append(lambda t, event: modes.append((event, t.model.training)))
    trainer.fit([(x, y)], [(x, y)], epochs=2)
    assert ("step_end", False) not in modes and ("step_end", True) in modes


def test_it_says_what_is_wrong():
    x, y = problem()
    net = Linear(3, 2)
    optimizer = SGD(net.parameters())
    for arguments, text in (
        ((lambda x: x, MSELoss(), optimizer), "Trainer: model must be a Module, got "),
        ((net, MSELoss, optimizer), "Trainer: loss_fn must be a function or an object, got type"),
        ((net, MSELoss(), 0.1), r"optimizer must be an Optimizer, got float \(0.1\)"),
        ((net, MSELoss(), optimizer, 0.9), r"must be a LRScheduler or None, got float \(0.9\)"),
    ):
        with pytest.raises(TypeError, match=text):
            Trainer(*arguments)
    with pytest.raises(ValueError, match="clip_norm must be above 0, got 0"):
        Trainer(net, MSELoss(), optimizer, clip_norm=0)
    with pytest.raises(ValueError, match="accumulate must be an integer above 0, got 0"):
        Trainer(net, MSELoss(), optimizer, accumulate=0)
    for callbacks, text in (
        (ProgressBar(), r"Trainer: callbacks must be a list of functions, got ProgressBar"),
        ([print, ProgressBar], "Trainer: callback 1 must be a function or object, got type"),
        (["bar"], "Trainer: callback 0 must be a function or object, got str"),
    ):
        with pytest.raises(TypeError, match=text):
            Trainer(net, MSELoss(), optimizer, callbacks=callbacks)
    trainer = Trainer(net, CrossEntropyLoss(), optimizer)
    with pytest.raises(TypeError, match="train must be something that every epoch can iterate"):
        trainer.fit(iter([(x, y)]))
    with pytest.raises(TypeError, match="validation must be"):
        trainer.fit([(x, y)], (b for b in [(x, y)]))
    with pytest.raises(TypeError, match=r"batch 1 is .*, not a pair \(inputs, targets\)"):
        trainer.fit([(x, y), x])
    with pytest.raises(ValueError, match="train has no batches"):
        Trainer(net, CrossEntropyLoss(), optimizer).fit([])
    with pytest.raises(ValueError, match="epochs must be an integer above 0, got 0"):
        trainer.fit([(x, y)], epochs=0)


def test_a_state_of_another_kind_is_refused():
    trainer = make()
    state = trainer.state_dict()
    with pytest.raises(ValueError, match="missing random, progress"):
        trainer.load_state_dict({k: state[k] for k in ("model", "optimizer", "scheduler")})
    with pytest.raises(ValueError, match="none was saved as scheduler, the trainer has OneCycleLR"):
        trainer.load_state_dict({**state, "scheduler": None})
    with pytest.raises(ValueError, match="unexpected extra"):
        trainer.load_state_dict({**state, "model": {**state["model"], "extra": randn(2)}})


# Callbacks


def test_early_stopping_ends_the_run():
    x, y = problem()
    values = iter([3.0, 2.0, 2.5, 2.0, 1.0])
    trainer = make([EarlyStopping("val_odd", patience=2)])
    trainer.metrics["odd"] = lambda outputs, targets: next(values)
    trainer.fit(Shuffled(x, y, 50), [(x, y)], epochs=5)
    assert trainer.progress.epoch == 4
    assert trainer.stopped == "val_odd is no better than 2 epochs ago"


def test_early_stopping_needs_a_validation():
    x, y = problem()
    text = "EarlyStopping: there is no 'val_loss' in the history, only epoch, step, loss, .*; fit n"
    with pytest.raises(ValueError, match=text):
        make([EarlyStopping()]).fit([(x, y)])
    make([EarlyStopping("loss")]).fit([(x, y)])


def test_a_bar_prints_a_line_for_each_epoch_and_why_it_ended(capsys):
    x, y = problem()
    make([ProgressBar(), stop_at(10)]).fit(Shuffled(x, y, 8), [(x, y)], epochs=3)
    first, second = capsys.readouterr().out.strip().split("\n")
    assert first.startswith("epoch 1/3: loss 0.") and ", val_accuracy 0." in first
    assert second == "stopped, 3 batches into epoch 2: enough"


def test_a_bar_moves_where_somebody_looks(capsys, monkeypatch):
    x, y = problem()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    bar = ProgressBar()
    make([bar]).fit(Shuffled(x, y, 8), epochs=1)
    out = capsys.readouterr().out
    assert bar.shown and "epoch 1/1:" in out and "/7" in out and "loss 0." in out


def test_a_plot_shows_steps_and_validation(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    x, y = problem()
    plot = LossPlot()
    trainer = make([plot])
    trainer.fit(Shuffled(x, y, 1), [(x, y)], epochs=2)  # no notebook: draws nothing, fails nowhere
    (ax,) = plot.plot(trainer).axes
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["each step", "mean of 2", "validation"]
    assert list(ax.lines[0].get_ydata()) == trainer.progress.losses
    assert list(ax.lines[2].get_xdata()) == [50, 100]
    assert LossPlot(log=True).plot(trainer).axes[0].get_yscale() == "log"


# Files


def reloaded(thing):
    file = io.BytesIO()
    tt.save(thing, file)
    return tt.load(file)


def test_what_is_saved_comes_back(tmp_path):
    path = tmp_path / "sub" / "thing.tt"
    thing = {
        "t": Tensor([[1.0, math.nan]]),
        3: [True, None, "text", 2**100, 0.1, -math.inf, (1, 2)],
        "array": np.arange(3, dtype="int64"),
        "number": np.float32(0.1),
        "shapes": [Tensor(2.5), Tensor(np.zeros((0, 3)))],
    }
    tt.save(thing, path)
    back = tt.load(path)
    assert list(back) == list(thing) and back[3] == thing[3]
    assert isinstance(back["t"], Tensor) and back["t"].data.tobytes() == thing["t"].data.tobytes()
    assert isinstance(back["array"], np.ndarray) and back["array"].dtype == np.int64
    assert back["number"] == float(np.float32(0.1))
    assert [t.shape for t in back["shapes"]] == [(), (0, 3)]
    assert not list(path.parent.glob("*.new"))


def test_a_file_holds_no_code(tmp_path):
    path = tmp_path / "net.tt"
    tt.save(Linear(2, 2).state_dict(), path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["0.npy", "1.npy", "tree.json"]
    with pytest.raises(TypeError, match=r"save: the object\['f'\]\[1\] is .*, which cannot"):
        tt.save({"f": [1, print]}, path)
    assert list(tt.load(path)) == ["weight", "bias"]  # the old file is whole

    member = io.BytesIO()
    np.save(member, np.array([print], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.json", '{"array": 0}')
        archive.writestr("0.npy", member.getvalue())
    with pytest.raises(ValueError, match="damaged, or no file that save wrote"):
        tt.load(path)


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "net.tt"
    tt.save({"a": randn(40)}, path)
    path.write_bytes(path.read_bytes()[:-30] if damage is None else damage)
    with pytest.raises(ValueError, match=r"load: .*net\.tt is damaged"):
        tt.load(path)
    with pytest.raises(FileNotFoundError):
        tt.load(tmp_path / "missing.tt")


def test_a_file_may_be_in_memory():
    file = io.BytesIO()
    tt.save({"a": Tensor([1.0, 2.0])}, file)
    file.seek(0)
    assert tt.load(file)["a"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="load: the file is damaged"):
        tt.load(io.BytesIO(b"none"))
    for call in (lambda: tt.save(1, 3), lambda: tt.load(None)):
        with pytest.raises(TypeError, match="expected a path or an open file, got "):
            call()


def test_tied_tensors_are_written_once_and_tied_again(tmp_path):
    a, b = Linear(300, 300, bias=False), Linear(300, 300, bias=False)
    b.weight = a.weight
    path = tmp_path / "net.tt"
    tt.save(Sequential(a, b).state_dict(), path)
    assert path.stat().st_size < 1.5 * a.weight.nbytes
    back = tt.load(path)
    assert np.shares_memory(back["0.weight"].data, back["1.weight"].data)
    x = Tensor([1.0])
    same, other = (reloaded([x, x]), reloaded([x, x.clone()]))
    assert same[0] is same[1] and other[0] is not other[1]
    first, view = reloaded([a.weight.data, a.weight.data[:, :2]])
    assert first.shape == (300, 300) and view.shape == (300, 2)


def test_whether_a_gradient_is_wanted_comes_back():
    frozen = Parameter([4.0])
    frozen.requires_grad = False
    things = [Tensor([1.0]), Tensor([2.0], requires_grad=True), Parameter([3.0]), frozen]
    back = reloaded([*things, Tensor([5.0], requires_grad=True) * 2])
    assert [type(x) for x in back] == [Tensor, Tensor, Parameter, Parameter, Tensor]
    assert [x.requires_grad for x in back] == [False, True, True, False, True]
    assert all(x.is_leaf for x in back)


def test_every_damage_is_a_value_error():
    file = io.BytesIO()
    tt.save({"a": randn(3), "b": [1, (2, "text")], "c": np.arange(4)}, file)
    whole = file.getvalue()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole[: rng.integers(len(whole))] if rng.random() < 0.2 else whole)
        for at in rng.integers(max(len(damaged), 1), size=3) if damaged else ():
            damaged[at] = rng.integers(256)
        try:
            tt.load(io.BytesIO(damaged))
        except ValueError as error:
            assert "load: the file is damaged" in str(error)
            refused += 1
    assert refused > 300
    for tree in ('{"set": []}', '{"array": 7}', '{"a": 1, "b": 2}', "[" * 9000, "\xff", ""):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("tree.json", tree.encode("latin-1"))
        with pytest.raises(ValueError, match="load: the file is damaged"):
            tt.load(file)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "net.tt"
    tt.save([1], path)

    def full(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="no space left"):
        tt.save([randn(3)], path)
    monkeypatch.undo()
    with pytest.raises(TypeError, match=r"the object\[0\] is an array of objects, which cannot"):
        tt.save([np.array([print])], path)
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="save: the object holds itself"):
        tt.save(loop, path)
    assert [p.name for p in tmp_path.iterdir()] == ["net.tt"] and tt.load(path) == [1]


def test_the_random_state_comes_back():
    manual_seed(1)
    state = tt.get_rng_state()
    first = rand(5).data.tolist()
    assert rand(5).data.tolist() != first
    tt.set_rng_state(json.loads(json.dumps(state)))
    assert rand(5).data.tolist() == first
