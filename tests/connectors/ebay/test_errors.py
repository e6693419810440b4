"""Every shape of eBay's errors leads to the one decision its table names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.ebay import errors
from connectors.sdk import exact
from connectors.sdk.answer import Answer, Call
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    Conflict,
    ConnectorError,
    InDoubt,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)

READ = Call("GET", "https://x", "GET /x", "x.read")
WRITE = Call("POST", "https://x", "POST /x", "x.write", write=True)
REST = {
    "errors": [{"errorId": 25709, "category": "REQUEST", "message": "Invalid value", "parameters": [{"name": "sku"}]}]
}
POST_ORDER = {
    "error": [{"errorId": 292024, "message": "Invalid carrier", "parameter": [{"name": "carrier", "value": ""}]}]
}
WRAPPED = {"errorMessage": {"error": {"errorId": 1, "category": "REQUEST", "message": "Nested"}}}


def answer(status: int, body: Any = None, call: Call = READ, retry_after_s: float | None = None) -> Answer:
    content = body if isinstance(body, bytes) else exact.dumps(body)
    return Answer(call, status, httpx.Headers(), content, 0.1, "rlog-1", retry_after_s)


def numbered(number: int) -> dict[str, Any]:
    return {"errors": [{"errorId": number, "message": "said"}]}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, REST, Rejected),
        (400, POST_ORDER, Rejected),
        (400, WRAPPED, Rejected),
        (400, numbered(32100), TargetMissing),
        (400, numbered(25702), TargetMissing),
        (404, numbered(25710), TargetMissing),
        (404, None, TargetMissing),
        (400, numbered(25604), Transient),
        (400, numbered(34922), Transient),
        (400, numbered(30500), Transient),
        (500, numbered(25001), Transient),
        (503, b"<html>", Transient),
        (409, None, Conflict),
        (429, None, RateLimited),
        (403, numbered(2002), RateLimited),
        (401, numbered(1001), AuthFailed),
        (403, numbered(1100), AuthFailed),
        (400, b"", Rejected),
        (418, "a text", Rejected),
    ],
)
def test_the_table(status: int, body: Any, kind: type[ConnectorError]) -> None:
    """Status and error id together name the class, exactly; eBay's request id is kept."""
    error = errors.classify(answer(status, body), READ)
    assert type(error) is kind
    assert error is not None
    assert (error.status, error.correlation_id) == (status, "rlog-1")


def test_a_good_answer_is_none() -> None:
    """207 is good as a whole; its entries are judged one by one."""
    for status in (200, 201, 204, 207):
        assert errors.classify(answer(status, {}), READ) is None


def test_a_lost_write_is_doubt_and_a_refused_one_is_not() -> None:
    """5xx on a write leaves it open; a 4xx that names a passing trouble was refused before anything was done."""
    assert type(errors.classify(answer(500, None, WRITE), WRITE)) is InDoubt
    assert type(errors.classify(answer(503, None, WRITE, retry_after_s=5), WRITE)) is InDoubt
    assert type(errors.classify(answer(400, numbered(34922), WRITE), WRITE)) is Transient
    limited = errors.classify(answer(503, None, READ, retry_after_s=5), READ)
    assert isinstance(limited, RateLimited)
    assert limited.retry_after_s == 5


def test_a_scope_is_told_from_a_token() -> None:
    scope, token = (
        errors.classify(answer(status, body), READ) for status, body in ((403, numbered(1100)), (401, None))
    )
    assert isinstance(scope, AuthFailed)
    assert isinstance(token, AuthFailed)
    assert (scope.reason, token.reason) == (AuthReason.SCOPE, AuthReason.CREDENTIALS)


def test_messages_name_fields_and_no_values() -> None:
    """What was sent may be personal: parameters are named, their values are not repeated."""
    body = {"errors": [{"errorId": 1, "message": "Bad", "parameters": [{"name": "phone", "value": "555 0100"}]}]}
    error = errors.classify(answer(400, body), READ)
    assert error is not None
    assert "phone" in error.message
    assert "555" not in error.message


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"statusCode": 200}, None),
        ({"statusCode": 204}, None),
        ({"statusCode": "200"}, None),
        ({"statusCode": 200, "warnings": [{"errorId": 25401}]}, None),
        ({}, Rejected),
        ({"statusCode": 200, **numbered(25709)}, Rejected),
        ({"statusCode": 409}, Transient),
        ({"statusCode": 500, **numbered(25001)}, Transient),
        ({"statusCode": 429}, RateLimited),
    ],
)
def test_an_entry_is_judged_by_its_own_status(entry: dict[str, Any], kind: type[ConnectorError] | None) -> None:
    error = errors.entry_error(entry, answer(207), "SKU A")
    assert error is None if kind is None else type(error) is kind


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 21, 7, 0, tzinfo=UTC), 1),
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), 1),
        # The night the clocks go back has an hour more.
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25),
    ],
)
def test_ebays_day_ends_at_midnight_pacific(now: datetime, hours: int) -> None:
    assert errors.until_midnight_s(now) == hours * 3600
