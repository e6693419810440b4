"""A retailer: orders by 850, changes its mind by 860, and reads our 855, 856, 810 and 846 with care."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final

from connectors.edi.fake import checks, profiles
from connectors.edi.fake.as2_end import As2End
from connectors.edi.fake.ends import End
from connectors.edi.fake.partner import PartnerSandbox
from connectors.edi.fake.x12 import Identity, Row, Set, at

PRICE: Final = Decimal("12.50")
_TAKEN: Final = frozenset({"IA", "IQ", "IP", "DR", "IC", "AC", "AR", "IS", "BP"})
"""ACK01 codes of units that will come. Source: X12 004010, element 668."""
_COMING_LATER: Final = frozenset({"IB"})
_KNOWN: Final = _TAKEN | _COMING_LATER | {"IR", "ID", "IH", "R2", "R4"}


@dataclass(slots=True)
class Bought:
    """An order as the retailer keeps it; lines are (number, sku, quantity)."""

    number: str
    lines: list[tuple[str, str, int]]
    state: str = "open"
    answered: int = 0
    accepted: dict[str, Decimal] = field(default_factory=dict)
    backordered: dict[str, Decimal] = field(default_factory=dict)
    shipped: dict[str, Decimal] = field(default_factory=dict)
    billed: dict[str, Decimal] = field(default_factory=dict)


class RetailerSandbox(PartnerSandbox):
    """Over AS2, receipts in the answer."""

    name: ClassVar[str] = "edi"
    role: ClassVar[str] = "retailer"
    us: ClassVar[Identity] = Identity("08", "9250000001")
    hub: ClassVar[Identity] = Identity("ZZ", "SANDBOXSELLER")
    profile: ClassVar[str] = profiles.RETAILER

    def make_end(self) -> End:
        self._bought: dict[str, Bought] = {}
        self._listed: dict[str, int] = {}
        self._cartons: set[str] = set()
        self._as2 = As2End("SANDBOX-RETAILER", "SANDBOX-SELLER", lambda: self.base_url)
        return self._as2

    def introduce(self, hub_url: str) -> None:
        self._as2.hub_url = hub_url

    # --- what a person at the retailer's does ------------------------------------------------------

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:  # noqa: ARG002 - the kit's shape
        """The catalogue has it; how many there are is the seller's to say by 846."""
        self._listed[sku] = quantity

    def shown(self, sku: str) -> int:
        return self._listed[sku]

    def skus(self) -> Sequence[str]:
        return list(self._listed)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        number = f"PO{self.seed % 1000:03d}{len(self._bought) + 1:06d}"
        order = Bought(number, [(str(place), sku, units) for place, (sku, units) in enumerate(lines, 1)])
        self._bought[number] = order
        self.say("850", self._order_rows(order))
        return number

    async def cancel(self, order_id: str) -> None:
        """BCH01 01: the whole order is called off. A change nobody answers yet counts as wished, not as done."""
        order = self._bought[order_id]
        order.state = "withdrawn"
        day = self.today()
        self.say("860", [["BCH", "01", "SA", order.number, "", "1", day, "", "", "", "", day]])

    async def ship(self, order_id: str) -> None:
        raise LookupError(f"the seller ships {order_id}, not the retailer")

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {"id": each.number, "lines": [(sku, units) for _, sku, units in each.lines], "state": each.state}
            for each in self._bought.values()
        ]

    def order(self, number: str) -> Bought:
        """The retailer's book of one order. Raises `KeyError`."""
        return self._bought[number]

    def _order_rows(self, order: Bought) -> list[Row]:
        rows: list[Row] = [
            ["BEG", "00", "SA", order.number, "", self.today()],
            ["REF", "DP", "042"],
            ["DTM", "010", self.today()],
            ["N1", "ST", "INVENTED STORE 12", "92", "0012"],
            ["N3", "12 EXAMPLE ROAD"],
            ["N4", "SPRINGFIELD", "IL", "62701", "US"],
        ]
        rows += [["PO1", number, str(units), "EA", str(PRICE), "", "VN", sku] for number, sku, units in order.lines]
        return [*rows, ["CTT", str(len(order.lines))]]

    # --- what comes ------------------------------------------------------------------------------

    def take(self, found: Set) -> None:
        match found.kind:
            case "855" | "865":
                self._answer(found)
            case "856":
                self._notice(found)
            case "810":
                self._invoice(found)
            case "846":
                self._advice(found)
            case _:
                self.complain(f"nobody agreed on {found.kind}")

    def _of(self, found: Set, number: str) -> Bought | None:
        order = self._bought.get(number)
        if order is None:
            self.complain(f"{found.kind} {found.control} is about {number}, which was never ordered")
        return order

    def _answer(self, found: Set) -> None:
        number = at(found.first("BAK"), 3) or at(found.first("BCA"), 3)
        order = self._of(found, number)
        if order is None:
            return
        order.answered += 1
        for loop in found.loops("PO1"):
            self._line(order, found, loop)
        if order.state == "open":
            order.state = "answered"

    def _line(self, order: Bought, found: Set, loop: list[list[str]]) -> None:
        head = loop[0]
        wanted = next(((sku, units) for number, sku, units in order.lines if number == at(head, 1)), None)
        if wanted is None or checks.ids_of(head, 6).get("VN") != wanted[0]:
            self.complain(f"{found.kind} of {order.number}: line {at(head, 1)} does not echo what was ordered")
            return
        said = [row for row in loop if row[0] == "ACK"]
        units = {code: Decimal(0) for code in ("taken", "later", "no")}
        for row in said:
            code = at(row, 1)
            if code not in _KNOWN:
                self.complain(f"{found.kind} of {order.number}: nobody knows the status {code}")
            kind = "taken" if code in _TAKEN else "later" if code in _COMING_LATER else "no"
            units[kind] += checks.quantity(at(row, 2))
        if sum(units.values()) != wanted[1]:
            self.complain(
                f"{found.kind} of {order.number}: line {at(head, 1)} answers {sum(units.values())} of {wanted[1]}"
            )
        order.accepted[at(head, 1)], order.backordered[at(head, 1)] = units["taken"], units["later"]

    def _notice(self, found: Set) -> None:
        for sentence in checks.hierarchy(found):
            self.complain(f"856 {at(found.first('BSN'), 2)}: {sentence}")
        if at(found.first("BSN"), 1) in ("01", "05"):
            return
        order: Bought | None = None
        for row in found.rows:
            match row[0]:
                case "PRF":
                    order = self._of(found, at(row, 1))
                case "MAN" if at(row, 1) == "GM":
                    self._carton(at(row, 2))
                case "SN1" if order is not None:
                    line = at(row, 1)
                    order.shipped[line] = order.shipped.get(line, Decimal(0)) + checks.quantity(at(row, 2))
                    order.state = "shipped"
        if order is not None:
            self._not_more(order, order.shipped, "shipped")

    def _carton(self, sscc: str) -> None:
        if not checks.sscc_is_sound(sscc):
            self.complain(f"the SSCC {sscc} has a wrong check digit")
        if sscc in self._cartons:
            self.complain(f"the SSCC {sscc} was on another carton")
        self._cartons.add(sscc)

    def _invoice(self, found: Set) -> None:
        order = self._of(found, at(found.first("BIG"), 4))
        for sentence in checks.balance(found):
            self.complain(f"810 {at(found.first('BIG'), 2)}: {sentence}")
        if order is None:
            return
        for row in found.all("IT1"):
            order.billed[at(row, 1)] = order.billed.get(at(row, 1), Decimal(0)) + checks.quantity(at(row, 2))
        self._not_more(order, order.billed, "billed")

    def _not_more(self, order: Bought, told: Mapping[str, Decimal], what: str) -> None:
        ordered = {number: Decimal(units) for number, _, units in order.lines}
        for line, units in told.items():
            if units > ordered.get(line, Decimal(0)):
                self.complain(f"{order.number}: {units} of line {line} are {what}, {ordered.get(line, 0)} were ordered")

    def _advice(self, found: Set) -> None:
        for loop in found.loops("LIN"):
            sku = checks.ids_of(loop[0], 2).get("VN", "")
            counted = next((row for row in loop if row[0] == "QTY" and at(row, 1) == "33"), None)
            if sku and counted is not None:
                self._listed[sku] = int(checks.quantity(at(counted, 2)))
