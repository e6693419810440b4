"""The `returns` stream: rows of the sellers' and of Amazon's returns reports, read again over a look-back.

A row tells a return's present state and has no time of its own, so every sweep reads the days anew; what has not
changed has the same dedupe key. A row that does not fit is kept under its topic, so that it fails where an operator
sees it. A refund puts nothing back: only what these rows say was received does.

Source: GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE (at most 60 days in one report) and
GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA, attributes of returns and concessions reports (read 2026-11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.amazon import errors, moments, topics
from connectors.amazon.api import Api
from connectors.amazon.reports import LOST_MAX, MARKETPLACES_MAX, Job, Reports, Stage
from connectors.amazon.settings import Settings
from connectors.amazon.tables import Odd, Row, Table
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, TargetMissing

log = structlog.get_logger(__name__)

FBM_REPORT: Final = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"
FBA_REPORT: Final = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
LOOK_BACK: Final = timedelta(days=59)

KINDS: Final[tuple[tuple[str, str, str], ...]] = (
    (topics.RETURN_FBM, FBM_REPORT, "Order ID"),
    (topics.RETURN_FBA, FBA_REPORT, "order-id"),
)
"""Topic, report type, and the column that names the order."""


class Returns:
    """One account's returns. Everything that must survive stands in the cursor.

    At rest `{"swept"}`; under way `{"from", "to", "step", "report"}`, where `report` is `reports`' own.
    """

    def __init__(self, ctx: AccountContext, settings: Settings, api: Api) -> None:
        self._ctx = ctx
        self._reports = Reports(ctx, api)
        ids = settings.marketplace_ids
        chunks = [ids[at : at + MARKETPLACES_MAX] for at in range(0, len(ids), MARKETPLACES_MAX)]
        self._steps = [(kind, chunk) for kind in KINDS for chunk in chunks]
        self._read: tuple[str, list[Envelope]] | None = None

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next step of a sweep. A page without rows is normal: reports are written while one waits.

        Raises:
            Rejected: The cursor is damaged.
        """
        state = dict(cursor) if cursor and "step" in cursor else self._begin(since)
        (topic, report_type, column), marketplaces = self._step(state)
        begin, end = moments.read(state.get("from")), moments.read(state.get("to"))
        if begin is None or end is None:
            raise _damaged()
        job = Job(report_type, marketplaces, begin, end, (column,), optional=True)
        known = state.get("report") or {}
        try:
            report, stage = await self._reports.advance(job, known)
        except Rejected as error:
            if error.code != errors.ROLE_MISSING or topic != topics.RETURN_FBA:
                raise
            # Who sells nothing from Amazon's shelves need not be allowed to ask for what came back to them.
            log.warning("amazon.report_not_allowed", account=self._ctx.account, report_type=report_type)
            return self._after(state, [])
        if stage is Stage.EMPTY:
            return self._after(state, [])
        if stage is Stage.LOST:
            return self._lost(state, report_type)
        if "document" not in known:
            return Page((), state | {"report": report}, more=stage is not Stage.WAITING)
        try:
            table = await self._reports.table(str(report["document"]), job.required)
        except TargetMissing:
            return self._lost(state, report_type)
        return self._rows(state, report, table, topic, column, limit)

    def _lost(self, state: Mapping[str, Any], report_type: str) -> Page:
        """Asked for again at the next poll, and after some times left to the next sweep, which reads the same days."""
        lost = int(state.get("lost") or 0) + 1
        if lost < LOST_MAX:
            return Page((), {**state, "report": {}, "lost": lost}, more=False)
        log.error("amazon.report_given_up", account=self._ctx.account, report_type=report_type, times=lost)
        return self._after(state, [])

    def _rows(
        self, state: dict[str, Any], report: dict[str, Any], table: Table, topic: str, column: str, limit: int
    ) -> Page:
        document = str(report["document"])
        if self._read is None or self._read[0] != document:
            # Once per document: paging through it must not name every row again.
            self._read = (document, self._envelopes(table, topic, column, moments.read(state["to"])))
        every = self._read[1]
        start = int(report.get("row", 0))
        stop = start + max(1, limit)
        if stop < len(every):
            return Page(every[start:stop], state | {"report": {**report, "row": stop}}, more=True)
        self._reports.done_with(document)
        self._read = None
        return self._after(state, every[start:stop])

    def _envelopes(self, table: Table, topic: str, column: str, at: datetime | None) -> list[Envelope]:
        """One per different row, odd ones last; a line that stands twice is one fact."""
        made = [_of_row(row, topic, column, at) for row in table.rows]
        made += [_of_odd(odd, topic, at) for odd in table.odd]
        return list({envelope.dedupe_key: envelope for envelope in made}.values())

    def _after(self, state: Mapping[str, Any], envelopes: list[Envelope]) -> Page:
        step = int(state["step"]) + 1
        if step < len(self._steps):
            return Page(envelopes, {**state, "step": step, "report": {}, "lost": 0}, more=True)
        return Page(envelopes, {"swept": state["to"]}, more=False, watermark=moments.read(state["to"]))

    def _begin(self, since: datetime | None) -> dict[str, Any]:
        now = self._ctx.clock.now()
        begin = now - LOOK_BACK
        if since is not None and since < begin:
            log.warning("amazon.history_cut", account=self._ctx.account, stream="returns", days=LOOK_BACK.days)
        return {"from": moments.text(begin), "to": moments.text(now), "step": 0, "report": {}}

    def _step(self, state: Mapping[str, Any]) -> tuple[tuple[str, str, str], tuple[str, ...]]:
        step = state.get("step")
        if not isinstance(step, int) or not 0 <= step < len(self._steps):
            raise _damaged()
        return self._steps[step]


def _of_row(row: Row, topic: str, column: str, at: datetime | None) -> Envelope:
    payload = exact.dumps(row)
    return _envelope(topic, row[column], exact.canonical(row), payload, at)


def _of_odd(odd: Odd, topic: str, at: datetime | None) -> Envelope:
    """A payload no rule takes: it is parked with the line as it came."""
    payload = exact.dumps({"odd_row": odd.text, "problem": odd.problem})
    return _envelope(topic, "odd", odd.text.encode(), payload, at)


def _envelope(topic: str, order: str, identity: bytes, payload: bytes, at: datetime | None) -> Envelope:
    digest = hashlib.sha256(identity).hexdigest()[:32]
    return Envelope(
        topic=topic,
        dedupe_key=f"{topic}:{order}:{digest}",
        ordering_key=f"{topic}:{order}",
        payload=payload,
        occurred_at=at,
    )


def _damaged() -> Rejected:
    return Rejected("the cursor of the returns stream is damaged; pull the account again", code="cursor_damaged")
