"""TinyTorch: a PyTorch-like framework on NumPy, built piece by piece."""

# ruff: noqa: I001  -- the imports stand in the order of the modules

from . import simd as _simd
from .course import overlay as _overlay
from .tensor_checks import bool_, float16, float32, float64, int8, int32, int64, uint8
from .tensor import (
    Tensor,
    broadcast_shapes,
    cat,
    contiguous_strides,
    maximum,
    minimum,
    stack,
    where,
)
from .creation import (
    arange,
    eye,
    from_numpy,
    full,
    get_rng_state,
    manual_seed,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    set_rng_state,
    zeros,
    zeros_like,
)
from .activations import (
    GELU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    gelu,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from .layers import (
    Buffer,
    Dropout,
    LayerNorm,
    Linear,
    Module,
    Parameter,
    Sequential,
    Unmatched,
    calculate_gain,
    kaiming_normal_,
    kaiming_uniform_,
    layer_norm,
    normal_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from .losses import (
    BCEWithLogitsLoss,
    ContrastiveLoss,
    CrossEntropyLoss,
    MSELoss,
    binary_cross_entropy_with_logits,
    contrastive_loss,
    cross_entropy,
    mse_loss,
)
from .autograd_tensor import attach as _attach
from .autograd_rules import install as _install
from .autograd import (
    Function,
    backpropagate,
    checkpoint,
    differentiable,
    enable_grad,
    is_grad_enabled,
    no_grad,
    topological_order,
    unbroadcast,
)
from .autograd_tools import gradcheck, graph, saved_bytes
from .optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from .serialization import load, save
from .lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
    StepLR,
)
from .training import EarlyStopping, Progress, Trainer, accuracy, clip_grad_norm_
from .training_tools import LossPlot, ProgressBar, SaveCheckpoint

_attach()  # tensors gain gradients
_install()  # and the operations of Modules 01-04 their rules
_simd.enable()  # in a browser, NumPy's matmul becomes a fast one; elsewhere nothing happens
_overlay.load()  # from here on, what the student has built stands in for the reference
