"""Runs in the browser: times products by NumPy's loops, the kernels and whatever else is there."""

import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch import simd

try:
    from scipy.linalg import blas
except ImportError:
    blas = None
tfjs = None  # the module tfjs.mjs, when it could be loaded
rng = np.random.default_rng(0)


def per_call(run, at_least):
    """Seconds a call takes, from one timing of as many calls as fill `at_least` seconds. The clock
    of a browser is coarse, so nothing short is ever timed alone. `run(n)` calls n times."""
    n = 1
    while True:
        start = time.perf_counter()
        run(n)
        spent = time.perf_counter() - start
        if spent >= at_least:
            return spent / n
        n = max(2 * n, int(1.2 * n * at_least / max(spent, 1e-4)))


def compare(contenders, repeats=7, at_least=0.02, budget=3.0):
    """Seconds of each contender, given as (what to switch on, run). They take turns, so that what
    else the machine does falls on all of them, and the fastest turn counts, for it only ever adds.
    One that is slow gets fewer turns."""
    times = {name: [] for name in contenders}
    spent = dict.fromkeys(contenders, 0.0)
    for name, (switch, run) in contenders.items():
        switch()
        start = time.perf_counter()
        run(1)  # warm: a browser compiles for speed what has run before
        if time.perf_counter() - start > budget:  # seconds long: warm within the first call
            times[name].append(time.perf_counter() - start)
            spent[name] = budget
    for _ in range(repeats):
        for name, (switch, run) in contenders.items():
            if spent[name] < budget:
                switch()
                start = time.perf_counter()
                times[name].append(per_call(run, at_least))
                spent[name] += time.perf_counter() - start
    return {name: min(t) for name, t in times.items()}


def calls(function):
    def run(n):
        for _ in range(n):
            function()

    return run


def kernels():
    """The kernels this browser runs, by name, with what switches each on."""
    found = {"numpy": simd.disable}
    for name in simd.KERNELS:
        if simd.enable(name).kernel == name:
            found[name] = lambda name=name: simd.enable(name)
    simd.disable()
    return found


def limit(dtype, kernel):
    """Multiply-adds on registers alone: what to run, and how many operations a call does."""
    path, _ = simd._checked(kernel)
    run, operations = simd._state.multiply_adds(path, dtype)
    return calls(run), operations


def product(shape_a, shape_b, dtype, repeats=7, at_least=0.02):
    """Seconds of A @ B for everyone, and those that as many operations on registers would take."""
    a = rng.uniform(-1, 1, shape_a).astype(dtype)
    b = rng.uniform(-1, 1, shape_b).astype(dtype)
    many = {name: (on, calls(lambda: a @ b)) for name, on in kernels().items()}
    if blas is not None and a.ndim == 2:
        gemm = blas.sgemm if dtype == "float32" else blas.dgemm
        at, bt = (
            a.T,
            b.T,
        )  # the columns it wants are our rows: C.T = B.T @ A.T, and nothing is copied
        many["scipy"] = (simd.disable, calls(lambda: gemm(1, bt, at)))
    if tfjs is not None and dtype == "float32":
        tfjs.operands(shape_a, shape_b)
        many["tfjs"] = (simd.disable, lambda n: tfjs.multiply(n))
    flops = 2 * a.size * b.shape[-1]
    share = {}
    for name in kernels():
        if name != "numpy":
            run, done = limit(dtype, name)
            many[f"limit {name}"] = (simd.disable, run)
            share[f"limit {name}"] = flops / done
    return {name: t * share.get(name, 1) for name, t in compare(many, repeats, at_least).items()}


EACH = {
    "x + y": lambda x, y, out: np.add(x, y, out=out),
    "x / y": lambda x, y, out: np.divide(x, y, out=out),
    "x.sum(0)": lambda x, y, out: x.sum(0),
    "x.sum(-1)": lambda x, y, out: x.sum(-1),
    "x.max(-1)": lambda x, y, out: x.max(-1),
    "np.maximum(x, 0)": lambda x, y, out: np.maximum(x, 0, out=out),
    "np.sqrt(y)": lambda x, y, out: np.sqrt(y, out=out),
    "np.exp(x)": lambda x, y, out: np.exp(x, out=out),
    "np.tanh(x)": lambda x, y, out: np.tanh(x, out=out),
    "softmax(x)": lambda x, y, out: softmax(x, out),
}


def softmax(x, out):
    np.subtract(x, x.max(-1, keepdims=True), out=out)
    np.exp(out, out=out)
    np.divide(out, out.sum(-1, keepdims=True), out=out)


def each(name, shape):
    """Seconds a number of a float32 function, on random numbers (y: positive ones)."""
    x = rng.standard_normal(shape, "f4")
    y, out = np.abs(x), np.empty_like(x)
    run = calls(lambda: EACH[name](x, y, out))
    many = {name: (on, run) for name, on in kernels().items()}
    return {name: t / x.size for name, t in compare(many, 5).items()}


def conv(batch, channels, size, filters, width):
    """Seconds of a convolution's forward: im2col and one product a picture, no padding."""
    x = rng.standard_normal((batch, channels, size, size)).astype("f4")
    w = rng.standard_normal((filters, channels * width * width)).astype("f4")
    out = size - width + 1
    columns = np.empty((batch, channels, width, width, out, out), "f4")
    result = np.empty((batch, filters, out * out), "f4")

    def forward():
        # (B, C, w, w, out, out): all shifts of each picture, rows whole, so copying is fast
        np.copyto(columns, sliding_window_view(x, (out, out), axis=(2, 3)))
        np.matmul(w, columns.reshape(batch, -1, out * out), out=result)  # (B, F, out*out)

    return compare({name: (on, calls(forward)) for name, on in kernels().items()}, 5)


def epoch(samples, batch):
    """Seconds of one pass of a 784-128-10 network, written by hand, over random samples."""
    x = rng.random((samples, 784), "f4")
    y = rng.integers(0, 10, samples)
    one_hot = np.eye(10, dtype="f4")

    def train():
        w1 = rng.standard_normal((784, 128), "f4") * np.float32(0.05)
        w2 = rng.standard_normal((128, 10), "f4") * np.float32(0.1)
        b1, b2 = np.zeros(128, "f4"), np.zeros(10, "f4")
        rate = np.float32(0.1)
        for i in range(0, samples, batch):
            xb = x[i : i + batch]  # (B, 784)
            h = np.maximum(xb @ w1 + b1, 0)  # (B, 128)
            z = h @ w2 + b2  # (B, 10)
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            dz = (p - one_hot[y[i : i + batch]]) / np.float32(batch)
            dh = (dz @ w2.T) * (h > 0)
            w2 -= rate * (h.T @ dz)
            b2 -= rate * dz.sum(0)
            w1 -= rate * (xb.T @ dh)
            b1 -= rate * dh.sum(0)

    return compare({name: (on, calls(train)) for name, on in kernels().items()}, 3)
