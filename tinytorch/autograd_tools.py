"""Looking at graphs: whether the gradients are right, what memory is kept, and a drawing."""

from __future__ import annotations

import html
import zlib
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np

from .autograd import Function, Leaf, _owner, no_grad, topological_order
from .tensor import Tensor


def saved_bytes(tensor: Tensor, exclude: Iterable[Tensor] = ()) -> int:
    """Bytes of memory that the graph below `tensor` keeps for backward.

    Arrays that share memory count once. exclude: tensors whose memory does not count because it is
    there anyway: the data, the parameters.
    """
    nodes = topological_order(tensor._node) if tensor._node is not None else []
    owners = {id(owner): owner for node in nodes for owner in _kept(node)}
    for x in exclude:
        owners.pop(id(_owner(x.data)), None)
    return sum(owner.nbytes for owner in owners.values())


def _kept(node: Function) -> list[np.ndarray]:
    """The memory a node keeps, as the arrays that own it."""
    return [_owner(x) for x in node._saved or () if isinstance(x, np.ndarray)]


def gradcheck(
    fn: Callable[..., Tensor],
    inputs: Tensor | Iterable[Tensor],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Compare the gradients of fn(*inputs) with differences; True if they agree.

    Each element of each input that requires a gradient is moved by eps both ways:
    (f(x + eps) - f(x - eps)) / (2 eps) must be within atol + rtol * |it| of the gradient. A result
    of several elements is first reduced to one number with fixed random weights. Inputs must be
    float64: in float32 the difference would be mostly rounding.

    Raises AssertionError that names the input, the index and both numbers; ValueError if no input
    requires a gradient, or one is not float64.
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        raise ValueError("gradcheck: no input requires a gradient")
    for i in wanted:
        if inputs[i].dtype != np.float64:
            raise ValueError(f"gradcheck: input {i} must be float64, it is {inputs[i].dtype}")
    copies = [Tensor(x.data.copy(), requires_grad=x.requires_grad) if isinstance(x, Tensor) else x
              for x in inputs]  # fmt: skip
    out = fn(*copies)
    if not out.requires_grad:
        raise AssertionError("gradcheck: the result does not require a gradient: the graph is cut")
    weights = np.random.default_rng(0).uniform(0.5, 1.5, out.shape)
    out.backward(weights)
    for i in wanted:
        x = copies[i]
        found = np.zeros(x.shape) if x.grad is None else x.grad.data
        if found.shape != x.shape:
            shapes = f"the gradient of input {i} has shape {found.shape}, the input {x.shape}"
            raise AssertionError(f"gradcheck: {shapes}")
        for index in np.ndindex(x.shape):
            here, sides = x.data[index], []
            with no_grad():
                for step in (eps, -eps):
                    x.data[index] = here + step
                    sides.append((fn(*copies).data * weights).sum())
            x.data[index] = here
            expected = (sides[0] - sides[1]) / (2 * eps)
            if not abs(found[index] - expected) <= atol + rtol * abs(expected):
                place = f"input {i} at index {index}" if index else f"input {i}"
                numbers = f"{found[index]:.6g}, differences give {expected:.6g}"
                raise AssertionError(f"gradcheck: the gradient of {place} is {numbers}")
    return True


def graph(tensor: Tensor, **names: Tensor) -> Graph:
    """The graph below `tensor`, to look at: a notebook draws it, `print` lists it.

    names: what to call tensors in it: graph(loss, w=w, b=b). Numbers are shown where a named tensor
    or a leaf is a single number. Raises ValueError if `tensor` does not require a gradient.
    """
    if tensor._node is None:
        raise ValueError("graph: this tensor does not require a gradient, nothing was recorded")
    return Graph(tensor._node, names)


class Graph:
    """Operations and leaves, each after what it was computed from, and how they hang together."""

    def __init__(self, root: Function, names: dict[str, Tensor]) -> None:
        self.nodes = topological_order(root)[::-1]
        self.tensors = {x._node: (name, x) for name, x in names.items() if x._node is not None}
        number = {node: i for i, node in enumerate(self.nodes, 1)}
        self.ids = {node: self._name(node) or f"#{number[node]}" for node in self.nodes}

    def _name(self, node: Function) -> str:
        return self.tensors[node][0] if node in self.tensors else ""

    def _tensor(self, node: Function) -> Tensor | None:
        return self.tensors[node][1] if node in self.tensors else node.tensor and node.tensor()

    def _label(self, node: Function) -> list[str]:
        """The lines in a node's box: what it is, its number or shape, its gradient, its memory."""
        name, x = self._name(node), self._tensor(node)
        if isinstance(node, Leaf):
            lines = [name or "leaf"]
        else:
            lines = [f"{name} = {_SIGNS.get(node.name, node.name)}".removeprefix(" = ")]
        one = x is not None and x.numel() == 1
        lines.append(f"{x.item():.4g}" if one else str(node.shape))
        if x is not None and x.grad is not None:
            lines.append(f"grad {x.grad.item():.4g}" if one else "has grad")
        if kept := sum(array.nbytes for array in _kept(node)):
            lines.append(f"keeps {_bytes(kept)}")
        return lines

    def __repr__(self) -> str:
        rows = []
        for node in self.nodes:
            what, *notes = self._label(node)
            inputs = ", ".join(self.ids[source] for source in node.inputs if source is not None)
            what = "leaf" if isinstance(node, Leaf) else f"{node.name}({inputs})"
            rows.append(f"{self.ids[node]}: {what}  {'  '.join(notes)}")
        return "\n".join([f"{self._title()}:", *rows])

    def _title(self) -> str:
        leaves = sum(isinstance(node, Leaf) for node in self.nodes)
        operations = len(self.nodes) - leaves
        return (
            f"Graph of {operations} operation{'s' * (operations != 1)} "
            f"on {leaves} {'leaf' if leaves == 1 else 'leaves'}"
        )

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self._svg()}</div>'

    def _repr_svg_(self) -> str:
        """A drawing that stands alone, and so has to find out for itself whether it is dark."""
        dark = "@media (prefers-color-scheme: dark) { svg { color: #ddd } }"
        return self._svg(f"<style>svg {{ color: #222 }} {dark}</style>")

    def _svg(self, style: str = "") -> str:
        labels = {node: self._label(node) for node in self.nodes}
        sizes = {n: (max(map(len, ls)) * 7.3 + 20, len(ls) * 15 + 10) for n, ls in labels.items()}
        at, paths, width, height = layered(self.nodes, sizes)
        id = f"graph-{zlib.crc32(repr(self).encode()):08x}"
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" style="max-width:100%;height:auto" '
            f'role="img" aria-labelledby="{id}-title {id}-desc" fill="none" stroke="currentColor">',
            f'<title id="{id}-title">{html.escape(self._title())}</title>',
            f'<desc id="{id}-desc">{html.escape(repr(self))}</desc>{style}',
            f'<marker id="{id}-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor" '
            'stroke="none"/></marker>',
        ]
        for points in paths:
            line = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
            for (x0, y0), (x1, y1) in pairwise(points):
                bend = (y1 - y0) / 2
                line += f"C{x0:.1f} {y0 + bend:.1f} {x1:.1f} {y1 - bend:.1f} {x1:.1f} {y1:.1f}"
            parts.append(f'<path d="{line}" opacity=".6" marker-end="url(#{id}-tip)"/>')
        for node, (x, y) in at.items():
            w, h = sizes[node]
            leaf = isinstance(node, Leaf)
            look = 'stroke-width="2"' if leaf else 'fill="currentColor" fill-opacity=".08"'
            parts.append(
                f'<rect x="{x - w / 2:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h}" '
                f'rx="{13 if leaf else 3}" {look}/>'
            )
            for i, text in enumerate(labels[node]):
                weight = ' font-weight="bold"' if i == 0 else ""
                parts.append(
                    f'<text x="{x:.1f}" y="{y + 17 + 15 * i:.1f}" text-anchor="middle" '
                    f'font-family="monospace" font-size="12" fill="currentColor" stroke="none"'
                    f"{weight}>{html.escape(text)}</text>"
                )
        return "".join([*parts, "</svg>"])


_SIGNS = {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "matmul": "@", "pow": "**"}


def _bytes(n: int) -> str:
    return f"{n} B" if n < 1024 else f"{n / 1024:.3g} KiB" if n < 2**20 else f"{n / 2**20:.3g} MiB"


def layered(nodes: list, sizes: dict) -> tuple[dict, list, float, float]:
    """Where to draw: nodes' (middle, top), edges as lists of points, and the drawing's size.

    nodes: anything with `inputs`, a list of nodes, or None; users before what they use. sizes: each
    node's (width, height).

    After Sugiyama, Tagawa and Toda 1981: nodes in rows below all their inputs; an edge over several
    rows gets a small invisible node in each; then every node moves towards the mean of the nodes it
    is joined to, row by row, down and up, as far as its neighbors let it.
    """
    users: dict = {node: [n for n in nodes if node in n.inputs] for node in nodes}
    row: dict = {}
    for node in reversed(nodes):  # as low as possible: leaves stand close to where they are used
        row[node] = min((row[user] for user in users[node]), default=0) - 1
    row = {node: row[node] - min(row.values()) for node in nodes}
    sizes, chains = dict(sizes), []
    for node in nodes:
        for source in dict.fromkeys(node.inputs):
            if source is not None:
                between = [(source, node, r) for r in range(row[source] + 1, row[node])]
                chains.append([source, *between, node])
                for dummy in between:
                    row[dummy], sizes[dummy] = dummy[2], (8, 0)
    above: dict = {node: [] for node in row}
    below: dict = {node: [] for node in row}
    for chain in chains:
        for a, b in pairwise(chain):
            above[b].append(a)
            below[a].append(b)
    rows: list[list] = [[] for _ in range(max(row.values()) + 1)]
    for node, r in row.items():
        rows[r].append(node)
    x = {node: float(i * 40) for line in rows for i, node in enumerate(line)}
    for turn in range(12):
        joined = above if turn % 2 == 0 else below
        for line in rows if turn % 2 == 0 else rows[::-1]:
            wish = {n: sum(x[m] for m in joined[n]) / len(joined[n]) if joined[n] else x[n]
                    for n in line}  # fmt: skip
            line.sort(key=wish.get)
            left = -np.inf
            for n in line:
                x[n] = max(wish[n], left + sizes[n][0] / 2)
                left = x[n] + sizes[n][0] / 2 + 16
            shift = sum(wish[n] - x[n] for n in line) / len(line)
            for n in line:
                x[n] += shift
    start = min(x[n] - sizes[n][0] / 2 for n in x) - 4
    heights = [max(sizes[n][1] for n in line) for line in rows]
    tops = [4 + sum(heights[:r]) + 30 * r for r in range(len(rows))]
    place = {n: (x[n] - start, tops[row[n]]) for n in x}
    paths = []
    for chain in chains:
        first, *middle, last = chain
        (x0, y0), end = place[first], place[last]
        bends = [(px, py + heights[row[n]] / 2) for n in middle for px, py in [place[n]]]
        paths.append([(x0, y0 + sizes[first][1]), *bends, end])
    width = max(x[n] + sizes[n][0] / 2 for n in x) - start + 4
    return {n: place[n] for n in nodes}, paths, width, tops[-1] + heights[-1] + 4
