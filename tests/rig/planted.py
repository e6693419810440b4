"""Planted bugs: the hub started with one promise broken, so that a rig can prove it would notice.

Run as `python -m tests.rig.planted BUG run --config FILE`. The product itself knows nothing of this.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hub.ports.store import InboxItem, NewInput
from hub.services import interpret, mappers
from hub.storage.sqlite.store import SqliteStore


def ack_before_commit() -> None:
    """Answers 200 at once and stores a moment later: what a hub does that trusts its memory."""
    stored = SqliteStore.receive
    pending: set[asyncio.Task[Any]] = set()

    async def receive(self: SqliteStore, inputs: Sequence[NewInput]) -> Sequence[bool]:
        async def later() -> None:
            await asyncio.sleep(0.25)
            await stored(self, inputs)

        task = asyncio.create_task(later())
        pending.add(task)
        task.add_done_callback(pending.discard)
        return [True for _ in inputs]

    SqliteStore.receive = receive  # type: ignore[method-assign]


def no_dedupe() -> None:
    """Every delivery is a new fact: what a hub does that trusts vendors to deliver once."""
    stored = SqliteStore.receive
    numbers = itertools.count()

    async def receive(self: SqliteStore, inputs: Sequence[NewInput]) -> Sequence[bool]:
        unique = [replace(row, dedupe_key=f"{row.dedupe_key}/{id(self)}/{next(numbers)}") for row in inputs]
        return await stored(self, unique)

    SqliteStore.receive = receive  # type: ignore[method-assign]


def lost_posting() -> None:
    """A posting is forgotten now and then: what a hub does whose orders and stock are not one transaction."""
    from hub.storage.sqlite.store import SqliteStore as Store

    run = Store.run
    turns = itertools.count(1)

    async def forgetful(self: Store, reads: Any, decide: Any) -> Any:
        def lossy(state: Any) -> Any:
            writes = decide(state)
            if writes.postings and next(turns) % 20 == 0:
                writes.postings = writes.postings[:-1]
            return writes

        return await run(self, reads, lossy)

    Store.run = forgetful  # type: ignore[method-assign]


def poison() -> None:
    """Mapping order 666 ends the process, as a crash inside a C extension would."""
    mapped = interpret.map_item

    def deadly(item: InboxItem, context: Any, maps: Any) -> Any:
        if b'"#666"' in item.payload:
            os._exit(70)
        return mapped(item, context, maps)

    interpret.map_item = deadly
    mappers.map_item = deadly


BUGS: dict[str, Callable[[], None]] = {
    "ack-before-commit": ack_before_commit,
    "no-dedupe": no_dedupe,
    "lost-posting": lost_posting,
    "poison": poison,
}

if __name__ == "__main__":
    bug = sys.argv.pop(1)
    BUGS[bug]()
    from hub.cli import main

    sys.exit(main())
