"""Module 06: the exercises that build `tinytorch/optimizers.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

_STEPS = """\
p = Parameter([1.0, 2.0])
p.grad = Tensor([0.5, -1.0])

def steps(optimizer, n):
    for _ in range(n):
        optimizer.step()
    return Tensor(p)
"""

EXERCISES = (
    Exercise(
        "optimizers.Optimizer.step",
        title="Visit every parameter",
        hints=(
            'Two loops: over `self.param_groups`, and over `group["params"]` in each.',
            "A parameter that the loss did not depend on has no gradient: pass over it when "
            "`p.grad is None`.",
            "`self.update(p.data, self._gradient(p), self.state[p], group)`. The state is a dict "
            "that `self.state` makes when it is first asked for.",
        ),
        given="""\
class Subtract(Optimizer):
    def update(self, p, g, state, group):
        state["calls"] = state.get("calls", 0) + 1
        p -= group["lr"] * g

p, q = Parameter([1.0, 2.0]), Parameter([5.0])
p.grad, q.grad = Tensor([0.5, 0.5]), Tensor([1.0])
""",
        cases=(
            Case(
                "every parameter moves",
                "Subtract([p, q], {'lr': 1.0}).step()\nTensor(p), Tensor(q)",
                "(Tensor([0.5, 1.5]), Tensor([4.0]))",
                why="`update` is to be called once for each parameter, with its own array, "
                "`p.data`.",
            ),
            Case(
                "each by its group's options",
                "groups = [{'params': [p]}, {'params': [q], 'lr': 3.0}]\n"
                "Subtract(groups, {'lr': 1.0}).step()\n"
                "Tensor(p), Tensor(q)",
                "(Tensor([0.5, 1.5]), Tensor([2.0]))",
                why="The second group has a learning rate of its own: hand `update` the group "
                "that the parameter is in.",
            ),
            Case(
                "without a gradient nothing moves",
                "q.grad = None\nSubtract([p, q], {'lr': 1.0}).step()\nTensor(p), Tensor(q)",
                "(Tensor([0.5, 1.5]), Tensor([5.0]))",
                why="A parameter whose grad is None is passed over; the others move.",
            ),
            Case(
                "the state is kept",
                "optimizer = Subtract([p, q], {'lr': 1.0})\n"
                "optimizer.step()\n"
                "optimizer.step()\n"
                "optimizer.state[p]['calls'], optimizer.state[q]['calls']",
                "(2, 2)",
                why="`self.state[p]` is this parameter's dict, the same at every step.",
            ),
            Case(
                "a gradient of another shape is refused",
                "p.grad = ones(1)\nSubtract([p, q], {'lr': 1.0}).step()",
                raises=(ValueError, r"Subtract.*\(1,\).*\(2,\)"),
                why="(1,) would broadcast into (2,). `self._gradient(p)` compares the shapes.",
            ),
        ),
        wrong=(
            Wrong(
                """
                for group in self.param_groups:
                    for p in group["params"]:
                        self.update(p.data, self._gradient(p), self.state[p], group)
                """,
                "whose grad is None is passed over",
            ),
            Wrong(
                """
                group = self.param_groups[0]
                for p in [p for other in self.param_groups for p in other["params"]]:
                    if p.grad is not None:
                        self.update(p.data, self._gradient(p), self.state[p], group)
                """,
                "hand `update` the group",
            ),
            Wrong(
                """
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            self.update(p.data, self._gradient(p), {}, group)
                """,
                "the same at every step",
            ),
            Wrong(
                """
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            self.update(p.data.copy(), p.grad.data, self.state[p], group)
                """,
                "with its own array",
            ),
            Wrong(
                """
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is None:
                            return
                        self.update(p.data, p.grad.data, self.state[p], group)
                """,
                "compares the shapes",
            ),
        ),
    ),
    Exercise(
        "optimizers.SGD.update",
        title="Downhill, with momentum",
        hints=(
            "Without momentum it is one line: `p -= lr * g`. It must be `-=`: the array is the "
            "parameter's own, and `p = p - ...` would make a new one that nobody looks at.",
            'With momentum, make `state["momentum_buffer"] = np.zeros_like(p)` when it is not '
            "there yet. Then `velocity *= momentum` and `velocity += g`, in place.",
            "Nesterov's step looks one velocity ahead: d = g + momentum * velocity, with the "
            "velocity already updated.",
        ),
        given=_STEPS,
        cases=(
            Case(
                "one plain step",
                "steps(SGD([p], lr=0.1), 1)",
                "[0.95, 2.1]",
                why="p - lr * g, written into the parameter's own array with `-=`: against the "
                "gradient, because the gradient points uphill.",
            ),
            Case("two plain steps", "steps(SGD([p], lr=0.1), 2)", "[0.9, 2.2]"),
            Case(
                "momentum starts like a plain step",
                "steps(SGD([p], lr=0.1, momentum=0.9), 1)",
                "[0.95, 2.1]",
                why="The velocity starts as zeros, so after one step it is g, all of g.",
            ),
            Case(
                "the gradient is only read",
                "steps(SGD([p], lr=0.1, momentum=0.9), 2)\np.grad",
                "[0.5, -1.0]",
                why="The gradient belongs to the parameter; the velocity needs memory of its own.",
            ),
            Case(
                "momentum builds up",
                "steps(SGD([p], lr=0.1, momentum=0.9), 3)",
                "[1 - 0.05 * 5.61, 2 + 0.1 * 5.61]",
                why="The velocities are g, 1.9 g and 2.71 g: each is 0.9 of the last, plus g.",
            ),
            Case(
                "Nesterov looks ahead",
                "steps(SGD([p], lr=0.1, momentum=0.9, nesterov=True), 2)",
                "[1 - 0.05 * 4.61, 2 + 0.1 * 4.61]",
                why="With nesterov the steps are g + 0.9 · g and g + 0.9 · 1.9 g.",
            ),
            Case(
                "weight decay",
                "steps(SGD([p], lr=0.1, weight_decay=0.1), 1)",
                "[0.94, 2.08]",
                why="Every rule begins with `g = self.decayed(p, g, group)`.",
            ),
            Case(
                "weight decay is part of the velocity",
                "steps(SGD([p], lr=0.1, momentum=0.5, weight_decay=0.1), 2)",
                "[0.94 - 0.0894, 2.08 + 0.1192]",
            ),
            Case(
                "no momentum, no memory",
                "optimizer = SGD([p], lr=0.1)\noptimizer.step()\nlen(optimizer.state[p])",
                "0",
                why="Without momentum nothing has to be remembered, and memory costs.",
            ),
            Case(
                "a parameter that is one number",
                "x = Parameter(3.0)\n"
                "x.grad = Tensor(1.0)\n"
                "SGD([x], lr=0.5, momentum=0.9).step()\n"
                "x.item()",
                "2.5",
            ),
        ),
        wrong=(
            Wrong('p = p - group["lr"] * g', "written into the parameter's own array"),
            Wrong('p += group["lr"] * g', "the gradient points uphill"),
            Wrong(
                """
                g = self.decayed(p, g, group)
                if group["momentum"]:
                    velocity = state.setdefault("momentum_buffer", np.zeros_like(p))
                    velocity *= group["momentum"]
                    velocity += (1 - group["momentum"]) * g
                    g = velocity
                p -= group["lr"] * g
                """,
                "all of g",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                if group["momentum"]:
                    if "momentum_buffer" not in state:
                        state["momentum_buffer"] = g
                    else:
                        state["momentum_buffer"] *= group["momentum"]
                        state["momentum_buffer"] += g
                    g = state["momentum_buffer"]
                p -= group["lr"] * g
                """,
                "needs memory of its own",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                if group["momentum"]:
                    velocity = state.setdefault("momentum_buffer", np.zeros_like(p))
                    velocity *= group["momentum"]
                    velocity += g
                    g = velocity
                p -= group["lr"] * g
                """,
                "With nesterov the steps are",
            ),
            Wrong(
                """
                velocity = state.setdefault("momentum_buffer", np.zeros_like(p))
                velocity *= group["momentum"]
                velocity += self.decayed(p, g, group)
                d = velocity
                if group["nesterov"]:
                    d = self.decayed(p, g, group) + group["momentum"] * velocity
                p -= group["lr"] * d
                """,
                "nothing has to be remembered",
            ),
        ),
    ),
    Exercise(
        "optimizers.Optimizer.decayed",
        title="A pull towards zero",
        hints=(
            'With `group["weight_decay"]` at 0 the answer is g itself, not a copy.',
            "Otherwise it is a new array, or `self.scratch(p, slot=1)` filled by "
            "`np.multiply(p, weight_decay, out=...)`, to which g is then added. Neither p nor g "
            "may change.",
        ),
        given="""\
p = Parameter([1.0, -2.0])
optimizer = SGD([p], weight_decay=0.5)
group = optimizer.param_groups[0]
g = np.array([0.25, 0.25], dtype="float32")
""",
        cases=(
            Case(
                "g + weight_decay * p",
                "Tensor(optimizer.decayed(p.data, g, group))",
                "[0.75, -0.75]",
                why="The gradient of ½ · weight_decay · p² is weight_decay · p, and it is added: "
                "the step, against the gradient, then goes towards zero.",
            ),
            Case(
                "g stays what it was",
                "optimizer.decayed(p.data, g, group)\nTensor(g)",
                "[0.25, 0.25]",
                why="g is the memory of `p.grad`: whoever looks at it next must find the gradient.",
            ),
            Case(
                "p stays what it was",
                "optimizer.decayed(p.data, g, group)\nTensor(p)",
                "[1.0, -2.0]",
                why="The decay goes through the gradient; p moves in the step alone.",
            ),
            Case(
                "without decay it is g itself",
                "optimizer.decayed(p.data, g, {**group, 'weight_decay': 0.0}) is g",
                "True",
                why="Nothing to add, so nothing to copy.",
            ),
            Case(
                "out of the way of the step",
                "p.grad = Tensor([0.25, 0.25])\n"
                "Adam([p], lr=0.1, eps=1.0, weight_decay=0.5).step()\nTensor(p)",
                "[1 - 0.075 / 1.75, -2 + 0.075 / 1.75]",
                why="Adam computes in slot 0 of the scratch memory while it still needs g: this "
                "array is in slot 1, or a new one.",
            ),
            Case(
                "float64 keeps its digits",
                "Tensor(optimizer.decayed(np.array([0.2]), np.array([0.1]), group))",
                "np.array([0.2])",
                tol=1e-12,
            ),
        ),
        wrong=(
            Wrong('g += group["weight_decay"] * p\nreturn g', "is the memory of `p.grad`"),
            Wrong('return g - group["weight_decay"] * p', "it is added"),
            Wrong('p *= 1 - group["weight_decay"]\nreturn g', "is weight_decay · p"),
            Wrong('return g + group["weight_decay"] * p', "nothing to copy"),
        ),
    ),
    Exercise(
        "optimizers.RMSprop.update",
        title="A step size for each number",
        hints=(
            'Keep v in `state["square_avg"]`, zeros at first. `v *= alpha` and then '
            "`v += (1 - alpha) * g * g` change the array that the state holds.",
            "`v = alpha * v + ...` would make a new array, which is forgotten unless it is put "
            "back into the state.",
            "d = g / (np.sqrt(v) + eps): the root first, eps after. With momentum, d goes into a "
            "velocity, as in SGD.",
        ),
        given=_STEPS,
        cases=(
            Case(
                "one step",
                "steps(RMSprop([p], lr=0.1, alpha=0.75), 1)",
                "[0.8, 2.2]",
                why="v is ¼ g², its root ½ |g|: the step is lr · 2 whatever the size of g.",
            ),
            Case(
                "the gradient is only read",
                "steps(RMSprop([p], lr=0.1, momentum=0.9), 2)\np.grad",
                "[0.5, -1.0]",
                why="`p.grad` must not change: compute in `self.scratch(p)` or in new arrays.",
            ),
            Case(
                "v is remembered",
                "steps(RMSprop([p], lr=0.1, alpha=0.75), 2)",
                "[0.8 - 0.1511858, 2.2 + 0.1511858]",
                why="After two steps v is (¾ · ¼ + ¼) g²: most of what was there stays.",
            ),
            Case(
                "eps is added to the root",
                "steps(RMSprop([p], lr=0.1, alpha=0.75, eps=1.0), 1)",
                "[1 - 0.04, 2 + 0.1 / 1.5]",
                why="The divisor is √v + eps.",
            ),
            Case(
                "no gradient, no step",
                "p.grad = zeros(2)\nsteps(RMSprop([p]), 1)",
                "[1.0, 2.0]",
                why="0 / (0 + eps) is 0.",
            ),
            Case(
                "momentum",
                "steps(RMSprop([p], lr=0.1, alpha=0.75, momentum=0.9), 2)",
                "[1 - 0.5311858, 2 + 0.5311858]",
                why="velocity = momentum * velocity + d, and p moves by lr * velocity.",
            ),
            Case(
                "weight decay",
                "steps(RMSprop([p], lr=0.1, alpha=0.75, eps=1.0, weight_decay=0.1), 1)",
                "[1 - 0.06 / 1.3, 2 + 0.08 / 1.4]",
            ),
            Case(
                "what is kept",
                "optimizer = RMSprop([p], alpha=0.75)\n"
                "optimizer.step()\n"
                "' '.join(optimizer.state[p]), Tensor(optimizer.state[p]['square_avg'])",
                "('square_avg', Tensor([0.0625, 0.25]))",
            ),
        ),
        wrong=(
            Wrong(
                """
                v = state.setdefault("square_avg", np.zeros_like(p))
                v = group["alpha"] * v + (1 - group["alpha"]) * g * g
                p -= group["lr"] * g / (np.sqrt(v) + group["eps"])
                """,
                "most of what was there stays",
            ),
            Wrong(
                """
                v = state.setdefault("square_avg", np.zeros_like(p))
                v += g * g
                p -= group["lr"] * g / (np.sqrt(v) + group["eps"])
                """,
                "v is ¼ g²",
            ),
            Wrong(
                """
                v = state.setdefault("square_avg", np.zeros_like(p))
                v *= group["alpha"]
                v += (1 - group["alpha"]) * g * g
                p -= group["lr"] * g / np.sqrt(v + group["eps"])
                """,
                "The divisor is √v + eps",
            ),
            Wrong(
                """
                v = state.setdefault("square_avg", np.zeros_like(p))
                v *= group["alpha"]
                v += (1 - group["alpha"]) * g * g
                p -= group["lr"] * g / (np.sqrt(v) + group["eps"])
                """,
                "p moves by lr * velocity",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                v = state.setdefault("square_avg", np.zeros_like(p))
                v *= group["alpha"]
                v += (1 - group["alpha"]) * g * g
                g /= np.sqrt(v) + group["eps"]
                if group["momentum"]:
                    velocity = state.setdefault("momentum_buffer", np.zeros_like(p))
                    velocity *= group["momentum"]
                    velocity += g
                    g = velocity
                p -= group["lr"] * g
                """,
                "`p.grad` must not change",
            ),
        ),
    ),
    Exercise(
        "optimizers.Adam.update",
        title="Adam",
        hints=(
            "On a parameter's first step the state is empty: put three things into it, "
            "`step=0` and zeros for the two averages. Then count the step.",
            "`m *= beta1`, `m += (1 - beta1) * g`, and the same for v with g * g: in place, so "
            "that the state sees it.",
            "Both averages start at zero, so at step t they are too small by the factors "
            "`1 - beta1**t` and `1 - beta2**t`: divide by these before the root and before eps.",
        ),
        given=_STEPS,
        cases=(
            Case(
                "the first step is lr long",
                "steps(Adam([p], lr=0.1), 1)",
                "[0.9, 2.1]",
                why="Corrected for their start, m is g and v is g²: the step is lr · g / |g|.",
            ),
            Case(
                "the gradient is only read",
                "steps(Adam([p]), 2)\np.grad",
                "[0.5, -1.0]",
                why="`p.grad` must not change: compute in `self.scratch(p)` or in new arrays.",
            ),
            Case(
                "with a steady gradient each step is",
                "steps(Adam([p], lr=0.1), 3)",
                "[0.7, 2.3]",
                why="The corrections are 1 - beta1^t and 1 - beta2^t with t = 1, 2, 3: t is kept "
                "in state['step'].",
            ),
            Case(
                "a gradient that changes",
                "optimizer = Adam([p], lr=0.1, betas=(0.5, 0.75))\n"
                "optimizer.step()\n"
                "p.grad = Tensor([1.0, 1.0])\n"
                "steps(optimizer, 1)",
                "[0.7988371, 2.0666667]",
                why="m = ½ m + ½ g remembers the direction, v = ¾ v + ¼ g² the size: beta1 is m's, "
                "beta2 is v's.",
            ),
            Case(
                "eps is added to the corrected root",
                "steps(Adam([p], lr=0.1, eps=1.0), 1)",
                "[1 - 0.05 / 1.5, 2 + 0.1 / 2]",
                why="The divisor is √(v / (1 - beta2^t)) + eps.",
            ),
            Case(
                "no gradient, no step",
                "p.grad = zeros(2)\nsteps(Adam([p]), 1)",
                "[1.0, 2.0]",
            ),
            Case(
                "weight decay",
                "steps(Adam([p], lr=0.1, eps=1.0, weight_decay=0.1), 1)",
                "[1 - 0.06 / 1.6, 2 + 0.08 / 1.8]",
                why="Every rule begins with `g = self.decayed(p, g, group)`.",
            ),
            Case(
                "what is kept",
                "optimizer = Adam([p])\n"
                "steps(optimizer, 2)\n"
                "' '.join(sorted(optimizer.state[p])), optimizer.state[p]['step']",
                "('exp_avg exp_avg_sq step', 2)",
                why="Saved states have these names; PyTorch's have them too.",
            ),
        ),
        wrong=(
            Wrong(
                """
                g = self.decayed(p, g, group)
                beta1, beta2 = group["betas"]
                m = state.setdefault("exp_avg", np.zeros_like(p))
                v = state.setdefault("exp_avg_sq", np.zeros_like(p))
                m *= beta1
                m += (1 - beta1) * g
                v *= beta2
                v += (1 - beta2) * g * g
                p -= group["lr"] * m / (np.sqrt(v) + group["eps"])
                """,
                "Corrected for their start",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                beta1, beta2 = group["betas"]
                m = state.setdefault("exp_avg", np.zeros_like(p))
                v = state.setdefault("exp_avg_sq", np.zeros_like(p))
                m *= beta1
                m += (1 - beta1) * g
                v *= beta2
                v += (1 - beta2) * g * g
                m_hat, v_hat = m / (1 - beta1), v / (1 - beta2)
                p -= group["lr"] * m_hat / (np.sqrt(v_hat) + group["eps"])
                """,
                "t is kept in state['step']",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                beta2, beta1 = group["betas"]
                if not state:
                    state.update(step=0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
                state["step"] += 1
                m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
                m *= beta1
                m += (1 - beta1) * g
                v *= beta2
                v += (1 - beta2) * g * g
                m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
                p -= group["lr"] * m_hat / (np.sqrt(v_hat) + group["eps"])
                """,
                "beta1 is m's",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                beta1, beta2 = group["betas"]
                if not state:
                    state.update(step=0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
                state["step"] += 1
                m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
                m *= beta1
                m += (1 - beta1) * g
                v *= beta2
                v += (1 - beta2) * g * g
                m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
                p -= group["lr"] * m_hat / np.sqrt(v_hat + group["eps"])
                """,
                "The divisor is",
            ),
            Wrong(
                """
                g = self.decayed(p, g, group)
                beta1, beta2 = group["betas"]
                if not state:
                    state.update(step=0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
                state["step"] += 1
                m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
                m *= beta1
                m += (1 - beta1) * g
                v *= beta2
                g *= g
                v += (1 - beta2) * g
                m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
                p -= group["lr"] * m_hat / (np.sqrt(v_hat) + group["eps"])
                """,
                "`p.grad` must not change",
            ),
        ),
    ),
    Exercise(
        "optimizers.AdamW.update",
        title="Weight decay, kept apart",
        hints=(
            'The shrinking is one line: `p *= 1 - group["lr"] * group["weight_decay"]`.',
            "Then `super().update(p, g, state, ...)` makes Adam's step. It would apply the "
            "group's weight decay a second time: give it a copy of the group in which that is 0.",
            '`{**group, "weight_decay": 0.0}` is such a copy. Changing the group itself would '
            "switch the decay off for good.",
        ),
        given=_STEPS,
        cases=(
            Case(
                "without a gradient it only shrinks",
                "p.grad = zeros(2)\nsteps(AdamW([p], lr=0.1, weight_decay=0.5), 1)",
                "[0.95, 1.9]",
                why="p loses the fraction lr * weight_decay of itself, here 0.05.",
            ),
            Case(
                "shrinks, then steps",
                "steps(AdamW([p], lr=0.1, weight_decay=0.5), 1)",
                "[0.85, 2.0]",
                why="First 0.95 · p, then Adam's step of lr, which is not shrunk.",
            ),
            Case(
                "at every step",
                "steps(AdamW([p], lr=0.1, weight_decay=0.5), 2)",
                "[0.85 * 0.95 - 0.1, 2 * 0.95 + 0.1]",
                why="The second step decays like the first: the group must stay as it is.",
            ),
            Case(
                "the averages know nothing of it",
                "optimizer = AdamW([p], lr=0.1, weight_decay=0.5)\n"
                "optimizer.step()\n"
                "Tensor(optimizer.state[p]['exp_avg'])",
                "[0.05, -0.1]",
                why="m averages the gradient alone; that is the whole difference from Adam.",
            ),
            Case(
                "without decay it is Adam",
                "steps(AdamW([p], lr=0.1, weight_decay=0.0), 2)",
                "[0.8, 2.2]",
            ),
        ),
        wrong=(
            Wrong(
                """
                p *= 1 - group["lr"] * group["weight_decay"]
                super().update(p, g, state, group)
                """,
                "p loses the fraction",
            ),
            Wrong(
                """
                p *= 1 - group["weight_decay"]
                super().update(p, g, state, {**group, "weight_decay": 0.0})
                """,
                "p loses the fraction lr * weight_decay",
            ),
            Wrong(
                """
                super().update(p, g, state, {**group, "weight_decay": 0.0})
                p *= 1 - group["lr"] * group["weight_decay"]
                """,
                "which is not shrunk",
            ),
            Wrong(
                """
                p *= 1 - group["lr"] * group["weight_decay"]
                group["weight_decay"] = 0.0
                super().update(p, g, state, group)
                """,
                "the group must stay as it is",
            ),
        ),
    ),
    Exercise(
        "optimizers.Optimizer.add_param_group",
        title="Options of their own",
        hints=(
            "`model.parameters()` is an iterator: once read, it is empty. The new dict needs a "
            "list. And a single Parameter is not to be read as a list of numbers.",
            "In `{**a, **b}` the entries of b win. Put the defaults first, then the group, then "
            'the list under "params".',
            "`self._check_group(new)` before `self.param_groups.append(new)`: a group that is "
            "refused must not be half there.",
        ),
        given="p, q = Parameter([1.0]), Parameter([2.0, 3.0])\noptimizer = SGD([p], lr=0.5)",
        cases=(
            Case(
                "what it does not say, the defaults say",
                "optimizer.add_param_group({'params': [q]})\noptimizer.param_groups[1]['lr']",
                "0.5",
                why="The options are `self.defaults`, overridden by the group's own.",
            ),
            Case(
                "what it says holds",
                "optimizer.add_param_group({'params': [q], 'lr': 0.01})\n"
                "group = optimizer.param_groups[1]\n"
                "group['lr'], group['momentum'], optimizer.defaults['lr']",
                "(0.01, 0.0, 0.5)",
                why="The group's own option wins over the default, for this group alone.",
            ),
            Case(
                "an iterator becomes a list",
                "optimizer.add_param_group({'params': Linear(2, 2).parameters()})\n"
                "group = optimizer.param_groups[1]\n"
                "len(list(group['params'])), len(list(group['params']))",
                "(2, 2)",
                why="An iterator can be read once, and a training run reads it at every step.",
            ),
            Case(
                "a single parameter",
                "optimizer.add_param_group({'params': q})\n"
                "optimizer.param_groups[1]['params'][0] is q",
                "True",
                why="A Parameter by itself becomes a list of one; `list(q)` would be its rows.",
            ),
            Case(
                "the caller's dict stays as it was",
                "mine = {'params': [q]}\noptimizer.add_param_group(mine)\nlen(mine)",
                "1",
                why="Append a new dict.",
            ),
            Case(
                "no parameter twice",
                "optimizer.add_param_group({'params': [q, p]})",
                raises=(ValueError, "twice"),
                why="`self._check_group(new)` sees it: p is in the first group.",
            ),
            Case(
                "a group that is refused is not there",
                "try:\n"
                "    optimizer.add_param_group({'params': [q], 'lr': -1})\n"
                "except ValueError:\n"
                "    pass\n"
                "len(optimizer.param_groups)",
                "1",
                why="Check before you append.",
            ),
        ),
        wrong=(
            Wrong(
                """
                new = {**self.defaults, **group}
                self._check_group(new)
                self.param_groups.append(new)
                """,
                "An iterator can be read once",
            ),
            Wrong(
                """
                new = {**group, **self.defaults, "params": list(group["params"])}
                self._check_group(new)
                self.param_groups.append(new)
                """,
                "wins over the default",
            ),
            Wrong(
                """
                new = {**self.defaults, **group, "params": list(group["params"])}
                self._check_group(new)
                self.param_groups.append(new)
                """,
                "would be its rows",
            ),
            Wrong(
                """
                params = group["params"]
                params = [params] if isinstance(params, Tensor) else list(params)
                group.update({**self.defaults, **group, "params": params})
                self._check_group(group)
                self.param_groups.append(group)
                """,
                "Append a new dict",
            ),
            Wrong(
                """
                params = group["params"]
                params = [params] if isinstance(params, Tensor) else list(params)
                new = {**self.defaults, **group, "params": params}
                self.param_groups.append(new)
                """,
                "sees it: p is in the first group",
            ),
        ),
    ),
)
