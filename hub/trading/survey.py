"""A partner's file looked at once: judged by the profile, named and digested set by set, nothing kept of the content.

The same bytes and profile give the same survey, so work on a file can stop anywhere and go on from where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Final

from hub.trading.naming import Naming, group_key, interchange_key, naming_of
from hub.trading.replies import ACKNOWLEDGEMENTS, ADVICE, Reply, replies_of, ta1_reply
from mappings.edi import Code, Group, Interchange, Problem, TransactionSet, grammar_for, judge, read
from mappings.edi.acknowledge import GroupVerdict, InterchangeVerdict, SetVerdict, Status
from mappings.edi.partners import PartnerProfile
from mappings.edi.payloads import content_of, payload_of

_BYTES: Final = 16
_OUTSIDE_MAX: Final = 10


@dataclass(slots=True)
class SurveyedSet:
    """One set. `place` counts from 1 in the file; `taken` says that the verdict lets it be acted on."""

    place: int
    verdict: SetVerdict
    digest: str
    naming: Naming
    replies: tuple[Reply, ...] = ()
    taken: bool = False

    @property
    def acknowledges(self) -> bool:
        return self.verdict.kind in ACKNOWLEDGEMENTS


@dataclass(slots=True)
class SurveyedGroup:
    """`key` is the number's; "" for the implicit group of EDIFACT, whose sets count within the interchange."""

    verdict: GroupVerdict
    key: str
    digest: str
    sets: list[SurveyedSet]


@dataclass(slots=True)
class SurveyedInterchange:
    """`number` counts from 0 in the file; `addressed` says that it is from this partner to us."""

    number: int
    verdict: InterchangeVerdict
    key: str
    digest: str
    groups: list[SurveyedGroup]
    replies: tuple[Reply, ...]
    addressed: bool

    @property
    def sets(self) -> Iterator[SurveyedSet]:
        return (each for group in self.groups for each in group.sets)

    @property
    def parties(self) -> str:
        """Who writes to whom, for people."""
        sender, receiver = self.verdict.sender, self.verdict.receiver
        return f"{sender.qualifier}:{sender.id} to {receiver.qualifier}:{receiver.id}"


@dataclass(slots=True)
class Survey:
    """`outside` says, ten times at most, where sets lie outside any interchange: they were not read."""

    interchanges: list[SurveyedInterchange] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def sets(self) -> Iterator[SurveyedSet]:
        return (each for interchange in self.interchanges for each in interchange.sets)

    @property
    def count(self) -> int:
        return sum(1 for _ in self.sets)


def survey(content: bytes, partner: PartnerProfile) -> Survey:
    """Read a whole file once. Work for a thread where it is large."""
    found = Survey()
    place = 0
    met: list[list[Problem]] = []
    for interchange in read(content):
        met.append(interchange.problems)
        looking = _Looking(interchange, place)
        verdict = judge(interchange, partner.judging, looking.see)
        place = looking.place
        found.interchanges.append(looking.done(verdict, len(found.interchanges), partner))
    # What lies behind an interchange is known when the next one was looked for.
    strays = (each for problems in met for each in problems if each.code is Code.DATA_OUTSIDE and each.tag)
    found.outside = [each.message for each in islice(strays, _OUTSIDE_MAX)]
    return found


class _Looking:
    """Names and digests sets while their segments are at hand."""

    def __init__(self, interchange: Interchange, place: int) -> None:
        self._separators = interchange.separators
        self._raw = interchange
        self._seen: dict[int, SurveyedSet] = {}
        self.place = place

    def see(self, group: Group, found: TransactionSet, verdict: SetVerdict) -> None:  # noqa: ARG002 - as judging calls it
        self.place += 1
        rows = found.segments.rows()
        replies: tuple[Reply, ...] = ()
        if verdict.status is not Status.REJECTED and found.kind in ACKNOWLEDGEMENTS | ADVICE:
            replies = replies_of(found.kind, rows, self._separators)
        naming = naming_of(found.kind, rows, self._separators)
        self._seen[id(verdict)] = SurveyedSet(self.place, verdict, _digest_of(rows), naming, replies)

    def done(self, verdict: InterchangeVerdict, number: int, partner: PartnerProfile) -> SurveyedInterchange:
        groups = [self._group(verdict, group) for group in verdict.groups]
        key = interchange_key(verdict.sender, verdict.receiver, verdict.control, test=verdict.test)
        replies = [reply for row in self._raw.acknowledgements if (reply := ta1_reply(row)) is not None]
        contents = [f"{group.key}={group.digest}" for group in groups] + [
            f"{reply.interchange}={reply.state}" for reply in replies
        ]
        addressed = partner.agreed.identities is None or partner.is_between(verdict.sender, verdict.receiver)
        return SurveyedInterchange(number, verdict, key, _digest(contents), groups, tuple(replies), addressed)

    def _group(self, interchange: InterchangeVerdict, verdict: GroupVerdict) -> SurveyedGroup:
        # The verdicts are alive in `interchange`, so their identities are theirs alone.
        sets = [self._seen[id(each)] for each in verdict.sets]
        for each in sets:
            each.taken = interchange.status is not Status.REJECTED and verdict.takes(each.verdict)
        key = "" if verdict.implicit else group_key(
            interchange.sender, verdict.functional_id, verdict.control, test=interchange.test
        )  # fmt: skip
        digest = _digest([f"{each.verdict.kind} {each.verdict.control} {each.digest}" for each in sets])
        return SurveyedGroup(verdict, key, digest, sets)


@dataclass(frozen=True, slots=True)
class WrittenSet:
    """A set of a file of ours, as the partner's acknowledgement will name it. EDIFACT has no group: both empty."""

    kind: str
    control: str
    functional_id: str
    group: str
    digest: str
    reference: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file of ours: one interchange. `groups` is how many group numbers it uses."""

    syntax: str
    control: str
    groups: int
    sets: tuple[WrittenSet, ...]


def written(content: bytes) -> Written:
    """What is in a file that was just made; nothing is judged, for we wrote it."""
    (interchange,) = [_written(each) for each in read(content)]
    return interchange


def _written(interchange: Interchange) -> Written:
    sets: list[WrittenSet] = []
    groups = 0
    for group in interchange.groups:
        groups += not group.implicit
        names = ("", "") if group.implicit else (group.functional_id, group.control)
        for found in group.sets:
            rows = found.segments.rows()
            reference = naming_of(found.kind, rows, interchange.separators).reference
            sets.append(WrittenSet(found.kind, found.control, *names, _digest_of(rows), reference))
    return Written(interchange.syntax, interchange.control, groups, tuple(sets))


def contents_of(content: bytes, surveyed: Survey, partner: PartnerProfile, *, after: int) -> Iterator[bytes | None]:
    """A second pass: the payload of each set behind place `after`, in order; None for sets that are not acted on.

    Nothing is kept of a set once the next one is asked for.
    """
    interchanges = iter(surveyed.interchanges)
    for interchange in read(content):
        known = next(interchanges)
        sets = known.sets
        verdicts = iter(known.groups)
        for group in interchange.groups:
            told = next(verdicts).verdict
            for found in group.sets:
                each = next(sets)
                if each.place <= after:
                    continue
                yield _payload(found, interchange, group, each, (told, known.verdict), partner)


def _payload(
    found: TransactionSet,
    interchange: Interchange,
    group: Group,
    each: SurveyedSet,
    around: tuple[GroupVerdict, InterchangeVerdict],
    partner: PartnerProfile,
) -> bytes | None:
    grammar = grammar_for(found.kind, found.version or group.version)
    if not each.taken or each.acknowledges or interchange.test or grammar is None:
        return None
    problems = [*each.verdict.told, *(problem for one in around for problem in one.told)]
    return payload_of(content_of(found, grammar, interchange, group, partner), problems)


def _digest_of(rows: Sequence[Sequence[str]]) -> str:
    """What a set says, its own control number and separators apart."""
    return _digest("\x1f".join(row) for row in rows[1:-1])


def _digest(texts: Iterator[str] | Sequence[str]) -> str:
    found = blake2b(digest_size=_BYTES)
    for text in texts:
        found.update(text.encode("utf-8", "surrogateescape") + b"\x1e")
    return found.hexdigest()
