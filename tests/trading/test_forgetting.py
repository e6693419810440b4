"""A person who is to be forgotten goes from the files of partners too: received, made, and what they were made of."""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.manifest import Control
from hub.ports.store import InboxResult, InboxState, NewInput, OrderRow, PersonalRow, WriteSet
from hub.services.control import Controls
from hub.services.interpreted import Interpreted
from tests.support.exchange import ACCOUNT, Desk, answer, interchange, order

ORDER = OrderRow("ord_1", ACCOUNT, "4500001", "v", "4500001", "open", 1, 1, '{"lines": []}')


async def test_an_orders_person_goes_from_every_file(desk: Desk) -> None:
    """The interchange, its set, our answer and its bytes; the other order's answer stays."""
    (item,) = await desk.trade(interchange(order()))
    await desk.ask(answer(), subject="ord_1")
    await desk.ask(answer("4500002"), dedupe="2", subject="ord_2")
    await desk.work()
    done = InboxResult(item.seq, InboxState.DONE)
    await desk.bench.write(
        WriteSet(inbox=[done], orders=[ORDER], personal=[PersonalRow("ord_1", ACCOUNT, '{"name": "Ada Invented"}')])
    )
    request = NewInput(ACCOUNT, "edi", "api", "redact", "r1", "redact", b"{}", "d", desk.bench.now)
    await desk.bench.store.receive([request])
    (asked,) = [each for each in await desk.bench.store.claim_inbox(10) if each.topic == "redact"]
    told = Interpreted(asked.seq, control=Control.REDACT_ORDERS, orders=("4500001",))
    await Controls(desk.bench.store, desk.bench.queries).obey(replace(asked), told)

    rows, _ = await desk.bench.queries.inputs(account=ACCOUNT)
    kept = sorted(row.ordering_key for row in rows if row.payload)
    assert kept == ["out:ord_2"]
    left = {row.control: await desk.bench.store.file_content(row.id) for row in await desk.files("out")}
    assert left["000000002"] is None
    assert left["000000003"] is not None
    (received,) = await desk.files("in")
    assert await desk.bench.queries.file_content(received.id) is None
    assert await desk.states(received) == ["taken"]
