"""Waiting for something that other tasks bring about, with a limit and without a fixed sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], bool], seconds: float = 90.0) -> float:
    """Wait until true; gives the seconds it took. AssertionError when it does not happen in time."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"did not happen within {seconds} s")
        await asyncio.sleep(0.002)
    return time.monotonic() - began
