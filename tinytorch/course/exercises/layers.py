"""Module 03: the exercises that build `tinytorch/layers.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

EXERCISES = (
    Exercise(
        "layers.Linear.forward",
        title="A weighted sum of all inputs",
        hints=(
            "Look at the shapes: x is (..., in), the weight (out, in). The matrix product needs "
            "the two `in` next to each other.",
            "`x @ self.weight.T` is (..., in) @ (in, out). Without a bias that is the result: "
            "`self.bias is None` asks.",
            "`_check_tensor(x, self)` comes first. `x.shape[-1:]` is a tuple of the last size, and "
            "() for a number: compare it with `(self.in_features,)`, and put `{self}` into the "
            "message.",
        ),
        given=(
            "layer = Linear(3, 2)\n"
            "layer.weight.data[...] = [[1, 0, 2], [0, 1, -1]]\n"
            "layer.bias.data[...] = [10, 20]"
        ),
        cases=(
            Case("one row", "layer.forward(Tensor([[1, 2, 3]]))", "[[17.0, 19.0]]"),
            Case(
                "each row by itself",
                "layer.forward(Tensor([[1, 2, 3], [0, 0, 1], [0, 0, 0]]))",
                "[[17.0, 19.0], [12.0, 19.0], [10.0, 20.0]]",
            ),
            Case(
                "a single vector",
                "layer.forward(Tensor([1, 2, 3]))",
                "[17.0, 19.0]",
                why="Only the last dimension is the layer's: (3,) gives (2,).",
            ),
            Case(
                "any dimensions in front",
                "layer.forward(ones(4, 5, 3)).shape",
                "(4, 5, 2)",
                why="Only the last dimension is the layer's: (4, 5, 3) gives (4, 5, 2).",
            ),
            Case(
                "without a bias",
                "bare = Linear(2, 1, bias=False)\n"
                "bare.weight.data[...] = [[2, 3]]\n"
                "bare.forward(Tensor([[1, 10]]))",
                "[[32.0]]",
                why="`Linear(2, 1, bias=False)` has `self.bias` None.",
            ),
            Case(
                "made of Tensor operations",
                "layer.forward(ones(1, 3)).requires_grad",
                "True",
                why="Compute with Tensors, not with their `.data`: Module 05 follows operations "
                "back from the result, and an array keeps no trace of where it came from.",
            ),
            Case(
                "refuses another last size",
                "layer.forward(ones(4, 5))",
                raises=(ValueError, r"Linear\(in_features=3.*\(4, 5\)"),
                why="The message names the layer and the shape it was given.",
            ),
            Case(
                "refuses what is no Tensor",
                "layer.forward([1, 2, 3])",
                raises=(TypeError, r"Linear\(in_features=3.*list"),
                why="`_check_tensor(x, self)` raises it.",
            ),
            Case(
                "float64 keeps its digits",
                "layer.forward(Tensor([[0.1, 0, 0]], dtype=float64))",
                "np.array([[10.1, 20.0]])",
                why="Operations on Tensors find the dtype themselves: nothing is to be converted.",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong("return x @ self.weight + self.bias", "matmul: (1, 3) @ (2, 3)"),
            Wrong("return (self.weight @ x.T).T + self.bias", "(4, 5, 3) gives (4, 5, 2)"),
            Wrong("return x @ self.weight.T + self.bias", "has `self.bias` None"),
            Wrong("return x @ self.weight.T", "expected 17, got 7"),
            Wrong(
                """
                out = x.data @ self.weight.data.T
                return Tensor(out if self.bias is None else out + self.bias.data)
                """,
                "keeps no trace",
            ),
            Wrong(
                """
                out = x @ self.weight.T
                return out if self.bias is None else out + self.bias
                """,
                "names the layer",
            ),
            Wrong(
                """
                if x.shape[-1:] != (self.in_features,):
                    raise ValueError(f"{self}: expected (..., {self.in_features}), got {x.shape}")
                out = x @ self.weight.T
                return out if self.bias is None else out + self.bias
                """,
                "`_check_tensor(x, self)` raises it",
            ),
        ),
    ),
    Exercise(
        "layers.kaiming_uniform_",
        title="Weights that keep a signal's size",
        hints=(
            "Three steps: the fan, from `_fan`; the bound, from the formula; the filling, by "
            "`uniform_`, which also returns the tensor.",
            "The gain depends on `a` and on the nonlinearity: "
            "`calculate_gain(nonlinearity, a)` takes both.",
            "`bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / fan)`, and the numbers lie "
            "on both sides of zero: from -bound to bound.",
        ),
        cases=(
            Case(
                "the tensor itself is filled and returned",
                "w = zeros(4, 4, dtype=float64)\nkaiming_uniform_(w) is w",
                "True",
                why="The underscore says so: it writes into the tensor it was given, and "
                "returns that tensor.",
            ),
            Case(
                "the largest number comes close to the bound",
                "round(abs(kaiming_uniform_(zeros(100, 600))).max().item(), 3)",
                "0.1",
                why="fan_in is 600 and the gain √2, so the bound is √2 · √(3/600) = 0.1. "
                "Numbers spread over [-bound, bound) have the standard deviation bound / √3.",
            ),
            Case(
                "as many below zero as above",
                "(kaiming_uniform_(zeros(100, 600)) < 0).float().mean().item()",
                "0.5",
                tol=0.02,
                why="They are spread over [-bound, bound).",
            ),
            Case(
                "the standard deviation is gain / √fan",
                "kaiming_uniform_(zeros(100, 600)).std().item()",
                "(2 / 600) ** 0.5",
                tol=0.001,
            ),
            Case(
                "fan_out counts the rows",
                "round(abs(kaiming_uniform_(zeros(600, 100), mode='fan_out')).max().item(), 3)",
                "0.1",
                why="With mode='fan_out' the fan is 600, the number of rows.",
            ),
            Case(
                "`a` changes the gain",
                "round(abs(kaiming_uniform_(zeros(100, 400), a=5**0.5)).max().item(), 3)",
                "0.05",
                why="With a = √5 the gain is √(2/6), and the bound 1/√400.",
            ),
            Case(
                "another nonlinearity",
                "w = zeros(300, 300)\n"
                "round(abs(kaiming_uniform_(w, nonlinearity='linear')).max().item(), 3)",
                "0.1",
                why="Before nothing at all the gain is 1, and the bound √(3/300).",
            ),
            Case(
                "a kernel's area belongs to its fan",
                "round(abs(kaiming_uniform_(zeros(200, 24, 5, 5))).max().item(), 3)",
                "0.1",
                why="Each output reads 24 · 5 · 5 = 600 numbers; `_fan` counts them.",
            ),
            Case(
                "a vector has no fan",
                "kaiming_uniform_(zeros(5))",
                raises=(ValueError, r"kaiming_uniform_.*\(5,\)"),
            ),
            Case(
                "an unknown mode",
                "kaiming_uniform_(zeros(2, 2), mode='fan')",
                raises=(ValueError, "mode.*'fan'"),
            ),
        ),
        wrong=(
            Wrong(
                """
                fan = _fan(tensor, mode, "kaiming_uniform_")
                bound = calculate_gain(nonlinearity, a) / math.sqrt(fan)
                return uniform_(tensor, -bound, bound)
                """,
                "have the standard deviation bound / √3",
            ),
            Wrong(
                """
                fan = _fan(tensor, mode, "kaiming_uniform_")
                return uniform_(tensor, 0, calculate_gain(nonlinearity, a) * math.sqrt(3 / fan))
                """,
                "spread over [-bound, bound)",
            ),
            Wrong(
                """
                bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / tensor.shape[1])
                return uniform_(tensor, -bound, bound)
                """,
                "the fan is 600",
            ),
            Wrong(
                """
                fan = _fan(tensor, mode, "kaiming_uniform_")
                bound = math.sqrt(6 / fan)
                return uniform_(tensor, -bound, bound)
                """,
                "the gain is √(2/6)",
            ),
            Wrong(
                """
                fan = _fan(tensor, mode, "kaiming_uniform_")
                bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / fan)
                uniform_(tensor, -bound, bound)
                """,
                "returns that tensor",
            ),
        ),
    ),
    Exercise(
        "layers.Linear.__init__",
        title="A layer's parameters",
        hints=(
            "Begin with the sizes: `self.in_features, self.out_features = "
            '_sizes("Linear", in_features, out_features)`.',
            "`zeros(self.out_features, self.in_features)` has the weight's shape; "
            "`kaiming_uniform_(..., a=math.sqrt(5))` fills it and gives it back; "
            "`Parameter(...)` around it makes it one.",
            "The bias is `uniform_(zeros(self.out_features), -bound, bound)` with "
            "`bound = 1 / math.sqrt(self.in_features)`, as a Parameter too, or None.",
        ),
        cases=(
            Case(
                "the weight's shape",
                "Linear(3, 2).weight.shape",
                "(2, 3)",
                why="One row for each output: (out_features, in_features).",
            ),
            Case("the bias's shape", "Linear(3, 2).bias.shape", "(2,)"),
            Case(
                "both are Parameters",
                "layer = Linear(3, 2)\ntype(layer.weight).__name__, type(layer.bias).__name__",
                "('Parameter', 'Parameter')",
                why="A plain Tensor is not found by `parameters()` and would never be trained.",
            ),
            Case("bias=False", "Linear(3, 2, bias=False).bias is None", "True"),
            Case(
                "the weights are within 1 / √in_features",
                "round(abs(Linear(400, 100).weight).max().item(), 3)",
                "0.05",
                why="PyTorch's bound for a Linear is 1 / √in_features; a = √5 gives it.",
            ),
            Case(
                "the bias is within 1 / √in_features",
                "b = Linear(4, 9000).bias\nround(b.min().item(), 2), round(b.max().item(), 2)",
                "(-0.5, 0.5)",
                why="The bias, too, is random: `uniform_` with the weight's bound on both sides.",
            ),
            Case(
                "the sizes are kept",
                "layer = Linear(3, 2)\nlayer.in_features, layer.out_features",
                "(3, 2)",
            ),
            Case("float32", "Linear(3, 2).weight.dtype", "np.dtype('float32')"),
            Case(
                "no layer without inputs",
                "Linear(0, 2)",
                raises=(ValueError, r"Linear.*\(0, 2\)"),
                why="`_sizes` raises it.",
            ),
        ),
        wrong=(
            Wrong(
                """
                self.in_features, self.out_features = _sizes("Linear", in_features, out_features)
                self.weight = Parameter(kaiming_uniform_(zeros(in_features, out_features)))
                self.bias = Parameter(zeros(out_features)) if bias else None
                """,
                "One row for each output",
            ),
            Wrong(
                """
                self.in_features, self.out_features = _sizes("Linear", in_features, out_features)
                self.weight = kaiming_uniform_(zeros(out_features, in_features), a=math.sqrt(5))
                bound = 1 / math.sqrt(in_features)
                self.bias = uniform_(zeros(out_features), -bound, bound) if bias else None
                """,
                "would never be trained",
            ),
            Wrong(
                """
                self.in_features, self.out_features = _sizes("Linear", in_features, out_features)
                self.weight = Parameter(kaiming_uniform_(zeros(out_features, in_features)))
                bound = 1 / math.sqrt(in_features)
                self.bias = Parameter(uniform_(zeros(out_features), -bound, bound))
                if not bias:
                    self.bias = None
                """,
                "a = √5 gives it",
            ),
            Wrong(
                """
                self.in_features, self.out_features = _sizes("Linear", in_features, out_features)
                weight = zeros(out_features, in_features)
                self.weight = Parameter(kaiming_uniform_(weight, a=math.sqrt(5)))
                self.bias = Parameter(zeros(out_features)) if bias else None
                """,
                "The bias, too, is random",
            ),
        ),
    ),
    Exercise(
        "layers.Module.named_parameters",
        title="Find every parameter",
        hints=(
            "Two loops: over `self.named_modules(remove_duplicate=remove_duplicate)`, which goes "
            "all the way down, and, for each module, over `vars(module).items()`. `yield` makes a "
            "function of loops an iterator.",
            "`isinstance(value, Parameter)` picks the parameters. The full name is "
            '`f"{path}.{name}"` if there is a path, else `name`.',
            "For shared ones keep a set of the `id(value)` seen so far. A list of parameters with "
            "`value in seen` would compare numbers.",
        ),
        given="net = Sequential(Linear(2, 3), Sequential(Linear(3, 3, bias=False), LayerNorm(3)))",
        cases=(
            Case(
                "a layer's own, in order",
                "' '.join(name for name, p in Linear(2, 3).named_parameters())",
                "'weight bias'",
            ),
            Case(
                "and of the modules below",
                "' '.join(name for name, p in net.named_parameters())",
                "'0.weight 0.bias 1.0.weight 1.1.weight 1.1.bias'",
                why="Every module below counts, however deep, and its path stands in front of "
                "the attribute's name, with dots between.",
            ),
            Case(
                "the parameters themselves, not copies",
                "layer = Linear(2, 3)\ndict(layer.named_parameters())['weight'] is layer.weight",
                "True",
                why="An optimizer changes what it is given: it must be given the parameter itself.",
            ),
            Case(
                "a module's own before its children's",
                "m = Module()\n"
                "m.inner = Linear(1, 1)\n"
                "m.scale = Parameter([1])\n"
                "' '.join(name for name, p in m.named_parameters())",
                "'scale inner.weight inner.bias'",
            ),
            Case(
                "other tensors are not parameters",
                "m = Module()\n"
                "m.scale, m.table, m.note = Parameter([1]), Buffer([2]), ones(3)\n"
                "' '.join(name for name, p in m.named_parameters())",
                "'scale'",
                why="A Buffer or a plain Tensor is not learned; only a Parameter is.",
            ),
            Case(
                "equal values are not the same parameter",
                "' '.join(n for n, p in Sequential(LayerNorm(1), LayerNorm(1)).named_parameters())",
                "'0.weight 0.bias 1.weight 1.bias'",
                why="Two LayerNorms start with equal numbers and are two all the same: `==` and "
                "`in` compare values.",
            ),
            Case(
                "a shared one comes once",
                "m = Module()\n"
                "m.a, m.b = Linear(2, 2, bias=False), Linear(2, 2, bias=False)\n"
                "m.b.weight = m.a.weight\n"
                "' '.join(name for name, p in m.named_parameters())",
                "'a.weight'",
                why="Counted twice, a shared parameter would be updated twice.",
            ),
            Case(
                "unless it is asked for",
                "m = Module()\n"
                "m.a, m.b = Linear(2, 2, bias=False), Linear(2, 2, bias=False)\n"
                "m.b.weight = m.a.weight\n"
                "' '.join(name for name, p in m.named_parameters(remove_duplicate=False))",
                "'a.weight b.weight'",
            ),
            Case(
                "a shared module has two names as well",
                "shared = Linear(2, 2, bias=False)\n"
                "pairs = Sequential(shared, shared).named_parameters(remove_duplicate=False)\n"
                "' '.join(name for name, p in pairs)",
                "'0.weight 1.weight'",
                why="`self.named_modules(remove_duplicate=remove_duplicate)`: left to itself, it "
                "comes to every module once.",
            ),
            Case(
                "so all can be counted",
                "sum(p.numel() for p in net.parameters())",
                "9 + 9 + 6",
            ),
        ),
        wrong=(
            Wrong(
                """
                for name, value in vars(self).items():
                    if isinstance(value, Parameter):
                        yield name, value
                """,
                "Every module below counts",
            ),
            Wrong(
                """
                for _, module in self.named_modules():
                    for name, value in vars(module).items():
                        if isinstance(value, Parameter):
                            yield name, value
                """,
                "its path stands in front",
            ),
            Wrong(
                """
                for path, module in self.named_modules():
                    for name, value in vars(module).items():
                        if isinstance(value, Tensor):
                            yield (f"{path}.{name}" if path else name), value
                """,
                "only a Parameter is",
            ),
            Wrong(
                """
                for path, module in self.named_modules():
                    for name, value in vars(module).items():
                        if isinstance(value, Parameter):
                            yield (f"{path}.{name}" if path else name), value
                """,
                "would be updated twice",
            ),
            Wrong(
                """
                seen = []
                for path, module in self.named_modules():
                    for name, value in vars(module).items():
                        if isinstance(value, Parameter):
                            if remove_duplicate and value.tolist() in seen:
                                continue
                            seen.append(value.tolist())
                            yield (f"{path}.{name}" if path else name), value
                """,
                "`==` and `in` compare values",
            ),
            Wrong(
                """
                seen = set()
                for path, module in self.named_modules():
                    for name, value in vars(module).items():
                        if isinstance(value, Parameter):
                            if not (remove_duplicate and id(value) in seen):
                                seen.add(id(value))
                                yield (f"{path}.{name}" if path else name), value
                """,
                "comes to every module once",
            ),
        ),
    ),
    Exercise(
        "layers.Sequential.forward",
        title="One after the other",
        hints=(
            "`self.layers` is a list. What a layer returns is what the next one is given.",
            "Let one name carry the value along: `x = layer(x)` in a loop, and return it after.",
        ),
        cases=(
            Case(
                "the first layer first",
                "Sequential(lambda x: x + 1, lambda x: x * 10).forward(Tensor([1, 2]))",
                "[20.0, 30.0]",
                why="(1 + 1) · 10: each layer is given what the one before it returned.",
            ),
            Case(
                "three layers",
                "add = lambda x: x + 1\nSequential(add, add, add).forward(Tensor([0]))",
                "[3.0]",
            ),
            Case(
                "modules",
                "Sequential(Linear(4, 3), Linear(3, 2)).forward(ones(5, 4)).shape",
                "(5, 2)",
            ),
            Case(
                "a Sequential in a Sequential",
                "inner = Sequential(lambda x: x + 1, lambda x: x * 2)\n"
                "Sequential(inner, lambda x: x - 1).forward(Tensor([3]))",
                "[7.0]",
            ),
            Case(
                "nothing to do",
                "x = arange(2)\nSequential().forward(x) is x",
                "True",
                why="Without layers the input is the output.",
            ),
        ),
        wrong=(
            Wrong(
                """
                for layer in self.layers:
                    out = layer(x)
                return out
                """,
                "what the one before it returned",
            ),
            Wrong(
                """
                for layer in self.layers:
                    x = layer(x)
                    return x
                """,
                "what the one before it returned",
            ),
            Wrong(
                """
                for layer in self.layers:
                    x = layer.forward(x)
                return x
                """,
                "has no attribute 'forward'",
            ),
            Wrong(
                """
                out = self.layers[0](x)
                for layer in self.layers[1:]:
                    out = layer(out)
                return out
                """,
                "Without layers the input is the output",
            ),
        ),
    ),
    Exercise(
        "layers.Dropout.forward",
        title="Drop numbers at random",
        hints=(
            "First the case in which nothing happens: `if not self.training or self.p == 0`, "
            "return x.",
            "`rand(x.shape) >= self.p` is a bool tensor, true with probability 1 - p. Multiplying "
            "by it keeps or drops; `.to(x.dtype)` makes it numbers.",
            "Multiply by `1 / (1 - self.p)` as well. With p = 1 that is a division by zero, and "
            "since all is dropped, any number will do in its place.",
        ),
        given="x = ones(200, 200)",
        cases=(
            Case(
                "each number for itself",
                "y = Dropout(0.5).forward(x)\n"
                "(y[0] == y[1]).all().item(), (y[:, 0] == y[:, 1]).all().item()",
                "(False, False)",
                why="One draw for each number of x: `rand(x.shape)`.",
            ),
            Case(
                "drops a share of p",
                "y = Dropout(0.25).forward(x)\n(y == 0).float().mean().item()",
                "0.25",
                tol=0.02,
                why="p is the probability that a number is dropped, not that it is kept.",
            ),
            Case(
                "scales the others",
                "Dropout(0.25).forward(x).max().item()",
                "4 / 3",
                why="What is kept is divided by 1 - p, or the next layer would see smaller sums "
                "in training than afterwards.",
            ),
            Case(
                "so that the mean stays", "Dropout(0.5).forward(x).mean().item()", "1.0", tol=0.04
            ),
            Case(
                "does nothing in evaluation",
                "x = ones(2, dtype=float64)\nDropout(0.5).eval().forward(x) is x",
                "True",
                why="When `self.training` is false, x comes back as it is.",
            ),
            Case(
                "drops nothing with p = 0",
                "Dropout(0.0).forward(Tensor([1.5, -2]))",
                "[1.5, -2.0]",
            ),
            Case("drops all with p = 1", "Dropout(1.0).forward(ones(2, 2))", "zeros(2, 2)"),
            Case("x is not changed", "Dropout(0.5).forward(x)\nx.min().item()", "1.0"),
            Case(
                "float64 keeps its digits",
                "Dropout(0.25).forward(ones(100, dtype=float64)).max()",
                "np.array(4 / 3)",
                why="1 / (1 - p) in float32 is not 4 / 3 in float64: give the mask x's dtype "
                "before it is scaled.",
                tol=1e-12,
            ),
            Case(
                "made of Tensor operations",
                "Dropout(0.5).forward(Tensor([1.0, 2.0], requires_grad=True)).requires_grad",
                "True",
                why="Compute with Tensors, not with their `.data`: Module 05 follows operations "
                "back from the result, and an array keeps no trace of where it came from.",
            ),
        ),
        wrong=(
            Wrong(
                """
                if not self.training:
                    return x
                return x * (rand(x.shape) < self.p) * (1 / (1 - self.p))
                """,
                "not that it is kept",
            ),
            Wrong(
                """
                if not self.training:
                    return x
                return x * (rand(x.shape) >= self.p)
                """,
                "would see smaller sums",
            ),
            Wrong("return x * (rand(x.shape) >= self.p) * (1 / (1 - self.p))", "`self.training`"),
            Wrong(
                """
                if not self.training:
                    return x
                kept = rand(x.shape[-1]) >= self.p
                return x * kept * (1 / (1 - self.p))
                """,
                "One draw for each number",
            ),
            Wrong(
                """
                if not self.training or self.p == 0:
                    return x
                return x * (rand(x.shape) >= self.p) * (1 / (1 - self.p))
                """,
                "ZeroDivisionError",
            ),
            Wrong(
                """
                if not self.training or self.p == 0:
                    return x
                kept = (rand(x.shape) >= self.p).data
                return Tensor((x.data * kept / max(1 - self.p, 1e-9)).astype(x.dtype))
                """,
                "keeps no trace",
            ),
        ),
    ),
    Exercise(
        "layers.layer_norm",
        title="Standardize every row",
        hints=(
            "`_check_norm(x, weight, bias)` first. The dims to reduce are the last `weight.ndim` "
            "ones: `tuple(range(-weight.ndim, 0))`; `keepdim=True` makes the results broadcast.",
            "`x.mean(dims, keepdim=True)`, and `x.var(dims, correction=0, keepdim=True)`: the "
            "variance of these very numbers, not an estimate from a sample.",
            "`eps` is added to the variance, inside the root: `(x - mean) / (var + eps).sqrt()`. "
            "Then `* weight + bias`, and `.to(x.dtype)`.",
        ),
        given="x = Tensor([[1, 2, 3], [2, 4, 9]])\nw, b = ones(3), zeros(3)",
        cases=(
            Case(
                "each row has mean 0 and variance 1",
                "layer_norm(x, w, b)",
                "(x.data - x.data.mean(1, keepdims=True))"
                " / np.sqrt(x.data.var(1, keepdims=True) + 1e-5)",
                why="Mean and variance of each row by itself: the last dimension is reduced, and "
                "the variance divides by the count, 3, not by 2.",
                tol=1e-4,
            ),
            Case(
                "eps is added to the variance",
                "layer_norm(Tensor([[-1, 1]]), ones(2), zeros(2), eps=3.0)",
                "[[-0.5, 0.5]]",
                why="-1 / √(1 + 3): eps stands under the root.",
            ),
            Case(
                "scales and shifts",
                "layer_norm(x, Tensor([1, 10, 100]), Tensor([5, 5, 5]))[0]",
                "Tensor([-1, 0, 1]) * Tensor([1, 10, 100]) / (2 / 3 + 1e-5) ** 0.5 + 5",
                why="* weight + bias comes last.",
                tol=1e-4,
            ),
            Case(
                "a constant row gives zeros",
                "layer_norm(full((1, 3), 7), w, b)",
                "[[0.0, 0.0, 0.0]]",
                why="The variance is 0: `eps` is there so that 0 / 0 does not happen.",
            ),
            Case(
                "more dimensions in front",
                "layer_norm(arange(24).float().reshape(2, 4, 3), w, b)[1, 2]",
                "Tensor([-1, 0, 1]) / (2 / 3 + 1e-5) ** 0.5",
            ),
            Case(
                "over two dimensions together",
                "y = layer_norm(arange(12).float().reshape(2, 3, 2), ones(3, 2), zeros(3, 2))\n"
                "y[0, 0, 0].item()",
                "-2.5 / (35 / 12 + 1e-5) ** 0.5",
                why="All of the last `weight.ndim` dimensions are reduced together.",
            ),
            Case(
                "a large offset does not matter",
                "layer_norm(x[:1] + 10_000, w, b)[0, 1].item()",
                "0.0",
            ),
            Case(
                "x is not changed",
                "layer_norm(x, w, b)\nx",
                "[[1.0, 2.0, 3.0], [2.0, 4.0, 9.0]]",
                why="The result must be a new tensor; this one wrote into x.",
            ),
            Case(
                "refuses another shape",
                "layer_norm(ones(2, 4), w, b)",
                raises=(ValueError, r"layer_norm.*3.*\(2, 4\)"),
                why="`_check_norm` raises it.",
            ),
            Case(
                "float64 keeps its digits",
                "layer_norm(Tensor([[1, 2, 3]], dtype=float64), w, b)",
                "np.array([[-1, 0, 1]]) / (2 / 3 + 1e-5) ** 0.5",
                why="The result has x's dtype, and its digits.",
                tol=1e-12,
            ),
            Case(
                "float16 stays float16",
                "layer_norm(x.to(float16), w, b).dtype",
                "np.dtype('float16')",
                why="The result has x's dtype.",
            ),
        ),
        wrong=(
            Wrong(
                """
                mean, var = x.mean(0, keepdim=True), x.var(0, correction=0, keepdim=True)
                return (x - mean) / (var + eps).sqrt() * weight + bias
                """,
                "each row by itself",
            ),
            Wrong(
                """
                _check_norm(x, weight, bias)
                dims = tuple(range(-weight.ndim, 0))
                mean, var = x.mean(dims, keepdim=True), x.var(dims, keepdim=True)
                return (x - mean) / (var + eps).sqrt() * weight + bias
                """,
                "by the count, 3, not by 2",
            ),
            Wrong(
                """
                _check_norm(x, weight, bias)
                dims = tuple(range(-weight.ndim, 0))
                mean, var = x.mean(dims, keepdim=True), x.var(dims, correction=0, keepdim=True)
                return (x - mean) / (var.sqrt() + eps) * weight + bias
                """,
                "eps stands under the root",
            ),
            Wrong(
                """
                _check_norm(x, weight, bias)
                mean, var = x.mean(-1, keepdim=True), x.var(-1, correction=0, keepdim=True)
                return (x - mean) / (var + eps).sqrt() * weight + bias
                """,
                "reduced together",
            ),
            Wrong(
                """
                _check_norm(x, weight, bias)
                dims = tuple(range(-weight.ndim, 0))
                x.data -= x.data.mean(axis=dims, keepdims=True)
                x.data /= np.sqrt(x.data.var(axis=dims, keepdims=True) + eps)
                return x * weight + bias
                """,
                "this one wrote into x",
            ),
        ),
    ),
    Exercise(
        "layers.Module.load_state_dict",
        title="Put saved numbers back",
        hints=(
            "Look first, write later: a half-loaded model is worse than an error. Three lists come "
            "first: names of `own` missing from `state_dict`, names in it that are not in `own`, "
            "and the names both have.",
            "Collect the faults as texts: missing and unexpected names only if `strict`, shapes "
            "that differ always (`np.shape(state_dict[name])` takes tensors and arrays). If there "
            'is one, raise a ValueError with `"; ".join(faults)` in it.',
            "Then `own[name][...] = state_dict[name]` for the common names, and "
            "`return Unmatched(missing, unexpected)`.",
        ),
        given="layer = Linear(3, 2)\nsaved = {'weight': ones(2, 3), 'bias': Tensor([5, 6])}",
        cases=(
            Case(
                "the weight arrives",
                "layer.load_state_dict(saved)\nTensor(layer.weight)",
                "ones(2, 3)",
            ),
            Case(
                "the bias arrives", "layer.load_state_dict(saved)\nTensor(layer.bias)", "[5.0, 6.0]"
            ),
            Case(
                "the parameters stay the same objects",
                "weight, data = layer.weight, layer.weight.data\n"
                "layer.load_state_dict(saved)\n"
                "layer.weight is weight, layer.weight.data is data, type(weight).__name__",
                "(True, True, 'Parameter')",
                why="Whoever holds the parameter, an optimizer for one, must see the new numbers: "
                "write into its memory.",
            ),
            Case(
                "the numbers are copied",
                "layer.load_state_dict(saved)\nsaved['bias'][0] = 100\nlayer.bias.tolist()[0]",
                "5.0",
            ),
            Case(
                "arrays will do",
                "layer.load_state_dict({'weight': np.ones((2, 3)), 'bias': np.zeros(2)})\n"
                "Tensor(layer.bias)",
                "[0.0, 0.0]",
            ),
            Case(
                "below, too",
                "net = Sequential(Linear(2, 2), LayerNorm(2))\n"
                "net.load_state_dict(Sequential(Linear(2, 2), LayerNorm(2)).state_dict())\n"
                "len(net.state_dict())",
                "4",
            ),
            Case(
                "a missing name",
                "layer.load_state_dict({'weight': ones(2, 3)})",
                raises=(ValueError, "missing bias"),
                why="The message says which names are missing.",
            ),
            Case(
                "a name too many",
                "layer.load_state_dict({**saved, 'scale': ones(1)})",
                raises=(ValueError, "unexpected scale"),
                why="A name the module does not have is most likely a different model's.",
            ),
            Case(
                "another shape",
                "layer.load_state_dict({**saved, 'bias': ones(1)})",
                raises=(ValueError, r"bias.*\(1,\).*\(2,\)"),
                why="(1,) would broadcast into (2,) without a word: compare the shapes.",
            ),
            Case(
                "all faults at once",
                "layer.load_state_dict({'weight': ones(3, 3), 'scale': ones(1)})",
                raises=(ValueError, r"missing bias; unexpected scale; weight.*\(3, 3\).*\(2, 3\)"),
            ),
            Case(
                "after an error nothing has changed",
                "before = layer.weight.tolist()\n"
                "try:\n"
                "    layer.load_state_dict({'weight': ones(2, 3), 'bias': ones(7)})\n"
                "except ValueError:\n"
                "    pass\n"
                "layer.weight.tolist() == before",
                "True",
                why="Check everything before writing anything.",
            ),
            Case(
                "strict=False loads what fits",
                "part = {'bias': Tensor([5, 6]), 'x': ones(1)}\n"
                "missing, unexpected = layer.load_state_dict(part, strict=False)\n"
                "Tensor(layer.bias), ' '.join(missing), ' '.join(unexpected)",
                "(Tensor([5, 6]), 'weight', 'x')",
            ),
        ),
        wrong=(
            Wrong(
                """
                for name in self.state_dict():
                    setattr(self, name, state_dict[name])
                return Unmatched([], [])
                """,
                "it must stay a Parameter",
            ),
            Wrong(
                """
                own = self.state_dict()
                for name in own:
                    own[name][...] = state_dict[name]
                return Unmatched([], [])
                """,
                "It must raise a ValueError, and it raised KeyError: 'bias'",
            ),
            Wrong(
                """
                own = self.state_dict()
                missing = [name for name in own if name not in state_dict]
                if missing:
                    raise ValueError(f"load_state_dict: missing {', '.join(missing)}")
                for name in own:
                    own[name][...] = state_dict[name]
                return Unmatched(missing, [])
                """,
                "most likely a different model's",
            ),
            Wrong(
                """
                own = self.state_dict()
                missing = [name for name in own if name not in state_dict]
                unexpected = [name for name in state_dict if name not in own]
                faults = [f"missing {', '.join(missing)}"] if strict and missing else []
                faults += [f"unexpected {', '.join(unexpected)}"] if strict and unexpected else []
                if faults:
                    raise ValueError(f"load_state_dict: {'; '.join(faults)}")
                for name in own:
                    if name in state_dict:
                        own[name][...] = state_dict[name]
                return Unmatched(missing, unexpected)
                """,
                "would broadcast into (2,)",
            ),
            Wrong(
                """
                own = self.state_dict()
                missing = [name for name in own if name not in state_dict]
                unexpected = [name for name in state_dict if name not in own]
                faults = [f"missing {', '.join(missing)}"] if strict and missing else []
                faults += [f"unexpected {', '.join(unexpected)}"] if strict and unexpected else []
                for name in own:
                    if name in state_dict:
                        value = state_dict[name]
                        if np.shape(value) != own[name].shape:
                            faults.append(
                                f"{name} has shape {np.shape(value)}, expected {own[name].shape}"
                            )
                        else:
                            own[name][...] = value
                if faults:
                    raise ValueError(f"load_state_dict: {'; '.join(faults)}")
                return Unmatched(missing, unexpected)
                """,
                "Check everything before writing anything",
            ),
        ),
    ),
)
