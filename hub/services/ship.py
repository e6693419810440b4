"""Shipments stated by the API, the command line or a file: applied at once, or kept until their order comes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import canonical
from connectors.sdk.ports import Clock
from hub.orders.facts import DocumentFacts
from hub.orders.references import folded
from hub.orders.shipped import Unplaceable
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import AuditEntry, NewInput, Store
from hub.services.apply import Apply
from hub.services.extract import facts_of
from hub.services.homes import SHIPMENT, Homes, Lost
from hub.services.moments import micros
from hub.services.receive import digest_of
from hub.services.stated_shipments import CONNECTOR, StatementRefused, shipment_of
from mappings.carriers import Crosswalk

Json = dict[str, Any]


class ShipmentRefused(ValueError):
    """The shipment fits no order; `status` is 404 (no such order), 409 (several) or 422 (not of this order)."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class Ship:
    """For one process; may run beside the workers.

    Args:
        locations: Names of our locations.
    """

    def __init__(
        self,
        store: Store,
        queries: Queries,
        plans: Mapping[str, AccountPlan],
        locations: Collection[str],
        apply: Apply,
        clock: Clock,
        crosswalk: Crosswalk,
    ) -> None:
        self._store = store
        self._plans = plans
        self._locations = locations
        self._apply = apply
        self._clock = clock
        self._crosswalk = crosswalk
        self._homes = Homes(store, plans, queries)

    async def state(self, body: Mapping[str, Any], *, key: str, actor: str) -> Json:
        """Ship what a statement says. The same number stated again is a correction of it.

        An order nobody knows yet is waited for when the account is named, so that a slip of the pen is not kept
        for ever.

        Args:
            key: Names the request.

        Raises:
            ShipmentRefused, StatementRefused: Nothing was stored.
            StoreUnavailable: Nothing was stored; ask again.
        """
        account = body.get("account")
        if account is not None and account not in self._plans:
            raise ShipmentRefused(f"no account is called {account!r}", 404)
        document, warnings = shipment_of(
            body, key=key, locations=self._locations, now=self._clock.now(), crosswalk=self._crosswalk
        )
        home = await self._homes.find(body["order"], purchase_order=body.get("purchase_order_number"), account=account)
        answer: Json = {"id": document.id, "warnings": warnings}
        if isinstance(home, Lost):
            return answer | await self._keep(home, document, body["order"], account, key)
        facts = self._facts(document, home[0])
        entry = AuditEntry(actor, "shipment.stated", f"{home[0]}/{home[1]}", json.dumps({"shipment": document.id}))
        try:
            shipment, told = await self._apply.ship(facts, home, entry)
        except Unplaceable as error:
            raise ShipmentRefused(f"order {home[1]} of {home[0]}: {error.path}: {error}") from None
        return answer | {
            "id": shipment["id"],
            "state": "stored",
            "account": home[0],
            "order": home[1],
            "packages": len(shipment["packages"]),
            "to_tell": told,
        }

    def _facts(self, document: canonical.Document, account: str) -> DocumentFacts:
        facts = facts_of(document, account, micros(self._clock.now()))
        if not isinstance(facts, DocumentFacts):
            raise StatementRefused(["a shipment is what is stated here"])
        return facts._replace(ours=True)

    async def _keep(
        self, lost: Lost, document: canonical.Document, reference: str, account: str | None, key: str
    ) -> Json:
        if lost.code != "order_unknown":
            raise ShipmentRefused(lost.message, 409 if lost.code == "order_ambiguous" else 422)
        if account is None:
            raise ShipmentRefused(f"{lost.message.partition(';')[0]}; name its `account` to have it waited for", 404)
        at = micros(self._clock.now())
        payload = canonical.dump(document).encode()
        new = NewInput(
            account=account,
            connector=self._plans[account].connector,
            origin=CONNECTOR,
            topic=SHIPMENT,
            dedupe_key=f"{CONNECTOR}:{SHIPMENT}:{key}",
            ordering_key=f"{SHIPMENT}:{folded(reference)}",
            payload=payload,
            digest=digest_of(payload),
            received_at=at,
            occurred_at=at,
        )
        await self._store.receive([new])
        return {"state": "waiting", "account": account, "order": None, "packages": 0, "to_tell": 0}
