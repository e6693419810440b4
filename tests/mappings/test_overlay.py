"""An account's overlay wins field by field and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import MappingError
from mappings import MappingSet, MappingSetInvalid, lint, show
from tests.support.mapping_folders import context, order_mapping, payload, write_folder

BASE = (
    order_mapping("note: memo\nship_to.name: to.name\nship_to.city: to.city\ntags: labels")
    + "lookups:\n  pay: {values: {A: paid, B: pending}, default: error}\n"
    + "hold_when:\n  - {name: big, when: 'total > 100', reason: shipped}\n"
    + "  - {name: odd, when: 'odd', reason: shipped}\n"
)


def both(root: Path, base: str, **overlay: str) -> MappingSet:
    write_folder(root / "shop", order=base.lstrip("\n"))
    write_folder(root / "mine", **overlay)
    return MappingSet.load("shop", root / "mine", root=root)


def test_fields_are_replaced_added_and_dropped(tmp_path: Path) -> None:
    """The overlay's expression stands, other fields stay, `~drop` removes a field with what is below it."""
    ms = both(
        tmp_path,
        BASE,
        order="""
            document: order
            fields:
              number: '"X-" & name'
              attributes.gift: gift
              ship_to: ~drop
              tags: ~drop
              lines[].title: text
              payment_state: $lookup_pay(pay)
            lookups:
              pay: {values: {C: refunded}}
            hold_when:
              - {name: big, when: 'total > 500', reason: mine}
              - {name: odd, when: ~drop}
              - {name: gift, when: 'gift = true', reason: mine}
        """,
    )
    body = payload(memo="m", to={"name": "N", "city": "C"}, labels=["l"], gift=True, total=200, odd=True, pay="C",
                   items=[{"id": 1, "qty": 1, "text": "T"}])  # fmt: skip
    (order,) = ms.map("orders/create", body, context())
    assert (order.number, order.note, order.ship_to, order.tags) == ("X-#1", "m", None, ())
    assert (order.attributes, order.lines[0].title, order.payment_state) == ({"gift": True}, "T", "refunded")
    assert [hold.name for hold in order.holds] == ["gift"]
    (order,) = ms.map("orders/create", payload(pay="A", total=501), context())
    assert (order.payment_state, [hold.reason for hold in order.holds]) == ("paid", ["mine"])


def test_a_whole_object_or_list_given_anew_replaces_its_parts(tmp_path: Path) -> None:
    """`ship_to: …` replaces the parts below it, `lines[]: …` only the items, and parts may refine a whole."""
    ms = both(
        tmp_path,
        BASE,
        order="document: order\nfields:\n  ship_to: '{\"city\": other}'\n  ship_to.region: reg\n  lines[]: rows\n",
    )
    body = payload(to={"name": "N"}, other="O", reg="R", rows=[{"id": 5, "qty": 1}])
    (order,) = ms.map("orders/create", body, context())
    assert (order.ship_to.name, order.ship_to.city, order.ship_to.region) == (None, "O", "R")
    assert [line.id for line in order.lines] == ["5"]


def test_errors_and_show_name_the_overlay(tmp_path: Path) -> None:
    """A failing overlay rule is told with the overlay's file and line; `show` tells the layer of every rule."""
    ms = both(tmp_path, BASE, order="document: order\n\nfields:\n  number: 1 + name\n")
    with pytest.raises(MappingError) as failed:
        ms.map("orders/create", payload(), context())
    assert (failed.value.file, failed.value.line) == (f"{tmp_path}/mine/order.yaml", 4)
    shown = {rule.target: rule for rule in show("shop", tmp_path / "mine", root=tmp_path)}
    assert (shown["number"].layer, shown["number"].expression, shown["number"].line) == ("overlay", "1 + name", 4)
    assert (shown["note"].layer, shown["note"].file) == ("shipped", "shop/order.yaml")


def test_only_the_named_topics_change(tmp_path: Path) -> None:
    """An overlay that lists topics leaves the others alone; a topic of its own needs a whole mapping."""
    base = BASE.replace("[orders/create]", "[orders/create, orders/updated]")
    ms = both(tmp_path, base, order="document: order\ntopics: [orders/updated]\nfields:\n  number: '\"new\"'\n")
    assert ms.map("orders/create", payload(), context())[0].number == "#1"
    assert ms.map("orders/updated", payload(), context())[0].number == "new"
    with pytest.raises(MappingSetInvalid, match="required and not mapped"):
        both(tmp_path, base, order="document: order\ntopics: [mine]\nfields:\n  number: '\"new\"'\n")
    whole = order_mapping().replace("orders/create", "mine")
    assert both(tmp_path, base, order=whole).map("mine", payload(), context())[0].number == "#1"


def test_several_files_of_one_document(tmp_path: Path) -> None:
    """Where two shipped files give one document for a topic, the overlay of the same file name changes only that."""
    other = order_mapping().replace("source.id: id", "source.id: '\"second\"'")
    write_folder(tmp_path / "shop", order=order_mapping(), second=other)
    write_folder(tmp_path / "mine", second="document: order\nfields:\n  number: '\"mine\"'\n")
    ms = MappingSet.load("shop", tmp_path / "mine", root=tmp_path)
    assert [order.number for order in ms.map("orders/create", payload(), context())] == ["#1", "mine"]
    (tmp_path / "mine" / "second.yaml").rename(tmp_path / "mine" / "any.yaml")
    ms = MappingSet.load("shop", tmp_path / "mine", root=tmp_path)
    assert [order.number for order in ms.map("orders/create", payload(), context())] == ["mine", "mine"]


def test_the_digest_covers_every_contributing_byte(tmp_path: Path) -> None:
    """Any changed byte of a mapping, a table or the overlay gives another digest; equal files an equal one."""
    entry = "lookups:\n  a: {file: codes.csv, key: k, value: v, default: null}\n"
    folder = write_folder(tmp_path / "shop", order=order_mapping("note: $lookup_a(name)") + entry)
    (folder / "codes.csv").write_text("k,v\nA,b\n", encoding="utf-8")
    mine = write_folder(tmp_path / "mine", order="document: order\nfields:\n  note: name\n")
    digests = [MappingSet.load("shop", root=tmp_path).digest, MappingSet.load("shop", mine, root=tmp_path).digest]
    (folder / "codes.csv").write_text("k,v\nA,c\n", encoding="utf-8")
    digests.append(MappingSet.load("shop", root=tmp_path).digest)
    (folder / "order.yaml").write_text(order_mapping("note: $lookup_a(name)").lstrip() + entry + "\n", encoding="utf-8")
    digests.append(MappingSet.load("shop", root=tmp_path).digest)
    assert len(set(digests)) == 4
    assert MappingSet.load("shop", root=tmp_path).digest == digests[-1]
    assert all(len(digest) == 12 for digest in digests)


def test_an_overlay_that_changes_nothing_is_a_fault(tmp_path: Path) -> None:
    """A rule for a document nobody ships, and one for topics nobody reads, are told."""
    write_folder(tmp_path / "shop", order=order_mapping())
    mine = write_folder(tmp_path / "mine", refund="document: refund\nfields:\n  note: name\n")
    found = [str(fault) for fault in lint("shop", mine, root=tmp_path)]
    assert any("no shipped mapping gives a refund" in fault for fault in found)
    assert any("changes nothing" in fault for fault in found)
