"""What concerns the process as a whole: the event loop and the garbage collector."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

GC_THRESHOLDS = (100_000, 50, 1_000)
"""A generation per hundred thousand objects: mapping makes many short-lived ones and few cycles."""


def tune_gc() -> None:
    """Keep the collector away from what lives as long as the process. Call once, after start."""
    gc.collect()
    _trim()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _trim() -> None:
    """Give back what reading configuration and mappings left free; only glibc keeps it, and can be asked."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on uvloop where it is installed, else on the standard loop."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
