"""Tests that stand beside mappings: a payload, and what must come out of it.

    tests:
      - {payload: payloads/gift.json, expect: {"lines[0].quantity": 2, attributes: {gift: "yes"}}}
      - {payload: payloads/empty.json, count: 0}
      - {payload: payloads/broken.json, error: {target: "lines[0].id"}}

`expect` names fields of the document of the file's own type (the `index`-th, from 0); a mapping
given as a value must be contained, everything else must be equal. `topic` is the file's first one
unless given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from canonical import dump
from canonical.errors import MappingError
from mappings.engine import SHIPPED, MapContext, MappingSet
from mappings.fieldpaths import MISSING, at_path
from mappings.rules import MappingFile, Trial

_RECEIVED: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When a trial's payload arrives, unless its context says otherwise; a trial has no clock."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of one trial. `problems` is empty when it passed, else one line per difference."""

    file: str
    line: int
    payload: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def run_tests(connector: str, overlay: Path | None = None, *, root: Path = SHIPPED) -> list[TrialResult]:
    """Runs the tests beside a connector's mappings and an overlay's, all with the overlay in force.

    Raises:
        MappingSetInvalid: The set does not load.
    """
    mapping_set = MappingSet.load(connector, overlay, root=root)
    sources = mapping_set.sources
    files = [*sources.shipped.mappings, *(sources.overlay.mappings if sources.overlay else ())]
    return [_run(mapping_set, trial, file) for file in files for trial in file.tests]


def _run(mapping_set: MappingSet, trial: Trial, file: MappingFile) -> TrialResult:
    return TrialResult(trial.file, trial.line, trial.payload, tuple(_problems(mapping_set, trial, file)))


def _problems(mapping_set: MappingSet, trial: Trial, file: MappingFile) -> Iterator[str]:
    topic = trial.topic or (file.topics[0] if file.topics else "")
    if not topic:
        yield "the file lists no topic, so the test must name one"
        return
    try:
        payload = (trial.folder / trial.payload).read_bytes()
    except OSError as problem:
        yield f"the payload cannot be read: {problem.strerror}"
        return
    try:
        ctx = _context(mapping_set.name, trial.context)
    except ValueError as problem:
        yield f"the context is wrong: {problem}"
        return
    try:
        documents = [json.loads(dump(document)) for document in mapping_set.map(topic, payload, ctx)]
    except MappingError as problem:
        yield from _compare_error(problem, trial)
        return
    if trial.error is not None:
        yield "was mapped, and an error was expected"
        return
    yield from _compare([document for document in documents if document["type"] == trial.document], trial)


def _context(connector: str, stated: Mapping[str, Any]) -> MapContext:
    times = {name: _time(stated[name]) for name in ("received_at", "occurred_at") if stated.get(name)}
    return MapContext(
        account=stated.get("account"),
        connector=connector,
        received_at=times.get("received_at", _RECEIVED),
        currency=stated.get("currency"),
        time_zone=stated.get("time_zone"),
        locations=stated.get("locations") or {},
        occurred_at=times.get("occurred_at"),
    )


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compare_error(problem: MappingError, trial: Trial) -> Iterator[str]:
    if trial.error is None:
        yield f"cannot be mapped: {problem}"
        return
    for name, wanted in trial.error.items():
        found = getattr(problem, name, None) if name in ("code", "target", "path", "message", "file", "line") else None
        if found != wanted:
            yield f"error.{name}: expected {_json(wanted)}, got {_json(found)}"


def _compare(documents: list[Any], trial: Trial) -> Iterator[str]:
    if trial.count is not None and len(documents) != trial.count:
        yield f"expected {trial.count} of {trial.document}, got {len(documents)}"
    if trial.expect is None:
        return
    if trial.index >= len(documents):
        yield f"expected a {trial.document} at index {trial.index}, got {len(documents)} of them"
        return
    for path, wanted in trial.expect.items():
        found = at_path(documents[trial.index], path)
        yield from _differences(path, wanted, found)


def _differences(path: str, wanted: Any, found: Any) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, inner in wanted.items():
            yield from _differences(f"{path}.{name}", inner, found.get(name, MISSING))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (inner, got) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(f"{path}[{index}]", inner, got)
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        yield f"{path}: expected {_json(wanted)}, got {_json(found)}"


def _json(value: Any) -> str:
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False, default=str)
