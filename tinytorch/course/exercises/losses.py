"""Module 04: the exercises that build `tinytorch/losses.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

CLASSES = "Tensor([0, 1], dtype=int64)"
BCE = "binary_cross_entropy_with_logits"

EXERCISES = (
    Exercise(
        "losses.reduce",
        title="One number from many",
        hints=(
            "Three cases, and a Tensor has a method for two of them. Without `dim`, `mean()` and "
            "`sum()` take all elements together.",
            'For "none" there is nothing to do: return `losses` as it is. '
            '`_check_reduction(reduction, "reduce")`, on the first line, raises for all else.',
        ),
        given="each = Tensor([[1, 2], [3, 10]])",
        cases=(
            Case(
                "the mean, unless said otherwise",
                "losses.reduce(each)",
                "Tensor(4)",
                why="One number for all elements, whatever their shape: a Tensor of shape ().",
            ),
            Case("the sum", "losses.reduce(each, 'sum')", "Tensor(16)"),
            Case(
                "none: all as they are",
                "losses.reduce(each, 'none')",
                "[[1.0, 2.0], [3.0, 10.0]]",
            ),
            Case(
                "a word it does not know",
                "losses.reduce(each, 'average')",
                raises=(ValueError, "reduce.*'average'"),
                why="Taken for one of the three, a slip of the pen would train with the wrong "
                "loss and say nothing.",
            ),
            Case(
                "float64 keeps its digits",
                "d = Tensor([0.1, 0.2], dtype=float64)\nlosses.reduce(d), losses.reduce(d, 'sum')",
                "(np.array(0.15), np.array(0.3))",
                why="The result keeps the dtype of what it was computed from.",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong("return losses.mean()", "expected 16, got 4"),
            Wrong("return losses.mean(dim=0)", "whatever their shape"),
            Wrong(
                """
                if reduction == "mean":
                    return losses.mean()
                if reduction == "sum":
                    return losses.sum()
                return losses
                """,
                "a slip of the pen",
            ),
            Wrong("return losses.mean().item()", "must return a Tensor"),
        ),
    ),
    Exercise(
        "losses.mse_loss",
        title="Squared distance from the truth",
        hints=(
            "The check comes first, because broadcasting would make something of nearly any two "
            'shapes: `_check_same_shape(input, target, "mse_loss")`.',
            "`difference = input - target`, its square is `difference * difference`, and "
            "`reduce(..., reduction)` does the rest.",
        ),
        given="given, true = Tensor([1, 2, 3]), Tensor([1, 0, 6])",
        cases=(
            Case("the mean of the squares", "mse_loss(given, true)", "Tensor(13 / 3)"),
            Case("the sum", "mse_loss(given, true, reduction='sum')", "Tensor(13)"),
            Case(
                "one for each element",
                "mse_loss(given, true, reduction='none')",
                "[0.0, 4.0, 9.0]",
            ),
            Case(
                "errors do not cancel",
                "mse_loss(Tensor([-1, 1]), zeros(2))",
                "Tensor(1)",
                why="Square first, then average: one error too high and one too low are two "
                "errors, not none.",
            ),
            Case(
                "all elements count alike",
                "mse_loss(Tensor([[1, 2], [3, 4]]), zeros(2, 2))",
                "Tensor(7.5)",
            ),
            Case(
                "a row against a column",
                "mse_loss(zeros(3), zeros(3, 1))",
                raises=(ValueError, r"mse_loss.*\(3,\).*\(3, 1\)"),
                why="These two would broadcast to (3, 3): each prediction would be compared with "
                "every target.",
            ),
            Case(
                "an unknown reduction",
                "mse_loss(given, true, reduction='max')",
                raises=(ValueError, "'max'"),
                why="`reduce` raises it.",
            ),
            Case(
                "float64 keeps its digits",
                "mse_loss(Tensor([0.1], dtype=float64), Tensor([0.4], dtype=float64))",
                "np.array(0.09)",
                why="The result keeps the dtype of what it was computed from.",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong(
                """
                difference = input - target
                return reduce(difference * difference, reduction)
                """,
                "compared with every target",
            ),
            Wrong(
                """
                _check_same_shape(input, target, "mse_loss")
                return reduce(abs(input - target), reduction)
                """,
                "expected 4.33333, got 1.66667",
            ),
            Wrong(
                """
                _check_same_shape(input, target, "mse_loss")
                return reduce(input - target, reduction) ** 2
                """,
                "expected 4.33333, got 0.111111",
            ),
            Wrong(
                """
                _check_same_shape(input, target, "mse_loss")
                return ((input - target) ** 2).mean()
                """,
                "expected 13, got 4.33333",
            ),
        ),
    ),
    Exercise(
        "losses.cross_entropy",
        title="Surprise at the right class",
        hints=(
            "`rows, classes = _class_rows(logits, target, label_smoothing)`, and then "
            "`log_softmax(rows, dim=1)`: the logarithm of every share, (positions, C).",
            "From row i take column `classes[i]`: an index of two arrays of the same length, "
            "`log_shares[np.arange(len(classes)), classes]`. The loss is minus that.",
            "The first two lines are `_has_more` and `_weighted`, with all arguments. The smoothed "
            "part is `-log_shares.mean(dim=1)`. At the end "
            "`losses.reshape(target.shape)` goes through `reduce`.",
        ),
        given=f"scores, right = Tensor([[0, np.log(3)], [np.log(4), 0]]), {CLASSES}",
        cases=(
            Case(
                "no preference among two",
                "cross_entropy(zeros(1, 2), Tensor([1], dtype=int64))",
                "Tensor(np.log(2), dtype=float32)",
                why="Each has the share 1/2, and -log(1/2) = log 2 = 0.693.",
            ),
            Case(
                "one for each row",
                "cross_entropy(scores, right, reduction='none')",
                "-np.log(np.array([0.25, 0.2], 'float32'))",
                why="The shares are [0.25, 0.75] and [0.8, 0.2]; the right classes 0 and 1.",
            ),
            Case(
                "the mean",
                "cross_entropy(scores, right)",
                "Tensor(-(np.log(0.25) + np.log(0.2)) / 2, dtype=float32)",
            ),
            Case(
                "the sum",
                "cross_entropy(scores, right, reduction='sum')",
                "Tensor(-np.log(0.25) - np.log(0.2), dtype=float32)",
            ),
            Case(
                "very sure: right, and wrong",
                f"cross_entropy(Tensor([[1000, 0], [1000, 0]]), {CLASSES}, reduction='none')",
                "[0.0, 1000.0]",
                why="The share e^-1000 is 0 in a float and its logarithm -inf. log_softmax gives "
                "-1000.",
            ),
            Case(
                "labels smoothed",
                "cross_entropy(scores, right, reduction='none', label_smoothing=0.2)",
                "np.array([-0.9 * np.log(0.25) - 0.1 * np.log(0.75), "
                "-0.9 * np.log(0.2) - 0.1 * np.log(0.8)], 'float32')",
                why="With s = 0.2 and two classes the right one counts 0.8 + 0.1, the other 0.1.",
            ),
            Case(
                "a single example",
                "cross_entropy(Tensor([0, np.log(3)]), Tensor(1, dtype=int64))",
                "Tensor(-np.log(0.75), dtype=float32)",
            ),
            Case(
                "a class for every position",
                "cross_entropy(randn(2, 3, 5), zeros(2, 5, dtype=int64), reduction='none').shape",
                "(2, 5)",
                why="The losses have the target's shape.",
            ),
            Case(
                "class -1 is not the last one",
                "cross_entropy(scores, Tensor([0, -1], dtype=int64))",
                raises=(IndexError, r"cross_entropy: target -1 at \(1,\)"),
                why="`_class_rows` raises it. As an index, -1 would quietly be the last class.",
            ),
            Case(
                "class weights, and a position to ignore",
                "cross_entropy(zeros(3, 2), Tensor([0, 1, -100], dtype=int64), 'none', "
                "weight=Tensor([1, 3]))",
                "np.array([np.log(2), 3 * np.log(2), 0], 'float32')",
                why="`_has_more(logits, target, weight, ignore_index)` says whether they are asked "
                "for; then return what `_weighted` gives.",
            ),
            Case(
                "classes are ints",
                "cross_entropy(scores, Tensor([0, 1]))",
                raises=(TypeError, "float32"),
                why="`_class_rows` raises it.",
            ),
            Case(
                "a class that is ruled out",
                "cross_entropy(Tensor([[0, -np.inf]]), Tensor([0], dtype=int64))",
                "Tensor(0)",
                why="Without smoothing the mean over the classes plays no part: 0 times inf would "
                "be nan.",
            ),
            Case(
                "float64 keeps its digits",
                "x, y = Tensor([[0, 1]], dtype=float64), Tensor([1], dtype=int64)\n"
                "cross_entropy(x, y), cross_entropy(x, y, weight=Tensor([1, 3], dtype=float64))",
                "(np.array(np.log1p(1 / np.e)), np.array(np.log1p(1 / np.e)))",
                why="The result keeps the dtype of what it was computed from.",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong(
                """
                rows, classes = _class_rows(logits, target, label_smoothing)
                log_shares = softmax(rows, dim=1).log()
                losses = -log_shares[np.arange(len(classes)), classes]
                return reduce(losses.reshape(target.shape), reduction)
                """,
                "log_softmax gives -1000",
            ),
            Wrong(
                """
                rows, classes = _class_rows(logits, target, label_smoothing)
                losses = -log_softmax(rows, dim=1)[:, classes]
                return reduce(losses, reduction)
                """,
                "shape must be (2,); it is (2, 2)",
            ),
            Wrong(
                """
                rows, classes = _class_rows(logits, target, label_smoothing)
                losses = -log_softmax(softmax(rows, dim=1), dim=1)[np.arange(len(classes)), classes]
                return reduce(losses.reshape(target.shape), reduction)
                """,
                "The shares are [0.25, 0.75]",
            ),
            Wrong(
                """
                rows, classes = _class_rows(logits, target, label_smoothing)
                losses = log_softmax(rows, dim=1)[np.arange(len(classes)), classes]
                return reduce(losses.reshape(target.shape), reduction)
                """,
                "expected 0.693147, got -0.693147",
            ),
            Wrong(
                """
                rows, classes = _class_rows(logits, target, label_smoothing)
                losses = -log_softmax(rows, dim=1)[np.arange(len(classes)), classes]
                return reduce(losses.reshape(target.shape), reduction)
                """,
                "counts 0.8 + 0.1",
            ),
            Wrong(
                """
                rows, classes = _class_rows(logits, target, label_smoothing)
                log_shares = log_softmax(rows, dim=1)
                losses = -log_shares[np.arange(len(classes)), classes]
                if label_smoothing:
                    spread = -log_shares.mean(dim=1)
                    losses = losses * (1 - label_smoothing) + spread * label_smoothing
                return reduce(losses.reshape(target.shape), reduction)
                """,
                "says whether they are asked for",
            ),
            Wrong(
                """
                log_shares = log_softmax(logits, dim=-1)
                classes = target.data
                losses = -log_shares[np.arange(len(classes)), classes]
                if label_smoothing:
                    spread = -log_shares.mean(dim=1)
                    losses = losses * (1 - label_smoothing) + spread * label_smoothing
                return reduce(losses, reduction)
                """,
                "a single example",
            ),
        ),
    ),
    Exercise(
        f"losses.{BCE}",
        title="Surprise at a yes or no",
        hints=(
            "`x, y = _yes_or_no(logits, target)` are NumPy arrays; the last formula of the "
            "docstring has three terms, and each is one NumPy expression.",
            "`np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))`, as a Tensor, through "
            "`reduce`.",
        ),
        cases=(
            Case(
                "undecided",
                f"{BCE}(Tensor([0, 0]), Tensor([0, 1]), reduction='none')",
                "np.log(np.array([2, 2], 'float32'))",
            ),
            Case(
                "three to one",
                f"{BCE}(Tensor([np.log(3), np.log(3)]), Tensor([1, 0]), reduction='none')",
                "-np.log(np.array([0.75, 0.25], 'float32'))",
                why="sigmoid(log 3) = 3/4: a yes costs -log(3/4), a no -log(1/4).",
            ),
            Case(
                "very sure: wrong, wrong, right, right",
                f"{BCE}(Tensor([1000, -1000, 1000, -1000]), Tensor([0, 1, 1, 0]), "
                "reduction='none')",
                "[1000.0, 1000.0, 0.0, 0.0]",
                why="sigmoid(-1000) is 0 in a float, and e^1000 is inf. The loss itself is an "
                "ordinary number.",
            ),
            Case(
                "a target in between",
                f"{BCE}(Tensor([np.log(3)]), Tensor([0.5]))",
                "Tensor(-(np.log(0.75) + np.log(0.25)) / 2, dtype=float32)",
            ),
            Case(
                "small losses keep their digits",
                f"{BCE}(Tensor([20, 30]), Tensor([1, 1]), reduction='none') * 1e9",
                "[2.0611537, 0.0000936]",
                why="Added to 1 or to 20, a number as small as 2e-9 is gone in float32. `np.log1p` "
                "does not form 1 + z, and the two large terms cancel before it is added.",
            ),
            Case(
                "no overflow on the way",
                "with np.errstate(over='raise'):\n"
                f"    y = {BCE}(Tensor([1000, -1000]), Tensor([1, 1]))\ny",
                "Tensor(500)",
                why="Nothing above 0 should reach `np.exp`.",
            ),
            Case("the sum", f"{BCE}(zeros(2), ones(2), reduction='sum').shape", "()"),
            Case(
                "the arguments stay as they were",
                f"x, y = Tensor([-1, 2]), Tensor([1, 0])\n{BCE}(x, y)\n(x, y)",
                "(Tensor([-1, 2]), Tensor([1, 0]))",
            ),
            Case(
                "one target for each logit",
                f"{BCE}(zeros(3, 1), zeros(3))",
                raises=(ValueError, r"\(3, 1\).*\(3,\)"),
                why="`_yes_or_no` raises it.",
            ),
            Case(
                "a target that is no probability",
                f"{BCE}(zeros(2), Tensor([1, -1]))",
                raises=(ValueError, r"-1.0 at \(1,\)"),
                why="`_yes_or_no` raises it.",
            ),
            Case(
                "float64 keeps its digits",
                f"{BCE}(Tensor([1], dtype=float64), Tensor([1], dtype=float64))",
                "np.array(np.log1p(1 / np.e))",
                tol=1e-12,
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong(
                """
                x, y = _yes_or_no(logits, target)
                p = 1 / (1 + np.exp(-x))
                return reduce(Tensor(-y * np.log(p) - (1 - y) * np.log(1 - p)), reduction)
                """,
                "The loss itself is an ordinary number",
            ),
            Wrong(
                """
                x, y = _yes_or_no(logits, target)
                return reduce(Tensor(np.log(1 + np.exp(x)) - x * y), reduction)
                """,
                "The loss itself is an ordinary number",
            ),
            Wrong(
                """
                x, y = _yes_or_no(logits, target)
                losses = np.maximum(x, 0) - x * y + np.log(1 + np.exp(-np.abs(x)))
                return reduce(Tensor(losses), reduction)
                """,
                "does not form 1 + z",
            ),
            Wrong(
                """
                x, y = _yes_or_no(logits, target)
                losses = np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0) - x * y
                return reduce(Tensor(losses), reduction)
                """,
                "cancel before it is added",
            ),
            Wrong(
                """
                x, y = _yes_or_no(logits, target)
                losses = y * np.log1p(np.exp(-np.abs(x)))
                return reduce(Tensor(losses), reduction)
                """,
                "expected 0.693147, got 0",
            ),
            Wrong(
                """
                x, y = logits.data, target.data
                losses = np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))
                return reduce(Tensor(losses), reduction)
                """,
                "`_yes_or_no` raises it",
            ),
        ),
    ),
    Exercise(
        "losses.contrastive_loss",
        title="Near or far",
        hints=(
            "The squared distance of each pair is a sum over the last dimension: "
            "`squared = (difference * difference).sum(dim=-1)`. Pairs that belong together need "
            "no root at all.",
            "What is missing to the margin is `relu(margin - distance)`: nothing, for pairs that "
            "are far enough apart.",
            "With y from `_check_pairs`, one expression covers both kinds: "
            "`y * squared + (1 - y) * missing * missing`, halved, through `reduce`.",
        ),
        given=(
            "a = zeros(3, 2)\n"
            "b = Tensor([[0.3, 0.4], [0.6, 0.8], [3, 4]])  # distances 0.5, 1 and 5\n"
            "same, other = ones(3), zeros(3)"
        ),
        cases=(
            Case(
                "together: half the squared distance",
                "contrastive_loss(a, b, same, reduction='none')",
                "[0.125, 0.5, 12.5]",
                why="The distances are 0.5, 1 and 5.",
            ),
            Case(
                "apart: half the square of what is missing",
                "contrastive_loss(a, b, other, reduction='none')",
                "[0.125, 0.0, 0.0]",
                why="With margin 1, what is missing is 0.5, 0 and 0: farther apart than the "
                "margin costs nothing.",
            ),
            Case(
                "another margin",
                "contrastive_loss(a, b, other, margin=2, reduction='none')",
                "[1.125, 0.5, 0.0]",
                why="With margin 2, what is missing is 1.5, 1 and 0.",
            ),
            Case(
                "some of each",
                "contrastive_loss(a, b, Tensor([1, 0, 1]))",
                "Tensor((0.125 + 0 + 12.5) / 3)",
            ),
            Case(
                "apart, and yet the same point",
                "contrastive_loss(a, a, other, reduction='none')",
                "[0.5, 0.5, 0.5]",
            ),
            Case(
                "one pair",
                "contrastive_loss(Tensor([1, 1]), Tensor([4, 5]), Tensor(1, dtype=int64))",
                "Tensor(12.5)",
            ),
            Case(
                "pairs must match",
                "contrastive_loss(zeros(3, 2), zeros(3, 4), ones(3))",
                raises=(ValueError, r"contrastive_loss.*\(3, 2\), \(3, 4\) and \(3,\)"),
                why="`_check_pairs` raises it.",
            ),
            Case(
                "a target is 0 or 1",
                "contrastive_loss(a, b, Tensor([1, 0, -1]))",
                raises=(ValueError, r"-1.0 at \(2,\)"),
                why="`_check_pairs` raises it.",
            ),
            Case(
                "the distance is never quite 0",
                "x = Tensor([[0.1]], dtype=float64)\ncontrastive_loss(x, x, zeros(1))",
                "np.array((1 - 1e-6) ** 2 / 2)",
                tol=1e-12,
                why="At 0 the slope of a root is infinite, and infinity times 0 is nan: take the "
                "root of d^2 + 1e-12, in x1's dtype.",
            ),
        ),
        wrong=(
            Wrong(
                """
                y = _check_pairs(x1, x2, target, margin)
                squared = ((x1 - x2) ** 2).sum(dim=-1)
                missing = margin - squared.sqrt()
                return reduce((y * squared + (1 - y) * missing * missing) * 0.5, reduction)
                """,
                "costs nothing",
            ),
            Wrong(
                """
                y = 1 - _check_pairs(x1, x2, target, margin)
                squared = ((x1 - x2) ** 2).sum(dim=-1)
                missing = relu(margin - squared.sqrt())
                return reduce((y * squared + (1 - y) * missing * missing) * 0.5, reduction)
                """,
                "expected 0.5, got 0",
            ),
            Wrong(
                """
                y = _check_pairs(x1, x2, target, margin)
                squared = ((x1 - x2) ** 2).sum(dim=-1)
                missing = relu(margin - squared)
                return reduce((y * squared + (1 - y) * missing * missing) * 0.5, reduction)
                """,
                "what is missing is 0.5",
            ),
            Wrong(
                """
                y = _check_pairs(x1, x2, target, margin)
                squared = ((x1 - x2) ** 2).sum(dim=-1)
                missing = relu(margin - squared.sqrt())
                return reduce(y * squared + (1 - y) * missing * missing, reduction)
                """,
                "expected 0.125, got 0.25",
            ),
            Wrong(
                """
                y = _check_pairs(x1, x2, target, margin)
                squared = ((x1 - x2) ** 2).mean(dim=-1)
                missing = relu(margin - squared.sqrt())
                return reduce((y * squared + (1 - y) * missing * missing) * 0.5, reduction)
                """,
                "expected 0.125, got 0.0625",
            ),
            Wrong(
                """
                y = _check_pairs(x1, x2, target, margin)
                squared = ((x1 - x2) ** 2).sum(dim=-1)
                missing = relu(margin - squared.sqrt())
                return reduce((y * squared + (1 - y) * missing * missing) * 0.5, reduction)
                """,
                "the root of d^2 + 1e-12",
            ),
        ),
    ),
)
