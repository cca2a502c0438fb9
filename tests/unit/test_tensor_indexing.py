"""An int beside an index array follows PyTorch: it is taken first, and the dims stay in place."""

import numpy as np
import pytest

import tinytorch as tt
from tinytorch import Tensor

X = np.arange(2 * 3 * 4 * 5, dtype=np.int64).reshape(2, 3, 4, 5)
NAMES = {
    "m": Tensor(np.array([True, False, True, False])),
    "m2": Tensor(np.zeros((3, 4), bool)),
    "i0": Tensor(np.array(1)),
}
NAMES["m2"][0, 1] = NAMES["m2"][2, 3] = True

# index, shape, and the sum of all elements times their position: PyTorch's
CASES = [
    ("x[0, :, [0, 1]]", [3, 2, 5], 14905),
    ("x[:, 0, [0, 1]]", [2, 2, 5], 9720),
    ("x[[0, 1], :, 0]", [2, 3, 5], 31430),
    ("x[0, None, [0, 1]]", [1, 2, 4, 5], 20540),
    ("x[[0, 1], 0, :, [1, 2]]", [2, 4], 1630),
    ("x[..., [0, 1], 0]", [2, 3, 2], 4880),
    ("x[0, ..., [0, 1]]", [3, 4, 2], 10594),
    ("x[:, [0, 1], 0, [1, 2]]", [2, 2], 390),
    ("x[0, :, m]", [3, 2, 5], 16180),
    ("x[-1, m2]", [2, 5], 4785),
    ("x[i0, :, [0, 1]]", [3, 2, 5], 41005),
    ("x[[0, 1], None, :, 1]", [2, 1, 3, 5], 33605),
    ("x[[1], :, :, [0, 1]]", [2, 3, 4], 25790),
    ("x[0, :, [[0, 1], [1, 0]], 2]", [3, 2, 2], 2257),
    ("x[1, [0, 1], :, [2, 3]]", [2, 4], 2458),
]


def weighted(x):
    return int((x.data.reshape(-1) * np.arange(x.numel())).sum())


@pytest.mark.parametrize(("index", "shape", "total"), CASES)
def test_reading(index, shape, total):
    y = eval(index, {**NAMES, "x": Tensor(X)})
    assert list(y.shape) == shape and weighted(y) == total


@pytest.mark.parametrize("index", [case[0] for case in CASES])
def test_writing_puts_what_reading_gives(index):
    x = tt.zeros(2, 3, 4, 5, dtype=tt.int64)
    y = eval(index, {**NAMES, "x": Tensor(X)}) + 1
    exec(f"{index} = y", {**NAMES, "x": x, "y": y})
    read = eval(index, {**NAMES, "x": x})
    np.testing.assert_array_equal(read.data, y.data)
    assert (x.data != 0).sum() == np.unique(y.data).size
    np.testing.assert_array_equal(x.data[x.data != 0], (X + 1)[x.data != 0])


@pytest.mark.parametrize("index", [case[0] for case in CASES])
def test_gradients_go_where_the_elements_came_from(index):
    x = Tensor(X.astype(np.float64), requires_grad=True)
    y = eval(index, {**NAMES, "x": x})
    y.backward(np.arange(1.0, y.numel() + 1).reshape(y.shape))
    expected = np.zeros(X.shape)
    np.add.at(expected.reshape(-1), y.data.astype(int).reshape(-1), np.arange(1.0, y.numel() + 1))
    np.testing.assert_array_equal(x.grad.data, expected)


def test_one_value_is_written_to_all_places():
    x = tt.zeros(2, 3, 4)
    x[0, :, [0, 2]] = 1
    assert x.sum().item() == 6 and x[0, :, 2].tolist() == [1, 1, 1]
    x[1, :, [0, 1]] = Tensor([2, 3])  # along the dim of the list, which is the last
    assert x[1].sum(0).tolist() == [6, 9, 0, 0]


def test_errors_name_the_shape():
    x = tt.zeros(2, 3, 4)
    for index in ((2, slice(None), [0, 1]), (0, slice(None), [0, 4]), (0.5, [0, 1])):
        with pytest.raises(IndexError, match=r"getitem: .*\(2, 3, 4\)"):
            x[index]
    with pytest.raises(IndexError, match=r"setitem: .*\(2, 3, 4\)"):
        x[2, :, [0, 1]] = 1
