"""ShipStation signs nothing: it is believed by the address it was given, and told where to call by us."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import Rejected, SignatureInvalid, UnknownTopic
from connectors.shipstation import CONNECTOR
from tests.support.carriers import beside_sandbox, context, incoming

TOKEN = "long-enough-token-1"
FORMER = "long-enough-token-0"
BODY = b'{"resource_url":"https://ssapi6.shipstation.com/shipments?batchId=1","resource_type":"SHIP_NOTIFY"}'


def opened(**credentials: str) -> Any:
    section = {"credentials": {"api_key": "k", "api_secret": "s", **credentials}}
    return CONNECTOR.open(context(ManualClock(), section))


def called(query: str) -> WebhookRequest:
    return replace(incoming(BODY, {}), path_qs=f"/webhooks/tool{query}")


def test_the_address_decides() -> None:
    """The present token and the former one, whatever else stands in the query."""
    connector = opened(webhook_token=TOKEN, webhook_token_previous=FORMER)
    for query in (f"?token={TOKEN}", f"?token={FORMER}", f"?x=1&token={TOKEN}"):
        connector.verify(called(query))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?token=",
        "?token",
        f"?tokens={TOKEN}",
        f"?token={TOKEN}x",
        f"?token={TOKEN.upper()}",
        f"?token={TOKEN}&token=other",
        f"?token={TOKEN}" + "&a=1" * 30,
        f"?token={TOKEN}&a=" + "b" * 4000,
    ],
)
def test_another_address_is_refused(query: str) -> None:
    """Missing, another, twice, or in a query of an odd size."""
    with pytest.raises(SignatureInvalid):
        opened(webhook_token=TOKEN).verify(called(query))


def test_without_a_token_nothing_is_believed() -> None:
    """Neither an empty one."""
    for query in ("", "?token="):
        with pytest.raises(SignatureInvalid):
            opened().verify(called(query))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"resource_type": 5}', b'{"resource_type": "LABEL_NOTIFY"}', b"\xff"])
def test_an_event_nobody_documents_is_an_unknown_topic(body: bytes) -> None:
    """With those that are known."""
    with pytest.raises(UnknownTopic, match="SHIP_NOTIFY"):
        opened(webhook_token=TOKEN).envelopes(replace(called(""), body=body))


@pytest.mark.parametrize("token", ["short", "with blanks in between", "ampersand&equals=sign"])
def test_a_token_that_does_not_fit_an_address_is_named(token: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ValueError, match=r"credentials\.webhook_token"):
        opened(webhook_token=token)


async def test_a_new_token_takes_the_place_of_the_former() -> None:
    """Subscriptions with the former address end once those with the new one are there; other people's stay."""
    callback = "https://hub.example/webhooks/tool"
    async with beside_sandbox(CONNECTOR) as world:
        elsewhere = {"target_url": "https://other.example/x", "event": "SHIP_NOTIFY", "store_id": None}
        await world.connector._api.subscribe(elsewhere)
        first = await world.connector.ensure_subscriptions(callback)
        assert [line.split()[0] for line in first] == ["subscribed"] * 3
        section = world.sandbox.account_section()
        section["credentials"]["webhook_token"] = TOKEN
        changed: Any = CONNECTOR.open(context(world.clock, section))
        try:
            lines = await changed.ensure_subscriptions(callback)
            assert [line.split()[0] for line in lines] == ["subscribed"] * 3 + ["ended"] * 3
            assert list(await changed.ensure_subscriptions(callback)) == []
        finally:
            await changed.close()
        urls = {hook["Url"] for hook in world.sandbox._webhooks.values()}
        assert urls == {"https://other.example/x", f"{callback}?token={TOKEN}"}
        assert all(TOKEN not in line for line in lines)


async def test_without_a_token_there_is_no_address_to_give() -> None:
    """Refused before anything is asked."""
    with pytest.raises(Rejected, match="webhook_token"):
        await opened().ensure_subscriptions("https://hub.example/webhooks/tool")


async def test_check_names_what_lacks() -> None:
    """A store that is not there, and the token without which nothing is pushed."""
    async with beside_sandbox(CONNECTOR, store_id=7) as world:
        section = world.sandbox.account_section()
        del section["credentials"]["webhook_token"]
        bare: Any = CONNECTOR.open(context(world.clock, {**section, "options": {"store_id": 7}}))
        try:
            report = await bare.check()
        finally:
            await bare.close()
    assert [warning.partition(":")[0] for warning in report.warnings] == [
        "credentials.webhook_token is not set",
        "options.store_id",
    ]
