"""Module 07: the exercises that build `tinytorch/training.py` and `tinytorch/lr_scheduler.py`."""

from __future__ import annotations

from ..exercise import Case, Exercise, Wrong

_LINE = """\
class Line(Module):
    def __init__(self):
        self.w = Parameter([1.0])

    def forward(self, x):
        return x @ self.w

def mean_gap(outputs, targets):
    return (outputs - targets).mean()

def trainer(**options):
    net = Line()
    return Trainer(net, mean_gap, SGD(net.parameters(), lr=1.0), **options)

one = (Tensor([[2.0], [4.0]]), Tensor([0.0, 0.0]))
two = (Tensor([[3.0], [5.0], [1.0], [1.0], [2.0], [0.0]]), zeros(6))
"""

_PARTS = """\
def parts():
    net = Sequential(Linear(2, 3), Linear(3, 1))
    optimizer = SGD(net.parameters(), lr=0.05, momentum=0.9)
    return Trainer(net, MSELoss(), optimizer, StepLR(optimizer, 2))

x, y = randn(6, 2), randn(6, 1)
data = [(x[i : i + 2], y[i : i + 2]) for i in (0, 2, 4)]
"""

_STOP = """\
def stopped(losses, **options):
    net = Linear(1, 1)
    trainer = Trainer(net, MSELoss(), SGD(net.parameters()))
    stopping = EarlyStopping(**options)
    for number, loss in enumerate(losses, 1):
        trainer.history.append({"epoch": number, "val_loss": loss})
        stopping(trainer, "epoch_end")
        if trainer.stopped:
            return number, trainer.stopped
    return "never", ""
"""

_CYCLE = """\
def cycle(**options):
    optimizer = SGD([Parameter([1.0])])
    return OneCycleLR(optimizer, max_lr=1.0, total_steps=10, **options)
"""

EXERCISES = (
    Exercise(
        "training.Trainer.step",
        title="One step, from one batch or several",
        hints=(
            "With one batch it is the loop of Module 06: zero_grad, loss, backward, step.",
            "`backward()` adds to the gradients it finds. Several batches, each with its own "
            "`backward()` and no `zero_grad()` between them, give the sum of their gradients.",
            "A loss is a mean over its batch. Multiplied by `len(targets) / total` these means add "
            "up to the mean over all examples. `loss.item()` gives a float to add up; "
            "`_check_finite` looks at the sum before anything is changed.",
        ),
        given=_LINE,
        cases=(
            Case(
                "the mean is a number",
                "type(trainer().step([one, two])).__name__",
                "'float'",
                why="`loss.item()` is a float. A Tensor would hold on to its graph.",
            ),
            Case(
                "one batch",
                "t = trainer()\nt.step([one]), t.model.w",
                "(3.0, [-2.0])",
                why="The mean input is 3, so is the gradient of w: from 1 it goes to -2.",
            ),
            Case(
                "a second step forgets the first's gradients",
                "t = trainer()\nt.step([one])\nt.step([one])\nt.model.w",
                "[-5.0]",
                why="`self.optimizer.zero_grad()` comes before the first backward().",
            ),
            Case(
                "two batches of different sizes",
                "t = trainer()\nt.step([one, two]), t.model.w",
                "(2.25, [-1.25])",
                why="Of 8 examples, 2 have mean 3 and 6 have mean 2: (2 · 3 + 6 · 2) / 8. Each "
                "batch counts by its share of the examples.",
            ),
            Case(
                "the graph of one batch at a time",
                "t = trainer()\n"
                "calls = []\n"
                "t.loss_fn = lambda o, y: (calls.append(t.model.w.grad is not None), "
                "mean_gap(o, y))[1]\n"
                "t.step([one, two, one])\n"
                "tuple(calls)",
                "(False, True, True)",
                why="`backward()` belongs inside the loop: it frees a batch's graph before the "
                "next one is made. Adding up losses would keep all graphs until the end.",
            ),
            Case(
                "clipped",
                "t = trainer(clip_norm=0.5)\nt.step([one])\nt.model.w",
                "[0.5]",
                tol=1e-4,
                why="With clip_norm=0.5 the gradient of 3 becomes 0.5, between the last backward "
                "and the optimizer's step.",
            ),
            Case(
                "the schedule moves after the step",
                "t = trainer()\n"
                "t.scheduler = StepLR(t.optimizer, step_size=1, gamma=0.1)\n"
                "t.step([one])\n"
                "t.model.w, t.scheduler.get_last_lr()[0]",
                "([-2.0], 0.1)",
                why="The step is made with the rate that holds, 1; then the schedule sets 0.1.",
            ),
            Case(
                "no step from a loss that is no number",
                "t = trainer()\n"
                "try: t.step([(Tensor([[np.nan]]), zeros(1))])\n"
                "except FloatingPointError: print('refused')\n"
                "t.model.w",
                "[1.0]",
                why="Its gradient is nan, and after a step with it so is every parameter: "
                "`_check_finite(mean)` comes before the optimizer.",
            ),
        ),
        wrong=(
            Wrong(
                """
                total = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets)
                    loss.backward()
                    total += loss.item()
                self.optimizer.step()
                return total / len(batches)
                """,
                "comes before the first backward",
            ),
            Wrong(
                """
                self.optimizer.zero_grad()
                total = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets) / len(batches)
                    loss.backward()
                    total += loss.item()
                self.optimizer.step()
                return total
                """,
                "by its share of the examples",
            ),
            Wrong(
                """
                self.optimizer.zero_grad()
                total = sum(len(targets) for _, targets in batches)
                mean = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets) * (len(targets) / total)
                    mean = mean + loss
                mean.backward()
                self.optimizer.step()
                return mean.item()
                """,
                "backward()` belongs inside the loop",
            ),
            Wrong(
                """
                self.optimizer.zero_grad()
                total = sum(len(targets) for _, targets in batches)
                mean = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets) * (len(targets) / total)
                    loss.backward()
                    mean += loss
                self.optimizer.step()
                return mean
                """,
                "A Tensor would hold on to its graph",
            ),
            Wrong(
                """
                self.optimizer.zero_grad()
                total = sum(len(targets) for _, targets in batches)
                mean = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets) * (len(targets) / total)
                    loss.backward()
                    mean += loss.item()
                self.optimizer.step()
                return mean
                """,
                "between the last backward",
            ),
            Wrong(
                """
                self.optimizer.zero_grad()
                total = sum(len(targets) for _, targets in batches)
                mean = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets) * (len(targets) / total)
                    loss.backward()
                    mean += loss.item()
                if self.clip_norm is not None:
                    clip_grad_norm_(self.model.parameters(), self.clip_norm)
                if self.scheduler is not None:
                    self.scheduler.step()
                self.optimizer.step()
                return mean
                """,
                "made with the rate that holds",
            ),
            Wrong(
                """
                self.optimizer.zero_grad()
                total = sum(len(targets) for _, targets in batches)
                mean = 0.0
                for inputs, targets in batches:
                    loss = self.loss_fn(self.model(inputs), targets) * (len(targets) / total)
                    loss.backward()
                    mean += loss.item()
                if self.clip_norm is not None:
                    clip_grad_norm_(self.model.parameters(), self.clip_norm)
                self.optimizer.step()
                if self.scheduler is not None:
                    self.scheduler.step()
                return mean
                """,
                "comes before the optimizer",
            ),
        ),
    ),
    Exercise(
        "training.Trainer.evaluate",
        title="Look without learning",
        hints=(
            "Everything in the loop stands inside one `with`: "
            "`with _mode(self.model, training=False), no_grad():`.",
            "Collect the values in lists: one of losses, one for each metric, and one of sizes.",
            "`_mean(values, sizes)` refuses an empty list; a plain average of the batches' means "
            "would count a small last batch too much.",
        ),
        given=_LINE,
        cases=(
            Case(
                "a dict of means",
                "trainer().evaluate([one])",
                "{'loss': 3.0}",
                why="Without metrics there is the loss alone, under the name 'loss'.",
            ),
            Case(
                "batches count by their size",
                "trainer().evaluate([one, two])",
                "{'loss': 2.25}",
                why="Of 8 examples, 2 have mean 3 and 6 have mean 2.",
            ),
            Case(
                "metrics",
                "large = lambda outputs, targets: float((outputs.data > 2).mean())\n"
                "trainer(metrics={'large': large}).evaluate([one, two])",
                "{'loss': 2.25, 'large': 0.375}",
                why="Of 8 outputs, 3 are above 2: every metric is averaged as the loss is.",
            ),
            Case(
                "the model knows it is being evaluated",
                "t = trainer()\n"
                "modes = []\n"
                "t.loss_fn = lambda o, y: (modes.append(t.model.training), mean_gap(o, y))[1]\n"
                "t.evaluate([one])\n"
                "tuple(modes)",
                "(False,)",
                why="Dropout must be off: `_mode(self.model, training=False)` sees to it.",
            ),
            Case(
                "the mode comes back",
                "t = trainer()\n"
                "t.evaluate([one])\n"
                "first = t.model.training\n"
                "t.model.eval()\n"
                "t.evaluate([one])\n"
                "first, t.model.training",
                "(True, False)",
                why="The model is put back into the mode it was in, whichever that was.",
            ),
            Case(
                "each module's own mode comes back, even after an error",
                "t = trainer()\n"
                "t.model.frozen = Dropout(0.5).eval()\n"
                "t.evaluate([one])\n"
                "after = t.model.training, t.model.frozen.training\n"
                "try: t.evaluate([one, 3])\n"
                "except TypeError: pass\n"
                "(*after, t.model.training, t.model.frozen.training)",
                "(True, False, True, False)",
                why="A part that was frozen must not wake up, and an error must not leave the "
                "model asleep. `with _mode(self.model, training=False):` remembers every module.",
            ),
            Case(
                "nothing is recorded",
                "t = trainer()\n"
                "seen = []\n"
                "t.loss_fn = lambda o, y: (seen.append(o.requires_grad), mean_gap(o, y))[1]\n"
                "t.evaluate([one])\n"
                "tuple(seen)",
                "(False,)",
                why="A graph that nobody goes back through is memory for nothing: `no_grad()`.",
            ),
            Case(
                "no batches, no mean",
                "trainer().evaluate([])",
                raises=(ValueError, "no batches"),
                why="`_mean` raises it.",
            ),
        ),
        wrong=(
            Wrong(
                """
                losses = []
                for inputs, targets in batches:
                    losses.append(self.loss_fn(self.model(inputs), targets).item())
                return {"loss": sum(losses) / len(losses)}
                """,
                "2 have mean 3 and 6 have mean 2",
            ),
            Wrong(
                """
                values = {name: [] for name in ("loss", *self.metrics)}
                sizes = []
                with no_grad():
                    for inputs, targets in batches:
                        outputs = self.model(inputs)
                        sizes.append(len(targets))
                        values["loss"].append(self.loss_fn(outputs, targets).item())
                        for name, metric in self.metrics.items():
                            values[name].append(metric(outputs, targets))
                return {name: _mean(one, sizes) for name, one in values.items()}
                """,
                "Dropout must be off",
            ),
            Wrong(
                """
                values = {name: [] for name in ("loss", *self.metrics)}
                sizes = []
                self.model.eval()
                with no_grad():
                    for inputs, targets in batches:
                        outputs = self.model(inputs)
                        sizes.append(len(targets))
                        values["loss"].append(self.loss_fn(outputs, targets).item())
                        for name, metric in self.metrics.items():
                            values[name].append(metric(outputs, targets))
                self.model.train()
                return {name: _mean(one, sizes) for name, one in values.items()}
                """,
                "whichever that was",
            ),
            Wrong(
                """
                mode = self.model.training
                values = {name: [] for name in ("loss", *self.metrics)}
                sizes = []
                self.model.eval()
                with no_grad():
                    for inputs, targets in batches:
                        outputs = self.model(inputs)
                        sizes.append(len(targets))
                        values["loss"].append(self.loss_fn(outputs, targets).item())
                        for name, metric in self.metrics.items():
                            values[name].append(metric(outputs, targets))
                self.model.train(mode)
                return {name: _mean(one, sizes) for name, one in values.items()}
                """,
                "must not wake up",
            ),
            Wrong(
                """
                values = {name: [] for name in ("loss", *self.metrics)}
                sizes = []
                with _mode(self.model, training=False):
                    for inputs, targets in batches:
                        outputs = self.model(inputs)
                        sizes.append(len(targets))
                        values["loss"].append(self.loss_fn(outputs, targets).item())
                        for name, metric in self.metrics.items():
                            values[name].append(metric(outputs, targets))
                return {name: _mean(one, sizes) for name, one in values.items()}
                """,
                "memory for nothing",
            ),
        ),
    ),
    Exercise(
        "training.EarlyStopping.__call__",
        title="Know when to stop",
        hints=(
            'Leave at once unless `event == "epoch_end"`.',
            "Walk over `self._values(trainer)` with two variables: the best value so far, math.inf "
            "at first, and how many entries ago it came.",
            "An entry counts as better when `value < best - self.min_delta`. After the walk, "
            "`if since >= self.patience: trainer.stop(...)`.",
        ),
        given=_STOP,
        cases=(
            Case(
                "while it falls, go on",
                "stopped([5, 4, 3, 2, 1], patience=2)[0]",
                "'never'",
                why="Every epoch brought a new best.",
            ),
            Case(
                "two epochs without a new best",
                "stopped([5, 4, 4.5, 4.2, 3], patience=2)[0]",
                "4",
                why="With patience=2 the second epoch that is no better than the best, 4, is the "
                "last. What counts is the best, not the epoch before.",
            ),
            Case(
                "a new best starts the count again",
                "stopped([5, 6, 4, 6, 3, 6, 7], patience=2)[0]",
                "7",
                why="Each new best sets the count back to 0; only epochs in a row exhaust the "
                "patience.",
            ),
            Case(
                "a little better is not better",
                "stopped([5.0, 4.95, 4.9, 4.0, 3.5], patience=2, min_delta=0.2)[0]",
                "3",
                why="4.95 and 4.9 are less than min_delta below 5.",
            ),
            Case(
                "small gains add up",
                "stopped([5.0, 4.9, 4.7, 4.6, 4.4, 4.3], patience=2, min_delta=0.25)[0]",
                "'never'",
                why="4.7 is 0.3 below 5, and becomes the best that the next ones are measured "
                "against; 4.9 in between did not.",
            ),
            Case(
                "the reason names the number",
                "'val_loss' in stopped([1, 2], patience=1)[1]",
                "True",
                why="`trainer.stop(reason)`: the reason is what a reader sees.",
            ),
            Case(
                "other events change nothing",
                "t = Trainer(Linear(1, 1), MSELoss(), SGD([Parameter([1.0])]))\n"
                "t.history.extend([{'val_loss': 1.0}, {'val_loss': 2.0}])\n"
                "EarlyStopping(patience=1)(t, 'step_end')\n"
                "t.stopped",
                "''",
                why="Steps end hundreds of times in an epoch. Look at 'epoch_end' only.",
            ),
            Case(
                "as good is not better",
                "stopped([5, 5, 5], patience=2)[0]",
                "3",
                why="A new best is below the one before it, by more than min_delta.",
            ),
            Case(
                "the count starts at the last best",
                "stopped([5.0, 4.8, 4.6, 4.56, 4.3], patience=2, min_delta=0.25)[0]",
                "'never'",
                why="4.6 is the best, for 4.8 was not: 4.56 is the first epoch after it, and 4.3 "
                "the next best.",
            ),
            Case(
                "all of the history counts",
                "t = Trainer(Linear(1, 1), MSELoss(), SGD([Parameter([1.0])]))\n"
                "t.history.extend([{'val_loss': loss} for loss in (1.0, 2.0, 3.0, 2.9, 2.8)])\n"
                "EarlyStopping(patience=2)(t, 'epoch_end')\nt.stopped != ''",
                "True",
                why="A resumed run begins with a history: its best, 1, is 4 epochs back. That 2.8 "
                "is below 3 does not count.",
            ),
        ),
        wrong=(
            Wrong(
                """
                if event != "epoch_end" or len(trainer.history) < 2:
                    return
                last, before = trainer.history[-1], trainer.history[-2]
                self.bad = self.bad + 1 if hasattr(self, "bad") else 0
                if last[self.monitor] < before[self.monitor]:
                    self.bad = 0
                if self.bad >= self.patience:
                    trainer.stop(f"{self.monitor} rose")
                """,
                "What counts is the best",
            ),
            Wrong(
                """
                if event != "epoch_end":
                    return
                values = [entry[self.monitor] for entry in trainer.history]
                best, worse = math.inf, 0
                for value in values:
                    if value < best - self.min_delta:
                        best = value
                    else:
                        worse += 1
                if worse >= self.patience:
                    trainer.stop(f"{self.monitor} is no better")
                """,
                "sets the count back to 0",
            ),
            Wrong(
                """
                if event != "epoch_end":
                    return
                values = [entry[self.monitor] for entry in trainer.history]
                since = len(values) - 1 - values.index(min(values))
                if since >= self.patience:
                    trainer.stop(f"{self.monitor} is no better")
                """,
                "less than min_delta below 5",
            ),
            Wrong(
                """
                if event != "epoch_end":
                    return
                best, since = math.inf, 0
                for entry in trainer.history:
                    since += 1
                    if entry[self.monitor] < best - self.min_delta:
                        since = 0
                    best = min(best, entry[self.monitor])
                if since >= self.patience:
                    trainer.stop(f"{self.monitor} is no better")
                """,
                "becomes the best that the next ones are measured",
            ),
            Wrong(
                """
                best, since = math.inf, 0
                for entry in trainer.history:
                    since += 1
                    if entry[self.monitor] < best - self.min_delta:
                        best, since = entry[self.monitor], 0
                if since >= self.patience:
                    trainer.stop(f"{self.monitor} is no better")
                """,
                "Look at 'epoch_end' only",
            ),
            Wrong(
                """
                if event != "epoch_end":
                    return
                values, n = self._values(trainer), self.patience
                if len(values) > n and min(values[-n:]) >= min(values[:-n]) - self.min_delta:
                    trainer.stop(f"{self.monitor} is no better")
                """,
                "4.56 is the first epoch after it",
            ),
            Wrong(
                """
                if event != "epoch_end":
                    return
                best, since = math.inf, 0
                for value in self._values(trainer)[-self.patience - 1 :]:
                    since += 1
                    if value < best - self.min_delta:
                        best, since = value, 0
                if since >= self.patience:
                    trainer.stop(f"{self.monitor} is no better")
                """,
                "4.56 is the first epoch after it",
            ),
        ),
    ),
    Exercise(
        "training.clip_grad_norm_",
        title="Cut a gradient to size",
        hints=(
            "One norm for all gradients together, not one for each: a common factor keeps the "
            "direction.",
            "The norm of all is the norm of the norms: collect `np.linalg.norm(g.ravel(), "
            "norm_type)` of each, then take the norm of that list.",
            "Scale with `g *= scale`, in place, and only if the factor is not 1 or more. The "
            "return value is the norm before.",
        ),
        given="""\
p, q, r = Parameter([1.0, 2.0]), Parameter([[5.0]]), Parameter([7.0])
p.grad, q.grad = Tensor([2.0, 3.0]), Tensor([[6.0]])
""",
        cases=(
            Case(
                "the norm of all of them",
                "clip_grad_norm_([p, q], 100.0).item()",
                "7.0",
                why="√(2² + 3² + 6²) = 7, over the numbers of all gradients together.",
            ),
            Case(
                "too long: all are scaled alike",
                "clip_grad_norm_([p, q], 3.5)\np.grad, q.grad",
                "([1.0, 1.5], [[3.0]])",
                why="7 is twice 3.5, so every number is halved: the direction stays.",
            ),
            Case(
                "short enough: nothing changes",
                "clip_grad_norm_([p, q], 10.0)\np.grad, q.grad",
                "([2.0, 3.0], [[6.0]])",
                why="Gradients are only ever made shorter.",
            ),
            Case(
                "in place",
                "before = p.grad.data\nclip_grad_norm_([p, q], 3.5)\np.grad.data is before",
                "True",
                why="`g *= scale` changes the array that is there.",
            ),
            Case(
                "the norm before, returned",
                "clip_grad_norm_([p, q], 3.5)",
                "Tensor(7.0)",
                why="What comes back is the norm as it was, as a Tensor: the number to watch.",
            ),
            Case(
                "a parameter without a gradient",
                "clip_grad_norm_([r, p, q], 3.5).item()",
                "7.0",
                why="r.grad is None: it is passed over.",
            ),
            Case(
                "any iterable",
                "net = Linear(2, 1)\n"
                "net(Tensor([[3.0, 4.0]])).sum().backward()\n"
                "norm = clip_grad_norm_(net.parameters(), 1.0)\n"
                "norm.item(), float((net.weight.grad.data**2).sum() + net.bias.grad.data[0] ** 2)",
                "(26 ** 0.5, 1.0)",
                tol=1e-4,
                why="`net.parameters()` is a generator: it can be walked once. Make a list.",
            ),
            Case(
                "the largest number",
                "clip_grad_norm_([p, q], 3.0, norm_type=float('inf')).item(), p.grad",
                "(6.0, [1.0, 1.5])",
                why="With math.inf the norm is the largest absolute value.",
            ),
            Case(
                "one parameter is a list of one",
                "clip_grad_norm_(q, 3.0).item(), q.grad",
                "(6.0, [[3.0]])",
                why="A loop over a Tensor goes over its rows, which have no gradients. "
                "`_gradients(parameters, max_norm)` knows.",
            ),
            Case(
                "no limit below zero",
                "clip_grad_norm_([p, q], -1.0)",
                raises=(ValueError, "max_norm"),
                why="`_gradients(parameters, max_norm)` raises it: a factor below 0 would turn "
                "every gradient around.",
            ),
            Case(
                "a gradient that is nan is not hidden",
                "p.grad = Tensor([np.nan, 3.0])\n"
                "with np.errstate(all='ignore'): clip_grad_norm_([p, q], 3.5)\n"
                "bool(np.isnan(q.grad.data).all())",
                "True",
                why="The norm is nan, and so is the factor: `not scale >= 1` is true for nan, "
                "`scale < 1` is not. All gradients become nan, as PyTorch's do, and it is seen.",
            ),
            Case(
                "a matrix counts number by number",
                "w = Parameter([[0.0, 0.0], [0.0, 0.0]])\n"
                "w.grad = Tensor([[3.0, 0.0], [0.0, 4.0]])\nclip_grad_norm_([w], 100.0).item()",
                "5.0",
                why="NumPy's norm of a matrix is another one; `g.ravel()` makes it one row of "
                "numbers.",
            ),
            Case(
                "no gradients at all",
                "clip_grad_norm_([r], 1.0, norm_type=float('inf')).item()",
                "0.0",
                why="The norm of no numbers is 0.",
            ),
            Case(
                "very small gradients",
                "p.grad = Tensor([1e-6, 0.0])\nclip_grad_norm_([p], 1e-6)\np.grad * 1e6",
                "[0.5, 0.0]",
                why="The factor is max_norm / (norm + 1e-6): with a norm of 0 nothing is divided "
                "by 0.",
            ),
        ),
        wrong=(
            Wrong(
                """
                norm = 0.0
                for p in parameters:
                    if p.grad is not None:
                        norm = float(np.linalg.norm(p.grad.data.ravel(), norm_type))
                        if norm > max_norm:
                            p.grad.data *= max_norm / norm
                return Tensor(norm)
                """,
                "over the numbers of all gradients together",
            ),
            Wrong(
                """
                grads = [p.grad.data for p in parameters if p.grad is not None]
                norm = float(np.linalg.norm([np.linalg.norm(g.ravel()) for g in grads]))
                for g in grads:
                    g *= max_norm / (norm + 1e-6)
                return Tensor(norm)
                """,
                "only ever made shorter",
            ),
            Wrong(
                """
                parameters = [p for p in parameters if p.grad is not None]
                norm = math.sqrt(sum(float((p.grad.data ** 2).sum()) for p in parameters))
                if norm > max_norm:
                    for p in parameters:
                        p.grad = Tensor(p.grad.data * (max_norm / norm))
                return Tensor(norm)
                """,
                "changes the array that is there",
            ),
            Wrong(
                """
                squares = [(p.grad.data**2).sum() for p in parameters if p.grad is not None]
                norm = math.sqrt(sum(squares))
                if norm > max_norm:
                    for p in parameters:
                        if p.grad is not None:
                            p.grad.data *= max_norm / norm
                return Tensor(norm)
                """,
                "it can be walked once",
            ),
            Wrong(
                """
                grads = [p.grad.data for p in parameters if p.grad is not None]
                norm = math.sqrt(sum(float((g**2).sum()) for g in grads))
                if norm > max_norm:
                    for g in grads:
                        g *= max_norm / norm
                return Tensor(norm)
                """,
                "the largest absolute value",
            ),
            Wrong(
                """
                grads = [p.grad.data for p in parameters if p.grad is not None]
                norms = [np.linalg.norm(g.ravel(), norm_type) for g in grads]
                norm = float(np.linalg.norm(norms, norm_type))
                scale = max_norm / (norm + 1e-6)
                if scale < 1:
                    for g in grads:
                        g *= scale
                return Tensor(norm)
                """,
                "goes over its rows",
            ),
            Wrong(
                """
                grads = _gradients(parameters, max_norm)
                norms = [np.linalg.norm(g.ravel(), norm_type) for g in grads]
                norm = float(np.linalg.norm(norms, norm_type))
                scale = max_norm / (norm + 1e-6)
                if scale < 1:
                    for g in grads:
                        g *= scale
                return Tensor(norm)
                """,
                "is not hidden",
            ),
        ),
    ),
    Exercise(
        "lr_scheduler.LRScheduler.step",
        title="Turn the dial of every group",
        hints=(
            "Count first: `self.last_epoch += 1`.",
            "Then one assignment for each group. The base is the group's own, "
            "`self._base(group)`, never the rate it has now.",
        ),
        given="""\
class Halving(LRScheduler):
    def lr_at(self, step, base):
        return base / 2**step

p, q = Parameter([1.0]), Parameter([2.0])
optimizer = SGD([{"params": [p]}, {"params": [q], "lr": 0.8}], lr=0.4)
""",
        cases=(
            Case(
                "at the start nothing has changed",
                "tuple(Halving(optimizer).get_last_lr())",
                "(0.4, 0.8)",
                why="The constructor's own call makes it step 0. Count first, then set.",
            ),
            Case(
                "one step",
                "s = Halving(optimizer)\ns.step()\ntuple(s.get_last_lr())",
                "(0.2, 0.4)",
                why="Every group has its own base, `self._base(group)`.",
            ),
            Case(
                "three steps",
                "s = Halving(optimizer)\nfor _ in range(3): s.step()\ntuple(s.get_last_lr())",
                "(0.05, 0.1)",
                why="lr_at wants the rate at the start as its base. Given the present rate, three "
                "steps would halve it 1 + 2 + 3 times.",
            ),
            Case(
                "the count goes on",
                "s = Halving(optimizer)\nfor _ in range(3): s.step()\ns.last_epoch",
                "3",
                why="last_epoch counts the calls.",
            ),
            Case(
                "what others do to a rate stays",
                "s = Halving(optimizer)\n"
                "s.step()\n"
                "optimizer.param_groups[0]['lr'] = 1.0\n"
                "s.step()\n"
                "tuple(s.get_last_lr())",
                "(0.5, 0.2)",
                why="A rate that was set by hand, or by a second schedule, is the one to go on "
                "from: `self._base(group)` takes it into account, group['initial_lr'] does not.",
            ),
        ),
        wrong=(
            Wrong(
                """
                self.last_epoch += 1
                for group in self.optimizer.param_groups:
                    group["lr"] = self.lr_at(self.last_epoch, group["initial_lr"])
                """,
                "is the one to go on from",
            ),
            Wrong(
                """
                for group in self.optimizer.param_groups:
                    group["lr"] = self.lr_at(self.last_epoch, group["initial_lr"])
                self.last_epoch += 1
                """,
                "Count first, then set",
            ),
            Wrong(
                """
                self.last_epoch += 1
                for group in self.optimizer.param_groups:
                    group["lr"] = self.lr_at(self.last_epoch, group["lr"])
                """,
                "wants the rate at the start",
            ),
            Wrong(
                """
                self.last_epoch += 1
                base = self.optimizer.param_groups[0]["initial_lr"]
                for group in self.optimizer.param_groups:
                    group["lr"] = self.lr_at(self.last_epoch, base)
                """,
                "The constructor's own call",
            ),
        ),
    ),
    Exercise(
        "lr_scheduler.CosineAnnealingLR.lr_at",
        title="Half a cosine down",
        hints=(
            "(1 + cos(pi * x)) / 2 goes from 1 to 0 while x goes from 0 to 1.",
            "Here x is step / self.T_max, and the wave is stretched from eta_min to base.",
        ),
        given="schedule = CosineAnnealingLR(SGD([Parameter([1.0])], lr=0.5), T_max=8, "
        "eta_min=0.1)\n",
        cases=(
            Case(
                "it begins at the base",
                "schedule.lr_at(0, 0.5)",
                "0.5",
                why="The cosine of 0 is 1: the whole of base.",
            ),
            Case(
                "it ends at eta_min",
                "schedule.lr_at(8, 0.5)",
                "0.1",
                why="After T_max steps the rate is eta_min.",
            ),
            Case(
                "half-way it is half-way",
                "schedule.lr_at(4, 0.5)",
                "0.3",
                why="Midway between base and eta_min: (0.5 + 0.1) / 2.",
            ),
            Case(
                "slow at first",
                "schedule.lr_at(1, 0.5)",
                "0.1 + 0.4 * (1 + np.cos(np.pi / 8)) / 2",
                why="It follows half a cosine, not a straight line, and not a whole cosine.",
            ),
            Case(
                "the base is an argument",
                "schedule.lr_at(4, 0.9)",
                "0.5",
                why="Groups have bases of their own: use `base`.",
            ),
        ),
        wrong=(
            Wrong(
                "return self.eta_min + (base - self.eta_min) * (1 - step / self.T_max)",
                "not a straight line",
            ),
            Wrong(
                "return self.eta_min + base * (1 + math.cos(math.pi * step / self.T_max)) / 2",
                "the whole of base",
            ),
            Wrong(
                "wave = (1 + math.cos(2 * math.pi * step / self.T_max)) / 2\n"
                "return self.eta_min + (base - self.eta_min) * wave",
                "the rate is eta_min",
            ),
            Wrong(
                'start = self.optimizer.param_groups[0]["initial_lr"]\n'
                "wave = (1 + math.cos(math.pi * step / self.T_max)) / 2\n"
                "return self.eta_min + (start - self.eta_min) * wave",
                "use `base`",
            ),
        ),
    ),
    Exercise(
        "lr_scheduler.OneCycleLR.lr_at",
        title="Up, and further down",
        hints=(
            "Raise first: a step above `self.total_steps` has no rate.",
            "Two cases, one formula. Up to the top, share = step / top. After it, share = "
            "(step - top) / (last - top) with last = self.total_steps - 1.",
            "`_along_cosine(base, self.max_lr, share)` on the way up, `_along_cosine(self.max_lr, "
            "base / self.final_div_factor, min(share, 1))` on the way down.",
            "With pct_start = 1 / total_steps the top is at step 0: do not divide by it.",
        ),
        given=_CYCLE,
        cases=(
            Case(
                "it begins low",
                "cycle().lr_at(0, 0.04)",
                "0.04",
                why="At step 0 the rate is base.",
            ),
            Case(
                "it comes to its peak",
                "cycle().lr_at(2, 0.04)",
                "1.0",
                why="The top is at pct_start * total_steps - 1 = 2: steps are counted from 0.",
            ),
            Case(
                "half-way up",
                "cycle().lr_at(1, 0.04)",
                "0.52",
                why="Along a cosine the middle is the mean of base and max_lr.",
            ),
            Case(
                "on the way down",
                "cycle().lr_at(4, 0.04)",
                "4e-6 + (1 - 4e-6) * (1 + np.cos(np.pi * 2 / 7)) / 2",
                why="From the top, step 2, to the end, step 9, are 7 steps: at step 4, 2 of them "
                "are made.",
            ),
            Case(
                "it ends far below its beginning",
                "cycle().lr_at(9, 0.04)",
                "4e-6",
                tol=1e-9,
                why="At the last step, number 9 of 0 to 9, the rate is base / final_div_factor.",
            ),
            Case(
                "after the last step it stays",
                "cycle().lr_at(10, 0.04)",
                "4e-6",
                tol=1e-9,
                why="The cosine would turn up again: the share must not go above 1.",
            ),
            Case(
                "the cycle is over",
                "cycle().lr_at(11, 0.04)",
                raises=(ValueError, "11.*10"),
                why="One cycle has total_steps steps; the message names both numbers.",
            ),
            Case(
                "no way up",
                "cycle(pct_start=0.1).lr_at(0, 0.04)",
                "1.0",
                why="The top is at step 0: the rate is max_lr at once, nothing is divided by 0.",
            ),
            Case(
                "no way down",
                "c = cycle(pct_start=1.0)\nc.lr_at(9, 0.04), c.lr_at(10, 0.04) <= 1.0",
                "(1.0, True)",
                why="The top is the last step: the rate there is max_lr, and nothing is divided "
                "by 0 after it.",
            ),
        ),
        wrong=(
            Wrong(
                """
                if step > self.total_steps:
                    raise ValueError(f"step {step} of {self.total_steps}")
                top, last = self.pct_start * self.total_steps, self.total_steps
                if step <= top:
                    return _along_cosine(base, self.max_lr, step / top)
                share = (step - top) / (last - top)
                return _along_cosine(self.max_lr, base / self.final_div_factor, share)
                """,
                "steps are counted from 0",
            ),
            Wrong(
                """
                if step > self.total_steps:
                    raise ValueError(f"step {step} of {self.total_steps}")
                top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
                if step <= top:
                    return base + (self.max_lr - base) * step / top
                share = (step - top) / (last - top)
                low = base / self.final_div_factor
                return self.max_lr + (low - self.max_lr) * min(share, 1)
                """,
                "2 of them are made",
            ),
            Wrong(
                """
                if step > self.total_steps:
                    raise ValueError(f"step {step} of {self.total_steps}")
                top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
                if step <= top:
                    return _along_cosine(base, self.max_lr, step / top)
                share = (step - top) / (last - top)
                return _along_cosine(self.max_lr, base, min(share, 1))
                """,
                "2 of them are made",
            ),
            Wrong(
                """
                if step > self.total_steps:
                    raise ValueError(f"step {step} of {self.total_steps}")
                top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
                if step <= top:
                    return _along_cosine(base, self.max_lr, step / top)
                share = (step - top) / (last - top)
                return _along_cosine(self.max_lr, base / self.final_div_factor, share)
                """,
                "must not go above 1",
            ),
            Wrong(
                """
                top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
                if step <= top:
                    return _along_cosine(base, self.max_lr, step / top)
                share = min((step - top) / (last - top), 1)
                return _along_cosine(self.max_lr, base / self.final_div_factor, share)
                """,
                "names both numbers",
            ),
            Wrong(
                """
                if step > self.total_steps:
                    raise ValueError(f"step {step} of {self.total_steps}")
                top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
                if step <= top:
                    return _along_cosine(base, self.max_lr, step / top)
                share = min((step - top) / (last - top), 1)
                return _along_cosine(self.max_lr, base / self.final_div_factor, share)
                """,
                "nothing is divided by 0",
            ),
        ),
    ),
    Exercise(
        "training.Trainer.state_dict",
        title="Everything the next step depends on",
        hints=(
            "Five entries. Three are the parts' own `state_dict()`.",
            "`asdict` makes a dict of a dataclass, and copies what it holds.",
            "The scheduler may be None: then its entry is None too.",
        ),
        given=_PARTS,
        cases=(
            Case(
                "five entries",
                "tuple(sorted(parts().state_dict()))",
                "('model', 'optimizer', 'progress', 'random', 'scheduler')",
                why="Each answers one question: which parameters, which memory of the optimizer, "
                "which learning rate, which random numbers come next, and where in the data.",
            ),
            Case(
                "the model's parameters",
                "tuple(parts().state_dict()['model'])",
                "('0.weight', '0.bias', '1.weight', '1.bias')",
                why="`self.model.state_dict()`.",
            ),
            Case(
                "resumed, it goes on as if it had never stopped",
                "import copy\n"
                "t = parts()\n"
                "t.fit(data, epochs=2)\n"
                "saved = copy.deepcopy(t.state_dict())\n"
                "t.fit(data, epochs=4)\n"
                "u = parts()\n"
                "u.load_state_dict(saved)\n"
                "u.fit(data, epochs=4)\n"
                "u.model[0].weight.data.tolist() == t.model[0].weight.data.tolist(), "
                "u.progress.losses == t.progress.losses",
                "(True, True)",
                why="The momentum is in the optimizer's state, the rate in the scheduler's and the "
                "optimizer's: without them the second half is another run.",
            ),
            Case(
                "the same random numbers follow",
                "t = parts()\n"
                "saved = t.state_dict()\n"
                "first = rand(3).data.tolist()\n"
                "t.load_state_dict(saved)\n"
                "rand(3).data.tolist() == first",
                "True",
                why="Dropout and shuffling draw random numbers. `get_rng_state()` says where they "
                "stand.",
            ),
            Case(
                "later training does not reach into it",
                "t = parts()\n"
                "t.fit(data, epochs=1)\n"
                "saved = t.state_dict()\n"
                "t.fit(data, epochs=3)\n"
                "saved['progress']['epoch'], len(saved['progress']['losses'])",
                "(1, 3)",
                why="`asdict(self.progress)` copies the lists, too; `vars` would share them.",
            ),
            Case(
                "without a schedule",
                "t = parts()\nt.scheduler = None\nt.state_dict()['scheduler'] is None",
                "True",
                why="No scheduler, no state: the entry is None.",
            ),
        ),
        wrong=(
            Wrong(
                'return {"model": self.model.state_dict(), "progress": asdict(self.progress)}',
                "which memory of the optimizer",
            ),
            Wrong(
                """
                return {
                    "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
                    "random": get_rng_state(),
                    "progress": vars(self.progress),
                }
                """,
                "copies the lists",
            ),
            Wrong(
                """
                return {
                    "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "scheduler": self.scheduler.state_dict(),
                    "random": get_rng_state(),
                    "progress": asdict(self.progress),
                }
                """,
                "the entry is None",
            ),
            Wrong(
                """
                manual_seed(0)
                return {
                    "model": self.model.state_dict(),
                    "optimizer": {"state": {}, "param_groups": self.optimizer.param_groups},
                    "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
                    "random": get_rng_state(),
                    "progress": asdict(self.progress),
                }
                """,
                "The momentum is in the optimizer",
            ),
        ),
    ),
)
