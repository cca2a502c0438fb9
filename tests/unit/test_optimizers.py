"""Optimizers against the paths PyTorch took (fixtures/pytorch_optimizers.py) and the documented
equations; groups, state, errors, and that a step allocates no arrays. Gradients are set by hand."""

import copy
import json
import math
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import tinytorch as tt
from tinytorch import SGD, Adam, AdamW, Linear, Optimizer, Parameter, RMSprop, Tensor

PYTORCH = json.loads((Path(__file__).parents[1] / "fixtures/pytorch_optimizers.json").read_text())
ALL = [
    (SGD, {}),
    (SGD, {"momentum": 0.9}),
    (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (RMSprop, {}),
    (RMSprop, {"momentum": 0.9, "weight_decay": 0.1}),
    (Adam, {}),
    (Adam, {"weight_decay": 0.1}),
    (AdamW, {}),
]
every = pytest.mark.parametrize(("kind", "options"), ALL)


def gradient(p, step):
    """As in the fixture's script."""
    places = np.arange(p.data.size, dtype=p.data.dtype).reshape(p.shape)
    return Tensor((places + 1) * p.data * 0.3 + np.sin(places + step))


def make(dtype=tt.float64):
    return [
        Parameter(np.linspace(-1, 1, n).reshape(shape).astype(dtype))
        for n, shape in ((6, (2, 3)), (4, (4,)))
    ]


def walk(optimizer, params, steps, first=1):
    for step in range(first, first + steps):
        for p in params:
            p.grad = gradient(p, step)
        optimizer.step()


def values(params):
    return [p.data.ravel().tolist() for p in params]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", PYTORCH["cases"], ids=lambda c: f"{c['name']}{c['options']}")
def test_the_path_is_pytorchs(case, dtype):
    params = make(dtype)
    optimizer, done = getattr(tt, case["name"])(params, **case["options"]), 0
    for upto, expected in zip(PYTORCH["kept"], case["params"], strict=True):
        walk(optimizer, params, upto - done, first=done + 1)
        done = upto
        for p, row in zip(params, expected, strict=True):
            tol = 1e-12 if dtype == "float64" else 2e-5
            np.testing.assert_allclose(p.data.ravel(), row, rtol=tol, atol=tol)
            assert p.dtype == dtype
    assert done == 25


def test_adam_is_the_papers_algorithm():
    rng = np.random.default_rng(0)
    theta, m, v = rng.normal(size=7), np.zeros(7), np.zeros(7)
    p = Parameter(theta.copy())
    optimizer = Adam([p], lr=0.02, betas=(0.7, 0.95), eps=1e-3)
    for t in range(1, 31):
        g = rng.normal(size=7)
        p.grad = Tensor(g)
        optimizer.step()
        m, v = 0.7 * m + 0.3 * g, 0.95 * v + 0.05 * g**2
        theta -= 0.02 * (m / (1 - 0.7**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-3)
        np.testing.assert_allclose(p.data, theta, rtol=1e-12)


def test_adams_first_step_is_the_learning_rate_whatever_the_gradient():
    p = Parameter([0.0, 0.0, 0.0])
    p.grad = Tensor([1e-4, -1.0, 1e4])
    Adam([p], lr=0.1).step()
    np.testing.assert_allclose(p.data, [-0.1, 0.1, -0.1], rtol=1e-3)


def test_weight_decay_shrinks_without_gradient_in_adamw_as_a_fraction():
    p = Parameter([2.0, -4.0])
    p.grad = tt.zeros(2)
    AdamW([p], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(p.data, [1.9, -3.8], rtol=1e-6)


# In place


@every
def test_a_step_writes_into_the_parameter_and_leaves_the_gradient(kind, options):
    params = make(tt.float32)
    arrays = [p.data for p in params]
    optimizer = kind(params, **options)
    for step in range(1, 4):
        before = [p.data.copy() for p in params]
        grads = [gradient(p, step) for p in params]
        kept = [g.data.copy() for g in grads]
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        optimizer.step()
        for p, g, a, k, b in zip(params, grads, arrays, kept, before, strict=True):
            assert p.data is a
            assert p.grad is g
            np.testing.assert_array_equal(g.data, k)
            assert (p.data != b).all()
    for state in optimizer.state.values():
        for value in state.values():
            if isinstance(value, np.ndarray):
                assert not any(np.shares_memory(value, g.data) for g in grads)


@every
def test_a_later_step_allocates_no_arrays(kind, options):
    p = Parameter(np.ones(100_000, np.float32))
    p.grad = tt.ones(100_000)
    optimizer = kind([p], **options)
    optimizer.step()
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < p.nbytes / 10


@every
def test_views_numbers_and_transposed_gradients(kind, options):
    rng = np.random.default_rng(1)
    start = rng.normal(size=(3, 4))
    grads = [rng.normal(size=(3, 4)) for _ in range(5)]
    plain, view = Parameter(start.copy()), Parameter(start.T.copy().T)
    number = Parameter(start[0, 0])
    optimizers = [kind([p], **options) for p in (plain, view, number)]
    for g in grads:
        plain.grad, view.grad = Tensor(g), Tensor(g.T.copy().T)
        number.grad = Tensor(g[0, 0])
        for optimizer in optimizers:
            optimizer.step()
    np.testing.assert_allclose(view.data, plain.data, rtol=1e-12)
    assert number.shape == ()
    assert number.item() == pytest.approx(plain.data[0, 0], rel=1e-12)


def test_gradients_are_optional_and_take_the_parameters_dtype():
    p, q = Parameter([1.0]), Parameter([1.0])
    p.grad, q.grad = None, Tensor([1.0], dtype=tt.float64)
    optimizer = Adam([p, q])
    optimizer.step()
    assert p.item() == 1
    assert q.item() < 1
    assert q.dtype == optimizer.state[q]["exp_avg"].dtype == tt.float32
    assert p not in optimizer.state


def test_a_graph_from_before_the_step_is_refused():
    p = Parameter([1.0, 2.0])
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"mul needs a tensor of shape \(2,\) as it was"):
        loss.backward()
    (p * p).sum().backward()


def test_training_goes_down():
    tt.manual_seed(0)
    x = tt.randn(64, 5)
    y = x @ Tensor([[1.0], [-2.0], [0.5], [3.0], [0.0]])
    for kind, options in [
        (SGD, {"lr": 0.1}),
        (SGD, {"lr": 0.05, "momentum": 0.9}),
        (RMSprop, {"lr": 0.02}),
        (Adam, {"lr": 0.1}),
        (AdamW, {"lr": 0.1}),
    ]:
        layer = Linear(5, 1)
        optimizer, losses = kind(layer.parameters(), **options), []
        for _ in range(150):
            optimizer.zero_grad()
            loss = ((layer(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.01 * losses[0]


def test_zero_grad():
    layer = Linear(2, 2)
    optimizer = SGD(layer.parameters())
    for p in layer.parameters():
        p.grad = tt.ones_like(p)
    kept = layer.weight.grad.data
    optimizer.zero_grad(set_to_none=False)
    assert layer.weight.grad.data is kept
    assert kept.tolist() == [[0, 0], [0, 0]]
    optimizer.zero_grad()
    assert [p.grad for p in layer.parameters()] == [None, None]
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()


# Groups


def test_groups_have_options_of_their_own():
    a, b, c = Parameter([1.0]), Parameter([1.0]), Parameter([1.0])
    optimizer = SGD([{"params": [a]}, {"params": b, "lr": 10.0}], lr=1.0)
    optimizer.add_param_group({"params": (p for p in [c]), "lr": 100.0, "momentum": 0.5})
    for _ in range(2):
        for p in (a, b, c):
            p.grad = Tensor([1.0])
        optimizer.step()
    assert [a.item(), b.item(), c.item()] == [1 - 2, 1 - 20, 1 - 100 - 150]
    assert [g["lr"] for g in optimizer.param_groups] == [1, 10, 100]
    assert optimizer.defaults["lr"] == 1
    optimizer.param_groups[0]["lr"] = 0.5
    a.grad, b.grad, c.grad = Tensor([1.0]), None, None
    optimizer.step()
    assert a.item() == -1.5


def test_a_generator_of_parameters_is_kept():
    layer = Linear(2, 2)
    optimizer = SGD(layer.parameters(), lr=1.0)
    before = layer.bias.data.copy()
    for _ in range(2):
        layer.weight.grad, layer.bias.grad = None, tt.ones(2)
        optimizer.step()
    np.testing.assert_allclose(layer.bias.data, before - 2, rtol=1e-6)


P = Parameter([1.0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: SGD(P), TypeError, "SGD: expected an iterable of parameters .* got Parameter"),
        (lambda: SGD(3), TypeError, "SGD: expected an iterable of parameters .* got int"),
        (lambda: SGD({"params": [P]}), TypeError, "SGD: expected an iterable .* got dict"),
        (lambda: SGD([]), ValueError, "SGD: expected at least one parameter, got none"),
        (lambda: Adam([1.0]), TypeError, r"Adam: parameter 0 is not a Tensor of floats: float"),
        (lambda: Adam([tt.arange(2)]), TypeError, "Adam: parameter 0 is not a Tensor of floats"),
        (lambda: Adam([P, P]), ValueError, r"Adam: parameter 1, of shape \(1,\), is there twice"),
        (lambda: Adam([{"params": P}, {"params": P}]), ValueError, "parameter 0, .* twice"),
        (lambda: SGD([{"params": P, "learning_rate": 1}]), ValueError,
         "SGD: no option learning_rate; there are lr, momentum, weight_decay, nesterov"),
        (lambda: SGD([P], lr=-1), ValueError, "SGD: lr must not be negative, got -1"),
        (lambda: SGD([P], lr=math.nan), ValueError, "SGD: lr must not be negative, got nan"),
        (lambda: SGD([P], momentum=-1), ValueError, "SGD: momentum must not be negative"),
        (lambda: SGD([P], nesterov=True), ValueError, "SGD: nesterov needs a momentum above 0"),
        (lambda: Adam([P], betas=(0.9, 1.0)), ValueError, r"Adam: betas must .* got \(0.9, 1.0\)"),
        (lambda: AdamW([P], weight_decay=-1), ValueError, "AdamW: weight_decay must not be"),
        (lambda: RMSprop([P], alpha=-1), ValueError, "RMSprop: alpha must not be negative"),
        (lambda: Adam([P], eps=-1), ValueError, "Adam: eps must not be negative"),
        (lambda: SGD([P], lr="x"), TypeError, r"SGD: lr must be a number, got str \('x'\)"),
        (lambda: SGD([P], lr=None), TypeError, "SGD: lr must be a number, got NoneType"),
        (lambda: Adam([P], betas=0.9), TypeError, "Adam: betas must be two numbers, got float"),
        (lambda: Adam([P], betas=(0.9, "x")), TypeError, "Adam: betas must be two numbers, got tu"),
        (lambda: SGD([P * 1]), ValueError,
         r"SGD: parameter 0, of shape \(1,\), was computed by mul: only a leaf can be optimized"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_group_that_is_refused_changes_nothing():
    optimizer = SGD([P])
    with pytest.raises(ValueError):
        optimizer.add_param_group({"params": P})
    assert len(optimizer.param_groups) == 1


def test_a_gradient_of_another_shape():
    p = Parameter([1.0, 2.0])
    p.grad = tt.ones(1)
    with pytest.raises(ValueError, match=r"SGD: the gradient has shape \(1,\), its parameter \(2,"):
        SGD([p]).step()


def test_update_is_for_the_subclass():
    p = Parameter([1.0])
    p.grad = Tensor([1.0])
    with pytest.raises(NotImplementedError, match="Optimizer does not define update"):
        Optimizer([p], {}).step()


# State


@every
def test_state_continues_bit_for_bit(kind, options):
    params = make(tt.float32)
    optimizer = kind(params, **options)
    walk(optimizer, params, 5)
    optimizer.param_groups[0]["lr"] *= 0.5
    saved = copy.deepcopy(optimizer.state_dict())
    others = [Parameter(p.data.copy()) for p in params]
    walk(optimizer, params, 5, first=6)
    other = kind(others, **options)
    other.load_state_dict(saved)
    walk(other, others, 5, first=6)
    assert values(others) == values(params)
    third = [Parameter(p.data * 0) for p in params]
    fresh = kind(third, **options)
    fresh.load_state_dict(pickle.loads(pickle.dumps(saved)))
    assert fresh.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_state_dict_has_pytorchs_form():
    params = make()
    optimizer = Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}])
    walk(optimizer, params, 3)
    state = optimizer.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert [g["lr"] for g in state["param_groups"]] == [1e-3, 0.5]
    assert sorted(state["state"]) == [0, 1]
    assert sorted(state["state"][1]) == ["exp_avg", "exp_avg_sq", "step"]
    assert state["state"][1]["step"] == 3
    moment = state["state"][0]["exp_avg"]
    assert type(moment) is Tensor
    assert np.shares_memory(moment.data, optimizer.state[params[0]]["exp_avg"])
    assert SGD(params).state_dict()["state"] == {}


def test_loading_copies_and_checks_first():
    params = make()
    optimizer = Adam(params)
    walk(optimizer, params, 2)
    state = optimizer.state_dict()
    other = Adam(make(), lr=0.5)
    other.load_state_dict(state)
    assert other.param_groups[0]["lr"] == 1e-3
    walk(optimizer, params, 1)
    assert all(entry["step"] == 2 for entry in other.state.values())
    before = other.state
    for p, expected in ((make()[:1], r"groups of \[1\] parameters, got \[2\]"),):
        with pytest.raises(ValueError, match=rf"Adam.load_state_dict: expected {expected}"):
            Adam(p).load_state_dict(state)
    swapped = Adam(make()[::-1], lr=0.5)
    text = r"exp_avg of parameter 0 has shape \(2, 3\), expected \(4,\)"
    with pytest.raises(ValueError, match=text):
        swapped.load_state_dict(state)
    assert swapped.param_groups[0]["lr"] == 0.5
    assert not swapped.state
    assert other.state is before


@pytest.mark.parametrize(("kind", "options"), [(SGD, {"momentum": 0.9}), (RMSprop, {})])
def test_a_state_of_another_optimizer_is_refused(kind, options):
    params = make()
    other = kind(params, **options)
    walk(other, params, 1)
    adam = Adam(params, lr=0.5)
    text = "Adam.load_state_dict: the state is another optimizer's: group 0 has the options lr, "
    with pytest.raises(ValueError, match=text):
        adam.load_state_dict(other.state_dict())
    assert adam.param_groups[0]["lr"] == 0.5
    AdamW(params).load_state_dict(adam.state_dict())
    with pytest.raises(ValueError, match="missing state, param_groups: not an optimizer's state"):
        adam.load_state_dict(Linear(1, 1).state_dict())


def test_bytes_of_state_per_parameter():
    for kind, options, count in [
        (SGD, {}, 0), (SGD, {"momentum": 0.9}, 1), (RMSprop, {}, 1), (Adam, {}, 2), (AdamW, {}, 2),
    ]:  # fmt: skip
        p = Parameter(np.ones(1000, np.float32))
        p.grad = tt.ones(1000)
        optimizer = kind([p], **options)
        optimizer.step()
        held = sum(v.nbytes for v in optimizer.state[p].values() if isinstance(v, np.ndarray))
        assert held == count * p.nbytes


def test_repr():
    text = repr(SGD([{"params": P}, {"params": [Parameter([1])], "lr": 1}], lr=0.1))
    assert text == (
        "SGD(\n  group 0: 1 parameters, lr=0.1, momentum=0.0, weight_decay=0.0, nesterov=False\n"
        "  group 1: 1 parameters, lr=1, momentum=0.0, weight_decay=0.0, nesterov=False\n)"
    )


def test_what_replaces_a_symbol_is_what_runs(monkeypatch):
    def backwards(self, p, g, state, group):
        p += g

    p = Parameter([1.0])
    p.grad = Tensor([3.0])
    monkeypatch.setattr(Adam, "update", backwards)
    AdamW([p], lr=0.5, weight_decay=1.0).step()
    assert p.item() == 3.5
