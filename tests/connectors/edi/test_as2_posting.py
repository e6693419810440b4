"""Over the product's HTTP client an AS2 message goes out unchanged, and receipts go nowhere they may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.edi.transport.as2.exchange import OwedReceipt
from connectors.edi.transport.as2.partner import Partner
from connectors.edi.transport.as2.posting import classify, posting
from connectors.edi.transport.as2.receiving import Receiver
from connectors.edi.transport.as2.sending import State, compose, send, send_receipt
from connectors.sdk.budget import BudgetBook
from connectors.sdk.clock import EPOCH, FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import HttpClient
from tests.support.edi_partners import Kept, both, certified

ORDER = b"ISA*00*~\nGS*PO~\n"


def client(handler: Callable[[httpx.Request], Any], resolver: Any = None) -> HttpClient:
    clock = ManualClock()
    ctx = AccountContext(
        account="big-box", base_url="https://bigbox.example/as2", auth_url=None, credentials={}, options={},
        locations={}, public_url=None, clock=clock, ids=SeededIds(), jitter=FixedJitter(0.5), tokens=MemoryTokens(),
        transport=httpx.MockTransport(handler),
    )  # fmt: skip
    budgets = BudgetBook(clock)
    return HttpClient(ctx, base_url="https://bigbox.example/as2", budgets=budgets, classify=classify, resolver=resolver)


async def test_a_message_is_confirmed_through_the_client_after_a_failure() -> None:
    """The first answer is a 503; the repetition carries the same Message-ID and is confirmed, kept once."""
    ours, theirs = both(certified("Hub"), certified("Big Box"))
    store, seen = Kept(), list[str]()

    async def never(*_: object) -> None:
        pytest.fail("nothing of this kind is expected")

    def find(*_: str) -> Partner:
        return theirs

    receiver = Receiver(find, store, never, never, ManualClock(), SeededIds())

    async def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["message-id"])
        if len(seen) == 1:
            return httpx.Response(503)
        pairs = [(name.decode(), value.decode()) for name, value in request.headers.raw]
        response = await receiver.receive(pairs, await request.aread())
        return httpx.Response(response.status, headers=list(response.headers), content=response.body)

    message = await compose(ORDER, "po.edi", ours, SeededIds(1), EPOCH)
    sent = await send(message, ours, posting(client(serve)), EPOCH)
    assert sent.state is State.CONFIRMED
    assert seen == [message.message_id] * 2
    assert [arrival.body for arrival in store.arrivals] == [ORDER]


@pytest.mark.parametrize("url", ["http://hub.example/", "https://10.0.0.1/", "https://localhost/"])
async def test_a_receipt_never_goes_to_an_address_that_is_not_public(url: str) -> None:
    """Whatever the list of a partner says, the client's own check comes last."""

    async def private(_: str, __: int) -> list[str]:
        return ["127.0.0.1"]

    def serve(_: httpx.Request) -> httpx.Response:
        pytest.fail("called")

    with pytest.raises(Rejected):
        await send_receipt(OwedReceipt(url, (), b"", "<1>"), posting(client(serve, private)))


async def test_a_partner_that_is_down_is_transient() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Transient):
        await send_receipt(OwedReceipt("https://bigbox.example/as2", (), b"", "<1>"), posting(client(serve)))
