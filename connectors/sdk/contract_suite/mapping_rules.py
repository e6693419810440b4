"""Mapping: pure, exact, and an error that names the field."""

# ruff: noqa: S101, PT017 - these are tests; asserting is their work, also about an error that may come

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import pytest

from canonical import Document, MappingError, dump, parse_document
from connectors.sdk import exact
from connectors.sdk.contract_suite.rig import Subject
from connectors.sdk.contract_suite.samples import PayloadPath, Sample
from mappings import MappingSet

UNHEARD_OF: Final = "zz-unheard-of"
AMOUNTS: Final = ("0.10", "12.30", "100.00", "90071992547409.93")
QUANTITIES: Final = (1, 7, 12_345)
_INDEX = re.compile(r"\[(\d+)\]")


class MappingRules(Subject):
    """The connector's own payloads through its own mappings."""

    async def test_same_bytes_give_equal_documents(self) -> None:
        """Mapping twice gives equal documents, and each survives its public JSON form."""
        for mapping, sample in self._samples():
            first, again = self._map(mapping, sample.payload), self._map(mapping, sample.payload)
            documents = first(sample.topic)
            assert documents == again(sample.topic), sample.topic
            assert documents, f"{sample.topic}: a sample without documents proves nothing"
            for document in documents:
                assert parse_document(dump(document)) == document

    async def test_taking_any_field_away_gives_documents_or_a_named_error(self) -> None:
        """Without any one field of the payload the outcome is documents, or an error saying which field is missed."""
        for mapping, sample in self._samples():
            payload = exact.loads(sample.payload)
            for path in _leaves(payload):
                shorter = exact.dumps(_without(payload, path))
                try:
                    self._map(mapping, shorter)(sample.topic)
                except MappingError as error:
                    assert error.target or error.path or error.code, f"{sample.topic} without {path}: {error}"

    async def test_a_missing_required_field_is_named(self) -> None:
        """Taking a required field away is an error with that canonical path."""
        declared = 0
        for mapping, sample in self._samples():
            payload = exact.loads(sample.payload)
            for target, path in sample.required.items():
                declared += 1
                shorter = exact.dumps(_without(payload, path))
                try:
                    self._map(mapping, shorter)(sample.topic)
                except MappingError as error:
                    wanted = _INDEX.sub("", target.partition(".")[2])
                    assert _INDEX.sub("", error.target).endswith(wanted), f"{target}: the error names {error.target!r}"
                else:
                    pytest.fail(f"{sample.topic}: {target} is required, yet it maps without {path}")
        if not declared and not self.manifest.is_channel:
            pytest.skip("a scan is kept, whatever it lacks")
        assert declared, "name required fields in at least one sample"

    async def test_an_unknown_code_becomes_unknown(self) -> None:
        """A code nobody has heard of is `unknown`, with the raw code kept, never a neighbour."""
        for mapping, sample in self._samples():
            for target, path in sample.codes.items():
                body = exact.dumps(_with(exact.loads(sample.payload), path, UNHEARD_OF))
                document, field = self._holder(self._map(mapping, body)(sample.topic), target)
                assert getattr(document, field) == "unknown", target
                raw = getattr(document, f"{field}_raw", UNHEARD_OF)
                assert raw == UNHEARD_OF, f"{target}: the raw code is {raw!r}"

    async def test_money_survives(self) -> None:
        """An amount comes out digit for digit, scale included."""
        for mapping, sample in self._samples():
            payload = exact.loads(sample.payload)
            for target, path in sample.money.items():
                for amount in AMOUNTS:
                    stated = amount if isinstance(_at(payload, path), str) else Decimal(amount)
                    body = exact.dumps(_with(payload, path, stated))
                    document, field = self._holder(self._map(mapping, body)(sample.topic), target)
                    found = getattr(document, field)
                    assert str(found.amount) == amount, f"{target}: {amount} became {found.amount}"

    async def test_quantities_survive(self) -> None:
        """A quantity comes out as the same whole number."""
        for mapping, sample in self._samples():
            payload = exact.loads(sample.payload)
            for target, path in sample.quantities.items():
                for number in QUANTITIES:
                    stated = str(number) if isinstance(_at(payload, path), str) else number
                    body = exact.dumps(_with(payload, path, stated))
                    document, field = self._holder(self._map(mapping, body)(sample.topic), target)
                    found = getattr(document, field)
                    assert found == number, f"{target}: {number} became {found}"

    def _samples(self) -> Iterator[tuple[MappingSet, Sample]]:
        assert self.reads, "give read samples: `reads = (Sample(topic, payload, required=…), …)`"
        mapping = self.mapping()
        for sample in self.reads:
            yield mapping, sample

    def _map(self, mapping: MappingSet, payload: bytes) -> Any:
        return lambda topic: mapping.map(topic, payload, self.map_context())

    @staticmethod
    def _holder(documents: list[Document], target: str) -> tuple[Any, str]:
        """The object a target's last word is an attribute of."""
        kind, _, path = target.partition(".")
        value: Any = next((document for document in documents if document.type == kind), None)
        assert value is not None, f"{target}: no {kind} among {[document.type for document in documents]}"
        *steps, last = _INDEX.sub(r".\1", path).split(".")
        for step in steps:
            value = value[int(step)] if step.isdigit() else getattr(value, step)
        return value, last


def _leaves(value: Any, path: PayloadPath = ()) -> Iterator[PayloadPath]:
    """Every field, inner ones included: taking an object away is a case of its own."""
    entries: list[tuple[str | int, Any]] = []
    if isinstance(value, Mapping):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    for key, inner in entries:
        yield (*path, key)
        yield from _leaves(inner, (*path, key))


def _at(payload: Any, path: PayloadPath) -> Any:
    for key in path:
        payload = payload[key]
    return payload


def _with(payload: Any, path: PayloadPath, value: Any) -> Any:
    changed = copy.deepcopy(payload)
    _at(changed, path[:-1])[path[-1]] = value
    return changed


def _without(payload: Any, path: PayloadPath) -> Any:
    changed = copy.deepcopy(payload)
    del _at(changed, path[:-1])[path[-1]]
    return changed
