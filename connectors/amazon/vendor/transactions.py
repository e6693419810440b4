"""Submissions: 202 says that a transaction was opened, and only its end says whether it was accepted.

Source: vendorTransactionStatus and vendorDirectFulfillmentTransactions_2021-12-28 models (2026-08): Processing,
Success or Failure; retail wraps its answers in `payload`, direct fulfilment of 2021 does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from connectors.amazon.api import Api, escaped
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer

RETAIL_PATH: Final = "/vendor/transactions/v1/transactions"
DIRECT_PATH: Final = "/vendor/directFulfillment/transactions/2021-12-28/transactions"
PATIENCE_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Waits between looks while an effect is being sent; what takes longer is settled later by asking again."""


class State(StrEnum):
    PROCESSING = "Processing"
    SUCCESS = "Success"
    FAILURE = "Failure"


@dataclass(frozen=True, slots=True)
class Issue:
    """One error of a failed transaction. `details` may name the item it is about."""

    code: str
    message: str
    details: str = ""

    def names(self, item: str) -> bool:
        """Whether it is about that item; an identifier that is part of a longer one does not count."""
        words = {word.strip("\"'.,;:()[]") for word in f"{self.message} {self.details}".split()}
        return bool(item) and (item == self.details.strip() or item in words)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Where a submission stands. `direct` says which of the two programmes it belongs to."""

    id: str
    direct: bool
    state: State = State.PROCESSING
    issues: tuple[Issue, ...] = ()

    def refusal(self) -> Rejected:
        """The error of a transaction that failed, in Amazon's own words."""
        told = "; ".join(f"{issue.message} {issue.details}".strip() for issue in self.issues)
        first = self.issues[0].code if self.issues else ""
        return Rejected(f"Amazon refused transaction {self.id}: {told or 'no reason given'}", code=first or "failure")


def opened(answer: Answer, *, direct: bool) -> Transaction:
    """The transaction a submission opened.

    Raises:
        InDoubt: The answer is a yes without an id: nothing can be asked about it.
    """
    body = answer.json_or_none()
    holder = body.get("payload", body) if isinstance(body, Mapping) else None
    name = holder.get("transactionId") if isinstance(holder, Mapping) else None
    if not isinstance(name, str) or not name:
        raise InDoubt(
            f"{answer.call.kind}: taken in, yet the answer names no transaction", **answer.facts("no_transaction")
        )
    return Transaction(name, direct)


async def look(api: Api, transaction: Transaction) -> Transaction:
    """Where it stands now. One Amazon does not show yet is still being processed.

    Raises:
        Transient: The answer says nothing about a transaction.
    """
    path, operation = (
        (DIRECT_PATH, "direct.getTransactionStatus") if transaction.direct else (RETAIL_PATH, "getTransaction")
    )
    try:
        answer = await api.request("GET", f"{path}/{escaped(transaction.id)}", operation=operation)
    except TargetMissing:
        return transaction
    body = answer.json()
    holder = body.get("payload", body) if isinstance(body, Mapping) else None
    found = holder.get("transactionStatus") if isinstance(holder, Mapping) else None
    state = found.get("status") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or state not in set(State):
        raise Transient(f"{operation}: the answer states no status", **answer.facts("unexpected_body"))
    return Transaction(transaction.id, transaction.direct, State(str(state)), tuple(_issues(found.get("errors"))))


async def finished(ctx: AccountContext, api: Api, transaction: Transaction) -> Transaction:
    """Wait for the end of a transaction.

    Raises:
        InDoubt: It is still being processed, or cannot be asked about: what was submitted stays submitted.
    """
    current = transaction
    for wait_s in (*PATIENCE_S, 0.0):
        try:
            current = await look(api, current)
        except ConnectorError as error:
            message = f"transaction {transaction.id} was opened and cannot be asked about: {error.message}"
            raise InDoubt(message, code="transaction_unread", correlation_id=error.correlation_id) from error
        if current.state is not State.PROCESSING:
            return current
        if wait_s:
            await ctx.clock.sleep(wait_s)
    raise InDoubt(f"transaction {transaction.id} is still being processed", code="transaction_processing")


def _issues(errors: Any) -> list[Issue]:
    """Rows of an error list, bare or wrapped once more."""
    rows = errors.get("errors") if isinstance(errors, Mapping) else errors
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return []
    return [
        Issue(str(row.get("code") or ""), str(row.get("message") or ""), str(row.get("details") or ""))
        for row in rows
        if isinstance(row, Mapping)
    ]
