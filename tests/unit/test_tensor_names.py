"""Names and dtypes people know from PyTorch, with its values, and what is refused says why."""

import math
import warnings

import numpy as np
import pytest

import tinytorch as tt
from tinytorch import Tensor


def ints(*values, dtype=tt.int64):
    return Tensor(list(values), dtype=dtype)


@pytest.mark.parametrize(
    ("text", "values", "dtype"),
    [
        ("7 // ints(2, -2)", [3, -4], tt.int64),
        ("Tensor([7, -7]) // 2", [3, -4], tt.float32),
        ("Tensor([7, -7]) // 0", [math.inf, -math.inf], tt.float32),
        ("ints(7, -7) % 3", [1, 2], tt.int64),
        ("Tensor([7, -7]) % -3", [-2, -1], tt.float32),
        ("7 % ints(4, 5)", [3, 2], tt.int64),
        ("ints(1, 6) & 3", [1, 2], tt.int64),
        ("ints(1, 2) | ints(2, 2)", [3, 2], tt.int64),
        ("3 ^ ints(1, 2)", [2, 1], tt.int64),
        ("~ints(1, 2)", [-2, -3], tt.int64),
        ("~(Tensor([1, 2]) > 1)", [True, False], tt.bool_),
        ("(Tensor([1, 2]) > 1) & True", [False, True], tt.bool_),
        ("Tensor([1, 2]).pow(2)", [1, 4], tt.float32),
        ("tt.ones_like(Tensor([1, 2]), dtype=tt.int64)", [1, 1], tt.int64),
        ("tt.zeros_like(Tensor([1, 2]), dtype=tt.uint8)", [0, 0], tt.uint8),
        ("tt.tensor([1, 2])", [1, 2], tt.int64),
        ("tt.tensor([1, 2.5])", [1, 2.5], tt.float32),
        ("tt.tensor([True])", [True], tt.bool_),
        ("tt.tensor([])", [], tt.float32),
        ("tt.tensor([1, 2], dtype=tt.float64)", [1, 2], tt.float64),
        ("tt.where(ints(1, 0) > 0, 1, 0)", [1, 0], tt.int64),
        ("tt.where(ints(1, 0) > 0, 1.0, 0)", [1, 0], tt.float32),
        ("tt.arange(0, -4, -2)", [0, -2], tt.int64),
        ("tt.arange(0, -4, 2)", [], tt.int64),
    ],
)
def test_values_and_dtypes(text, values, dtype):
    result = eval(text, {"tt": tt, "Tensor": Tensor, "ints": ints})
    assert result.tolist() == values and result.dtype == dtype


def test_tensor_copies_and_is_still_the_module():
    array = np.zeros(2)
    assert tt.tensor(array).dtype == tt.float64
    assert not np.shares_memory(tt.tensor(array).data, array)
    assert tt.tensor.Tensor is Tensor
    with pytest.raises(ValueError, match="ragged"):
        tt.tensor([[1], [1, 2]])


def test_matrices_of_a_batch_are_transposed():
    x = tt.rand(4, 2, 3)
    assert x.mT.shape == (4, 3, 2) and np.shares_memory(x.mT.data, x.data)
    with pytest.raises(ValueError, match=r"mT: .*\(3,\)"):
        _ = tt.ones(3).mT


def test_an_int_of_one_element_is_an_index():
    assert list(range(5))[ints(2)] == 2 and [1, 2][Tensor(True) > 0] == 2
    for x in (Tensor(2.0), ints(1, 2)):
        with pytest.raises(TypeError, match="index: expected one int"):
            [1, 2, 3][x]


def test_remainders_have_gradients():
    a, b = Tensor([7.0, -7.0], requires_grad=True), Tensor([2.0, 3.0], requires_grad=True)
    (a % b).sum().backward()
    assert a.grad.tolist() == [1, 1] and b.grad.tolist() == [-3, 3]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (tt.ones(2), Tensor(2, dtype=tt.float64), tt.float32),
        (Tensor(2, dtype=tt.float64), tt.ones(2), tt.float32),
        (tt.ones(2, dtype=tt.float16), Tensor(2), tt.float16),
        (ints(1), Tensor(2), tt.float32),
        (Tensor(2, dtype=tt.int64), Tensor(2, dtype=tt.float16), tt.float16),
        (ints(1, dtype=tt.int32), Tensor(1, dtype=tt.int64), tt.int32),
        (Tensor([1]) > 0, Tensor(1, dtype=tt.int64), tt.int64),
        (tt.ones(1, dtype=tt.uint8), tt.ones(1, dtype=tt.int8), np.dtype("int16")),
    ],
)
def test_a_single_number_does_not_widen_a_tensor_of_its_kind(a, b, expected):
    assert (a + b).dtype == expected and (b * a).dtype == expected


@pytest.mark.parametrize("dtype", [tt.int8, tt.uint8])
def test_products_of_bytes_are_added_up_in_int32(dtype):
    a = tt.full((2, 1000), 100, dtype=dtype)
    assert (a @ a.T).tolist() == [[10_000_000] * 2] * 2 and (a @ a.T).dtype == tt.int32
    assert (a.to(tt.int64) @ a.to(tt.int64).T).dtype == tt.int64
    assert a.sum().item() == 200_000 and a.sum().dtype == tt.int64
    with pytest.raises(OverflowError):  # a number that does not fit is refused
        _ = a + 300


def test_clamp_takes_tensors_that_broadcast():
    x = tt.arange(6).float().reshape(2, 3)
    assert x.clamp(Tensor([1, 2, 3]), Tensor([[4], [3]])).tolist() == [[1, 2, 3], [3, 3, 3]]
    assert tt.ones(3).clamp(tt.zeros(2, 3)).shape == (2, 3)
    assert tt.arange(3).clamp(0.5).tolist() == [0.5, 1, 2]


def test_an_expansion_in_which_nothing_repeats_can_be_written_to():
    x = tt.zeros(2, 1)
    y = x.expand(1, 2, -1)
    y[0, 1, 0] = 5
    assert x.tolist() == [[0], [5]] and y.shape == (1, 2, 1)
    with pytest.raises(ValueError, match="setitem"):
        x.expand(2, 3)[0, 0] = 1


def test_inf_and_nan_are_values_and_no_warnings():
    x = Tensor([0.0, 1000.0, -1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.exp().tolist()[1] == math.inf and x.log().tolist()[0] == -math.inf
        assert math.isnan(x.sqrt().tolist()[2]) and (x / 0).tolist()[1] == math.inf
        assert (x**-1).tolist()[0] == math.inf and (1 / x).tolist()[0] == math.inf


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("tt.maximum(2, x)", TypeError, "maximum: expected a Tensor as the first operand, got int"),
        ("x.max((0, 1))", TypeError, r"max: expected one dim, got \(0, 1\)"),
        ("x.argmin([0, 1])", TypeError, r"argmin: expected one dim, got \[0, 1\]"),
        ("x.to('cpu')", TypeError, "to: expected a dtype, got 'cpu'; there are no other devices"),
        ("x.to('cuda:0')", TypeError, "no other devices"),
        ("x & 1", TypeError, "and: expected bools or ints, got float32"),
        ("~x", TypeError, "invert: expected bools or ints, got float32"),
        ("tt.arange(3) // 0", ZeroDivisionError, "floor_divide: ints have no quotient by 0"),
    ],
)
def test_what_is_refused_says_why(text, error, message):
    with pytest.raises(error, match=message):
        eval(text, {"tt": tt, "x": tt.ones(2, 2)})
