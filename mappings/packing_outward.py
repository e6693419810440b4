"""A canonical ship notice as the HL levels a partner wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mappings.arithmetic import BadArgument, decimal_of, text_of
from mappings.trade import listed
from mappings.trade_outward import compact_day, ids_out, in_units, sscc_out, unit_out, with_pairs

_USUAL: Final = {"levels": "SOPI", "children": False, "sscc": "20", "one_order": False, "tracking": ["MAN CP"]}
_UNITS: Final = {"lb": "LB", "kg": "KG", "oz": "OZ", "g": "GR"}
_ROLES: Final = (("SF", "ship_from", "from_location"), ("ST", "ship_to", "to_location"))


def levels_of(notice: Any = None, partner: Any = None) -> list[dict[str, Any]]:
    """The `HL_loop` of an 856: one shipment with what is below it, in the partner's structure.

    Args:
        notice: a canonical ship notice.
        partner: the profile's terms.

    Raises:
        BadArgument: nothing was packed, several orders where the partner takes one, or a package that belongs to none
            of them, an SSCC that is wrong or given twice.
    """
    if notice.__class__ is not dict or not listed(notice.get("packages")):
        raise BadArgument("a ship notice needs its packages")
    numbers = [each["sscc"] for each in listed(notice.get("packages")) if each.get("sscc")]
    if len(set(numbers)) != len(numbers):
        raise BadArgument("two packages have the same SSCC")
    return [_Tree(notice, partner if partner.__class__ is dict else {}).shipment()]


def level_count(levels: Any = None, counted: Any = None) -> str | None:
    """What CTT01 says: all levels, or the items; nothing where the partner wants none."""
    if counted == "none":
        return None
    return str(sum(1 for each in _flat(listed(levels)) if counted != "items" or each["HL"]["03"] == "I"))


def _flat(levels: list[Any]) -> Iterator[dict[str, Any]]:
    for each in levels:
        yield each
        yield from _flat(listed(each.get("HL_loop")))


class _Tree:
    def __init__(self, notice: dict[str, Any], partner: dict[str, Any]) -> None:
        self.notice = notice
        self.partner = partner
        self.rules = {**_USUAL, **(partner.get("asn") or {})}
        self.packages = listed(notice.get("packages"))
        self.wanted = str(self.rules["levels"])

    def shipment(self) -> dict[str, Any]:
        if "O" in self.wanted:
            orders = self._orders()
            below = [self._order(number) for number in orders]
        else:
            below = self._below(None)
        packs = [each for each in self.packages if each.get("level") != "tare" and each.get("sscc")]
        found = self._level("S", below)
        weight = _weight(self.packages)
        found["TD1"] = [{"01": "CTN", "02": str(len(packs) or len(self.packages)), **weight}]
        scac = self.notice.get("scac")
        found["TD5"] = [{"01": "B", "02": "2" if scac else None, "03": scac, "05": self.notice.get("carrier_raw")}]
        found["REF"] = self._references()
        dates = (("011", "shipped_at"), ("017", "expected_at"))
        days = [(code, compact_day(self.notice.get(name))) for code, name in dates]
        found["DTM"] = [{"01": code, "02": day} for code, day in days if day]
        found["N1_loop"] = list(self._parties())
        return found

    def _orders(self) -> list[str]:
        named = [each.get("purchase_order_number") for each in listed(self.notice.get("orders"))]
        named += [each.get("purchase_order_number") for each in self.packages]
        orders = list(dict.fromkeys(number for number in named if number))
        if not orders:
            raise BadArgument("a ship notice with an order level needs a purchase order number")
        if self.rules["one_order"] and len(orders) > 1:
            raise BadArgument("this partner takes one order in a ship notice")
        if len(orders) > 1 and any(
            listed(each.get("lines")) and not each.get("purchase_order_number") for each in self.packages
        ):
            raise BadArgument("of several orders in a ship notice, each package names its own")
        return orders

    def _order(self, number: str) -> dict[str, Any]:
        level = self._level("O", self._below(number))
        level["PRF"] = {"01": number}
        return level

    def _of(self, order: str | None) -> list[dict[str, Any]]:
        """Packages of an order; one that names none belongs to the only order there is."""
        if order is None or len(self._orders()) == 1:
            return self.packages
        return [each for each in self.packages if each.get("purchase_order_number") == order]

    def _below(self, order: str | None) -> list[dict[str, Any]]:
        packages = self._of(order)
        if "P" not in self.wanted:
            return [self._item(line, order) for line in _summed(packages)]
        packs = [each for each in packages if each.get("level") != "tare"]
        if self.wanted.endswith("IP"):
            return [
                {**self._item(line, order), "HL_loop": [self._pack(pack, [])]}
                for pack in packs
                for line in listed(pack.get("lines"))
            ]
        if "T" not in self.wanted:
            return [self._pack(each, self._items(each, order)) for each in packs]
        tares = {each["id"]: each for each in packages if each.get("level") == "tare"}
        loose = [self._pack(each, self._items(each, order)) for each in packs if each.get("parent") not in tares]
        stacked = [
            self._pack(
                tare, [self._pack(each, self._items(each, order)) for each in packs if each.get("parent") == name], "T"
            )
            for name, tare in tares.items()
        ]
        return [*stacked, *loose]

    def _items(self, package: dict[str, Any], order: str | None) -> list[dict[str, Any]]:
        return [self._item(line, order) for line in listed(package.get("lines"))]

    def _pack(self, package: dict[str, Any], below: list[dict[str, Any]], kind: str = "P") -> dict[str, Any]:
        level = self._level(kind, below)
        number = sscc_out(package.get("sscc"), self.rules["sscc"])
        tracking = package.get("tracking_number") if "MAN CP" in self.rules["tracking"] else None
        level["MAN"] = [
            {"01": code, "02": value} for code, value in (("GM", number), ("CP", tracking)) if value is not None
        ]
        return level

    def _item(self, line: dict[str, Any], order: str | None) -> dict[str, Any]:
        level = self._level("I", [])
        unit = unit_out((line.get("properties") or {}).get("uom_stated") or line.get("uom"), self.partner.get("units"))
        level["LIN"] = with_pairs({"01": line.get("id")}, 2, ids_out(line, self.partner.get("product_ids")))
        level["SN1"] = {"01": line.get("id"), "02": in_units(line.get("quantity"), line), "03": unit}
        if line.get("lot"):
            level["REF"] = [{"01": "LT", "02": line["lot"]}]
        if "O" not in self.wanted and order is None and len(listed(self.notice.get("orders"))) == 1:
            level["PRF"] = {"01": self.notice["orders"][0]["purchase_order_number"]}
        return level

    def _level(self, kind: str, below: list[dict[str, Any]]) -> dict[str, Any]:
        head = {"03": kind, "04": ("1" if below else "0") if self.rules["children"] else None}
        return {"HL": head, "HL_loop": below}

    def _references(self) -> list[dict[str, str]]:
        found = [("BM", self.notice.get("bill_of_lading"))]
        tracking = next((each["tracking_number"] for each in self.packages if each.get("tracking_number")), None)
        place = next((each[4:] for each in self.rules["tracking"] if each.startswith("REF")), None)
        if place is None and "P" not in self.wanted:
            place = "CN"
        if place:
            found.append((place, tracking))
        return [{"01": code, "02": value} for code, value in found if value]

    def _parties(self) -> Iterator[dict[str, Any]]:
        echoed = (self.notice.get("attributes") or {}).get("parties") or {}
        for role, name, location in _ROLES:
            address, ids = self.notice.get(name) or {}, echoed.get(role) or {}
            number = ids.get("id") or self.notice.get(location)
            if not address and not number:
                continue
            qualifier = (ids.get("qualifier") or "92") if number else None
            party: dict[str, Any] = {
                "N1": {"01": role, "02": address.get("name") or address.get("company"), "03": qualifier, "04": number}
            }
            if address.get("line1"):
                party["N3"] = [{"01": address["line1"], "02": address.get("line2")}]
            if address.get("city"):
                names = ("city", "region", "postal_code", "country")
                party["N4"] = {f"{at:02d}": address.get(each) for at, each in enumerate(names, 1)}
            yield party


def _summed(packages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Lines over all packages, those of one id added up."""
    found: dict[str, dict[str, Any]] = {}
    for package in packages:
        for at, line in enumerate(listed(package.get("lines"))):
            key = line.get("id") or f"{package.get('id')}/{at}"
            if key in found:
                total = decimal_of(found[key]["quantity"]) + decimal_of(line["quantity"])
                found[key] = {**found[key], "quantity": text_of(total)}
            else:
                found[key] = line
    yield from found.values()


def _weight(packages: list[dict[str, Any]]) -> dict[str, str]:
    """Gross weight where every outer package states one in the same unit."""
    outer = [each.get("weight") for each in packages if not each.get("parent")]
    stated = [each for each in outer if each]
    units = {each["unit"] for each in stated}
    if not stated or len(stated) != len(outer) or len(units) != 1:
        return {}
    total = sum((decimal_of(each["value"]) for each in stated), decimal_of("0"))
    return {"06": "G", "07": text_of(total), "08": _UNITS[units.pop()]}
