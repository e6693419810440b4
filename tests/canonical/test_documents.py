"""Documents are frozen, complete in what they need, and silent about nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

import canonical
from canonical import (
    DOCUMENT_TYPES,
    PREFIXES,
    DocumentBase,
    Order,
    dump,
    join_personal,
    parse_document,
    parse_documents,
)
from tests.support.canonical_examples import order

every_type = pytest.mark.parametrize("cls", DOCUMENT_TYPES.values(), ids=DOCUMENT_TYPES)


@every_type
def test_type_tells_documents_apart(cls: type[DocumentBase]) -> None:
    """Each class is exported, has its own literal type, an id prefix, and its personal fields last."""
    assert getattr(canonical, cls.__name__) is cls
    name = cls.model_fields["type"].default
    assert DOCUMENT_TYPES[name] is cls
    assert name in PREFIXES
    assert tuple(cls.model_fields)[len(cls.model_fields) - len(cls.PERSONAL) :] == cls.PERSONAL
    assert list(cls.model_fields)[:4] == ["type", "id", "source", "attributes"]


@every_type
def test_every_address_and_person_is_personal(cls: type[DocumentBase]) -> None:
    """A field that holds an address, a buyer or a free note cannot be added without being declared personal."""
    telling = {"buyer", "note", "signed_by", "name", "phone", "email", "company"}
    for name, field in cls.model_fields.items():
        if name in telling or "Address" in repr(field.annotation):
            assert name in cls.PERSONAL, f"{cls.__name__}.{name}"


@pytest.mark.parametrize("field", ["type", "id", "source", "number", "state", "lines"])
def test_required_fields_of_an_order(field: str) -> None:
    """An order without one of its required fields is refused, naming the field."""
    broken = order()
    del broken[field]
    with pytest.raises(ValidationError) as caught:
        parse_document(json.dumps(broken))
    where = caught.value.errors()[0]
    assert field in (*where["loc"], where.get("ctx", {}).get("discriminator", "").strip("'"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("state", "shipped"), ("payment_state", "PAID"), ("kind", ""), ("number", ""), ("number", None), ("id", "1001"),
        ("lines.0.quantity", 2.0), ("lines.0.quantity", -1), ("lines.0.fulfilled_by", "amazon"), ("lines", None),
        ("source.id", 5550001), ("source.account", ""), ("buyer.email", ""), ("ship_to.country", "USA"),
        ("lines.0.requires_shipping", "true"), ("shipping.0.carrier", "UPS"), ("tags", "vip"),
        ("placed_at", 1763659380),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_their_path(path: str, value: Any) -> None:
    """A wrong value is one error at its own path."""
    broken = order()
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target: Any = broken
    for step in steps:
        target = target[step]
    target[last] = value
    with pytest.raises(ValidationError) as caught:
        Order.model_validate_json(json.dumps(broken))
    assert [".".join(map(str, error["loc"])) for error in caught.value.errors()] == [path]


def test_documents_are_frozen() -> None:
    """Neither a field nor a list of a document can be changed."""
    [document] = parse_documents(json.dumps(order()))
    assert isinstance(document, Order)
    with pytest.raises(ValidationError):
        document.state = "closed"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        document.lines[0].quantity = 5  # type: ignore[misc]
    assert isinstance(document.lines, tuple)


def test_an_empty_address_is_null() -> None:
    """An address of nothing but nulls becomes null, one with a single fact stays."""
    blank = dict.fromkeys(order()["ship_to"])
    document = Order.model_validate(order() | {"ship_to": blank, "bill_to": blank | {"phone": "1"}})
    assert document.ship_to is None
    assert document.bill_to is not None


def test_defaults_claim_nothing() -> None:
    """A minimal order says unknown, null or empty about everything it was not told."""
    minimal = {name: order()[name] for name in ("type", "id", "source", "number", "state")} | {"lines": []}
    [document] = parse_documents(json.dumps(minimal))
    assert isinstance(document, Order)
    assert document.payment_state == "unknown"
    assert document.placed_at is document.currency is document.ship_to is document.totals.grand_total is None
    first, second = (parse_documents(json.dumps(minimal))[0] for _ in range(2))
    first.attributes["seen"] = True
    assert second.attributes == {}


def test_parsing_takes_one_object_or_an_array() -> None:
    """One document or many, bytes or text, white space in front or not."""
    one = json.dumps(order())
    assert len(parse_documents(f"  \n{one}")) == 1
    assert len(parse_documents(f"[{one},{one}]".encode())) == 2
    assert parse_documents("[]") == []


@pytest.mark.parametrize("bad", ["", "null", "[1]", "{", '{"type":"orders"}', '[{"id":"x"}]', "\xff"])
def test_parsing_refuses_what_is_no_document(bad: str) -> None:
    """Anything else is a validation error, never another exception."""
    with pytest.raises(ValidationError):
        parse_documents(bad)


def test_errors_of_a_list_do_not_show_the_input() -> None:
    """The text of an error about a document among many repeats no value."""
    broken = order()
    broken["ship_to"]["country"] = "Freedonia"
    with pytest.raises(ValidationError) as caught:
        parse_documents(json.dumps([broken]))
    assert "Freedonia" not in str(caught.value)


@pytest.mark.parametrize(("plain", "personal"), [("[]", "{}"), ("{}", "{}"), ('{"type":"order"}', "[]"), ("no", "{}")])
def test_joining_refuses_what_is_no_document(plain: str, personal: str) -> None:
    """Joining something that is no document is an error."""
    with pytest.raises(ValueError, match=r"JSON|type|Expecting"):
        join_personal(plain, personal)


def test_a_forgotten_person_leaves_a_valid_document() -> None:
    """Without the personal part the stored document still reads, its person being null."""
    [document] = parse_documents(json.dumps(order()))
    plain, _ = canonical.split_personal(document)
    stored = parse_document(join_personal(plain, None))
    assert isinstance(stored, Order)
    assert stored.buyer is None
    assert dump(stored) == plain
