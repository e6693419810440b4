"""The same work for several things side by side, a few at a time; the first failure ends all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

AT_ONCE: Final = 8
"""Calls under way for one batch; the client has 16 seats for all of an account's work."""

In = TypeVar("In")
Out = TypeVar("Out")


async def together(things: Iterable[In], work: Callable[[In], Awaitable[Out]]) -> list[Out]:
    """Results in the things' order. No task is left running, whatever happens.

    Raises:
        Exception: The first failure as it was raised, not in a group: its class is a decision.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(thing: In) -> Out:
        async with gate:
            return await work(thing)

    try:
        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(one(thing)) for thing in things]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in made]
