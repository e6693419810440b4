"""Telling a channel of shipments it has not made itself: edge work, written with the decision that causes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.sdk.manifest import Confirms
from hub.orders.echoes import has_twin
from hub.orders.telling import Telling, numbers_of, tellings, whole_telling
from hub.ports.accounts import AccountPlan
from hub.ports.store import NewEffect, NewFailure, OrderRow, OutboxRow, OutboxState, OutboxUpdate, ReadSet
from hub.services.batch import Batch
from hub.tracking.parcels import normalized_number
from mappings.carriers import Crosswalk

Json = dict[str, Any]
Told = Mapping[str, list[str]]
"""package -> idempotency keys of what was to be said of it"""

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
    ) -> Told | None:
        """Write what is to be said of `shipment`, as it is now, to who was last told of `before`.

        Args:
            shipment: Canonical, in the order's own terms; without personal data.
            revision: Grows with every version of this shipment; part of what makes a message unique.

        Returns:
            Every message about each package so far, by idempotency key, to be kept with the shipment; None for who
            keeps books of its own.
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
    ) -> Told:
        told = {name: list(keys) for name, keys in told_by(before).items()}
        confirms = plan.manifest.confirms
        if confirms is None:
            return told
        said = whole_telling(before, shipment) if confirms.whole_shipments else tellings(before, shipment)
        for telling in said:
            if telling.word == "confirm" and _known_there(batch, order, shipment, telling):
                continue
            new = _Message(batch, plan, order, shipment, telling, told.get(telling.name, []))
            unheard = new.withdraw()
            if unheard and telling.word == "cancel":
                continue
            kind = confirms.effect if unheard else _kind(confirms, telling)
            if kind:
                effect = new.effect(kind, revision, self._body(confirms, shipment, telling, new.numbers_told()))
                batch.writes.effects.append(effect)
                told.setdefault(telling.name, []).append(effect.idempotency_key)
            else:
                _cannot(batch, order, shipment, telling)
        return told

    def _body(self, confirms: Confirms, shipment: Json, telling: Telling, told_before: list[str]) -> Json:
        several = confirms.several_numbers or confirms.whole_shipments
        packages = telling.packages if several else telling.packages[:1]
        return {
            **shipment,
            "packages": [{**one, "told": self._told(confirms.channel, one)} for one in packages],
            "told_before": told_before,
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


@dataclass(frozen=True, slots=True)
class _Message:
    """One thing to say of a package, beside what was to be said before. `keys` name the earlier messages."""

    batch: Batch
    plan: AccountPlan
    order: OrderRow
    shipment: Json
    telling: Telling
    keys: Sequence[str]

    def withdraw(self) -> bool:
        """Take back what has not been sent; True when the channel has then heard nothing of the package."""
        heard = False
        for key in self.keys:
            row = self.batch.state.effects.get(key)
            if row is not None and row.state is OutboxState.CANCELLED:
                continue
            if row is None or not self._unsent(row):
                heard = True
                continue
            self.batch.writes.outbox.append(OutboxUpdate(row.id, OutboxState.CANCELLED, row.attempts))
            self.batch.writes.resolved_failures.append((row.account, "effect", str(row.id)))
        return bool(self.keys) and not heard

    def _unsent(self, row: OutboxRow) -> bool:
        """Certainly not applied: refused at the first try, or never tried. What was tried longer may have arrived."""
        if row.state in (OutboxState.FAILED, OutboxState.PARKED):
            return row.attempts <= 1
        return row.state is OutboxState.PENDING and row.attempts == 0

    def numbers_told(self) -> list[str]:
        """Every number the channel may know the package by."""
        rows = [row for key in self.keys if (row := self.batch.state.effects.get(key)) is not None]
        stated = [tuple(json.loads(row.body)["packages"]) for row in rows]
        return list(dict.fromkeys(number for one in (*stated, self.telling.before) for number in numbers_of(one)))

    def effect(self, kind: str, revision: int, body: Json) -> NewEffect:
        order, shipment = self.order, self.shipment
        references = {"order": order.source_id, "number": order.number, "shipment": shipment["id"]}
        return NewEffect(
            account=order.account,
            kind=kind,
            key=f"order:{order.source_id}",
            idempotency_key=f"{order.account}:{kind}:{shipment['id']}:{self.telling.name}:{revision}",
            body=json.dumps(body, separators=(",", ":")),
            references=json.dumps(references, separators=(",", ":")),
            occurred_at=self.batch.state.now,
            due_at=self.batch.state.now,
        )


def told_by(shipment: Json | None) -> Told:
    """Messages about each package of a stored shipment, by idempotency key, oldest first."""
    found: Told = (shipment or {}).get("attributes", {}).get("told_by") or {}
    return found


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
