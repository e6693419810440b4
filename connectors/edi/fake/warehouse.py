"""A 3PL: takes 940 and 943, ships short when it must, damages things, counts, and tells of all of it.

Source: X12 940, 943, 944, 945, 947 and 846 (004010) as UCS and WINS warehouses use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from connectors.edi.fake import checks, profiles
from connectors.edi.fake.ends import End, SftpEnd
from connectors.edi.fake.partner import PartnerSandbox
from connectors.edi.fake.x12 import Identity, Row, Set, at

SHIPS_AFTER_S: Final = 1.0
SITE: Final = "3PL01"
_CANCELLED: Final = frozenset({"F", "D", "C"})
"""W0501 of an order that is called off, in the words of most guides."""
_GS1_PREFIX: Final = "0614141"


@dataclass(slots=True)
class Picked:
    """An order to ship; lines are (line id, sku, units)."""

    number: str
    purchase_order: str
    lines: list[tuple[str, str, int]]
    state: str = "open"
    shipped: dict[str, int] | None = None


class WarehouseSandbox(PartnerSandbox):
    """Over SFTP, the server being the warehouse's."""

    name: ClassVar[str] = "edi-warehouse"
    role: ClassVar[str] = "warehouse"
    us: ClassVar[Identity] = Identity("ZZ", "SANDBOX3PL")
    hub: ClassVar[Identity] = Identity("ZZ", "SANDBOXOWNER")
    profile: ClassVar[str] = profiles.WAREHOUSE

    def make_end(self) -> End:
        self._orders: dict[str, Picked] = {}
        self._on_hand: dict[str, int] = {}
        self._serial = self._receipts = self._adjustments = 0
        return SftpEnd()

    def account_section(self) -> dict[str, Any]:
        return super().account_section() | {"locations": {SITE: "main"}}

    # --- what a person at the warehouse does -------------------------------------------------------

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:  # noqa: ARG002 - the kit's shape
        self._on_hand[sku] = quantity

    def shown(self, sku: str) -> int:
        return self._on_hand[sku]

    def skus(self) -> Sequence[str]:
        return list(self._on_hand)

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {"id": each.number, "lines": [(sku, units) for _, sku, units in each.lines], "state": each.state}
            for each in self._orders.values()
        ]

    async def ship(self, order_id: str) -> None:
        self._send_off(self._orders[order_id])

    def deliver(self, purchase_order: str, lines: Sequence[tuple[str, int]]) -> None:
        """A supplier's truck arrives: 944 by the order's number."""
        self._receipts += 1
        rows: list[Row] = [
            ["W17", "F", self.today(), f"WR{self._receipts:06d}", purchase_order],
            ["N1", "WH", "SANDBOX 3PL", "92", SITE],
            ["N9", "PO", purchase_order],
        ]
        for sku, units in lines:
            self._on_hand[sku] = self._on_hand.get(sku, 0) + units
            rows.append(["W07", str(units), "EA", "", "VN", sku])
        self.say("944", [*rows, ["W14", str(sum(units for _, units in lines))]])

    def adjust(self, sku: str, units: int, reason: str = "06") -> None:
        """A count differed, or something broke: 947, signed."""
        self._adjustments += 1
        self._on_hand[sku] = self._on_hand.get(sku, 0) + units
        self.say(
            "947",
            [
                ["W15", self.today(), f"ADJ{self._adjustments:05d}", f"WA{self._adjustments:05d}"],
                ["N1", "WH", "SANDBOX 3PL", "92", SITE],
                ["W19", reason, str(units), "EA", "", "VN", sku],
            ],
        )

    def report(self) -> None:
        """Everything on the shelves, as of now (846)."""
        now = self.clock.now()
        rows: list[Row] = [
            ["BIA", "00", "DD", f"{now:%Y%m%d%H%M%S}", f"{now:%Y%m%d}", f"{now:%H%M%S}"],
            ["N1", "WH", "SANDBOX 3PL", "92", SITE],
        ]
        for place, (sku, units) in enumerate(sorted(self._on_hand.items()), 1):
            rows += [["LIN", str(place), "VN", sku], ["QTY", "17", str(units), "EA"]]
        self.say("846", [*rows, ["CTT", str(len(self._on_hand))]])

    # --- what comes ------------------------------------------------------------------------------

    def take(self, found: Set) -> None:
        match found.kind:
            case "940":
                self._order(found)
            case "943":
                self._receive(found)
            case _:
                self.complain(f"nobody agreed on {found.kind}")

    def _order(self, found: Set) -> None:
        head = found.first("W05")
        number = at(head, 2)
        if at(head, 1) in _CANCELLED:
            self._call_off(number)
            return
        if not number:
            self.complain(f"940 {found.control} has no order number")
            return
        lines = []
        for place, loop in enumerate(found.loops("W01"), 1):
            line = next((at(row, 2) for row in loop if row[0] == "N9" and at(row, 1) == "LI"), str(place))
            ids = checks.ids_of(loop[0], 4)
            lines.append((line, ids.get("VN") or ids.get("SK") or "", int(checks.quantity(at(loop[0], 1)))))
        total = checks.quantity(at(found.first("W76"), 1))
        if total != sum(units for _, _, units in lines):
            self.complain(f"940 {number}: W76 says {total}, the lines make {sum(units for _, _, units in lines)}")
        if not found.all("N1") or not any(at(row, 1) == "ST" for row in found.all("N1")):
            self.complain(f"940 {number} says not where to")
        known = self._orders.get(number)
        if known is not None and known.state != "open":
            return
        order = self._orders[number] = Picked(number, at(head, 3), lines)
        if known is None:
            self._later_ship(order)

    def _later_ship(self, order: Picked) -> None:
        """Picking takes its time; what is called off meanwhile stays."""
        self.after(SHIPS_AFTER_S, lambda: self._send_off(self._orders[order.number]))

    def _call_off(self, number: str) -> None:
        order = self._orders.get(number)
        if order is None:
            self.complain(f"940 calls off {number}, which was never ordered")
        elif order.state == "open":
            order.state = "cancelled"

    def _send_off(self, order: Picked) -> None:
        if order.state != "open":
            return
        short = self.faults.hit("partial_acceptance")
        order.shipped = {}
        for line, sku, units in order.lines:
            there = min(units, max(0, self._on_hand.get(sku, 0)))
            sent = max(0, there - 1) if short and units > 1 else there
            order.shipped[line] = sent
            if sku in self._on_hand:
                self._on_hand[sku] -= sent
        order.state = "shipped" if any(order.shipped.values()) else "refused"
        self.say("945", self._advice(order, order.shipped))

    def _advice(self, order: Picked, shipped: Mapping[str, int]) -> list[Row]:
        day = self.today()
        self._serial += 1
        rows: list[Row] = [
            ["W06", "F", order.number, day, f"SH{self._serial:07d}", "", order.purchase_order],
            ["N1", "WH", "SANDBOX 3PL", "92", SITE],
            ["N9", "BM", f"BOL{self._serial:07d}"],
            ["G62", "11", day, "8", f"{self.clock.now():%H%M%S}"],
            ["W27", "M", "UPSN"],
            ["LX", "1"],
            ["MAN", "GM", f"00{self._sscc()}"],
            ["MAN", "CP", f"1Z999AA1{self._serial:010d}"],
        ]
        for line, sku, units in order.lines:
            sent = shipped[line]
            status = "CC" if sent == units else "CP"
            left = str(units - sent) if sent != units else ""
            rows += [["W12", status, str(units), str(sent), left, "EA", "", "VN", sku], ["N9", "LI", line]]
        return [*rows, ["W03", str(sum(shipped.values()))]]

    def _sscc(self) -> str:
        digits = f"0{_GS1_PREFIX}{self._serial:09d}"
        total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
        return f"{digits}{(10 - total % 10) % 10}"

    def _receive(self, found: Set) -> None:
        """A transfer arrives: some of it may be broken."""
        self._receipts += 1
        rows: list[Row] = [
            ["W17", "F", self.today(), f"WR{self._receipts:06d}", at(found.first("W06"), 2)],
            ["N1", "WH", "SANDBOX 3PL", "92", SITE],
        ]
        received = 0
        for loop in found.loops("W04"):
            sku, units = checks.ids_of(loop[0], 4).get("VN", ""), int(checks.quantity(at(loop[0], 1)))
            broken = 1 if units > 1 and self.faults.hit("partial_acceptance") else 0
            self._on_hand[sku] = self._on_hand.get(sku, 0) + units - broken
            received += units
            rows.append(["W07", str(units - broken), "EA", "", "VN", sku])
            if broken:
                rows.append(["W13", str(broken), "EA", "01"])
        self.say("944", [*rows, ["W14", str(received)]])
