"""Whether a partner's numbers and documents came before, at every level, and with what content."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.ports.store import Micros, SeenNumber, State, WriteSet
from hub.trading.naming import business_key, is_document, set_key
from hub.trading.survey import SurveyedGroup, SurveyedInterchange, SurveyedSet


class Seen(StrEnum):
    """`NEW`: not before, or by this very file. `AGAIN`: the same content. `CONFLICT`: other content."""

    NEW = "new"
    AGAIN = "again"
    CONFLICT = "conflict"


@dataclass(slots=True)
class Register:
    """The numbers of one account as one unit sees them; what it registers is seen by what follows in the unit.

    `over`: an operator looked at the file and said that it is to be taken: other content under a known number or
    name counts as new, the same content still does not.
    """

    state: State
    writes: WriteSet
    account: str
    file: str
    over: bool
    at: Micros
    since: Micros = 0
    """control numbers seen before this instant are forgotten: the partner counts anew from time to time"""

    def interchange(self, found: SurveyedInterchange) -> Seen:
        return self._judged(found.key, found.digest, found.number)

    def group(self, interchange: SurveyedInterchange, found: SurveyedGroup) -> Seen:
        """An implicit group has no number of its own: it is as new as its interchange."""
        return self._judged(found.key, found.digest, interchange.number) if found.key else Seen.NEW

    def numbered(self, interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet) -> Seen:
        return self._judged(number_of(interchange, group, found), found.digest, found.place)

    def document(self, interchange: SurveyedInterchange, found: SurveyedSet) -> Seen:
        key = document_of(interchange, found)
        return self._judged(key, found.digest, found.place) if key else Seen.NEW

    def mine(self, interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet) -> bool:
        """Whether this set was taken by an earlier unit of the same file."""
        known = self.state.numbers.get((self.account, number_of(interchange, group, found)))
        return known is not None and (known.file, known.place) == (self.file, found.place)

    def keep(self, key: str, digest: str, place: int) -> None:
        if key:
            row = SeenNumber(self.account, key, digest, self.file, place, self.at)
            self.state.numbers[self.account, key] = row
            self.writes.numbers.append(row)

    def _judged(self, key: str, digest: str, place: int) -> Seen:
        known = self.state.numbers.get((self.account, key))
        if (
            known is None
            or (known.at < self.since and not is_document(key))
            or (known.file, known.place) == (self.file, place)
        ):
            return Seen.NEW
        if known.digest == digest:
            return Seen.AGAIN
        return Seen.NEW if self.over else Seen.CONFLICT


def number_of(interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet) -> str:
    """The key of a set's number; the interchange's own where there is no group number."""
    return set_key(group.key or interchange.key, found.verdict.kind, found.verdict.control)


def document_of(interchange: SurveyedInterchange, found: SurveyedSet) -> str:
    """The key of a document, whatever its numbers."""
    return business_key(found.naming, found.digest, found.verdict.kind, test=interchange.verdict.test)


def keys_of(
    account: str, interchange: SurveyedInterchange, sets: list[tuple[SurveyedGroup, SurveyedSet]]
) -> set[tuple[str, str]]:
    """Every number a unit has to read to decide about these sets of an interchange."""
    keys = {interchange.key, *(group.key for group in interchange.groups)}
    for group, found in sets:
        keys.add(number_of(interchange, group, found))
        keys.add(document_of(interchange, found))
    return {(account, key) for key in keys if key}
