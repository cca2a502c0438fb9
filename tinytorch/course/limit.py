"""Limits for code that may never return, without threads or signals: in time, and in depth.

`sys.monitoring` calls us at every jump, branch and function start of the watched code objects, and
only of those: the rest of Python runs at full speed. It cannot stop a single long C call.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import CodeType

# The judge's own: a cell that fakes the clock or the monitor's functions changes nothing here.
_now = time.perf_counter
_watch = sys.monitoring.set_local_events
_register = sys.monitoring.register_callback
_use, _free, _in_use = (
    sys.monitoring.use_tool_id,
    sys.monitoring.free_tool_id,
    sys.monitoring.get_tool,
)

_DEPTH = 200  # calls inside one another; a browser's stack ends not far above

_TOOL = 4  # 0, 1, 2 and 5 are spoken for by debuggers, coverage, profilers and optimizers
_EVENTS = 0
for _name in ("JUMP", "BRANCH", "BRANCH_LEFT", "BRANCH_RIGHT", "PY_START"):
    # 3.14 splits BRANCH in two and keeps the old name as an alias
    _EVENTS |= getattr(sys.monitoring.events, _name, 0)


class TimeLimit(BaseException):
    """Raised inside the watched code; not an Exception, so that `except Exception` lets it by."""


@contextmanager
def time_limit(seconds: float, codes: Iterable[CodeType]) -> Iterator[None]:
    """Raise TimeLimit in any of `codes` once `seconds` of wall time have passed.

    Inside the block a function that calls itself without end gets its RecursionError early: watched
    calls take more of the browser's stack, and running out of that would end Python itself.
    """
    codes = list(codes)
    deadline = _now() + seconds
    ticks, stopped = 0, 0

    def switch(events: int) -> None:
        for code in codes:
            _watch(_TOOL, code, events)

    def tick(*_) -> None:
        nonlocal ticks, stopped, deadline
        ticks += 1
        # An `except BaseException` may have swallowed it: after a moment for the handlers on the
        # way out, every event raises, so that one of them is outside of the `try`.
        if (stopped or ticks % 64 == 0) and _now() > deadline:
            deadline += 0 if stopped else 0.1 + _now() - deadline
            stopped += 1
            raise TimeLimit

    if _in_use(_TOOL):  # left over by something that was cut off
        _free(_TOOL)
    _use(_TOOL, "tinytorch time limit")
    events = [e for e in _single_events() if e & _EVENTS]
    for event in events:
        _register(_TOOL, event, tick)
    switch(_EVENTS)
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(min(depth, _depth_now() + _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(depth)
        if not _in_use(_TOOL):  # the cell gave our tool away
            _use(_TOOL, "tinytorch time limit")
        switch(0)
        for event in events:
            _register(_TOOL, event, None)
        _free(_TOOL)


def _depth_now() -> int:
    frame, depth = sys._getframe(), 0
    while frame := frame.f_back:
        depth += 1
    return depth


def _single_events() -> list[int]:
    values = {v for k, v in vars(sys.monitoring.events).items() if k.isupper()}
    return sorted(v for v in values if v and v & (v - 1) == 0)
