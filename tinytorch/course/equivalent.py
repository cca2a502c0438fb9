"""Mutants that no check should refuse, each with the reason: see `mutate.py`.

By exercise, then by the change as `python -m tinytorch mutate` prints it. They compute the same as
the solution, or differ only where the docstring leaves the student free.
"""

_NO_ROW_LEFT = "differs for rows of no elements only, of which the docstring says nothing"
_ANY_NEGATIVE = "NumPy takes any negative size for the one it is to work out"
_SQUARED = "the difference is squared"
_RESHAPED = "`reshape(shape)` puts the dimensions of size 1 back"
_ONE_BATCH = "the loss of a single batch is multiplied by n / n"
_MADE_FLOAT32 = "a Tensor made of a Python float is float32"
_BOTH_ENDS = "with peak and end at one step the docstring does not say which of them stays"

EQUIVALENT: dict[str, dict[str, str]] = {
    "tensor.Tensor.__matmul__": {
        "1 -> 2 (2)": "of a matrix, `shape[-2]` is `shape[0]`",
    },
    "tensor.Tensor.reshape": {
        "0 -> 1 (2)": "a shape without sizes has no negative one, whatever the default",
        "_ints('reshape', sizes) -> _ints('?', sizes) (2)": "the sizes have passed it already",
    },
    "tensor.Tensor.contiguous": {
        "self.data.copy(order='C') -> self.data.copy()": "C is what an array's `copy` does anyway",
    },
    "activations.sigmoid": {
        "x >= 0 -> x > 0": "at 0, e^-|x| is 1, and so is the larger one of it and either bool",
    },
    "activations.softmax": {
        "data.max(axis=axis, keepdims=True, initial=-np.inf)"
        " -> data.max(axis=axis, keepdims=True)": _NO_ROW_LEFT,
    },
    "activations.log_softmax": {
        "data.max(axis=axis, keepdims=True, initial=-np.inf)"
        " -> data.max(axis=axis, keepdims=True)": _NO_ROW_LEFT,
    },
    "layers.Dropout.forward": {
        "not self.training or self.p == 0 -> not self.training": "a mask of ones keeps all",
        "rand(x.shape) >= self.p -> rand(x.shape) > self.p": "a draw is hardly ever p itself",
        "0 -> 1 (2)": "with p = 1 the mask is all zeros, whatever it is multiplied by",
    },
    "layers.layer_norm": {
        "1 -> 2": _ANY_NEGATIVE,
        "1 -> 2 (3)": _ANY_NEGATIVE,
        "1 -> 2 (4)": _ANY_NEGATIVE,
    },
    "losses.mse_loss": {
        "input - target -> target - input": _SQUARED,
    },
    "losses.cross_entropy": {
        "if _has_more(logits, target, weight, ignore_index) -> if True": "`_weighted` can do both",
        "log_softmax(rows, dim=1) -> log_softmax(rows)": "rows have two dims: 1 is the last",
    },
    "losses.contrastive_loss": {
        "x1 - x2 -> x2 - x1": _SQUARED,
    },
    "autograd.unbroadcast": {
        "_add_up(grad, (*range(front), *ones), keepdims=True)"
        " -> _add_up(grad, (*range(front), *ones))": _RESHAPED,
        "True -> False": _RESHAPED,
    },
    "optimizers.Optimizer.decayed": {
        "1 -> 2": "any slot will do in which nobody else computes",
    },
    "training.Trainer.step": {
        "if len(batches) > 1 -> if True": _ONE_BATCH,
        "len(batches) > 1 -> len(batches) >= 1": _ONE_BATCH,
        "1 -> 0": _ONE_BATCH,
    },
    "training.EarlyStopping.__call__": {
        "0 -> 1": "the first entry is a new best, and sets the count to 0",
    },
    "training.clip_grad_norm_": {
        "float(np.linalg.norm(norms, norm_type)) if norms else 0.0"
        " -> float(np.linalg.norm(norms, norm_type))": "NumPy's norm of no numbers is 0 as well",
        "scale >= 1 -> scale > 1": "a factor of exactly 1 changes nothing",
        "return Tensor(norm) -> in float32": _MADE_FLOAT32,
        "return Tensor(norm) -> rounded to float32": _MADE_FLOAT32,
    },
    "lr_scheduler.OneCycleLR.lr_at": {
        "1 -> 2 (4)": "`min(share, 1)` follows",
        "1 -> 0 (4)": _BOTH_ENDS,
    },
}
