"""Gradients against differences in float64, against values PyTorch gave
(fixtures/pytorch_autograd.json) and against formulas; the graph, its errors, its memory; and that
the student's operations are what runs below it."""

import contextlib
import copy
import doctest
import gc
import inspect
import json
import pickle
import re
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path
from xml.etree import ElementTree

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import tinytorch as tt
from tinytorch import (
    Linear,
    Parameter,
    Tensor,
    autograd,
    autograd_rules,
    checkpoint,
    gradcheck,
    no_grad,
)
from tinytorch.course import NotBuiltYet, forget, overlay, strict
from tinytorch.course.check import check
from tinytorch.course.exercise import exercises, get

ROOT = Path(__file__).parents[2]
PYTORCH = json.loads((ROOT / "tests/fixtures/pytorch_autograd.json").read_text())
PUBLIC = {name: value for name, value in vars(tt).items() if not name.startswith("_")}
PUBLIC["classes"] = lambda data: Tensor(data, dtype=tt.int64)
generated = settings(max_examples=60)


@pytest.fixture(autouse=True)
def seeded():
    tt.manual_seed(0)


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


def randn(*shape):
    return tt.randn(*shape, dtype=tt.float64).requires_grad_()


def same(got, expected, **tol):
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.numpy(), expected, **{"rtol": 1e-6, "atol": 1e-8, **tol})


# The rules


@pytest.mark.parametrize("case", PYTORCH, ids=lambda case: case["expression"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_pytorchs(case, dtype):
    inputs = {name: leaf(x, dtype) for name, x in case["inputs"].items()}
    y = eval(case["expression"], {**PUBLIC, **inputs})
    weights = (np.arange(y.numel()) % 7 - 2).reshape(y.shape)
    y.backward(weights)
    for name, expected in case["gradients"].items():
        x = inputs[name]
        assert x.grad.dtype == dtype
        tol = {"rtol": 1e-9} if dtype == np.float64 else {"rtol": 2e-4, "atol": 1e-4}
        same(x.grad, np.reshape(expected, x.shape), **tol)


@pytest.mark.parametrize("case", PYTORCH, ids=lambda case: case["expression"])
def test_gradients_are_differences(case):
    inputs = {name: np.array(x) for name, x in case["inputs"].items()}
    for x in inputs.values():  # away from the corners of max, abs and relu
        x += np.random.default_rng(0).permutation(x.size).reshape(x.shape) * 0.013 + 0.0071

    def fn(*args):
        return eval(case["expression"], {**PUBLIC, **dict(zip(inputs, args, strict=True))})

    assert gradcheck(fn, [leaf(x) for x in inputs.values()])


@generated
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3), st.data())
def test_broadcasting_is_undone(shapes, data):
    a, b = randn(*shapes.input_shapes[0]), randn(*shapes.input_shapes[1])
    (a * b + a - b).sum().backward()
    ones = np.ones(shapes.result_shape)
    for x, other, sign in [(a, b, 1), (b, a, -1)]:
        each = ones * other.data + sign  # what each use contributes, summed over all uses
        expected = np.array(
            [each[np.broadcast_to(place == n, ones.shape)].sum()
             for place in [np.arange(x.numel()).reshape(x.shape)] for n in range(x.numel())]
        ).reshape(x.shape)  # fmt: skip
        same(x.grad, expected)


@generated
@given(st.data())
def test_any_index(data):
    a = randn(*data.draw(hnp.array_shapes(max_dims=3, max_side=4)))
    index = data.draw(
        st.one_of(
            hnp.basic_indices(a.shape, allow_newaxis=True),
            hnp.arrays(bool, a.shape),
            hnp.integer_array_indices(a.shape, result_shape=hnp.array_shapes(max_dims=2)),
        )
    )
    out = a[index]
    weights = np.random.default_rng(0).normal(size=out.shape)
    out.backward(weights)
    expected = np.zeros(a.shape)
    np.add.at(expected, index, weights)
    same(a.grad, expected)


def test_every_operation_that_gives_floats_leaves_a_graph():
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    arguments = {
        "reshape": (3, 2), "view": (3, 2), "transpose": (0, 1), "permute": (1, 0), "expand": (2, 3),
        "unsqueeze": (0,), "to": (tt.float32,), "clamp": (0, 2), "__getitem__": (0,),
        "__matmul__": (np.ones((3, 2)),), "pow": (2.0,), "__rmatmul__": (np.ones((2, 2)),),
    }  # fmt: skip
    binary = ["add", "sub", "mul", "truediv", "pow"]
    arguments |= {f"__{r}{name}__": (2.0,) for r in ("", "r") for name in binary}
    outside = {"detach", "requires_grad_", "retain_grad", "backward", "numpy", "grad", "item"}
    seen = 0
    for name in dir(Tensor):
        if name in outside or (name.startswith("_") and name not in (*arguments, "__neg__")):
            continue
        result = getattr(x, name)
        if callable(result):
            result = result(*arguments.get(name, ()))
        if isinstance(result, Tensor) and result.dtype.kind == "f":
            assert result is x or result.grad_fn is not None, name
            seen += 1
    assert seen > 35


def test_ints_and_comparisons_leave_none():
    x = leaf([1.0, 2.0])
    for y in [x > 1, x == x, x.argmax(), x.long(), x.max(dim=0).indices, x.any(), x.detach()]:
        assert not y.requires_grad and y.is_leaf and y.grad_fn is None


def test_arguments_by_name():
    a, b = randn(2, 3), randn(3)
    tt.where(condition=a > 0, a=a, b=b).sum().backward()
    same(b.grad, (a.data <= 0).sum(axis=0))
    tt.layer_norm(tt.ones(2, 3, dtype=tt.float64), weight=b, bias=tt.zeros(3)).sum().backward()
    tt.cat(tensors=[b, b], dim=0).sum().backward()
    tt.maximum(tt.zeros(3), b=b).sum().backward()
    same(b.grad, (a.data <= 0).sum(axis=0) + 2 + (b.data > 0))


def test_a_mixed_dtype_gives_each_its_own():
    a, b = leaf([1.0, 2.0], np.float32), leaf([3.0, 4.0], np.float64)
    y = a * b
    assert y.dtype == tt.float64
    y.sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (tt.float32, tt.float64)
    c = leaf([1.5], np.float16)
    (c.float() * tt.arange(1, 2) + c.to(tt.float64)).sum().backward()
    assert c.grad.dtype == tt.float16 and c.grad.tolist() == [2.0]


def test_numpy_operands():
    a = leaf([1.0, 2.0])
    (np.array([3.0, 4.0]) * a + np.float64(2) * a - a / np.array([2, 4])).sum().backward()
    same(a.grad, [4.5, 5.75])


def test_powers_at_zero():
    a, b = leaf([0.0, 0.0, 2.0]), leaf([0.0, 2.0, 0.0])
    (a**b).sum().backward()
    same(a.grad, [0, 0, 0])
    same(b.grad, [0, 0, np.log(2)])


def test_steep_gelu_is_finite():
    x = leaf([-1e30, -50.0, 50.0, 1e30], np.float32)
    tt.gelu(x).sum().backward()
    same(x.grad, [0, 0, 1, 1])


NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("fn", "inputs", "expected"),
    [
        (tt.relu, [[NAN, -1, 0, 1, INF, -INF]], [[1, 0, 0, 1, 1, 0]]),
        (lambda x: x.max(), [[NAN, 1, NAN]], [[0.5, 0, 0.5]]),
        (lambda x: x.max(dim=0).values, [[1, NAN, NAN]], [[0, 1, 0]]),
        (tt.maximum, [[NAN, 1, NAN, 2, 3], [1, NAN, NAN, 2, 4]],
         [[1, 1, 1, 0.5, 0], [1, 1, 1, 0.5, 1]]),
        (tt.minimum, [[NAN, 1, NAN, 2, 3], [1, NAN, NAN, 2, 4]],
         [[1, 1, 1, 0.5, 1], [1, 1, 1, 0.5, 0]]),
        (lambda x: x.clamp(0, 1), [[NAN, -1, 0, 0.5, 1, 2]], [[0, 0, 1, 1, 1, 0]]),
        (lambda x: x.clamp(min=0), [[NAN, -1, 0]], [[0, 0, 1]]),
        (lambda x, a, b: x.clamp(a, b), [[-1, 0.5, 2, 3], [0, 0, 0, 5], [1, 1, 1, 4]],
         [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]]),
        (lambda x: x.std(), [[2, 2, 2]], [[0, 0, 0]]),
        (lambda x: x.std(), [[2]], [[NAN]]),
        (lambda x: x.std(correction=0), [[2]], [[0]]),
        (lambda x: x.std(0, keepdim=True), [[[2, 1], [2, 3]]], [[[0, -(0.5**0.5)], [0, 0.5**0.5]]]),
        (tt.gelu, [[-2e38, -1e13, 0, 1e13, 2e38]], [[0, 0, 0.5, 1, 1]]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_gradients_at_the_edges_are_pytorchs(fn, inputs, expected):
    """Numbers from PyTorch 2.13, except that its gelu is nan where a square overflows."""
    inputs = [leaf(x, np.float32) for x in inputs]
    with np.errstate(invalid="ignore"):
        y = fn(*inputs).sum()
    y.backward()  # silent without help
    for x, e in zip(inputs, expected, strict=True):
        same(x.grad, e)


def test_the_gradient_of_yes_or_no_keeps_its_digits():
    """Exactly: sigmoid(x) - y. PyTorch gives the first three, and 0 for the fourth."""
    x = leaf([-20, INF, -INF, 20, INF, -INF], np.float32)
    y = Tensor([0, 0, 1, 1, 1, 0])
    with np.errstate(invalid="ignore"):
        losses = tt.binary_cross_entropy_with_logits(x, y, reduction="none")
    losses.backward(np.ones(6))
    tail = 1 / (1 + np.exp(20.0))
    np.testing.assert_allclose(x.grad.data, [tail, 1, -1, -tail, 0, 0], rtol=1e-6)


SIZE_0 = [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)), ((0,), (0,)), ((0,), (0, 3)),
          ((2, 0), (0,)), ((4, 2, 0), (0, 3)), ((4, 2, 0), (4, 0, 3)), ((0, 2, 3), (3, 4)),
          ((0, 2, 3), (0, 3, 4)), ((0,), (4, 0, 3))]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SIZE_0)
def test_products_without_elements(a, b):
    a, b = leaf(np.ones(a)), leaf(np.ones(b))
    (a @ b).sum().backward()
    same(a.grad, np.zeros(a.shape))
    same(b.grad, np.zeros(b.shape))


@pytest.mark.filterwarnings("error")
def test_layer_norm_without_elements():
    x, w, b = leaf(np.ones((0, 3))), leaf([1.0, 2.0, 3.0]), leaf([1.0, 2.0, 3.0])
    tt.layer_norm(x, w, b).sum().backward()
    assert x.grad.shape == (0, 3)
    same(w.grad, [0, 0, 0])
    same(b.grad, [0, 0, 0])


def test_layer_norm_in_half_precision_does_not_overflow():
    x = leaf(np.linspace(-300, 300, 1000)[None], np.float16)
    w, b = (leaf(np.full(1000, value), np.float16) for value in (1, 0))
    node = autograd_rules.Normalize()
    node.needs = (True, True, True)
    node.op = lambda x, w, b, eps: x
    node.forward(x, w, b)
    grads = node.backward(np.full((1, 1000), 100, np.float16))
    assert all(np.isfinite(g.astype(np.float16)).all() for g in grads)


@pytest.mark.parametrize(
    ("op", "kept"),
    [
        (lambda x, w: x @ w, "x"),
        (lambda x, w: w.T @ x.T, "x"),
        (lambda x, w: x * w.reshape(4, 3), "x"),
        (lambda x, w: x.reshape(3, 4) / w, "xw"),
        (lambda x, w: w / x.reshape(3, 4), "x"),
        (lambda x, w: tt.layer_norm(x, tt.ones(3), w[:, 0]), ""),
        (lambda x, w: tt.layer_norm(x, w[:, 0], tt.ones(3)), "x"),
        (lambda x, w: x - w.reshape(4, 3), ""),
    ],
)
def test_only_what_the_wanted_gradients_need_is_saved(op, kept):
    x, w = tt.randn(4, 3), tt.randn(3, 4).requires_grad_()
    y = op(x, w)
    assert tt.saved_bytes(y) == len(kept) * 48
    with no_grad():
        if "x" not in kept:
            x[0] = 1
        if "w" not in kept:
            w[0] = 1
    y.sum().backward()
    assert w.grad.shape == w.shape


def test_a_product_whose_right_side_alone_is_wanted():
    x, w = tt.randn(2, 4, 3), tt.randn(5, 3).requires_grad_()
    (x @ w.T).backward(np.ones((2, 4, 5)))
    same(w.grad, np.broadcast_to(x.data.sum((0, 1)), (5, 3)), rtol=1e-5)
    assert w.grad.is_contiguous()


def test_empty_tensors():
    a = leaf(np.zeros((0, 3)))
    (a.sum(dim=0) + (a * 2).sum() + (a @ tt.ones(3, 2, dtype=tt.float64)).sum()).sum().backward()
    assert a.grad.shape == (0, 3)


# backward


def test_gradients_add_up_within_a_graph_and_over_calls():
    x = leaf(3.0)
    (x * x + x * 2 + x).backward()
    assert x.grad.item() == 2 * 3 + 3
    (x * x).backward()
    assert x.grad.item() == 9 + 6
    x.grad = None
    x.backward()
    assert x.grad.item() == 1


def test_a_diamond_is_walked_once():
    x = leaf(1.0)
    y = x
    for _ in range(60):  # 2^60 paths
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_a_deep_graph():
    x = y = leaf(1.0)
    for _ in range(20_000):
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1
    del y  # thousands of nodes hold one another


def test_no_two_gradients_share_memory():
    a, b, c = randn(3), randn(3), randn(2, 3)
    kept = a + b
    kept.retain_grad()
    seed = np.ones((2, 3))
    (kept + c + c.clone() + c.T.T).backward(seed)
    grads = [x.grad.data for x in (a, b, c, kept)]
    for i, g in enumerate(grads):
        assert g.flags.writeable and g.flags.c_contiguous
        assert not any(np.shares_memory(g, other) for other in [*grads[:i], seed])
    same(c.grad, np.full((2, 3), 3.0))
    same(a.grad, np.full(3, 2.0))


def test_a_transposed_weight_gets_a_plain_gradient():
    layer = Linear(5, 3)
    layer(tt.randn(4, 5)).sum().backward()
    assert layer.weight.grad.is_contiguous() and layer.weight.grad.shape == (3, 5)


def test_retain_grad_of_what_is_not_a_leaf():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.sum().backward()
    assert y.grad is None
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    same(y.grad, [6, 12])


def test_nothing_below_a_wish_is_computed():
    x, w = tt.randn(4, 5), leaf(np.ones((5, 3)), np.float32)
    y = x @ w
    assert y.grad_fn.backward(np.ones((4, 3), np.float32))[0] is None


def test_backward_errors():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"backward: shape \(2,\) is not one number"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        tt.ones(1).backward()
    with pytest.raises(RuntimeError, match=r"gradient has shape \(3,\), expected \(2,\)"):
        (x * 2).backward(tt.ones(3))
    with pytest.raises(RuntimeError, match="only floats have gradients, this is int64"):
        tt.arange(3).requires_grad = True
    with pytest.raises(RuntimeError, match="computed by mul; use detach"):
        (x * 2).requires_grad = False
    with pytest.raises(RuntimeError, match="retain_grad"):
        tt.ones(1).retain_grad()


@pytest.mark.parametrize("op", [lambda x: x + 1, lambda x: x * x, lambda x: x.sum()])
def test_a_second_backward(op):
    y = op(leaf([2.0])).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"was used already.*retain_graph=True"):
        y.backward()
    x = leaf([2.0])
    y = op(x).sum()
    y.backward(retain_graph=True)
    first = x.grad.item()
    y.backward()
    assert x.grad.item() == 2 * first
    with pytest.raises(RuntimeError, match="retain_graph"):
        y.backward()


def test_a_shared_part_is_used_up():
    x = leaf(2.0)
    h = x * x
    (h + 1).backward()
    with pytest.raises(RuntimeError, match="what mul had saved is gone"):
        (h * 2).backward()


# Writing into tensors


def test_writing_to_what_was_saved():
    w, x = leaf([1.0, 2.0]), Tensor(np.array([3.0, 4.0]))
    y = (w * x).sum()
    x[0] = 9
    with pytest.raises(RuntimeError, match=r"mul needs a tensor of shape \(2,\) as it was"):
        y.backward()
    assert w.grad is None


@pytest.mark.parametrize("view", [lambda x: x[1:], lambda x: x.reshape(2, 1), lambda x: Tensor(x)])
def test_writing_through_a_view_counts(view):
    w, x = leaf([1.0, 2.0]), Tensor(np.array([3.0, 4.0]))
    y = (w * x).sum()
    view(x)[0] = 9
    with pytest.raises(RuntimeError, match="written to since"):
        y.backward()


def test_writing_to_what_was_not_saved_or_before_it_was():
    w, x = leaf([1.0, 2.0]), Tensor(np.array([3.0, 4.0]))
    x[0] = 5
    y = (w * x + x).sum()
    tt.zeros(2)[0] = 1
    y.backward(retain_graph=True)
    same(w.grad, [5, 4])
    z = (w + x).sum()  # an addition saves nothing
    x[0] = 7
    z.backward()
    with pytest.raises(RuntimeError, match="written to since"):
        y.backward()


def test_a_node_made_by_hand_does_not_mind_what_was_written_before():
    """The write may have gone to another array, whose place in memory this one has now."""
    x = Tensor(np.array([3.0, 4.0]))
    x[0] = 5
    node = autograd.Mul()
    node.save(x, 2.0)
    assert node.saved[0] is x.data
    x[0] = 6
    with pytest.raises(RuntimeError, match="written to since"):
        _ = node.saved


def test_writing_to_a_parameter_in_no_grad():
    w = leaf([1.0, 2.0])
    y = (w * w).sum()
    with no_grad():
        w[0] = 5
    with pytest.raises(RuntimeError, match="written to since"):
        y.backward()
    (w * w).sum().backward()
    same(w.grad, [10, 4])


def test_optimizers_write_past_the_graph():
    w = leaf([1.0, 2.0])
    y = (w * 3).sum()
    w.data -= 1  # as every optimizer does
    y.backward()
    same(w.grad, [3, 3])


def test_writing_where_a_gradient_would_be_lost():
    w = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"setitem.*shape \(2,\).*it requires one.*where\(\)"):
        w[0] = 1
    with pytest.raises(RuntimeError, match="it requires one"):
        (w * 2)[0] = 1
    with pytest.raises(RuntimeError, match="the value requires one"):
        tt.zeros(2)[0] = w[0]
    x = tt.zeros(2)
    x[0] = w[1].detach()
    assert x.tolist() == [2, 0]


def test_notes_of_writes_go_with_the_memory():
    w = leaf([1.0, 2.0])
    before = len(autograd._written)
    for _ in range(100):
        x = tt.zeros(3)
        x[0] = 1
        x[1:][0] = 2
        assert len(autograd._written) == before + 1
    y = (w * x[:2]).sum()
    view = x[:2]
    del x  # the memory lives on in the view, and in what was saved
    view[0] = 5
    with pytest.raises(RuntimeError, match="written to since"):
        y.backward()
    del view, y
    assert len(autograd._written) == before


@pytest.mark.parametrize("fill", [tt.uniform_, tt.normal_, tt.kaiming_uniform_, tt.kaiming_normal_,
                                  tt.xavier_uniform_, tt.xavier_normal_])  # fmt: skip
def test_filling_a_tensor_is_writing_to_it(fill):
    w = leaf(np.ones((2, 3)))
    y = (w * w).sum()
    assert fill(w) is w
    with pytest.raises(RuntimeError, match=r"mul needs a tensor of shape .* written to since"):
        y.backward()


def test_arrays_are_no_silent_way_out_of_the_graph():
    w = leaf([1.0, -2.0])
    for out in (
        lambda: w.numpy(),
        lambda: np.asarray(w),
        lambda: Tensor(np.maximum(w * 2, 0)),
        lambda: np.exp(w),
        lambda: Tensor([w[0], w[1]]),
        lambda: np.mean([w, w]),
    ):
        with pytest.raises(RuntimeError, match=r"requires a gradient.*detach\(\)\.numpy\(\)"):
            out()
    assert w.detach().numpy() is w.data
    with no_grad():
        assert w.numpy() is w.data and np.asarray(w).tolist() == w.tolist() == [1, -2]
    assert (np.array([1.0, 2.0]) * w + np.float64(2) * w).requires_grad


@pytest.mark.parametrize(
    "create",
    [
        lambda **o: tt.zeros(2, 3, **o), lambda **o: tt.ones((2, 3), **o),
        lambda **o: tt.full((2, 3), 0.5, **o), lambda **o: tt.eye(2, **o),
        lambda **o: tt.rand(2, **o), lambda **o: tt.randn(2, dtype=tt.float64, **o),
        lambda **o: tt.zeros_like(tt.ones(2), **o), lambda **o: tt.ones_like(tt.ones(2), **o),
        lambda **o: tt.arange(0, 1, 0.5, **o),
    ],
)  # fmt: skip
def test_tensors_are_created_with_a_gradient_wanted(create):
    x = create(requires_grad=True)
    assert x.requires_grad and x.is_leaf and not create().requires_grad
    assert not create(requires_grad=False).requires_grad


def test_created_ints_have_no_gradient():
    with pytest.raises(RuntimeError, match="only floats have gradients, this is int64"):
        tt.arange(3, requires_grad=True)
    assert "requires_grad" in inspect.signature(tt.zeros).parameters


def test_a_saved_index_counts_too():
    x, index = leaf([1.0, 2.0]), tt.arange(2)
    y = x[index].sum()
    index[0] = 1
    with pytest.raises(RuntimeError, match="getitem needs"):
        y.backward()


# Recording or not


def test_no_grad():
    x = leaf(2.0)
    with no_grad():
        assert not tt.is_grad_enabled()
        assert not (x * x).requires_grad
        with no_grad():
            pass
        assert not tt.is_grad_enabled()
        with tt.enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
        assert leaf(1.0).requires_grad  # a leaf is no operation
    assert (x * x).requires_grad


@pytest.mark.parametrize(("block", "on"), [(tt.no_grad(), False), (tt.enable_grad(), True)])
def test_one_block_is_used_again_and_inside_itself(block, on):
    for _ in range(2):
        with block:
            assert tt.is_grad_enabled() == on
            with pytest.raises(KeyError), block:
                assert tt.is_grad_enabled() == on
                raise KeyError
            assert tt.is_grad_enabled() == on
        assert tt.is_grad_enabled()
    assert block(tt.is_grad_enabled)() == on


def test_no_grad_ends_when_the_block_raises():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert tt.is_grad_enabled()
    with pytest.raises(ValueError):
        leaf([1.0, 2.0]) + leaf([1.0, 2.0, 3.0])  # nor does an error inside an operation
    assert tt.is_grad_enabled()


def test_no_grad_decorates():
    @no_grad()
    def depth(n):
        assert not tt.is_grad_enabled()
        return n if n == 0 else depth(n - 1)

    assert depth(3) == 0
    assert tt.is_grad_enabled()


def test_detach_shares_memory_and_no_history():
    x = leaf([1.0, 2.0])
    y = x * 2
    d = y.detach()
    assert np.shares_memory(d.data, y.data) and not d.requires_grad
    (y * d).sum().backward()
    same(x.grad, [4, 8])


def test_leaves_and_their_switch():
    x = tt.ones(2)
    assert x.is_leaf and not x.requires_grad and x.grad is None
    assert x.requires_grad_() is x and x.requires_grad and x.is_leaf
    y = x * 2
    assert y.requires_grad and not y.is_leaf and y.grad_fn.name == "mul"
    x.requires_grad = False
    assert not (x * 2).requires_grad
    assert Parameter([1.0]).requires_grad
    assert not Parameter([1.0], requires_grad=False).requires_grad
    assert not Tensor(leaf(1.0)).requires_grad


def test_display():
    assert repr(leaf(2.0, np.float32)) == "Tensor(2.0000, requires_grad=True)"
    assert repr(leaf(2.0, np.float32) * 2) == "Tensor(4.0000, grad_fn=mul)"
    assert repr((leaf(2.0) * 2).grad_fn) == "<Mul: mul ()>"


def test_copies_and_pickles():
    layer = Linear(2, 1)
    layer(tt.ones(1, 2)).sum().backward()
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.weight.requires_grad and twin.weight.grad.tolist() == [[1, 1]]
        twin(tt.ones(1, 2)).sum().backward()
        assert twin.weight.grad.tolist() == [[2, 2]]
    assert layer.weight.grad.tolist() == [[1, 1]]
    computed = copy.deepcopy(leaf(2.0) * 3)  # values travel, the graph does not
    assert computed.item() == 6 and not computed.requires_grad


def test_modules():
    layer = Linear(2, 1)
    layer(tt.ones(1, 2)).sum().backward()
    layer.zero_grad()
    assert layer.weight.grad is None
    other = Linear(2, 1)
    other.load_state_dict(dict(layer.named_parameters()))
    assert other.weight.tolist() == layer.weight.tolist() and other.weight.requires_grad
    layer.to(tt.float64)(tt.ones(1, 2, dtype=tt.float64)).sum().backward()
    assert layer.weight.grad.dtype == tt.float64
    layer.weight.requires_grad = False
    assert not (tt.ones(1, 2, dtype=tt.float64) @ layer.weight.T).requires_grad


# Memory


def test_a_graph_dies_with_its_result():
    x = leaf(np.zeros(1000))
    y = (x * 2).exp()
    array = weakref.ref(y.grad_fn.saved[0])
    gc.disable()
    try:
        del y
        assert array() is None  # at once, not when the collector comes
        kept = x * 3  # what is not saved is not kept
        array = weakref.ref(kept.data)
        kept = kept + 1
        assert array() is None
        z = (x.exp() + 1).sum()
        array = weakref.ref(z.grad_fn.inputs[0].inputs[0].saved[0])
        z.backward()
        assert array() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("after_backward", [False, True])
def test_a_graph_is_freed_nested_only_so_deep(after_backward):
    """What a node holds is freed in order, so a probe before its inputs and one after them tell."""

    class Probe:
        def __init__(self, step):
            self.step = step

        def __del__(self):
            nonlocal depth, deepest, freed
            depth, freed = depth + self.step, freed + 1
            deepest = max(deepest, depth)

    depth = deepest = freed = 0
    side = y = leaf(1.0)
    for i in range(1000):
        y = y * 1.0 if i % 3 else y * side  # two ways down, one of them shorter
        side = y if i % 7 == 0 else side
        y.grad_fn.__dict__ = {"first": Probe(1), **vars(y.grad_fn), "last": Probe(-1)}
    if after_backward:
        y.backward()
    assert (deepest, freed) == (0, 0)
    del y, side
    assert (depth, freed) == (0, 2000)
    assert (
        2 <= deepest <= 2 * (autograd.Brake.EVERY + 1)
    )  # down to the first brake, and in its loop
    assert autograd.Brake.queue is None


def test_a_shallow_graph_has_no_brake():
    y = leaf(1.0)
    for _ in range(autograd.Brake.EVERY):
        y = y * 2.0
        assert y.grad_fn.brake is None
    y = y * 2.0
    assert y.grad_fn.brake is not None and y.grad_fn.height == 0


def test_a_deep_graph_is_freed_on_a_small_stack():
    """Through whatever a node holds: its inputs, and what the function of a checkpoint sees."""
    script = """
        import threading
        import tinytorch as tt

        def deep():
            for back in (False, True):
                x = y = tt.Tensor(1.0, requires_grad=True)
                for _ in range(200_000):
                    y = y * 1.0
                if back:
                    y.backward()
                    assert x.grad.item() == 1
                del y
            y = x
            for _ in range(20_000):
                y = tt.checkpoint(lambda x, y=y: x * y, x)
            del y
            print("freed", end="")

        threading.stack_size(128 * 1024)
        thread = threading.Thread(target=deep)
        thread.start()
        thread.join()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT,
                          capture_output=True, text=True)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "freed"), done.stderr


def test_a_graph_in_a_circle_is_left_to_the_collector():
    y = leaf(1.0)
    for _ in range(3000):
        y = y * 1.0
    y.grad_fn.circle = y
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None and autograd.Brake.queue is None


def test_saved_bytes_counts_memory_once():
    x, w = leaf(np.zeros((8, 16))), leaf(np.zeros((16, 4)))
    h = x @ w  # saves x and w
    assert tt.saved_bytes(h) == (8 * 16 + 16 * 4) * 8
    y = h.exp()  # saves the result
    assert tt.saved_bytes(y * y) == (8 * 16 + 16 * 4 + 8 * 4) * 8
    assert tt.saved_bytes(y.reshape(-1) * y[0].sum(), exclude=[x, w]) == (8 * 4 + 1) * 8
    y.sum().backward()
    assert tt.saved_bytes(y) == 0
    assert tt.saved_bytes(tt.ones(3)) == 0


# Checkpoints


class Blocks:
    def __init__(self):
        self.layers = [Linear(6, 6) for _ in range(4)]
        self.drop = tt.Dropout(0.5)

    def block(self, layer):
        return lambda x: self.drop(layer(x).tanh() * 2)

    def __call__(self, x, save):
        for layer in self.layers:
            f = self.block(layer)
            x = checkpoint(f, x) if save else f(x)
        return x


def test_checkpoint_gives_the_same_gradients_and_keeps_less():
    net, x = Blocks(), leaf(np.ones((5, 6)), np.float32)
    parameters = [p for layer in net.layers for p in layer.parameters()]
    results = []
    for save in (False, True):
        tt.manual_seed(1)  # the same numbers dropped
        x.grad = None
        for p in parameters:
            p.grad = None
        y = net(x, save)
        kept = tt.saved_bytes(y, exclude=[x, *parameters])
        following = tt.rand(3)
        y.sum().backward()
        after = tt.rand(3)
        results.append((kept, y, following, after, x.grad, *(p.grad for p in parameters)))
    plain, saving = results
    assert saving[0] == 3 * x.nbytes < plain[0] / 2
    for a, b in zip(plain[1:], saving[1:], strict=True):
        assert a.tolist() == b.tolist()


def test_checkpoint_of_data_reaches_the_parameters():
    layer = Linear(3, 2)
    y = checkpoint(layer, tt.ones(1, 3))
    assert y.requires_grad
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1, 1]] * 2


def test_checkpoint_with_several_inputs_ints_and_inside_another():
    w, i = randn(4, 2), tt.arange(3)
    f = lambda w, i, s: checkpoint(lambda v: v * v, w[i]) * s  # noqa: E731
    assert gradcheck(lambda w, s: checkpoint(f, w, i, s), [w, leaf(2.0)])


def test_checkpoint_with_several_results():
    x, w = randn(2, 3), Parameter(np.ones(3))

    def f(x):
        h = x * w
        return h, h.argmax(dim=1), (h * h).sum(), h[0].float()

    plain, saving = f(x), checkpoint(f, x)
    assert isinstance(saving, tuple) and tt.saved_bytes(saving[0], exclude=[x]) == 0
    for a, b in zip(plain, saving, strict=True):
        assert (a.dtype, a.shape, a.tolist()) == (b.dtype, b.shape, b.tolist())
    results = []
    for h, i, s, half in (plain, saving):
        x.grad = w.grad = None
        (h[0, i[0]] * s + half.sum() * 2).backward()
        results.append((x.grad.tolist(), w.grad.tolist()))
    np.testing.assert_allclose(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1])
    (only,) = checkpoint(lambda x: (x * 2,), x)
    assert gradcheck(lambda x: checkpoint(lambda x: [x * 2, x.sum()], x)[0] * only.detach(), x)
    assert checkpoint(lambda x: (x.argmax(),), x)[0].item() == x.argmax().item()
    with pytest.raises(TypeError, match=r"checkpoint: expected Tensors as the result, got int \(3"):
        checkpoint(lambda x: 3, x)


def test_checkpoint_records_nothing_in_no_grad_and_wants_tensors():
    x = leaf([1.0])
    with no_grad():
        assert not checkpoint(lambda x: x * 2, x).requires_grad
    with pytest.raises(TypeError, match=r"checkpoint: input 1 is not a Tensor but float \(2.0\)"):
        checkpoint(lambda x, n: x * n, x, 2.0)
    y = checkpoint(lambda x: x * 2, x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4]
    y = checkpoint(lambda x: tt.ones(1), x)  # the input has no part in the result
    y.backward()
    assert x.grad.tolist() == [4]
    w = leaf([5.0])
    checkpoint(lambda x: w, x).backward()  # a result that was there before
    assert w.is_leaf and w.grad.tolist() == [1]
    checkpoint(lambda x: x, x).backward()
    assert x.is_leaf and x.grad.tolist() == [5]


# gradcheck itself


def test_gradcheck_finds_faults():
    class Wrong(tt.Function):
        def backward(self, grad):
            return grad * 3

    double = autograd.differentiable(Wrong, lambda x: Tensor(x.data * 2))
    x = leaf([1.0, 2.0])
    with pytest.raises(AssertionError, match=r"input 0 at index \(0,\) is 4.* differences give 3"):
        gradcheck(lambda x: double(x) + x - x * 0, [x])
    with pytest.raises(AssertionError, match="graph is cut"):
        gradcheck(lambda x: Tensor(x.data * 2), [x])
    with pytest.raises(ValueError, match="input 0 must be float64, it is float32"):
        gradcheck(lambda x: x * 2, leaf([1.0], np.float32))
    with pytest.raises(ValueError, match="no input requires"):
        gradcheck(lambda x: x * 2, [tt.ones(1)])
    assert gradcheck(lambda x, n: x * n, (x, 3))
    assert x.grad is None


# A function of one's own


def test_a_function_of_ones_own():
    class Cube(tt.Function):
        def forward(self, x):
            self.save(x)
            return self.op(x)

        def backward(self, grad):
            (x,) = self.saved
            return grad * 3 * x * x

    cube = autograd.differentiable(Cube, lambda x: Tensor(x.data**3))
    assert gradcheck(cube, leaf([1.0, -2.0]))


def test_a_backward_that_gives_too_few_or_the_wrong_shape():
    class Few(tt.Function):
        def backward(self, grad):
            return grad

    class Wide(tt.Function):
        def backward(self, grad):
            return np.ones(5)

    add = autograd.differentiable(Few, lambda a, b: Tensor(a.data + b.data))
    with pytest.raises(RuntimeError, match=r"Few.backward returned 1 gradients for 2 arguments"):
        add(leaf(1.0), leaf(2.0)).backward()
    same_shape = autograd.differentiable(Wide, lambda x: Tensor(x.data * 1))
    with pytest.raises(ValueError, match=r"shape \(2,\) does not broadcast to \(5,\)"):
        same_shape(leaf([1.0, 2.0])).sum().backward()


def test_a_rule_beside_its_operation():
    class Cube(tt.Function):
        def forward(self, x):
            self.save(x)
            return self.op(x)

        def backward(self, grad):
            return grad * 3 * self.saved[0] ** 2

    @tt.differentiable(Cube)
    def cube(x: Tensor) -> Tensor:
        """x * x * x"""
        return Tensor(x.data**3)

    class Solid(tt.Module):
        @tt.differentiable(Cube)
        def volume(self, x):
            raise NotImplementedError

    assert (cube.__name__, cube.__doc__, cube.rule) == ("cube", "x * x * x", Cube)
    assert gradcheck(cube, leaf([1.0, -2.0]))
    cube.forward = lambda x: Tensor(x.data * x.data * x.data)  # as the overlay puts the student's
    assert cube(x=leaf([2.0])).grad_fn.saved[0].tolist() == [2]
    cube.forward = tt.differentiable(Cube)(lambda x: Tensor(x.data**3))  # with its decorator
    assert gradcheck(cube, leaf([1.0, -2.0]))
    with pytest.raises(TypeError, match="differentiable: expected a Function class, got function"):

        @tt.differentiable
        def square(x):
            return x


def test_a_replaced_rule_is_in_force_at_the_next_call():
    class Broken(autograd.Mul):
        def backward(self, grad):
            return grad * 0, grad * 0

    x, before = leaf([2.0]), autograd.Mul
    autograd.Mul = Broken
    try:
        y = x * x
    finally:
        autograd.Mul = before
    assert type(y.grad_fn) is Broken
    y.backward()
    assert x.grad.tolist() == [0]
    assert gradcheck(lambda x: x * x, x)


@pytest.mark.parametrize("kind", [tuple, list])
def test_several_results_of_one_operation(kind):
    class Rule(tt.Function):
        def backward(self, grad):
            return grad

    both = autograd.differentiable(Rule, lambda x: kind([Tensor(x.data * 1), Tensor(x.data * 2)]))
    with pytest.raises(TypeError, match=r"result 1 is a Tensor of floats, but only the first"):
        both(leaf([1.0]))
    assert len(both(tt.ones(1))) == 2  # nobody asks for a gradient
    sorting = autograd.differentiable(Rule, lambda x: kind([Tensor(x.data), tt.arange(1)]))
    values, places = sorting(leaf([1.0]))
    assert values.requires_grad and not places.requires_grad
    nothing = autograd.differentiable(Rule, lambda x: kind())
    assert nothing(leaf([1.0])) == kind()


def test_the_files_of_autograd_stand_in_a_row():
    """Each can be imported first, and none imports one that imports it."""
    for name in ("autograd", "autograd_tensor", "autograd_rules", "autograd_tools"):
        script = (
            "import sys, types\n"
            "package = types.ModuleType('tinytorch'); package.__path__ = ['tinytorch']\n"
            f"sys.modules['tinytorch'] = package\nimport tinytorch.{name}\n"
            "print(*(n for n in sys.modules if 'autograd' in n))"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True,
                              text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        if name == "autograd":
            assert done.stdout.split() == ["tinytorch.autograd"]


# The student's operations


ADD = "tensor.Tensor.__add__"
COUNTING = """
a, b = self._operands(other, "add")
Tensor.additions = getattr(Tensor, "additions", 0) + 1
return Tensor(a + b)
"""


@pytest.fixture
def counted():
    yield
    if hasattr(Tensor, "additions"):
        del Tensor.additions


def test_an_adopted_operation_runs_under_gradients(counted):
    x = leaf([1.0, 2.0])
    overlay.adopt(ADD, get(ADD).cell(COUNTING))
    (x + x).sum().backward()
    assert Tensor.additions == 1
    same(x.grad, [2, 2])
    forget(ADD)
    x + x
    assert Tensor.additions == 1


def test_one_adopted_before_autograd_was_imported_runs_too():
    """In a process of its own: tinytorch without its __init__, so without autograd at first."""
    script = """
        import sys, types
        package = types.ModuleType("tinytorch")
        package.__path__ = ["tinytorch"]
        sys.modules["tinytorch"] = package
        from tinytorch import tensor
        package.Tensor = Tensor = tensor.Tensor
        from tinytorch.course import overlay
        from tinytorch.course.exercise import exercises, get
        cell = get(ID).cell(BODY)
        overlay.adopt(ID, cell)
        Tensor([1.0]) + 1
        assert Tensor.additions == 1 and "tinytorch.autograd" not in sys.modules
        from tinytorch import autograd_rules, autograd_tensor
        autograd_tensor.attach()
        autograd_rules.install()
        x = Tensor([1.0, 2.0], requires_grad=True)
        (x + x).sum().backward()
        assert Tensor.additions == 2 and x.grad.tolist() == [2, 2]
        overlay.adopt(ID, cell)
        assert (x + x).requires_grad and Tensor.additions == 3
        overlay.forget(ID)
        assert (x + x).requires_grad and Tensor.additions == 3
    """
    script = f"ID, BODY = {ADD!r}, {COUNTING!r}\n{textwrap.dedent(script)}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_broken_operation_breaks_what_is_trained_on_it():
    overlay.adopt(ADD, get(ADD).cell("return Tensor(self.data * 0)"))
    layer = Linear(2, 1)
    assert layer(tt.ones(1, 2)).tolist() == [[0]]


@pytest.mark.parametrize("id", ["tensor.Tensor.mean", "tensor.Tensor.contiguous", "tensor.cat"])
def test_a_student_may_compute_with_arrays(id):
    """Whatever way the body takes, the operation as a whole is what has the gradient."""
    bodies = {
        "tensor.Tensor.mean": "return Tensor(self.data.mean(axis=dim, keepdims=keepdim))",
        "tensor.Tensor.contiguous": 'return Tensor(self.data.copy(order="C"))',
        "tensor.cat": "return Tensor(np.concatenate([x.data for x in tensors], dim))",
    }
    overlay.adopt(id, get(id).cell(bodies[id]))
    a = randn(3, 2)
    calls = {"mean": lambda x: x.mean(0), "contiguous": lambda x: x.T.contiguous(),
             "cat": lambda x: tt.cat([x, x * 2])}  # fmt: skip
    assert gradcheck(calls[id.split(".")[-1]], [a])


def test_exercises_of_earlier_modules_are_checked_through_the_wrappers():
    for id in [ADD, "tensor.Tensor.__matmul__", "tensor.cat", "tensor.Tensor.__init__"]:
        exercise = get(id)
        assert check(exercise, exercise.solution).passed
        assert not check(exercise, exercise.stub).passed


WRONG = {
    "autograd.Mul.backward": "return grad, grad",
    "autograd.unbroadcast": "return grad * 2",
    "autograd.MatMul.matrices": "return grad @ b.mT * 2, a.mT @ grad * 2",
    "autograd.topological_order": "return [root]",
    "autograd.backpropagate": "pass",
    "autograd.CrossEntropy.rows": "return logits * 0 + grad[:, None]",
    "autograd.no_grad": "yield",
    "autograd.Checkpoint.backward": "return tuple(None for _ in self.saved)",
}


def trained():
    """What a little training with every part of autograd in it comes to."""
    tt.manual_seed(0)
    layer, data = Linear(3, 2), tt.randn(4, 3)
    target = Tensor([0, 1, 1, 0], dtype=tt.int64)
    for _ in range(3):
        hidden = tt.checkpoint(lambda x: layer(x) * layer.bias, data)
        layer.zero_grad()
        tt.cross_entropy(hidden, target).backward()
        with tt.no_grad():
            step = layer.weight * 0.1
        for p in layer.parameters():
            p.data -= 0.1 * p.grad.data if p.grad is not None else 0
    return layer.weight.tolist(), layer.bias.tolist(), step.requires_grad


@pytest.mark.parametrize("exercise", exercises("05_autograd"), ids=lambda e: e.id)
def test_the_students_autograd_is_what_trains(exercise):
    expected = trained()
    overlay.adopt(exercise.id, exercise.solution)
    assert trained() == expected
    overlay.adopt(exercise.id, exercise.cell(WRONG[exercise.id]))
    with contextlib.suppress(ValueError, RuntimeError):  # broken is broken
        assert trained() != expected


def test_strict_mode_refuses_through_the_wrappers():
    x = leaf([1.0])
    with strict():
        with pytest.raises(NotBuiltYet, match=r"tensor\.Tensor\.__init__"):
            Tensor([1.0])
        for call in (lambda: x + x, lambda: x @ x, lambda: tt.cat([x])):
            with pytest.raises(NotBuiltYet):
                call()
        assert tt.is_grad_enabled()
    assert (x + x).requires_grad


def test_docstring_examples():
    result = doctest.testmod(autograd)
    assert result.attempted >= 2 and result.failed == 0


# The drawing


def drawn():
    w, x, b = leaf(2.0), leaf(3.0), leaf([1.0, 2.0])
    h = w * x + b
    y = (h.exp() * w).sum()
    return y, tt.graph(y, w=w, b=b, y=y)


def test_a_graph_as_text():
    _, g = drawn()
    assert repr(g).splitlines() == [
        "Graph of 5 operations on 3 leaves:",
        "w: leaf  2",
        "b: leaf  (2,)",
        "#3: leaf  ()",  # its tensor is gone
        "#4: mul(w, #3)  ()  keeps 16 B",
        "#5: add(#4, b)  (2,)",
        "#6: exp(#5)  (2,)  keeps 16 B",
        "#7: mul(#6, w)  (2,)  keeps 24 B",
        f"y: sum(#7)  {2 * (np.exp(7) + np.exp(8)):.4g}",
    ]


def test_a_drawing_is_well_formed_and_says_what_it_shows():
    y, g = drawn()
    y.backward()
    for text in (g._repr_svg_(), g._repr_html_()):
        root = ElementTree.fromstring(text)
        svg = root if root.tag.endswith("svg") else root[0]
        name = svg.tag.removesuffix("svg")
        title, desc = svg.find(f"{name}title"), svg.find(f"{name}desc")
        assert svg.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]
        assert desc.text == repr(g)
        words = [t.text for t in svg.iter(f"{name}text")]
        assert {"w", "×", "+", "exp", "y = sum", "(2,)", "has grad"} <= set(words)
        assert "keeps 16 B" not in words  # backward has released it
    assert "prefers-color-scheme: dark" in g._repr_svg_()
    assert "<style" not in g._repr_html_()  # it would reach the whole page


def test_a_drawing_overlaps_nothing_and_runs_downwards():
    x = leaf(np.ones((2, 2)))
    layers = [leaf(np.ones((2, 2))) for _ in range(6)]
    h = x
    for w in layers:
        h = (h @ w).tanh() + h * layers[0]
    svg = tt.graph(h.sum())._svg()
    boxes = [[float(v) for v in m] for m in re.findall(
        r'<rect x="([\d.-]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)]  # fmt: skip
    assert len(boxes) == 7 + 6 * 4 + 1
    for i, (x0, y0, w0, h0) in enumerate(boxes):
        for x1, y1, w1, h1 in boxes[:i]:
            assert x0 + w0 <= x1 or x1 + w1 <= x0 or y0 + h0 <= y1 or y1 + h1 <= y0
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    assert all(x >= 0 and x + w <= width + 1 and y + h <= height + 1 for x, y, w, h in boxes)
    for start, end in re.findall(r'd="M[\d.-]+ ([\d.]+)C.*? ([\d.]+)" opacity', svg):
        assert float(start) < float(end)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="graph: this tensor does not require a gradient"):
        tt.graph(tt.ones(2))
