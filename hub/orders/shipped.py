"""A shipment told by somebody who did not sell the goods, laid over the lines of the order it belongs to.

A warehouse or a shipping tool names lines by its own numbers, by SKU, by GTIN, or not at all. What leaves this
module names the order's lines, in whole units, never more than are left to ship.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.orders.articles import gtin_name

Json = dict[str, Any]
Kits = Mapping[str, Sequence[tuple[str, int]]]
"""order line id -> (component, units per kit) of lines that are kits"""
Resolve = Callable[[str], str | None]
"""what the shipper calls a thing -> our SKU"""

SHIPS = frozenset({"shipped", "delivered"})


class Unplaceable(Exception):
    """Why a shipment does not fit its order. `code` and `path` as a failure shows them; no personal data."""

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.path = path


@dataclass(slots=True)
class _Lines:
    """The order's lines as they can still be shipped; `left` falls with every unit that is placed."""

    rows: Mapping[str, Json]
    left: dict[str, int]
    kits: Kits
    resolve: Resolve
    components: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """component -> (package, units) that no line but a kit explains"""

    def place(self, package: int, where: str, line: Json) -> list[tuple[str, int]]:
        quantity = _count(line, where)
        if not quantity:
            return []
        wanted = self._names(line)
        number = str(line.get("line_id") or "")
        if number in self.rows and (not wanted or wanted & names_of(self.rows[number]) or not self._any(wanted)):
            return [(number, self._take(number, quantity, where))]
        named = [key for key, row in self.rows.items() if wanted & names_of(row)]
        if named:
            return self._spread(named, quantity, where, _spoken(line))
        part = next(
            (sku for sku in wanted if any(sku == one for parts in self.kits.values() for one, _ in parts)), None
        )
        if part is None:
            known = ", ".join(
                sorted({str(row.get("sku") or row.get("channel_sku") or key) for key, row in self.rows.items()})
            )
            raise Unplaceable(
                "no_such_line", where, f"{_spoken(line)} is on no line of the order; it has {known[:200]}"
            )
        self.components.setdefault(part, []).append((package, quantity))
        return []

    def kit_units(self) -> list[tuple[int, str, int]]:
        """(package, line, units) of kits whose components were shipped one by one.

        Raises:
            Unplaceable: Components are left over that make no whole kit.
        """
        found: list[tuple[int, str, int]] = []
        have = {sku: sum(units for _, units in rows) for sku, rows in self.components.items()}
        for key, parts in self.kits.items():
            if not have or not all(have.get(sku) for sku, _ in parts):
                continue
            units = min(self.left[key], *(have[sku] // each for sku, each in parts))
            if units > 0:
                found.append((min(self.components[sku][0][0] for sku, _ in parts), key, units))
                self.left[key] -= units
                for sku, each in parts:
                    have[sku] -= units * each
        rest = {sku: units for sku, units in have.items() if units}
        if rest:
            named = ", ".join(f"{units} of {sku}" for sku, units in sorted(rest.items()))
            raise Unplaceable("no_whole_kit", "packages", f"{named} make no whole kit that is left to ship")
        return found

    def everything(self) -> list[tuple[str, int]]:
        rest = [(key, units) for key, units in self.left.items() if units > 0]
        for key, _ in rest:
            self.left[key] = 0
        return rest

    def _names(self, line: Json) -> set[str]:
        stated = names_of(line)
        return stated | {ours for name in stated if (ours := self.resolve(name)) is not None}

    def _any(self, wanted: set[str]) -> bool:
        return any(wanted & names_of(row) for row in self.rows.values())

    def _take(self, key: str, quantity: int, where: str) -> int:
        if quantity > self.left[key]:
            row = self.rows[key]
            name = row.get("sku") or row.get("channel_sku") or "no SKU"
            raise Unplaceable("over_quantity", where, _too_many(quantity, f"line {key} ({name})", self.left[key]))
        self.left[key] -= quantity
        return quantity

    def _spread(self, keys: Sequence[str], quantity: int, where: str, spoken: str) -> list[tuple[str, int]]:
        """Over lines of one SKU in the order's order, each up to what it has left."""
        room = sum(max(0, self.left[key]) for key in keys)
        if quantity > room:
            raise Unplaceable("over_quantity", where, _too_many(quantity, spoken, room))
        found: list[tuple[str, int]] = []
        for key in keys:
            part = min(quantity, max(0, self.left[key]))
            if part:
                self.left[key] -= part
                quantity -= part
                found.append((key, part))
        return found


def names_of(line: Mapping[str, Any]) -> set[str]:
    """Everything a line calls its article; an article number counts whatever its width."""
    stated = {str(line[name]) for name in ("sku", "channel_sku", "gtin") if line.get(name)}
    return stated | ({gtin_name(line.get("gtin"))} - {""})


def laid_over(shipment: Json, order: Json, left: Mapping[str, int], kits: Kits, resolve: Resolve) -> Json:
    """The shipment in the order's own terms.

    Packages keep their ids, or get their place as one; a shipment whose packages name no lines holds everything
    that is left, and of several packages those without lines hold more of the same goods.

    Args:
        left: Units of each line that can still be shipped, this shipment not counted.

    Raises:
        Unplaceable: It names what the order does not have, or more of it than is left.
    """
    packages = [dict(package) for package in shipment.get("packages") or ()] or [{}]
    rows = {line["id"]: line for line in order["lines"] if line.get("fulfilled_by", "merchant") == "merchant"}
    lines = _Lines(rows, {key: left.get(key, 0) for key in rows}, kits, resolve)
    placed: list[list[Json]] = []
    for number, package in enumerate(packages):
        found: list[Json] = []
        for place, line in enumerate(package.get("lines") or ()):
            where = f"packages[{number}].lines[{place}]"
            found += [_line(rows[key], units, line) for key, units in lines.place(number, where, line)]
        placed.append(found)
    for number, key, units in lines.kit_units():
        placed[number].append(_line(rows[key], units, {}))
    if not any(package.get("lines") for package in packages):
        placed[0] = [_line(rows[key], units, {}) for key, units in lines.everything() if _ships(rows[key])]
        if not placed[0]:
            raise Unplaceable("nothing_left", "packages", "nothing of the order is left to ship")
    if not any(placed):
        raise Unplaceable("nothing_shipped", "packages", "the shipment states no units")
    ids = _ids(packages)
    whole = [
        {**package, "id": name, "lines": found} for package, name, found in zip(packages, ids, placed, strict=True)
    ]
    return {**shipment, "packages": whole}


def told_before(shipment: Json, before: Json) -> Json:
    """A later word about a known shipment that leaves out what is in it: lines, and for a cancellation everything."""
    packages = shipment.get("packages") or []
    known = before.get("packages") or []
    if not packages:
        return {**shipment, "packages": known}
    if any(package.get("lines") for package in packages):
        return shipment
    if known and len(packages) != len(known):
        # Which goods are in which parcel nobody has said; what is in all of them stays what it was.
        goods = [line for old in known for line in old["lines"]]
        first = {**packages[0], "id": packages[0].get("id") or known[0].get("id"), "lines": goods}
        others = [{**new, "id": new.get("id") or str(place)} for place, new in enumerate(packages[1:], 2)]
        return {**shipment, "packages": [first, *others]}
    filled = [
        {**new, "id": new.get("id") or old.get("id"), "lines": old["lines"]}
        for new, old in zip(packages, known, strict=True)
    ]
    return {**shipment, "packages": filled}


def named_packages(shipment: Json) -> Json:
    """The same with an id for every package, where nothing has to be laid over anything."""
    packages = shipment.get("packages") or []
    return {**shipment, "packages": [{**one, "id": name} for one, name in zip(packages, _ids(packages), strict=True)]}


def _ids(packages: Sequence[Json]) -> list[str]:
    """Their own ids where each has one and they differ, else their places."""
    own = [str(package.get("id") or "") for package in packages]
    return own if all(own) and len(set(own)) == len(own) else [str(place) for place in range(1, len(own) + 1)]


def _count(line: Json, where: str) -> int:
    quantity = line.get("quantity")
    if isinstance(quantity, int) and quantity >= 0:
        return quantity
    unit = line.get("uom") or "units"
    raise Unplaceable(
        "no_count", f"{where}.quantity", f"{quantity} {unit} of {_spoken(line)} is no count of single units"
    )


def _line(row: Json, units: int, told: Json) -> Json:
    kept = {name: told[name] for name in ("lot", "serials", "properties") if told.get(name)}
    return {
        "line_id": row["id"],
        "sku": row.get("sku"),
        "channel_sku": row.get("channel_sku"),
        "gtin": row.get("gtin"),
        "quantity": units,
        **kept,
    }


def _ships(row: Json) -> bool:
    return bool(row.get("requires_shipping", True))


def _spoken(line: Json) -> str:
    return str(line.get("sku") or line.get("channel_sku") or line.get("gtin") or f"line {line.get('line_id')}")


def _too_many(quantity: int, name: str, room: int) -> str:
    return f"{quantity} of {name} are said to be shipped, and {max(0, room)} are left to ship"


def units_of(packages: Iterable[Json]) -> dict[str, int]:
    """Units per order line in these packages."""
    found: dict[str, int] = {}
    for package in packages:
        for line in package.get("lines") or ():
            if line.get("line_id") and isinstance(line.get("quantity"), int):
                found[line["line_id"]] = found.get(line["line_id"], 0) + line["quantity"]
    return found
