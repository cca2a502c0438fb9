"""Reductions keep their digits along every dimension and in float16, and take what PyTorch takes.

The numbers compared with are PyTorch's.
"""

import math

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import tinytorch as tt
from tinytorch import Tensor

NAN = math.nan


def layouts(n, m):
    """0.1 many times, with the same sums over dim 0, in different places of memory."""
    a = np.full((n, m), 0.1, np.float32)
    return {
        "rows": a,
        "columns": np.asfortranarray(a),
        "every other": np.full((2 * n, 2 * m), 0.1, np.float32)[::2, ::2],
        "backwards": a[::-1, ::-1],
        "expanded": np.broadcast_to(a[:1], (n, m)),
    }


@pytest.mark.parametrize("layout", layouts(1, 1))
@pytest.mark.parametrize("n", [1000, 65_536, 300_001])
def test_a_long_sum_along_any_dimension_keeps_its_digits(layout, n):
    x = Tensor(layouts(n, 3)[layout])
    total = n * float(np.float32(0.1))
    for sums in (x.sum(0), x.T.sum(1), x.T.sum(-1), x.reshape(n, 1, 3).sum((0, 1))):
        np.testing.assert_allclose(sums.data, total, rtol=4e-6)
        assert sums.shape == (3,) and sums.dtype == tt.float32
    for sums in (x.sum(), x.T.sum(), x.sum((0, 1))):
        np.testing.assert_allclose(sums.data, 3 * total, rtol=4e-6)
    np.testing.assert_allclose(x.mean(0).data, 0.1, rtol=4e-6)


def test_the_sum_over_a_batch_of_pictures_keeps_its_digits():
    x = tt.full((4096, 3, 8, 8), 0.1)
    np.testing.assert_allclose(x.sum((0, 2, 3)).data, 4096 * 64 * float(x.data.flat[0]), rtol=4e-6)


def test_ones_are_counted_beyond_what_float32_can_count_one_by_one():
    x = tt.ones(1, 2).expand(2**25, 2)
    assert x.sum(0).tolist() == [2**25, 2**25]
    assert x.mean(0).tolist() == [1, 1]


@pytest.mark.parametrize("shape", [(2,), (1, 2), ()])
def test_the_gradient_of_what_was_stretched_far_keeps_its_digits(shape):
    bias = Tensor(np.zeros(shape, np.float32), requires_grad=True)
    (tt.zeros(300_001, 2) + bias).backward(tt.full((300_001, 2), 0.1))
    uses = 600_002 if shape == () else 300_001
    np.testing.assert_allclose(bias.grad.data, uses * float(np.float32(0.1)), rtol=4e-6)


@given(
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=20).flatmap(
        lambda shape: st.tuples(
            st.just(shape),
            st.permutations(range(len(shape))),
            st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1),
        )
    ),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_sums_are_numpys_in_float64(case, keepdim, seed):
    shape, order, dims = case
    array = np.random.default_rng(seed).random(shape, np.float32).transpose(order)
    expected = array.sum(axis=tuple(dims), keepdims=keepdim, dtype=np.float64)
    result = Tensor(array).sum(tuple(dims), keepdim)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.data, expected, rtol=1e-5)


def test_float16_is_added_up_in_float32():
    x = tt.full((10,), 60_000.0, dtype=tt.float16)
    assert x.mean().item() == 60_000 and x.mean().dtype == tt.float16
    assert x.std().item() == 0 and x.sum().item() == math.inf
    assert tt.ones(4096, dtype=tt.float16).sum().item() == 4096
    assert tt.ones(4096, 2, dtype=tt.float16).sum(0).tolist() == [4096, 4096]
    y = Tensor([300.0, -300.0], dtype=tt.float16)
    assert y.var().item() == math.inf
    assert y.std().item() == 424.25 and y.std().dtype == tt.float16


@pytest.mark.parametrize("value", [0.1, 1e6 + 1 / 16, 3.3e-5])
def test_equal_numbers_do_not_vary(value):
    x = tt.full((1000, 3), value)
    assert x.var().item() == 0 and x.std().item() == 0
    assert x.std(0).tolist() == [0, 0, 0] and x.std(1, keepdim=True).shape == (1000, 1)


def test_variance_of_numbers_far_from_zero():
    x = Tensor([10_000.0, 10_001.0, 10_002.0])
    assert x.var().item() == 1 and x.std(0).item() == 1
    assert math.isnan(Tensor([math.inf, 1.0]).var().item())
    assert math.isnan(Tensor(3.0).var(0).item())
    assert math.isnan(tt.zeros(0).var().item())
    assert tt.zeros(0, 3).var(1).shape == (0,)


def test_no_dims_are_all_dims():
    x = tt.ones(2, 3)
    assert x.sum(()).item() == 6 and x.mean(dim=()).item() == 1 and x.var(()).item() == 0
    assert x.sum((), keepdim=True).shape == (1, 1)
    assert (x > 0).all(()).shape == (2, 3)  # but for any and all, none


def test_nan_is_the_largest_and_the_smallest():
    x = Tensor([[1.0, NAN, 2.0], [3.0, 5.0, 4.0]])
    for result, place in ((x.max(), x.argmax()), (x.min(), x.argmin())):
        assert math.isnan(result.item()) and place.item() == 1
    values, indices = x.max(1)
    assert math.isnan(values[0].item()) and values[1].item() == 5 and indices.tolist() == [1, 1]
    values, indices = x.min(1)
    assert math.isnan(values[0].item()) and values[1].item() == 3 and indices.tolist() == [1, 0]
    one = tt.ones(2, 3)
    for pick in (tt.maximum, tt.minimum):
        for result in (pick(x, one), pick(one, x), pick(x, 1.0), pick(one, NAN)):
            assert math.isnan(result[0, 1].item())


def test_a_single_number_has_dims_0_and_minus_1():
    x = Tensor(3.0)
    for dim in (0, -1):
        assert x.sum(dim).item() == x.mean(dim).item() == 3
        assert x.sum(dim, keepdim=True).shape == ()
        values, indices = x.max(dim)
        assert (values.item(), indices.item()) == (3, 0) and values.shape == ()
        assert x.argmin(dim).item() == 0 and x.any(dim).item()
        assert x.squeeze(dim).shape == ()
        with pytest.raises(IndexError, match="size"):
            x.size(dim)
    with pytest.raises(IndexError, match="sum: dim 1"):
        x.sum(1)


def test_cat_passes_over_what_has_no_elements_and_no_shape():
    x = tt.ones(2, 3)
    assert tt.cat([tt.zeros(0), x, x], dim=1).shape == (2, 6)
    assert tt.cat([tt.zeros(0), tt.arange(3)]).dtype == tt.float32
    assert tt.cat([tt.zeros(0)]).shape == (0,) == tt.cat([tt.zeros(0), tt.zeros(0)]).shape
    with pytest.raises(ValueError, match="cat"):
        tt.cat([tt.zeros(0, 2), x])
