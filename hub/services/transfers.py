"""Moving stock between our locations: asked for once, announced by 943 to a warehouse."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

import structlog

import canonical
from hub.inventory.postings import postings
from hub.inventory.transfer import TRANSFER, sent
from hub.ports.accounts import AccountPlan
from hub.ports.store import AuditEntry, DocumentRow, Expectation, ReadSet, State, Store, WriteSet
from hub.services.batch import Batch
from hub.services.moments import moment
from hub.services.partners.documents import deadline, made
from hub.services.trading import outgoing

Json = dict[str, Any]

ANNOUNCEMENT: Final = "943"
RECEIPT: Final = "944"
LINES_MAX: Final = 1000
UNITS_MAX: Final = 2**31
_COUNTER: Final = ("", "transfer")

_log = structlog.get_logger()


class TransferRefused(ValueError):
    """The whole request is refused, nothing of it was stored; `faults` name the line, counted from 1."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class TransferConflict(TransferRefused):
    """The number, or the key, stands for another transfer."""


@dataclass(frozen=True, slots=True)
class Moved:
    """`announced` to a warehouse; `repeated` when this very request was carried out before."""

    number: str
    state: str
    announced: bool
    repeated: bool = False


class Transfers:
    """Carries out requests.

    Args:
        locations: Names of our locations; any other is refused.
    """

    def __init__(self, store: Store, plans: Mapping[str, AccountPlan], locations: Collection[str]) -> None:
        self._store = store
        self._plans = plans
        self._locations = tuple(locations)
        self._warehouses: Mapping[str, str] = next((plan.warehouses for plan in plans.values()), {})

    async def create(self, given: Mapping[str, Any], *, key: str, actor: str) -> Moved:
        """Send stock from one location to another.

        Args:
            given: `from`, `to`, `lines` of `{sku, quantity}`, and optionally `number`, `expected_at`, `carrier`,
                `bill_of_lading`.
            key: Names the request; a repeat changes nothing.

        Raises:
            TransferRefused: Every fault at once.
            TransferConflict: The number or the key stands for another transfer.
        """
        faults = self._shape(given)
        if faults:
            raise TransferRefused(faults)
        lines = _summed(given["lines"])
        fingerprint = _fingerprint(given, lines)
        named = given.get("number") or ""
        reads = ReadSet(
            documents={("", TRANSFER, named)} if named else set(),
            skus={("", sku) for sku in lines},
            positions=set(lines),
            counters={_COUNTER},
        )
        reads.documents.add(("", f"{TRANSFER}_request", key))
        done: list[Moved] = []

        def decide(state: State) -> WriteSet:
            done.clear()
            repeated = _repeated(state, key, named, fingerprint)
            if repeated is not None:
                done.append(repeated)
                return WriteSet()
            unknown = [sku for sku in lines if ("", sku) not in state.resolved or sku in state.kits]
            if unknown:
                raise TransferRefused([f"{sku}: no SKU of ours that has stock of its own" for sku in unknown])
            moved, writes = self._move(state, given, lines, named, key, fingerprint, actor)
            done.append(moved)
            return writes

        await self._store.run(reads, decide)
        _log.info("transfer.created", reference=done[0].number, repeated=done[0].repeated)
        return await self._as_it_stands(done[0]) if done[0].repeated else done[0]

    async def _as_it_stands(self, moved: Moved) -> Moved:
        """A request that is repeated by its key alone names a transfer that was not read with it."""
        found: list[State] = []

        def look(state: State) -> WriteSet:
            found.append(state)
            return WriteSet()

        key = ("", TRANSFER, moved.number)
        await self._store.run(ReadSet(documents={key}), look)
        return replace(moved, state=json.loads(found[-1].documents[key].document)["state"])

    def _shape(self, given: Mapping[str, Any]) -> list[str]:
        faults = [
            f"{side}: {given.get(side)!r} is not one of ours ({', '.join(sorted(self._locations))})"
            for side in ("from", "to")
            if given.get(side) not in self._locations
        ]
        if not faults and given["from"] == given["to"]:
            faults.append("to: the same place as `from`")
        if given.get("from") in self._warehouses:
            faults.append(
                f"from: {given['from']!r} is run by {self._warehouses[given['from']]}, which ships on an order of ours "
                "only; state its shipment when it has left"
            )
        lines = given.get("lines") or ()
        if not 1 <= len(lines) <= LINES_MAX:
            faults.append(f"lines: between 1 and {LINES_MAX}, this transfer has {len(lines)}")
        faults += [
            f"line {at}: quantity must be a whole number from 1 to {UNITS_MAX}"
            for at, line in enumerate(lines, 1)
            if not _is_count(line.get("quantity"))
        ]
        return faults

    def _move(
        self,
        state: State,
        given: Mapping[str, Any],
        lines: Mapping[str, int],
        named: str,
        key: str,
        fingerprint: str,
        actor: str,
    ) -> tuple[Moved, WriteSet]:
        batch = Batch(state)
        number = named
        if not number:
            serial = state.counters.get(_COUNTER, 0) + 1
            state.counters[_COUNTER] = batch.writes.counters[_COUNTER] = serial
            number = f"TR{serial:08d}"
        transfer: Json = {
            "number": number,
            "from": given["from"],
            "to": given["to"],
            "state": "in_transit",
            "sent_at": canonical.instant_text(moment(state.now)),
            "expected_at": given.get("expected_at"),
            "carrier": given.get("carrier"),
            "bill_of_lading": given.get("bill_of_lading"),
            "lines": [{"sku": sku, "quantity": units} for sku, units in lines.items()],
            "receipts": {},
            "fingerprint": fingerprint,
        }
        changes = sent(lines, given["from"], given["to"])
        batch.post(postings(f"transfer:{number}:0", number, state.now, changes, state.position), state.now)
        batch.put_document(transfer_row(transfer, None))
        batch.put_document(_request(key, number, fingerprint))
        announced = self._announce(batch, transfer)
        detail = json.dumps({"from": given["from"], "to": given["to"], "lines": len(lines)})
        batch.writes.audit.append(AuditEntry(actor, "transfer.created", number, detail))
        return Moved(number, "in_transit", announced), batch.finish()

    def _announce(self, batch: Batch, transfer: Json) -> bool:
        """943, where the place it goes to is run by a warehouse that takes one."""
        account = self._warehouses.get(transfer["to"], "")
        plan = self._plans.get(account)
        if plan is None or plan.partner is None or not plan.partner.sends(ANNOUNCEMENT):
            return False
        now, number = batch.state.now, transfer["number"]
        notice = made("ship_notice", f"{account}/{number}", now, _notice_fields(plan, transfer))
        batch.writes.inputs.append(
            outgoing(account, ANNOUNCEMENT, notice, about={"transfer": number}, dedupe=number, at=now)
        )
        awaited = Expectation(account, RECEIPT, number, number, False, now, deadline(plan, RECEIPT, now))
        batch.writes.expectations.append(awaited)
        return True


def _notice_fields(plan: AccountPlan, transfer: Json) -> Json:
    code = next((theirs for theirs, ours in plan.locations.items() if ours == transfer["to"]), transfer["to"])
    lines = [
        {"id": str(at), "sku": line["sku"], "quantity": line["quantity"], "uom": "EA"}
        for at, line in enumerate(transfer["lines"], 1)
    ]
    return {
        "kind": "transfer",
        "number": transfer["number"],
        "state": "shipped",
        "bill_of_lading": transfer["bill_of_lading"],
        "carrier_raw": transfer["carrier"],
        "shipped_at": transfer["sent_at"],
        "expected_at": transfer["expected_at"],
        "from_location": transfer["from"],
        "to_location": transfer["to"],
        "packages": [{"id": "1", "lines": lines}],
        "attributes": {"parties": {"WH": {"qualifier": "92", "id": code}}},
    }


def _summed(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Lines of one SKU add up."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line["sku"]] = sums.get(line["sku"], 0) + line["quantity"]
    return sums


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= UNITS_MAX


def _fingerprint(given: Mapping[str, Any], lines: Mapping[str, int]) -> str:
    told = {name: given.get(name) for name in ("from", "to", "expected_at", "carrier", "bill_of_lading")}
    text = json.dumps([told, sorted(lines.items())], sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _repeated(state: State, key: str, named: str, fingerprint: str) -> Moved | None:
    asked = state.documents.get(("", f"{TRANSFER}_request", key))
    if asked is not None:
        before = json.loads(asked.document)
        if before["fingerprint"] != fingerprint or (named and before["number"] != named):
            raise TransferConflict([f"the key {key!r} was used for transfer {before['number']}"])
        return Moved(before["number"], "in_transit", announced=False, repeated=True)
    row = state.documents.get(("", TRANSFER, named)) if named else None
    if row is None:
        return None
    known = json.loads(row.document)
    if known["fingerprint"] != fingerprint:
        raise TransferConflict([f"transfer {named} is another one already"])
    return Moved(named, known["state"], announced=False, repeated=True)


def transfer_row(transfer: Json, stored: DocumentRow | None) -> DocumentRow:
    number = transfer["number"]
    text = json.dumps(transfer, separators=(",", ":"))
    rev = stored.rev if stored else 0
    return DocumentRow(f"{TRANSFER}:{number}", TRANSFER, "", number, "", None, None, text, rev)


def _request(key: str, number: str, fingerprint: str) -> DocumentRow:
    text = json.dumps({"number": number, "fingerprint": fingerprint}, separators=(",", ":"))
    kind = f"{TRANSFER}_request"
    return DocumentRow(f"{kind}:{key}", kind, "", key, "", None, None, text)
