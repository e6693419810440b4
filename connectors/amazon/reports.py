"""Reports: asked for, written by Amazon in its own time, read as a table. The cursor carries the report's id.

`createReport` has no idempotency key. When its answer is lost the reports of that type made since are listed and
one of the same days is taken; if there is none it is asked for again, which wastes a report and harms nothing.

Source: reports_2021-06-30 (2026-08): CANCELLED is also a report without data; addresses of documents live five
minutes; reports are kept 90 days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import structlog

from connectors.amazon import moments, tables
from connectors.amazon.api import Api, escaped
from connectors.amazon.tables import Table
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import InDoubt, TargetMissing, Transient
from connectors.sdk.http import Answer

log = structlog.get_logger(__name__)

PATH: Final = "/reports/2021-06-30"
WAITS_S: Final = (1.0, 2.0, 4.0, 8.0)
"""How long a report is waited for within one call; after that the stream comes back for it."""

STUCK_AFTER: Final = timedelta(hours=6)
LOST_MAX: Final = 3
"""A report that failed this often in a row is left out of its sweep: the next one must not wait for it for ever."""
CLOCK_SKEW: Final = timedelta(minutes=2)
TABLES_MAX: Final = 2
"""Tables kept in memory, so that paging through one does not download it again."""

MARKETPLACES_MAX: Final = 25


class Stage(StrEnum):
    """Where a report stands. `EMPTY`: nothing to report. `LOST`: it failed or is gone; another has to be asked for."""

    ASKED = "asked"
    WAITING = "waiting"
    READY = "ready"
    EMPTY = "empty"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Job:
    """One report to have. `required` are the columns without which its rows say nothing; `optional` as of `Api`."""

    report_type: str
    marketplaces: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None
    required: tuple[str, ...] = ()
    optional: bool = False


class Reports:
    """One account's reports. Keeps a few tables, nothing worth keeping."""

    def __init__(self, ctx: AccountContext, api: Api) -> None:
        self._ctx = ctx
        self._api = api
        self._tables: dict[str, Table] = {}

    async def advance(self, job: Job, state: Mapping[str, Any]) -> tuple[dict[str, Any], Stage]:
        """The next step of a report: `state` is {} before it is asked for, then `{"id"}`, then with `"document"`."""
        if "document" in state:
            return dict(state), Stage.READY
        if "id" not in state:
            return {"id": await self._ask(job)}, Stage.ASKED
        report_id = str(state["id"])
        try:
            row = await self._read(report_id)
            for wait_s in WAITS_S:
                if row.get("processingStatus") not in ("IN_QUEUE", "IN_PROGRESS"):
                    break
                await self._ctx.clock.sleep(wait_s)
                row = await self._read(report_id)
        except TargetMissing:
            return {}, Stage.LOST
        return self._stage(report_id, row)

    async def table(self, document_id: str, required: Collection[str] = ()) -> Table:
        """A document as a table.

        Raises:
            TargetMissing: The document is gone.
            Transient: It is no table; asked for again it may be.
        """
        held = self._tables.get(document_id)
        if held is not None:
            return held
        path = f"{PATH}/documents/{escaped(document_id)}"
        answer = await self._api.request("GET", path, operation="getReportDocument")
        body = answer.json()
        url = body.get("url") if isinstance(body, Mapping) else None
        if not isinstance(url, str) or not url:
            raise Transient("getReportDocument: the answer has no address", **answer.facts("unexpected_body"))
        found = await self._api.fetch_document(url, body.get("compressionAlgorithm"))
        try:
            table = tables.read(found.content, found.content_type, required)
        except tables.NotATable as error:
            raise Transient(f"report document: {error}", code="no_table") from error
        if table.odd:
            log.warning("amazon.report_rows_odd", account=self._ctx.account, rows=len(table.odd))
        while len(self._tables) >= TABLES_MAX:
            self._tables.pop(next(iter(self._tables)))
        self._tables[document_id] = table
        return table

    def done_with(self, document_id: object) -> None:
        """The table will not be asked for again."""
        self._tables.pop(str(document_id), None)

    def _stage(self, report_id: str, row: Mapping[str, Any]) -> tuple[dict[str, Any], Stage]:
        status, document = str(row.get("processingStatus") or ""), row.get("reportDocumentId")
        if status == "DONE" and document:
            return {"id": report_id, "document": str(document), "row": 0}, Stage.READY
        if status == "CANCELLED" or status == "DONE":
            return {}, Stage.EMPTY
        created = moments.read(row.get("createdTime"))
        stuck = created is not None and self._ctx.clock.now() - created > STUCK_AFTER
        if status == "FATAL" or stuck:
            log.error("amazon.report_lost", account=self._ctx.account, report=report_id, status=status)
            return {}, Stage.LOST
        return {"id": report_id}, Stage.WAITING

    async def _ask(self, job: Job) -> str:
        began = self._ctx.clock.now()
        body: dict[str, Any] = {"reportType": job.report_type, "marketplaceIds": list(job.marketplaces)}
        if job.start is not None and job.end is not None:
            body |= {"dataStartTime": moments.text(job.start), "dataEndTime": moments.text(job.end)}
        try:
            answer = await self._api.request(
                "POST",
                f"{PATH}/reports",
                operation="createReport",
                json=body,
                write=True,
                optional=job.optional,
            )
            report_id = _id(answer.json())
            if report_id is None:
                raise _no_id(answer)
        except InDoubt as lost:
            report_id = await self._find_lost(job, began)
            if report_id is None:
                message = f"the answer to a report was lost and Amazon lists no such report ({lost.message})"
                raise Transient(message, code="report_lost", status=lost.status) from lost
        return report_id

    async def _find_lost(self, job: Job, began: datetime) -> str | None:
        since = moments.text(began - CLOCK_SKEW)
        params: dict[str, Any] = {"reportTypes": [job.report_type], "createdSince": since, "pageSize": 100}
        answer = await self._api.request("GET", f"{PATH}/reports", operation="getReports", params=params)
        body = answer.json()
        rows = body.get("reports") if isinstance(body, Mapping) else None
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping) and moments.read(row.get("dataStartTime")) == _millis(job.start):
                return _id(row)
        return None

    async def _read(self, report_id: str) -> Mapping[str, Any]:
        answer = await self._api.request("GET", f"{PATH}/reports/{escaped(report_id)}", operation="getReport")
        row = answer.json()
        if not isinstance(row, Mapping) or not row.get("processingStatus"):
            raise Transient("getReport: the answer is no report", **answer.facts("unexpected_body"))
        return row


def _id(row: object) -> str | None:
    value = row.get("reportId") if isinstance(row, Mapping) else None
    return str(value) if value else None


def _no_id(answer: Answer) -> InDoubt:
    return InDoubt("Amazon took the report but gave no id", **answer.facts("no_report_id"))


def _millis(at: datetime | None) -> datetime | None:
    """As it was sent: Amazon is told milliseconds."""
    return moments.read(moments.text(at)) if at is not None else None
