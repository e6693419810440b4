"""The book of one purchase order: every revision, what others said of it, and what of it stands in the ledger.

An answer, a ship notice, an invoice or a receipt is kept once, under its own key, and replaced by its newer version.
What the order looks like is folded from all of them, so the order in which they arrive makes no difference and a
duplicate none either. `posted` is what the ledger holds as incoming for each line, so that a change posts a difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hub.orders.versions import compare
from hub.ports.store import Micros
from hub.purchasing.told import ANSWER, Told, as_json, from_json

BOOK = "purchase_book"
"""document type the book is stored under, keyed by the order's number"""


def row_id(number: str) -> str:
    """The id of the stored book."""
    return f"{BOOK}:{number}"


Posted = Mapping[tuple[str, str, str], int]
"""(line number, SKU, location) -> units the ledger holds as incoming"""


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of our order: eaches wanted per line number. `cancels`: it takes the whole order back."""

    name: str
    at: Micros
    wanted: Mapping[str, int]
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """`requests` are idempotency keys with a fingerprint of what was asked and the revision it made.

    `order` is the id of the order's document.
    """

    revisions: tuple[Revision, ...] = ()
    requests: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    told: Mapping[str, Told] = field(default_factory=dict)
    posted: Posted = field(default_factory=dict)
    closed_at: Micros | None = None
    order: str = ""

    @property
    def revision(self) -> Revision:
        return self.revisions[-1]

    @property
    def refused(self) -> frozenset[str]:
        """Changes of ours that the supplier has turned down: the order stands as it was before each."""
        return frozenset(
            told.revision
            for told in self.told.values()
            if told.state == "rejected" and told.revision is not None and self.refuses_change(told)
        )

    @property
    def agreed(self) -> Revision:
        """The last revision that has not been turned down."""
        refused = self.refused
        return next(one for one in reversed(self.revisions) if one.name not in refused)

    def refuses_change(self, told: Told) -> bool:
        """Whether an answer turns down a change that it names, and not the order itself."""
        named = told.kind == ANSWER and not told.assumed and told.revision != self.revisions[0].name
        return named and told.state == "rejected"

    def wanted_in(self, revision: str | None, line: str) -> int | None:
        """Eaches of a line in that revision of ours; None where there is no such revision or line."""
        found = next((one for one in self.revisions if one.name == revision), None)
        return None if found is None else found.wanted.get(line)

    def hear(self, told: Told) -> Book | None:
        """The book with this document in it; None when it says nothing new or is older than what is known.

        An answer that names no revision is about the one that stood when it was first heard.
        """
        known = self.told.get(told.key)
        if known is not None and compare(told.version, known.version) < 0:
            return None
        names = {one.name for one in self.revisions}
        if told.revision not in names:
            about = known.revision if known is not None else self.revision.name
            told = told._replace(revision=about, assumed=True)
        if (
            known is not None
            and compare(told.version, known.version) == 0
            and known._replace(at=0) == told._replace(at=0)
        ):
            return None
        return replace(self, told={**self.told, told.key: told})

    def of_kind(self, kind: str) -> list[Told]:
        """Documents of one kind, oldest version first; equal versions in the order of their keys."""
        found = sorted((one for one in self.told.values() if one.kind == kind), key=lambda one: one.key)
        ordered: list[Told] = []
        for one in found:
            at = len(ordered)
            while at and _older(one, ordered[at - 1]):
                at -= 1
            ordered.insert(at, one)
        return ordered


def _older(one: Told, other: Told) -> bool:
    """Only a stated version tells; without one, when it happened."""
    if one.version and other.version:
        return compare(one.version, other.version) < 0
    return one.at < other.at


def dump(book: Book) -> str:
    stored: dict[str, Any] = {
        "revisions": [
            {"name": one.name, "at": one.at, "wanted": dict(one.wanted), "cancels": one.cancels}
            for one in book.revisions
        ],
        "requests": {key: list(value) for key, value in book.requests.items()},
        "told": [as_json(one) for one in book.told.values()],
        "posted": [[*key, units] for key, units in sorted(book.posted.items()) if units],
        "closed_at": book.closed_at,
        "order": book.order,
    }
    return json.dumps(stored, separators=(",", ":"))


def load(text: str) -> Book:
    stored = json.loads(text)
    told = [from_json(one) for one in stored["told"]]
    return Book(
        tuple(Revision(one["name"], one["at"], one["wanted"], one["cancels"]) for one in stored["revisions"]),
        {key: (value[0], value[1]) for key, value in stored["requests"].items()},
        {one.key: one for one in told},
        {(line, sku, location): units for line, sku, location, units in stored["posted"]},
        stored["closed_at"],
        stored["order"],
    )
