"""Activations against NumPy in float64 and values PyTorch gave (fixtures/pytorch_activations.py);
no overflow for any size of number, dims anywhere, dtypes, and whose code runs."""

import doctest
import json
import math
import warnings
from pathlib import Path

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import tinytorch as tt
import tinytorch.activations
from tinytorch import Tensor

PYTORCH = json.loads((Path(__file__).parents[1] / "fixtures/pytorch_activations.json").read_text())
generated = settings(max_examples=60)
ELEMENTWISE = {f.__name__: f for f in (tt.relu, tt.sigmoid, tt.tanh, tt.gelu)}
ALONG = {f.__name__: f for f in (tt.softmax, tt.log_softmax)}
ALL = {**ELEMENTWISE, **ALONG}
LARGE = st.floats(-1000, 1000, width=32)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        yield


def exact(name, x, axis=-1):
    """The function in float64, written another way than in the library."""
    x = x.astype(np.float64)
    with np.errstate(under="ignore"):
        if name == "relu":
            return np.where(x > 0, x, 0)
        if name == "sigmoid":
            return np.exp(-np.logaddexp(0, -x))
        if name == "tanh":
            return np.sign(x) * -np.expm1(-2 * np.abs(x)) / (1 + np.exp(-2 * np.abs(x)))
        if name == "gelu":
            u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
            return x * np.exp(-np.logaddexp(0, -2 * u))  # (1 + tanh u) / 2 is sigmoid(2u)
        log_shares = x - np.logaddexp.reduce(x, axis=axis, keepdims=True)
        return log_shares if name == "log_softmax" else np.exp(log_shares)


@st.composite
def with_dims(draw):
    x = draw(hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=5), elements=LARGE))
    return x, draw(st.integers(-x.ndim, x.ndim - 1))


# Values


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_is_pytorchs(name):
    y = ELEMENTWISE[name](Tensor(np.array(PYTORCH["points"])))
    np.testing.assert_allclose(y.data, PYTORCH["values"][name], rtol=1e-12, atol=1e-300)
    with np.errstate(invalid="ignore"):
        special = ELEMENTWISE[name](Tensor([-np.inf, np.inf, np.nan]))
    assert [str(v) for v in special.tolist()] == PYTORCH["special"][name]


@pytest.mark.parametrize("case", PYTORCH["rows"], ids=lambda c: f"dim {c['dim']}")
@pytest.mark.parametrize("name", ALONG)
def test_softmaxes_are_pytorchs(name, case):
    y = ALONG[name](Tensor(np.array(case["x"])), case["dim"])
    np.testing.assert_allclose(y.data, case[name], rtol=1e-12, atol=1e-14)


def test_masked_scores_are_pytorchs():
    masked = Tensor([[0, -np.inf, 1], [-np.inf, 1000, -np.inf]])
    expected = np.array(PYTORCH["masked"]["log_softmax"], float)
    np.testing.assert_allclose(tt.log_softmax(masked, 1).data, expected, rtol=1e-6)
    np.testing.assert_allclose(tt.softmax(masked, 1).data, PYTORCH["masked"]["softmax"], rtol=1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
@generated
@given(x=hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
                    elements=LARGE))  # fmt: skip
def test_elementwise_is_the_formula(name, x):
    before = x.copy()
    y = ELEMENTWISE[name](Tensor(x))
    assert type(y) is Tensor
    assert y.shape == x.shape
    assert y.dtype == tt.float32
    np.testing.assert_allclose(y.data, exact(name, x), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(x, before)
    if x.size:
        y.data[...] = 5
        np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", ALONG)
@generated
@given(with_dims())
def test_softmaxes_are_the_formula(name, case):
    x, dim = case
    before = x.copy()
    y = ALONG[name](Tensor(x), dim)
    assert y.shape == x.shape
    assert y.dtype == tt.float32
    np.testing.assert_allclose(y.data, exact(name, x, dim), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(x, before)


@generated
@given(with_dims())
def test_shares_sum_to_one_and_do_not_notice_a_shift(case):
    x, dim = case
    shares = tt.softmax(Tensor(x), dim)
    np.testing.assert_allclose(shares.sum(dim).data, 1, rtol=1e-5)
    assert (shares.data >= 0).all()
    shifted = tt.softmax(Tensor(x.astype(np.float64) + 500), dim)
    np.testing.assert_allclose(shares.data, shifted.data, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_a_thousand_is_not_too_large(name, dtype):
    x = np.array([-1000, 1000, -1000, 0, 1000], dtype)
    for layout in (x, x[::-1], np.stack([x, -x]), np.stack([x, -x]).T):
        for dim in range(-layout.ndim, layout.ndim):
            y = ALL[name](Tensor(layout), *([dim] if name in ALONG else []))
            assert y.dtype == np.dtype(dtype)
            np.testing.assert_allclose(y.data, exact(name, layout, dim), rtol=1e-3, atol=1e-6)


def test_small_values_keep_their_digits():
    x = np.array([-20, -50, -87], np.float32)
    np.testing.assert_allclose(tt.sigmoid(Tensor(x)).data, exact("sigmoid", x), rtol=1e-5)
    assert tt.sigmoid(Tensor([-100.0])).item() > 0
    x = np.array([1e-3, -1e-6, 1e-30], np.float32)
    np.testing.assert_allclose(tt.tanh(Tensor(x)).data, exact("tanh", x), rtol=1e-6)
    with np.errstate(under="ignore"):
        assert tt.log_softmax(Tensor([0, 20.0])).data[1] == pytest.approx(-2.06e-9, abs=1e-7)


def test_gelu_is_close_to_the_exact_one():
    x = np.linspace(-8, 8, 4001)
    erf = np.array([math.erf(v / math.sqrt(2)) for v in x])
    np.testing.assert_allclose(tt.gelu(Tensor(x)).data, x * (1 + erf) / 2, atol=5e-4)
    largest = np.finfo(np.float32).max
    huge = tt.gelu(Tensor([-largest, -2e38, 2e38, largest]))
    np.testing.assert_array_equal(huge.data, np.array([0, 0, 2e38, largest], np.float32))
    huge = tt.gelu(Tensor([-1e30, 1e30]))
    np.testing.assert_allclose(huge.data, [0, 1e30], rtol=1e-6)


@pytest.mark.parametrize("f", [tt.softmax, tt.log_softmax])
def test_a_row_without_any_share_is_nan_and_silent(f):
    rows = f(Tensor([[-np.inf, -np.inf], [-np.inf, 0]])).tolist()
    assert np.isnan(rows[0]).all() and rows[1][1] == f(Tensor([0])).item()


# Shapes, dtypes, errors


@pytest.mark.parametrize("name", ALL)
def test_dtypes(name):
    f = ALL[name]
    assert f(Tensor([1, 2], dtype=tt.float16)).dtype == tt.float16
    for x in (tt.arange(3), Tensor([True, False], dtype=tt.bool_)):
        assert f(x).dtype == tt.float32
        assert (f(x) == f(x.float())).all()


@pytest.mark.parametrize("name", ALL)
def test_any_layout(name):
    x = tt.randn(3, 4, 5)
    for view in (x.T, x.transpose(0, 1), x[:, ::2], x[::-1], tt.ones(1, 3).expand(4, 3)):
        np.testing.assert_allclose(
            ALL[name](view).data, ALL[name](view.clone()).data, rtol=1e-6, atol=1e-7
        )


def test_nothing_to_share_out():
    assert tt.softmax(tt.zeros(0, 3), 1).shape == (0, 3)
    assert tt.softmax(tt.zeros(2, 0), 1).shape == (2, 0)
    assert tt.log_softmax(tt.zeros(0, 3), 1).shape == (0, 3)


def test_a_row_of_nothing_but_minus_infinity_has_no_shares():
    with np.errstate(invalid="ignore"):
        assert np.isnan(tt.softmax(Tensor([-np.inf, -np.inf])).data).all()


@pytest.mark.parametrize("name", ALL)
def test_what_is_no_tensor_is_refused(name):
    for value in ([1, 2], 3.0, np.ones(2), None):
        text = rf"{name}: expected a Tensor, got {type(value).__name__}"
        with pytest.raises(TypeError, match=text):
            ALL[name](value)


@pytest.mark.parametrize("name", ALONG)
def test_dims_that_are_not_there(name):
    text = rf"{name}: dim {{}} is out of range for a tensor of 2 dimensions \(shape \(2, 3\)\)"
    for dim in (2, -3):
        with pytest.raises(IndexError, match=text.format(dim)):
            ALONG[name](tt.ones(2, 3), dim)
    with pytest.raises(IndexError, match=f"{name}: dim -1 .* 0 dimensions"):
        ALONG[name](Tensor(1.0))
    with pytest.raises(TypeError, match=rf"{name}: expected ints, got float \(0.5\)"):
        ALONG[name](tt.ones(2), 0.5)


# As objects


def test_objects_call_the_functions():
    x = tt.randn(2, 3, 4)
    pairs = [
        (tt.ReLU(), tt.relu(x)),
        (tt.Sigmoid(), tt.sigmoid(x)),
        (tt.Tanh(), tt.tanh(x)),
        (tt.GELU(), tt.gelu(x)),
        (tt.Softmax(1), tt.softmax(x, 1)),
        (tt.Softmax(), tt.softmax(x, -1)),
        (tt.LogSoftmax(dim=0), tt.log_softmax(x, 0)),
    ]
    for layer, expected in pairs:
        assert (layer(x) == expected).all()
        assert (layer.forward(x) == expected).all()


def test_repr_is_pytorchs():
    layers = [tt.ReLU(), tt.Sigmoid(), tt.Tanh(), tt.Softmax(dim=1), tt.LogSoftmax(dim=-1)]
    assert [repr(layer) for layer in layers] == PYTORCH["repr"]


def test_forward_is_for_the_subclass():
    with pytest.raises(NotImplementedError, match="Activation does not define forward"):
        tinytorch.activations.Activation()(tt.ones(1))


def test_what_replaces_a_function_is_what_its_object_runs(monkeypatch):
    layers = {
        "relu": tt.ReLU(),
        "sigmoid": tt.Sigmoid(),
        "tanh": tt.Tanh(),
        "gelu": tt.GELU(),
        "softmax": tt.Softmax(),
        "log_softmax": tt.LogSoftmax(),
    }
    for name, layer in layers.items():
        monkeypatch.setattr(tinytorch.activations, name, lambda x, dim=-1: x * 0 + 7)
        assert layer(tt.ones(2)).tolist() == [7, 7]


def test_docstring_examples():
    result = doctest.testmod(tinytorch.activations)
    assert result.attempted == 6
    assert result.failed == 0
