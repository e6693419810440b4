"""A mapping file as written: its rules, each with the place it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mappings.lookups import Lookup

DROP: Final = "~drop"
"""As an overlay's expression: the shipped field, and everything below it, is not mapped."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One expression and where it stands. `target` is a canonical path or the key (`when`, `each`)."""

    target: str
    expression: str
    file: str
    line: int
    overlay: bool = False


@dataclass(frozen=True, slots=True)
class HoldRule:
    """An order for which `when` is true waits for a person."""

    name: str
    reason: str
    when: Rule


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """A payload for which `when` is true is a vendor's error. `topics` null means every topic."""

    when: Rule
    code: Rule | None
    message: Rule | None
    topics: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A test beside a mapping; see `mappings.trials` for what the keys mean."""

    file: str
    line: int
    payload: str
    folder: Path
    document: str
    topic: str | None = None
    index: int = 0
    context: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] | None = None
    count: int | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One YAML file. `topics` is null in an overlay that concerns every topic of its document."""

    file: str
    stem: str
    path: Path
    overlay: bool
    document: str = ""
    document_line: int = 1
    topics: tuple[str, ...] | None = None
    position: int | None = None
    numbers: str | None = None
    each: Rule | None = None
    when: Rule | None = None
    id_at: Rule | None = None
    fields: Mapping[str, Rule] = field(default_factory=dict)
    holds: tuple[HoldRule, ...] = ()
    errors: tuple[ErrorRule, ...] = ()
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    tests: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicList:
    """`topics.yaml`: topics that are known and carry nothing, and other names of topics."""

    file: str = ""
    ignored: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, int]] = field(default_factory=dict)
