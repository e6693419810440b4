"""The acts of an operator, put together from the use cases (`hub.api.backend.Acts`)."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import canonical
from canonical.errors import MappingError
from config.settings import Settings
from connectors.sdk.contract import Budgeted, Connector
from connectors.sdk.errors import ConnectorError
from connectors.sdk.ports import Clock
from hub.api.backend import BadRequest
from hub.bootstrap import accounts as account_parts
from hub.bootstrap.checked import said
from hub.bootstrap.tap import Tap
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import Bucket, Store, StoreConflict
from hub.ports.telemetry import Telemetry
from hub.runtime.board import Board
from hub.services import views
from hub.services.accounts import Accounts, UnknownAccount
from hub.services.adjust import Adjust, AdjustLine, AdjustmentRefused, CountLine
from hub.services.apply import Apply
from hub.services.moments import micros, stated
from hub.services.replay import FailureFilter, Replayer
from hub.services.ship import Ship, ShipmentRefused
from hub.services.shipments import Tellers
from hub.services.stated_shipments import StatementRefused
from hub.services.stock import Stock, UnknownStock
from mappings import MappingSetInvalid
from mappings.carriers import Crosswalk

Json = dict[str, Any]
Pull = Callable[[str, datetime | None], list[str]]
_STOCK_MOVED = "The stock changed at the same moment; ask again."


@dataclass(frozen=True, slots=True)
class Running:
    """What only a running hub has: wake its loops, read a channel again."""

    changed: Callable[[], None]
    pull: Pull
    replayer: Replayer


@dataclass(slots=True)
class Desk:
    """`store` is None where the database is open for reading only; `running` None beside a hub."""

    settings: Settings
    plans: Mapping[str, AccountPlan]
    maps: account_parts.MappingSets
    connectors: Mapping[str, Connector]
    store: Store | None
    queries: Queries
    board: Board
    clock: Clock
    telemetry: Telemetry
    tap: Tap
    accounts_state: Accounts | None = None
    running: Running | None = None

    async def status(self) -> Json:
        return await self.board.status()

    def budget(self, account: str) -> Json | None:
        """What is left of an account's budgets in this process; None where its connector keeps none."""
        connector = self.connectors[account]
        if not isinstance(connector, Budgeted):
            return None
        return {name: views.budget(state) for name, state in connector.budgets.snapshot().items()}

    async def accounts(self) -> list[Json]:
        rows = {row["account"]: row for row in (await self.board.status())["accounts"]}
        return [
            {
                "account": name,
                "connector": plan.connector,
                "mode": rows[name]["mode"],
                "held": rows[name]["held"],
                "locations": dict(plan.locations),
                "capabilities": sorted(plan.manifest.capabilities),
            }
            for name, plan in self.plans.items()
        ]

    async def mappings(self) -> list[Json]:
        return [
            {"account": name, "connector": self.plans[name].connector, "mapping": f"{found.name}@{found.digest}"}
            | {"topics": sorted(found.topics)}
            for name, found in self.maps.items()
        ]

    async def check(self, account: str) -> Json:
        self._known(account)
        answer: Json = {"ok": True, "who": "", "detail": {}, "warnings": [], "problem": None}
        try:
            report = await self._state().check(account, self.connectors[account])
        except ConnectorError as error:
            return answer | {"ok": False, "problem": said(account, error), "code": error.code}
        return answer | {"who": report.who, "detail": dict(report.detail), "warnings": list(report.warnings)}

    async def pause(self, account: str, actor: str) -> Json:
        self._known(account)
        row = await self._state().pause(account, actor)
        return {"account": account, "mode": row.mode, "held": row.held}

    async def resume(self, account: str, actor: str) -> Json:
        self._known(account)
        row = await self._state().resume(account, actor)
        self._changed()
        return {"account": account, "mode": row.mode or self.plans[account].mode.value, "held": row.held}

    async def pull(self, account: str, since: datetime | None, actor: str) -> Json:  # noqa: ARG002 - named by the port
        self._known(account)
        if self.running is None:
            raise BadRequest("Reading a channel again needs a running hub: start `trunkline run`.", status=409)
        try:
            return {"account": account, "streams": self.running.pull(account, since)}
        except (LookupError, ValueError) as error:
            raise BadRequest(str(error)) from None

    async def explain(self, sku: str, account: str, at: datetime | None) -> Json:
        try:
            return await Stock(self.queries, self.plans, self.clock).explain(sku, account, at)
        except UnknownStock as error:
            raise BadRequest(str(error), status=404) from None

    async def adjust(self, lines: Sequence[Mapping[str, Any]], *, key: str, actor: str) -> Json:
        changes = [
            AdjustLine(
                line["sku"],
                line["location"],
                line["delta"],
                Bucket(line.get("bucket", "on_hand")),
                line.get("reason") or "manual",
            )
            for line in lines
        ]
        try:
            done = await self._adjust().adjust(changes, key=key or os.urandom(16).hex(), actor=actor)
        except AdjustmentRefused as error:
            raise BadRequest(str(error)) from None
        except StoreConflict:
            raise BadRequest(_STOCK_MOVED, status=409) from None
        self._changed()
        return {"changed": done.changed, "repeated": done.repeated}

    async def report(self, lines: Sequence[Mapping[str, Any]], *, key: str, actor: str) -> Json:
        counts = [
            CountLine(line["sku"], line["location"], line["on_hand"], _as_of(line.get("as_of"))) for line in lines
        ]
        try:
            done = await self._adjust().report(counts, key=key or os.urandom(16).hex(), actor=actor)
        except AdjustmentRefused as error:
            raise BadRequest(str(error)) from None
        except StoreConflict:
            raise BadRequest(_STOCK_MOVED, status=409) from None
        self._changed()
        return {"changed": done.changed, "repeated": done.repeated}

    async def ship(self, body: Mapping[str, Any], *, key: str, actor: str) -> Json:
        try:
            answer = await self._ship().state(body, key=key or os.urandom(16).hex(), actor=actor)
        except StatementRefused as error:
            raise BadRequest(str(error)) from None
        except ShipmentRefused as error:
            raise BadRequest(str(error), status=error.status) from None
        except StoreConflict:
            raise BadRequest("The order changed at the same moment; state the shipment again.", status=409) from None
        self._changed()
        return answer

    async def replay(self, which: FailureFilter, *, dry_run: bool, actor: str) -> Json:
        if not dry_run:
            self._take_corrected_overlays()
        outcome = await self._replayer().replay(which, actor=actor, dry_run=dry_run)
        self._changed()
        return outcome.as_json()

    async def discard(self, which: FailureFilter, *, dry_run: bool, actor: str) -> Json:
        outcome = await self._replayer().discard(which, actor=actor, dry_run=dry_run)
        self._changed()
        return outcome.as_json()

    async def preview(self, account: str, topic: str, payload: bytes) -> list[Json]:
        self._known(account)
        context = account_parts.map_context(self.settings.accounts[account], self.clock.now())
        try:
            documents = self.maps[account].map(topic, payload, context)
        except MappingError as error:
            raise BadRequest(str(error)) from None
        return [json.loads(canonical.dump(document)) for document in documents]

    def events(self) -> AsyncIterator[Json]:
        return self.tap.listen()

    def _take_corrected_overlays(self) -> None:
        """What is run again is mapped as the files say now, not as they said when the hub started."""
        try:
            self.maps.load_overlays_again()
        except MappingSetInvalid as error:
            faults = "; ".join(str(fault) for fault in error.faults[:3])
            raise BadRequest(f"The mappings have faults, so nothing was run again: {faults}") from None

    def _known(self, account: str) -> None:
        if account not in self.plans:
            raise BadRequest(str(UnknownAccount(f"no account is called {account!r}")), status=404)

    def _state(self) -> Accounts:
        if self.accounts_state is None:
            raise BadRequest("The database is open for reading only.", status=409)
        return self.accounts_state

    @property
    def crosswalk(self) -> Crosswalk:
        """What channels call carriers, with the operator's own words over the shipped table."""
        return Crosswalk(self.settings.carriers)

    def _ship(self) -> Ship:
        store = self._writable()
        apply = Apply(
            store,
            self.plans,
            queries=self.queries,
            telemetry=self.telemetry,
            personal_kept_s=self.settings.hub.retention.personal_s,
            tellers=Tellers(self.crosswalk),
        )
        return Ship(store, self.queries, self.plans, self.settings.locations, apply, self.clock, self.crosswalk)

    def _adjust(self) -> Adjust:
        return Adjust(self._writable(), self.settings.locations)

    def _replayer(self) -> Replayer:
        if self.running is not None:
            return self.running.replayer
        return Replayer(self.plans, self._writable(), self.queries, self.clock, self.telemetry)

    def _writable(self) -> Store:
        if self.store is None:
            raise BadRequest("The database is open for reading only.", status=409)
        return self.store

    def _changed(self) -> None:
        if self.running is not None:
            self.running.changed()


def _as_of(text: str | None) -> int | None:
    return None if text is None else micros(stated(text))
