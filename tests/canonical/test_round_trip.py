"""Any document survives JSON: what is written reads back equal, and is written the same again."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical import DOCUMENT_TYPES, DocumentBase, dump, join_personal, parse_documents, split_personal
from tests.support.canonical_strategies import fields_of

every_type = pytest.mark.parametrize("cls", DOCUMENT_TYPES.values(), ids=DOCUMENT_TYPES)
few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@every_type
@few
@given(data=st.data())
def test_json_round_trip(cls: type[DocumentBase], data: st.DataObject) -> None:
    """Reading a dump gives an equal document whose dump is the same text."""
    document = cls.model_validate(data.draw(fields_of(cls)))
    text = dump(document)
    assert parse_documents(f"[{text}]") == [document]
    assert parse_documents(text.encode()) == [document]
    assert dump(parse_documents(text)[0]) == text


@every_type
@few
@given(data=st.data())
def test_a_dump_is_pydantics_own_text(cls: type[DocumentBase], data: st.DataObject) -> None:
    """Our writer gives byte for byte what the model's serialisers give, odd characters and large integers included."""
    document = cls.model_validate(data.draw(fields_of(cls)))
    assert dump(document) == document.model_dump_json()
    free = {"huge": 2**70, "text": "".join(map(chr, range(0x250))), "deep": [{"a": 1.5e30}, None, True]}
    for more in (free, {**free, "huge": -(2**53)}):
        changed = document.model_copy(update={"attributes": more})
        assert dump(changed) == changed.model_dump_json()


@every_type
@few
@given(data=st.data())
def test_split_then_join_is_identity(cls: type[DocumentBase], data: st.DataObject) -> None:
    """Joining what was split gives back every byte, and the first part is a document without the person."""
    document = cls.model_validate(data.draw(fields_of(cls)))
    plain, personal = split_personal(document)
    assert join_personal(plain, personal) == dump(document)
    [stored] = parse_documents(plain)
    assert all(getattr(stored, name) is None for name in cls.PERSONAL)
    assert (personal is None) == all(getattr(document, name) is None for name in cls.PERSONAL)
    if personal is not None:
        indented = json.dumps(json.loads(plain), indent=1, sort_keys=True)
        assert parse_documents(join_personal(indented, personal)) == [document]


def _amounts(value: Any) -> list[str]:
    if isinstance(value, dict):
        found = [value["amount"]] if isinstance(value.get("amount"), str) else []
        return found + [text for item in value.values() for text in _amounts(item)]
    return [text for item in value for text in _amounts(item)] if isinstance(value, list | tuple) else []


@few
@given(data=st.data())
def test_amounts_keep_their_text(data: st.DataObject) -> None:
    """Every amount of an order is written with the digits it was read with."""
    fields = data.draw(fields_of(DOCUMENT_TYPES["order"])) | {"attributes": {}}
    for line in fields["lines"]:
        line["properties"] = {}
    stated = _amounts(fields)
    written = _amounts(json.loads(dump(DOCUMENT_TYPES["order"].model_validate(fields))))
    assert sorted(map(Decimal, stated)) == sorted(map(Decimal, written))
    assert sorted(len(text.partition(".")[2]) for text in stated) == sorted(
        len(text.partition(".")[2]) for text in written
    )
