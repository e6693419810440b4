"""What waits for a person, by name: files and sets that contradict what came before, refusals, stray answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.ports.store import FileSet, InboxItem, NewFailure
from hub.trading.replies import Complaint

INBOUND: Final = "inbound"
"""Failures that run an input again when replayed: a file is taken nevertheless, a refused set is written anew."""
EXCHANGE: Final = "exchange"
"""Failures about files that only a person can settle."""
_TOLD_MAX: Final = 5


def parked(item: InboxItem, file: str, name: str, reasons: Sequence[str], count: int) -> NewFailure:
    """A file, or some sets of it, that wait for an operator's word; `count` of them, for the reasons given."""
    more = f" (and {count - len(reasons)} more)" if count > len(reasons) else ""
    return NewFailure(
        account=item.account,
        kind=INBOUND,
        reference=str(item.seq),
        error="Parked",
        code="trading",
        path=file,
        message=f"{name}: {'; '.join(reasons)}{more}; replay to take it nevertheless, discard to leave it",
        fingerprint=f"{item.account}:parked:{reasons[0].split(' ', 1)[0] if reasons else ''}",
        attempts=item.attempts + 1,
        origin=item.origin,
    )


def unmatched(account: str, file: str, place: str, about: str, kind: str) -> NewFailure:
    """An answer to something that was never sent from here."""
    return NewFailure(
        account=account,
        kind=EXCHANGE,
        reference=f"{file}/{place}",
        error="Unmatched",
        code=kind,
        path="",
        message=f"the partner's {kind} answers {about}, which was never sent from here",
        fingerprint=f"{account}:unmatched:{kind}",
        origin="partner",
    )


def refused(row: FileSet, told_by: str, complaints: Sequence[Complaint]) -> NewFailure:
    """A set of ours that the partner refused. Replaying it renders the document again, with new numbers."""
    first = complaints[0] if complaints else Complaint("", "", "no reason given")
    name = f"{row.kind} {row.control}" + (f" of group {row.functional_id} {row.group}" if row.group else "")
    reasons = "; ".join(one.text for one in complaints[:_TOLD_MAX]) or first.message
    return NewFailure(
        account=row.account,
        kind=INBOUND if row.input is not None else EXCHANGE,
        reference=str(row.input) if row.input is not None else f"{row.file}/{row.place}",
        error="Rejected",
        code=f"{told_by} {first.code}".strip(),
        path=first.place,
        message=f"the partner refused {name} ({row.file}): {reasons}; mend the cause, then replay to send it anew",
        fingerprint=f"{row.account}:rejected:{row.kind}:{first.place}:{first.code}",
        origin="partner",
    )
