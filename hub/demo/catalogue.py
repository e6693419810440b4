"""What the demo's shop sells: plain goods, one scarce thing, and one kit made of two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Good:
    """A SKU of the demo. `parts` makes it a kit; kits hold no stock of their own."""

    sku: str
    title: str
    stock: int
    restock_below: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)


GOODS: tuple[Good, ...] = (
    Good("MUG-BLUE", "Mug, blue", 400, 60),
    Good("MUG-WHITE", "Mug, white", 400, 60),
    Good("TEAPOT", "Teapot, cast iron", 150, 40),
    Good("TEA-GREEN", "Green tea, 100 g", 600, 80),
    Good("TEA-BLACK", "Black tea, 100 g", 600, 80),
    Good("STRAINER", "Strainer, steel", 300, 60),
    Good("TRAY", "Tray, beech", 120, 30),
    Good("KETTLE", "Kettle, 1.2 l", 90, 25),
    Good("BOX-GIFT", "Gift box", 500, 60),
    Good("LIMITED-CUP", "Cup, numbered edition", 12),
    Good("SET-GIFT", "Gift set: two mugs in a box", 0, parts={"MUG-BLUE": 2, "BOX-GIFT": 1}),
)
TRADED: tuple[Good, ...] = (
    Good("CASE-MUG", "Mugs by the case", 120, 110),
    Good("CASE-TEA", "Tea by the case", 120, 110),
    Good("CASE-TRAY", "Trays by the case", 60, 0),
)
"""What the retailer orders by EDI; it lies at the warehouse and in no shop."""
RESTOCK_UNITS = 100
BUFFER_UNITS = 3


def parts_of(sku: str) -> Mapping[str, int]:
    """What one unit of a SKU takes from stock."""
    good = next(good for good in GOODS if good.sku == sku)
    return good.parts or {sku: 1}


def catalogue_csv() -> str:
    """The catalogue as the configuration's `skus` file."""
    lines = ["sku,gtin,title,brand,tags,packs,components,aliases"]
    for good in GOODS:
        components = ";".join(f"{sku}:{units}" for sku, units in good.parts.items())
        lines.append(f'{good.sku},,"{good.title}",Demo,,,{components},')
    lines += [f'{good.sku},,"{good.title}",Demo,,,,' for good in TRADED]
    return "\n".join(lines) + "\n"
