"""What was decided about an interchange, each of its groups and each of their sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mappings.edi.grammar.strictness import Action
from mappings.edi.model import Party, Separators, Syntax
from mappings.edi.problems import Problem

NEVER_ANSWERED = frozenset({"997", "999", "TA1", "CONTRL"})
"""Acknowledgements are not acknowledged, or two hubs would thank each other for ever."""


class Status(StrEnum):
    ACCEPTED = "accepted"
    WITH_ERRORS = "accepted_with_errors"
    PARTIAL = "partially_accepted"
    """Groups and interchanges: some sets were taken, some refused."""
    REJECTED = "rejected"

    @classmethod
    def after(cls, action: Action) -> Status:
        return {Action.REJECT: cls.REJECTED, Action.ACCEPT: cls.WITH_ERRORS, Action.IGNORE: cls.ACCEPTED}[action]


@dataclass(slots=True)
class SetVerdict:
    """One set. `told` are the problems an acknowledgement tells; `kept` those it keeps silent about."""

    kind: str
    control: str
    version: str
    implementation: str
    status: Status
    told: Sequence[Problem] = ()
    kept: Sequence[Problem] = ()


@dataclass(slots=True)
class GroupVerdict:
    """One group; `received` counts the sets found, `declared` is GE01 or UNE01 as received."""

    functional_id: str
    control: str
    version: str
    implicit: bool
    status: Status
    sender: str = ""
    receiver: str = ""
    declared: str | None = None
    received: int = 0
    sets: list[SetVerdict] = field(default_factory=list)
    told: Sequence[Problem] = ()
    kept: Sequence[Problem] = ()

    def takes(self, each: SetVerdict) -> bool:
        """Whether one of its sets is to be acted on: good by itself, in a group that is not rejected."""
        return self.status is not Status.REJECTED and each.status is not Status.REJECTED

    @property
    def accepted(self) -> int:
        """Sets that were taken, with errors or without; none of a rejected group."""
        return sum(map(self.takes, self.sets))

    @property
    def answerable(self) -> bool:
        """Whether an acknowledgement may be sent for it."""
        return self.functional_id != "FA" and not (self.sets and all(each.kind in NEVER_ANSWERED for each in self.sets))


@dataclass(slots=True)
class InterchangeVerdict:
    """One interchange, with what an answer must quote of it.

    `acknowledges_only`: it holds TA1 segments and no group, so it is never answered.
    """

    syntax: Syntax
    separators: Separators
    control: str
    sender: Party
    receiver: Party
    version: str
    test: bool
    date: str
    time: str
    header: list[str]
    acknowledgement_requested: bool
    acknowledges_only: bool
    status: Status
    groups: list[GroupVerdict] = field(default_factory=list)
    told: Sequence[Problem] = ()
    kept: Sequence[Problem] = ()
    rejected_for: Problem | None = None
    """The first problem that made it be rejected; only interchange-level problems do."""

    @property
    def problems(self) -> Iterator[tuple[str, Problem]]:
        """Every problem with where it was met: `interchange 000000001, group 1, set 850 0001`."""
        here = f"interchange {self.control}"
        yield from ((here, problem) for problem in [*self.told, *self.kept])
        for group in self.groups:
            there = here if group.implicit else f"{here}, group {group.control}"
            yield from ((there, problem) for problem in [*group.told, *group.kept])
            for each in group.sets:
                place = f"{there}, set {each.kind} {each.control}"
                yield from ((place, problem) for problem in [*each.told, *each.kept])
