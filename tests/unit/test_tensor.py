"""Tensor against NumPy over generated shapes, and everything NumPy does not decide: dtypes, views,
errors, display, and that whatever replaces an exercise's symbol is what the rest calls."""

import copy
import doctest
import math
import operator
import pickle

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import tinytorch as tt
import tinytorch.tensor
from tinytorch import Tensor

generated = settings(max_examples=60)

NUMBERS = st.floats(-100, 100, width=32)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FULL_SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def arrays(shape=SHAPES):
    return hnp.arrays(np.float32, shape, elements=NUMBERS)


@st.composite
def pairs(draw):
    """Two float32 arrays whose shapes broadcast."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4))
    return tuple(draw(arrays(shape)) for shape in shapes.input_shapes)


@st.composite
def with_dims(draw, several=True):
    """An array without empty dimensions, and a dim (or tuple of dims) of it, maybe negative."""
    array = draw(arrays(FULL_SHAPES))
    one = st.integers(-array.ndim, array.ndim - 1)
    many = st.lists(one, min_size=1, unique_by=lambda d: d % array.ndim).map(tuple)
    return array, draw(st.one_of(one, many) if several else one)


def same(x, expected, exact=True):
    assert type(x) is Tensor
    assert x.shape == np.shape(expected)
    assert x.dtype == expected.dtype
    if exact:
        np.testing.assert_array_equal(x.numpy(), expected)
    else:
        np.testing.assert_allclose(x.numpy(), expected, rtol=1e-4, atol=1e-4)


X = np.arange(6, dtype=np.float32).reshape(2, 3)


# Construction


@pytest.mark.parametrize("data", [3, 2.5, True, [1, 2], [[1.5], [2]], (1, (2)), [], [[], []]])
def test_python_numbers_become_float32(data):
    same(Tensor(data), np.array(data, dtype=np.float32))


def test_range_and_lists_of_tensors_and_arrays():
    same(Tensor(range(3)), np.arange(3, dtype=np.float32))
    same(Tensor([Tensor([1, 2]), np.array([3, 4])]), np.array([[1, 2], [3, 4]], np.float32))
    same(Tensor([Tensor(1), np.int64(2)]), np.array([1, 2], np.float32))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "bool", "u1"])
def test_arrays_keep_dtype_and_memory(dtype):
    array = np.ones((2, 2), dtype)
    assert Tensor(array).dtype == array.dtype
    assert np.shares_memory(Tensor(array).numpy(), array)
    assert np.shares_memory(tt.from_numpy(array).numpy(), array)
    assert Tensor(array[0, 0]).dtype == array.dtype


def test_a_tensor_shares_and_dtype_converts():
    x = Tensor(X)
    assert np.shares_memory(Tensor(x).numpy(), X)
    same(Tensor(x, dtype=tt.int64), X.astype(np.int64))
    assert not np.shares_memory(Tensor(x, dtype=tt.float64).numpy(), X)
    same(Tensor([2**53 + 1], dtype=tt.int64), np.array([2**53 + 1]))


def test_a_list_is_copied():
    data = [1.0, 2.0]
    x = Tensor(data)
    x[0] = 9
    assert data == [1.0, 2.0]


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([[1, 2], [3]], ValueError, r"ragged list: data\[0\] has length 2, data\[1\] has length 1"),
        ([1, [2]], ValueError, r"data\[0\] is a number, data\[1\] has length 1"),
        (
            [[[1, 2]], [[1]]],
            ValueError,
            r"data\[0\]\[0\] has length 2, data\[1\]\[0\] has length 1",
        ),
        ([[0], [[1, 2], [3]]], ValueError, r"data\[1\]\[0\] has length 2, data\[1\]\[1\] has len"),
        ("abc", TypeError, r"Tensor: expected numbers, .* got str \('abc'\)$"),
        (None, TypeError, r"got NoneType \(None\)"),
        ([1, "a"], TypeError, r"got str \('a'\) at data\[1\]"),
        ([[1], [None]], TypeError, r"got NoneType \(None\) at data\[1\]\[0\]"),
        ({"a": 1}, TypeError, "got dict"),
        ({1, 2}, TypeError, "got set"),
        (1j, TypeError, "got complex"),
        (np.array(["a"]), TypeError, "array of dtype <U1"),
        (np.array([None]), TypeError, "array of dtype object"),
        (np.array([1j]), TypeError, "array of dtype complex128"),
        ([np.array(["a"])], TypeError, "array of dtype <U1"),
    ],
)
def test_what_is_not_numbers_is_named(data, error, text):
    with pytest.raises(error, match=text):
        Tensor(data)


def test_properties():
    x = Tensor(X)
    assert (x.shape, x.ndim, x.dim(), x.numel(), x.nbytes) == ((2, 3), 2, 2, 6, 24)
    assert x.size() == (2, 3)
    assert x.size(-1) == 3
    assert x.dtype == tt.float32
    assert Tensor(3).shape == ()
    assert x.tolist() == X.tolist()
    assert Tensor(2.5).item() == 2.5
    assert type(tt.arange(3)[1].item()) is int
    assert (float(Tensor([2.5])), int(Tensor(2.5))) == (2.5, 2)
    with pytest.raises(ValueError, match=r"item: expected exactly one element, got shape \(2, 3\)"):
        x.item()
    with pytest.raises(IndexError, match="size: dim 2 is out of range"):
        x.size(2)


def test_conversions():
    x = Tensor([1.9, -1.9])
    assert x.to(tt.float32) is x
    same(x.long(), np.array([1, -1]))
    same(x.long().float(), np.array([1, -1], np.float32))
    y = x.clone()
    y[0] = 5
    assert x.tolist()[0] == np.float32(1.9)
    assert np.asarray(x) is x.numpy() or np.shares_memory(np.asarray(x), x.numpy())
    assert np.array(x, dtype=np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x), x.numpy())
    same(copy.deepcopy(x), x.numpy())
    same(pickle.loads(pickle.dumps(x)), x.numpy())


# Broadcasting and arithmetic


@generated
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=4))
def test_broadcast_shapes_is_numpys(shapes):
    assert tt.broadcast_shapes(*shapes.input_shapes) == shapes.result_shape


@generated
@given(SHAPES, SHAPES)
def test_broadcast_shapes_refuses_what_numpy_refuses(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ValueError, match="do not broadcast"):
            tt.broadcast_shapes(a, b)
        with pytest.raises(ValueError, match="add: shapes"):
            tt.zeros(a) + tt.zeros(b)
    else:
        assert tt.broadcast_shapes(a, b) == expected


def test_broadcast_shapes_names_the_dimension():
    assert tt.broadcast_shapes() == ()
    text = r"^shapes \(5, 2, 3\) and \(4, 1\) do not broadcast: dimension 1 has sizes 2 and 4$"
    with pytest.raises(ValueError, match=text):
        tt.broadcast_shapes((5, 2, 3), (4, 1))


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv])
@generated
@given(pair=pairs())
def test_arithmetic_is_numpys_and_leaves_operands_alone(op, pair):
    a, b = pair
    before = a.copy(), b.copy()
    with np.errstate(all="ignore"):
        expected = op(a, b)
        for result in (op(Tensor(a), Tensor(b)), op(Tensor(a), b), op(a, Tensor(b))):
            same(result, np.asarray(expected))
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv])
@generated
@given(a=arrays(), number=st.floats(0.5, 10, width=32) | st.integers(1, 9))
def test_numbers_on_either_side(op, a, number):
    with np.errstate(all="ignore"):
        same(op(Tensor(a), number), np.asarray(op(a, number)))
        same(op(number, Tensor(a)), np.asarray(op(number, a)))
        same(op(np.float64(number), Tensor(a)), np.asarray(op(number, a)))


def test_power_negation_absolute_value():
    x = Tensor(X)
    same(x**2, X**2)
    same(x ** Tensor([1, 2, 3]), X ** np.array([1, 2, 3], np.float32))
    same(2**x, 2**X)
    same(-x, -X)
    same(abs(-x), X)
    same((-x).abs(), X)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh"])
@generated
@given(a=hnp.arrays(np.float32, SHAPES, elements=st.floats(0.125, 8, width=32)))
def test_elementwise_functions(name, a):
    same(getattr(Tensor(a), name)(), np.asarray(getattr(np, name)(a)))
    assert getattr(tt.arange(1, 3), name)().dtype == tt.float32


def test_dtypes_follow_pytorch():
    i, f, d, b = tt.arange(3), tt.ones(3), tt.ones(3, dtype=tt.float64), tt.zeros(3, dtype=tt.bool_)
    h = tt.ones(3, dtype=tt.float16)
    for result, dtype in [
        (i + 1, "int64"), (i + 1.5, "float32"), (1.5 * i, "float32"), (i / 2, "float32"),
        (i / (i + 1), "float32"), (2 / (i + 1), "float32"), (b + 1, "int64"), (b * 2.0, "float32"),
        (f + 1, "float32"), (f * 2.5, "float32"), (f * np.float64(2), "float32"),
        (f + i, "float32"),
        (i * f, "float32"), (f + d, "float64"), (d * 2, "float64"), (f + np.ones(3), "float64"),
        (h + i, "float16"), (h * 2.5, "float16"), (h + f, "float32"), (i**2, "int64"),
        (2**i, "int64"), (f**2, "float32"), (1 - i, "int64"), (1.5 - i, "float32"),
        (i.to("int32") + i, "int64"), (b + b, "bool"), (b / b.to("int64").__radd__(1), "float32"),
    ]:  # fmt: skip
        assert result.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("op", "name"),
    [
        (operator.add, "add"), (operator.sub, "sub"), (operator.mul, "mul"), (operator.pow, "pow"),
        (operator.truediv, "div"), (operator.lt, "lt"), (operator.le, "le"), (operator.gt, "gt"),
        (operator.ge, "ge"), (operator.matmul, "matmul"),
    ],
)  # fmt: skip
def test_wrong_operands_are_named(op, name):
    x = Tensor(X)
    for other, got in [
        ("abc", r"str \('abc'\)"),
        (None, r"NoneType \(None\)"),
        ([1], "list"),
        (1j, "c"),
    ]:
        text = f"^{name}: expected a Tensor, number or array, got {got}"
        with pytest.raises(TypeError, match=text):
            op(x, other)
        if name not in ("lt", "le", "gt", "ge"):  # mirrored by Python: a < b asks b > a
            with pytest.raises(TypeError, match=text):
                op(other, x)
    if name != "matmul":
        text = (
            rf"{name}: shapes \(2, 3\) and \(4,\) do not broadcast: dimension 1 has sizes 3 and 4"
        )
        for other in (tt.ones(4), np.ones(4, np.float32)):
            with pytest.raises(ValueError, match=text):
                op(x, other)


def test_iadd_makes_a_new_tensor():
    x = y = Tensor(X.copy())
    x += 1
    same(y, X)
    same(x, X + 1)


REFLECTED = [
    ("__add__", lambda x: 2 + x), ("__sub__", lambda x: 2 - x), ("__mul__", lambda x: 2 * x),
    ("__truediv__", lambda x: 2 / x), ("__pow__", lambda x: 2**x),
    ("__matmul__", lambda x: X.T @ x),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call"), REFLECTED)
def test_reflected_operators_call_whatever_is_in_place(monkeypatch, name, call):
    monkeypatch.setattr(Tensor, name, lambda self, other: "the student's")
    assert call(Tensor(X)) == "the student's"


def test_replaced_functions_are_used(monkeypatch):
    x = Tensor(X)
    monkeypatch.setattr(tinytorch.tensor, "cat", lambda tensors, dim=0: "my cat")
    assert tt.stack([x, x]) == "my cat"
    monkeypatch.setattr(tinytorch.tensor, "contiguous_strides", lambda shape: (7,) * len(shape))
    assert not x.is_contiguous()
    monkeypatch.setattr(Tensor, "is_contiguous", lambda self: True)
    assert x.T.contiguous().stride() == (1, 3)
    monkeypatch.setattr(Tensor, "sum", lambda self, dim=None, keepdim=False: Tensor([60]))
    assert x.mean().tolist() == [10]
    monkeypatch.setattr(Tensor, "reshape", lambda self, *sizes: self)
    assert x.view(6) is x
    monkeypatch.setattr(Tensor, "__getitem__", lambda self, i: i)
    assert list(x) == [0, 1]

    def refuse(*shapes):
        raise ValueError("mine")

    monkeypatch.setattr(tinytorch.tensor, "broadcast_shapes", refuse)
    with pytest.raises(ValueError, match="add: mine"):
        x + tt.ones(3)


# Comparison


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
@generated
@given(pair=pairs())
def test_comparisons(name, pair):
    op = getattr(operator, name)
    a, b = (np.round(x / 50) for x in pair)
    expected = np.asarray(op(a, b))
    for result in (op(Tensor(a), Tensor(b)), op(Tensor(a), b), op(a, Tensor(b))):
        same(result, expected)
    same(op(Tensor(a), 1), np.asarray(op(a, 1)))
    same(op(1, Tensor(a)), np.asarray(op(1, a)))


def test_equality_with_strangers_and_hash():
    x = Tensor(X)
    assert (x == None) is False  # noqa: E711
    assert (x != "abc") is True
    assert len({x, x, Tensor(X)}) == 2
    with pytest.raises(ValueError, match="eq: shapes"):
        operator.eq(x, tt.ones(4))


def test_truth_needs_one_element():
    assert bool(Tensor([[1]]))
    assert not Tensor(0)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) has no one truth value; use any"):
        bool(Tensor(X))


# Matrix product


@st.composite
def matmul_pairs(draw):
    n, k, m = (draw(st.integers(0, 4)) for _ in range(3))
    batch = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    a, b = batch.input_shapes
    left = draw(st.sampled_from([(k,), (n, k), (*a, n, k)]))
    right = draw(st.sampled_from([(k,), (k, m), (*b, k, m)]))
    return draw(arrays(left)), draw(arrays(right))


@generated
@given(matmul_pairs())
def test_matmul_is_numpys(pair):
    a, b = pair
    expected = np.asarray(a @ b)
    for result in (Tensor(a) @ Tensor(b), Tensor(a) @ b, a @ Tensor(b)):
        same(result, expected, exact=False)


def test_matmul_of_ints_and_mixed():
    i = tt.arange(6).reshape(2, 3)
    same(i @ i.T, np.arange(6).reshape(2, 3) @ np.arange(6).reshape(3, 2, order="F"))
    assert (i @ Tensor(X.T)).dtype == tt.float32


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ((2, 3), (4, 5), r"^matmul: \(2, 3\) @ \(4, 5\): inner dimensions 3 and 4 differ$"),
        ((3,), (4,), r"\(3,\) @ \(4,\): inner dimensions 3 and 4"),
        ((2, 3), (2,), r"inner dimensions 3 and 2"),
        ((3,), (2, 4, 5), r"inner dimensions 3 and 4"),
        (
            (2, 3, 4),
            (3, 4, 5),
            r"^matmul: \(2, 3, 4\) @ \(3, 4, 5\): shapes \(2,\) and \(3,\) do not",
        ),
        ((), (2,), r"at least one dimension, got shapes \(\) and \(2,\)"),
        ((2,), (), r"got shapes \(2,\) and \(\)"),
    ],
)
def test_matmul_errors(a, b, text):
    with pytest.raises(ValueError, match=text):
        tt.ones(a) @ tt.ones(b)


@pytest.mark.parametrize("call", [lambda x: x @ 3, lambda x: 3 @ x])
def test_matmul_with_a_number(call):
    with pytest.raises(ValueError, match="matmul: operands need at least one dimension"):
        call(Tensor(X))


# Shape and views


@generated
@given(st.data())
def test_reshape_and_view(data):
    a = data.draw(arrays())
    order = data.draw(st.permutations(range(a.ndim)))
    a = a.transpose(order)
    factors = data.draw(st.permutations([*a.shape, 1]))
    expected = a.reshape(factors)
    x = Tensor(a)
    for result in (x.reshape(*factors), x.reshape(tuple(factors)), x.reshape(list(factors))):
        same(result, expected)
        assert np.shares_memory(result.numpy(), a) == np.shares_memory(expected, a)
    if a.size:
        i = data.draw(st.integers(0, len(factors) - 1))
        same(x.reshape(*factors[:i], -1, *factors[i + 1 :]), expected)
        if np.shares_memory(expected, a):
            assert np.shares_memory(x.view(*factors).numpy(), a)
        else:
            with pytest.raises(ValueError, match=r"view: shape .* with strides .* needs a copy"):
                x.view(*factors)


def test_reshape_writes_through():
    x = tt.zeros(2, 3)
    x.reshape(6)[4] = 1
    assert x.tolist() == [[0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("sizes", [(4,), (4, -1), (-1, -1), (-2, -3), (-1, -6), (0, -1), ()])
def test_reshape_errors_name_count_and_shapes(sizes):
    with pytest.raises(ValueError) as caught:
        Tensor(X).reshape(sizes)
    assert str(caught.value) == f"reshape: the 6 elements of shape (2, 3) do not fit shape {sizes}"


def test_reshape_of_nothing():
    assert tt.zeros(0, 3).reshape(3, -1).shape == (3, 0)
    with pytest.raises(ValueError, match="reshape: the 0 elements"):
        tt.zeros(0, 3).reshape(0, -1)
    for bad in ("a", 2.0, None, True):
        with pytest.raises(TypeError, match="reshape: expected ints, got"):
            Tensor(X).reshape(bad)


@generated
@given(st.data())
def test_transpose_and_permute_are_views(data):
    a, dim0 = data.draw(with_dims(several=False))
    dim1 = data.draw(st.integers(-a.ndim, a.ndim - 1))
    order = data.draw(st.permutations(range(a.ndim)))
    x = Tensor(a)
    for result, expected in [
        (x.transpose(dim0, dim1), np.swapaxes(a, dim0, dim1)),
        (x.permute(*order), a.transpose(order)),
        (x.permute([d - a.ndim for d in order]), a.transpose(order)),
        (x.T, a.T),
    ]:
        same(result, expected)
        assert np.shares_memory(result.numpy(), a)


@generated
@given(st.data())
def test_flatten_squeeze_unsqueeze_expand(data):
    a = data.draw(arrays(FULL_SHAPES))
    x = Tensor(a)
    start = data.draw(st.integers(0, a.ndim - 1))
    end = data.draw(st.integers(start, a.ndim - 1))
    merged = (*a.shape[:start], math.prod(a.shape[start : end + 1]), *a.shape[end + 1 :])
    same(x.flatten(start, end - a.ndim), a.reshape(merged))
    same(x.flatten(), a.reshape(-1))
    same(x.squeeze(), a.squeeze())
    same(x.squeeze(start), a.squeeze(start) if a.shape[start] == 1 else a)
    dim = data.draw(st.integers(-a.ndim - 1, a.ndim))
    same(x.unsqueeze(dim), np.expand_dims(a, dim))
    wide = x.unsqueeze(0).expand(5, *[-1] * a.ndim)
    same(wide, np.broadcast_to(a, (5, *a.shape)))
    for view in (x.flatten(), x.squeeze(), x.unsqueeze(dim), wide):
        assert np.shares_memory(view.numpy(), a)


def test_shape_edge_cases():
    assert Tensor(1).flatten().shape == (1,)
    assert Tensor(1).expand(2, 2).tolist() == [[1, 1], [1, 1]]
    assert tt.ones(1, 3).expand((2, 3)).stride() == (0, 1)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.transpose(0, 3), IndexError,
         r"^transpose: dim 3 is out of range for a tensor of 2 dimensions \(shape \(2, 3\)\)$"),
        (lambda x: x.transpose(-3, 0), IndexError, "dim -3"),
        (lambda x: x[0].transpose(0, 1), IndexError, r"of 1 dimension \(shape \(3,\)\)"),
        (lambda x: x.transpose("a", 0), TypeError, r"transpose: expected ints, got str \('a'\)"),
        (lambda x: x.permute(0, 0), ValueError, r"dims \(0, 0\) must name each .* \(2, 3\) once"),
        (lambda x: x.permute(0), ValueError, "permute"),
        (lambda x: x.permute(0, 2), IndexError, "permute: dim 2"),
        (lambda x: x.squeeze(2), IndexError, "squeeze: dim 2"),
        (lambda x: x.unsqueeze(3), IndexError, "unsqueeze: dim 3"),
        (lambda x: x.flatten(1, 0), ValueError, "start_dim 1 lies after end_dim 0"),
        (lambda x: x.expand(4, 3), ValueError, r"shape \(2, 3\) does not expand to \(4, 3\)"),
        (lambda x: x.expand(3), ValueError, "does not expand"),
        (lambda x: x.expand(2, -3), ValueError, "does not expand"),
    ],
)  # fmt: skip
def test_shape_errors(call, error, text):
    with pytest.raises(error, match=text):
        call(Tensor(X))


# Indexing


@generated
@given(st.data())
def test_basic_indexing_is_numpys_and_a_view(data):
    a = data.draw(arrays(FULL_SHAPES))
    index = data.draw(hnp.basic_indices(a.shape, allow_newaxis=True))
    expected = np.asarray(a[index])
    result = Tensor(a)[index]
    same(result, expected)
    if expected.size:
        assert np.shares_memory(result.numpy(), a)
        x = Tensor(a.copy())
        x[index] = 7
        a[index] = 7
        same(x, a)


@generated
@given(st.data())
def test_index_tensors_and_masks(data):
    a = data.draw(arrays(FULL_SHAPES))
    rows = data.draw(
        hnp.arrays(np.int64, hnp.array_shapes(max_dims=2), elements=st.integers(0, len(a) - 1))
    )
    mask = data.draw(hnp.arrays(bool, a.shape))
    x = Tensor(a)
    for result in (x[Tensor(rows)], x[rows], x[rows.tolist()], x[Tensor(rows), ...]):
        same(result, a[rows])
        assert not np.shares_memory(result.numpy(), a)
    same(x[Tensor(mask)], a[mask])
    y = x.clone()
    y[Tensor(mask)] = 0
    same(y, np.where(mask, np.float32(0), a))


def test_indexing_by_hand():
    x = Tensor(X.copy())
    same(x[Tensor(1).long()], X[1])
    assert np.shares_memory(x[1, 2].numpy(), x.numpy())
    assert x[[]].shape == (0, 3)
    x[0] = Tensor([7, 8, 9])
    x[1, 1:] = [5, 6]
    x[1, 0] = np.float64(4)
    assert x.tolist() == [[7, 8, 9], [4, 5, 6]]
    assert [row.tolist() for row in x] == x.tolist()
    assert len(x) == 2
    with pytest.raises(TypeError, match=r"shape \(\) has no length"):
        len(Tensor(1))
    with pytest.raises(TypeError, match="has no length"):
        iter(Tensor(1))


@pytest.mark.parametrize("index", [5, (0, 3), (0, 0, 0), "a", 1.5, [5], [True, False, True], {}])
def test_bad_indices(index):
    for call in (lambda x: x[index], lambda x: operator.setitem(x, index, 1)):
        with pytest.raises(IndexError, match=r"^[gs]etitem: .*\(shape \(2, 3\)\)$"):
            call(Tensor(X.copy()))


def test_bad_index_tensors_and_values():
    x = Tensor(X.copy())
    with pytest.raises(IndexError, match="must be of integer"):
        x[Tensor([1.0])]
    with pytest.raises(IndexError, match=r"\(shape \(2, 3\)\)"):
        x[tt.ones(3, dtype=tt.bool_)]
    with pytest.raises(ValueError, match=r"setitem: .*\(2,\).*\(3,\).*\(shape \(2, 3\)\)"):
        x[0] = [1, 2]
    for bad in ("a", None):
        with pytest.raises(TypeError, match="expected numbers"):
            x[0] = bad
    same(x, X)


# Reductions


@pytest.mark.parametrize("keepdim", [False, True])
@generated
@given(case=with_dims())
def test_sum_mean_var_std(keepdim, case):
    a, dim = case
    x = Tensor(a)
    for axis in (dim, None):
        same(x.sum(axis, keepdim), np.asarray(a.sum(axis, keepdims=keepdim)))
        same(x.mean(axis, keepdim), np.asarray(a.mean(axis, keepdims=keepdim)), exact=False)
        wide = a.astype(np.float64)
        var = wide.var(axis, keepdims=keepdim)
        np.testing.assert_allclose(x.var(axis, 0, keepdim).numpy(), var, rtol=1e-3, atol=1e-3)
        std = wide.std(axis, keepdims=keepdim)
        np.testing.assert_allclose(x.std(axis, 0, keepdim).numpy(), std, rtol=1e-2, atol=1e-2)
    assert x.sum(dim, keepdim).dtype == x.var(dim, 0, keepdim).dtype == tt.float32


def test_var_corrects_by_default():
    assert Tensor([1, 2, 3, 4]).var().item() == pytest.approx(5 / 3)
    with np.errstate(invalid="ignore"):
        assert math.isnan(Tensor([1]).var().item())


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("name", ["max", "min"])
@generated
@given(case=with_dims(several=False))
def test_max_and_min(name, keepdim, case):
    a, dim = case
    a = np.round(a / 40)  # so that there are ties: the first wins
    x = Tensor(a)
    values, indices = getattr(x, name)(dim, keepdim)
    same(values, getattr(a, name)(dim, keepdims=keepdim))
    same(indices, getattr(a, f"arg{name}")(dim, keepdims=keepdim))
    assert getattr(x, name)(dim).indices.shape == getattr(x, f"arg{name}")(dim).shape
    same(getattr(x, name)(), np.asarray(getattr(a, name)()))
    same(getattr(x, f"arg{name}")(), np.asarray(getattr(a, f"arg{name}")()))


def test_reduction_dtypes():
    i = tt.arange(4)
    assert i.sum().dtype == i.to(tt.int32).sum().dtype == (i > 1).sum().dtype == tt.int64
    assert i.to("uint8").sum().dtype == tt.int64
    assert (i > 1).sum().item() == 2
    assert tt.ones(3, dtype=tt.float64).mean().dtype == tt.float64
    assert i.argmax().dtype == tt.int64
    assert i.max().dtype == tt.int64
    for x in (i, i > 1):
        with pytest.raises(TypeError, match=rf"mean: expected a float tensor, got {x.dtype}"):
            x.mean()


def test_reductions_of_nothing():
    x = tt.zeros(0, 3)
    assert x.sum().item() == 0
    assert x.sum(dim=0).tolist() == [0, 0, 0]
    assert x.mean(dim=1).shape == (0,)
    assert x.max(dim=1).values.shape == (0,)
    with np.errstate(invalid="ignore"):
        assert math.isnan(x.mean().item())
    for name in ("max", "min", "argmax", "argmin"):
        for arguments in ((), (0,)):
            with pytest.raises(ValueError, match=rf"{name}: shape \(0, 3\) has no elements"):
                getattr(x, name)(*arguments)


def test_any_all_and_nan():
    x = Tensor(X)
    same((x > 2).any(dim=1), np.array([False, True]))
    same((x < 5).all(), np.array(False))
    assert math.isnan(Tensor([1, math.nan, 2]).max().item())


@pytest.mark.parametrize(
    "name", ["sum", "mean", "var", "std", "max", "min", "argmax", "any", "all"]
)
def test_reduction_dim_errors(name):
    reduce = getattr(Tensor(X), name)
    with pytest.raises(IndexError, match=r"dim 2 is out of range for a tensor of 2 dimensions"):
        reduce(dim=2)
    with pytest.raises(TypeError, match="expected ints, got str"):
        reduce(dim="a")
    if name == "sum":
        with pytest.raises(ValueError, match=r"sum: dim \(0, -2\) names a dimension twice"):
            reduce(dim=(0, -2))


# Memory layout


@generated
@given(hnp.array_shapes(min_dims=0, max_dims=5, min_side=1))
def test_contiguous_strides_are_numpys(shape):
    array = np.empty(shape, np.float64)
    assert tt.contiguous_strides(shape) == tuple(s // 8 for s in array.strides)
    assert Tensor(array).stride() == Tensor(array).strides == tt.contiguous_strides(shape)


def test_contiguous_strides_count_zero_as_one():
    assert tt.contiguous_strides((2, 0, 3)) == (3, 3, 1)


@generated
@given(st.data())
def test_contiguity_is_numpys(data):
    a = data.draw(arrays(hnp.array_shapes(min_dims=1, min_side=0, max_side=3)))
    a = a.transpose(data.draw(st.permutations(range(a.ndim))))
    a = a[data.draw(hnp.basic_indices(a.shape))]
    x = Tensor(a)
    assert x.is_contiguous() == x.numpy().flags.c_contiguous
    y = x.contiguous()
    assert y.is_contiguous()
    same(y, np.asarray(a))
    if x.is_contiguous():
        assert y is x
    else:
        assert not np.shares_memory(y.numpy(), x.numpy())
    assert x.clone().is_contiguous()


# Display


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (lambda: Tensor([[1, 2], [3, 4]]), "Tensor([[1.0000, 2.0000],\n        [3.0000, 4.0000]])"),
        (lambda: Tensor(3.14159), "Tensor(3.1416)"),
        (lambda: Tensor([1e-5, 1e5]), "Tensor([1.0000e-05, 1.0000e+05])"),
        (lambda: Tensor([math.nan, math.inf]), "Tensor([nan, inf])"),
        (lambda: tt.arange(3), "Tensor([0, 1, 2], dtype=int64)"),
        (lambda: tt.arange(2) > 0, "Tensor([False,  True], dtype=bool)"),
        (lambda: tt.ones(1, dtype=tt.float64), "Tensor([1.0000], dtype=float64)"),
        (lambda: tt.zeros(0, 3), "Tensor([], shape=(0, 3))"),
        (lambda: tt.arange(300),
         "Tensor([  0,   1,   2, ..., 297, 298, 299], shape=(300,), dtype=int64)"),
    ],
)  # fmt: skip
def test_repr(x, text):
    assert repr(x()) == str(x()) == text


def test_repr_of_much_is_short():
    assert len(repr(tt.zeros(50, 50, 50))) < 2500
    assert repr(tt.zeros(200)).count("0.0000") == 200


def test_format():
    assert f"{Tensor([2.0]):.3f}" == "2.000"
    assert f"{tt.arange(6).sum():5d}" == "   15"
    assert f"{Tensor(2)}" == "Tensor(2.0000)"
    with pytest.raises(ValueError, match="exactly one element"):
        f"{Tensor(X):.2f}"


# Elementwise choice


@generated
@given(pairs())
def test_maximum_minimum_where(pair):
    a, b = pair
    x, y = Tensor(a), Tensor(b)
    same(tt.maximum(x, y), np.asarray(np.maximum(a, b)))
    same(tt.minimum(x, y), np.asarray(np.minimum(a, b)))
    same(tt.where(x > y, x, y), np.asarray(np.where(a > b, a, b)))
    same(tt.where(x > 0, x, 0.0), np.where(a > 0, a, np.float32(0)))
    same(tt.where(x > 0, 1, x), np.where(a > 0, np.float32(1), a))
    same(x.clamp(-1, 2), np.asarray(a.clip(-1, 2)))
    same(x.clamp(max=2), np.asarray(a.clip(max=2)))


def test_choice_dtypes_and_errors():
    i = tt.arange(3)
    assert i.clamp(1, 2).dtype == tt.int64
    assert tt.where(i > 1, 1.0, 0.0).dtype == tt.float32
    assert tt.where(i > 1, i, 0).dtype == tt.int64
    with pytest.raises(TypeError, match="where: expected a bool condition, got int64"):
        tt.where(i, i, i)
    with pytest.raises(ValueError, match="where: shapes"):
        tt.where(tt.ones(2, dtype=tt.bool_), i, i)
    with pytest.raises(TypeError, match=r"maximum: expected .* got str"):
        tt.maximum(i, "a")


# Creation


@generated
@given(SHAPES, st.sampled_from(["float16", "float32", "float64", "int32", "int64", "bool"]))
def test_filled(shape, dtype):
    same(tt.zeros(shape, dtype=dtype), np.zeros(shape, dtype))
    same(tt.ones(*shape, dtype=dtype), np.ones(shape, dtype))
    same(tt.full(shape, 1, dtype=dtype), np.ones(shape, dtype))
    same(tt.zeros_like(tt.ones(shape, dtype=dtype)), np.zeros(shape, dtype))
    same(tt.ones_like(tt.zeros(shape, dtype=dtype)), np.ones(shape, dtype))


def test_default_dtype_is_float32():
    made = [tt.zeros(2), tt.ones(2), tt.full((2,), 7), tt.eye(2), tt.rand(2), tt.randn(2)]
    assert {x.dtype for x in made} == {tt.float32}
    assert tt.full(3, 7).tolist() == [7, 7, 7]


def test_arange_and_eye():
    same(tt.arange(4), np.arange(4))
    same(tt.arange(1, 9, 3), np.arange(1, 9, 3))
    same(tt.arange(5, 0, -2), np.arange(5, 0, -2))
    same(tt.arange(3, 1), np.arange(0))
    same(tt.arange(0, 1, 0.25), np.arange(0, 1, 0.25, dtype=np.float32))
    same(tt.arange(3, dtype=tt.float64), np.arange(3.0))
    same(tt.eye(2, 3), np.eye(2, 3, dtype=np.float32))
    same(tt.eye(2, dtype=tt.int64), np.eye(2, dtype=np.int64))


def test_random_numbers():
    draws = [lambda: tt.rand(3, 4), lambda: tt.randn((3, 4)), lambda: tt.randint(2, 5, (3, 4))]
    for draw in draws:
        tt.manual_seed(3)
        first, second = draw(), draw()
        tt.manual_seed(3)
        same(draw(), first.numpy())
        assert not (first == second).all()
        assert first.shape == (3, 4)
    tt.manual_seed(0)
    uniform, normal, ints = tt.rand(10_000), tt.randn(10_000), tt.randint(2, 5, 10_000)
    assert uniform.min().item() >= 0
    assert uniform.max().item() < 1
    assert abs(uniform.mean().item() - 0.5) < 0.02
    assert abs(normal.mean().item()) < 0.05
    assert abs(normal.std().item() - 1) < 0.05
    assert set(ints.tolist()) == {2, 3, 4}
    assert ints.dtype == tt.int64
    assert tt.randn(2, dtype=tt.float64).dtype == tt.float64
    assert tt.rand(2, dtype=tt.float16).dtype == tt.float16


HUGE = (10**9, 10**9)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: tt.zeros(HUGE), "zeros"), (lambda: tt.ones(HUGE), "ones"),
        (lambda: tt.full(HUGE, 2), "full"), (lambda: tt.rand(HUGE), "rand"),
        (lambda: tt.randn(*HUGE), "randn"), (lambda: tt.eye(10**9), "eye"),
    ],
)  # fmt: skip
def test_huge_shapes(call, name):
    text = (
        rf"^{name}: cannot make shape \(1000000000, 1000000000\) of 4,000,000,000,000,000,000 bytes"
    )
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tt.arange(10**18), ValueError, r"arange: .*\(10+,\) of 8,000,000,000,000,000,000"),
        (lambda: tt.zeros(2**62, 8), ValueError, "zeros: cannot make shape"),
        (lambda: tt.zeros(2**70), ValueError, "zeros: cannot make shape"),
        (lambda: tt.zeros(*[1] * 65), ValueError, "zeros: cannot make shape"),
        (lambda: tt.zeros(-1, 2), ValueError, r"zeros: sizes must not be negative, got \(-1, 2\)"),
        (lambda: tt.ones(2.5), TypeError, r"ones: expected ints, got float \(2.5\)"),
        (lambda: tt.rand("a"), TypeError, r"rand: expected ints, got str \('a'\)"),
        (lambda: tt.zeros(True), TypeError, r"zeros: expected ints, got bool"),
        (lambda: tt.full((2,), "a"), TypeError, r"got str \('a'\)"),
        (lambda: tt.full((2,), [1, 2]), ValueError, "item: expected exactly one element"),
        (lambda: tt.arange(0, 1, 0), ValueError, "arange: step must not be 0"),
        (lambda: tt.arange("a"), TypeError, r"arange: expected numbers, got str \('a'\)"),
        (lambda: tt.arange(math.nan), ValueError, "arange: expected finite numbers, got nan"),
        (lambda: tt.arange(math.inf), ValueError, "arange: expected finite numbers, got inf"),
        (lambda: tt.randint(3, 3, 2), ValueError, r"randint: no ints lie in \[3, 3\)"),
        (lambda: tt.manual_seed("a"), TypeError, "str"),
        (lambda: tt.from_numpy([1]), TypeError, r"from_numpy: expected a NumPy array, got list"),
    ],
)
def test_creation_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


# Joining


@generated
@given(st.data())
def test_cat_and_stack(data):
    a, dim = data.draw(with_dims(several=False))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    parts = [np.repeat(a.take([0], dim), size, axis=dim) for size in sizes]
    joined = tt.cat([Tensor(part) for part in parts], dim)
    same(joined, np.concatenate(parts, dim))
    x = Tensor(a)
    at = data.draw(st.integers(-a.ndim - 1, a.ndim))
    stacked = tt.stack((x, x + 1), at)
    same(stacked, np.stack([a, a + 1], at))
    assert not np.shares_memory(stacked.numpy(), a)


def test_joining_one_tensor_copies():
    x = Tensor(X)
    assert not np.shares_memory(tt.cat([x]).numpy(), X)
    assert not np.shares_memory(tt.stack([x]).numpy(), X)
    assert tt.cat([tt.arange(2), tt.ones(1)]).dtype == tt.float32
    assert tt.stack([Tensor(1), Tensor(2)]).tolist() == [1, 2]


@pytest.mark.parametrize("name", ["cat", "stack"])
def test_joining_errors(name):
    join, x = getattr(tt, name), Tensor(X)
    with pytest.raises(
        ValueError, match=f"{name}: expected at least one tensor, got an empty list"
    ):
        join([])
    with pytest.raises(
        ValueError, match=rf"{name}: tensor 2 has shape \(2, 4\), tensor 0 has \(2, 3\)"
    ):
        join([x, x, tt.ones(2, 4)])
    with pytest.raises(ValueError, match=rf"{name}: tensor 1 has shape \(3,\)"):
        join([x, x[0]])
    with pytest.raises(IndexError, match=f"{name}: dim 3 is out of range"):
        join([x, x], 3)
    for bad, text in [
        (x, "got Tensor"),
        (None, "got NoneType"),
        ([x, 1], r"item 1 is not a Tensor"),
    ]:
        with pytest.raises(TypeError, match=f"^{name}: .*{text}"):
            join(bad)


def test_cat_of_numbers_has_no_dimension():
    with pytest.raises(
        IndexError, match=r"cat: dim 0 is out of range for a tensor of 0 dimensions"
    ):
        tt.cat([Tensor(1), Tensor(2)])


def test_docstring_examples():
    result = doctest.testmod(tinytorch.tensor, extraglobs={"zeros": tt.zeros, "ones": tt.ones})
    assert result.attempted > 10
    assert result.failed == 0
