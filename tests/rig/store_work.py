"""Real work on a real store in a process of its own, for tests that kill it or cut its power.

Run as `python -m tests.rig.store_work FOLDER PHASE [OPTION...]`. Whatever the store has acknowledged
is told at once by one line in `FOLDER/marks`, written as a webhook's answer would be. Every phase
may be killed at any point and is then simply run again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from connectors.sdk.clock import SystemClock
from hub.ports.store import (
    Bucket,
    InboxItem,
    InboxResult,
    InboxState,
    NewEffect,
    NewInput,
    OrderRow,
    OutboxState,
    OutboxUpdate,
    Posting,
    ReadSet,
    SkuRow,
    State,
    Store,
    StoreUnavailable,
    WriteSet,
)
from hub.storage import open_store
from hub.storage.backup import backup, restore
from hub.storage.sqlite import checkpoints as sqlite_checkpoints
from hub.storage.sqlite import connection as sqlite_connection
from hub.storage.sqlite import writer as sqlite_writer
from hub.storage.sqlite.store import SqliteStore

KEY = b"a key of the rigs, 32 bytes long"
ACCOUNT = "shop"
SKUS = [f"SKU-{number:02d}" for number in range(12)]
BURNT = 40
"""Calls the writing thread makes for nothing, so that its count runs ahead of the opening thread's."""
_AT = 1_700_000_000_000_000


def database(folder: Path) -> Path:
    return folder / "hub.db"


def url(folder: Path) -> str:
    return f"sqlite:///{database(folder)}"


class Marks:
    """One line per acknowledgement, appended with one write and never synced: it is the outside world's memory."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(self, kind: str, key: str) -> None:
        os.write(self._descriptor, f"{kind} {key}\n".encode())

    def close(self) -> None:
        os.close(self._descriptor)


def told(text: str) -> dict[str, list[str]]:
    """Kind → keys, in the order they were acknowledged."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        kind, _, key = line.partition(" ")
        found.setdefault(kind, []).append(key)
    return found


def payload_of(number: str) -> bytes:
    return json.dumps({"order": number, "note": "x" * 300}).encode()


def parts_of(number: str) -> tuple[str, str]:
    """The two SKUs an order reserves one unit of each."""
    first = sum(number.encode()) % len(SKUS)
    return SKUS[first], SKUS[(first + 5) % len(SKUS)]


# --- single steps ------------------------------------------------------------------------------


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    store, queries = await open_store(url(folder), key=KEY, clock=SystemClock())
    assert store is not None
    try:
        yield store
    finally:
        await queries.close()
        await store.close()


async def receive(store: Store, marks: Marks, number: str) -> None:
    new = NewInput(ACCOUNT, "rig", "webhook", "orders/create", f"event-{number}", f"order:{number}",
                   payload_of(number), number, _AT)  # fmt: skip
    await store.receive([new])
    marks.tell("input", number)


async def apply(store: Store, marks: Marks, item: InboxItem) -> None:
    """What interpreting one payload comes to: the order, its postings, an effect and the end of the input."""
    number = json.loads(item.payload)["order"]

    def decide(state: State) -> WriteSet:
        writes = WriteSet(inbox=[InboxResult(item.seq, InboxState.DONE)])
        if (ACCOUNT, number) not in state.orders:
            writes.orders.append(
                OrderRow(f"ord_{number}", ACCOUNT, number, "1", number, "open", _AT, _AT, '{"lines":[]}')
            )
            for sku in parts_of(number):
                writes.postings.append(Posting(f"order:{number}", sku, "main", Bucket.RESERVED, 1, "order", _AT))
                writes.dirty[sku] = _AT
            writes.effects.append(NewEffect(ACCOUNT, "ship", f"order:{number}", f"ship:{number}", "{}", "{}", _AT, _AT))
        return writes

    await store.run(ReadSet(orders={(ACCOUNT, number)}, positions=set(parts_of(number))), decide)
    marks.tell("order", number)


async def settle_inbox(store: Store, marks: Marks) -> None:
    """Claim and apply until nothing is left."""
    while items := await store.claim_inbox(20):
        await asyncio.gather(*(apply(store, marks, item) for item in items))


async def refused(store: Store, number: str) -> None:
    """A unit that fails after all else went well; it shares its commit with others and leaves no trace."""

    def decide(state: State) -> WriteSet:
        posting = Posting(f"refused:{number}", SKUS[0], "main", Bucket.ON_HAND, 7, "refused", _AT)
        return WriteSet(postings=[posting, posting])

    with suppress(Exception):
        await store.run(ReadSet(), decide)


async def send(store: Store, marks: Marks) -> None:
    rows = await store.claim_effects(ACCOUNT, 5)
    updates = [OutboxUpdate(row.id, OutboxState.DONE, row.attempts + 1) for row in rows]
    await store.run(ReadSet(), lambda _: WriteSet(outbox=updates))
    for row in rows:
        marks.tell("sent", row.idempotency_key)


def burn() -> None:
    """Spend `BURNT` of this thread's counts of every call that a rig counts."""
    with open(os.devnull, "wb") as sink:  # noqa: PTH123 - the descriptor is what is wanted
        for _ in range(BURNT):
            os.pwrite(sink.fileno(), b"-", 0)
            for call in (os.fdatasync, os.fsync, lambda number: os.ftruncate(number, 0)):
                with suppress(OSError):
                    call(sink.fileno())
            with suppress(OSError):
                os.unlink("/nowhere/at/all")  # noqa: PTH108 - the bare call


async def ahead(store: Store) -> None:
    """Let the writing thread's counts run ahead."""

    def decide(_: State) -> WriteSet:
        burn()
        return WriteSet()

    await store.run(ReadSet(), decide)


def catalogue_rows(edition: int, size: int) -> list[SkuRow]:
    rows = [SkuRow(sku, title=f"{sku} of edition {edition}") for sku in SKUS]
    return rows + [
        SkuRow(f"X-{edition % 2}-{number:05d}", aliases=((ACCOUNT, f"x{number}"),)) for number in range(size)
    ]


# --- phases ------------------------------------------------------------------------------------


async def first(folder: Path) -> None:
    """The very first start: the schema is made, then one webhook is taken."""
    marks = Marks(folder)
    async with opened(folder) as store:
        marks.tell("opened", "1")
        await ahead(store)
        await receive(store, marks, f"f{os.getpid()}")
        await settle_inbox(store, marks)
    marks.close()


async def work(folder: Path, rounds: int = 3, together: int = 8) -> None:
    """Group commits, claims, units of work, tokens, catalogue loads and checkpoints."""
    marks = Marks(folder)
    start = sum(1 for line in (folder / "marks").read_text().splitlines() if line.startswith("opened"))
    async with opened(folder) as store:
        marks.tell("opened", str(start))
        await ahead(store)
        for turn in range(rounds):
            numbers = [f"{start}-{turn}-{lane}" for lane in range(together)]
            await asyncio.gather(*(receive(store, marks, number) for number in numbers), refused(store, str(turn)))
            await settle_inbox(store, marks)
            if turn % 3 == 0:
                await store.save_token(ACCOUNT, "access", f"{start}-{turn}")
                marks.tell("token", f"{start}-{turn}")
                await send(store, marks)
            if turn % 4 == 1 and sqlite_writer.IDLE_S < 1:
                await asyncio.sleep(sqlite_writer.IDLE_S * 3)
            if turn % 10 == 5:
                await store.replace_catalogue(catalogue_rows(turn, 40), f"edition-{start}-{turn}")
                marks.tell("catalogue", f"edition-{start}-{turn}")
    marks.tell("closed", str(start))
    marks.close()


async def once(folder: Path) -> None:
    """First start and much work, with one writing thread."""
    await work(folder, rounds=20, together=6)


async def long(folder: Path) -> None:
    """First start, much work, a restart in between."""
    await work(folder, rounds=24, together=6)
    await work(folder, rounds=12, together=6)


async def catalogue(folder: Path) -> None:
    """A catalogue of two stretches replaced by one that shares half of it."""
    marks = Marks(folder)
    async with opened(folder) as store:
        await ahead(store)
        await store.replace_catalogue(catalogue_rows(2, 1100), "second")
        marks.tell("catalogue", "second")
    marks.close()


async def copy(folder: Path) -> None:
    """A backup beside a store that goes on working."""
    marks = Marks(folder)
    target = folder / "copy.db"
    async with opened(folder) as store:
        if not target.exists():
            await asyncio.gather(backup(url(folder), target), receive(store, marks, f"c{os.getpid()}"))
        marks.tell("copied", "1")
        await settle_inbox(store, marks)
    marks.close()


async def put_back(folder: Path) -> None:
    """The backup `older.db` put where the database is."""
    marks = Marks(folder)
    await restore(url(folder), folder / "older.db")
    marks.tell("restored", "1")
    marks.close()


PHASES: dict[str, Callable[[Path], Awaitable[None]]] = {
    "first": first,
    "work": work,
    "once": once,
    "long": long,
    "catalogue": catalogue,
    "copy": copy,
    "put_back": put_back,
}

# --- options: how this process differs from the product ------------------------------------------


def _brisk() -> None:
    """Checkpoint beside the writer all the time, after a twentieth of a second of quiet and every 60 pages."""
    sqlite_checkpoints.PAUSE_S = 0.01
    sqlite_writer.IDLE_S = 0.05  # type: ignore[misc]
    sqlite_connection._WRITING = tuple(
        "PRAGMA wal_autocheckpoint=60" if "wal_autocheckpoint" in pragma else pragma
        for pragma in sqlite_connection._WRITING
    )


def _auto() -> None:
    """Only SQLite's own checkpoints, within commits; `brisk` before it makes them many."""
    sqlite_writer.IDLE_S = 600.0  # type: ignore[misc]
    sqlite_checkpoints.PAUSE_S = 600.0


def _normal() -> None:
    """A planted bug: `synchronous=NORMAL`, which commits without a sync, and stays so."""
    sqlite_writer.Writer._keep_promises = lambda self, synced: None  # type: ignore[method-assign]
    sqlite_connection._WRITING = tuple(
        pragma.replace("synchronous=FULL", "synchronous=NORMAL") for pragma in sqlite_connection._WRITING
    )
    sqlite_connection._require_durable = lambda connection, path: None


def _early() -> None:
    """A planted bug: the acknowledgement is given at once, and the unit is stored a moment later."""
    stored = SqliteStore.receive
    pending: set[asyncio.Task[Any]] = set()

    async def at_once(self: SqliteStore, inputs: Sequence[NewInput]) -> Sequence[bool]:
        async def later() -> None:
            await asyncio.sleep(0.02)
            with suppress(StoreUnavailable):
                await stored(self, inputs)

        task = asyncio.create_task(later())
        pending.add(task)
        task.add_done_callback(pending.discard)
        return [True for _ in inputs]

    SqliteStore.receive = at_once  # type: ignore[method-assign]


def _deaf() -> None:
    """A planted bug: a failed sync is taken for a passing fault, and the work goes on."""
    sqlite_connection._LOST_SYNC = frozenset()  # type: ignore[misc]


OPTIONS: dict[str, Callable[[], None]] = {
    "brisk": _brisk,
    "auto": _auto,
    "normal": _normal,
    "early": _early,
    "deaf": _deaf,
}

if __name__ == "__main__":
    for name in sys.argv[3:]:
        OPTIONS[name]()
    asyncio.run(PHASES[sys.argv[2]](Path(sys.argv[1])))  # type: ignore[arg-type]
