"""From stored input to facts, through the account's mapping; what cannot be read is refused by name.

`Interpreter` is the port: in this process (default), or in mapper processes
(`hub.services.mappers`), which give the same answer for the same item.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import canonical
from canonical import Document
from canonical.errors import MappingError
from connectors.sdk.manifest import Control, Topic
from hub.orders.facts import DocumentFacts
from hub.ports.accounts import AccountPlan
from hub.ports.store import InboxItem
from hub.services.extract import facts_of
from hub.services.extract_purchase import purchase_facts_of
from hub.services.interpreted import Interpreted, Refusal
from hub.services.moments import moment
from hub.services.receive import SAID, UNKNOWN_TOPIC
from mappings import MapContext

TRADED = frozenset({"interchange", "outgoing"})
"""Topics of accounts that trade (`Manifest.trades`) which no mapping reads."""

YIELD_EVERY = 4
"""Items mapped before the loop gets a turn: intake keeps answering, and a database in the middle of a unit is not
kept waiting, while a backlog drains."""

STATED = ("api", "shipment")
"""Origin and topic of a shipment that an operator or a tool stated in our own terms."""

CRASHES_MAX = 3
"""An item that was held by this many processes when they died is never run again by itself."""


class Maps(Protocol):
    """A mapping set, as far as interpreting needs it."""

    def map(self, topic: str, payload: bytes, ctx: MapContext) -> list[Document]: ...


Corrected = Callable[[str], None]
"""Told an account before an input of it is run again: its mapping files may have been corrected since."""


def unchanging(_account: str) -> None:
    """For mappings that are what they were at the start."""


def run_again(items: Sequence[InboxItem]) -> set[str]:
    """Accounts of which something is tried once more."""
    return {item.account for item in items if item.attempts}


class Interpreter(Protocol):
    """One answer per item, in order. Never raises for what an item contains."""

    async def interpret(self, items: Sequence[InboxItem]) -> Sequence[Interpreted]: ...

    async def close(self) -> None: ...


def context_of(plan: AccountPlan, item: InboxItem) -> MapContext:
    """What a mapping may know beside the payload."""
    return MapContext(
        account=plan.account,
        connector=plan.connector,
        received_at=moment(item.received_at),
        currency=plan.currency,
        time_zone=plan.time_zone,
        locations=dict(plan.locations),
        occurred_at=None if item.occurred_at is None else moment(item.occurred_at),
    )


def interpret_item(item: InboxItem, plan: AccountPlan, maps: Maps) -> Interpreted:
    """Pure: the same item gives the same facts."""
    return route(item, plan) or map_item(item, context_of(plan, item), maps)


def route(item: InboxItem, plan: AccountPlan) -> Interpreted | None:
    """The answer for an item that needs no mapping; None when it does."""
    topic = plan.manifest.topic(item.topic)
    if item.crashes >= CRASHES_MAX:
        message = f"the process died {item.crashes} times while holding this input; it is not run again by itself"
        return Interpreted(item.seq, refusal=Refusal("Poison", "crashed", "", message))
    if topic is not None and topic.ignored:
        return Interpreted(item.seq)
    if topic is not None and topic.control is not None:
        return _controlled(item, topic, topic.control)
    if topic is not None and topic.parked:
        return Interpreted(item.seq, refusal=Refusal("Conflict", topic.name, "", topic.parked))
    if topic is not None and topic.hint:
        return Interpreted(item.seq, hint=True)
    if not item.payload:
        message = "the stored payload is past its retention and gone; pull the account again instead"
        return Interpreted(item.seq, refusal=Refusal("PayloadGone", "shredded", "", message))
    if topic is None and item.topic == UNKNOWN_TOPIC:
        message = str(json.loads(item.headers).get(SAID) or "nobody knows what this tells of")
        return Interpreted(item.seq, refusal=Refusal("MappingError", "unknown_topic", "", message))
    if plan.manifest.trades and item.topic in TRADED:
        return Interpreted(item.seq, trade=True)
    if (item.origin, item.topic) == STATED:
        return _stated(item)
    return None


def _stated(item: InboxItem) -> Interpreted:
    """A canonical document that waited for its order: it was checked when it was stated, and no vendor's mapping is."""
    facts = facts_of(canonical.parse_document(item.payload), item.account, item.received_at)
    if not isinstance(facts, DocumentFacts):
        message = "only shipments are kept until their order comes"
        return Interpreted(item.seq, refusal=Refusal("MappingError", "not_stated", "type", message))
    return Interpreted(item.seq, (facts._replace(ours=True),))


def map_item(item: InboxItem, context: MapContext, maps: Maps) -> Interpreted:
    """Only the mapping: what mapper processes run."""
    try:
        documents = maps.map(item.topic, item.payload, context)
    except MappingError as error:
        path = f"{error.target} <- {error.path}" if error.target and error.path else error.target or error.path
        return Interpreted(item.seq, refusal=Refusal("MappingError", error.code, path, str(error)))
    found = (facts_of(document, item.account, item.received_at) for document in documents)
    facts = tuple(one for one in found if one is not None)
    told = (purchase_facts_of(document, item.account, item.received_at) for document in documents)
    return Interpreted(item.seq, facts, purchases=tuple(one for one in told if one is not None))


def _controlled(item: InboxItem, topic: Topic, control: Control) -> Interpreted:
    """A control topic's order ids or people, read strictly: a redaction that cannot be read must not look done."""
    if topic.people:
        return _about_people(item, topic, control)
    if not topic.orders:
        return Interpreted(item.seq, control=control)
    try:
        payload = json.loads(item.payload, parse_float=str)
        named = payload[topic.orders]
        orders = tuple(str(order) for order in named)
    except (ValueError, KeyError, TypeError):
        message = f"the payload has no list of order ids in {topic.orders!r}"
        return Interpreted(item.seq, refusal=Refusal("MappingError", "control", topic.orders, message))
    return Interpreted(item.seq, control=control, orders=orders)


def _about_people(item: InboxItem, topic: Topic, control: Control) -> Interpreted:
    try:
        payload = json.loads(item.payload, parse_float=str)
    except ValueError:
        payload = None
    found = (_at(payload, path) for path in topic.people)
    people = tuple(dict.fromkeys(str(name) for name in found if isinstance(name, str | int) and name != ""))
    if not people:
        paths = ", ".join(topic.people)
        refusal = Refusal("MappingError", "control", paths, f"the payload names nobody under {paths}")
        return Interpreted(item.seq, refusal=refusal)
    return Interpreted(item.seq, control=control, people=people)


def _at(payload: object, path: str) -> object:
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def unknown_account(item: InboxItem) -> Interpreted:
    message = f"account {item.account!r} is not in the configuration any more; put it back, then replay"
    return Interpreted(item.seq, refusal=Refusal("UnknownAccount", "", "", message))


class InProcess:
    """Maps on the loop, giving it a turn every few items.

    Args:
        plans: By account.
        maps: The account's mapping set, by account.
    """

    def __init__(
        self, plans: Mapping[str, AccountPlan], maps: Mapping[str, Maps], corrected: Corrected = unchanging
    ) -> None:
        self._plans = plans
        self._maps = maps
        self._corrected = corrected

    async def interpret(self, items: Sequence[InboxItem]) -> Sequence[Interpreted]:
        for account in run_again(items) & self._plans.keys():
            self._corrected(account)
        done: list[Interpreted] = []
        for number, item in enumerate(items):
            if number and number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
            plan = self._plans.get(item.account)
            done.append(unknown_account(item) if plan is None else interpret_item(item, plan, self._maps[item.account]))
        return done

    async def close(self) -> None:
        return None
