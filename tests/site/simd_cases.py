"""Runs in the browser, in Pyodide: build one product from its description, multiply with NumPy's
loop and with the kernel, compare. `check(case)` returns None or what is wrong."""

import warnings

import numpy as np

from tinytorch import simd

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.0]


def values(rng, shape, dtype, fill):
    """Numbers of a kind: small whole ones (exact however they are added), normal ones, and normal
    ones with NaN and infinities among them."""
    if fill == "whole" or np.dtype(dtype).kind in "iuO":
        return rng.integers(-5, 6, shape).astype(dtype)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    if fill == "wild" and x.size:
        at = rng.random(shape) < 2 / x.size**0.5
        x[at] = rng.choice(SPECIAL, at.sum())
    return x.astype(dtype)


def lay(x, layout):
    """The same numbers, otherwise in memory."""
    if x.ndim < 2 and layout in ("F", "turned", "same row", "same column"):
        layout = "step"
    if layout == "C":
        return np.ascontiguousarray(x)
    if layout == "F":  # each matrix transposed in memory
        return np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)
    if layout == "turned":  # batch and row axes swapped in memory
        return np.ascontiguousarray(x.T).T
    if layout == "reversed":
        every = (slice(None, None, -1),) * x.ndim
        return np.ascontiguousarray(x[every])[every]
    if layout == "step":
        wide = np.full([2 * d for d in x.shape], 99).astype(x.dtype)
        at = (slice(None, None, 2),) * x.ndim
        wide[at] = x
        return wide[at]
    if layout == "part":  # rows longer than the matrix
        wide = np.full([*x.shape[:-1], x.shape[-1] + 3], 99).astype(x.dtype)
        wide[..., 1:-2] = x
        return wide[..., 1:-2]
    if layout == "same row":
        return np.broadcast_to(x[..., :1, :], x.shape)
    if layout == "same column":
        return np.broadcast_to(x[..., :1], x.shape)
    if x.dtype == object:
        return x
    if layout == "field":  # one byte between elements: strides that are no multiple of the size
        record = np.zeros(x.shape, [("pad", "u1"), ("x", x.dtype)])
        record["x"] = x
        return record["x"]
    if layout == "gap":  # aligned, but the stride is one and a half elements of a double
        size = max(12, x.itemsize * 3 // 2)
        kind = np.dtype({"names": ["x"], "formats": [x.dtype], "itemsize": size})
        record = np.zeros(x.shape, kind)
        record["x"] = x
        return record["x"]
    raise ValueError(layout)


def operands(case):
    rng = np.random.default_rng(case["seed"])
    m, k, n = case["m"], case["k"], case["n"]
    a_shape = [*case["batch_a"], m, k] if m is not None else [k]
    b_shape = [*case["batch_b"], k, n] if n is not None else [k]
    a = lay(values(rng, a_shape, case["dtype_a"], case["fill"]), case["layout_a"])
    b = lay(values(rng, b_shape, case["dtype_b"], case["fill"]), case["layout_b"])
    return a, b


def multiply(case):
    """One product, with everything built anew: `out` may lie over the operands."""
    a, b = operands(case)
    if case["out"] is None:
        return np.matmul(a, b)
    shape = np.matmul(np.zeros(a.shape, "?"), np.zeros(b.shape, "?")).shape
    dtype = np.result_type(a, b)
    if case["out"] == "over":  # operands and result in one buffer, shifted against each other
        size, shift = max(a.size, b.size, int(np.prod(shape))), case["shift"]
        buffer = np.zeros(size + 2 * shift + 1, dtype)
        one = buffer[shift : shift + a.size].reshape(a.shape)
        two = buffer[: b.size].reshape(b.shape)
        two[...] = b
        one[...] = a
        out = buffer[2 * shift : 2 * shift + int(np.prod(shape))].reshape(shape)
        np.matmul(one, two, out=out)
        return np.concatenate([buffer, out.ravel()])
    filler = np.full(shape, 77).astype(dtype)
    out = lay(filler.copy(), case["out"])
    whole = out if out.base is None else out.base
    before = whole.tobytes()
    assert np.matmul(a, b, out=out) is out
    result = np.array(out)
    out[...] = filler
    assert whole.tobytes() == before, "memory beside `out` was written to"
    return result


def differ(case, own, ours):
    if own.dtype != ours.dtype or own.shape != ours.shape:
        return f"{ours.dtype}{ours.shape}, NumPy has {own.dtype}{own.shape}"
    if case["fill"] == "whole" or own.dtype not in (np.float32, np.float64):
        if own.dtype == object:
            own, ours = own.astype(complex), ours.astype(complex)
        if not np.array_equal(own, ours, equal_nan=own.dtype.kind in "fc"):
            return f"not equal: {(own != ours).sum()} of {own.size}"
        if own.dtype.kind == "f" and (np.signbit(own) != np.signbit(ours)).any():
            return "zeros of another sign"
        return None
    finite = np.isfinite(own)
    if not np.array_equal(np.where(finite, 0, own), np.where(finite, 0, ours), equal_nan=True):
        return "NaN or infinity elsewhere"
    if case["out"] == "over":
        return None  # operands already overwritten: the whole-number cases compare these
    a, b = (np.abs(np.nan_to_num(x, posinf=0, neginf=0)) for x in operands(case))
    size = np.matmul(a.astype(float), b.astype(float))
    # Rounding errors of unlike terms partly cancel; where all terms are alike, they add up.
    alike = any(case[x].startswith("same") for x in ("layout_a", "layout_b"))
    steps = case["k"] if alike else case["k"] ** 0.5
    allowed = (4 + steps) * np.finfo(own.dtype).eps * size
    error = np.abs(np.where(finite, ours, 0).astype(float) - np.where(finite, own, 0))
    if (error > allowed).any():
        return f"off by {(error / np.maximum(allowed, 1e-300)).max():.3g} times what is allowed"
    return None


def check(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simd.disable()
        own = np.asarray(multiply(case))
        assert simd.enable(case["kernel"]).kernel == case["kernel"], simd.info()
        return differ(case, own, np.asarray(multiply(case)))


def pick(case):
    """One function of two operands, of numbers among which are NaN, infinities and both zeros."""
    rng = np.random.default_rng(case["seed"])
    n, shift, function = case["n"], case["shift"], getattr(np, case["function"])

    sets = {"special": [*SPECIAL, np.float64(-np.nan), 3.5], "zeros": [0.0, -0.0, -1e-40, 1e-40]}
    numbers = sets.get(case["of"], rng.standard_normal(200) * 9)

    def operand(layout):
        x = rng.choice(numbers, 1 if layout == "one" else n).astype(case["dtype"])
        return x if layout in ("array", "one") else lay(x, layout)

    a, b = operand(case["a"]), operand(case["b"])
    if case["how"] == "into a" and a.shape == (n,):
        return function(a, b, out=a)
    if case["how"] == "shifted":  # operand and result in one buffer
        buffer = rng.choice(numbers, n + 20).astype(case["dtype"])
        function(buffer[10 : 10 + n], b, out=buffer[10 + shift : 10 + shift + n])
        return buffer
    if case["how"] == "accumulate":
        return function.accumulate(a)
    if case["how"] == "reduce":
        return function.reduce(a, initial=case["shift"])
    if case["how"] == "rows":
        return function.reduce(rng.choice(numbers, (5, n + 1)).astype(case["dtype"]), axis=0)
    if case["how"] == "columns":
        return function.reduce(rng.choice(numbers, (5, n + 1)).astype(case["dtype"]), axis=1)
    return function(a, b)


def check_pair(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simd.disable()
        own = np.asarray(pick(case))
        assert simd.enable(case["kernel"]).kernel == case["kernel"], simd.info()
        ours = np.asarray(pick(case))
    if case["function"] not in ("maximum", "minimum"):  # which NaN comes of two is not told
        own, ours = (np.where(np.isnan(x), x.dtype.type(np.nan), x) for x in (own, ours))
    if own.dtype != ours.dtype or own.tobytes() != ours.tobytes():
        return f"{ours}, NumPy has {own}"
    return None


FUNCTIONS = {"exp": (np.exp, 105), "tanh": (np.tanh, 10), "sqrt": (np.sqrt, 1000)}


def apart(true, got):
    """float32 arrays -> the largest distance in steps from one float32 to the next, and how many
    differ; -1 for a NaN or a sign that is not where it should be."""
    nan = np.isnan(true)
    if not np.array_equal(nan, np.isnan(got)):
        return -1, 0
    true, got = true[~nan], got[~nan]
    if not np.array_equal(np.signbit(true), np.signbit(got)):
        return -1, 0
    steps = np.abs(true.view("i4").astype("i8") - got.view("i4"))
    return int(steps.max(initial=0)), int((steps > 0).sum())


def dense(name, kernel):
    """Each exponent and sign with 40,000 mantissas, the ends among them; and NaN and infinity."""
    mantissas = np.random.default_rng(0).integers(0, 1 << 23, 40_000, dtype="u4")
    mantissas[:4] = 0, 1, (1 << 23) - 1, 1 << 22
    function = FUNCTIONS[name][0]
    assert simd.enable(kernel).kernel == kernel, simd.info()
    worst = wrong = 0
    for top in range(512):
        x = ((np.uint32(top) << np.uint32(23)) | mantissas).view("f4")
        with np.errstate(all="ignore"):
            steps, many = apart(function(x.astype("f8")).astype("f4"), function(x))
        if steps < 0:
            return f"NaN or sign: {x[:4]}"
        worst, wrong = max(worst, steps), wrong + many
    return [worst, wrong]


def check_function(case):
    """A function of an array laid somehow: near what float64 gives, wherever its numbers lie."""
    rng = np.random.default_rng(case["seed"])
    function, size = FUNCTIONS[case["name"]]
    x = rng.uniform(-size, size, case["shape"]).astype("f4")
    at = rng.random(x.shape) < 0.1
    x[at] = rng.choice(SPECIAL, at.sum())
    assert simd.enable(case["kernel"]).kernel == case["kernel"], simd.info()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        laid = lay(x, case["layout"])
        x = np.array(laid)  # a copy: `laid` may become the result
        true = function(x.astype("f8")).astype("f4")
        if case["out"] == "itself":
            got = function(laid, out=laid if laid.flags.writeable else None)
        elif case["out"] == "where":
            kept = rng.random(x.shape) < 0.5
            got = function(laid, out=lay(np.full_like(x, 7), "step"), where=kept)
            true = np.where(kept, true, np.float32(7))
        elif case["out"] == "shifted":
            buffer = np.concatenate([np.ones(9, "f4"), x.ravel()])
            got = function(buffer[9:], out=buffer[case["seed"] % 9 :][: x.size]).reshape(x.shape)
        else:
            got = function(laid, out=None if case["out"] is None else lay(x * 0, case["out"]))
        one_by_one = np.array([function(v) for v in x.ravel()], "f4").reshape(x.shape)
    if case["out"] != "where" and got.tobytes() != one_by_one.tobytes():
        return "not what a number alone gives"
    steps, _ = apart(true, np.ascontiguousarray(got))
    return None if steps in (0, 1) else f"{steps} steps apart"


def error(make, kernel):
    """Type and message that `make` raises with this kernel, or with NumPy's loops for None."""
    simd.disable() if kernel is None else simd.enable(kernel)
    try:
        result = eval(make)
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return f"no error, {result!r}"
