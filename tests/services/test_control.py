"""Control inputs are obeyed once and leave a trace: people forgotten, requests open, accounts held."""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.manifest import Control
from hub.services.interpret import route
from hub.services.interpreted import Interpreted
from tests.support.orders import Hub, order, plan


async def obey(hub: Hub, topic: str, payload: bytes = b"{}") -> Interpreted:
    item = await hub.item(topic=topic, payload=payload)
    routed = route(item, hub.plans["shop"])
    assert routed is not None
    await hub.apply.apply([(item, routed)])
    return routed


async def test_a_forgotten_person_does_not_come_back() -> None:
    """Redaction shreds the named orders' people, and no later copy of the order restores them."""
    hub = Hub()
    buyer = {"name": "Ada Example"}
    await hub.deliver(order("11", [], buyer=buyer))
    await hub.deliver(order("12", [], buyer=buyer))
    routed = await obey(hub, "forget", b'{"orders": [11, "99"]}')
    assert routed.orders == ("11", "99")
    await hub.deliver(order("11", [], version=3, buyer=buyer))
    people = hub.store.tables.personal
    assert set(people) == {hub.row("12").id}
    assert hub.row("11").id in hub.store.tables.shredded


async def test_a_redaction_that_cannot_be_read_is_not_done() -> None:
    """A payload without its list of orders is parked, never finished."""
    hub = Hub()
    for payload in (b"{}", b"nonsense", b'{"orders": 5}', b"[]"):
        routed = await obey(hub, "forget", payload)
        assert routed.refusal is not None
    assert len(hub.store.tables.failures) == 4


async def test_a_person_without_a_name_is_not_forgotten_by_guess() -> None:
    """A deletion notice that names nobody is parked, never taken for everybody or for nobody."""
    hub = Hub()
    for payload in (b"{}", b"nonsense", b"[]", b'{"who": {"name": ""}}', b'{"who": {"id": ["x"]}}'):
        routed = await obey(hub, "forget-person", payload)
        assert routed.refusal is not None
    assert len(hub.store.tables.failures) == 5


async def test_a_data_request_waits_for_a_person() -> None:
    """A request stays open among the failures and stands in the audit."""
    hub = Hub()
    await obey(hub, "ask", b'{"orders": [11]}')
    (failure,) = hub.store.tables.failures.values()
    assert (failure.error, failure.state.value) == ("DataRequest", "open")
    assert "11" in failure.message
    assert [entry.action for entry in hub.store.tables.audit] == ["personal.data_request"]


async def test_an_account_without_access_is_held() -> None:
    """Uninstalling holds the account with a reason an operator can act on."""
    hub = Hub()
    routed = await obey(hub, "gone")
    assert routed.control is Control.UNINSTALLED
    assert "uninstalled" in (hub.store.tables.accounts["shop"].held or "")


async def test_routes_that_need_no_mapping() -> None:
    """Ignored topics give nothing, hints ask to be resolved, poison and shredded payloads are refused."""
    hub = Hub(plan())
    known = hub.plans["shop"]
    silent = await hub.item(topic="silence")
    assert route(silent, known) == Interpreted(silent.seq)
    hint = route(await hub.item(topic="changed"), known)
    assert hint is not None
    assert hint.hint
    gone = route(await hub.item(payload=b""), known)
    assert gone is not None
    assert gone.refusal is not None
    assert gone.refusal.error == "PayloadGone"
    assert route(await hub.item(), known) is None
    poison = route(replace(await hub.item(), crashes=3), known)
    assert poison is not None
    assert poison.refusal is not None
    assert poison.refusal.error == "Poison"
