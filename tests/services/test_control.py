"""Control inputs are obeyed once and leave a trace: people forgotten, requests open, accounts held."""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.manifest import Control
from hub.services.interpret import route
from hub.services.interpreted import Interpreted
from tests.support.orders import Hub, facts, line, order, plan


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


async def test_a_person_forgotten_before_the_order_came_never_comes() -> None:
    """An order still under way when its person is forgotten is applied, and its person is not kept."""
    hub = Hub()
    hub.stock("MUG", 5)
    await obey(hub, "forget", b'{"orders": [11]}')
    item = await hub.item(key="order:11", payload=b"somebody")
    late = order("11", [line("1", "MUG", 2)], buyer={"name": "Ada Example"})
    await hub.apply.apply([(item, Interpreted(item.seq, facts([late], "shop")))])
    assert hub.buckets("MUG") == (5, 2, 0)
    assert hub.store.tables.personal == {}
    assert hub.store.tables.inbox[item.seq].item.payload == b""
    await hub.deliver(order("11", [line("1", "MUG", 1)], version=2, buyer={"name": "Ada Example"}))
    assert hub.buckets("MUG") == (5, 1, 0)
    assert hub.store.tables.personal == {}


async def test_raw_payloads_of_a_forgotten_person_are_forgotten_too() -> None:
    """Those of the order, of its documents, and the request itself; a neighbour's stay."""
    hub = Hub()
    for name in ("11", "12"):
        item = await hub.item(key=f"order:{name}", payload=b"somebody")
        given = order(name, [], buyer={"name": "Ada Example"})
        await hub.apply.apply([(item, Interpreted(item.seq, facts([given], "shop")))])
    await obey(hub, "forget", b'{"orders": [11]}')
    left = [row.item.ordering_key for row in hub.store.tables.inbox.values() if row.item.payload]
    assert left == ["order:12"]


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
