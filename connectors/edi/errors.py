"""From what a partner's side answers to what the engine does next.

A mailbox's own errors are classified where they happen (`transport.folder`, `transport.sftp_login`), a status of an
AS2 server in `transport.as2.sending`. Here stands what a receipt means.

Source: RFC 4130 sections 7.4 and 7.5 (2005-07).
"""

from __future__ import annotations

from typing import Final

from connectors.edi.transport.as2.sending import Sent, State
from connectors.sdk.contract import EffectResult
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, Transient

RECEIPT_AWAITED: Final = "as2_receipt_awaited"
UNPROVEN: Final = "as2_unproven"
REFUSED: Final = "as2_refused"


def judged(sent: Sent, message_id: str) -> EffectResult:
    """A confirmed or, where none was agreed, unacknowledged sending.

    Raises:
        Rejected: The partner has the message and did not take it.
        InDoubt: The partner took it over and owes the receipt.
        Transient: The answer proves nothing; the same message may be sent again under its Message-ID.
    """
    if sent.state is State.CONFIRMED:
        return EffectResult(vendor_id=message_id, note=f"receipt confirms{': ' + sent.reason if sent.reason else ''}")
    if sent.state is State.SENT:
        return EffectResult(vendor_id=message_id, note="no receipt was agreed")
    raise _error(sent)


def _error(sent: Sent) -> ConnectorError:
    if sent.state is State.REFUSED:
        return Rejected(f"the partner's receipt refuses the message: {sent.reason}", code=REFUSED)
    if sent.state is State.AWAITED:
        return InDoubt("the partner took the message over; its receipt is awaited", code=RECEIPT_AWAITED)
    return Transient(f"the partner's answer proves nothing: {sent.reason}", code=UNPROVEN)


def one_of_many(failed: dict[str, ConnectorError]) -> Rejected:
    """Files that could not be taken while others could: told without stopping the account for one file's rights."""
    name, error = next(iter(failed.items()))
    others = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    return Rejected(f"{error.message or name}{others}; the file stays where it is", code=error.code or "file_not_taken")
