"""The SIMD kernels in real browsers: Hypothesis draws products here, Pyodide multiplies there."""

import os
import sys
import zipfile
from math import prod
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bench.tab import Tab, find_browser  # noqa: E402
from tinytorch.simd import build  # noqa: E402

ENGINES = os.environ.get("TINYTORCH_ENGINES", "chromium,firefox").split(",")
CASES = {"chromium": 1000, "firefox": 250}  # for each kernel
KERNELS = ["relaxed", "baseline"]
BROKEN = {
    # malloc never has anything, so that packing cannot be done
    "poor.c": """
        #define FROM_MAIN(name)
        #include "matmul.c"
        void *malloc(unsigned long n) { return n ? (void *)0 : (void *)0; }
        void free(void *p) { (void)p; }
    """,
    # loads, answers, and computes nothing
    "wrong.c": """
        #define EXPORT(name) __attribute__((export_name(#name), visibility("default")))
        EXPORT(tt_set_numpy_loop) void a(int i, void *x) { (void)i; (void)x; }
        EXPORT(tt_matmul_f32) void b(void *w, void *x, void *y, void *z)
        { (void)w; (void)x; (void)y; (void)z; }
        EXPORT(tt_matmul_f64) void c(void *w, void *x, void *y, void *z)
        { (void)w; (void)x; (void)y; (void)z; }
    """,
}


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Path:
    """tinytorch.simd with its kernels as one archive, and nothing else of tinytorch."""
    folder = tmp_path_factory.mktemp("simd")
    files = build.compile(folder)
    for name, text in BROKEN.items():
        source = folder / name
        source.write_text(text, encoding="utf-8")
        flags = [*build.FEATURES["baseline"], "-I", str(build.SOURCE)]
        files.append(build.side_module(source, source.with_suffix(".wasm"), *flags))
    path = folder / "tinytorch-simd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinytorch/__init__.py", "")
        for file in [*build.SOURCE.glob("*.py"), *files]:
            archive.write(file, f"tinytorch/simd/{file.name}")
    return path


@pytest.fixture(scope="session")
def tabs():
    """The tabs opened so far; pytest comes back to an engine after it has been in another."""
    opened: dict[str, Tab] = {}
    yield opened
    for tab in opened.values():
        tab.__exit__()


@pytest.fixture(scope="module", params=ENGINES)
def tab(request, package, tabs):
    name = request.param
    if find_browser(name) is None:
        pytest.fail(
            f"{name} is not installed. On Debian: apt-get install firefox-esr chromium. "
            "To test in one engine only: TINYTORCH_ENGINES=chromium"
        )
    if name not in tabs:
        tabs[name] = Tab(name, archives=(package,), timeout=180).__enter__()
        tabs[name].run((Path(__file__).parent / "simd_cases.py").read_text(encoding="utf-8"))
    tabs[name].run("simd.enable().kernel")
    return tabs[name]


@pytest.fixture(scope="module", params=KERNELS)
def kernel(request, tab):
    """A kernel's name. One that the browser does not know must say so; that is all it can do."""
    info = tab.run("simd.disable(); vars(simd.enable(args['k']))", k=request.param)
    if info["kernel"] == "numpy":
        assert info["reason"] == f"this browser does not know {request.param} SIMD"
        pytest.skip(f"{tab.agent}: {info['reason']}")
    assert info["kernel"] == request.param
    return request.param


PRIMES = [23, 31, 37, 61, 67, 127, 131, 257, 389, 521, 787, 1151]
size = st.one_of(st.integers(0, 20), st.sampled_from(PRIMES), st.sampled_from([64, 65, 384, 385]))
layout = st.sampled_from(
    ["C", "F", "turned", "reversed", "step", "part", "same row", "same column", "field", "gap"]
)
batches = st.sampled_from(
    [([], []), ([3], [3]), ([2, 3], [2, 3]), ([], [3]), ([3], []), ([1, 2], [3, 1]), ([0], [0])]
)
fill = st.sampled_from(["whole", "normal", "wild"])
floats = st.sampled_from(["float32", "float64"])
others = st.sampled_from(["int64", "int32", "uint8", "bool", "float16", "complex64", "object"])
writable = st.sampled_from([None, "C", "F", "turned", "reversed", "step", "part", "field", "gap"])


@st.composite
def products(draw, dtype=floats, mixed=False):
    """The description of one product; at most two million multiplications in it."""
    sizes = [draw(size) for _ in range(3)]
    batch_a, batch_b = draw(batches)
    while sizes[0] * sizes[1] * sizes[2] > 300_000:
        at = sizes.index(max(sizes))
        sizes[at] = sizes[at] // 7 + 1
    m, k, n = sizes
    if draw(st.integers(0, 7)) == 0:
        m, batch_a = None, []
    if draw(st.integers(0, 7)) == 0:
        n, batch_b = None, []
    dtype_a = draw(dtype)
    return {
        **{"m": m, "k": k, "n": n, "batch_a": batch_a, "batch_b": batch_b},
        **{"dtype_a": dtype_a, "dtype_b": draw(dtype | floats) if mixed else dtype_a},
        **{"layout_a": draw(layout), "layout_b": draw(layout)},
        **{"fill": draw(fill), "seed": draw(st.integers(0, 9999))},
        **{"out": draw(writable) if m is not None and n is not None else None, "shift": 0},
    }


def cases(tab, strategy, count, source="check(args)", **extra):
    """Draw `count` products and check each in the tab."""

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case):
        assert tab.run(source, **case, **extra) is None

    run()


def test_products_are_numpys(tab, kernel):
    cases(tab, products(), CASES[tab.name], kernel=kernel)


def test_result_over_the_operands(tab, kernel):
    """NumPy copies operands that the result overlaps; the kernel must not see any."""

    @st.composite
    def over(draw):
        case = draw(products())
        case |= {"out": "over", "shift": draw(st.integers(0, 40)), "fill": "whole"}
        case |= {"m": case["m"] or 5, "n": case["n"] or 7}
        case |= {"layout_a": "C", "layout_b": "C"}
        return case

    cases(tab, over(), CASES[tab.name] // 8, kernel=kernel)


def test_other_dtypes_are_untouched(tab, kernel):
    cases(tab, products(others, mixed=True), CASES[tab.name] // 8, kernel=kernel)


@st.composite
def pairs(draw):
    """The description of one function of two operands, or of its reduction."""
    functions = ["maximum", "minimum", "add", "subtract", "multiply", "divide"]
    layouts = st.sampled_from(["array", "array", "one", "step", "reversed", "part", "field"])
    hows = st.sampled_from(["new", "into a", "shifted", "accumulate", "reduce", "rows", "columns"])
    return {
        **{"function": draw(st.sampled_from(functions)), "dtype": draw(floats)},
        **{
            "n": draw(st.integers(0, 70) | st.integers(100, 600)),
            "seed": draw(st.integers(0, 9999)),
        },
        **{"a": draw(layouts), "b": draw(layouts), "how": draw(hows)},
        **{"shift": draw(st.integers(-9, 9))},
        "of": draw(st.sampled_from(["special", "zeros", "normal"])),
    }


def test_maximum_and_arithmetic_are_numpys_bit_for_bit(tab, kernel):
    cases(tab, pairs(), CASES[tab.name], source="check_pair(args)", kernel=kernel)


@st.composite
def arrays(draw):
    """The description of one np.exp, np.tanh or np.sqrt."""
    shape = st.lists(st.integers(0, 70) | st.integers(0, 9), min_size=1, max_size=3)
    places = ["C", "F", "turned", "reversed", "step", "part", "field", "gap"]
    return {
        **{
            "name": draw(st.sampled_from(["exp", "tanh", "sqrt"])),
            "seed": draw(st.integers(0, 9999)),
        },
        **{"shape": draw(shape.filter(lambda s: prod(s) < 2000))},
        "layout": draw(st.sampled_from([*places, "same row", "same column"])),
        "out": draw(st.sampled_from([None, None, *places, "itself", "where", "shifted"])),
    }


def test_functions_anywhere_in_memory(tab, kernel):
    cases(tab, arrays(), CASES[tab.name] // 2, source="check_function(args)", kernel=kernel)


@pytest.mark.parametrize("name", ["exp", "tanh", "sqrt"])
def test_functions_of_every_exponent(tab, kernel, name):
    """Nothing is off by more than one float32, and hardly anything by one."""
    worst, wrong = tab.run("dense(args['name'], args['k'])", name=name, k=kernel)
    assert worst <= (name != "sqrt")
    assert wrong < 1000  # of 20 million


def test_functions_warn_as_numpy_does(tab, kernel):
    own, ours = tab.run(
        """
def told():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        x = np.array([1000, -1000, np.nan, np.inf, -np.inf, 1e-45, -0.0, 89, -104], "f4")
        results = np.exp(x), np.tanh(x), np.abs(np.sqrt(x)), x / x[::-1], x - x
    return [str(r) for r in results] + [str(w.message) for w in caught]
simd.disable()
own = told()
simd.enable(args["k"])
[own, told()]
""",
        k=kernel,
    )
    assert own == ours


@pytest.mark.parametrize(
    "m, k, n", [(1, 1, 1), (4, 4, 8), (4099, 3, 5), (3, 5, 4099), (3, 9001, 5)]
)
def test_thin_and_huge(tab, kernel, m, k, n):
    for dtype in ("float32", "float64"):
        for a in ("C", "F"):
            for b in ("C", "F"):
                case = {"m": m, "k": k, "n": n, "batch_a": [], "batch_b": [], "seed": 1}
                case |= {"dtype_a": dtype, "dtype_b": dtype, "layout_a": a, "layout_b": b}
                for fill in ("whole", "normal"):
                    assert (
                        tab.run("check(args)", **case, fill=fill, out=None, kernel=kernel) is None
                    )


@pytest.mark.parametrize(
    "call",
    [
        "np.ones((2, 3), 'f4') @ np.ones((4, 5), 'f4')",
        "np.ones((2, 2, 3), 'f4') @ np.ones((3, 3, 5), 'f4')",
        "np.float32(1) @ np.ones((4, 5), 'f4')",
        "np.matmul(np.ones((20, 30), 'f4'), np.ones((30, 20), 'f4'), out=np.ones((2, 2), 'f4'))",
        "np.matmul(np.ones((9, 9)), np.ones((9, 9)), out=np.ones((9, 9), 'i4'))",
        "np.ones((9, 9), 'f4') @ np.full((9, 9), 'a')",
        "np.ones((9, 9), 'f4') @ np.zeros((9, 9), 'M8[s]')",
    ],
)
def test_errors_are_numpys(tab, kernel, call):
    own = tab.run("error(args['call'], None)", call=call)
    assert own == tab.run("error(args['call'], args['k'])", call=call, k=kernel)
    assert "Error" in own


def test_the_heap_grows_between_calls(tab, kernel):
    wrong, grown = tab.run(
        """
import pyodide_js
heap = lambda: pyodide_js._module.HEAP8.length
simd.disable()
a = np.arange(300 * 400).reshape(300, 400) % 7 - 3
b = np.arange(400 * 200).reshape(400, 200) % 5 - 2
expected = a @ b
simd.enable(args["k"])
start, kept, wrong = heap(), [], 0
while heap() < start + 100_000_000:
    kept.append(np.ones(3_000_000))
    for dtype in ("f4", "f8"):
        wrong += not np.array_equal(a.astype(dtype) @ b.astype(dtype), expected)
del kept
[wrong, heap() - start]
""",
        k=kernel,
    )
    assert wrong == 0
    assert grown >= 100_000_000


def test_without_memory_to_pack_numpy_multiplies(tab):
    assert tab.run("""
from tinytorch.simd import browser
simd.disable()
a = np.arange(300 * 400).reshape(300, 400) % 7 - 3
b = np.arange(400 * 200).reshape(400, 200) % 5 - 2
expected = a @ b
simd._state.install(simd.FOLDER / "poor.wasm")
try:
    right = all(np.array_equal(a.astype(d) @ b.astype(d), expected) for d in ("f4", "f8"))
finally:
    simd._state.restore()
right
""")


def test_a_wrong_kernel_never_reaches_numpy(tab):
    told, same = tab.run("""
simd.disable()
try:
    simd._state.install(simd.FOLDER / "wrong.wasm")
    told = "installed"
except Exception as e:
    told = f"{type(e).__name__}: {e}"
[told, simd._state.own == simd._state.now()]
""")
    assert told == "Wrong: matmul of float32 by the kernel is wrong"
    assert same


def test_a_damaged_file_is_refused_and_reported_once(tab):
    infos, told, right = tab.run("""
simd.disable()
path = simd.FOLDER / "matmul-baseline.wasm"
sound = path.read_bytes()
path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
try:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        infos = [vars(simd.enable("baseline")) for _ in range(3)]
        x = np.ones((50, 50), "f4")
        right = bool((x @ x == 50).all())
finally:
    path.write_bytes(sound)
    simd._warned = False
[infos, [str(w.message) for w in caught], right]
""")
    assert right
    assert [i["kernel"] for i in infos] == ["numpy"] * 3
    assert all("matmul-baseline.wasm is damaged: sha256" in i["reason"] for i in infos)
    assert len(told) == 1
    assert told[0].endswith("NumPy's own matmul is used.")


def test_a_browser_without_simd(tab):
    info, same = tab.run("""
from tinytorch.simd import browser
simd.disable()
accepts, browser.accepts = browser.accepts, lambda path: False
info = vars(simd.enable())
browser.accepts = accepts
[info, simd._state.own == simd._state.now()]
""")
    assert info["kernel"] == "numpy"
    assert info["reason"] == "this browser does not know relaxed nor baseline SIMD"
    assert same


def test_a_numpy_whose_table_differs(tab):
    info, own = tab.run("""
import ctypes
from tinytorch.simd import loops
simd.disable()
state, layout, simd._state = simd._state, loops._UFunc, None
class Shifted(ctypes.Structure):
    _fields_ = (("new", ctypes.c_void_p), *layout._fields_)
loops._UFunc = Shifted
try:
    info = vars(simd.enable())
finally:
    loops._UFunc, simd._state = layout, state
[info, state.own == state.now()]
""")
    assert info["kernel"] == "numpy"
    assert info["reason"].startswith("TableDiffers: matmul: found ")
    assert own


def test_enable_picks_the_best_and_disable_undoes_it(tab):
    best, off, again = tab.run("""
simd.disable()
[i.kernel for i in (simd.enable(), simd.disable(), simd.enable())]
""")
    assert best == again != "numpy"
    assert off == "numpy"
    info = tab.run("vars(simd.info())")
    assert info["file"] == f"matmul-{best}.wasm"
    assert len(info["sha256"]) == 64
    assert info["numpy"] == tab.run("np.__version__")


def test_unknown_kernel_name(tab):
    assert tab.run("error(\"simd.enable('fast')\", None)") == (
        "ValueError: kernel is 'fast', expected one of ('relaxed', 'baseline') or None"
    )


def test_the_limit_is_measured(tab, kernel):
    """Numbers of this machine; only what holds on any is asserted."""
    told, single, double, wrong = tab.run(
        """
simd.enable(args["k"])
rate = simd.peak()
simd.disable()  # the limit is the machine's: it can be asked for then, too
[simd.info().kernel, rate, simd.peak(np.float64), error("simd.peak('int8')", None)]
""",
        k=kernel,
    )
    assert told == "numpy"
    assert single > 0 and double > 0
    assert wrong == "ValueError: dtype is 'int8', expected 'float32' or 'float64'"


def test_the_limit_is_counted_right(tab, kernel):
    """What a round of the loop adds up, step by step: 20 multiply-adds in each lane."""
    assert tab.run(
        """
import ctypes
path, _ = simd._checked(args["k"])
right = []
for dtype, name in (("float32", "tt_peak_f32"), ("float64", "tt_peak_f64")):
    x = np.zeros(48 // np.dtype(dtype).itemsize, dtype)
    a, b, s = 2, 3, 2
    lanes = len(x) // 3
    x[:lanes], x[lanes : 2 * lanes] = a, b
    getattr(simd._state.open(path), name)(2, ctypes.c_void_p(x.ctypes.data))
    for _ in range(2):
        s = (s * a + b) * b + a
    right.append(bool((x[2 * lanes :] == 10 * s).all()))
all(right)
""",
        k=kernel,
    )
