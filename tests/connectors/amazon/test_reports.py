"""Reports are asked for once, read in their own alphabet, and paged through from anywhere."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.amazon import reports, tables
from connectors.amazon.inventory_report import InventoryReport
from connectors.amazon.reports import LOST_MAX
from connectors.amazon.returns import FBA_REPORT, FBM_REPORT, LOOK_BACK, Returns
from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import Envelope, Page
from connectors.sdk.errors import Rejected, Transient
from tests.support.amazon_wire import BASE, US, Wire, fault, scripted

REPORTS = "/reports/2021-06-30"
CA = "A2EUQ1WTGCTBG2"
LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
FBM = "Order ID\tReturn request date\tAmazon RMA ID\tMerchant SKU\tItem Name\tReturn quantity\r\n"
FBA = "return-date\torder-id\tsku\tquantity\tlicense-plate-number\n"


@dataclass
class Desk:
    """Reports by type: their text, how often one is looked at before it is done, how it ends."""

    wire: Wire
    texts: dict[str, bytes] = field(default_factory=dict)
    content_type: str = "text/plain;charset=UTF-8"
    packed: bool = False
    waits: int = 0
    ends: str = "DONE"
    lose: int = 0
    drop: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    gone: bool = False
    _looks: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        routes = self.wire.routes
        self.creates = routes.post(f"{BASE}{REPORTS}/reports").mock(side_effect=self._create)
        routes.get(f"{BASE}{REPORTS}/reports").mock(side_effect=self._list)
        routes.get(url__startswith=f"{BASE}{REPORTS}/reports/").mock(side_effect=self._state)
        self.documents = routes.get(url__startswith=f"{BASE}{REPORTS}/documents/").mock(side_effect=self._document)
        routes.get(url__startswith=f"{BASE}/download/").mock(side_effect=self._download)

    def _create(self, request: httpx.Request) -> httpx.Response:
        if self.drop:
            self.drop -= 1
            raise httpx.ReadTimeout("lost", request=request)
        self.asked.append(json.loads(request.read()))
        if self.lose:
            self.lose -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(202, json={"reportId": f"r-{len(self.asked)}"})

    def _row(self, number: str) -> dict[str, Any]:
        asked = self.asked[int(number[2:]) - 1]
        row = {"reportId": number, "reportType": asked["reportType"], "createdTime": "2026-01-05T12:00:00Z"}
        return row | {key: asked[key] for key in ("dataStartTime", "dataEndTime") if key in asked}

    def _list(self, _: httpx.Request) -> httpx.Response:
        rows = [{**self._row(f"r-{at + 1}"), "processingStatus": "IN_QUEUE"} for at in range(len(self.asked))]
        return httpx.Response(200, json={"reports": rows})

    def _state(self, request: httpx.Request) -> httpx.Response:
        number = request.url.path.rpartition("/")[2]
        if self.gone:
            return httpx.Response(404, json=fault("NotFound"))
        self._looks[number] = self._looks.get(number, 0) + 1
        if self._looks[number] <= self.waits:
            return httpx.Response(200, json={**self._row(number), "processingStatus": "IN_PROGRESS"})
        row = {**self._row(number), "processingStatus": self.ends}
        kind = row["reportType"]
        return httpx.Response(200, json=row | ({"reportDocumentId": f"{kind} {number}"} if self.ends == "DONE" else {}))

    def _document(self, request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rpartition("/")[2].partition(" ")[0]
        body = {"reportDocumentId": kind, "url": f"{BASE}/download/{kind}"}
        return httpx.Response(200, json=body | ({"compressionAlgorithm": "GZIP"} if self.packed else {}))

    def _download(self, request: httpx.Request) -> httpx.Response:
        content = self.texts.get(request.url.path.rpartition("/")[2], b"")
        packed = gzip.compress(content) if self.packed else content
        return httpx.Response(200, content=packed, headers={"content-type": self.content_type})


@asynccontextmanager
async def desk(**changes: Any) -> AsyncIterator[Desk]:
    async with scripted(**changes) as wire:
        yield Desk(wire, {FBM_REPORT: FBM.encode(), FBA_REPORT: FBA.encode()})


def returns(made: Desk) -> Returns:
    """The stream in a fresh process."""
    return Returns(made.wire.ctx, made.wire.settings, made.wire.api)


async def walk(stream: Returns, cursor: Any = None, limit: int = 100) -> list[Page]:
    pages = []
    for _ in range(60):
        page = await stream.fetch(cursor, limit, None)
        pages.append(page)
        cursor = json.loads(json.dumps(page.cursor))
        if not page.more:
            return pages
    raise AssertionError("no end")


def envelopes(pages: list[Page]) -> list[Envelope]:
    return [envelope for page in pages for envelope in page.envelopes]


def payloads(pages: list[Page]) -> list[Any]:
    return [json.loads(envelope.payload) for envelope in envelopes(pages)]


# Tables.


def test_columns_are_found_by_name_and_blank_lines_are_none() -> None:
    """The header drives: order, unknown and empty columns do not matter; short rows end in empty cells."""
    table = tables.read(b"b\ta\t\tb\r\n1\t2\t3\t4\r\n\r\n5\r\n", "", ("b",))
    assert table.columns == ("b", "a", "", "b")
    assert [dict(row) for row in table.rows] == [{"b": "1", "a": "2"}, {"b": "5"}]
    assert table.odd == ()


def test_rows_that_do_not_fit_are_kept_as_they_came() -> None:
    """More cells than columns, or nothing under a name that has to be there; blank cells at the end are no harm."""
    table = tables.read(b"id\tname\n1\tx\ty\n\tz\n2\tok\t\t\n", "", ("id",))
    assert [dict(row) for row in table.rows] == [{"id": "2", "name": "ok"}]
    assert [(odd.line, odd.text) for odd in table.odd] == [(2, "1\tx\ty"), (3, "\tz")]
    assert table.odd[1].problem == "nothing under id"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"<Error>expired</Error>\nx", b"other\tcolumns\n1\t2\n"])
def test_a_document_without_the_needed_columns_is_no_table(content: bytes) -> None:
    """An error page must not read as "no returns"."""
    with pytest.raises(tables.NotATable):
        tables.read(content, "text/plain", ("order-id",))


@pytest.mark.parametrize(
    ("encoding", "content_type", "text"),
    [
        ("utf-8", "text/plain;charset=UTF-8", "Grüße 商品"),
        ("utf-8-sig", "text/plain", "Grüße"),
        ("cp1252", "text/plain; charset=Cp1252", "Grüße € “x”"),
        ("latin-1", 'text/plain; charset="ISO-8859-1"', "Grüße"),
        ("shift_jis", "text/plain; charset=Shift_JIS", "商品"),
        ("cp1252", "text/plain", "Grüße"),
        ("utf-8", "text/plain; charset=x-nobody-knows", "Grüße"),
        ("utf-8", "", "Grüße"),
    ],
)
def test_the_stores_charset_counts(encoding: str, content_type: str, text: str) -> None:
    """Not every report is UTF-8; without a usable charset UTF-8 is tried before Windows' own."""
    table = tables.read(f"id\tname\n1\t{text}\n".encode(encoding), content_type, ("id",))
    assert table.rows[0]["name"] == text


# Reports and the returns stream.


async def test_a_sweep_asks_for_both_reports_and_gives_their_rows() -> None:
    """Golden requests; sellers' rows first, then Amazon's; a row is the object of its columns."""
    async with desk() as made:
        made.texts[FBM_REPORT] += b"701-1\t05-Jan-2026\tRMA1\tLAMP/1\tLamp\t2\r\n"
        made.texts[FBA_REPORT] += b"2026-01-04T10:00:00+00:00\t701-2\tBOX\t1\tLPN1\n"
        made.packed = True
        pages = await walk(returns(made))
        assert [envelope.topic for envelope in envelopes(pages)] == ["return_fbm", "return_fba"]
        assert payloads(pages)[0] == {
            "Order ID": "701-1",
            "Return request date": "05-Jan-2026",
            "Amazon RMA ID": "RMA1",
            "Merchant SKU": "LAMP/1",
            "Item Name": "Lamp",
            "Return quantity": "2",
        }
        begin = (EPOCH - LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        assert made.asked == [
            {
                "reportType": kind,
                "marketplaceIds": [US],
                "dataStartTime": begin,
                "dataEndTime": "2026-01-05T12:00:00.000Z",
            }
            for kind in (FBM_REPORT, FBA_REPORT)
        ]
        assert pages[-1].watermark == EPOCH
        assert pages[-1].cursor == {"swept": "2026-01-05T12:00:00.000Z"}


async def test_paging_resumes_anywhere_after_a_restart() -> None:
    """The report's id stands in the cursor: another process goes on, and asks for no other report."""
    async with desk() as made:
        made.texts[FBM_REPORT] += b"".join(b"701-%d\t\tR\tS\tn\t1\r\n" % at for at in range(5))
        pages = await walk(returns(made), limit=2)
        keys = [[envelope.dedupe_key for envelope in page.envelopes] for page in pages]
        assert sum(map(len, keys)) == len({key for page in keys for key in page}) == 5
        assert max(map(len, keys)) == 2
        asked = len(made.asked)
        for at, page in enumerate(pages[1:-1], 1):
            rest = await walk(returns(made), json.loads(json.dumps(page.cursor)), limit=2)
            assert [[each.dedupe_key for each in one.envelopes] for one in rest] == keys[at + 1 :]
        assert [row["reportType"] for row in made.asked[asked:]].count(FBM_REPORT) == 0


async def test_a_document_is_downloaded_once_for_all_its_pages() -> None:
    """getReportDocument is granted once a minute."""
    async with desk() as made:
        made.texts[FBM_REPORT] += b"".join(b"701-%d\t\tR\tS\tn\t1\r\n" % at for at in range(20))
        await walk(returns(made), limit=1)
        assert made.documents.call_count == 2


async def test_a_changed_row_is_a_new_fact_and_an_unchanged_one_is_not() -> None:
    """The same days are read again at every sweep; a line that stands twice is one fact."""
    async with desk() as made:
        stream = returns(made)
        made.texts[FBM_REPORT] = FBM.encode() + b"701-1\t\tR1\tS\tn\t1\r\n701-1\t\tR1\tS\tn\t1\r\n"
        first = [envelope.dedupe_key for envelope in envelopes(await walk(stream))]
        assert len(first) == 1
        made.wire.clock.advance(3_600)
        assert [envelope.dedupe_key for envelope in envelopes(await walk(stream))] == first
        made.texts[FBM_REPORT] = FBM.encode() + b"701-1\t\tR1\tS\tn\t2\r\n"
        assert [envelope.dedupe_key for envelope in envelopes(await walk(stream))] != first


async def test_an_odd_row_is_kept_where_somebody_sees_it() -> None:
    """Under its topic, without the columns a rule needs: the mapping refuses it, the row is parked, nothing is lost."""
    async with desk() as made:
        made.texts[FBM_REPORT] += b"\t05-Jan-2026\tRMA1\tLAMP/1\tLamp\t2\r\n701-2\t\tR\tS\tn\t1\r\n"
        good, odd = envelopes(await walk(returns(made)))
        assert json.loads(good.payload)["Order ID"] == "701-2"
        assert odd.topic == "return_fbm"
        assert json.loads(odd.payload) == {
            "odd_row": "\t05-Jan-2026\tRMA1\tLAMP/1\tLamp\t2",
            "problem": "nothing under Order ID",
        }


async def test_a_slow_report_is_fetched_at_the_next_poll() -> None:
    """Waited for a little, then the stream rests with the report's id and asks for no second one."""
    async with desk() as made:
        made.waits = 7
        stream = returns(made)
        pages = await walk(stream)
        assert pages[-1].watermark is None
        assert pages[-1].cursor["report"] == {"id": "r-1"}
        assert made.wire.clock.slept == list(reports.WAITS_S)
        await walk(returns(made), json.loads(json.dumps(pages[-1].cursor)))
        assert [row["reportType"] for row in made.asked] == [FBM_REPORT, FBA_REPORT]


async def test_no_data_is_an_end_and_failure_is_another_try() -> None:
    """CANCELLED is how Amazon says that there is nothing; FATAL, gone or stuck: asked for anew at the next poll."""
    async with desk() as made:
        made.ends = "CANCELLED"
        pages = await walk(returns(made))
        assert pages[-1].watermark is not None
        made.ends = "FATAL"
        pages = await walk(returns(made))
        assert (pages[-1].cursor["report"], pages[-1].watermark) == ({}, None)
        made.gone = True
        pages = await walk(returns(made))
        assert pages[-1].cursor["report"] == {}
        made.gone, made.waits = False, 99
        made.wire.clock.advance((reports.STUCK_AFTER + timedelta(hours=1)).total_seconds())
        pages = await walk(returns(made))
        assert pages[-1].cursor["report"] == {}


async def test_returns_of_our_own_never_wait_for_amazons_report() -> None:
    """FBA's report not allowed, or failing every time: it is left out, and the next sweep reads our own again."""
    async with desk() as made:
        create: Any = made.creates.side_effect

        def refuse(request: httpx.Request) -> httpx.Response:
            if json.loads(request.read())["reportType"] == FBA_REPORT:
                return httpx.Response(403, json=fault("Unauthorized"))
            return create(request)  # type: ignore[no-any-return]

        made.creates.mock(side_effect=refuse)
        assert (await walk(returns(made)))[-1].watermark == EPOCH
        made.creates.mock(side_effect=create)
        made.ends = "FATAL"
        cursor = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-05T12:00:00Z", "step": 1, "report": {}}
        polls = 0
        while "step" in cursor:
            cursor, polls = json.loads(json.dumps((await walk(returns(made), cursor))[-1].cursor)), polls + 1
        assert (polls, cursor) == (LOST_MAX, {"swept": "2026-01-05T12:00:00Z"})


async def test_returns_that_may_not_be_read_are_told_and_hold_nothing() -> None:
    """The sellers' report needs a role too: its stream is refused, the account is not."""
    async with desk() as made:
        made.creates.mock(return_value=httpx.Response(403, json=fault("Unauthorized")))
        with pytest.raises(Rejected) as caught:
            await returns(made).fetch(None, 10, None)
        assert caught.value.code == "role_missing"


async def test_a_lost_answer_looks_before_it_asks_again() -> None:
    """createReport is not idempotent: one of these days is taken; none there is asked for at the next poll."""
    async with desk() as made:
        made.lose = 1
        page = await returns(made).fetch(None, 10, None)
        assert page.cursor["report"] == {"id": "r-1"}
        assert made.creates.call_count == 1
        made.wire.clock.advance(1)
        made.drop = 1
        with pytest.raises(Transient) as caught:
            await returns(made).fetch(None, 10, None)
        assert caught.value.code == "report_lost"


async def test_a_body_that_is_no_report_is_trouble() -> None:
    """An error page where a report should be is never "no returns"."""
    async with desk() as made:
        made.texts[FBM_REPORT] = b"<Error><Code>AccessDenied</Code></Error>"
        with pytest.raises(Transient) as caught:
            await walk(returns(made))
        assert caught.value.code == "no_table"


@pytest.mark.parametrize("cursor", [{"step": 9}, {"step": "0"}, {"step": 0, "from": "x", "to": None}])
async def test_a_damaged_cursor_is_named(cursor: dict[str, Any]) -> None:
    """Never read as something else."""
    async with desk() as made:
        with pytest.raises(Rejected) as caught:
            await returns(made).fetch(cursor, 10, None)
        assert caught.value.code == "cursor_damaged"


# The catalogue by report.


async def sweep(report: InventoryReport, limit: int = 100) -> list[Any]:
    items: list[Any] = []
    state: Any = {}
    for _ in range(40):
        part = await report.read(state, limit)
        assert len(part.items) <= limit
        items += part.items
        if part.following is None:
            return items
        assert part.ready
        state = json.loads(json.dumps(part.following))
    raise AssertionError("no end")


async def test_a_catalogue_is_a_report_per_marketplace_in_the_shape_of_items() -> None:
    """Amazon's own stock has no number; numbers and amounts that are none are left out."""
    async with desk(options={"marketplace_ids": [US, CA]}) as made:
        made.texts[LISTINGS] = (
            "seller-sku\tquantity\tprice\tasin1\titem-name\tfulfillment-channel\tstatus\n"
            "LAMP/1\t7\t12.50\tB000000001\tLampe für\tDEFAULT\tActive\n"
            "BOX\t\t9,5\tB000000002\tBox\tAMAZON_NA\tInactive\n"
            "ODD\tmany\t\t\t\tDEFAULT\t\n"
        ).encode("latin-1")
        made.content_type = "text/plain; charset=ISO-8859-1"
        items = await sweep(InventoryReport(made.wire.ctx, made.wire.settings, made.wire.api), limit=2)
        assert items[:3] == [
            {
                "sku": "LAMP/1",
                "summaries": [
                    {"marketplaceId": US, "asin": "B000000001", "itemName": "Lampe für", "status": ["BUYABLE"]}
                ],
                "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 7}],
                "offers": [{"marketplaceId": US, "offerType": "B2C", "price": {"amount": "12.50"}}],
            },
            {
                "sku": "BOX",
                "summaries": [{"marketplaceId": US, "asin": "B000000002", "itemName": "Box", "status": []}],
                "fulfillmentAvailability": [{"fulfillmentChannelCode": "AMAZON_NA"}],
            },
            {
                "sku": "ODD",
                "summaries": [{"marketplaceId": US, "status": []}],
                "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT"}],
            },
        ]
        assert [item["summaries"][0]["marketplaceId"] for item in items] == [US] * 3 + [CA] * 3
        assert made.asked == [{"reportType": LISTINGS, "marketplaceIds": [each]} for each in (US, CA)]


async def test_a_marketplace_whose_report_always_fails_keeps_no_other_waiting() -> None:
    """Asked for a few times, poll after poll, then left to the next sweep: the marketplaces behind it are read."""
    async with desk(options={"marketplace_ids": [US, CA]}) as made:
        made.texts[LISTINGS] = b"seller-sku\tquantity\nLAMP\t7\n"
        create: Any = made.creates.side_effect

        def made_for(request: httpx.Request) -> httpx.Response:
            made.ends = "FATAL" if json.loads(request.read())["marketplaceIds"] == [US] else "DONE"
            return create(request)  # type: ignore[no-any-return]

        made.creates.mock(side_effect=made_for)
        state: Any = {}
        items: list[Any] = []
        polls = 1
        while state is not None:
            part = await InventoryReport(made.wire.ctx, made.wire.settings, made.wire.api).read(state, 10)
            items, polls = [*items, *part.items], polls + (not part.ready)
            state = json.loads(json.dumps(part.following))
        assert [item["summaries"][0]["marketplaceId"] for item in items] == [CA]
        assert (polls, [row["marketplaceIds"] for row in made.asked]) == (LOST_MAX, [[US]] * LOST_MAX + [[CA]])


async def test_a_catalogue_report_in_the_making_is_left_for_the_next_poll() -> None:
    """Not ready: the state keeps its id; failed: it is asked for anew; without data: the end."""
    async with desk() as made:
        made.waits = 99
        report = InventoryReport(made.wire.ctx, made.wire.settings, made.wire.api)
        asked = await report.read({}, 10)
        assert asked.ready
        waiting = await report.read(asked.following or {}, 10)
        assert (waiting.ready, waiting.following) == (False, asked.following)
        made.waits, made.ends = 0, "FATAL"
        failed = await report.read(asked.following or {}, 10)
        assert (failed.ready, failed.following) == (False, {"market": 0, "report": {}, "lost": 1})
        made.ends = "CANCELLED"
        empty = await report.read(asked.following or {}, 10)
        assert (empty.items, empty.following) == ((), None)
