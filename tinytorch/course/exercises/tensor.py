"""Module 01: the exercises that build `tinytorch/tensor.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

EXERCISES = (
    Exercise(
        "tensor.Tensor.__init__",
        title="Hold the numbers",
        hints=(
            "Two kinds of input need two rules: what Python made (numbers, lists) has no dtype "
            "of its own, what NumPy made has one. `isinstance(data, (np.ndarray, np.generic))` "
            "tells them apart.",
            "For Python data: `_nested_shape(data)` first, for its errors, then "
            "`np.array(data, dtype=dtype or float32)`. For a Tensor: go on with its `.data`.",
            "`np.asarray(data, dtype=dtype)` returns the very same array when there is nothing to "
            "convert. Store it as `self.data`, then let `_check_numeric` look at it.",
        ),
        cases=(
            Case("a list becomes float32", "Tensor([[1, 2], [3, 4]]).dtype", "np.dtype('float32')"),
            Case(
                "the values arrive",
                "Tensor([[1, 2], [3, 4]]).data.tolist() == [[1.0, 2.0], [3.0, 4.0]]",
                "True",
            ),
            Case("a number has no dimensions", "Tensor(3).data.shape", "()"),
            Case(
                "an array keeps its dtype",
                "Tensor(np.array([1, 2])).data.dtype",
                "np.array([1, 2]).dtype",
                why="An array already has a dtype; without `dtype=` it must keep it.",
            ),
            Case(
                "an array is shared, not copied",
                "a = np.zeros(3)\nt = Tensor(a)\na[0] = 7\nfloat(t.data[0])",
                "7.0",
                why="The tensor must look at the array's own memory; this one holds a copy.",
            ),
            Case(
                "dtype decides when it is given",
                "Tensor(np.zeros(3), dtype=float32).data.dtype",
                "np.dtype('float32')",
            ),
            Case(
                "another tensor is shared too",
                "t = Tensor([1, 2])\nnp.shares_memory(Tensor(t).data, t.data)",
                "True",
                why="A Tensor made from a Tensor looks at the same memory.",
            ),
            Case(
                "a ragged list is an error",
                "Tensor([[1, 2], [3]])",
                raises=(ValueError, "ragged"),
            ),
            Case("text is an error", "Tensor('abc')", raises=(TypeError, "str")),
            Case("None is an error", "Tensor(None)", raises=(TypeError, "None")),
            Case(
                "an array of text is an error",
                "Tensor(np.array(['a', 'b']))",
                raises=(TypeError, "numbers"),
            ),
            Case(
                "big ints arrive whole",
                "Tensor([16777217], dtype=int64)",
                "np.array([16777217])",
                why="A list goes to the `dtype` that is asked for at once: on the way through "
                "float32, 16777217 loses its last digit.",
            ),
        ),
        wrong=(
            Wrong("self.data = np.array(data, dtype=dtype or float32)", "must keep it"),
            Wrong("self.data = np.asarray(data, dtype=dtype)", "float32"),
            Wrong(
                """
                if isinstance(data, Tensor):
                    data = data.data
                if not isinstance(data, (np.ndarray, np.generic)):
                    _nested_shape(data)
                    data = np.array(data, dtype=dtype or float32)
                self.data = np.array(data, dtype=dtype)
                _check_numeric(self.data)
                """,
                "holds a copy",
            ),
        ),
    ),
    Exercise(
        "tensor.broadcast_shapes",
        title="Decide which shapes fit",
        hints=(
            "Work from the right: the last dimensions face each other, then the ones before. "
            "Negative indices, `shape[-1]`, `shape[-2]`, count just that way.",
            "Keep a list `result` of ones, as long as the longest shape. Go through every shape "
            "and every position `i` from 1 to its length, comparing `shape[-i]` with `result[-i]`.",
            "A size of 1 changes nothing. Otherwise it must find a 1 in the result (and take its "
            "place) or its own equal. Anything else is the ValueError.",
        ),
        cases=(
            Case("equal shapes stay", "broadcast_shapes((2, 3), (2, 3))", "(2, 3)"),
            Case(
                "a missing dimension stretches",
                "broadcast_shapes((2, 3), (3,))",
                "(2, 3)",
                why="Shapes line up at the right: (3,) faces the last dimension of (2, 3).",
            ),
            Case("a size of 1 stretches", "broadcast_shapes((2, 1), (1, 3))", "(2, 3)"),
            Case("it goes both ways", "broadcast_shapes((4, 1), (2, 1, 3))", "(2, 4, 3)"),
            Case("a number fits everything", "broadcast_shapes((), (5,))", "(5,)"),
            Case("three shapes at once", "broadcast_shapes((3,), (2, 1), (4, 1, 1))", "(4, 2, 3)"),
            Case(
                "1 meets 0 and gives 0",
                "broadcast_shapes((1, 3), (0, 3))",
                "(0, 3)",
                why="Only 1 stretches. A size of 0 is a size like any other.",
            ),
            Case(
                "3 does not meet 2",
                "broadcast_shapes((2, 3), (2,))",
                raises=(ValueError, r"\(2, 3\) and \(2,\).*3 and 2"),
                why="The message names both shapes and the two sizes that disagree.",
            ),
            Case(
                "0 does not meet 3",
                "broadcast_shapes((0,), (3,))",
                raises=(ValueError, "broadcast"),
            ),
            Case(
                "the message counts dimensions from the left",
                "broadcast_shapes((5, 2, 3), (2,))",
                raises=(ValueError, r"dimension 2 has sizes 3 and 2"),
                why="The sizes meet in the last of three dimensions: number 2 of the result, "
                "counted from 0.",
            ),
            Case(
                "no shapes at all",
                "broadcast_shapes()",
                "()",
                why="`max` of nothing is an error unless it has a `default`.",
            ),
        ),
        wrong=(
            Wrong(
                """
                longest = max(shapes, key=len)
                result = list(longest)
                for shape in shapes:
                    for i, size in enumerate(shape):
                        if size != 1 and result[i] not in (1, size):
                            raise ValueError(f"shapes {shapes} do not broadcast")
                        result[i] = max(size, result[i])
                return tuple(result)
                """,
                "line up at the right",
            ),
            Wrong(
                """
                result = [1] * max(len(shape) for shape in shapes)
                for shape in shapes:
                    for i in range(1, len(shape) + 1):
                        result[-i] = max(result[-i], shape[-i])
                return tuple(result)
                """,
                "Only 1 stretches",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.__add__",
        title="Add, with broadcasting",
        hints=(
            'Begin with `a, b = self._operands(other, "add")`: it refuses what does not fit and '
            "gives two operands that NumPy can add.",
            "NumPy's `+` broadcasts and makes a new array. `+=` would write into the old one.",
            "The result is a new Tensor around `a + b`.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case(
                "adds element by element",
                "Tensor([1, 2]) + Tensor([10, 20])",
                "[11.0, 22.0]",
            ),
            Case("adds a number", "a + 1", "[[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]]"),
            Case("adds from the left", "1 + a", "[[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]]"),
            Case(
                "stretches a row over a matrix",
                "a + Tensor([10, 20, 30])",
                "[[11.0, 22.0, 33.0], [14.0, 25.0, 36.0]]",
                why="(2, 3) + (3,) broadcasts: the row is added to every row.",
            ),
            Case(
                "leaves its operands alone",
                "a + Tensor([10, 20, 30])\na",
                "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]",
                why="`a + b` must make a new tensor; this one wrote its result into `a`.",
            ),
            Case(
                "stretches a column over a row",
                "Tensor([[1], [2]]) + Tensor([10, 20])",
                "[[11.0, 21.0], [12.0, 22.0]]",
            ),
            Case(
                "stays float32",
                "(a + 0.5).dtype",
                "np.dtype('float32')",
            ),
            Case(
                "refuses shapes that do not fit",
                "a + Tensor([1, 2])",
                raises=(ValueError, r"add.*\(2, 3\).*\(2,\)"),
                why="The message names the operation and both shapes; `_operands` sees to it.",
            ),
            Case("refuses text", "a + 'one'", raises=(TypeError, "add.*str")),
            Case(
                "float64 keeps its digits",
                "Tensor([0.1], dtype=float64) + Tensor([0.2], dtype=float64)",
                "np.array([0.3])",
                why="`Tensor(a + b)` keeps the dtype NumPy found: float64 here, with all its "
                "digits.",
                tol=1e-12,
            ),
            Case(
                "ints stay ints",
                "Tensor([16777216], dtype=int64) + 1",
                "np.array([16777217])",
                why="`Tensor(a + b)` keeps the dtype NumPy found: ints are exact, float32 ends at "
                "16777216.",
            ),
        ),
        wrong=(
            Wrong(
                """
                a, b = self._operands(other, "add")
                a += b
                return self
                """,
                "wrote its result into `a`",
            ),
            Wrong("return Tensor(self.data + other.data)", "has no attribute 'data'"),
            Wrong(
                """
                a, b = self._operands(other, "add")
                return a + b
                """,
                "must return a Tensor",
            ),
            Wrong(
                """
                a, b = self._operands(other, "add")
                if np.shape(a) != np.shape(b):
                    raise ValueError(f"add: shapes {np.shape(a)} and {np.shape(b)} differ")
                return Tensor(a + b)
                """,
                "It raised ValueError: add: shapes (2, 3) and () differ",
            ),
            Wrong(
                """
                a, b = self._operands(other, "add")
                return Tensor(a + b, dtype=float32)
                """,
                "keeps the dtype NumPy found",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.__mul__",
        title="Multiply element by element",
        hints=(
            "It has the same three steps as `__add__`.",
            'Name the operation "mul" when you call `self._operands`, so that errors do.',
        ),
        given="a = Tensor([[1, 2], [3, 4]])",
        cases=(
            Case("multiplies element by element", "a * a", "[[1.0, 4.0], [9.0, 16.0]]"),
            Case("scales by a number", "a * 0.5", "[[0.5, 1.0], [1.5, 2.0]]"),
            Case("scales from the left", "2 * a", "[[2.0, 4.0], [6.0, 8.0]]"),
            Case("broadcasts", "a * Tensor([10, 100])", "[[10.0, 200.0], [30.0, 400.0]]"),
            Case(
                "leaves its operands alone",
                "a * 3\na",
                "[[1.0, 2.0], [3.0, 4.0]]",
                why="`a * b` must make a new tensor; this one changed `a`.",
            ),
            Case(
                "names itself in an error",
                "a * Tensor([1, 2, 3])",
                raises=(ValueError, r"mul.*\(2, 2\).*\(3,\)"),
            ),
            Case(
                "float64 keeps its digits",
                "Tensor([0.1], dtype=float64) * Tensor([3], dtype=float64)",
                "np.array([0.3])",
                why="`Tensor(a * b)` keeps the dtype NumPy found: float64 here, with all its "
                "digits.",
                tol=1e-12,
            ),
            Case(
                "ints stay ints",
                "Tensor([16777217], dtype=int64) * 2",
                "np.array([33554434])",
                why="`Tensor(a * b)` keeps the dtype NumPy found: ints are exact, float32 ends at "
                "16777216.",
            ),
        ),
        wrong=(
            Wrong(
                """
                a, b = self._operands(other, "mul")
                return Tensor(a @ b)
                """,
                "at index (0, 0): expected 1, got 7",
            ),
            Wrong(
                """
                a, b = self._operands(other, "mul")
                a *= b
                return self
                """,
                "this one changed `a`",
            ),
            Wrong(
                """
                a, b = self._operands(other, "add")
                return Tensor(a * b)
                """,
                "must say more",
            ),
            Wrong(
                """
                a, b = self._operands(other, "mul")
                return Tensor(a * b, dtype=float32)
                """,
                "keeps the dtype NumPy found",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.__matmul__",
        title="Multiply matrices",
        hints=(
            "NumPy's `@` on the `.data` arrays already handles vectors, matrices and batches. "
            "What it does not do is explain itself well when the shapes do not fit.",
            "The inner sizes are `a.shape[-1]` and, on the right, `b.shape[-2]`, or `b.shape[0]` "
            "when the right side is a vector. A plain number has no `.shape`: `np.ndim(b)` is 0.",
            "Refuse an operand without dimensions, then inner sizes that differ, then leading "
            "dimensions that do not broadcast; then return `Tensor(a @ b)`.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])\nb = Tensor([[1, 0], [0, 1], [1, 1]])",
        cases=(
            Case("matrix times matrix", "a @ b", "[[4.0, 5.0], [10.0, 11.0]]"),
            Case("matrix times vector", "a @ Tensor([1, 0, 1])", "[4.0, 10.0]"),
            Case("vector times matrix", "Tensor([1, 0, 1]) @ b", "[2.0, 1.0]"),
            Case("vector times vector", "Tensor([1, 2, 3]) @ Tensor([4, 5, 6])", "Tensor(32)"),
            Case(
                "a batch of matrices",
                "ones(5, 2, 3) @ ones(3, 4)",
                "np.full((5, 2, 4), 3, 'float32')",
                why="Dimensions in front of the last two are batches, and they broadcast.",
            ),
            Case(
                "two batches broadcast",
                "(ones(5, 1, 2, 3) @ ones(4, 3, 2)).shape",
                "(5, 4, 2, 2)",
            ),
            Case(
                "inner sizes must agree",
                "a @ a",
                raises=(ValueError, r"matmul.*\(2, 3\).*\(2, 3\)"),
                why="The message names `matmul` and both shapes.",
            ),
            Case(
                "a vector's size must agree",
                "a @ Tensor([1, 2])",
                raises=(ValueError, r"matmul.*\(2, 3\).*\(2,\)"),
            ),
            Case("a number is not a matrix", "a @ 2", raises=(ValueError, "matmul")),
            Case(
                "batches must broadcast",
                "ones(2, 3, 4) @ ones(3, 4, 5)",
                raises=(ValueError, r"matmul.*\(2,\).*\(3,\)"),
                why="`_check_broadcast` on the leading dimensions says it.",
            ),
            Case(
                "a number has no columns, either",
                "Tensor(2) @ a",
                raises=(ValueError, "matmul"),
                why="`np.ndim(a) == 0` holds for a number on the left as well.",
            ),
            Case(
                "names itself in an error",
                "a @ 'b'",
                raises=(TypeError, "matmul.*str"),
            ),
            Case(
                "float64 keeps its digits",
                "Tensor([[0.1]], dtype=float64) @ Tensor([3], dtype=float64)",
                "np.array([0.3])",
                why="The result keeps the dtype of what it was computed from.",
                tol=1e-12,
            ),
            Case(
                "ints stay ints",
                "Tensor([[16777217]], dtype=int64) @ Tensor([[1]], dtype=int64)",
                "np.array([[16777217]])",
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong(
                """
                a, b = self._operands(other, "matmul", broadcast=False)
                return Tensor(a * b)
                """,
                "could not be broadcast",
            ),
            Wrong(
                """
                rows = [[(row * col).sum() for col in other.data.T] for row in self.data]
                return Tensor(np.array(rows))
                """,
                "matrix times vector",
            ),
            Wrong("return Tensor(self.data @ other.data)", "The message names `matmul`"),
            Wrong(
                """
                columns, rows = self.shape[-1], other.shape[-2 if other.ndim > 1 else 0]
                if columns != rows:
                    raise ValueError(f"matmul: {self.shape} @ {other.shape}")
                return Tensor(self.data @ other.data)
                """,
                "a number is not a matrix",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.sum",
        title="Sum over dimensions",
        hints=(
            "`dim` is the dimension that disappears. NumPy calls it `axis`, and `keepdim` it calls "
            "`keepdims`.",
            '`self._dims(dim, "sum")` gives what `axis` takes and raises the IndexError.',
            "Pass `dtype=` too: the tensor's own for floats, int64 for ints and bools.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case("everything", "a.sum()", "Tensor(21)"),
            Case(
                "dim=0 removes the rows",
                "a.sum(dim=0)",
                "[5.0, 7.0, 9.0]",
                why="`dim` names the dimension that disappears: dim=0 of (2, 3) leaves (3,).",
            ),
            Case("dim=1 removes the columns", "a.sum(dim=1)", "[6.0, 15.0]"),
            Case("negative dims count from the end", "a.sum(dim=-1)", "[6.0, 15.0]"),
            Case(
                "keepdim leaves a size of 1",
                "a.sum(dim=1, keepdim=True)",
                "[[6.0], [15.0]]",
                why="With keepdim=True the summed dimension stays, with size 1.",
            ),
            Case("two dims at once", "ones(2, 3, 4).sum(dim=(0, 2))", "[8.0, 8.0, 8.0]"),
            Case("nothing sums to zero", "zeros(0, 3).sum(dim=0)", "[0.0, 0.0, 0.0]"),
            Case("stays float32", "ones(10).sum().dtype", "np.dtype('float32')"),
            Case(
                "bools are counted",
                "(a > 2).sum().item()",
                "4",
                why="A sum of bools is a count: an int64, not a bool.",
            ),
            Case(
                "a dim that is not there",
                "a.sum(dim=2)",
                raises=(IndexError, r"sum.*2.*\(2, 3\)"),
            ),
            Case(
                "float64 keeps its digits",
                "Tensor([1, 1e-9], dtype=float64).sum()",
                "np.array(1.000000001)",
                why="float64 is added up in float64: in float32 the second number is lost.",
                tol=1e-12,
            ),
            Case(
                "ints stay exact",
                "Tensor([16777216, 1], dtype=int64).sum()",
                "np.array(16777217)",
                why="Ints are added up in int64; float32 ends at 16777216.",
            ),
        ),
        wrong=(
            Wrong("return Tensor(self.data.sum())", "dim=0 of (2, 3) leaves (3,)"),
            Wrong(
                """
                axis = None if dim is None else 1 - dim
                return Tensor(self.data.sum(axis=axis, keepdims=keepdim))
                """,
                "`dim` names the dimension that disappears",
            ),
            Wrong('return Tensor(self.data.sum(axis=self._dims(dim, "sum")))', "with size 1"),
            Wrong(
                """
                total = self.data.astype(float32).sum(axis=self._dims(dim, "sum"), keepdims=keepdim)
                return Tensor(total, dtype=self.dtype if self.dtype.kind == "f" else int64)
                """,
                "the second number is lost",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.mean",
        title="The mean, from the sum",
        hints=(
            "The mean is the sum divided by how many numbers went into each sum.",
            "Compare element counts: `self.numel()` before, the result's `numel()` after. The "
            "quotient is the number of terms. Without any sums, divide by `max(total.numel(), 1)`.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case("everything", "a.mean()", "Tensor(3.5)"),
            Case(
                "over rows",
                "a.mean(dim=0)",
                "[2.5, 3.5, 4.5]",
                why="dim=0 adds two numbers for each column, so it divides by 2, not by 6.",
            ),
            Case("over columns", "a.mean(dim=1)", "[2.0, 5.0]"),
            Case("keepdim", "a.mean(dim=1, keepdim=True)", "[[2.0], [5.0]]"),
            Case("two dims", "ones(2, 3, 4).mean(dim=(0, 2))", "[1.0, 1.0, 1.0]"),
            Case("stays float32", "a.mean().dtype", "np.dtype('float32')"),
            Case(
                "a dim that is not there",
                "a.mean(dim=5)",
                raises=(IndexError, r"5.*\(2, 3\)"),
            ),
            Case(
                "integers have no mean of their own type",
                "arange(3).mean()",
                raises=(TypeError, "mean.*int64"),
                why="As in PyTorch: convert with `.float()` first.",
            ),
            Case(
                "float64 keeps its digits",
                "Tensor([0.1, 0.2], dtype=float64).mean()",
                "np.array(0.15)",
                why="The result keeps the dtype of what it was computed from.",
                tol=1e-12,
            ),
            Case(
                "float16 does not overflow",
                "full((3,), 40000, dtype=float16).mean()",
                "np.array(40000, 'float16')",
                why="The sum, 120000, is more than float16 holds: add up `self._wide()`, and give "
                "the mean in `self.dtype`.",
            ),
            Case(
                "no rows, no means",
                "zeros(0, 3).mean(dim=1).shape",
                "(0,)",
                why="There is no sum to divide, and `total.numel()` is 0: divide by "
                "`max(total.numel(), 1)`.",
            ),
        ),
        wrong=(
            Wrong(
                "return self.sum(dim, keepdim) / self.numel()",
                "divides by 2, not by 6",
            ),
            Wrong(
                """
                total = self.sum(dim)
                return total / (self.numel() / total.numel())
                """,
                "The shape must be (2, 1)",
            ),
        ),
    ),
    Exercise(
        "tensor.contiguous_strides",
        title="Compute the strides of a plain layout",
        hints=(
            "Start at the right: one step along the last dimension is one element.",
            "Walk the sizes backwards with a running product; the stride of a dimension is the "
            "product of all sizes to its right.",
            "Collect them from the right, then reverse. Use `max(size, 1)` in the product.",
        ),
        cases=(
            Case("a line", "contiguous_strides((5,))", "(1,)"),
            Case(
                "a matrix",
                "contiguous_strides((2, 3))",
                "(3, 1)",
                why="In row-major order the next column is 1 element away, the next row 3.",
            ),
            Case("a cube", "contiguous_strides((2, 3, 4))", "(12, 4, 1)"),
            Case("a number has none", "contiguous_strides(())", "()"),
            Case("sizes of 1", "contiguous_strides((3, 1, 2))", "(2, 2, 1)"),
            Case(
                "a size of 0 counts as 1",
                "contiguous_strides((2, 0, 3))",
                "(3, 3, 1)",
                why="A stride of 0 would say that all indices share one element.",
            ),
        ),
        wrong=(
            Wrong(
                """
                strides, step = [], 1
                for size in shape:
                    strides.append(step)
                    step *= max(size, 1)
                return tuple(strides)
                """,
                "the next row 3",
            ),
            Wrong(
                """
                strides, step = [], 1
                for size in reversed(shape):
                    step *= max(size, 1)
                    strides.append(step)
                return tuple(reversed(strides))
                """,
                "Item 0 differs: Expected 1, got 5",
            ),
            Wrong(
                """
                strides, step = [], 1
                for size in reversed(shape):
                    strides.append(step)
                    step *= size
                return tuple(reversed(strides))
                """,
                "share one element",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.reshape",
        title="Reshape without moving a number",
        hints=(
            '`_ints("reshape", sizes)` gives a plain tuple. Multiply its known sizes '
            "(`math.prod`) to see what a -1 must be.",
            "Let -1 be `self.numel() // known`, and only then compare the product of the whole "
            "shape with `self.numel()`: that one comparison catches every misfit.",
            "NumPy's `self.data.reshape(shape)` is a view when the layout allows one. "
            "`flatten()` or `copy()` before it would give that up.",
        ),
        given="a = Tensor([1, 2, 3, 4, 5, 6])",
        cases=(
            Case("gives rows", "a.reshape(2, 3)", "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]"),
            Case("takes a tuple as well", "a.reshape((3, 2)).shape", "(3, 2)"),
            Case("works out a -1", "a.reshape(-1, 2).shape", "(3, 2)"),
            Case("flattens", "a.reshape(2, 3).reshape(-1)", "[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]"),
            Case("one number needs no dimensions", "Tensor([5]).reshape(())", "Tensor(5)"),
            Case(
                "is a view",
                "b = a.reshape(2, 3)\nb[0, 0] = 100\na[0].item()",
                "100.0",
                why="Writing to the reshaped tensor must show in the original: no copy was needed.",
            ),
            Case(
                "a transposed matrix still reads row by row",
                "Tensor([[1, 2], [3, 4]]).T.reshape(4)",
                "[1.0, 3.0, 2.0, 4.0]",
            ),
            Case(
                "the count must fit",
                "ones(6).reshape(4, 2)",
                raises=(ValueError, r"reshape.*6.*\(6,\).*\(4, 2\)"),
                why="The message names the number of elements and both shapes.",
            ),
            Case(
                "-1 must come out whole",
                "a.reshape(4, -1)",
                raises=(ValueError, r"reshape.*\(4, -1\)"),
            ),
            Case("only one -1", "a.reshape(-1, -1)", raises=(ValueError, "reshape")),
            Case(
                "only one -1, even for one number",
                "Tensor([5]).reshape(-1, -1)",
                raises=(ValueError, "reshape"),
                why="With two sizes left open there is no one answer.",
            ),
            Case(
                "beside a 0 anything fits",
                "zeros(0, 3).reshape(-1, 0)",
                raises=(ValueError, "reshape"),
                why="Any size times 0 is 0: -1 cannot be worked out, and nothing is divided by 0.",
            ),
            Case(
                "no other negative sizes",
                "a.reshape(-2, -3)",
                raises=(ValueError, r"reshape.*\(-2, -3\)"),
                why="Their product is 6, and yet there is no such shape.",
            ),
            Case(
                "sizes are ints",
                "a.reshape(2.0, 3)",
                raises=(TypeError, "reshape"),
                why='`_ints("reshape", sizes)` raises it.',
            ),
            Case(
                "ints stay ints",
                "Tensor([16777217, 1], dtype=int64).reshape(2, 1)",
                "np.array([[16777217], [1]])",
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong(
                """
                shape = _ints("reshape", sizes)
                return Tensor(self.data.flatten().reshape(shape))
                """,
                "must show in the original",
            ),
            Wrong("return Tensor(self.data.reshape(*sizes))", "must say more"),
            Wrong(
                """
                shape = _ints("reshape", sizes)
                if math.prod(shape) != self.numel():
                    text = f"reshape: {self.numel()} elements of {self.shape} do not fit {shape}"
                    raise ValueError(text)
                return Tensor(self.data.reshape(shape))
                """,
                "do not fit (-1, 2)",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.transpose",
        title="Swap two dimensions",
        hints=(
            "Transposing moves nothing: the shape and the strides swap two entries each. NumPy's "
            "`swapaxes` does exactly that.",
            '`self._dim(dim0, "transpose")` turns a negative dim into a plain one and raises the '
            "IndexError.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case("a matrix", "a.transpose(0, 1)", "[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]"),
            Case(
                "only the two that are named",
                "zeros(2, 3, 4).transpose(0, 1).shape",
                "(3, 2, 4)",
                why="transpose(0, 1) swaps dimensions 0 and 1 and leaves the third in its place.",
            ),
            Case(
                "is a view",
                "b = a.transpose(0, 1)\nb[2, 0] = 100\na[0, 2].item()",
                "100.0",
                why="Writing to the transposed tensor must show in the original: nothing moves.",
            ),
            Case("negative dims", "zeros(2, 3, 4).transpose(-1, -2).shape", "(2, 4, 3)"),
            Case("the strides swap", "a.transpose(0, 1).stride()", "(1, 3)"),
            Case(
                "a dim that is not there",
                "a.transpose(0, 2)",
                raises=(IndexError, r"transpose.*2.*\(2, 3\)"),
            ),
            Case(
                "neither dim may be missing",
                "a.transpose(2, 0)",
                raises=(IndexError, r"transpose.*2.*\(2, 3\)"),
            ),
            Case(
                "ints stay ints",
                "Tensor([[16777217, 1]], dtype=int64).transpose(0, 1)",
                "np.array([[16777217], [1]])",
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong("return Tensor(self.data.T)", "leaves the third in its place"),
            Wrong(
                """
                dim0, dim1 = self._dim(dim0, "transpose"), self._dim(dim1, "transpose")
                return Tensor(self.data.swapaxes(dim0, dim1).copy())
                """,
                "nothing moves",
            ),
            Wrong(
                """
                shape = list(self.shape)
                shape[dim0], shape[dim1] = shape[dim1], shape[dim0]
                return self.reshape(shape)
                """,
                "at index (0, 1): expected 4, got 2",
            ),
        ),
    ),
    Exercise(
        "tensor.Tensor.__getitem__",
        title="Take a part",
        hints=(
            "`_index(index)` turns what a user may write (Tensors, lists, tuples) into what NumPy "
            "takes; then `self.data[...]` with a slice is already a view.",
            "Catch the IndexError and raise one that names the index and `self.shape`.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case("a row", "a[1]", "[4.0, 5.0, 6.0]"),
            Case("one number, as a tensor", "a[1, 2]", "Tensor(6)"),
            Case("a slice of columns", "a[:, 1:]", "[[2.0, 3.0], [5.0, 6.0]]"),
            Case("a new dimension", "a[:, None].shape", "(2, 1, 3)"),
            Case(
                "a slice is a view",
                "row = a[0]\nrow[1] = 100\na[0, 1].item()",
                "100.0",
                why="Writing to the slice must show in the original: a slice shares its memory.",
            ),
            Case("a list picks rows", "a[[1, 0, 1]].shape", "(3, 3)"),
            Case(
                "a Tensor of ints picks rows",
                "a[Tensor([1, 0], dtype=int64)]",
                "[[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]",
                why="An index may itself be a Tensor; `_index` unpacks it.",
            ),
            Case("a bool mask picks elements", "a[a > 3]", "[4.0, 5.0, 6.0]"),
            Case(
                "out of range",
                "a[2]",
                raises=(IndexError, r"2.*\(2, 3\)"),
                why="The message names the index and the shape it missed.",
            ),
            Case(
                "ints stay ints",
                "Tensor([1, 16777217], dtype=int64)[1]",
                "np.array(16777217)",
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong("return Tensor(self.data[_index(index)].copy())", "a slice shares its memory"),
            Wrong("return self.data[_index(index)]", "must return a Tensor"),
            Wrong("return Tensor(self.data[_index(index)])", "the shape it missed"),
        ),
    ),
    Exercise(
        "tensor.Tensor.is_contiguous",
        title="Recognize a plain layout",
        hints=(
            "You have both halves: `self.stride()` says what the strides are, "
            "`contiguous_strides(self.shape)` what they would be in the plain layout.",
            "Compare them dimension by dimension, passing over every dimension of size 1.",
            "A tensor with no elements is contiguous; say so first.",
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case("a fresh tensor is", "a.is_contiguous()", "True"),
            Case(
                "a transposed one is not",
                "a.T.is_contiguous()",
                "False",
                why="Its strides are (1, 3), and the plain layout of shape (3, 2) has (2, 1).",
            ),
            Case(
                "every second column is not",
                "a[:, ::2].is_contiguous()",
                "False",
                why="The step between columns is 2: there are gaps.",
            ),
            Case("a block of rows is", "zeros(4, 3)[1:3].is_contiguous()", "True"),
            Case("a stretched row is not", "ones(1, 3).expand(4, 3).is_contiguous()", "False"),
            Case(
                "a size of 1 does not matter",
                "zeros(4, 3)[::4].is_contiguous()",
                "True",
                why="One row: its stride is never used, whatever it is.",
            ),
            Case("nothing is contiguous", "zeros(0, 3).T.is_contiguous()", "True"),
        ),
        wrong=(
            Wrong(
                "return self.stride() == contiguous_strides(self.shape)", "its stride is never used"
            ),
            Wrong("return self.stride()[-1] == 1", "Expected False, got True"),
            Wrong("return self.data.base is None", "Expected True, got False"),
        ),
    ),
    Exercise(
        "tensor.Tensor.contiguous",
        title="Copy only when it helps",
        hints=(
            "Ask `self.is_contiguous()` first; if it is, the tensor itself is the answer.",
            'Otherwise `self.data.copy(order="C")` writes the elements row by row into new memory.',
        ),
        given="a = Tensor([[1, 2, 3], [4, 5, 6]])",
        cases=(
            Case(
                "a contiguous tensor comes back itself",
                "a.contiguous() is a",
                "True",
                why="There is nothing to gain from a copy: return `self`.",
            ),
            Case(
                "a transposed one keeps its values",
                "a.T.contiguous()",
                "[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]",
            ),
            Case(
                "and gets the plain strides",
                "a.T.contiguous().stride()",
                "(2, 1)",
                why="The copy must lie in memory row by row.",
            ),
            Case(
                "the copy stands alone",
                "b = a.T.contiguous()\nb[0, 0] = 100\na[0, 0].item()",
                "1.0",
            ),
            Case(
                "ints come back themselves, too",
                "b = arange(3)\nb.contiguous() is b",
                "True",
            ),
            Case(
                "and stay ints in a copy",
                "Tensor([[16777217, 1], [2, 3]], dtype=int64).T.contiguous()",
                "np.array([[16777217, 2], [1, 3]])",
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong("return Tensor(self.data.copy())", "return `self`"),
            Wrong("return self", "must lie in memory row by row"),
            Wrong(
                """
                if self.is_contiguous():
                    return self
                return Tensor(self.data.copy(order="K"))
                """,
                "must lie in memory row by row",
            ),
        ),
    ),
    Exercise(
        "tensor.cat",
        title="Join along a dimension",
        hints=(
            '`_tensors(tensors, "cat")` checks the list, `tensors[0]._dim(dim, "cat")` the dim.',
            "Compare every tensor's shape with the first one's: same number of dimensions, and the "
            "same size in each dimension but `dim`. Name the tensor's position in the error.",
            "`np.concatenate([x.data for x in tensors], axis=dim)` does the copying.",
        ),
        given="a = Tensor([[1, 2], [3, 4]])\nb = Tensor([[5, 6]])",
        cases=(
            Case("adds rows", "cat([a, b])", "[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]"),
            Case(
                "adds columns",
                "cat([a, a], dim=1)",
                "[[1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]]",
                why="dim=1 grows the second dimension; the rows stay as many as they were.",
            ),
            Case("counts from the end", "cat([a, a], dim=-1).shape", "(2, 4)"),
            Case("joins more than two", "cat([b, b, b]).shape", "(3, 2)"),
            Case(
                "copies",
                "c = cat([a, b])\nc[0, 0] = 100\na[0, 0].item()",
                "1.0",
            ),
            Case(
                "names the one that does not fit",
                "cat([a, b, Tensor([[1, 2, 3]])])",
                raises=(ValueError, r"cat.*2.*\(1, 3\).*\(2, 2\)"),
                why="The message names both shapes and the position of the odd one.",
            ),
            Case("an empty list", "cat([])", raises=(ValueError, "cat.*empty")),
            Case("a dim that is not there", "cat([a, b], dim=2)", raises=(IndexError, "cat.*2")),
            Case(
                "a list of one",
                "cat([a])",
                "[[1.0, 2.0], [3.0, 4.0]]",
            ),
            Case(
                "the number of dimensions must fit, too",
                "cat([a, ones(2, 2, 1)])",
                raises=(ValueError, r"cat.*1.*\(2, 2, 1\).*\(2, 2\)"),
                why="Compare `x.ndim` with the first one's before the sizes.",
            ),
            Case(
                "ints stay ints",
                "cat([Tensor([16777217], dtype=int64), Tensor([1], dtype=int64)])",
                "np.array([16777217, 1])",
                why="The result keeps the dtype of what it was computed from.",
            ),
        ),
        wrong=(
            Wrong("return Tensor(np.concatenate([x.data for x in tensors]))", "dim=1 grows"),
            Wrong("return Tensor(np.stack([x.data for x in tensors], axis=dim))", "same shape"),
            Wrong(
                """
                tensors = _tensors(tensors, "cat")
                dim = tensors[0]._dim(dim, "cat")
                return Tensor(np.concatenate([x.data for x in tensors], axis=dim))
                """,
                "the position of the odd one",
            ),
        ),
    ),
)
