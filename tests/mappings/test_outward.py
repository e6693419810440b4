"""The same language outwards: canonical in, vendor payload out, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from canonical.errors import MappingError
from mappings import MappingSet, MappingSetInvalid
from tests.support.mapping_folders import FIXTURES, load, order_mapping, write_folder

SHIPMENT = {"order": "820982911946154508", "packages": [{"lines": [{"line_id": "9", "quantity": 1}]}]}


def outward(root: Path, text: str) -> MappingSet:
    write_folder(root / "shop" / "out", thing=text)
    return load(root, order=order_mapping())


def test_render_gives_the_vendors_payload() -> None:
    """Nested targets, lists of one and variables come out; ids keep every digit."""
    ms = MappingSet.load("shop", root=FIXTURES)
    assert ms.kinds == {"ship"}
    assert ms.render("ship", SHIPMENT, {"notify": True}) == {
        "fulfillment": {
            "order_id": "820982911946154508",
            "notify_customer": True,
            "lines": [{"id": "9", "quantity": 1}],
        }
    }


def test_each_gives_a_list_and_extra_is_one_object(tmp_path: Path) -> None:
    """With `each` there is one object per item; `$extra` holds everything given; exact values stay exact."""
    ms = outward(tmp_path, "each: items\nfields:\n  sku: sku\n  price: price\n  at: $extra.at\n  n: $extra.n\n")
    document = {"items": [{"sku": "A", "price": Decimal("1.10")}, {"sku": None}]}
    extra = {"at": datetime(2026, 1, 1, tzinfo=UTC), "n": 2**60}
    assert ms.render("thing", document, extra) == [
        {"sku": "A", "price": "1.10", "at": "2026-01-01T00:00:00Z", "n": str(2**60)},
        {"at": "2026-01-01T00:00:00Z", "n": str(2**60)},
    ]


def test_failures_name_their_place(tmp_path: Path) -> None:
    """An unknown kind, a missing variable, a failing rule and an inexact number are mapping errors."""
    ms = outward(tmp_path, "variables: [at]\nfields:\n  a: 1 + text\n  b: $at\n")
    with pytest.raises(MappingError, match="cannot render 'other'"):
        ms.render("other", {})
    with pytest.raises(MappingError, match=r"needs the variable \$at"):
        ms.render("thing", {})
    with pytest.raises(MappingError) as failed:
        ms.render("thing", {"text": "x"}, {"at": 1})
    assert (failed.value.target, failed.value.file, failed.value.line) == ("a", "shop/out/thing.yaml", 3)
    inexact = outward(tmp_path, "fields:\n  a.b: n / 3\n")
    with pytest.raises(MappingError, match="inexactly") as failed:
        inexact.render("thing", {"n": 1})
    assert failed.value.target == "a.b"


@pytest.mark.parametrize(
    "text", ["fields:\n  a: $nope(b)\n", "field: {}\n", "fields:\n  a: b c\n", "variables: x\nfields: {a: b}\n", "[]\n"]
)
def test_faults_are_found_when_loading(tmp_path: Path, text: str) -> None:
    """An outward mapping that cannot work is refused with its file."""
    with pytest.raises(MappingSetInvalid, match=r"shop/out/thing\.yaml"):
        outward(tmp_path, text)
