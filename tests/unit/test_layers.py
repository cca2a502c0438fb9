"""Layers against NumPy in float64 and against values PyTorch gave (fixtures/pytorch_layers.py);
the walk over attributes, state, errors, and that the student's symbols are the ones in use."""

import copy
import doctest
import json
import math
import pickle
from pathlib import Path

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import tinytorch as tt
import tinytorch.layers
from tinytorch import Buffer, Dropout, LayerNorm, Linear, Module, Parameter, Sequential, Tensor

PYTORCH = json.loads((Path(__file__).parents[1] / "fixtures/pytorch_layers.json").read_text())
generated = settings(max_examples=60)
SMALL = st.floats(-10, 10, width=32)


@pytest.fixture(autouse=True)
def seeded():
    tt.manual_seed(0)


def doubles(data):
    return np.array(data, np.float64)


def names(pairs):
    return [name for name, _ in pairs]


class Block(Module):
    """The same as Block in the fixture's script."""

    def __init__(self):
        self.inner = Sequential(Linear(4, 3, bias=False), LayerNorm(3))
        self.scale = Parameter([1, 1, 1])
        self.drop = Dropout(0.1)
        self.mask = Buffer([1, 1])
        self.again = self.inner[0]


# Parameters and buffers


def test_a_parameter_is_a_tensor_of_floats():
    array = np.ones(3, np.float32)
    p = Parameter(array)
    assert isinstance(p, Tensor)
    assert np.shares_memory(p.data, array)
    assert type(p + 1) is Tensor
    assert repr(Parameter([1])) == "Parameter containing:\nTensor([1.0000])"
    assert Parameter([1], dtype=tt.float64).dtype == tt.float64
    with pytest.raises(TypeError, match="Parameter: expected floats, got int64"):
        Parameter(tt.arange(3))
    assert Buffer(tt.arange(3)).dtype == tt.int64


# Initialization


def test_gains_are_pytorchs():
    for name, param, gain in PYTORCH["gain"]:
        assert tt.calculate_gain(name, param) == pytest.approx(gain, rel=1e-12)
    with pytest.raises(ValueError, match="calculate_gain: no gain for 'swish'; there are linear"):
        tt.calculate_gain("swish")


@pytest.mark.parametrize("case", PYTORCH["init"], ids=lambda c: f"{c['name']}{c['options']}")
def test_initialization_spreads_as_pytorchs(case):
    w = tt.zeros(case["shape"])
    assert getattr(tt, case["name"])(w, **case["options"]) is w
    assert w.data.std() == pytest.approx(case["std"], rel=0.01)
    assert abs(w.data.mean()) < 0.01 * case["std"]
    if "uniform" in case["name"]:
        assert np.abs(w.data).max() == pytest.approx(case["max"], rel=1e-3)
    else:
        inside = (np.abs(w.data) < w.data.std()).mean()
        assert inside == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.005)


def test_initialization_follows_the_seed_and_the_dtype():
    tt.manual_seed(3)
    first, second = tt.xavier_normal_(tt.zeros(3, 4)), tt.uniform_(tt.zeros(5), 2, 3)
    tt.manual_seed(3)
    assert tt.xavier_normal_(tt.zeros(3, 4)).tolist() == first.tolist()
    assert tt.uniform_(tt.zeros(5), 2, 3).tolist() == second.tolist()
    assert second.data.min() >= 2
    assert second.data.max() < 3
    wide = tt.kaiming_normal_(tt.zeros(9, 9, dtype=tt.float64))
    assert wide.dtype == tt.float64
    assert (wide.data != wide.data.astype(np.float32)).any()


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_", "xavier_uniform_",
                                  "xavier_normal_"])  # fmt: skip
def test_initialization_needs_a_weight(name):
    for shape in [(), (3,), (0, 3), (3, 0)]:
        text = rf"{name}: expected a weight of shape \(out, in, \.\.\.\), got "
        with pytest.raises(ValueError, match=text) as error:
            getattr(tt, name)(tt.zeros(shape))
        assert str(shape) in str(error.value)
    if name.startswith("kaiming"):
        with pytest.raises(ValueError, match=rf"{name}: mode must be .* got 'in'"):
            getattr(tt, name)(tt.zeros(2, 2), mode="in")


# Linear


def test_linear_is_pytorchs():
    case = PYTORCH["linear"]
    layer = Linear(4, 3).to(tt.float64)
    layer.load_state_dict({"weight": doubles(case["weight"]), "bias": doubles(case["bias"])})
    y = layer(Tensor(doubles(case["x"])))
    assert y.dtype == tt.float64
    np.testing.assert_allclose(y.data, doubles(case["y"]), rtol=1e-12, atol=1e-12)


@generated
@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, min_side=0, max_side=5), elements=SMALL),
       st.integers(1, 4), st.booleans())  # fmt: skip
def test_linear_is_a_matrix_product(x, out_features, bias):
    if x.shape[-1] == 0:
        return
    layer = Linear(x.shape[-1], out_features, bias=bias)
    expected = x.astype(np.float64) @ layer.weight.data.T.astype(np.float64)
    if bias:
        expected += layer.bias.data
    y = layer(Tensor(x))
    assert y.shape == (*x.shape[:-1], out_features)
    assert y.dtype == tt.float32
    np.testing.assert_allclose(y.data, expected, rtol=1e-4, atol=1e-4)


def test_linear_starts_within_pytorchs_bound():
    layer = Linear(100, 500)
    for p in layer.parameters():
        assert np.abs(p.data).max() == pytest.approx(0.1, rel=0.01)
        assert np.abs(p.data).max() <= 0.1
        assert abs(p.data.mean()) < 0.01
    tt.manual_seed(1)
    first = Linear(3, 2).state_dict()
    tt.manual_seed(1)
    for name, x in Linear(3, 2).state_dict().items():
        assert x.tolist() == first[name].tolist()


def test_linear_errors():
    layer = Linear(3, 2)
    for shape in [(), (4,), (3, 4), (2, 0)]:
        text = (
            r"^Linear\(in_features=3, out_features=2, bias=True\): expected shape \(..., 3\), got"
        )
        with pytest.raises(ValueError, match=text) as error:
            layer(tt.zeros(shape))
        assert str(error.value).endswith(str(shape))
    with pytest.raises(ValueError, match=r"Linear: sizes must be at least 1, got \(3, 0\)"):
        Linear(3, 0)
    with pytest.raises(TypeError, match=r"Linear: expected ints, got float \(2.5\)"):
        Linear(2.5, 3)


# LayerNorm


@pytest.mark.parametrize("case", PYTORCH["layer_norm"])
def test_layer_norm_is_pytorchs(case):
    x, weight, bias = (Tensor(doubles(case[name])) for name in ("x", "weight", "bias"))
    y = tt.layer_norm(x, weight, bias, case["eps"])
    np.testing.assert_allclose(y.data, doubles(case["y"]), rtol=1e-12, atol=1e-12)
    layer = LayerNorm(weight.shape, eps=case["eps"]).to(tt.float64)
    layer.load_state_dict({"weight": weight, "bias": bias})
    assert (layer(x) == y).all()


@generated
@given(st.data())
def test_layer_norm_is_the_formula(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5))
    inner = shape[data.draw(st.integers(0, len(shape) - 1)) :]
    x = data.draw(hnp.arrays(np.float32, shape, elements=SMALL))
    weight = data.draw(hnp.arrays(np.float32, inner, elements=SMALL))
    bias = data.draw(hnp.arrays(np.float32, inner, elements=SMALL))
    axes = tuple(range(len(shape) - len(inner), len(shape)))
    wide, before = x.astype(np.float64), x.copy()
    centered = wide - wide.mean(axes, keepdims=True)
    expected = centered / np.sqrt(wide.var(axes, keepdims=True) + 0.01) * weight + bias
    y = tt.layer_norm(Tensor(x), Tensor(weight), Tensor(bias), eps=0.01)
    assert y.dtype == tt.float32
    np.testing.assert_allclose(y.data, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(x, before)


def test_layer_norm_starts_as_plain_standardisation():
    y = LayerNorm(50)(tt.randn(4, 50) * 3 + 100)
    np.testing.assert_allclose(y.data.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(y.data.std(1), 1, atol=1e-3)


def test_layer_norm_errors():
    layer = LayerNorm((2, 3))
    for shape in [(), (3,), (2, 4), (3, 2), (5, 2, 2)]:
        with pytest.raises(ValueError, match=r"layer_norm: expected shape \(..., 2, 3\), got") as e:
            layer(tt.zeros(shape))
        assert str(e.value).endswith(str(shape))
    with pytest.raises(TypeError, match="layer_norm: expected floats, got int64"):
        layer(tt.arange(6).reshape(2, 3))
    with pytest.raises(ValueError, match=r"layer_norm: weight has shape \(3,\), bias \(1,\)"):
        tt.layer_norm(tt.ones(2, 3), tt.ones(3), tt.ones(1))
    with pytest.raises(ValueError, match=r"LayerNorm: sizes must be at least 1, got \(0,\)"):
        LayerNorm(0)


# Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_and_scales(p):
    x = tt.rand(300, 300) + 1
    y = Dropout(p)(x)
    dropped = y.data == 0
    assert dropped.mean() == pytest.approx(p, abs=0.02)
    np.testing.assert_allclose(y.data[~dropped], x.data[~dropped] / (1 - p), rtol=1e-5)
    for axis in (0, 1):  # no row and no column shares a draw
        assert 0 < dropped.mean(axis).min() <= dropped.mean(axis).max() < 1
    assert y.dtype == tt.float32
    assert x.data.min() >= 1


def test_dropout_follows_the_seed_and_draws_anew():
    layer, x = Dropout(0.5), tt.ones(100)
    tt.manual_seed(0)
    first, second = layer(x), layer(x)
    tt.manual_seed(0)
    assert (layer(x) == first).all()
    assert not (first == second).all()


def test_dropout_at_its_ends_and_in_evaluation():
    x = tt.ones(5, dtype=tt.float64)
    assert Dropout(0)(x) is x
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(1)(x).tolist() == [0] * 5
    assert Dropout(0.5)(x).dtype == tt.float64
    for p in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=f"Dropout: p must lie between 0 and 1, got {p}"):
            Dropout(p)


# Sequential


def test_sequential_calls_anything_in_order():
    model = Sequential(lambda x: x + 1, Linear(2, 3), abs, Sequential())
    x = Tensor([[1, 2]])
    assert (model(x) == abs(model[1](x + 1))).all()
    assert model[1:3](x).shape == (1, 3)
    assert isinstance(model[:2], Sequential)
    assert len(model) == 4
    assert list(model)[2] is abs
    assert names(model.named_parameters()) == ["1.weight", "1.bias"]
    assert Sequential()(x) is x


def test_activations_and_losses_are_modules():
    made = [tt.ReLU(), tt.Sigmoid(), tt.Tanh(), tt.GELU(), tt.Softmax(1), tt.LogSoftmax(-1)]
    losses = [tt.MSELoss(), tt.CrossEntropyLoss(), tt.BCEWithLogitsLoss(), tt.ContrastiveLoss()]
    assert all(isinstance(m, Module) for m in made + losses)
    net = Sequential(Linear(2, 2), *made).eval()
    assert names(net.named_modules())[1:] == [str(i) for i in range(7)]
    assert not any(m.training for m in net.modules())
    assert names(net.named_parameters()) == ["0.weight", "0.bias"]
    assert repr(net[5:]) == "Sequential(\n  (0): Softmax(dim=1)\n  (1): LogSoftmax(dim=-1)\n)"
    assert (net(tt.ones(3, 2)) == pickle.loads(pickle.dumps(net))(tt.ones(3, 2))).all()


def test_sequential_refuses_what_it_cannot_call():
    with pytest.raises(TypeError, match=r"layer 1 is the class Dropout; make one: Dropout\(...\)"):
        Sequential(Linear(2, 2), Dropout)
    with pytest.raises(TypeError, match=r"layer 0 cannot be called: list"):
        Sequential([Linear(2, 2)])


def test_sequential_reaches_through_for_training():
    model = Sequential(Linear(2, 2), abs, Sequential(Dropout(0.5)))
    assert model.eval() is model
    assert [m.training for m in model.modules()] == [False] * 4
    assert model.train() is model
    assert [m.training for m in model.modules()] == [True] * 4
    assert not Dropout(0.5).eval().training and Dropout(0.5).training


# Module


def test_the_walk_is_pytorchs():
    block, expected = Block(), PYTORCH["block"]
    assert names(block.named_children()) == expected["children"]
    assert names(block.named_parameters()) == expected["parameters"]
    assert names(block.named_parameters(remove_duplicate=False)) == expected["all"]
    assert names(block.named_buffers()) == expected["buffers"]
    assert sorted(block.state_dict()) == expected["state"]
    pairs = zip(block.parameters(), block.named_parameters(), strict=True)
    assert all(p is q for p, (_, q) in pairs)
    assert sum(p.numel() for p in block.parameters()) == 3 + 12 + 6
    assert names(block.named_modules())[:4] == ["", "inner", "inner.0", "inner.1"]


def test_the_walk_takes_attributes_only_and_only_from_the_instance():
    m = Module()
    m.listed, m.tensor, m.none = [Linear(2, 2), Parameter([1])], tt.ones(2), None
    assert list(m.parameters()) == []
    assert m.state_dict() == {}
    m.late = Parameter([1])
    assert names(m.named_parameters()) == ["late"]
    m.late = None
    assert names(m.named_parameters()) == []


def test_forward_is_for_the_subclass():
    class Doubled(Linear):
        def forward(self, x, times=2):
            return super().forward(x) * times

    layer, x = Doubled(3, 2), tt.ones(3)
    assert (layer(x, times=4) == layer(x) * 2).all()
    with pytest.raises(NotImplementedError, match="Module does not define forward"):
        Module()(x)


def test_repr_is_a_tree_as_pytorchs():
    models = [
        Linear(3, 2),
        Sequential(Linear(3, 2), Dropout(0.25)),
        Sequential(Sequential(Linear(1, 1, bias=False)), Dropout()),
    ]
    for model, text in zip(models, PYTORCH["repr"], strict=True):
        assert repr(model) == text.replace(", inplace=False", "")
    assert repr(Sequential()) == "Sequential()"
    assert repr(Sequential(abs, LayerNorm(3))) == (
        "Sequential(\n  (0): abs\n  (1): LayerNorm((3,), eps=1e-05)\n)"
    )
    linear = Sequential(Linear(3, 2))
    linear.extra_repr = lambda: "note"
    assert repr(linear).startswith("Sequential(\n  note\n  (0): Linear(")


def test_to_converts_floats():
    block = Block()
    block.steps = Buffer(tt.arange(2))
    parameters = list(block.parameters())
    assert block.to(tt.float64) is block
    assert {p.dtype for p in block.parameters()} == {tt.float64}
    assert block.mask.dtype == tt.float64
    assert block.steps.dtype == tt.int64
    assert [id(p) for p in block.parameters()] == [id(p) for p in parameters]


# State


def test_state_shares_memory_and_holds_plain_tensors():
    layer = Linear(2, 2)
    state = layer.state_dict()
    assert {type(x) for x in state.values()} == {Tensor}
    layer.bias.data[...] = 7
    assert state["bias"].tolist() == [7, 7]


def test_state_goes_from_one_module_to_another():
    a, b = Block(), Block()
    a.mask.data[...] = 9
    kept = {name: (x, x.data) for name, x in b.named_parameters()}
    assert b.load_state_dict(a.state_dict()) == ([], [])
    for name, x in a.state_dict().items():
        assert b.state_dict()[name].tolist() == x.tolist()
        assert not np.shares_memory(b.state_dict()[name].data, x.data)
    for name, x in b.named_parameters():
        assert x is kept[name][0]
        assert x.data is kept[name][1]


def test_state_converts_to_the_modules_dtype():
    layer = Linear(2, 2)
    layer.load_state_dict({"weight": np.eye(2), "bias": [1, 2]})
    assert layer.weight.dtype == layer.bias.dtype == tt.float32
    assert layer.weight.tolist() == [[1, 0], [0, 1]]
    assert layer.bias.tolist() == [1, 2]


def test_state_names_all_faults_and_writes_nothing():
    net = Sequential(Linear(2, 2), LayerNorm(2))
    before = {name: x.tolist() for name, x in net.state_dict().items()}
    bad = {"0.weight": tt.ones(2, 2), "0.bias": tt.ones(1), "1.weight": tt.ones(2, 1), "b": 1}
    with pytest.raises(ValueError) as error:
        net.load_state_dict(bad)
    assert str(error.value) == (
        "load_state_dict: missing 1.bias; unexpected b; 0.bias has shape (1,), expected (2,); "
        "1.weight has shape (2, 1), expected (2,)"
    )
    with pytest.raises(ValueError, match=r"^load_state_dict: 0.bias has shape \(1,\)"):
        net.load_state_dict(bad, strict=False)
    assert {name: x.tolist() for name, x in net.state_dict().items()} == before
    del bad["0.bias"], bad["1.weight"]
    result = net.load_state_dict(bad, strict=False)
    assert result.missing_keys == ["0.bias", "1.weight", "1.bias"]
    assert result.unexpected_keys == ["b"]
    assert net[0].weight.tolist() == [[1, 1], [1, 1]]


def test_what_is_learned_cannot_be_replaced_by_what_is_not():
    layer = Linear(2, 2)
    weight = layer.weight
    text = r"Linear.weight: it must stay a Parameter, or become None; .* weight.data; got Tensor"
    for value in (layer.weight * 0.5, np.ones((2, 2)), 3):
        with pytest.raises(TypeError, match=text.removesuffix("Tensor")):
            layer.weight = value
    assert layer.weight is weight
    layer.weight, layer.bias = Parameter(weight * 0.5), None
    layer.bias = Parameter([1, 2])
    assert names(layer.named_parameters()) == ["weight", "bias"]
    block = Block()
    with pytest.raises(TypeError, match=r"Block.inner: it must stay a Module, or become None; got"):
        block.inner = lambda x: x
    block.inner = Linear(1, 1)


def test_a_buffer_stays_a_buffer():
    m = Module()
    m.register_buffer("mean", tt.zeros(2))
    m.register_buffer("cache", tt.ones(2), persistent=False)
    m.register_buffer("later", None)
    m.mean, m.cache = m.mean + 1, m.cache + 1
    assert names(m.named_buffers()) == ["mean", "cache"]
    assert [b.tolist() for b in m.buffers()] == [[1, 1], [2, 2]]
    assert list(m.state_dict()) == ["mean"]
    m.load_state_dict({"mean": [5, 6]})
    assert m.mean.tolist() == [5, 6]
    assert type(m.to(tt.float64).cache) is Buffer
    with pytest.raises(TypeError, match=r"Module.mean: it must stay a Buffer, or become None; got"):
        m.mean = 3
    with pytest.raises(TypeError, match=r"register_buffer: x must be a Tensor or None, got int"):
        m.register_buffer("x", 3)
    with pytest.raises(KeyError, match="there is an attribute 'forward' already"):
        m.register_buffer("forward", tt.ones(1))


class Child(Module):
    def __init__(self, parent):
        self.parent, self.w = parent, Parameter([1.0])


def test_a_child_may_hold_its_parent():
    parent = Module()
    parent.child = Child(parent)
    assert names(parent.named_modules()) == ["", "child"]
    assert names(parent.named_parameters()) == ["child.w"]
    assert list(parent.state_dict()) == ["child.w"]
    parent.load_state_dict({"child.w": [4.0]})
    assert parent.eval().child.training is False
    assert "..." in repr(parent)
    done = []
    parent.apply(done.append)
    assert done == [parent.child, parent]
    assert copy.deepcopy(parent).child.w.tolist() == [4]


def test_a_shared_module_is_visited_once_and_saved_under_both_names():
    shared = Linear(1, 1)
    net = Sequential(shared, abs, shared)
    assert names(net.named_modules()) == ["", "0"]
    assert list(net.children()) == [shared]
    both = ["", "0", "2"]
    assert names(net.named_modules(remove_duplicate=False)) == both
    assert names(net.named_parameters()) == ["0.weight", "0.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert net.load_state_dict(net.state_dict()) == ([], [])
    assert repr(net).count("Linear") == 2
    done = []
    assert net.apply(done.append) is net
    assert done == [shared, net]


def test_apply_visits_in_pytorchs_order():
    done, net = [], Sequential(Linear(1, 2), Sequential(Dropout(), Linear(2, 1)))
    net.apply(done.append)
    assert done == [net[0], net[1][0], net[1][1], net[1], net]


def test_parameters_are_frozen_together():
    net = Sequential(Linear(1, 1), Linear(1, 1))
    assert net[0].requires_grad_(False) is net[0]
    assert [p.requires_grad for p in net.parameters()] == [False, False, True, True]


def test_sequential_grows():
    net = Sequential(Linear(1, 2))
    assert net.append(Linear(2, 3)).append(abs) is net
    assert net(tt.ones(4, 1)).shape == (4, 3)
    with pytest.raises(TypeError, match="layer 3 is the class Dropout; make one"):
        net.append(Dropout)


@pytest.mark.parametrize("x", [[1, 2], None, np.ones(3)])
def test_layers_say_what_is_no_tensor(x):
    name = type(x).__name__
    with pytest.raises(TypeError, match=rf"^Linear\(in_.*\): expected a Tensor, got {name}"):
        Linear(3, 2)(x)
    with pytest.raises(TypeError, match=rf"^layer_norm: expected a Tensor, got {name}"):
        LayerNorm(3)(x)


def test_layer_norm_of_halves_sums_in_float32():
    """As PyTorch does: the squares are above 65504, the result is an ordinary number."""
    x = Tensor(np.arange(500) % 7 * 300, dtype=tt.float16).reshape(1, 500)
    wide = tt.layer_norm(x.float(), tt.ones(500), tt.zeros(500))
    y = tt.layer_norm(x, tt.ones(500, dtype=tt.float16), tt.zeros(500, dtype=tt.float16))
    assert y.dtype == tt.float16
    np.testing.assert_allclose(y.data, wide.data, rtol=2e-3)


def test_modules_are_copied_and_pickled():
    net = Sequential(Linear(2, 3), Dropout(0.5), LayerNorm(3)).eval()
    x = tt.randn(4, 2)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert (other(x) == net(x)).all()
        other[0].weight.data += 1
        assert not (other(x) == net(x)).all()


def test_two_layers_are_the_formula():
    net = Sequential(Linear(3, 4), lambda x: tt.maximum(x, 0.0), Linear(4, 2))
    x = tt.randn(5, 3)
    (w1, b1, w2, b2) = (p.data.astype(np.float64) for p in net.parameters())
    expected = np.maximum(x.data @ w1.T + b1, 0) @ w2.T + b2
    np.testing.assert_allclose(net(x).data, expected, rtol=1e-4, atol=1e-5)


def test_what_replaces_a_symbol_is_what_runs(monkeypatch):
    net, x = Sequential(Linear(3, 3), LayerNorm(3)), tt.randn(2, 3)
    monkeypatch.setattr(tinytorch.layers, "layer_norm", lambda x, weight, bias, eps: x * 0 + 5)
    assert net(x).tolist() == [[5] * 3] * 2
    monkeypatch.setattr(Linear, "forward", lambda self, x: x * 0 + 2)
    assert net[0](x).tolist() == [[2] * 3] * 2


def test_docstring_examples():
    result = doctest.testmod(tinytorch.layers)
    assert result.attempted > 1
    assert result.failed == 0
