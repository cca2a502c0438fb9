"""The kernel's tile as a picture, for pages and notebooks."""

from __future__ import annotations

CELL, ROWS, LANES, GAP = 36, 4, 4, 8
LEFT, TOP = 64, 58  # where C begins
WIDTH, HEIGHT = LEFT + 2 * LANES * CELL + GAP + 2, TOP + ROWS * (CELL + GAP)
BLUE, ORANGE, GREEN = "#4a8fdc", "#e0703a", "#34a06c"  # laid thinly over the page, light or dark
SAID = (
    "A tile of C: 4 rows of 2 registers, c00 to c31, each with 4 lanes. Above it one row of B in "
    "the registers b0 and b1; at its left 4 numbers of A, a0 to a3. Marked are a1, b0 and c10: "
    "a1 times each lane of b0 is added to the same lane of c10."
)
TEXT = """\
                b0        b1
            +-+-+-+-+ +-+-+-+-+
            +-+-+-+-+ +-+-+-+-+
   a0  +-+  |   c00 | |   c01 |    in each of the 8:
   a1  +-+  |   c10 | |   c11 |    c += a * b, lane by lane
   a2  +-+  |   c20 | |   c21 |
   a3  +-+  |   c30 | |   c31 |"""


class Tile:
    """One step of the kernel: the 4x8 tile of C, and what of A and B is added to it."""

    def __repr__(self) -> str:
        return TEXT

    def _repr_html_(self) -> str:
        places = [LEFT + r * (LANES * CELL + GAP) for r in range(2)]
        parts = []
        for r, x in enumerate(places):
            parts.append(_boxes(x, TOP - CELL - 2 * GAP, LANES, BLUE, f"b{r}", marked=r == 0))
        for i in range(ROWS):
            y = TOP + i * (CELL + GAP)
            parts.append(_boxes(GAP, y, 1, ORANGE, f"a{i}", marked=i == 1))
            for r, x in enumerate(places):
                parts.append(_boxes(x, y, LANES, GREEN, f"c{i}{r}", marked=(i, r) == (1, 0)))
        return (
            f'<svg role="img" aria-label="{SAID}" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'style="display:block;width:100%;max-width:{WIDTH}px;height:auto;margin:0.5rem 0">'
            f'<g font-family="system-ui, sans-serif" font-size="16" text-anchor="middle" '
            f'stroke="currentColor" fill="currentColor">{"".join(parts)}</g></svg>'
        )


def _boxes(x: int, y: int, lanes: int, color: str, name: str, marked: bool) -> str:
    """A register, lanes side by side, with its name in the middle."""
    width = lanes * CELL
    lines = "".join(
        f'<path d="M{x + i * CELL} {y}v7m0 {CELL - 14}v7" stroke-opacity="0.6"/>'
        for i in range(1, lanes)
    )
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{CELL}" rx="4" fill="{color}" '
        f'fill-opacity="{0.5 if marked else 0.18}" stroke-width="{2.5 if marked else 1}"/>{lines}'
        f'<text x="{x + width / 2:g}" y="{y + CELL / 2 + 5.5:g}" stroke="none" '
        f'font-weight="{700 if marked else 400}">{name}</text>'
    )
