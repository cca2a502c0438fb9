"""A progress bar, where tqdm is installed; who asks decides whether anybody looks at it."""

from __future__ import annotations

import sys
from typing import Any

IN_BROWSER = sys.platform == "emscripten"


def progress_bar(total: int | None, name: str, stream: Any, **options: Any) -> Any:
    """A tqdm bar on `stream`; None where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    if IN_BROWSER:
        tqdm.monitor_interval = 0  # tqdm would start a thread, and warn that there are none
    return tqdm(total=total, desc=name, file=stream, ncols=72, **options)
