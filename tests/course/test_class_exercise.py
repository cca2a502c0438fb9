"""An exercise that is a whole class: the student's members, on the class that everybody holds."""

import pytest

import tinytorch
from tinytorch import Tensor, autograd, layers
from tinytorch.course import overlay
from tinytorch.course.symbols import Symbol, compile_cell

MUL = "autograd.Mul"
TWICE = f'''
@build("{MUL}")
class Mul(Function):
    def forward(self, a, b):
        self.save(a, b)
        return self.op(a, b)

    def backward(self, grad):
        a, b = self.saved
        return 2 * grad * b, 2 * grad * a
'''
DROPOUT = """
@build("layers.Dropout")
class Dropout(Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * 7

    @property
    def seven(self):
        return 7
"""


def put(id: str, cell: str):
    return overlay.only({id: compile_cell(Symbol(id), cell)[0]})


def test_operations_made_before_see_the_students_class():
    x, held = Tensor([3.0], requires_grad=True), autograd.Mul
    with put(MUL, TWICE):
        assert autograd.Mul is held
        (x * 2.0).backward()
    assert x.grad.tolist() == [4]
    x.grad = None
    (x * 2.0).backward()
    assert x.grad.tolist() == [2]


def test_old_instances_subclasses_isinstance_super_and_properties_hold():
    class Mine(layers.Dropout):
        pass

    old, held = layers.Dropout(0.5), layers.Dropout
    with put("layers.Dropout", DROPOUT):
        new = tinytorch.Dropout(0.25)
        assert isinstance(new, held) and isinstance(old, tinytorch.Dropout)
        assert new.p == 0.25 and isinstance(Mine(), layers.Module)
        for layer in (old, new, Mine()):
            assert layer(Tensor([1.0])).tolist() == [7] and layer.seven == 7
    assert not hasattr(old, "seven")
    assert old.eval()(Tensor([1.0])).tolist() == [1]


def test_a_member_that_is_left_out_is_missed():
    cell = '@build("layers.Dropout")\nclass Dropout(Module):\n    pass\n'
    with put("layers.Dropout", cell), pytest.raises(NotImplementedError):
        tinytorch.Dropout()(Tensor([1.0]))
