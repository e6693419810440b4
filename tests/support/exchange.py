"""A trading partner and the hub's desk for it, over a real store: files in, files out, nothing of transports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from connectors.sdk.manifest import Capability, Manifest, Topic
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.store import (
    FailureRow,
    FailureState,
    FileRow,
    InboxItem,
    InboxResult,
    InboxState,
    NewInput,
    WriteSet,
)
from hub.services.trading import Trading, outgoing
from mappings import MappingSet
from mappings.edi.partners import PartnerProfile
from mappings.edi.partners.model import Agreement
from tests.support.stores import Bench
from tests.support.trading import document

ACCOUNT = "retailer"
KINDS = ("850", "855", "856", "860", "810", "846", "945", "944", "947", "ORDERS")
MANIFEST = Manifest(
    name="edi", title="EDI", capabilities=frozenset({Capability.PULL}),
    topics=(Topic("interchange"), Topic("outgoing"), *(Topic(kind) for kind in KINDS)), trades=True,
)  # fmt: skip
AGREED: Mapping[str, Any] = {
    "identities": {"us": {"id": "INVENTEDSELLER"}, "them": {"id": "INVENTEDBUYER"}},
    "deadlines": {"acknowledgement": "24h"},
}


def profile(**changes: Any) -> PartnerProfile:
    """The retailer, with what a test agrees otherwise."""
    return PartnerProfile(agreed=Agreement.model_validate({**AGREED, **changes}))


def plan(partner: PartnerProfile | None) -> AccountPlan:
    return AccountPlan(ACCOUNT, "edi", MANIFEST, Mode.LIVE, AvailabilityPolicy(("main",)), partner=partner)


def order(po: str = "4500001", quantity: int = 12, control: str = "0001", purpose: str = "00") -> str:
    lines = f"PO1*1*{quantity}*EA*9.95**UP*012345678905~CTT*1"
    return f"ST*850*{control}~BEG*{purpose}*SA*{po}**20261120~{lines}~SE*5*{control}~"


def interchange(
    *sets: str,
    control: int = 1,
    group: int = 17,
    functional: str = "PO",
    usage: str = "P",
    sender: str = "INVENTEDBUYER",
) -> bytes:
    """One group of sets from the retailer to us."""
    head = (
        f"ISA*00*          *00*          *ZZ*{sender:15}*ZZ*INVENTEDSELLER *261120*1200*U*00401"
        f"*{control:09d}*0*{usage}*>~"
        f"GS*{functional}*BUYER*SELLER*20261120*1200*{group}*X*004010~"
    )
    return f"{head}{''.join(sets)}GE*{len(sets)}*{group}~IEA*1*{control:09d}~".encode()


def acknowledgement(group: int, *sets: tuple[str, str], functional: str = "PR", state: str = "A") -> str:
    """A 997 about a group of ours: (control, letter) of each 855 in it."""
    told = "".join(
        f"AK2*855*{control}~" + ("AK3*BAK*2**8~AK4*3*324*7~" if letter == "R" else "") + f"AK5*{letter}~"
        for control, letter in sets
    )
    count = 4 + told.count("~")
    return f"ST*997*0001~AK1*{functional}*{group}~{told}AK9*{state}*1*1*1~SE*{count}*0001~"


def answer(po: str = "4500001", decided: int = 12) -> Any:
    """An order acknowledgement that an 855 can be written from, while as much is decided as was ordered."""
    line = {
        "number": "1", "quantity": 12, "uom": "EA", "unit_cost": {"amount": "9.95"},
        "acknowledged": [{"status": "accepted", "quantity": decided}],
        "properties": {"ids": {"UP": "012345678905"}, "eaches_per_unit": 1, "uom_stated": "EA"},
    }  # fmt: skip
    return document(
        "order_acknowledgement", number=f"S-{po}", purchase_order_number=po, state="accepted",
        attributes={"order_date": "2026-11-20"}, lines=[line],
    )  # fmt: skip


@cache
def mapping() -> MappingSet:
    return MappingSet.load("edi")


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Desk:
    """The trading service over a store. `kill_at` counts units from 1: that one is not stored any more."""

    bench: Bench
    partner: PartnerProfile | None = field(default_factory=profile)
    kill_at: int = 0
    units: int = 0
    number: int = 0
    corrected: list[str] = field(default_factory=list)

    def trading(self) -> Trading:
        plans = {ACCOUNT: plan(self.partner)}
        store: Any = self if self.kill_at else self.bench.store
        return Trading(plans, {ACCOUNT: mapping()}, store, self.bench.queries, self.bench.clock, self.corrected.append)

    async def run(self, reads: Any, decide: Any) -> Any:
        """Stands in for the store where a kill is wanted."""
        self.units += 1
        if self.units >= self.kill_at:
            raise Killed
        return await self.bench.store.run(reads, decide)

    async def receive(self, content: bytes, name: str = "orders.edi", lane: str = "interchange:in") -> None:
        """A file as a transport stores it."""
        self.number += 1
        given = NewInput(
            ACCOUNT, "edi", "poll", "interchange", f"file:{self.number}", lane, content, "d",
            self.bench.now + 1000 * self.number, headers=json.dumps({"file": name}),
        )  # fmt: skip
        assert list(await self.bench.store.receive([given])) == [True]

    async def ask(self, made: Any, kind: str = "855", dedupe: str = "1", subject: str = "ord_1") -> None:
        wanted = outgoing(ACCOUNT, kind, made, about={"order": subject}, dedupe=dedupe, at=self.bench.now)
        await self.bench.store.receive([wanted])

    async def work(self) -> list[InboxItem]:
        """Take whatever is the trading service's; gives the inputs that wait for a mapping, released again."""
        trading = self.trading()
        others: dict[int, InboxItem] = {}
        while True:
            items = await self.bench.store.claim_inbox(100)
            mine = [item for item in items if item.topic in {"interchange", "outgoing"}]
            others.update((item.seq, item) for item in items if item not in mine)
            if not mine:
                break
            for item in mine:
                await trading.take(item)
        await self.bench.store.release(list(others))
        return [others[seq] for seq in sorted(others)]

    async def trade(self, content: bytes) -> list[InboxItem]:
        await self.receive(content)
        return await self.work()

    async def crash(self) -> None:
        """The process died; a new one opens the database. (PostgreSQL's lease is let run out by closing.)"""
        self.kill_at = self.units = 0
        await self.bench.again()

    async def files(self, direction: str | None = None) -> list[FileRow]:
        """Oldest first."""
        rows, _ = await self.bench.queries.files(account=ACCOUNT, direction=direction, limit=1000)
        return sorted(rows, key=lambda row: (row.at, row.control, row.id))

    async def sent(self) -> list[str]:
        """The files of ours, as text, in the order made."""
        found = []
        for row in await self.files("out"):
            content = await self.bench.store.file_content(row.id)
            assert content is not None
            found.append((row.control, content.decode()))
        return [content for _, content in sorted(found)]

    async def states(self, file: FileRow) -> list[str]:
        return [row.state for row in await self.bench.queries.file_sets(file.id)]

    async def failures(self) -> Sequence[FailureRow]:
        return (await self.bench.queries.failures(account=ACCOUNT))[0]

    async def again(self, failure: FailureRow) -> None:
        """What replaying a failure writes."""
        await self.bench.write(
            WriteSet(
                failure_states=[(failure.id, FailureState.REPLAYED)],
                inbox=[InboxResult(int(failure.reference), InboxState.PENDING, self.bench.now, 1, 0)],
            )
        )

    def agree(self, **changes: Any) -> None:
        self.partner = profile(**changes)

    def forget_partner(self) -> None:
        self.partner = None
