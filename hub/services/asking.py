"""Asking carriers about parcels within what they allow.

What was spent of a vendor's quota is stored before the call is made: a restart, or a crash in the middle of a
call, never spends twice. Answers go through the inbox like everything that comes in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import orjson
import structlog

from connectors.sdk.contract import Envelope
from connectors.sdk.errors import Rejected, TargetMissing
from connectors.sdk.manifest import TrackQuota
from connectors.sdk.tracking import TrackedNumber, Tracks
from hub.ports.parcels import Micros, ParcelAsked, ParcelRow
from hub.ports.queries import Queries
from hub.ports.store import Attempt, CursorRow, NewInput, ReadSet, Store, WriteSet
from hub.services import moments
from hub.services.calls import Called, Target
from hub.services.parcel_rows import NAMES, scheduled
from hub.services.publish import Outward
from hub.services.receive import digest_of, inputs_of
from hub.tracking.polling import FIRST, OLD_AFTER
from hub.tracking.quota import Quota

_log = structlog.get_logger(__name__)

LANE: Final = "track"
QUOTA_STREAM: Final = "tracking:quota"
"""The cursor that holds what was spent, as JSON: slice of time -> calls."""
CALLS_MAX: Final = 60
"""Calls of one round of an account without a published quota; the next round goes on."""
KEPT_SHARE: Final = 0.25
"""Of a quota, kept back for parcels of the first rank."""
ROUND_SHARE: Final = 0.05
"""Of a quota, spent by one round at most, so that the day's trouble finds some of it left."""
ROUND_MIN: Final = 5
ROUND_MAX: Final = 300
"""Calls of one round, however large the quota: the parcels of a round are in memory, and the next one goes on."""
REFUSED_REST_S: Final = 86_400.0
_UNKNOWN: Final = frozenset({None, "unknown"})

Carriers = Callable[[], Awaitable[Sequence[str]]]
"""The carriers this account asks about now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a round did. `left` is what remains of the quota, None where there is none."""

    calls: int = 0
    parcels: int = 0
    answers: int = 0
    left: int | None = None
    stopped: str = ""


class Asker:
    """Asks about one account's parcels, the ones that matter most first. One round at a time per account."""

    def __init__(self, out: Outward, connector: Tracks, queries: Queries, carriers: Carriers) -> None:
        self._out = out
        self._connector = connector
        self._queries = queries
        self._carriers = carriers
        self._batch = max(1, out.plan.manifest.track_batch_max)

    async def ask_due(self) -> Asked:
        """Spend calls on what is due until nothing is, or this round's share is spent, or the gate shuts.

        Raises `StoreUnavailable`; what was spent is stored, what was not asked stays due.
        """
        carriers = await self._carriers()
        if not carriers or not self._out.accounts.may_call(self._out.account):
            return Asked()
        quota = await self._quota()
        limit = CALLS_MAX if quota is None else min(max(ROUND_MIN, round(quota.calls * ROUND_SHARE)), ROUND_MAX)
        rows = await self._due(carriers, limit * self._batch)
        done = Asked(left=None if quota is None else quota.left(self._now_at()))
        for batch in _batches(rows, self._batch):
            if done.calls >= limit or (done.stopped and done.stopped != "refused"):
                break
            done = await self._ask(batch, done)
        if done.calls or done.stopped:
            _log.info(
                "parcels.asked", account=self._out.account, calls=done.calls, parcels=done.parcels,
                answers=done.answers, left=done.left, reason=done.stopped,
            )  # fmt: skip
        return done

    async def _ask(self, batch: Sequence[ParcelRow], done: Asked) -> Asked:
        """One call; a refused batch is asked one by one, to find out whose fault it is."""
        if (wait := self._out.calls.wait_s(LANE)) > 0:
            return replace(done, stopped=f"the gate is shut for {wait:.0f} s")
        left = await self._spend(batch)
        if left is None:
            return replace(done, stopped="the quota is spent")
        numbers = [numbered(row, self._out.plan.connector) for row in batch]
        target = Target(LANE, "track", f"{len(batch)} parcels", direction="in")
        called = await self._out.calls.make(target, lambda: self._connector.track(numbers))
        if called is None:
            return replace(done, stopped="the gate is shut")
        done = replace(done, calls=done.calls + 1, left=left if left >= 0 else None)
        if called.value is not None:
            answers = await self._keep(batch, called.value, called.attempt)
            return replace(done, parcels=done.parcels + len(batch), answers=done.answers + answers)
        return await self._refused(batch, called, done)

    async def _refused(self, batch: Sequence[ParcelRow], called: Called[Sequence[Envelope]], done: Asked) -> Asked:
        error = called.error
        if not isinstance(error, Rejected | TargetMissing):
            await self._note([], called.attempt)
            return replace(done, stopped=str(error))
        if len(batch) == 1:
            # Asking again tomorrow finds a number that the carrier learns of late; sooner only wastes calls.
            rest = self._after(REFUSED_REST_S)
            await self._note([ParcelAsked(batch[0].id, self._now(), batch[0].polls + 1, poll_at=rest)], called.attempt)
            _log.info("parcel.refused", account=self._out.account, parcel=batch[0].id, code=error.code)
            return replace(done, parcels=done.parcels + 1, stopped="refused")
        await self._note([], called.attempt)
        for row in batch:
            done = await self._ask([row], done)
            if done.stopped not in ("", "refused"):
                return done
        return done

    async def _keep(self, batch: Sequence[ParcelRow], envelopes: Sequence[Envelope], attempt: Attempt) -> int:
        """Answers and the time of the next question together; how many answers there are."""
        now = self._now()
        asked = []
        for row in batch:
            nothing = row.polls + 1 if row.milestone in _UNKNOWN else 0
            following = scheduled(replace(row, polled_at=now, polls=nothing), now)
            asked.append(
                ParcelAsked(
                    row.id, now, nothing, following.poll_rank, following.poll_at, never=following.poll_at is None,
                    closed=following.closed,
                )
            )  # fmt: skip
        inputs = await self._as_news(inputs_of(self._out.plan, "poll", envelopes, self._out.clock.now()))
        await self._out.store.run(
            ReadSet(), lambda _: WriteSet(inputs=list(inputs), asked=list(asked), attempts=[attempt])
        )
        return len(envelopes)

    async def _as_news(self, inputs: Sequence[NewInput]) -> list[NewInput]:
        """The same inputs; one that says again what was true before the last answer gets a key of its own.

        A carrier that takes a wrong scan back, or an estimate, answers as it did before, and that is news. What the
        last answer said already keeps its key and is a duplicate.
        """
        lanes = Counter(one.ordering_key for one in inputs)
        return [await self._news(one) if lanes[one.ordering_key] == 1 else one for one in inputs]

    async def _news(self, one: NewInput) -> NewInput:
        store, key = self._out.store, one.dedupe_key
        last = await store.last_answer(one.account, one.ordering_key, one.topic)
        if last is None or last == key or last.startswith(f"{key}:"):
            return one
        if await store.received_digest(one.account, key) is None:
            return one
        # Named after what it follows: stored again after a crash it is the same input.
        return replace(one, dedupe_key=f"{key}:{digest_of(last.encode())[:16]}")

    async def _due(self, carriers: Sequence[str], limit: int) -> list[ParcelRow]:
        """What is due, the ones that matter most first; what is put off makes room for what stands behind it."""
        while due := await self._queries.parcels_to_ask(carriers, limit):
            if rows := await self._judged(due):
                return sorted(rows, key=lambda row: row.poll_rank)
        return []

    async def _judged(self, rows: Sequence[ParcelRow]) -> list[ParcelRow]:
        """Those that are still due; of others the new time (one is watched by now, it is night) or the end is noted."""
        now = self._now()
        judged = [scheduled(row, now) for row in rows]
        noted = [
            ParcelAsked(row.id, poll_rank=row.poll_rank, poll_at=row.poll_at, never=row.poll_at is None,
                        closed=row.closed or None)
            for row, before in zip(judged, rows, strict=True)
            if (row.poll_rank, row.poll_at) != (before.poll_rank, before.poll_at)
        ]  # fmt: skip
        if noted:
            await self._note(noted)
        return [row for row in judged if not row.closed and row.poll_at is not None and row.poll_at <= now]

    # --- the quota -------------------------------------------------------------------------------

    async def _quota(self) -> Quota | None:
        stated = self._connector.track_quota
        return None if stated is None else await stored_quota(self._out.store, self._out.account, stated)

    async def _spend(self, batch: Sequence[ParcelRow]) -> int | None:
        """Store one more call as made: calls left, -1 without a quota; None when this batch may not have it."""
        quota = await self._quota()
        if quota is None:
            return -1
        now = self._now_at()
        urgent = any(row.poll_rank == FIRST for row in batch)
        left = quota.left(now)
        if left <= (0 if urgent else round(quota.calls * KEPT_SHARE)):
            return None
        spent = quota.after(1, now)
        text = orjson.dumps({str(number): count for number, count in spent.spent.items()}).decode()
        row = CursorRow(self._out.account, QUOTA_STREAM, text, None, self._now())
        await self._out.store.run(ReadSet(), lambda _: WriteSet(cursors=[row]))
        return left - 1

    async def _note(self, asked: Sequence[ParcelAsked], attempt: Attempt | None = None) -> None:
        writes = WriteSet(asked=list(asked), attempts=[attempt] if attempt is not None else [])
        await self._out.store.run(ReadSet(), lambda _: writes)

    def _now(self) -> Micros:
        return moments.now(self._out.clock)

    def _now_at(self) -> datetime:
        return self._out.clock.now()

    def _after(self, seconds: float) -> Micros:
        return moments.after(self._now(), seconds)


async def close_old(store: Store, queries: Queries, now: Micros, *, limit: int = 500) -> int:
    """Close parcels that are open past every carrier's memory; how many. Raises `StoreUnavailable`."""
    before = moments.after(now, -OLD_AFTER.total_seconds())
    closed = 0
    while rows := await queries.stale_parcels(before, limit):
        asked = [ParcelAsked(row.id, closed="old", never=True) for row in rows]
        await store.run(ReadSet(), lambda _, asked=asked: WriteSet(asked=asked))  # type: ignore[misc]
        closed += len(rows)
    if closed:
        _log.info("parcels.closed", count=closed, reason="old")
    return closed


async def stored_quota(store: Store, account: str, stated: TrackQuota) -> Quota:
    """A quota with what was spent of it, whichever process spent it."""
    row = await store.cursor(account, QUOTA_STREAM)
    return quota_of(stated, row)


def quota_of(stated: TrackQuota, row: CursorRow | None) -> Quota:
    spent = {int(number): count for number, count in orjson.loads(row.cursor).items()} if row and row.cursor else {}
    return Quota(stated.calls, timedelta(seconds=stated.window_s), spent)


def numbered(row: ParcelRow, connector: str) -> TrackedNumber:
    """The parcel by the names this vendor has given it itself: another's mean nothing there."""
    names = orjson.loads(row.state).get(NAMES, {}).get(connector, {})
    shipped = None if row.shipped_at is None else moments.moment(row.shipped_at).date()
    carrier = row.carrier if row.carrier not in ("", "unknown") else None
    return TrackedNumber(row.number, carrier, names.get("carrier_raw"), names.get("parcel"), shipped)


def _batches(rows: Sequence[ParcelRow], size: int) -> list[Sequence[ParcelRow]]:
    """In order of what matters; a number stands once in a call."""
    batches: list[list[ParcelRow]] = []
    for row in rows:
        if not batches or len(batches[-1]) >= size or any(one.number == row.number for one in batches[-1]):
            batches.append([])
        batches[-1].append(row)
    return batches  # type: ignore[return-value]
