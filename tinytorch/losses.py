"""Losses: by how much a network is wrong, as one number that can be made smaller.

Each is a function of what the network gave and what it should have given, and a class whose objects
hold the options and call the function. Losses that involve probabilities take *logits*, the scores
before any sigmoid or softmax: the logarithm of a probability is an ordinary number even where the
probability itself is too small for a float.
Names and formulas follow PyTorch (https://pytorch.org/docs/stable/nn.functional.html).
"""

from __future__ import annotations

import numpy as np

from .activations import log_softmax, relu
from .layers import Module
from .tensor import Tensor, _describe, broadcast_shapes

# Many losses, one number


def reduce(losses: Tensor, reduction: str = "mean") -> Tensor:
    """One number from many losses: their "mean" or "sum", shape (); with "none", all of them.

    Raises ValueError for any other reduction: `_check_reduction(reduction, "reduce")` does.

    >>> reduce(Tensor([1, 2, 6]), "mean")
    Tensor(3.0000)
    """
    _check_reduction(reduction, "reduce")
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def _check_reduction(reduction: object, op: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        expected = "reduction must be 'mean', 'sum' or 'none'"
        raise ValueError(f"{op}: {expected}, got {reduction!r}")


def _check_tensors(op: str, *tensors: object) -> None:
    for x in tensors:
        if not isinstance(x, Tensor):
            raise TypeError(f"{op}: expected a Tensor, got {_describe(x)}")


def _check_same_shape(input: Tensor, target: Tensor, op: str) -> None:
    """TypeError unless both are Tensors, ValueError unless they have the same shape."""
    _check_tensors(op, input, target)
    if input.shape != target.shape:
        shapes = f"input has shape {input.shape}, target {target.shape}"
        raise ValueError(f"{op}: {shapes}: they must be the same")


def _check_between_0_and_1(target: Tensor, op: str) -> None:
    wrong = ~((target.data >= 0) & (target.data <= 1))  # so that nan is wrong, too
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        at = f" at {where}" if where else ""
        raise ValueError(f"{op}: expected targets from 0 to 1, got {target.data[where]}{at}")


# The losses


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The squared difference of each element of `input` and `target`; see `reduce`.

    Both have the same shape. PyTorch would broadcast, with a warning: (n,) against (n, 1) then
    compares each with each. Here that is a ValueError:
    `mse_loss: input has shape (3,), target (3, 1): they must be the same`
    `_check_same_shape(input, target, "mse_loss")` raises it.

    >>> mse_loss(Tensor([1, 2]), Tensor([1, 5]))
    Tensor(4.5000)
    """
    _check_same_shape(input, target, "mse_loss")
    difference = input - target
    return reduce(difference * difference, reduction)


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    weight: Tensor | None = None,
    ignore_index: int = -100,
) -> Tensor:
    """How surprising the right classes are: -log of each one's share in the softmax; see `reduce`.

    logits: scores of shape (N, C), one row for each example, one column for each class.
    target: ints of shape (N,), the right class of each row.
    Also (C,) with target (), and (N, C, d1, ...) with target (N, d1, ...), one class per position.

    label_smoothing: a number s from 0 to 1. The right class then counts only 1 - s, and s is spread
    evenly over all C classes: (1 - s) * loss + s * (mean of -log share over the classes).

    weight: how much each class counts, shape (C,); a mean is then one with these weights.
    ignore_index: positions with this target cost nothing, and do not count in a mean.
    target may also be probabilities of all classes, floats in the logits' shape.
    If `_has_more(logits, target, weight, ignore_index)`, one of these three is asked for, and
    `_weighted(logits, target, reduction, label_smoothing, weight, ignore_index)` is the result.

    `rows, classes = _class_rows(logits, target, label_smoothing)` makes all checks, and gives the
    logits as a Tensor (positions, C) and the right classes as an int array (positions,), for every
    one of these shapes. The losses are to have the target's shape. No share is ever formed:
    `log_softmax` gives its logarithm.

    >>> cross_entropy(Tensor([[0, 0], [0, 200]]), Tensor([0, 0], dtype=int), reduction="none")
    Tensor([  0.6931, 200.0000])
    """
    if _has_more(logits, target, weight, ignore_index):
        return _weighted(logits, target, reduction, label_smoothing, weight, ignore_index)
    rows, classes = _class_rows(logits, target, label_smoothing)
    log_shares = log_softmax(rows, dim=1)  # (positions, C)
    losses = -log_shares[np.arange(len(classes)), classes]  # (positions,)
    if label_smoothing:
        losses = losses * (1 - label_smoothing) - log_shares.mean(dim=1) * label_smoothing
    return reduce(losses.reshape(target.shape), reduction)


def _has_more(logits: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int) -> bool:
    """Whether cross_entropy has class weights, positions to ignore, or probabilities as target."""
    _check_tensors("cross_entropy", logits, target)
    probabilities = target.dtype.kind == "f" and target.shape == logits.shape != ()
    return weight is not None or probabilities or bool((target.data == ignore_index).any())


def _weighted(
    logits: Tensor,
    target: Tensor,
    reduction: str,
    label_smoothing: float,
    weight: Tensor | None,
    ignore_index: int,
) -> Tensor:
    """`cross_entropy` with every class of every position counting as `_aims` says."""
    aims, count = _aims(logits, target, label_smoothing, weight, ignore_index)
    dim = min(1, logits.ndim - 1)
    log_shares = np.moveaxis(log_softmax(logits, dim=dim).data, dim, -1)
    each = -np.multiply(aims, log_shares, out=np.zeros_like(aims), where=aims != 0)  # 0 * inf: 0
    losses = Tensor(each.sum(-1, dtype=np.result_type(each, np.float32)))
    total = reduce(losses, "sum" if reduction == "mean" else reduction)
    if reduction == "mean":
        with np.errstate(invalid="ignore"):  # all ignored: nan, as in PyTorch
            total = total / count
    return total.to(aims.dtype)


def _aims(
    logits: Tensor,
    target: Tensor,
    label_smoothing: float,
    weight: Tensor | None,
    ignore_index: int,
) -> tuple[np.ndarray, float]:
    """How much each class counts at each position, (N, d1, ..., C), and what a mean divides by."""
    op, dim = "cross_entropy", min(1, logits.ndim - 1)
    dtype, count = logits._floats().dtype, logits.shape[dim] if logits.ndim else 0
    weights = np.ones(count, dtype)
    if weight is not None:
        _check_tensors(op, weight)
        if weight.shape != (count,):
            raise ValueError(f"{op}: expected a weight of shape ({count},), got {weight.shape}")
        weights = weight.data.astype(dtype)
    if target.dtype.kind == "f" and target.shape == logits.shape:
        _check_smoothing(label_smoothing)
        shares = np.moveaxis(target.data.astype(dtype), dim, -1)
        kept, total = np.ones(shares.shape[:-1], bool), float(shares.size // max(count, 1))
    else:
        kept = target.data != ignore_index
        _, classes = _class_rows(logits, Tensor(np.where(kept, target.data, 0)), label_smoothing)
        shares = np.eye(count, dtype=dtype)[classes.reshape(target.shape)] * kept[..., None]
        total = float((shares @ weights).sum(dtype=np.float64))
    spread = label_smoothing / max(count, 1) * kept[..., None]
    return ((shares * (1 - label_smoothing) + spread) * weights).astype(dtype), total


def _check_smoothing(label_smoothing: float) -> None:
    if not 0 <= label_smoothing <= 1:
        must = "label_smoothing must lie between 0 and 1"
        raise ValueError(f"cross_entropy: {must}, got {label_smoothing}")


def _class_rows(
    logits: Tensor, target: Tensor, label_smoothing: float = 0.0
) -> tuple[Tensor, np.ndarray]:
    """Logits as (positions, C) and the right classes as (positions,), both checked.

    TypeError for a target that is no Tensor of ints, ValueError for shapes that do not belong
    together, IndexError for a class that is not there.
    """
    _check_tensors("cross_entropy", logits, target)
    if target.dtype.kind not in "iu":
        expected = "expected a target of class indices (int64)"
        raise TypeError(f"cross_entropy: {expected}, got {target.dtype}")
    _check_smoothing(label_smoothing)
    dim = 1 if logits.ndim > 1 else 0
    positions = logits.shape[:dim] + logits.shape[dim + 1 :]
    if logits.ndim == 0 or target.shape != positions:
        need = f"need a target of shape {positions}" if logits.ndim else "have no classes"
        shapes = f"logits of shape {logits.shape} {need}"
        raise ValueError(f"cross_entropy: {shapes}, got {target.shape}")
    classes, count = target.data.reshape(-1), logits.shape[dim]
    if classes.size and not 0 <= classes.min() <= classes.max() < count:
        where = int(np.argmax((classes < 0) | (classes >= count)))
        at = tuple(int(i) for i in np.unravel_index(where, positions))
        there = f"there are {count} classes, 0 to {count - 1}"
        raise IndexError(f"cross_entropy: target {classes[where]} at {at}: {there}")
    if logits.ndim == 2:
        return logits, classes
    if logits.ndim > 2:
        logits = logits.permute(0, *range(2, logits.ndim), 1)  # the classes last
    return logits.reshape(classes.size, count), classes


def binary_cross_entropy_with_logits(
    logits: Tensor, target: Tensor, reduction: str = "mean"
) -> Tensor:
    """How surprising each yes or no is, if sigmoid(logit) is the probability of a yes.

    target: of the same shape, 1 for yes and 0 for no, or any number y in between: the loss is
        -y * log(sigmoid(x)) - (1 - y) * log(1 - sigmoid(x))
    With log(sigmoid(x)) = -log(1 + e^-x) this becomes, without a sigmoid and without overflow,
        max(x, 0) - x * y + log(1 + e^-|x|)
    added up from the left. `np.log1p(z)` is log(1 + z) with all its digits, also for a small z.

    `x, y = _yes_or_no(logits, target)` checks both and gives them as arrays of floats, not to be
    written into. See `reduce` for the reduction.

    >>> binary_cross_entropy_with_logits(Tensor([0, 200]), Tensor([1, 0]), reduction="none")
    Tensor([  0.6931, 200.0000])
    """
    x, y = _yes_or_no(logits, target)
    z = np.abs(x, out=np.empty_like(x))
    np.exp(np.negative(z, out=z), out=z)
    losses = np.maximum(x, 0)
    losses -= x * y
    losses += np.log1p(z, out=z)  # last: beside x, a small logarithm would lose its digits
    return reduce(Tensor(losses), reduction)


def _yes_or_no(logits: Tensor, target: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Both as float arrays of the logits' dtype. ValueError unless shapes and targets are right.

    An infinite logit counts as the largest float: inf * 0 would be nan, as the loss is in PyTorch.
    """
    op = "binary_cross_entropy_with_logits"
    _check_same_shape(logits, target, op)
    _check_between_0_and_1(target, op)
    x = logits._floats()
    if np.isinf(x).any():
        x = np.clip(x, np.finfo(x.dtype).min, np.finfo(x.dtype).max)
    return x, target.data.astype(x.dtype, copy=False)


def contrastive_loss(
    x1: Tensor, x2: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """Pulls pairs of points together or pushes them apart: for each pair, d its distance,

        d^2 / 2                    if target is 1: the two belong together
        max(0, margin - d)^2 / 2   if target is 0: they do not

    x1, x2: points of shape (N, D), row i of both a pair. target: shape (N,). More or no dimensions
    in front work as well. Pairs that do not belong together and are farther apart than `margin`
    cost nothing. See `reduce` for the reduction.

    `y = _check_pairs(x1, x2, target, margin)` makes all checks and gives the target as a Tensor of
    x1's dtype. Take the distance as the root of d^2 + 1e-12: at 0 the slope of a root is infinite.

    Hadsell, Chopra and LeCun 2006, https://doi.org/10.1109/CVPR.2006.100, equation 4, where 0 and 1
    are the other way round.

    >>> origin, points = Tensor([[0, 0]]).expand(2, 2), Tensor([[0.3, 0.4], [0.3, 0.4]])
    >>> contrastive_loss(origin, points, Tensor([1, 0]), reduction="none")
    Tensor([0.1250, 0.1250])
    """
    y = _check_pairs(x1, x2, target, margin)
    difference = x1 - x2
    squared = (difference * difference).sum(dim=-1)  # (N, D) -> (N,)
    missing = relu(margin - (squared + 1e-12).sqrt())  # by how much the pair is too close
    return reduce((y * squared + (1 - y) * missing * missing) * 0.5, reduction)


def _check_pairs(x1: Tensor, x2: Tensor, target: Tensor, margin: float) -> Tensor:
    op = "contrastive_loss"
    _check_tensors(op, x1, x2, target)
    if x1.ndim == 0 or x1.shape != x2.shape or target.shape != x1.shape[:-1]:
        need = "expected (N, D), (N, D) and (N,)"
        shapes = f"{x1.shape}, {x2.shape} and {target.shape}"
        raise ValueError(f"{op}: {need}, got {shapes}")
    if x1.dtype.kind != "f":
        raise TypeError(f"{op}: expected floats, got {x1.dtype}")
    if not margin > 0:
        raise ValueError(f"{op}: margin must be above 0, got {margin}")
    _check_between_0_and_1(target, op)
    return target.to(x1.dtype)


# As objects


class Loss(Module):
    """A loss as a Module that holds the options. Subclasses define `forward`.

    reduction: "mean", "sum" or "none"; ValueError for anything else.
    """

    def __init__(self, reduction: str = "mean") -> None:
        _check_reduction(reduction, type(self).__name__)
        self.reduction = reduction


class MSELoss(Loss):
    """`mse_loss` as an object."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, self.reduction)


class CrossEntropyLoss(Loss):
    """`cross_entropy` as an object."""

    def __init__(
        self,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        *,
        weight: Tensor | None = None,
        ignore_index: int = -100,
    ) -> None:
        super().__init__(reduction)
        self.label_smoothing = label_smoothing
        self.weight, self.ignore_index = weight, ignore_index

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        more = {} if self.weight is None else {"weight": self.weight}
        if self.ignore_index != -100:
            more["ignore_index"] = self.ignore_index
        return cross_entropy(logits, target, self.reduction, self.label_smoothing, **more)


class BCEWithLogitsLoss(Loss):
    """`binary_cross_entropy_with_logits` as an object.

    pos_weight: how much a yes counts beside a no, a number for each that broadcasts to the logits'
    shape: the loss is -pos_weight * y * log(sigmoid(x)) - (1 - y) * log(1 - sigmoid(x)). In PyTorch
    the function takes it, too; and no gradient goes back to the target here when there is one.
    """

    def __init__(self, reduction: str = "mean", *, pos_weight: Tensor | None = None) -> None:
        super().__init__(reduction)
        if pos_weight is not None:
            _check_tensors("BCEWithLogitsLoss", pos_weight)
            if not (pos_weight.data >= 0).all():
                at_least = "pos_weight must not be negative"
                raise ValueError(f"BCEWithLogitsLoss: {at_least}, got {pos_weight}")
        self.pos_weight = pos_weight

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.pos_weight is None:
            return binary_cross_entropy_with_logits(logits, target, self.reduction)
        _, y = _yes_or_no(logits, target)
        shapes = self.pos_weight.shape, y.shape
        if broadcast_shapes(*shapes) != y.shape:
            expected = f"pos_weight of shape {shapes[0]} does not broadcast to {shapes[1]}"
            raise ValueError(f"BCEWithLogitsLoss: {expected}")
        yes = y * self.pos_weight.data.astype(y.dtype)
        weight = 1 - y + yes  # that of yes and no together; of it, the yes has this share:
        share = np.divide(yes, weight, out=np.zeros_like(y), where=weight > 0)
        each = binary_cross_entropy_with_logits(logits, Tensor(share), "none")
        return reduce(each * Tensor(weight), self.reduction)


class ContrastiveLoss(Loss):
    """`contrastive_loss` as an object."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, x1: Tensor, x2: Tensor, target: Tensor) -> Tensor:
        return contrastive_loss(x1, x2, target, self.margin, self.reduction)
