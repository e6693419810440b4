"""A supplier: takes our 850 and 860, answers 855 and 865, ships by 856 and bills by 810.

Source: X12 850, 855, 860, 865, 856 and 810 (004010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final

from connectors.edi.fake import checks, profiles
from connectors.edi.fake.ends import End, FolderEnd
from connectors.edi.fake.partner import PartnerSandbox
from connectors.edi.fake.x12 import Identity, Row, Set, at

SHIPS_AFTER_S: Final = 1.0
PRICE: Final = Decimal("4.00")


@dataclass(slots=True)
class Line:
    """One line as ordered: our ids as they were stated, to be echoed."""

    number: str
    ids: dict[str, str]
    units: int
    price: Decimal
    promised: int = 0


@dataclass(slots=True)
class Taken:
    number: str
    lines: dict[str, Line] = field(default_factory=dict)
    state: str = "open"


class SupplierSandbox(PartnerSandbox):
    """Over folders both sides reach."""

    name: ClassVar[str] = "edi-supplier"
    role: ClassVar[str] = "supplier"
    us: ClassVar[Identity] = Identity("01", "000000017")
    hub: ClassVar[Identity] = Identity("ZZ", "SANDBOXBUYER")
    profile: ClassVar[str] = profiles.SUPPLIER

    def make_end(self) -> End:
        self._orders: dict[str, Taken] = {}
        self._shipments = self._invoices = 0
        return FolderEnd()

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": each.number,
                "lines": [(next(iter(line.ids.values()), ""), line.units) for line in each.lines.values()],
                "state": each.state,
            }
            for each in self._orders.values()
        ]

    async def ship(self, order_id: str) -> None:
        self._send_off(self._orders[order_id])

    def sent(self, order_id: str) -> Sequence[tuple[str, int]]:
        """(our SKU, units) that left for us; nothing before it is shipped."""
        order = self._orders.get(order_id)
        if order is None or order.state != "shipped":
            return ()
        return [(line.ids.get("BP", ""), line.promised) for line in order.lines.values() if line.promised]

    def take(self, found: Set) -> None:
        match found.kind:
            case "850":
                self._order(found)
            case "860":
                self._change(found)
            case _:
                self.complain(f"nobody agreed on {found.kind}")

    def _order(self, found: Set) -> None:
        head = found.first("BEG")
        number = at(head, 3)
        if at(head, 1) == "01":
            self._call_off(number)
            return
        if number in self._orders and at(head, 1) == "00":
            self.complain(f"the order {number} came twice as an original")
            return
        order = self._orders[number] = Taken(number)
        for row in found.all("PO1"):
            line = self._line(row, 1, checks.quantity(at(row, 2)), at(row, 4), 6)
            order.lines[line.number] = line
        stated = at(found.first("CTT"), 1)
        if stated and stated != str(len(order.lines)):
            self.complain(f"850 {number}: CTT counts {stated} of {len(order.lines)} lines")
        self.say("855", self._answer(order))
        self.after(SHIPS_AFTER_S, lambda: self._send_off(order))

    @staticmethod
    def _line(row: Row, number: int, units: Decimal, price: str, ids: int) -> Line:
        return Line(at(row, number), checks.ids_of(row, ids), int(units), checks.quantity(price) or PRICE)

    def _answer(self, order: Taken) -> list[Row]:
        """All of it, or, where there is not enough, one unit less now and that one later."""
        short = self.faults.hit("partial_acceptance")
        day = self.today()
        rows: list[Row] = [["BAK", "00", "AC" if short else "AD", order.number, day]]
        for line in order.lines.values():
            line.promised = line.units - 1 if short and line.units > 1 else line.units
            rows.append(["PO1", line.number, str(line.units), "EA", str(line.price), "", *_pairs(line.ids)])
            rows.append(["ACK", "IA", str(line.promised), "EA"])
            if line.promised < line.units:
                rows.append(["ACK", "IB", str(line.units - line.promised), "EA"])
        return [*rows, ["CTT", str(len(order.lines))]]

    def _change(self, found: Set) -> None:
        head = found.first("BCH")
        number = at(head, 3)
        order = self._orders.get(number)
        if order is None:
            self.complain(f"860 changes {number}, which was never ordered")
            return
        if at(head, 1) == "01":
            self._call_off(number)
            return
        agreed = order.state == "open"
        rows: list[Row] = [["BCA", "00", "AC" if agreed else "RJ", number, "", "", self.today()]]
        for row in found.all("POC"):
            rows += self._changed(order, row, agreed=agreed)
        self.say("865", [*rows, ["CTT", str(len(found.all("POC")))]])

    def _changed(self, order: Taken, row: Row, *, agreed: bool) -> list[Row]:
        number, code, units = at(row, 1), at(row, 2), int(checks.quantity(at(row, 3)))
        line = order.lines.get(number)
        if agreed and code == "DI":
            order.lines.pop(number, None)
        elif agreed and line is not None:
            line.units = line.promised = units
        elif agreed:
            line = order.lines[number] = self._line(row, 1, Decimal(units), at(row, 6), 8)
            line.promised = units
        ids = line.ids if line is not None else checks.ids_of(row, 8)
        status = ("ID" if code == "DI" else "IA") if agreed else "IR"
        return [
            ["POC", number, code, str(units), str(units), "EA", str(PRICE), "", *_pairs(ids)],
            ["ACK", status, str(units), "EA"],
        ]

    def _call_off(self, number: str) -> None:
        order = self._orders.get(number)
        if order is None:
            self.complain(f"{number} is called off, and was never ordered")
        elif order.state == "open":
            order.state = "cancelled"

    def _send_off(self, order: Taken) -> None:
        if order.state != "open":
            return
        order.state = "shipped"
        sent = {line.number: line.promised for line in order.lines.values() if line.promised}
        if not sent:
            return
        self._shipments += 1
        self.say("856", self._notice(order, sent))
        self._invoices += 1
        self.say("810", self._invoice(order, sent))

    def _notice(self, order: Taken, sent: Mapping[str, int]) -> list[Row]:
        now, day = self.clock.now(), self.today()
        rows: list[Row] = [
            ["BSN", "00", f"SN{self._shipments:06d}", day, f"{now:%H%M}", "0004"],
            ["HL", "1", "", "S"],
            ["TD5", "", "2", "UPSN"],
            ["REF", "CN", f"1Z999AA2{self._shipments:010d}"],
            ["DTM", "011", day],
            ["HL", "2", "1", "O"],
            ["PRF", order.number],
        ]
        for place, (number, units) in enumerate(sent.items(), 3):
            rows += [
                ["HL", str(place), "2", "I"],
                ["LIN", number, *_pairs(order.lines[number].ids)],
                ["SN1", number, str(units), "EA"],
            ]
        return [*rows, ["CTT", str(len(sent) + 2)]]

    def _invoice(self, order: Taken, sent: Mapping[str, int]) -> list[Row]:
        day = self.today()
        rows: list[Row] = [["BIG", day, f"INV{self._invoices:06d}", "", order.number]]
        total = Decimal(0)
        for number, units in sent.items():
            line = order.lines[number]
            total += units * line.price
            rows.append(["IT1", number, str(units), "EA", str(line.price), "", *_pairs(line.ids)])
        cents = str(int((total * 100).to_integral_value()))
        return [*rows, ["TDS", cents], ["CTT", str(len(sent))]]


def _pairs(ids: Mapping[str, str]) -> list[str]:
    return [part for pair in ids.items() for part in pair]
