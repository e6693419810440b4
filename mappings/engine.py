"""A connector's mappings, loaded, checked and compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from canonical import Document, instant_text
from canonical.errors import MappingError
from mappings import payload as payloads
from mappings.expression import SEQUENCE_LENGTH_MAX
from mappings.faults import FaultLog
from mappings.files import Folder, read_folder
from mappings.functions import FUNCTIONS
from mappings.lookups import PREFIX, Lookup
from mappings.merging import Part, parts_of
from mappings.outward import Outward, load_outward
from mappings.packing import packages, packed_orders
from mappings.packing_outward import level_count, levels_of
from mappings.program import TopicProgram, compile_topic
from mappings.rules import MappingFile, TopicList
from mappings.trade import TRADE_FUNCTIONS
from mappings.trade_answers import ANSWER_FUNCTIONS
from mappings.trade_despatch import DESPATCH_FUNCTIONS
from mappings.trade_lines import LINE_FUNCTIONS
from mappings.trade_messages import MESSAGE_FUNCTIONS
from mappings.trade_messages_out import MESSAGES_OUT
from mappings.trade_outward import TRADE_OUTWARD
from mappings.trade_reports import REPORT_FUNCTIONS

SHIPPED: Final = Path(__file__).resolve().parent
"""The mappings that ship with the product, one folder per connector."""
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **FUNCTIONS,
    **TRADE_FUNCTIONS,
    **ANSWER_FUNCTIONS,
    **LINE_FUNCTIONS,
    **DESPATCH_FUNCTIONS,
    **MESSAGE_FUNCTIONS,
    **MESSAGES_OUT,
    **REPORT_FUNCTIONS,
    **TRADE_OUTWARD,
    "packages": packages,
    "packed_orders": packed_orders,
    "levels_of": levels_of,
    "level_count": level_count,
}


@dataclass(frozen=True, slots=True)
class MapContext:
    """What the envelope and the account say about a payload.

    `locations` maps the channel's location ids to ours; `currency` and `time_zone` stand in for
    payloads that state neither; `occurred_at` is the envelope's.
    """

    account: str | None
    connector: str
    received_at: datetime
    currency: str | None = None
    time_zone: str | None = None
    locations: Mapping[str, str] = field(default_factory=dict)
    occurred_at: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.received_at, self.occurred_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("received_at and occurred_at must be aware")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a set was made from, for whoever inspects it."""

    shipped: Folder
    overlay: Folder | None
    lookups: Mapping[str, Lookup]
    parts: Mapping[str, Sequence[Part]]


class MappingSet:
    """All mappings of a connector, with one account's overlay. Pure, and safe to use from any thread.

    `digest` (12 hex digits) covers every byte the set was made from.
    """

    def __init__(
        self, name: str, digest: str, programs: Mapping[str, TopicProgram], topic_list: TopicList,
        outward: Mapping[str, Outward], sources: Sources,
    ) -> None:  # fmt: skip
        self.name = name
        self.digest = digest
        self.sources = sources
        self._programs = programs
        self._ignored = frozenset(topic_list.ignored)
        self._aliases = {alias: topic for alias, (topic, _) in topic_list.aliases.items()}
        self._outward = outward
        self.topics: frozenset[str] = frozenset(programs) | self._ignored | frozenset(self._aliases)

    @property
    def label(self) -> str:
        """`shopify@1f2e3d4c5b6a`, as documents carry it in `source.mapping`."""
        return f"{self.name}@{self.digest}"

    @property
    def kinds(self) -> frozenset[str]:
        """What `render` can make."""
        return frozenset(self._outward)

    @classmethod
    def load(cls, connector: str, overlay: Path | None = None, *, root: Path = SHIPPED) -> MappingSet:
        """Reads, checks and compiles everything.

        Args:
            connector: Folder under `root`.
            overlay: An account's folder of the same shape, which wins field by field.
            root: Where the connectors' folders are.

        Raises:
            MappingSetInvalid: With every fault found, each naming file and line.
        """
        log = FaultLog()
        sources = read_sources(connector, overlay, root, log)
        functions = functions_of(sources.lookups)
        topic_list = sources.shipped.topics
        errors = [*(sources.overlay.errors if sources.overlay else ()), *sources.shipped.errors]
        programs = {
            topic: compile_topic(topic, parts, errors, functions, log) for topic, parts in sources.parts.items()
        }
        _check_topics(topic_list, frozenset(programs), log)
        outward, bytes_read = load_outward(root / connector / "out", f"{connector}/out", functions, log)
        log.raise_if_any()
        digest = hashlib.sha256(sources.shipped.digest + bytes_read)
        digest.update(sources.overlay.digest if sources.overlay else b"")
        ready = {topic: program for topic, program in programs.items() if program is not None}
        return cls(connector, digest.hexdigest()[:12], ready, topic_list, outward, sources)

    def program(self, topic: str) -> TopicProgram:
        """The compiled mapping of a topic that documents are made of. Raises `KeyError` for any other."""
        return self._programs[topic]

    def map(self, topic: str, payload: bytes, ctx: MapContext) -> list[Document]:
        """Canonical documents of a payload, in the order of the mappings; `[]` for a topic that carries none.

        Equal bytes and an equal context give equal documents.

        Raises:
            MappingError: The topic is not known (`unknown_topic`), the bytes are not JSON, a rule
                fails, a required field is missing, or the payload is a vendor's error.
        """
        topic = self._aliases.get(topic, topic)
        program = self._programs.get(topic)
        if program is None:
            if topic in self._ignored:
                return []
            known = ", ".join(sorted(self.topics))
            raise MappingError(f"{self.name} has no topic {topic[:100]!r}; it knows {known}", code="unknown_topic")
        value = payloads.decode(payload)
        source: dict[str, Any] = {
            "connector": ctx.connector,
            "account": ctx.account,
            "received_at": instant_text(ctx.received_at),
            "digest": hashlib.sha256(payload).hexdigest(),
            "mapping": self.label,
        }
        if ctx.occurred_at is not None:
            source["occurred_at"] = instant_text(ctx.occurred_at)
        is_long = len(payload) > SEQUENCE_LENGTH_MAX and payload.count(b",") > SEQUENCE_LENGTH_MAX // 2
        return program.map(value, _bindings(ctx, program.used, source), source, is_long=is_long)

    def render(self, kind: str, canonical_json_obj: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """A vendor payload from a canonical document.

        Args:
            kind: Name of a file in the connector's `out` folder.
            canonical_json_obj: The document as JSON-like Python values.
            extra: Further values, each a variable of its name, and all together `$extra`.

        Raises:
            MappingError: No such kind, or a rule fails.
        """
        outward = self._outward.get(kind)
        if outward is None:
            known = ", ".join(sorted(self._outward)) or "none"
            raise MappingError(f"{self.name} cannot render {kind!r}; it knows {known}", code="unknown_kind")
        return outward.render(canonical_json_obj, extra or {})


def _bindings(ctx: MapContext, used: frozenset[str], source: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the expressions use: handing a table of locations over costs time for every payload.

    Instants are taken from `source`, where they are texts already.
    """
    values: dict[str, Any] = {}
    for name in used:
        if name in ("occurred_at", "received_at"):
            values[name] = source.get(name)
        else:
            value = getattr(ctx, name)
            values[name] = dict(value) if isinstance(value, Mapping) else value
    return values


def read_sources(connector: str, overlay: Path | None, root: Path, log: FaultLog) -> Sources:
    """Everything the folders say, merged per topic; faults go to `log`."""
    shipped = read_folder(root / connector, connector, overlay=False, log=log)
    over = None if overlay is None else read_folder(overlay, str(overlay), overlay=True, log=log)
    overlays: Sequence[MappingFile] = over.mappings if over else ()
    lookups = _lookups(shipped.lookups, over.lookups if over else (), log)
    topics = {topic for file in (*shipped.mappings, *overlays) for topic in file.topics or ()}
    _check_overlays(overlays, shipped.mappings, log)
    usable = [file for file in shipped.mappings if file.document]
    usable_over = [file for file in overlays if file.document]
    parts = {topic: parts_of(topic, usable, usable_over) for topic in sorted(topics)}
    return Sources(shipped, over, lookups, {topic: found for topic, found in parts.items() if found})


def functions_of(lookups: Mapping[str, Lookup]) -> dict[str, Callable[..., Any]]:
    """Our own functions and the lookups, by the name after `$`."""
    return {**_FUNCTIONS, **{PREFIX + name: lookup for name, lookup in lookups.items()}}


def _lookups(shipped: Sequence[Lookup], over: Sequence[Lookup], log: FaultLog) -> dict[str, Lookup]:
    found: dict[str, Lookup] = {}
    for lookup in shipped:
        earlier = found.setdefault(lookup.name, lookup)
        if (earlier.table, earlier.action, earlier.default) != (lookup.table, lookup.action, lookup.default):
            other = f"another one of this name stands in {earlier.file}:{earlier.line}; share one in lookups.yaml"
            log.add(lookup.file, lookup.line, f"lookups.{lookup.name}", other)
    for lookup in over:
        base = found.get(lookup.name)
        found[lookup.name] = lookup if base is None else base.extended_by(lookup)
    for lookup in found.values():
        if not lookup.action:
            log.add(
                lookup.file, lookup.line, f"lookups.{lookup.name}", "needs `default`: error, null, keep or {value: …}"
            )
    return found


def _check_overlays(overlays: Sequence[MappingFile], shipped: Sequence[MappingFile], log: FaultLog) -> None:
    """An overlay that changes nothing is a mistake somewhere."""
    for file in overlays:
        bases = [base for base in shipped if base.document == file.document]
        if file.topics is None and file.document and not bases:
            log.add(file.file, 1, "topics", f"is missing, and no shipped mapping gives a {file.document}")


def _check_topics(listed: TopicList, mapped: frozenset[str], log: FaultLog) -> None:
    for topic, line in listed.ignored.items():
        if topic in mapped:
            log.add(listed.file, line, topic, "is ignored here and mapped elsewhere")
    for alias, (topic, line) in listed.aliases.items():
        if alias in mapped:
            log.add(listed.file, line, alias, "is an alias here and mapped elsewhere")
        elif topic not in mapped and topic not in listed.ignored:
            log.add(listed.file, line, alias, f"is an alias of {topic!r}, which no mapping reads")
