"""What a channel has to hear of a shipment: which packages are new, changed, or taken back since it was last told."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from hub.orders.shipped import SHIPS, units_of

Json = dict[str, Any]
Word = Literal["confirm", "correct", "cancel"]
_SAID = ("tracking_number", "tracking_url", "carrier", "carrier_raw", "service")


class Telling(NamedTuple):
    """One thing to say. `packages` hold the same goods: the first names its lines, further ones are more parcels of
    them. `name` is the first one's id. `lines_changed`: what is in them is not what was told."""

    word: Word
    name: str
    packages: tuple[Json, ...]
    lines_changed: bool = False
    before: tuple[Json, ...] = ()
    """as they were told; of a cancellation the very packages"""


def groups_of(shipment: Json | None) -> dict[str, tuple[Json, ...]]:
    """Packages that left, by the id of the one that names the lines; none for a label or a cancelled shipment."""
    if shipment is None or shipment.get("state") not in SHIPS:
        return {}
    found: dict[str, list[Json]] = {}
    stated = _by_number(shipment["packages"])
    leading = [package for package in stated if package["lines"]]
    for package in leading:
        found[package["id"]] = [package]
    current = leading[0]["id"] if leading else None
    for package in stated:
        if package["lines"]:
            current = package["id"]
        elif current is not None:
            found[current].append(package)
    return {name: tuple(packages) for name, packages in found.items()}


def _by_number(packages: list[Json]) -> list[Json]:
    """Cartons that travel under one number are one package to a channel, which knows packages by their numbers."""
    merged: list[Json] = []
    place: dict[str, int] = {}
    for package in packages:
        number = package.get("tracking_number")
        if number in place:
            first = merged[place[number]]
            merged[place[number]] = {**first, "lines": [*first["lines"], *package["lines"]]}
            continue
        if number:
            place[number] = len(merged)
        merged.append(package)
    return merged


def tellings(before: Json | None, after: Json) -> list[Telling]:
    """In the order to say them: what is taken back first, so that its units are free for what follows."""
    old, new = groups_of(before), groups_of(after)
    said = [Telling("cancel", name, packages, before=packages) for name, packages in old.items() if name not in new]
    for name, packages in new.items():
        if name not in old:
            said.append(Telling("confirm", name, packages))
            continue
        moved = units_of(packages) != units_of(old[name])
        if moved or _said(packages) != _said(old[name]):
            said.append(Telling("correct", name, packages, moved, old[name]))
    return said


def whole_telling(before: Json | None, after: Json) -> list[Telling]:
    """The same for who is told of whole shipments only."""
    old = tuple(package for packages in groups_of(before).values() for package in packages)
    new = tuple(package for packages in groups_of(after).values() for package in packages)
    if not old:
        return [Telling("confirm", "whole", new)] if new else []
    if not new:
        return [Telling("cancel", "whole", old, before=old)]
    moved = units_of(new) != units_of(old)
    return [Telling("correct", "whole", new, moved, old)] if moved or _said(new) != _said(old) else []


def numbers_of(packages: tuple[Json, ...]) -> list[str]:
    return [str(package["tracking_number"]) for package in packages if package.get("tracking_number")]


def _said(packages: tuple[Json, ...]) -> list[tuple[Any, ...]]:
    return [tuple(package.get(name) for name in _SAID) for package in packages]
