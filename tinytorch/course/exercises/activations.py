"""Module 02: the exercises that build `tinytorch/activations.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

ALONE = "The argument belongs to the caller: the result needs memory of its own."
NO_OVERFLOW = "Nothing above 0 should reach `np.exp`: e^89 is already more than float32 holds."

EXERCISES = (
    Exercise(
        "activations.relu",
        title="The cheapest bend",
        hints=(
            'Begin with `a = _floats(x, "relu")`, a NumPy array. Of each number and 0, which one '
            "is the result?",
            "It is always the larger one. `np.maximum(a, 0)` compares element by element; Python's "
            "`max` would want one answer for the whole tensor.",
        ),
        cases=(
            Case("both sides", "relu(Tensor([-2, -0.5, 0.5, 3]))", "[0.0, 0.0, 0.5, 3.0]"),
            Case(
                "any shape",
                "relu(Tensor([[1, -1], [-2, 2]]))",
                "[[1.0, 0.0], [0.0, 2.0]]",
            ),
            Case("a single number", "relu(Tensor(-1.0))", "Tensor(0)"),
            Case(
                "the argument stays as it was",
                "x = Tensor([-1, 2])\nrelu(x)\nx",
                "[-1.0, 2.0]",
                why=ALONE,
            ),
            Case(
                "infinities",
                "relu(Tensor([-np.inf, np.inf]))",
                "[0.0, np.inf]",
                why="0 times -inf is nan: choose, do not multiply.",
            ),
            Case(
                "nan stays nan",
                "relu(Tensor([np.nan, 1]))",
                "[np.nan, 1.0]",
                why="A nan says that something went wrong earlier. Turned into 0 it could not be "
                "found any more.",
            ),
            Case(
                "float64 keeps its digits",
                "relu(Tensor([0.1], dtype=float64))",
                "np.array([0.1])",
                why="A float64 stays one, with all its digits: nothing on the way may be float32.",
                tol=1e-12,
            ),
            Case("ints become floats", "relu(Tensor([-1, 2], dtype=int64))", "[0.0, 2.0]"),
            Case(
                "a list is no Tensor",
                "relu([1, 2])",
                raises=(TypeError, r"relu: expected a Tensor, got list"),
                why="`_floats` raises it.",
            ),
        ),
        wrong=(
            Wrong("return max(x, 0)", "has no one truth value"),
            Wrong(
                """
                x.data[x.data < 0] = 0
                return x
                """,
                "belongs to the caller",
            ),
            Wrong('return np.maximum(_floats(x, "relu"), 0)', "must return a Tensor"),
            Wrong(
                """
                a = _floats(x, "relu")
                return Tensor(a * (a > 0))
                """,
                "choose, do not multiply",
            ),
            Wrong(
                """
                a = _floats(x, "relu")
                return Tensor(np.where(a > 0, a, np.zeros_like(a)))
                """,
                "could not be found any more",
            ),
            Wrong('return Tensor(np.abs(_floats(x, "relu")))', "expected 0, got 2"),
        ),
    ),
    Exercise(
        "activations.sigmoid",
        title="A probability from any number",
        hints=(
            'Begin with `a = _floats(x, "sigmoid")` and `z = np.exp(-np.abs(a))`. Where a is '
            "negative, z is e^a; elsewhere it is e^-a.",
            "The denominator is 1 + z on both sides. Only the numerator differs: 1 where a >= 0, "
            "z where it is not.",
            "`np.maximum(a >= 0, z)` is that numerator: True counts as 1, and z is never above 1. "
            "`np.where(a >= 0, 1, z)` is the same, more slowly.",
        ),
        cases=(
            Case("in the middle", "sigmoid(Tensor([0]))", "[0.5]"),
            Case(
                "on both sides",
                "sigmoid(Tensor([[-2, -1], [1, 2]]))",
                "[[0.1192029, 0.2689414], [0.7310586, 0.8807971]]",
            ),
            Case(
                "very far out",
                "sigmoid(Tensor([-1000, 1000]))",
                "[0.0, 1.0]",
                why="e^1000 is inf in a float, and inf / inf is nan.",
            ),
            Case(
                "small, but not zero",
                "sigmoid(Tensor([-20, -40, -80, -100])).log()",
                "[-20.0, -40.0, -80.0, -100.0]",
                tol=1e-3,
                why="Far on the left sigmoid(x) is nearly e^x, which float32 holds down to 1e-45. "
                "Its logarithm must be x, not -inf.",
            ),
            Case(
                "no overflow on the way",
                "with np.errstate(over='raise'):\n    y = sigmoid(Tensor([-1000, 1000]))\ny",
                "[0.0, 1.0]",
                why=NO_OVERFLOW,
            ),
            Case("a single number", "sigmoid(Tensor(0.0))", "Tensor(0.5)"),
            Case("nan stays nan", "sigmoid(Tensor([np.nan]))", "[np.nan]"),
            Case(
                "the argument stays as it was",
                "x = Tensor([-1, 2])\nsigmoid(x)\nx",
                "[-1.0, 2.0]",
                why=ALONE,
            ),
            Case(
                "float64 keeps its digits",
                "sigmoid(Tensor([1], dtype=float64))",
                "np.array([1 / (1 + np.exp(-1))])",
                why="A float64 stays one, with all its digits: nothing on the way may be float32.",
                tol=1e-12,
            ),
            Case("ints become float32", "sigmoid(Tensor([0], dtype=int64))", "[0.5]"),
            Case(
                "names itself in an error",
                "sigmoid([1, 2])",
                raises=(TypeError, "^sigmoid: "),
                why='`_floats(x, "sigmoid")` raises it.',
            ),
            Case(
                "close to zero, too",
                "sigmoid(Tensor([0.5, -0.5]))",
                "[0.6224593, 0.3775407]",
            ),
        ),
        wrong=(
            Wrong(
                'return Tensor(1 / (1 + np.exp(-_floats(x, "sigmoid"))))',
                "must be x, not -inf",
            ),
            Wrong(
                """
                e = np.exp(_floats(x, "sigmoid"))
                return Tensor(e / (1 + e))
                """,
                "inf / inf is nan",
            ),
            Wrong(
                'return Tensor(0.5 * (1 + np.tanh(0.5 * _floats(x, "sigmoid"))))',
                "must be x, not -inf",
            ),
            Wrong(
                """
                a = np.clip(_floats(x, "sigmoid"), -50, 50)
                return Tensor(1 / (1 + np.exp(-a)))
                """,
                "expected -80, got -50",
            ),
            Wrong(
                """
                z = np.exp(-np.abs(_floats(x, "sigmoid")))
                return Tensor(1 / (1 + z))
                """,
                "expected 0.119203, got 0.880797",
            ),
            Wrong(
                """
                a = _floats(x, "sigmoid")
                positive = a >= 0
                z = np.exp(np.negative(np.abs(a, out=a), out=a), out=a)
                return Tensor(np.maximum(positive, z) / (1 + z))
                """,
                "belongs to the caller",
            ),
        ),
    ),
    Exercise(
        "activations.tanh",
        title="The same curve around zero",
        hints=(
            "The formula of the docstring is the definition, not a recipe: e^1000 is inf, and "
            "inf / inf is nan.",
            "It is also 2 sigmoid(2x) - 1. But near 0 that subtracts two numbers close to 1, and "
            "what is left has lost its last digits.",
            '`np.tanh` avoids both. Give it `_floats(x, "tanh")`, so that ints become float32.',
        ),
        cases=(
            Case(
                "known values",
                "tanh(Tensor([[-1, 0], [0.5, 2]]))",
                "[[-0.7615942, 0.0], [0.4621172, 0.9640276]]",
            ),
            Case(
                "very far out",
                "tanh(Tensor([-1000, 1000]))",
                "[-1.0, 1.0]",
                why="e^1000 is inf in a float, and inf / inf is nan.",
            ),
            Case(
                "small numbers keep their digits",
                "tanh(Tensor([1e-6, -3e-6])) * 1e6",
                "[1.0, -3.0]",
                why="Near 0, tanh(x) is x. Anything that subtracts from a number close to 1 loses "
                "the digits of x.",
            ),
            Case("ints become float32", "tanh(Tensor([0], dtype=int64))", "[0.0]"),
            Case(
                "float64 keeps its digits",
                "tanh(Tensor([1], dtype=float64))",
                "np.array([np.tanh(1)])",
                why="A float64 stays one, with all its digits: nothing on the way may be float32.",
                tol=1e-12,
            ),
            Case("nan stays nan", "tanh(Tensor([np.nan]))", "[np.nan]"),
            Case(
                "names itself in an error",
                "tanh([1, 2])",
                raises=(TypeError, "^tanh: "),
                why='`_floats(x, "tanh")` raises it.',
            ),
        ),
        wrong=(
            Wrong(
                """
                a = _floats(x, "tanh")
                return Tensor((np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)))
                """,
                "inf / inf is nan",
            ),
            Wrong("return 2 * sigmoid(2 * x) - 1", "loses the digits of x"),
            Wrong("return Tensor(np.tanh(x.data))", "dtype must be float32"),
        ),
    ),
    Exercise(
        "activations.gelu",
        title="A bend without a corner",
        hints=(
            'Write the formula with `a = _floats(x, "gelu")`, `math.sqrt(2 / math.pi)` and '
            "`np.tanh`.",
            "`inner = math.sqrt(2 / math.pi) * a * (1 + 0.044715 * a * a)`, and then "
            "`0.5 * a * (1 + np.tanh(inner))`.",
        ),
        cases=(
            Case(
                "known values",
                "gelu(Tensor([-3, -1, 0, 1, 3]))",
                "[-0.0036374, -0.158808, 0.0, 0.841192, 2.9963627]",
                why="The constants are sqrt(2 / pi) and 0.044715, and the power is the third.",
            ),
            Case(
                "very far out it is relu",
                "gelu(Tensor([-1000, 1000]))",
                "[0.0, 1000.0]",
            ),
            Case(
                "close to the exact curve",
                "x = arange(-4.0, 4.0, 0.5)\n"
                "exact = [0.5 * v * (1 + math.erf(v / 2**0.5)) for v in x.tolist()]\n"
                "abs(gelu(x) - Tensor(exact)).max().item() < 0.0005",
                "True",
            ),
            Case(
                "the argument stays as it was",
                "x = Tensor([-1, 2])\ngelu(x)\nx",
                "[-1.0, 2.0]",
                why=ALONE,
            ),
            Case("any shape", "gelu(zeros(2, 0, 3)).shape", "(2, 0, 3)"),
            Case(
                "float64 keeps its digits",
                "gelu(Tensor([1], dtype=float64))",
                "np.array([0.5 + 0.5 * np.tanh((2 / np.pi) ** 0.5 * 1.044715)])",
                why="A float64 stays one, with all its digits: nothing on the way may be float32.",
                tol=1e-12,
            ),
            Case(
                "names itself in an error",
                "gelu([1, 2])",
                raises=(TypeError, "^gelu: "),
                why='`_floats(x, "gelu")` raises it.',
            ),
        ),
        given="import math",
        wrong=(
            Wrong(
                """
                a = _floats(x, "gelu")
                return Tensor(a / (1 + np.exp(-1.702 * a)))
                """,
                "the power is the third",
            ),
            Wrong(
                """
                a = _floats(x, "gelu")
                return Tensor(0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715))))
                """,
                "the power is the third",
            ),
            Wrong(
                """
                a = _floats(x, "gelu")
                u = math.sqrt(2 / math.pi) * (a + 0.044715 * a * a * a)
                a *= 0.5 * (1 + np.tanh(u))
                return Tensor(a)
                """,
                "belongs to the caller",
            ),
        ),
    ),
    Exercise(
        "activations.softmax",
        title="Shares of a whole",
        hints=(
            '`axis = x._dim(dim, "softmax")`; then three steps along it: subtract the largest, '
            "take `np.exp`, divide by the sum.",
            "The largest of each row: `a.max(axis=axis, keepdims=True)`. With keepdims it has the "
            "shape that broadcasts back; the sum needs it just as much.",
        ),
        cases=(
            Case(
                "shares of one row",
                "softmax(Tensor([0, 0, np.log(2)]))",
                "[0.25, 0.25, 0.5]",
            ),
            Case(
                "each row by itself",
                "softmax(Tensor([[0, np.log(3)], [np.log(4), 0]]), dim=1)",
                "[[0.25, 0.75], [0.8, 0.2]]",
                why="With dim=1 each row is a whole of its own.",
            ),
            Case(
                "each column by itself",
                "softmax(Tensor([[0, np.log(3)], [np.log(4), 0]]), dim=0)",
                "[[0.2, 0.75], [0.8, 0.25]]",
                why="With dim=0 each column is a whole of its own.",
            ),
            Case(
                "any dim of three",
                "softmax(randn(2, 3, 4), dim=1).sum(dim=1)",
                "np.ones((2, 4), 'float32')",
                why="The shares add up to 1 along `dim`, wherever it is.",
            ),
            Case(
                "large numbers",
                "softmax(Tensor([1000, 1000, -1000]))",
                "[0.5, 0.5, 0.0]",
                why="e^1000 is inf in a float, and inf / inf is nan.",
            ),
            Case(
                "rows far apart",
                "softmax(Tensor([[1000, 1000], [-1000, -1000]]), dim=1)",
                "[[0.5, 0.5], [0.5, 0.5]]",
                why="Each row needs its own largest: below another row's, e^-2000 is 0, and 0 / 0 "
                "is nan.",
            ),
            Case(
                "a -inf gets nothing",
                "softmax(Tensor([-np.inf, 0, 0]))",
                "[0.0, 0.5, 0.5]",
            ),
            Case(
                "no overflow on the way",
                "with np.errstate(over='raise'):\n    y = softmax(Tensor([1000, -1000]))\ny",
                "[1.0, 0.0]",
                why=NO_OVERFLOW,
            ),
            Case(
                "the argument stays as it was",
                "x = Tensor([1, 2])\nsoftmax(x)\nx",
                "[1.0, 2.0]",
                why=ALONE,
            ),
            Case(
                "float64 keeps its digits",
                "softmax(Tensor([[0, 1], [2, 2]], dtype=float64))",
                "np.array([[1 / (1 + np.e), np.e / (1 + np.e)], [0.5, 0.5]])",
                why="A float64 stays one, with all its digits: nothing on the way may be float32.",
                tol=1e-12,
            ),
            Case(
                "a dim that is not there",
                "softmax(ones(2, 3), dim=2)",
                raises=(IndexError, r"softmax: dim 2.*\(2, 3\)"),
                why="`x._dim` raises it.",
            ),
            Case(
                "names itself in an error",
                "softmax([1, 2])",
                raises=(TypeError, "^softmax: "),
                why='`_floats(x, "softmax")` raises it.',
            ),
        ),
        wrong=(
            Wrong(
                """
                e = np.exp(_floats(x, "softmax"))
                return Tensor(e / e.sum(axis=x._dim(dim, "softmax"), keepdims=True))
                """,
                "inf / inf is nan",
            ),
            Wrong(
                """
                a = _floats(x, "softmax")
                e = np.exp(a - a.max())
                return Tensor(e / e.sum(axis=x._dim(dim, "softmax"), keepdims=True))
                """,
                "Each row needs its own largest",
            ),
            Wrong(
                """
                a, axis = _floats(x, "softmax"), x._dim(dim, "softmax")
                e = np.exp(a - a.max(axis=axis, keepdims=True))
                return Tensor(e / e.sum(axis=axis))
                """,
                "With dim=1 each row",
            ),
            Wrong(
                """
                a = _floats(x, "softmax")
                e = np.exp(a - a.max(axis=-1, keepdims=True))
                return Tensor(e / e.sum(axis=-1, keepdims=True))
                """,
                "With dim=0 each column",
            ),
            Wrong(
                """
                a, axis = _floats(x, "softmax"), x._dim(dim, "softmax")
                a -= a.max(axis=axis, keepdims=True)
                e = np.exp(a)
                return Tensor(e / e.sum(axis=axis, keepdims=True))
                """,
                "belongs to the caller",
            ),
        ),
    ),
    Exercise(
        "activations.log_softmax",
        title="The logarithm of a share",
        hints=(
            "The logarithm of a quotient is a difference: log(e^s / sum) = s - log(sum). Written "
            "this way nothing has to be divided.",
            "Subtract the largest first, as in softmax: `s = a - a.max(axis=axis, keepdims=True)`. "
            "The result is `s - np.log(np.exp(s).sum(axis=axis, keepdims=True))`.",
        ),
        cases=(
            Case(
                "logarithms of shares",
                "log_softmax(Tensor([0, 0, np.log(2)]))",
                "np.log(np.array([0.25, 0.25, 0.5], 'float32'))",
            ),
            Case(
                "each row by itself",
                "log_softmax(Tensor([[0, np.log(3)], [np.log(4), 0]]), dim=1)",
                "np.log(np.array([[0.25, 0.75], [0.8, 0.2]], 'float32'))",
                why="With dim=1 each row is a whole of its own.",
            ),
            Case(
                "each column by itself",
                "log_softmax(Tensor([[0, np.log(3)], [np.log(4), 0]]), dim=0)",
                "np.log(np.array([[0.2, 0.75], [0.8, 0.25]], 'float32'))",
                why="With dim=0 each column is a whole of its own.",
            ),
            Case(
                "a share too small for a float",
                "log_softmax(Tensor([0, 1000]))",
                "[-1000.0, 0.0]",
                why="The share itself, e^-1000, is 0 in a float, and log(0) is -inf. Its logarithm "
                "is an ordinary number: never form the share.",
            ),
            Case(
                "large numbers, close together",
                "log_softmax(Tensor([1000, 1000]))",
                "-np.log(np.array([2, 2], 'float32'))",
                why="e^1000 is inf: the largest must be subtracted before np.exp, and what is "
                "subtracted there is subtracted from x as well.",
            ),
            Case(
                "rows far apart",
                "log_softmax(Tensor([[1000, 1000], [-1000, -1000]]), dim=1)",
                "-np.log(np.full((2, 2), 2, 'float32'))",
                why="Each row needs its own largest.",
            ),
            Case("a -inf stays -inf", "log_softmax(Tensor([-np.inf, 0]))", "[-np.inf, 0.0]"),
            Case(
                "no overflow on the way",
                "with np.errstate(over='raise'):\n    y = log_softmax(Tensor([1000, -1000]))\ny",
                "[0.0, -2000.0]",
                why=NO_OVERFLOW,
            ),
            Case(
                "the argument stays as it was",
                "x = Tensor([1, 2])\nlog_softmax(x)\nx",
                "[1.0, 2.0]",
                why=ALONE,
            ),
            Case(
                "a dim that is not there",
                "log_softmax(ones(2, 3), dim=-3)",
                raises=(IndexError, r"log_softmax: dim -3.*\(2, 3\)"),
                why="`x._dim` raises it.",
            ),
            Case(
                "float64 keeps its digits",
                "log_softmax(Tensor([[0, 1], [2, 2]], dtype=float64))",
                "np.array([[0, 1] - np.log(1 + np.e), [-np.log(2), -np.log(2)]])",
                why="A float64 stays one, with all its digits: nothing on the way may be float32.",
                tol=1e-12,
            ),
            Case(
                "names itself in an error",
                "log_softmax([1, 2])",
                raises=(TypeError, "^log_softmax: "),
                why='`_floats(x, "log_softmax")` raises it.',
            ),
        ),
        wrong=(
            Wrong("return softmax(x, dim).log()", "never form the share"),
            Wrong(
                """
                a, axis = _floats(x, "log_softmax"), x._dim(dim, "log_softmax")
                return Tensor(a - np.log(np.exp(a).sum(axis=axis, keepdims=True)))
                """,
                "never form the share",
            ),
            Wrong(
                """
                a, axis = _floats(x, "log_softmax"), x._dim(dim, "log_softmax")
                m = a.max(axis=axis, keepdims=True)
                return Tensor(a - np.log(np.exp(a - m).sum(axis=axis, keepdims=True)))
                """,
                "expected -1.38629, got -0.693147",
            ),
            Wrong(
                """
                a, axis = _floats(x, "log_softmax"), x._dim(dim, "log_softmax")
                s = a - a.max()
                return Tensor(s - np.log(np.exp(s).sum(axis=axis, keepdims=True)))
                """,
                "Each row needs its own largest",
            ),
            Wrong(
                """
                a, axis = _floats(x, "log_softmax"), x._dim(dim, "log_softmax")
                s = a - a.max(axis=axis, keepdims=True)
                return Tensor(s - np.log(np.exp(s).sum()))
                """,
                "each row is a whole",
            ),
        ),
    ),
)
