"""Module 05: the exercises that build `tinytorch/autograd.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

_GRAPH = """\
from tinytorch.autograd import Function

class Node(Function):  # a graph without numbers: a node and what it was computed from
    def __init__(self, *inputs):
        self.inputs = inputs

def before(order, earlier, later):
    return order.index(earlier) < order.index(later)
"""

_RULE = """\
from tinytorch.autograd import Function

def rule(kind, saved, grad, needs=(True, True)):  # what a node of this kind answers
    node = kind()
    node.needs = needs
    node.save(*saved)
    return node.backward(np.array(grad, dtype=np.float32))
"""

_RECORDING = """\
from tinytorch.autograd import _set_recording
_set_recording(True)  # whatever the case before this one left behind
"""

EXERCISES = (
    Exercise(
        "autograd.Mul.backward",
        title="The product rule",
        hints=(
            "If a grows by a little d, a * b grows by d * b: the derivative by a is b, and the "
            "derivative by b is a.",
            "Chain rule: multiply with the gradient of the result, `grad`. The first gradient is "
            "`grad * b`.",
            "A conditional expression gives None where a gradient is not wanted: "
            "`grad * b if need_a else None`.",
        ),
        given=_RULE
        + "from tinytorch.autograd import Mul\n"
        + "a, b = np.array([2, 3], dtype=np.float32), np.array([5, 7], dtype=np.float32)\n",
        cases=(
            Case(
                "the other factor",
                "tuple(Tensor(g) for g in rule(Mul, (a, b), [1, 1]))",
                "([5.0, 7.0], [2.0, 3.0])",
                why="The gradient of a holds the numbers of b, and the other way round.",
            ),
            Case(
                "times what comes from above",
                "tuple(Tensor(g) for g in rule(Mul, (a, b), [10, 100]))",
                "([50.0, 700.0], [20.0, 300.0])",
                why="The chain rule multiplies with `grad`, the gradient of the result.",
            ),
            Case(
                "a number as a factor",
                "by_a, by_b = rule(Mul, (None, 4.0), [1, 2], needs=(True, False))\n"
                "Tensor(by_a), by_b is None",
                "([4.0, 8.0], True)",
                why="Nobody wants the gradient of a plain number, so `a` was not saved: it is "
                "None, and so is that gradient.",
            ),
            Case(
                "grad is only read",
                "grad = np.ones(2, dtype=np.float32)\nnode = Mul()\nnode.needs = (True, True)\n"
                "node.save(a, b)\nnode.backward(grad)\nTensor(grad)",
                "[1.0, 1.0]",
                why="Other nodes may hold the same array.",
            ),
            Case(
                "differences agree",
                "x = Tensor([1.5, -2.0], dtype=float64, requires_grad=True)\n"
                "gradcheck(lambda x: x * x * 3, x)",
                "True",
            ),
            Case(
                "a number in front",
                "by_a, by_b = rule(Mul, (4.0, None), [1, 2], needs=(False, True))\n"
                "by_a is None, Tensor(by_b)",
                "(True, [4.0, 8.0])",
                why="Here nobody wants the gradient of `a`, and `b` was not saved.",
            ),
            Case(
                "float64 keeps its digits",
                "by_a, by_b = rule(Mul, (np.array([0.1]), np.array([0.3])), [1.0])\n"
                "Tensor(by_a), Tensor(by_b)",
                "(np.array([0.3]), np.array([0.1]))",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong(
                """
                need_a, need_b = self.needs
                a, b = self.saved
                return grad * a if need_a else None, grad * b if need_b else None
                """,
                "the other way round",
            ),
            Wrong(
                """
                a, b = self.saved
                return b, a
                """,
                "The chain rule multiplies",
            ),
            Wrong(
                """
                a, b = self.saved
                return grad * b, grad * a
                """,
                "plain number",
            ),
            Wrong(
                """
                need_a, need_b = self.needs
                a, b = self.saved
                by_b = grad * a if need_b else None
                grad *= b
                return grad if need_a else None, by_b
                """,
                "Other nodes may hold the same array",
            ),
        ),
    ),
    Exercise(
        "autograd.unbroadcast",
        title="Undo broadcasting",
        hints=(
            "Broadcasting lines shapes up at the right. How many dimensions were put in front is "
            "`grad.ndim - len(shape)`.",
            "Sum over the front ones, and over those where `shape` has a 1. "
            "`grad.sum(axis=..., keepdims=True)` takes a tuple of axes.",
            "With keepdims the front dimensions stay as ones; `.reshape(shape)` takes them off.",
        ),
        cases=(
            Case(
                "a bias: the rows are summed",
                "Tensor(unbroadcast(np.array([[1.0, 2, 3], [10, 20, 30]]), (3,)))",
                "np.array([11.0, 22, 33])",
                why="Each number of the bias was used once in each row.",
            ),
            Case(
                "a column: each row is summed",
                "Tensor(unbroadcast(np.array([[1.0, 2, 3], [10, 20, 30]]), (2, 1)))",
                "np.array([[6.0], [60.0]])",
                why="A dimension that was 1 keeps its place, with size 1.",
            ),
            Case(
                "a number: everything is summed",
                "Tensor(unbroadcast(np.array([[1.0, 2, 3], [10, 20, 30]]), ()))",
                "np.array(66.0)",
            ),
            Case(
                "both at once",
                "Tensor(unbroadcast(np.ones((5, 2, 3, 4)), (2, 1, 4)))",
                "np.full((2, 1, 4), 15.0)",
                why="Here one dimension was put in front and another one was stretched.",
            ),
            Case(
                "nothing was stretched",
                "g = np.ones((2, 1))\nunbroadcast(g, (2, 1)) is g",
                "True",
                why="There is nothing to sum: return `grad` itself and save the copy.",
            ),
            Case(
                "a size of 1 that stayed 1",
                "Tensor(unbroadcast(np.full((4, 1, 3), 0.1), (1, 3)))",
                "np.full((1, 3), 0.4)",
                tol=1e-12,
            ),
            Case(
                "a shape that could not have been stretched to this",
                "unbroadcast(np.ones((2, 3)), (2,))",
                raises=(ValueError, r"\(2,\).*\(2, 3\)"),
                why="The message names both shapes.",
            ),
            Case(
                "an addition with broadcasting",
                "x = Tensor([[1.0], [2.0]], requires_grad=True)\n(x + zeros(3)).sum().backward()\n"
                "x.grad",
                "[[3.0], [3.0]]",
            ),
            Case(
                "a shape with more dimensions",
                "unbroadcast(np.ones(3), (1, 3))",
                raises=(ValueError, r"\(1, 3\).*\(3,\)"),
                why="Stretching never takes a dimension away.",
            ),
        ),
        wrong=(
            Wrong(
                """
                while grad.ndim > len(shape):
                    grad = grad.sum(axis=0)
                return grad
                """,
                "The shape must be (2, 1)",
            ),
            Wrong(
                """
                front = grad.ndim - len(shape)
                axes = [*range(front), *(i + front for i, n in enumerate(shape) if n == 1)]
                return grad.sum(axis=tuple(axes))
                """,
                "keeps its place",
            ),
            Wrong(
                """
                front = grad.ndim - len(shape)
                axes = [*range(front), *(i + front for i, n in enumerate(shape) if n == 1)]
                return grad.mean(axis=tuple(axes), keepdims=True).reshape(shape)
                """,
                "used once in each row",
            ),
            Wrong(
                """
                front = grad.ndim - len(shape)
                axes = [*range(front), *(i for i, n in enumerate(shape) if n == 1)]
                return grad.sum(axis=tuple(axes), keepdims=True).reshape(shape)
                """,
                "one dimension was put in front",
            ),
            Wrong(
                """
                if grad.shape == shape:
                    return grad
                front = grad.ndim - len(shape)
                axes = [*range(front), *(i + front for i, n in enumerate(shape) if n == 1)]
                return grad.sum(axis=tuple(axes), keepdims=True).reshape(shape)
                """,
                "must say more",
            ),
        ),
    ),
    Exercise(
        "autograd.MatMul.matrices",
        title="The gradient of the matrix product",
        hints=(
            "Let the shapes lead. Out of grad (n, m) and b (k, m) there is one product of the "
            "shape of a, (n, k).",
            "`grad @ b.mT` is (n, m) @ (m, k). For b, of shape (k, m), you have a (n, k) and grad "
            "(n, m): the one with n columns must stand left.",
            "`grad @ b.mT if need_a else None` is the first of the two, `a.mT @ grad if need_b "
            "else None` the second.",
        ),
        given="""\
from tinytorch.autograd import MatMul
a = np.array([[1.0, 2.0, 3.0]])                      # (1, 3)
b = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])  # (3, 2)
grad = np.array([[1.0, 0.5]])                        # (1, 2)
""",
        cases=(
            Case(
                "by a",
                "Tensor(MatMul().matrices(a, b, grad, (True, True))[0])",
                "np.array([[6.0, 12.0, 18.0]])",
                why="a[0, l] was multiplied with all numbers of row l of b: its gradient is "
                "that row times the gradient, summed.",
            ),
            Case(
                "by b",
                "Tensor(MatMul().matrices(a, b, grad, (True, True))[1])",
                "np.array([[1.0, 0.5], [2.0, 1.0], [3.0, 1.5]])",
                why="b[l, j] was multiplied with column l of a and went into column j.",
            ),
            Case(
                "square matrices, where shapes do not help",
                "s, g = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.1, 0.0], [0.0, 0.0]])\n"
                "tuple(map(Tensor, MatMul().matrices(s, s, g, (True, True))))",
                "(np.array([[0.1, 0.3], [0.0, 0.0]]), np.array([[0.1, 0.0], [0.2, 0.0]]))",
                tol=1e-12,
                why="Only the first row of a and the first column of b went into result[0, 0].",
            ),
            Case(
                "a stack of matrices",
                "stacks = [np.ones((4, 2, 3)), np.ones((4, 3, 5)), np.ones((4, 2, 5))]\n"
                "by_a, by_b = MatMul().matrices(*stacks, (True, True))\n(by_a.shape, by_b.shape)",
                "((4, 2, 3), (4, 3, 5))",
                why="Swap the last two dimensions only: `.mT`, where `.T` reverses them all.",
            ),
            Case(
                "one that is not wanted",
                "first, second = (MatMul().matrices(a, b, grad, n) for n in "
                "((False, True), (True, False)))\n"
                "first[0] is None, Tensor(first[1]), Tensor(second[0]), second[1] is None",
                "(True, np.array([[1.0, 0.5], [2.0, 1.0], [3.0, 1.5]]), "
                "np.array([[6.0, 12.0, 18.0]]), True)",
                why="Data wants no gradient: that is half of the work of a first layer saved.",
            ),
            Case(
                "differences agree",
                "tensors = [Tensor(x, requires_grad=True) for x in (a, b)]\n"
                "gradcheck(lambda a, b: a @ b, tensors)",
                "True",
            ),
        ),
        wrong=(
            Wrong(
                """
                need_a, need_b = needs
                return grad @ b.T if need_a else None, a.T @ grad if need_b else None
                """,
                "Swap the last two dimensions only",
            ),
            Wrong(
                """
                need_a, need_b = needs
                return b.mT * grad if need_a else None, a.mT * grad if need_b else None
                """,
                "that row times the gradient, summed",
            ),
            Wrong(
                "return grad @ b.mT, a.mT @ grad",
                "half of the work",
            ),
            Wrong(
                """
                need_a, need_b = needs
                by_b = a.mT @ grad if need_b else None
                return (b @ grad.mT).reshape(a.shape) if need_a else None, by_b
                """,
                "first column of b",
            ),
        ),
    ),
    Exercise(
        "autograd.topological_order",
        title="Put the graph in order",
        hints=(
            "Go down from the root: after all inputs of a node have been dealt with, append the "
            "node to a list. Reversed, that list has every node before its inputs.",
            "Keep a set of nodes you have seen, or a node with two users is visited twice, one "
            "with sixty such below it 2**60 times.",
            "A function that calls itself gets too deep. Keep a list as a stack of pairs (node, "
            "whether its inputs are done): push (node, True), then (input, False) for each input; "
            "a node that comes up with True is appended.",
        ),
        given=_GRAPH,
        cases=(
            Case(
                "a chain",
                "a = Node(); b = Node(a); c = Node(b)\ntopological_order(c) == [c, b, a]",
                "True",
                why="The root first, each node before what it was computed from.",
            ),
            Case("a node alone", "a = Node()\ntopological_order(a) == [a]", "True"),
            Case(
                "an argument without a node",
                "a = Node()\nb = Node(None, a, None)\ntopological_order(b) == [b, a]",
                "True",
                why="`inputs` holds None where no gradient is wanted.",
            ),
            Case(
                "an input used twice",
                "a = Node()\nb = Node(a, a)\ntopological_order(b) == [b, a]",
                "True",
                why="Each node comes once, however many paths lead to it.",
            ),
            Case(
                "a short path and a long one",
                "a = Node(); b = Node(a); c = Node(b); d = Node(a, c)\n"
                "topological_order(d) == [d, c, b, a]",
                "True",
                why="d uses a directly, but a must wait until b, which uses it too, has added its "
                "part.",
            ),
            Case(
                "the same, the other way round",
                "a = Node(); b = Node(a); c = Node(b); d = Node(c, a)\n"
                "topological_order(d) == [d, c, b, a]",
                "True",
                why="a must wait until b has added its part.",
            ),
            Case(
                "a diamond",
                "a = Node(); b = Node(a); c = Node(a); d = Node(b, c)\n"
                "order = topological_order(d)\n"
                "len(order), before(order, d, b), before(order, d, c), order[-1] is a",
                "(4, True, True, True)",
            ),
            Case(
                "many paths",
                "x = Node()\nfor _ in range(60):\n    x = Node(x, x)\nlen(topological_order(x))",
                "61",
                why="Here there are 2**60 paths and 61 nodes.",
            ),
            Case(
                "a deep graph",
                "x = Node()\nfor _ in range(500):\n    x = Node(x)\nlen(topological_order(x))",
                "501",
                why="500 operations one after the other: a function that calls itself for each "
                "of them does not get that far.",
            ),
        ),
        wrong=(
            Wrong(
                """
                order, seen = [root], {root}
                for node in order:
                    for source in node.inputs:
                        if source is not None and source not in seen:
                            seen.add(source)
                            order.append(source)
                return order
                """,
                "must wait until b",
            ),
            Wrong(
                """
                order, seen = [], set()
                def visit(node):
                    seen.add(node)
                    for source in node.inputs:
                        if source is not None and source not in seen:
                            visit(source)
                    order.append(node)
                visit(root)
                return order[::-1]
                """,
                "does not get that far",
            ),
            Wrong(
                """
                order, seen = [], set()
                def visit(node):
                    seen.add(node)
                    for source in node.inputs:
                        if source is not None and source not in seen:
                            visit(source)
                    order.append(node)
                visit(root)
                return order
                """,
                "The root first",
            ),
            Wrong(
                """
                order = []
                def visit(node):
                    for source in node.inputs:
                        if source is not None:
                            visit(source)
                    order.append(node)
                visit(root)
                return order[::-1]
                """,
                "Each node comes once",
            ),
        ),
    ),
    Exercise(
        "autograd.backpropagate",
        title="Walk back, and add up",
        hints=(
            "Keep a dict from node to gradient; at the start it holds `root: grad`.",
            "`g = grads.pop(node, None)` takes the finished gradient out; if it is None, go on to "
            "the next node. Deliver it, then loop over `node.gradients(g)`.",
            "An input may have a part already: "
            "`grads[source] = grads[source] + part if source in grads else part`.",
            "At the end of each node's turn: `if not retain_graph: node.release()`.",
        ),
        given="x = Tensor(3.0, requires_grad=True)\nw = Tensor([1.0, 2.0], requires_grad=True)\n",
        cases=(
            Case(
                "one operation",
                "(w * 5.0).sum().backward()\nw.grad",
                "[5.0, 5.0]",
                why="The gradient of a leaf arrives through `_deliver(node, g, taken)`.",
            ),
            Case("a chain", "((x * 2.0) * 3.0).backward()\nx.grad", "Tensor(6.0)"),
            Case(
                "a tensor used twice by one node",
                "(x * x).backward()\nx.grad",
                "Tensor(6.0)",
                why="x is both factors: its gradient is the sum of two parts, 3 + 3.",
            ),
            Case(
                "a tensor used by two nodes",
                "y = x * 2.0\n(y * y + y).backward()\nx.grad",
                "Tensor(26.0)",
                why="All parts of y's gradient must be added before y passes it on.",
            ),
            Case(
                "gradients are not changed in place",
                "v = Tensor([1.0, 1.0], requires_grad=True)\n"
                "((w + v) + w).sum().backward()\nw.grad, v.grad",
                "([2.0, 2.0], [1.0, 1.0])",
                why="An addition hands the same array to both inputs: `+=` on it changes the "
                "other's gradient.",
            ),
            Case(
                "a second call adds to the first",
                "(x * 2.0).backward()\n(x * 2.0).backward()\nx.grad",
                "Tensor(4.0)",
            ),
            Case(
                "what was saved is let go",
                "y = x * x\ny.backward()\ny.backward()",
                raises=(RuntimeError, "retain_graph"),
                why="`node.release()` frees the memory; a second backward then explains itself.",
            ),
            Case(
                "unless it is to be kept",
                "y = x * x\ny.backward(retain_graph=True)\ny.backward()\nx.grad",
                "Tensor(12.0)",
                why="With retain_graph nothing is released.",
            ),
            Case(
                "no two gradients share memory",
                "v = Tensor([1.0, 1.0], requires_grad=True)\n(w + v).backward([1.0, 1.0])\n"
                "np.shares_memory(w.grad.data, v.grad.data)",
                "False",
                why="`taken` is one dict for the whole run, not one for each node.",
            ),
            Case(
                "a branch that receives nothing",
                "v = Tensor(1.0, requires_grad=True)\n"
                "checkpoint(lambda x, v: x * x, x, v * 2.0).backward()\nx.grad, v.grad is None",
                "(Tensor(6.0), True)",
                why="No part was computed for `v * 2.0`: its node has no gradient to pass on, so "
                "go on to the next one.",
            ),
            Case(
                "letting go is the default",
                "from tinytorch.autograd import backpropagate\ny = x * x\n"
                "backpropagate(y.grad_fn, np.array(1.0, 'float32'))\ny.backward()",
                raises=(RuntimeError, "retain_graph"),
                why="Without `retain_graph=True` every node is released.",
            ),
        ),
        wrong=(
            Wrong(
                """
                grads, taken = {root: grad}, {}
                for node in topological_order(root):
                    g = grads.pop(node, None)
                    if g is None:
                        continue
                    _deliver(node, g, taken)
                    for source, part in node.gradients(g):
                        grads[source] = part
                    if not retain_graph:
                        node.release()
                """,
                "the sum of two parts",
            ),
            Wrong(
                """
                stack, taken = [(root, grad)], {}
                while stack:
                    node, g = stack.pop()
                    _deliver(node, g, taken)
                    stack += node.gradients(g)
                    if not retain_graph:
                        node.release()
                """,
                "before y passes it on",
            ),
            Wrong(
                """
                grads, taken = {root: grad}, {}
                for node in topological_order(root):
                    g = grads.pop(node, None)
                    if g is None:
                        continue
                    _deliver(node, g, taken)
                    for source, part in node.gradients(g):
                        if source in grads:
                            grads[source] += part
                        else:
                            grads[source] = part
                    if not retain_graph:
                        node.release()
                """,
                "the other's gradient",
            ),
            Wrong(
                """
                grads, taken = {root: grad}, {}
                for node in topological_order(root):
                    g = grads.pop(node, None)
                    if g is None:
                        continue
                    _deliver(node, g, taken)
                    for source, part in node.gradients(g):
                        grads[source] = grads[source] + part if source in grads else part
                """,
                "frees the memory",
            ),
            Wrong(
                """
                grads = {root: grad}
                for node in topological_order(root):
                    g = grads.pop(node, None)
                    if g is None:
                        continue
                    _deliver(node, g, {})
                    for source, part in node.gradients(g):
                        grads[source] = grads[source] + part if source in grads else part
                    if not retain_graph:
                        node.release()
                """,
                "one dict for the whole run",
            ),
        ),
    ),
    Exercise(
        "autograd.CrossEntropy.rows",
        title="Softmax minus one-hot",
        hints=(
            "The softmax of each row first: e^(logits - largest), divided by its sum. Make a new "
            "array.",
            "`out[np.arange(len(classes)), classes] -= 1` takes one off at the right class of each "
            "row.",
            "With smoothing, 1 - s comes off at the right class and s / C everywhere. Then each "
            "row times its gradient: `out *= grad[:, None]`.",
        ),
        given="""\
from tinytorch.autograd import CrossEntropy

def rows(logits, classes, grad, smoothing=0.0):
    node = CrossEntropy()
    node.smoothing = smoothing
    return Tensor(node.rows(np.array(logits), np.array(classes), np.array(grad)))
""",
        cases=(
            Case(
                "no preference among two classes",
                "rows([[0.0, 0.0]], [1], [1.0])",
                "np.array([[0.5, -0.5]])",
                why="The softmax is (0.5, 0.5); at the right class 1 is taken off.",
            ),
            Case(
                "times the gradient of the loss",
                "rows([[0.0, 0.0]], [1], [10.0])",
                "np.array([[5.0, -5.0]])",
                why="A mean has put its 1 / count into grad already; here it is 10.",
            ),
            Case(
                "each row has its own right class",
                "rows([[0.0, 0.0], [0.0, np.log(3.0)]], [1, 0], [1.0, 1.0])",
                "np.array([[0.5, -0.5], [-0.75, 0.75]])",
                why="One is taken off at one place in each row, not in whole columns.",
            ),
            Case(
                "each row times its own gradient",
                "rows([[0.0, 0.0], [0.0, 0.0]], [1, 0], [10.0, 2.0])",
                "np.array([[5.0, -5.0], [-1.0, 1.0]])",
                why="grad has one number for each row.",
            ),
            Case(
                "large scores",
                "rows([[1000.0, 1000.0, 0.0]], [0], [1.0])",
                "np.array([[-0.5, 0.5, 0.0]])",
                why="np.exp(1000) is inf: subtract the row's largest score first.",
            ),
            Case(
                "label smoothing",
                "rows([[0.0, 0.0, 0.0, 0.0]], [2], [1.0], smoothing=0.2)",
                "np.array([[0.2, 0.2, -0.6, 0.2]])",
                tol=1e-12,
                why="The target is 1 - 0.2 + 0.05 at the right class and 0.05 at the others.",
            ),
            Case(
                "the logits are only read",
                "logits = np.zeros((1, 2))\nnode = CrossEntropy()\nnode.smoothing = 0.0\n"
                "node.rows(logits, np.array([0]), np.ones(1))\nTensor(logits)",
                "np.zeros((1, 2))",
                why="They belong to the tensor the network computed.",
            ),
            Case(
                "rows far apart",
                "rows([[0.0, 1.0], [1000.0, 1001.0]], [0, 1], [1.0, 1.0])",
                "np.array([[-0.7310586, 0.7310586], [0.2689414, -0.2689414]])",
                why="Each row needs its own largest: less another row's 1000, all of e^-1000 are "
                "0, and 0 / 0 is nan.",
            ),
            Case(
                "differences agree",
                "x = Tensor(np.array([[1.0, 2.0, -1.0], [900.5, 900, 903]]), requires_grad=True)\n"
                "target = Tensor([2, 0], dtype=int64)\n"
                "gradcheck(lambda x: cross_entropy(x, target, label_smoothing=0.1), x)",
                "True",
            ),
        ),
        wrong=(
            Wrong(
                """
                out = np.exp(logits - logits.max(axis=1, keepdims=True))
                out /= out.sum(axis=1, keepdims=True)
                out[:, classes] -= 1
                return out * grad[:, None]
                """,
                "not in whole columns",
            ),
            Wrong(
                """
                out = np.exp(logits)
                out /= out.sum(axis=1, keepdims=True)
                out[np.arange(len(classes)), classes] -= 1
                return out * grad[:, None]
                """,
                "subtract the row's largest",
            ),
            Wrong(
                """
                out = np.exp(logits - logits.max(axis=1, keepdims=True))
                out /= out.sum(axis=1, keepdims=True)
                out[np.arange(len(classes)), classes] -= 1
                return out / len(out)
                """,
                "its 1 / count into grad already",
            ),
            Wrong(
                """
                out = np.exp(logits - logits.max(axis=1, keepdims=True))
                out /= out.sum(axis=1, keepdims=True)
                out[np.arange(len(classes)), classes] -= 1
                return out * grad[:, None]
                """,
                "0.05 at the others",
            ),
            Wrong(
                """
                out = np.exp(logits - logits.max())
                out /= out.sum(axis=1, keepdims=True)
                out[np.arange(len(classes)), classes] -= 1 - self.smoothing
                out -= self.smoothing / out.shape[1]
                return out * grad[:, None]
                """,
                "Each row needs its own largest",
            ),
        ),
    ),
    Exercise(
        "autograd.no_grad",
        title="Compute without remembering",
        hints=(
            "Before the `yield`: switch off, and keep what `_set_recording(False)` returns. After "
            "it: `_set_recording` with that.",
            "A block may raise. What must happen all the same stands in the `finally` of a `try` "
            "around the `yield`.",
        ),
        given=_RECORDING + "x = Tensor(2.0, requires_grad=True)\n",
        cases=(
            Case(
                "nothing is recorded",
                "with no_grad():\n    y = x * x\ny.requires_grad",
                "False",
                why="Inside the block recording is off.",
            ),
            Case(
                "afterwards it is again",
                "with no_grad():\n    pass\n(x * x).requires_grad",
                "True",
                why="At the end of the block recording is what it was.",
            ),
            Case(
                "a block within a block",
                "with no_grad():\n    with no_grad():\n        pass\n    y = x * x\n"
                "y.requires_grad",
                "False",
                why="The inner block must leave recording as it found it: off.",
            ),
            Case(
                "a block that raises",
                "try:\n    with no_grad():\n        raise KeyError\nexcept KeyError:\n    pass\n"
                "(x * x).requires_grad",
                "True",
                why="An error must not leave recording switched off for the rest of the program.",
            ),
            Case(
                "as a decorator",
                "@no_grad()\ndef square(x):\n    return x * x\n"
                "inside, after = square(x).requires_grad, (x * x).requires_grad\n"
                "_set_recording(True)\ninside, after",
                "(False, True)",
            ),
        ),
        wrong=(
            Wrong(
                """
                _set_recording(False)
                try:
                    yield
                finally:
                    _set_recording(True)
                """,
                "as it found it: off",
            ),
            Wrong(
                """
                before = _set_recording(False)
                yield
                _set_recording(before)
                """,
                "An error must not leave",
            ),
            Wrong("yield", "Inside the block recording is off"),
            Wrong(
                """
                _set_recording(False)
                yield
                """,
                "is what it was",
            ),
        ),
    ),
    Exercise(
        "autograd.Checkpoint.backward",
        title="Compute again instead of remembering",
        hints=(
            "`zip(self.saved, self.needs)` pairs each input's array with whether it wants a "
            "gradient.",
            "The second computation goes inside the `with self.replay():`, or it leaves no graph.",
            "`out.backward(grad)`: start from the gradient that came from above, not from ones.",
            "`x.grad.data` is a leaf's gradient as an array; `x.grad` may be None.",
        ),
        given="""\
calls = []

def square(x):
    calls.append(1)
    return x * x

x = Tensor([3.0, 4.0], requires_grad=True)
""",
        cases=(
            Case(
                "the gradient is the same",
                "checkpoint(square, x).sum().backward()\nx.grad",
                "[6.0, 8.0]",
            ),
            Case(
                "it starts from what comes from above",
                "(checkpoint(square, x) * 10.0).sum().backward()\nx.grad",
                "[60.0, 80.0]",
                why="The gradient of the result is `grad`, here 10.",
            ),
            Case(
                "the function runs twice",
                "checkpoint(square, x).sum().backward()\nlen(calls)",
                "2",
                why="Once in forward, once in backward.",
            ),
            Case(
                "two inputs",
                "w = Tensor([10.0, 20.0], requires_grad=True)\n"
                "checkpoint(lambda x, w: x * w, x, w).sum().backward()\nx.grad, w.grad",
                "([10.0, 20.0], [3.0, 4.0])",
                why="One gradient for each input, in their order.",
            ),
            Case(
                "an input without a gradient",
                "checkpoint(lambda x, w: x * w, x, Tensor([10.0, 20.0])).sum().backward()\nx.grad",
                "[10.0, 20.0]",
                why="For the second input return None: it has no gradient to give.",
            ),
            Case(
                "parameters inside",
                "layer = Linear(2, 1)\ncheckpoint(layer, Tensor([[3.0, 4.0]])).sum().backward()\n"
                "Tensor(layer.weight.grad)",
                "[[3.0, 4.0]]",
                why="Parameters receive theirs from the backward of the second computation.",
            ),
            Case(
                "random numbers are the same again",
                "y = checkpoint(lambda x: x * rand(2), x)\ny.sum().backward()\n"
                "Tensor(x.grad.data * x.data - y.data)",
                "[0.0, 0.0]",
                why="`self.replay()` puts the random generator back to where it was in forward.",
            ),
            Case(
                "an input that plays no part",
                "w = Tensor(1.0, requires_grad=True)\n"
                "checkpoint(lambda x, w: x * x, x, w).sum().backward()\nx.grad, w.grad is None",
                "([6.0, 8.0], True)",
                why="The leaf's grad is None then, and that is what to return for it.",
            ),
            Case(
                "nothing to go back through",
                "checkpoint(lambda x: zeros(2), x).sum().backward()\nx.grad is None",
                "True",
                why="If the result does not require a gradient there is no backward to call.",
            ),
            Case(
                "arrays, not Tensors",
                "y = checkpoint(square, x)\n"
                "type(y.grad_fn.backward(np.ones(2, 'float32'))[0]).__name__",
                "'ndarray'",
                why="Gradients on their way are arrays: `x.grad.data`.",
            ),
            Case(
                "float64 keeps its digits",
                "x = Tensor([0.1], dtype=float64, requires_grad=True)\n"
                "checkpoint(square, x).sum().backward()\nx.grad",
                "np.array([0.2])",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong(
                """
                inputs = [Tensor(a, requires_grad=n) for a, n in zip(self.saved, self.needs)]
                with self.replay():
                    out = self.op(*inputs)
                out.backward(np.ones_like(grad))
                return tuple(x.grad if x.grad is None else x.grad.data for x in inputs)
                """,
                "here 10",
            ),
            Wrong(
                """
                inputs = [Tensor(a, requires_grad=n) for a, n in zip(self.saved, self.needs)]
                with enable_grad():
                    out = self.op(*inputs)
                if out.requires_grad:
                    out.backward(grad)
                return tuple(x.grad if x.grad is None else x.grad.data for x in inputs)
                """,
                "puts the random generator back",
            ),
            Wrong(
                """
                inputs = [Tensor(a, requires_grad=n) for a, n in zip(self.saved, self.needs)]
                with self.replay():
                    out = self.op(*inputs)
                out.backward(grad)
                return tuple(x.grad.data for x in inputs)
                """,
                "it has no gradient to give",
            ),
            Wrong(
                """
                inputs = [Tensor(a, requires_grad=n) for a, n in zip(self.saved, self.needs)]
                with self.replay():
                    out = self.op(*inputs)
                out.backward(grad)
                return tuple(x.grad if x.grad is None else x.grad.data for x in inputs)
                """,
                "no backward to call",
            ),
        ),
    ),
)
