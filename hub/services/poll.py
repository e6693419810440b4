"""Pulling a stream page by page: the cursor moves in the transaction that stores the rows it passed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.sdk.contract import Cursor, Page, Pulls
from connectors.sdk.errors import ConnectorError, Rejected
from connectors.sdk.manifest import Stream
from hub.ports.store import Attempt, CursorRow, NewFailure, ReadSet, WriteSet
from hub.services import moments
from hub.services.calls import Target
from hub.services.publish import Outward
from hub.services.receive import inputs_of

_log = structlog.get_logger(__name__)

LANE = "pull"
"""With the stream's name behind it: a stream whose quota is spent must not hold up the others."""

PAGES_MAX = 5_000
"""Pages of one walk; a walk that is longer goes on from its cursor at the next poll."""
BACKFILL = "backfill:"


@dataclass(frozen=True, slots=True)
class Walked:
    """How one walk over a stream ended. `finished`: everything up to the watermark has been seen.

    `stopped` says why not: the gate is shut, the account is held, or an error.
    """

    stream: str
    pages: int = 0
    envelopes: int = 0
    finished: bool = False
    stopped: str = ""
    error: ConnectorError | None = None
    wait_s: float | None = None


class Poller:
    """Pulls the streams of one account. Walks of different streams may run at the same time."""

    def __init__(self, out: Outward, connector: Pulls) -> None:
        self._out = out
        self._connector = connector
        self._walking: set[str] = set()

    async def poll(self, stream: str) -> Walked:
        """Walk a stream from its cursor to its end. Overlap is the connector's and harmless.

        Raises `StoreUnavailable`; the cursor is where the last stored page left it.
        """
        return await self._walk(stream, stream, None)

    async def backfill(self, stream: str, since: datetime | None) -> Walked:
        """Read again from an instant on (`pull --since`), beside the stream's own cursor.

        Interrupted, the same call goes on where it stopped: its cursor is kept under its own name.

        Raises:
            ValueError: The vendor does not reach back that far.
        """
        declared = self._out.plan.manifest.stream(stream)
        if since is not None:
            self.require_reach(declared, since)
        mark = since.isoformat() if since else "default"
        return await self._walk(stream, f"{BACKFILL}{stream}:{mark}", since)

    def require_reach(self, stream: Stream, since: datetime) -> None:
        """Raise ValueError when the vendor does not reach back that far."""
        days = (self._out.clock.now() - since).total_seconds() / 86_400
        if stream.backfill_days_max is not None and days > stream.backfill_days_max:
            raise ValueError(
                f"{self._out.plan.connector} gives {stream.name} of the last {stream.backfill_days_max:g} days only; "
                f"{since.isoformat()} is {days:.0f} days ago"
            )

    async def _walk(self, stream: str, name: str, since: datetime | None) -> Walked:
        if name in self._walking:
            return Walked(stream, stopped="this walk is already under way")
        self._walking.add(name)
        try:
            walked = await self._pages(stream, name, since)
        finally:
            self._walking.discard(name)
        _log.info(
            "stream.walked",
            account=self._out.account,
            kind=stream,
            pages=walked.pages,
            envelopes=walked.envelopes,
            finished=walked.finished,
            reason=walked.stopped,
        )
        return walked

    async def _pages(self, stream: str, name: str, since: datetime | None) -> Walked:
        out = self._out
        row = await out.store.cursor(out.account, name)
        cursor: Cursor | None = json.loads(row.cursor) if row and row.cursor else None
        # Taken before the first question: what changes while we read belongs to the next walk.
        began_at = moments.now(out.clock)
        seen: set[str] = set()
        pages = envelopes = 0
        while pages < PAGES_MAX:
            if not out.accounts.may_call(out.account):
                return Walked(stream, pages, envelopes, stopped="the account is held or paused")
            page, attempt, error = await self._fetch(stream, cursor, since)
            if attempt is None:
                return Walked(
                    stream, pages, envelopes, stopped="the gate is shut", wait_s=out.calls.wait_s(_lane(stream))
                )
            if page is None:
                await self._tell(name, attempt, error)
                wait = out.calls.wait_s(_lane(stream)) or None
                return Walked(stream, pages, envelopes, stopped=str(error), error=error, wait_s=wait)
            following = _text(page.cursor)
            # A cursor that leads back would read the same pages for ever.
            stuck = page.more and (following in seen or following == _text(cursor))
            seen.add(following)
            await self._keep(name, page, attempt, began_at, row, stuck=stuck)
            pages += 1
            envelopes += len(page.envelopes)
            if stuck:
                return Walked(stream, pages, envelopes, stopped="the vendor repeated its cursor")
            if not page.more:
                return Walked(stream, pages, envelopes, finished=True)
            cursor = page.cursor
        return Walked(stream, pages, envelopes, stopped=f"{PAGES_MAX} pages; goes on at the next poll")

    async def _fetch(
        self, stream: str, cursor: Cursor | None, since: datetime | None
    ) -> tuple[Page | None, Attempt | None, ConnectorError | None]:
        limit = self._out.plan.manifest.stream(stream).page_max
        target = Target(_lane(stream), f"pull_{stream}", stream, direction="in")
        called = await self._out.calls.make(target, lambda: self._connector.fetch(stream, cursor, limit, since))
        if called is None:
            return None, None, None
        return called.value, called.attempt, called.error

    async def _tell(self, name: str, attempt: Attempt, error: ConnectorError | None) -> None:
        """What reading came to. A refusal is for a person (a file that is too large); the next whole walk ends it."""
        writes = WriteSet(attempts=[attempt])
        if isinstance(error, Rejected):
            writes.failures.append(_refused(self._out.account, f"stream:{name}", name, error))
        await self._out.store.run(ReadSet(), lambda _: writes)

    async def _keep(
        self, name: str, page: Page, attempt: Attempt, began_at: int, before: CursorRow | None, *, stuck: bool
    ) -> None:
        """Rows and cursor together. The watermark moves only when a walk has reached its end."""
        out = self._out
        now = moments.now(out.clock)
        finished = not page.more
        watermark = before.watermark if before else None
        following = _text(page.cursor)
        if stuck:
            # The whole walk is read again next time: nothing behind the repeated cursor is skipped.
            following = before.cursor if before else ""
        elif finished and name.startswith(BACKFILL):
            following = ""
        elif finished:
            stated = moments.micros(page.watermark) if page.watermark else began_at
            watermark = max(watermark or 0, min(stated, began_at))
        cursor = CursorRow(
            account=out.account,
            stream=name,
            cursor=following,
            watermark=watermark,
            updated_at=now,
            last_success_at=now if finished else (before.last_success_at if before else None),
        )
        writes = WriteSet(
            inputs=inputs_of(out.plan, "poll", page.envelopes, out.clock.now()),
            attempts=[attempt],
            cursors=[cursor],
        )
        reference = f"stream:{name}"
        if stuck:
            writes.failures.append(_stuck(out.account, reference, name))
        elif finished:
            writes.resolved_failures.append((out.account, "inbound", reference))
        await out.store.run(ReadSet(), lambda _: writes)


def _lane(stream: str) -> str:
    return f"{LANE}:{stream}"


def _text(cursor: Cursor | None) -> str:
    """Cursors compare as text, so keys are sorted."""
    return json.dumps(cursor, sort_keys=True) if cursor is not None else ""


def _refused(account: str, reference: str, name: str, error: Rejected) -> NewFailure:
    return NewFailure(
        account=account,
        kind="inbound",
        reference=reference,
        error=type(error).__name__,
        code=error.code,
        path=name,
        message=error.message,
        fingerprint=f"{account}:inbound:{error.code}:{name}",
    )


def _stuck(account: str, reference: str, name: str) -> NewFailure:
    return NewFailure(
        account=account,
        kind="inbound",
        reference=reference,
        error="Transient",
        code="cursor_repeated",
        path=name,
        message="the vendor gave the same page cursor twice; reading goes on at the next poll",
        fingerprint=f"{account}:inbound:cursor_repeated:{name}",
    )
