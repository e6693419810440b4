"""What a change of mappings would change: the same payloads through the old set and the new one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from canonical import dump
from canonical.errors import MappingError
from mappings.engine import MapContext, MappingSet
from mappings.fieldpaths import MISSING, leaves

_EXPECTED: Final = ("id", "source.mapping")
"""Differ by themselves: the mapping's digest always, an id when the instant it sorts by does."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payload as it came in; `reference` is how the caller names it (an inbox id)."""

    reference: str
    topic: str
    payload: bytes
    context: MapContext


@dataclass(frozen=True, slots=True)
class Change:
    """One field that would change.

    `document` is `type` and vendor id. `path` is "" when a whole document, or the error, appears or
    goes; `old` and `new` are JSON values, null also standing for absent.
    """

    reference: str
    topic: str
    document: str
    path: str
    old: Any
    new: Any


def diff(old: MappingSet, new: MappingSet, payloads: Iterable[Recorded]) -> Iterator[Change]:
    """Changes in the order of the payloads, lazily; nothing is stored or sent."""
    for recorded in payloads:
        before, after = _outcome(old, recorded), _outcome(new, recorded)
        for key in [*before, *(key for key in after if key not in before)]:
            for path, was, will in _changed(before.get(key), after.get(key)):
                yield Change(recorded.reference, recorded.topic, key, path, was, will)


def _outcome(mapping_set: MappingSet, recorded: Recorded) -> dict[str, Any]:
    """Documents by type and vendor id, or the error under `error`."""
    try:
        documents = mapping_set.map(recorded.topic, recorded.payload, recorded.context)
    except MappingError as problem:
        return {"error": f"{problem.target}: {problem.message}" if problem.target else problem.message}
    found: dict[str, Any] = {}
    for document in documents:
        key = f"{document.type} {document.source.id}"
        number = 2
        while key in found:
            key = f"{document.type} {document.source.id} ({number})"
            number += 1
        found[key] = json.loads(dump(document))
    return found


def _changed(before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        if before != after:
            yield "", before, after
        return
    was, will = dict(leaves(before)), dict(leaves(after))
    for path in [*was, *(path for path in will if path not in was)]:
        old, new = was.get(path, MISSING), will.get(path, MISSING)
        if old != new and path not in _EXPECTED:
            yield path, _plain(old), _plain(new)


def _plain(value: Any) -> Any:
    return None if value is MISSING else value
