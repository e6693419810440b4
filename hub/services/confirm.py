"""Telling a channel of shipments it has not made itself: edge work, written with the decision that causes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from connectors.sdk.manifest import Confirms
from hub.orders.echoes import has_twin
from hub.orders.telling import Telling, numbers_of, tellings, whole_telling
from hub.ports.accounts import AccountPlan
from hub.ports.store import NewEffect, NewFailure, OrderRow, ReadSet
from hub.services.batch import Batch
from hub.tracking.parcels import normalized_number
from mappings.carriers import Crosswalk

Json = dict[str, Any]

_CANNOT: Mapping[str, str] = {
    "correct": "this channel takes no correction of a shipment; put the new number right there",
    "cancel": "this channel takes no shipment back; tell the buyer and put it right there",
}


class Teller(Protocol):
    """How accounts of one connector are told of a shipment. Runs inside the unit of work that stores it."""

    def reads(self, reads: ReadSet, plan: AccountPlan, order_source_id: str) -> None:
        """What `tell` needs beside the order, its tally and the shipment."""
        ...

    def tell(
        self, batch: Batch, plan: AccountPlan, order: OrderRow, shipment: Json, before: Json | None, revision: int
    ) -> None:
        """Write what is to be said of `shipment`, as it is now, to who was last told of `before`.

        Args:
            shipment: Canonical, in the order's own terms; without personal data.
            revision: Grows with every version of this shipment; part of what makes a message unique.
        """
        ...


class EffectTeller:
    """Tells by effects of the order's own connector, as its manifest declares. One per package, in order per order.

    Args:
        crosswalk: What channels call carriers, an operator's overrides included.
    """

    def __init__(self, crosswalk: Crosswalk) -> None:
        self._crosswalk = crosswalk

    def reads(self, reads: ReadSet, plan: AccountPlan, order_source_id: str) -> None:
        """Nothing beside what every shipment brings."""

    def tell(
        self, batch: Batch, plan: AccountPlan, order: OrderRow, shipment: Json, before: Json | None, revision: int
    ) -> None:
        confirms = plan.manifest.confirms
        if confirms is None:
            return
        said = whole_telling(before, shipment) if confirms.whole_shipments else tellings(before, shipment)
        for telling in said:
            if telling.word == "confirm" and _known_there(batch, order, shipment, telling):
                continue
            kind = _kind(confirms, telling)
            if kind:
                body = self._body(confirms, shipment, telling)
                batch.writes.effects.append(_effect(batch, order, shipment, f"{telling.name}:{revision}", kind, body))
            else:
                _cannot(batch, order, shipment, telling)

    def _body(self, confirms: Confirms, shipment: Json, telling: Telling) -> Json:
        several = confirms.several_numbers or confirms.whole_shipments
        packages = telling.packages if several else telling.packages[:1]
        return {
            **shipment,
            "packages": [{**one, "told": self._told(confirms.channel, one)} for one in packages],
            "told_before": numbers_of(telling.before),
        }

    def _told(self, channel: str, package: Json) -> Json:
        number = package.get("tracking_number") or ""
        name = self._crosswalk.told(channel, package.get("carrier"), number=number, raw=package.get("carrier_raw"))
        stated = bool(package.get("carrier") or package.get("carrier_raw"))
        service = self._crosswalk.service(channel, package.get("carrier"), package.get("service"))
        return {
            "code": name.code if stated else None,
            "name": name.name if stated else None,
            "other": name.is_other and stated,
            "url": package.get("tracking_url") or (name.url if number else None),
            "service": service or package.get("service"),
        }


def _effect(batch: Batch, order: OrderRow, shipment: Json, name: str, kind: str, body: Json) -> NewEffect:
    references = {"order": order.source_id, "number": order.number, "shipment": shipment["id"]}
    return NewEffect(
        account=order.account,
        kind=kind,
        key=f"order:{order.source_id}",
        idempotency_key=f"{order.account}:{kind}:{shipment['id']}:{name}",
        body=json.dumps(body, separators=(",", ":")),
        references=json.dumps(references, separators=(",", ":")),
        occurred_at=batch.state.now,
        due_at=batch.state.now,
    )


def _kind(confirms: Confirms, telling: Telling) -> str:
    if telling.word == "confirm":
        return confirms.effect
    if telling.word == "cancel":
        return confirms.cancel
    return confirms.correct if confirms.corrects_lines or not telling.lines_changed else ""


def _known_there(batch: Batch, order: OrderRow, shipment: Json, telling: Telling) -> bool:
    """The channel shows these parcels itself, made there or told by the tool that shipped, or heard of them from us."""
    numbers = {normalized_number(number) for number in numbers_of(telling.packages)}
    tally = batch.tally((order.account, order.source_id))
    shown = {number for one in tally.parcels.values() if not one.ours for number in one.numbers}
    if numbers and numbers <= shown:
        return True
    return has_twin(f"shipment/{shipment['attributes']['known_as']}", tally.told, tally.parcels)


def _cannot(batch: Batch, order: OrderRow, shipment: Json, telling: Telling) -> None:
    number = ", ".join(numbers_of(telling.packages)) or f"package {telling.name}"
    batch.writes.failures.append(
        NewFailure(
            account=order.account,
            kind="effect",
            reference=f"shipment:{shipment['id']}:{telling.name}:{telling.word}",
            error="NotExpressible",
            code=f"{telling.word}_shipment",
            path=f"orders/{order.source_id}",
            message=f"order {order.number}, {number}: {_CANNOT[telling.word]}",
            fingerprint=f"{order.account}:effect:{telling.word}_shipment:NotExpressible",
        )
    )
