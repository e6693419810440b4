"""Packages of a despatch advice (DESADV), both ways: the tree of CPS with what lies in it.

Elements are read as in `mappings.trade`. Source: UN/EDIFACT DESADV, D.93A to D.10B, and the EANCOM guide: 7405 BJ is an
SSCC, 7065 the kind of package; general knowledge (2026-11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from mappings.arithmetic import BadArgument
from mappings.trade import element, listed, objects, sscc
from mappings.trade_messages import component, qualified
from mappings.trade_messages_out import article_out, message_quantity
from mappings.trade_outward import sscc_out

_PALLETS: Final = frozenset({"201", "202", "203", "09", "PX", "PL", "PA", "8"})
_CARTONS: Final = frozenset({"CT", "BX", "CS", "PK", "CA", "CR", "BG"})
"""7065, kind of package: GS1's pallet codes and UN/ECE Recommendation 21."""
_LEVELS: Final = MappingProxyType({"tare": "201", "pack": "CT"})
"""7065: ISO pallet, carton."""
"""7065 as we write it: ISO pallet, carton."""
_ORDERS: Final = ("ON", "CO")
"""1153 of an order: the buyer's number."""


def despatched(loops: Any = None) -> list[dict[str, Any]]:
    """Packages of a despatch advice (CPS), outer ones first: `id`, `parent`, `level`, `level_raw`, `sscc`,
    `items`, `order`.

    A CPS with neither a number (GIN BJ) nor lines is no package, and what lies in it lies in what is around it. Several
    numbers on one CPS are packages in it: which line lies in which is not stated. A line with a number of its own is
    a package of its own.
    """
    nodes: dict[str, dict[str, Any]] = {}
    for at, each in enumerate(objects(loops), 1):
        name = element(each.get("CPS"), "01") or str(at)
        nodes[name if name not in nodes else f"{name}.{at}"] = each
    parents = {name: element(each.get("CPS"), "02") for name, each in nodes.items()}
    found = {name: list(_packages_of(name, each)) for name, each in nodes.items()}
    kept = {name for name, made in found.items() if made and made[0]["id"] == name}
    return [
        {**package, "parent": package.get("parent") or _around(name, parents, kept)}
        for name, made in found.items()
        for package in made
    ]


def despatched_orders(payload: Any = None) -> list[dict[str, str]]:
    """Purchase orders a despatch advice names, in its head and at its lines, as `number`, each once."""
    whole = payload if payload.__class__ is dict else {}
    loops = objects(whole.get("RFF_loop"))
    for each in objects(whole.get("CPS_loop")):
        loops += [inner for line in objects(each.get("LIN_loop")) for inner in objects(line.get("RFF_loop"))]
    stated = [each.get("01") for loop in loops for each in objects(loop.get("RFF"))]
    numbers = [component(each, "02") for each in stated if component(each) in _ORDERS]
    return [{"number": number} for number in dict.fromkeys(numbers) if number]


def _around(name: str, parents: Mapping[str, str], kept: set[str]) -> str | None:
    """The nearest package around a CPS; a circle of parents ends it."""
    met = {name}
    at = parents.get(name, "")
    while at and at not in met:
        if at in kept:
            return at
        met.add(at)
        at = parents.get(at, "")
    return None


def _packages_of(name: str, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    level, raw = _level_of(node)
    numbers = list(_numbers(node.get("PAC_loop")))
    own = {at: list(_numbers([line])) for at, line in enumerate(objects(node.get("LIN_loop")))}
    lines = objects(node.get("LIN_loop"))
    loose = [line for at, line in enumerate(lines) if len(own[at]) != 1]
    if len(numbers) == 1 or loose:
        single = numbers[0] if len(numbers) == 1 else None
        yield {"id": name, "level": level, "level_raw": raw, "sscc": single, "items": loose, "order": _order(loose)}
    inside = {"parent": name} if len(numbers) == 1 or loose else {}
    further: list[tuple[str, list[dict[str, Any]]]] = [(number, []) for number in numbers] if len(numbers) > 1 else []
    further += [(own[at][0], [line]) for at, line in enumerate(lines) if len(own[at]) == 1]
    for at, (number, items) in enumerate(further, 1):
        about = {"items": items, "order": _order(items), **inside}
        yield {"id": f"{name}.{at}", "level": "pack", "level_raw": None, "sscc": number, **about}


def _order(lines: list[dict[str, Any]]) -> str | None:
    """The first order its lines name."""
    loops = [inner for line in lines for inner in objects(line.get("RFF_loop"))]
    stated = [each for loop in loops for each in objects(loop.get("RFF"))]
    return (qualified(stated, list(_ORDERS)) or {}).get("02")


def _level_of(node: dict[str, Any]) -> tuple[str, str | None]:
    kinds = [component(pac.get("03")) for loop in objects(node.get("PAC_loop")) for pac in objects(loop.get("PAC"))]
    raw = next((kind for kind in kinds if kind), None)
    return "tare" if raw in _PALLETS else "pack" if raw in _CARTONS else "unknown", raw


def _numbers(loops: Any) -> Iterator[str]:
    """SSCCs of packages, or of the packages of a line: GIN with 7405 BJ."""
    for loop in objects(loops):
        for marks in objects(loop.get("PCI_loop")):
            yield from _identities(marks.get("GIN"), "BJ", loops=False)


def _identities(segments: Any, kind: str, *, loops: bool) -> Iterator[str]:
    for each in objects(segments):
        if element(each, "01") == kind:
            for at in range(2, 7):
                if number := component(each.get(f"{at:02d}")):
                    yield number if loops else sscc(number) or number


def identities(segments: Any = None, kind: Any = None) -> list[str]:
    """Numbers of goods (GIN) of a kind: BN serial numbers, BX batches."""
    return list(_identities(segments, str(kind), loops=True))


def packed(notice: Any = None, partner: Any = None) -> list[dict[str, Any]]:
    """CPS groups of a DESADV: the consignment, then its packages, outer ones before what lies in them.

    Raises:
        BadArgument: nothing was packed, an SSCC that is wrong or given twice, a package that lies in itself.
    """
    found = notice if notice.__class__ is dict else {}
    packages = listed(found.get("packages"))
    if not packages:
        raise BadArgument("a ship notice needs its packages")
    numbers = [each["sscc"] for each in packages if each.get("sscc")]
    if len(set(numbers)) != len(numbers):
        raise BadArgument("two packages have the same SSCC")
    terms = partner if partner.__class__ is dict else {}
    groups: list[dict[str, Any]] = [{"CPS": {"01": "1"}}]
    lines = 0
    places = {"": "1"}
    for each in _outer_first(packages):
        place = str(len(groups) + 1)
        places[each["id"]] = place
        group: dict[str, Any] = {"CPS": {"01": place, "02": places[each.get("parent") or ""]}}
        if each.get("sscc"):
            group["PAC_loop"] = [_labelled(each)]
        group["LIN_loop"] = []
        for line in listed(each.get("lines")):
            lines += 1
            group["LIN_loop"].append(_packed_line(line, each, found, terms, lines))
        groups.append(group)
    return groups


def _outer_first(packages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In order, each behind the one it lies in; a parent that is not there is none."""
    known = {each["id"] for each in packages}
    left = [{**each, "parent": each.get("parent") if each.get("parent") in known else None} for each in packages]
    found: list[dict[str, Any]] = []
    placed: set[str | None] = {None}
    while left:
        ready = [each for each in left if each["parent"] in placed]
        if not ready:
            raise BadArgument("a package lies in itself")
        found += ready
        placed |= {each["id"] for each in ready}
        left = [each for each in left if each["id"] not in placed]
    return found


def _labelled(package: dict[str, Any]) -> dict[str, Any]:
    marks = {"PCI": {"01": "33E"}, "GIN": [{"01": "BJ", "02": {"01": sscc_out(package["sscc"], "18")}}]}
    kind = _LEVELS.get(package.get("level") or "")
    return {"PAC": {"01": "1", "03": {"01": kind} if kind else None}, "PCI_loop": [marks]}


def _packed_line(
    line: dict[str, Any], package: dict[str, Any], notice: dict[str, Any], terms: dict[str, Any], number: int
) -> dict[str, Any]:
    article = article_out(line, terms.get("product_ids"))
    orders = [each.get("purchase_order_number") for each in listed(notice.get("orders"))]
    order = package.get("purchase_order_number") or (orders[0] if len(orders) == 1 else None)
    about: dict[str, Any] = (
        {"01": "ON", "02": order, "03": line.get("id")} if order else {"01": "LI", "02": line.get("id")}
    )
    lot = [{"RFF": {"01": {"01": "BT", "02": line["lot"]}}}] if line.get("lot") else []
    return {
        "LIN": {"01": str(number), "03": article.get("lin")},
        "PIA": article.get("pia"),
        "QTY": [message_quantity("12", line.get("quantity"), line, terms.get("units"))],
        "RFF_loop": ([{"RFF": {"01": about}}] if about["02"] else []) + lot,
    }


DESPATCH_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {"despatched": despatched, "despatched_orders": despatched_orders, "identities": identities, "packed": packed}
)
"""By the name after `$`."""
