"""A connector's mapping with an account's overlay over it, topic by topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mappings.rules import DROP, HoldRule, MappingFile, Rule


@dataclass(frozen=True, slots=True)
class Part:
    """What one topic makes of one document type: the effective rules. `stem` names the shipped file."""

    document: str
    stem: str
    file: str
    document_line: int
    position: int
    each: Rule | None
    when: Rule | None
    id_at: Rule | None
    fields: Mapping[str, Rule]
    holds: tuple[HoldRule, ...]


def parts_of(topic: str, shipped: Sequence[MappingFile], overlays: Sequence[MappingFile]) -> list[Part]:
    """The parts of a topic in the order in which their documents come.

    An overlay file changes every shipped file of its document that reads the topic; where there are
    several, and one has the overlay's file name, only that one. Where there is none, the overlay is a
    mapping of its own, if it lists the topic.
    """
    bases = [file for file in shipped if file.topics is not None and topic in file.topics]
    parts: list[Part] = []
    for base in bases:
        part = _part_of(base)
        for overlay in overlays:
            if _concerns(overlay, topic) and overlay.document == base.document and _chosen(overlay, base, bases):
                part = _laid_over(part, overlay)
        parts.append(part)
    documents = {base.document for base in bases}
    added = [file for file in overlays if file.topics and topic in file.topics and file.document not in documents]
    parts += [_part_of(file) for file in added]
    return sorted(parts, key=lambda part: (part.position, part.document != "order", part.file))


def _concerns(overlay: MappingFile, topic: str) -> bool:
    return overlay.topics is None or topic in overlay.topics


def _chosen(overlay: MappingFile, base: MappingFile, bases: Iterable[MappingFile]) -> bool:
    named = [file.stem for file in bases if file.document == overlay.document and file.stem == overlay.stem]
    return not named or base.stem == overlay.stem


def _part_of(file: MappingFile) -> Part:
    fields = {target: rule for target, rule in file.fields.items() if rule.expression != DROP}
    return Part(
        document=file.document,
        stem=file.stem,
        file=file.file,
        document_line=file.document_line,
        position=file.position or 0,
        each=_kept(file.each),
        when=_kept(file.when),
        id_at=_kept(file.id_at),
        fields=fields,
        holds=tuple(hold for hold in file.holds if hold.when.expression != DROP),
    )


def _kept(rule: Rule | None) -> Rule | None:
    return None if rule is None or rule.expression == DROP else rule


def _laid_over(part: Part, overlay: MappingFile) -> Part:
    fields = dict(part.fields)
    for target, rule in overlay.fields.items():
        for old in [old for old in fields if _replaces(target, rule, old)]:
            del fields[old]
        if rule.expression != DROP:
            fields[target] = rule
    return Part(
        document=part.document,
        stem=part.stem,
        file=part.file,
        document_line=part.document_line,
        position=part.position if overlay.position is None else overlay.position,
        each=part.each if overlay.each is None else _kept(overlay.each),
        when=part.when if overlay.when is None else _kept(overlay.when),
        id_at=part.id_at if overlay.id_at is None else _kept(overlay.id_at),
        fields=fields,
        holds=_merged_holds(part.holds, overlay.holds),
    )


def _replaces(target: str, rule: Rule, old: str) -> bool:
    """The same field; or, unless only the items of a list are given anew (`lines[]`), one below it."""
    if old.removesuffix("[]") == target.removesuffix("[]"):
        return True
    if target.endswith("[]") and rule.expression != DROP:
        return False
    stem = target.removesuffix("[]")
    return old.startswith((f"{stem}.", f"{stem}[]."))


def _merged_holds(base: tuple[HoldRule, ...], over: tuple[HoldRule, ...]) -> tuple[HoldRule, ...]:
    """By name; an overlay's hold replaces the shipped one of the same name."""
    merged = {hold.name: hold for hold in base}
    merged.update({hold.name: hold for hold in over})
    return tuple(hold for hold in merged.values() if hold.when.expression != DROP)
