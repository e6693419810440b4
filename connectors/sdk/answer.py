"""One call and what came back, as connectors and their error tables see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.sdk import exact
from connectors.sdk.errors import ConnectorError, InDoubt, RateLimited, Transient


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before anything is known of its answer. `target` has no query: it may be logged."""

    method: str
    url: str = field(repr=False)
    target: str
    kind: str
    write: bool = False
    keyed: bool = False
    units: float = 1.0
    """What it takes from `budget`."""
    budget: str = "default"

    @property
    def repeatable(self) -> bool:
        """Sending it again changes nothing more: a read, or a write the vendor recognises by its key."""
        return self.keyed or not self.write

    def lost(self, message: str, **facts: Any) -> ConnectorError:
        """The error for a call that may have been carried out without a trustworthy answer."""
        return Transient(message, **facts) if self.repeatable else InDoubt(message, **facts)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status, its body decoded from the transfer encoding and read to the end."""

    call: Call
    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)
    elapsed_s: float
    correlation_id: str | None = None
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body; decimals are `Decimal` with their scale, integers exact, never a float.

        Raises:
            Transient, InDoubt: The body is no JSON (a proxy's page, a cut-off answer), so nothing
                trustworthy was said.
        """
        try:
            return exact.loads(self.content)
        except exact.NotJson as error:
            raise self.call.lost(
                f"{self.call.kind}: the answer is not JSON",
                code="not_json",
                status=self.status,
                correlation_id=self.correlation_id,
            ) from error

    def json_or_none(self) -> Any:
        """As `json`, for error tables that must cope with any body."""
        try:
            return exact.loads(self.content)
        except exact.NotJson:
            return None

    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def header(self, name: str) -> str | None:
        value = self.headers.get(name)
        return value if value is None else str(value)

    def facts(self, code: str = "") -> Mapping[str, Any]:
        """The keyword arguments every error made from this answer carries."""
        return {"code": code, "status": self.status, "correlation_id": self.correlation_id}


def by_status(answer: Answer, message: str, code: str = "") -> ConnectorError | None:
    """What the status alone says about weather and limits; None where the vendor's table must speak.

    A 5xx that names a time to come back is a limit like any other; without one it is weather, or
    doubt when the write cannot be repeated.
    """
    facts = answer.facts(code)
    if answer.status == 429:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    if answer.status in (408, 425) or answer.status >= 500:
        if answer.status >= 500 and answer.retry_after_s is not None and answer.call.repeatable:
            return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
        return answer.call.lost(message, **facts)
    return None
