"""What a supplier owes us, and by when: the answer to an order, to each change of it, its ship notice, its invoice.

Folded like the order itself, so a ship notice that comes before the answer, or an invoice before either, is no case of
its own. `855`, `856` and `810` are awaited under the order's number, `865` under the number and the revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from hub.ports.store import Expectation, Micros
from hub.purchasing.book import Book
from hub.purchasing.days import due_at
from hub.purchasing.stand import LineStanding, Standing
from hub.purchasing.told import ANSWER

KINDS = ANSWERED, CHANGE_ANSWERED, SHIPPED, INVOICED = "855", "865", "856", "810"

Deadlines = Mapping[str, int]
"""seconds by set, as the partner's profile has them"""


class Terms(NamedTuple):
    """What is agreed with the supplier. `changes`: it is told of changes, and so owes an answer to each."""

    deadlines: Deadlines
    changes: bool = True


Key = tuple[str, str, str]

_SECOND: Micros = 1_000_000


def keys(account: str, number: str, book: Book) -> list[Key]:
    """Every expectation an order may have: what has to be read before `wanted` is asked."""
    changes = [(account, CHANGE_ANSWERED, f"{number}:{one.name}") for one in book.revisions[1:]]
    return [(account, kind, number) for kind in (ANSWERED, SHIPPED, INVOICED)] + changes


def wanted(
    account: str,
    order: Mapping[str, Any],
    book: Book,
    stands: Standing,
    known: Mapping[Key, Expectation],
    terms: Terms,
    now: Micros,
) -> list[Expectation]:
    """The expectations that are to be written: new ones, and known ones that stand otherwise now."""
    changed: list[Expectation] = []
    for kind, reference, state, opened, due in _states(order, book, stands, terms, now):
        before = known.get((account, kind, reference))
        if before is None and state == "dropped":
            continue
        settled = None if state == "open" else now
        if before is None:
            changed.append(
                Expectation(account, kind, reference, order["id"], ours=False, opened_at=opened, due_at=due,
                            state=state, settled_at=settled)
            )  # fmt: skip
        elif before.state != state or (state == "open" and before.due_at is None and due is not None):
            # What is owed once more has its own time: the old one was kept.
            anew = state == "open" and before.state != "open"
            kept = replace(before, opened_at=opened, due_at=due) if anew else before
            changed.append(replace(kept, state=state, settled_at=settled, due_at=kept.due_at or due))
    return changed


_Row = tuple[str, str, str, Micros, Micros | None]


def _states(order: Mapping[str, Any], book: Book, stands: Standing, terms: Terms, now: Micros) -> Iterator[_Row]:
    """(set, reference, state, opened, due)"""
    deadlines = terms.deadlines
    number, over = order["number"], stands.state in ("cancelled", "closed")
    if stands.state == "draft":
        return
    names = [one.name for one in book.revisions]
    answers = [
        (names.index(one.revision or names[0]), one.state, book.refuses_change(one)) for one in book.of_kind(ANSWER)
    ]
    first = book.revisions[0].at
    yield ANSWERED, number, _answer(answers, 0, over=over), first, _in(deadlines, ANSWERED, first)
    for at, revision in enumerate(book.revisions[1:] if terms.changes else (), 1):
        due = _in(deadlines, CHANGE_ANSWERED, revision.at) or _in(deadlines, ANSWERED, revision.at)
        # A cancellation is to be answered too; the changes before it need not be any more.
        past = over and not (stands.state == "cancelled" and revision is book.revision)
        yield CHANGE_ANSWERED, f"{number}:{revision.name}", _answer(answers, at, over=past), revision.at, due
    lines = list(stands.lines.values())
    asked = _in(deadlines, SHIPPED, first) or (due_at(order["expected_at"]) if order.get("expected_at") else None)
    yield SHIPPED, number, _shipped(lines, stands.state, over=over), first, asked
    if any(line.total_shipped or line.total_received for line in lines):
        yield INVOICED, number, _invoiced(lines, stands.state), now, _in(deadlines, INVOICED, now)


def _answer(answers: list[tuple[int, str, bool]], revision: int, *, over: bool) -> str:
    """By the last answer to that revision or a later one; a change turned down refuses nothing that came before it."""
    heard = [state for at, state, turned_down in answers if at == revision or (at > revision and not turned_down)]
    if not heard:
        return "met" if any(at > revision for at, _, _ in answers) else "dropped" if over else "open"
    return "failed" if heard[-1] == "rejected" else "met"


def _shipped(lines: list[LineStanding], state: str, *, over: bool) -> str:
    going = [max(line.total_shipped, line.total_received) for line in lines]
    awaited = [line.acknowledged if line.answered else line.wanted for line in lines]
    if any(going) and all(gone >= due for gone, due in zip(going, awaited, strict=True)):
        return "met"
    return "dropped" if over or state == "rejected" else "open"


def _invoiced(lines: list[LineStanding], state: str) -> str:
    if all(line.invoiced >= max(line.total_shipped, line.total_received) for line in lines):
        return "met"
    return "dropped" if state == "closed" else "open"


def _in(deadlines: Deadlines, kind: str, start: Micros) -> Micros | None:
    seconds = deadlines.get(kind)
    return None if seconds is None else start + seconds * _SECOND
