"""What may be assigned to `.data`: afterwards it is an array, whatever was assigned."""

import copy
import pickle

import numpy as np
import pytest

from tinytorch import Linear, Parameter, Tensor


def test_an_assigned_tensor_leaves_its_array():
    p, x = Parameter([1.0, 2.0]), Tensor([3.0, 4.0])
    p.data = x
    assert type(p.data) is np.ndarray and np.shares_memory(p.data, x.data)


def test_updates_in_place_leave_an_array():
    p = Parameter([1.0, 2.0])
    p.data -= Tensor([0.5, 0.5])
    assert type(p.data) is np.ndarray and p.data.tolist() == [0.5, 1.5]
    p.data = p.data - 0.5 * Tensor([1.0, 1.0])
    assert type(p.data) is np.ndarray and p.data.tolist() == [0.0, 1.0]


def test_a_number_of_numpy_becomes_an_array_without_dimensions():
    p = Parameter(2.0)
    p.data = p.data * np.float32(2)  # NumPy makes a scalar of it
    assert type(p.data) is np.ndarray and p.shape == () and p.item() == 4


def test_a_state_dict_loads_after_an_assigned_tensor():
    layer, other = Linear(2, 2), Linear(2, 2)
    layer.weight.data = layer.weight * 0
    layer.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(layer.weight.data, other.weight.data)


@pytest.mark.parametrize("value", [1.0, [1.0, 2.0], None, "a"])
def test_other_things_are_refused(value):
    x = Tensor([1.0])
    with pytest.raises(TypeError, match=rf"data: .*Tensor or an array, got {type(value).__name__}"):
        x.data = value
    assert x.tolist() == [1]


def test_copies_and_pickles_keep_their_numbers():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for y in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert y.tolist() == [1, 2] and y.requires_grad
