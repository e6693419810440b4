"""From a file of interchanges to canonical documents: read, judged, mapped, set by set.

What an interchange holds is kept until it ends, because its trailer may still reject it; sets already refused by
themselves are not kept. A mapping that fails rejects its own set only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, BinaryIO, Final

from canonical import Document
from canonical.errors import MappingError
from mappings.edi.acknowledge.judging import judge
from mappings.edi.acknowledge.verdicts import GroupVerdict, InterchangeVerdict, SetVerdict, Status
from mappings.edi.grammar import grammar_for
from mappings.edi.grammar.profile import STANDARD, Profile
from mappings.edi.grammar.strictness import Action, Class
from mappings.edi.model import Group, Interchange, TransactionSet
from mappings.edi.partners.model import PartnerProfile
from mappings.edi.payloads import content_of, payload_of
from mappings.edi.reading import read
from mappings.engine import MapContext, MappingSet

_STRICT: Final = frozenset(
    {Class.CONTROL_NUMBERS, Class.UNFINISHED, Class.DUPLICATES, Class.SET_UNKNOWN, Class.TEST_INDICATOR}
)
TOLERANT: Final[Profile] = replace(
    STANDARD,
    name="tolerant",
    versions=("",),
    actions=MappingProxyType(
        {each: Action.REJECT if each in _STRICT else Action.ACCEPT for each in Class}
        | {Class.CHARSET: Action.IGNORE, Class.DATA_OUTSIDE: Action.IGNORE}
    ),
)
"""For files of nobody in particular: any release, and only what makes content doubtful rejects."""


@dataclass(frozen=True, slots=True)
class MappedSet:
    """One set that was good enough to be mapped: its documents, or why there are none.

    `place` names it for people: `interchange 000000001, group 1, set 850 0001`.
    """

    kind: str
    control: str
    place: str
    documents: tuple[Document, ...] = ()
    error: MappingError | None = None


@dataclass(frozen=True, slots=True)
class MappedInterchange:
    """An interchange with what was decided, and its sets that were taken, in the order of the file."""

    verdict: InterchangeVerdict
    sets: tuple[MappedSet, ...]

    @property
    def rejected(self) -> bool:
        """Whether anything in it was: the interchange, a group, a set, or a set by its mapping."""
        return (
            self.verdict.status is Status.REJECTED
            or any(group.status in {Status.REJECTED, Status.PARTIAL} for group in self.verdict.groups)
            or any(each.error is not None for each in self.sets)
        )


def documents_of(
    source: bytes | BinaryIO, mapping: MappingSet, context: MapContext, partner: PartnerProfile | None = None
) -> Iterator[MappedInterchange]:
    """Each interchange of a file, mapped, as it ends.

    Args:
        source: one pass of it is taken.
        mapping: the set `edi` with the account's overlay.
        context: of the account; the partner's currency and time zone stand in where it has none.
        partner: whose file it is; without one, the tolerant profile judges.
    """
    profile = TOLERANT if partner is None else partner.judging
    if partner is not None:
        context = replace(
            context,
            currency=context.currency or partner.agreed.currency,
            time_zone=context.time_zone or partner.agreed.time_zone,
        )
    for interchange in read(source):
        yield _Mapper(interchange, mapping, context, partner).run(profile)


def refuse_unmapped(kind: str, mapping: MappingSet) -> None:
    """Tell a set that is read and acknowledged, but that no document can carry, from one nobody has heard of.

    Raises:
        MappingError: `no_document`, naming the set. 753 and 754 (routing) are such: they ask for an answer by hand.
    """
    grammar = grammar_for(kind, "")
    if grammar is not None and kind not in mapping.topics:
        message = f"{kind} ({grammar.name}) is read and acknowledged, but no document carries what it says"
        raise MappingError(message, code="no_document")


class _Mapper:
    def __init__(
        self, interchange: Interchange, mapping: MappingSet, context: MapContext, partner: PartnerProfile | None
    ) -> None:
        self._interchange = interchange
        self._mapping = mapping
        self._context = context
        self._partner = partner
        self._contents: dict[int, dict[str, Any]] = {}

    def run(self, profile: Profile) -> MappedInterchange:
        verdict = judge(self._interchange, profile, self._keep)
        return MappedInterchange(verdict, tuple(self._mapped(verdict)))

    def _keep(self, group: Group, found: TransactionSet, verdict: SetVerdict) -> None:
        grammar = grammar_for(found.kind, found.version or group.version)
        if verdict.status is not Status.REJECTED and grammar is not None:
            self._contents[id(verdict)] = content_of(found, grammar, self._interchange, group, self._partner)

    def _mapped(self, verdict: InterchangeVerdict) -> Iterator[MappedSet]:
        if verdict.status is Status.REJECTED:
            return
        for group in verdict.groups:
            for each in group.sets:
                # The verdicts are alive in `verdict`, so their identities are theirs alone.
                content = self._contents.get(id(each))
                if group.takes(each) and content is not None:
                    yield self._one(verdict, group, each, content)

    def _one(
        self, verdict: InterchangeVerdict, group: GroupVerdict, each: SetVerdict, content: dict[str, Any]
    ) -> MappedSet:
        within = "" if group.implicit else f"group {group.control}, "
        place = f"interchange {verdict.control}, {within}set {each.kind} {each.control}"
        payload = payload_of(content, [*each.told, *group.told, *verdict.told])
        try:
            refuse_unmapped(each.kind, self._mapping)
            documents = self._mapping.map(each.kind, payload, self._context)
        except MappingError as error:
            return MappedSet(each.kind, each.control, place, error=error)
        return MappedSet(each.kind, each.control, place, tuple(documents))
