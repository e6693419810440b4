"""Reports: asked for, written later, fetched as a document.

Source: reports_2021-06-30 model (2026-08).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.documents import Document, Documents
from connectors.amazon.fake.feeds_wire import STATUSES
from connectors.amazon.fake.replies import (
    answer,
    body_of,
    count_in,
    instant,
    instant_in,
    invalid,
    iso,
    listed,
    missing,
    only,
)
from connectors.amazon.fake.report_rows import ReportWriter
from connectors.sdk.ports import Clock

CREATION: Final = frozenset({"reportType", "marketplaceIds", "reportOptions", "dataStartTime", "dataEndTime"})
SEARCH: Final = frozenset(
    {"reportTypes", "processingStatuses", "marketplaceIds", "pageSize", "createdSince", "createdUntil", "nextToken"}
)


@dataclass
class Report:
    number: str
    kind: str
    markets: list[str]
    created: datetime
    since: datetime | None
    until: datetime | None
    status: str = "IN_QUEUE"
    ended: datetime | None = None
    document: Document | None = None


@dataclass
class ReportsWire:
    """One seller's reports, written `work_s` after they were asked for. `finished` hears of each."""

    documents: Documents
    clock: Clock
    writer: ReportWriter
    finished: Callable[[Report], None]
    work_s: float = 2.0
    reports: dict[str, Report] = field(default_factory=dict)
    _tokens: dict[str, list[str]] = field(default_factory=dict)

    async def create(self, request: web.Request) -> web.Response:
        """POST /reports/2021-06-30/reports. Not idempotent."""
        body = await body_of(request)
        unknown = sorted(set(body) - CREATION)
        markets = body.get("marketplaceIds")
        if unknown or not isinstance(markets, list) or not 1 <= len(markets) <= 25:
            raise invalid(f"marketplaceIds is a list of 1 to 25. Unknown fields: {unknown}")
        if str(body.get("reportType")) not in self.writer.kinds:
            raise invalid(f"reportType: {body.get('reportType')}")
        times = {name: instant(body[name], name) for name in ("dataStartTime", "dataEndTime") if name in body}
        number = str(54_517_000_000 + len(self.reports) + 1)
        self.reports[number] = Report(
            number,
            str(body["reportType"]),
            [str(each) for each in markets],
            self.clock.now(),
            times.get("dataStartTime"),
            times.get("dataEndTime"),
        )
        return answer({"reportId": number}, 202)

    async def read(self, request: web.Request) -> web.Response:
        """GET /reports/2021-06-30/reports/{reportId}."""
        only(request, ())
        self.work()
        return answer(_shown(self._report(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        """DELETE /reports/2021-06-30/reports/{reportId}: only while it is queued."""
        self.work()
        report = self._report(request)
        if report.status != "IN_QUEUE":
            raise invalid(f"The report is {report.status}.")
        report.status, report.ended = "CANCELLED", self.clock.now()
        return web.Response(status=200)

    async def find(self, request: web.Request) -> web.Response:
        """GET /reports/2021-06-30/reports, newest first."""
        only(request, SEARCH)
        self.work()
        size = count_in(request, "pageSize", 10, 100)
        token = request.query.get("nextToken")
        if token is not None and set(request.query) != {"nextToken"}:
            raise invalid("nextToken stands alone.")
        numbers = self._matching(request) if token is None else self._tokens.get(token)
        if numbers is None:
            raise invalid("The token is invalid.")
        body: dict[str, Any] = {"reports": [_shown(self.reports[number]) for number in numbers[:size]]}
        if numbers[size:]:
            made = f"reports-{len(self._tokens) + 1}"
            self._tokens[made] = numbers[size:]
            body["nextToken"] = made
        return answer(body)

    async def read_document(self, request: web.Request) -> web.Response:
        """GET /reports/2021-06-30/documents/{reportDocumentId}."""
        only(request, {"enableContentEncodingUrlHeader"})
        document = self.documents.held.get(request.match_info["document"])
        if document is None:
            raise missing("No such document.")
        return answer(self.documents.described(document, "reportDocumentId"))

    def work(self) -> None:
        """Write what is due by now."""
        now = self.clock.now()
        for report in self.reports.values():
            if report.status == "IN_QUEUE" and now >= report.created + timedelta(seconds=self.work_s):
                content, content_type = self.writer.kinds[report.kind](report.since, report.until)
                zipped = int(report.number) % 2 == 1
                report.document = self.documents.make(content_type, content, zipped=zipped)
                report.status, report.ended = "DONE", now
                self.finished(report)

    def _report(self, request: web.Request) -> Report:
        number = request.match_info["report"]
        if number not in self.reports:
            raise missing(f"No report {number}.")
        return self.reports[number]

    def _matching(self, request: web.Request) -> list[str]:
        kinds = listed(request, "reportTypes", most=10)
        if not kinds:
            raise invalid("Either nextToken or reportTypes is required.")
        statuses = listed(request, "processingStatuses", allowed=STATUSES)
        markets = set(listed(request, "marketplaceIds", most=10))
        since, until = instant_in(request, "createdSince"), instant_in(request, "createdUntil")
        found = [
            report
            for report in self.reports.values()
            if report.kind in kinds
            and (not statuses or report.status in statuses)
            and (not markets or markets & set(report.markets))
            and (since is None or report.created >= since)
            and (until is None or report.created <= until)
        ]
        return [report.number for report in reversed(found)]


def _shown(report: Report) -> dict[str, Any]:
    since, until = report.since or report.created, report.until or report.created
    body: dict[str, Any] = {
        "reportId": report.number,
        "reportType": report.kind,
        "marketplaceIds": report.markets,
        "dataStartTime": iso(since),
        "dataEndTime": iso(until),
        "createdTime": iso(report.created),
        "processingStatus": report.status,
    }
    if report.ended is not None:
        body["processingStartTime"] = iso(report.created)
        body["processingEndTime"] = iso(report.ended)
    if report.document is not None:
        body["reportDocumentId"] = report.document.number
    return body
