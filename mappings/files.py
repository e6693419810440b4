"""Reading a folder of mapping files."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from canonical import DOCUMENT_TYPES
from mappings.faults import FaultLog
from mappings.lookups import Lookup, parse_lookup
from mappings.reading import Entry, entries, items, plain, read_yaml
from mappings.rules import ErrorRule, HoldRule, MappingFile, Rule, TopicList, Trial

ERRORS_FILE: Final = "errors"
TOPICS_FILE: Final = "topics"
LOOKUPS_FILE: Final = "lookups"
_KEYS: Final = (
    "document", "topics", "position", "numbers", "each", "when", "id_at", "fields", "lookups", "hold_when",
    "errors_when", "tests", "description",
)  # fmt: skip
_TRIAL_KEYS: Final = ("payload", "topic", "index", "context", "expect", "count", "error")
_CONTEXT_KEYS: Final = ("account", "currency", "time_zone", "locations", "occurred_at", "received_at")


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything one folder says. `digest` covers the bytes of every file that contributes."""

    mappings: tuple[MappingFile, ...]
    errors: tuple[ErrorRule, ...]
    topics: TopicList
    lookups: tuple[Lookup, ...]
    digest: bytes


def read_folder(folder: Path, name: str, *, overlay: bool, log: FaultLog) -> Folder:
    """Reads `*.yaml` of one folder (not of its subfolders).

    Args:
        folder: Where the files are.
        name: How messages name the folder.
        overlay: The folder is an account's, laid over a connector's.
        log: Takes every fault.
    """
    if not folder.is_dir():
        log.add(name, None, "", "there is no such folder of mappings")
        return Folder((), (), TopicList(), (), b"")
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        log.add(name, None, "", "the folder holds no mapping (*.yaml)")
    read = [_read_file(path, f"{name}/{path.name}", overlay, log) for path in paths]
    topics = _read_topics(folder / f"{TOPICS_FILE}.yaml", f"{name}/{TOPICS_FILE}.yaml", log)
    mappings = tuple(file for file in read if file is not None)
    lookups = tuple(lookup for file in mappings for lookup in file.lookups.values())
    errors = tuple(rule for file in mappings for rule in file.errors)
    csv_files = {path for lookup in lookups for path in lookup.sources}
    return Folder(
        tuple(file for file in mappings if file.stem not in (ERRORS_FILE, LOOKUPS_FILE)),
        errors,
        topics,
        lookups,
        _digest(folder, [*paths, *sorted(csv_files)]),
    )


def _digest(folder: Path, paths: Iterable[Path]) -> bytes:
    found = hashlib.sha256()
    for path in paths:
        name = path.relative_to(folder) if path.is_relative_to(folder) else path.name
        content = path.read_bytes() if path.is_file() else b""
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.digest()


def _read_file(path: Path, file: str, overlay: bool, log: FaultLog) -> MappingFile | None:
    if path.stem == TOPICS_FILE:
        return None
    block = read_yaml(path, file, log)
    if block is None:
        return None
    return _Reader(path, file, overlay, log).mapping(block)


class _Reader:
    """Reads one file, adding every fault to the log and going on."""

    def __init__(self, path: Path, file: str, overlay: bool, log: FaultLog) -> None:
        self.path = path
        self.file = file
        self.overlay = overlay
        self.log = log

    def mapping(self, block: CommentedMap) -> MappingFile:
        special = self.path.stem in (ERRORS_FILE, LOOKUPS_FILE)
        allowed = {ERRORS_FILE: ("errors_when",), LOOKUPS_FILE: ("lookups",)}.get(self.path.stem, _KEYS)
        found = {entry.key: entry for entry in entries(block)}
        self.known(found.values(), allowed, "")
        document = "" if special else self.document(found.get("document"))
        topics = self.topics(found.get("topics"))
        if topics is None and not self.overlay and not special:
            self.fault(1, "topics", "is missing: which topics does this mapping read?")
        return MappingFile(
            file=self.file,
            stem=self.path.stem,
            path=self.path,
            overlay=self.overlay,
            document=document,
            document_line=found["document"].line if "document" in found else 1,
            topics=topics,
            position=self.position(found.get("position")),
            numbers=self.numbers(found.get("numbers")),
            each=self.optional(found.get("each")),
            when=self.optional(found.get("when")),
            id_at=self.optional(found.get("id_at")),
            fields=self.fields(found.get("fields"), required=not self.overlay and not special),
            holds=tuple(self.holds(found.get("hold_when"))),
            errors=tuple(self.errors(found.get("errors_when"), topics)),
            lookups=self.lookups(found.get("lookups")),
            tests=tuple(self.trials(found.get("tests"), document)),
        )

    def fault(self, line: int | None, target: str, message: str) -> None:
        self.log.add(self.file, line, target, message)

    def known(self, given: Iterable[Entry], allowed: tuple[str, ...], prefix: str) -> None:
        for entry in given:
            if entry.key not in allowed:
                near = difflib.get_close_matches(entry.key, allowed, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(allowed)}"
                self.fault(entry.line, prefix + entry.key, f"unknown key; {hint}")

    def block(self, entry: Entry | None) -> CommentedMap | None:
        if entry is None or isinstance(entry.value, CommentedMap):
            return None if entry is None else entry.value
        self.fault(entry.line, entry.key, "must be a mapping of keys to values")
        return None

    def sequence(self, entry: Entry | None) -> list[Entry]:
        if entry is None or entry.value is None:
            return []
        if not isinstance(entry.value, CommentedSeq):
            self.fault(entry.line, entry.key, "must be a list")
            return []
        return list(items(entry.value))

    def expression(self, entry: Entry, target: str) -> Rule | None:
        value = plain(entry.value)
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int):
            value = str(value)
        if isinstance(value, float):
            self.fault(entry.line, target, "write a decimal in quotes inside quotes ('\"1.10\"'), so it stays exact")
        elif not isinstance(value, str) or not value.strip():
            self.fault(entry.line, target, "must be an expression (a text constant is written '\"text\"')")
        else:
            return Rule(target, value.strip(), self.file, entry.line, self.overlay)
        return None

    def optional(self, entry: Entry | None) -> Rule | None:
        return None if entry is None else self.expression(entry, entry.key)

    def document(self, entry: Entry | None) -> str:
        if entry is None:
            self.fault(1, "document", f"is missing; it is one of {', '.join(DOCUMENT_TYPES)}")
            return ""
        # A list or a table is no name, and cannot even be looked up.
        name = str(plain(entry.value))
        if not isinstance(entry.value, str) or name not in DOCUMENT_TYPES:
            near = difflib.get_close_matches(name, DOCUMENT_TYPES, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(DOCUMENT_TYPES)}"
            self.fault(entry.line, "document", f"there is no document {name!r}; {hint}")
            return ""
        return name

    def topics(self, entry: Entry | None) -> tuple[str, ...] | None:
        if entry is None:
            return None
        found = tuple(str(plain(item.value)) for item in self.sequence(entry))
        if not found:
            self.fault(entry.line, "topics", "must list at least one topic")
        return found

    def position(self, entry: Entry | None) -> int | None:
        if entry is None:
            return None
        if isinstance(entry.value, bool) or not isinstance(entry.value, int):
            self.fault(entry.line, "position", "must be a whole number; lower ones come first")
            return None
        return int(entry.value)

    def numbers(self, entry: Entry | None) -> str | None:
        if entry is not None and entry.value not in ("exact", "text"):
            self.fault(entry.line, "numbers", "must be `exact` or `text`")
        return None if entry is None else str(entry.value)

    def fields(self, entry: Entry | None, *, required: bool) -> dict[str, Rule]:
        block = self.block(entry)
        if block is None:
            if entry is None and required:
                self.fault(1, "fields", "is missing: nothing would be mapped")
            return {}
        found = ((item.key, self.expression(item, item.key)) for item in entries(block))
        return {target: rule for target, rule in found if rule is not None}

    def holds(self, entry: Entry | None) -> Iterable[HoldRule]:
        for item in self.sequence(entry):
            target = f"hold_when[{item.key}]"
            parts = self.parts(item, target, ("name", "when", "reason"))
            when = self.expression(parts["when"], f"{target}.when") if "when" in parts else None
            name = str(plain(parts["name"].value)) if "name" in parts else ""
            if when is None or not name.strip():
                self.fault(item.line, target, "needs `name` and `when`")
                continue
            reason = plain(parts["reason"].value) if "reason" in parts else None
            yield HoldRule(name, "" if reason is None else str(reason), when)

    def errors(self, entry: Entry | None, topics: tuple[str, ...] | None) -> Iterable[ErrorRule]:
        for item in self.sequence(entry):
            target = f"errors_when[{item.key}]"
            parts = self.parts(item, target, ("when", "code", "message", "topics"))
            when = self.expression(parts["when"], f"{target}.when") if "when" in parts else None
            if when is None:
                self.fault(item.line, target, "needs `when`")
                continue
            own = self.topics(parts.get("topics")) or topics
            yield ErrorRule(
                when,
                self.expression(parts["code"], f"{target}.code") if "code" in parts else None,
                self.expression(parts["message"], f"{target}.message") if "message" in parts else None,
                None if own is None else frozenset(own),
            )

    def parts(self, item: Entry, target: str, allowed: tuple[str, ...]) -> dict[str, Entry]:
        if not isinstance(item.value, CommentedMap):
            self.fault(item.line, target, f"must be a mapping with {', '.join(allowed)}")
            return {}
        found = {part.key: part for part in entries(item.value)}
        self.known(found.values(), allowed, f"{target}.")
        return found

    def lookups(self, entry: Entry | None) -> dict[str, Lookup]:
        block = self.block(entry)
        if block is None:
            return {}
        found = (parse_lookup(item, self.path.parent, self.file, self.log) for item in entries(block))
        return {lookup.name: lookup for lookup in found if lookup is not None}

    def trials(self, entry: Entry | None, document: str) -> Iterable[Trial]:
        for item in self.sequence(entry):
            target = f"tests[{item.key}]"
            parts = self.parts(item, target, _TRIAL_KEYS)
            values: dict[str, Any] = {key: plain(part.value) for key, part in parts.items()}
            problem = _trial_problem(values)
            if problem:
                self.fault(item.line, target, problem)
                continue
            yield Trial(
                file=self.file, line=item.line, payload=values["payload"], folder=self.path.parent, document=document,
                topic=values.get("topic"), index=values.get("index", 0), context=values.get("context") or {},
                expect=values.get("expect"), count=values.get("count"), error=values.get("error"),
            )  # fmt: skip


def _trial_problem(values: dict[str, Any]) -> str:
    if not isinstance(values.get("payload"), str):
        return "needs `payload`, the file to map, relative to this one"
    if not any(key in values for key in ("expect", "count", "error")):
        return "needs `expect`, `count` or `error`: without one it proves nothing"
    for key, kind in (("expect", dict), ("error", dict), ("context", dict), ("index", int), ("count", int)):
        if key in values and not isinstance(values[key], kind):
            return f"`{key}` must be {'a mapping' if kind is dict else 'a whole number'}"
    unknown = [key for key in values.get("context", {}) if key not in _CONTEXT_KEYS]
    return f"`context` knows {', '.join(_CONTEXT_KEYS)}, not {unknown[0]}" if unknown else ""


def _read_topics(path: Path, file: str, log: FaultLog) -> TopicList:
    if not path.is_file():
        return TopicList()
    block = read_yaml(path, file, log)
    if block is None:
        return TopicList(file)
    reader = _Reader(path, file, False, log)
    found = {entry.key: entry for entry in entries(block)}
    reader.known(found.values(), ("ignored", "aliases"), "")
    ignored = {str(plain(item.value)): item.line for item in reader.sequence(found.get("ignored"))}
    aliases = reader.block(found.get("aliases"))
    return TopicList(
        file,
        ignored,
        {} if aliases is None else {item.key: (str(plain(item.value)), item.line) for item in entries(aliases)},
    )
