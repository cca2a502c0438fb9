"""Every operation of the catalog: values against NumPy, gradients against differences, dtypes,
empty and 0-d tensors, broadcasting, any memory layout; and that the catalog is complete."""

import inspect
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ops_catalog import OPS, Op

import tinytorch as tt
from tinytorch import Tensor, gradcheck, no_grad

each = pytest.mark.parametrize("op", OPS, ids=lambda op: op.id)
generated = settings(max_examples=25)
TOLERANCE = {"float64": (1e-10, 1e-12), "float32": (3e-5, 1e-5), "float16": (0.02, 0.02)}


pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # means of nothing are nan


def tried(op: Op, data) -> tuple[list[np.ndarray], dict]:
    return data.draw(st.one_of(*map(st.just, op.edges), op.inputs))


def leaves(arrays, dtype="float64") -> list[Tensor]:
    return [Tensor(x.astype(dtype), requires_grad=True) for x in arrays]


def weights(shape) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.5, 1.5, shape)


def gradients(op: Op, inputs: list[Tensor], options: dict) -> list[np.ndarray | None]:
    out = op.call(*inputs, **options)
    out.backward(weights(out.shape))
    return [x.grad if x.grad is None else x.grad.data for x in inputs]


@each
@generated
@given(data=st.data())
def test_values_and_dtypes(op, data):
    arrays, options = tried(op, data)
    expected = np.asarray(op.exact(*arrays, **options))
    for dtype, (rtol, atol) in TOLERANCE.items():
        if dtype == "float16" and any(np.abs(x).max(initial=0) > 20 for x in arrays):
            continue
        out = op.call(*leaves(arrays, dtype), **options)
        assert (out.dtype, out.shape) == (np.dtype(dtype), expected.shape)
        np.testing.assert_allclose(out.data, expected, rtol=rtol, atol=atol)
        with no_grad():
            alone = op.call(*leaves(arrays, dtype), **options)
        np.testing.assert_array_equal(alone.data, out.data)


@each
@generated
@given(data=st.data())
def test_gradients_are_differences(op, data):
    arrays, options = tried(op, data)
    assert gradcheck(lambda *xs: op.call(*xs, **options), leaves(arrays))


@each
def test_gradients_at_the_edges(op):
    for arrays, options in op.edges:
        assert gradcheck(lambda *xs, o=options: op.call(*xs, **o), leaves(arrays))


@each
@generated
@given(data=st.data())
def test_gradients_have_their_inputs_dtype(op, data):
    arrays, options = data.draw(op.inputs)
    exact = gradients(op, leaves(arrays), options)
    for dtype in ("float32", "float16"):
        rtol, atol = 30 * np.array(TOLERANCE[dtype])
        for g, e in zip(gradients(op, leaves(arrays, dtype), options), exact, strict=True):
            assert g.dtype == dtype
            if dtype == "float32":
                np.testing.assert_allclose(g, e, rtol=rtol, atol=atol)


@each
@generated
@given(data=st.data())
def test_each_gradient_can_be_wanted_alone(op, data):
    arrays, options = data.draw(op.inputs)
    together = gradients(op, leaves(arrays), options)
    for i in range(len(arrays)):
        inputs = leaves(arrays)
        for j, x in enumerate(inputs):
            x.requires_grad = i == j
        alone = gradients(op, inputs, options)
        np.testing.assert_array_equal(alone[i], together[i])
        assert all(g is None for j, g in enumerate(alone) if j != i)


@each
@generated
@given(data=st.data())
def test_any_memory_layout_will_do_and_nothing_is_written_to(op, data):
    arrays, options = data.draw(op.inputs)
    expected = gradients(op, leaves(arrays), options)
    inputs = []
    for x in arrays:  # reversed, with gaps, and not to be written to
        wide = np.zeros((*x.shape[::-1], 2))
        wide[..., 0] = x.T
        view = wide[..., 0].T
        view.flags.writeable = False
        inputs.append(Tensor(view, requires_grad=True))
    for g, e in zip(gradients(op, inputs, options), expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-10, atol=1e-12)
        assert g.flags.c_contiguous and g.flags.writeable


def test_the_catalog_is_complete():
    """An operation that is missing here has no entry in ops_catalog.py yet."""
    found = set()
    for name, module in list(sys.modules.items()):
        if not name.startswith("tinytorch."):
            continue
        for key, value in list(vars(module).items()):
            owned = getattr(value, "__module__", None) == name
            if owned and hasattr(value, "rule"):
                found.add(f"{name.removeprefix('tinytorch.')}.{key}")
            if owned and inspect.isclass(value):
                for part, member in list(vars(value).items()):
                    if hasattr(getattr(member, "fget", member), "rule"):
                        found.add(f"{name.removeprefix('tinytorch.')}.{key}.{part}")
    assert found == {op.id for op in OPS} and len(OPS) == len(found)


def test_a_wrong_rule_does_not_pass():
    class Global(tt.Function):
        def forward(self, x):
            self.save(x)
            return self.op(x)

        def backward(self, grad):
            (x,) = self.saved
            powers = np.exp(x - x.max())
            shares = powers / powers.sum(1, keepdims=True)
            return grad - shares * grad.sum(1, keepdims=True)

    wrong = tt.differentiable(Global, lambda x: tt.log_softmax(x, 1))
    (softmax,) = [op for op in OPS if op.id == "activations.log_softmax"]
    assert gradcheck(wrong, leaves([np.array([[0.0, 1.0], [2.0, 0.5]])]))
    for arrays, _ in softmax.edges:
        with pytest.raises(AssertionError, match="is nan, differences give"):
            gradcheck(wrong, leaves(arrays))
