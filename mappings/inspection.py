"""Looking at mappings without a payload: what is wrong with them, and what is in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mappings.engine import SHIPPED, MappingSet, read_sources
from mappings.faults import FaultLog, MappingFault, MappingSetInvalid
from mappings.files import Folder
from mappings.lookups import PREFIX, Lookup
from mappings.merging import Part
from mappings.program import rules_of
from mappings.rules import DROP, ErrorRule, MappingFile, Rule, Trial
from mappings.syntax import used_variables


@dataclass(frozen=True, slots=True)
class Shown:
    """One rule in force. `layer` is `shipped` or `overlay`; file and line are where it stands."""

    topic: str
    document: str
    target: str
    expression: str
    layer: str
    file: str
    line: int


def names(root: Path = SHIPPED) -> tuple[str, ...]:
    """Every set of mappings that ships, in alphabetical order; some belong to no connector yet."""
    return tuple(sorted(folder.name for folder in root.iterdir() if any(folder.glob("*.yaml"))))


def lint(connector: str, overlay: Path | None = None, *, root: Path = SHIPPED) -> list[MappingFault]:
    """Everything wrong with a connector's mappings and an overlay; empty when nothing is.

    Besides what keeps a set from loading: lookups nobody uses, overlay rules that change nothing,
    and tests whose payload is missing.
    """
    faults: list[MappingFault] = []
    try:
        MappingSet.load(connector, overlay, root=root)
    except MappingSetInvalid as invalid:
        faults += invalid.faults
    unread = FaultLog()  # what cannot be read has been told by loading
    sources = read_sources(connector, overlay, root, unread)
    folders = [folder for folder in (sources.shipped, sources.overlay) if folder is not None]
    files = [file for folder in folders for file in folder.mappings]
    parts = [part for found in sources.parts.values() for part in found]
    log = FaultLog()
    outward = sorted((root / connector / "out").glob("*.yaml"))
    _unused_lookups(sources.lookups.values(), files, folders, outward, log)
    _idle_overlay_rules(sources.overlay, parts, log)
    _missing_payloads([trial for file in files for trial in file.tests], log)
    known = set(faults)
    return sorted(known | set(log.faults), key=lambda fault: (fault.file, fault.line or 0, fault.target))


def show(connector: str, overlay: Path | None = None, *, root: Path = SHIPPED) -> list[Shown]:
    """The mapping in force, rule by rule, in the order of topics and documents.

    Raises:
        MappingSetInvalid: The set does not load.
    """
    sources = MappingSet.load(connector, overlay, root=root).sources
    return [
        _shown(topic, part.document, rule)
        for topic, parts in sources.parts.items()
        for part in parts
        for rule in rules_of(part)
    ]


def _shown(topic: str, document: str, rule: Rule) -> Shown:
    layer = "overlay" if rule.overlay else "shipped"
    return Shown(topic, document, rule.target, rule.expression, layer, rule.file, rule.line)


def _unused_lookups(
    lookups: Iterable[Lookup],
    files: Iterable[MappingFile],
    folders: Iterable[Folder],
    outward: Iterable[Path],
    log: FaultLog,
) -> None:
    used: set[str] = set()
    for rule in _all_rules(files, [rule for folder in folders for rule in folder.errors]):
        used |= used_variables(rule.expression)
    text = "".join(path.read_text(encoding="utf-8", errors="replace") for path in outward)
    for lookup in lookups:
        if PREFIX + lookup.name not in used and f"${PREFIX}{lookup.name}" not in text:
            log.add(
                lookup.file, lookup.line, f"lookups.{lookup.name}", f"is not used; call it as ${PREFIX}{lookup.name}(x)"
            )


def _all_rules(files: Iterable[MappingFile], errors: Iterable[ErrorRule]) -> Iterable[Rule]:
    for file in files:
        yield from file.fields.values()
        yield from (rule for rule in (file.each, file.when, file.id_at) if rule is not None)
        yield from (hold.when for hold in file.holds)
    for error in errors:
        yield from (rule for rule in (error.when, error.code, error.message) if rule is not None)


def _idle_overlay_rules(overlay: Folder | None, parts: Iterable[Part], log: FaultLog) -> None:
    """A rule of an overlay that no topic uses was meant for another file or topic."""
    if overlay is None:
        return
    in_force = {(rule.file, rule.line) for part in parts for rule in rules_of(part)}
    for file in overlay.mappings:
        for rule in file.fields.values():
            if rule.expression != DROP and (rule.file, rule.line) not in in_force:
                log.add(
                    rule.file,
                    rule.line,
                    rule.target,
                    "changes nothing: no mapping reads these topics into this document",
                )


def _missing_payloads(trials: Iterable[Trial], log: FaultLog) -> None:
    for trial in trials:
        if not (trial.folder / trial.payload).is_file():
            log.add(
                trial.file, trial.line, "tests", f"the payload {trial.payload} is missing (looked for beside this file)"
            )


__all__ = ["Shown", "lint", "show"]
