"""Every error Walmart is known to answer asks for one decision, whatever shape its body has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

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
from connectors.walmart.errors import classify, faults, wait_s
from tests.support.walmart_payloads import errors


@dataclass
class FakeAnswer:
    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    correlation_id: str | None = "c-1"


@dataclass
class FakeCall:
    write: bool = False
    keyed: bool = False


XML_TWIN = (
    b'\xef\xbb\xbf<?xml version="1.0"?><ns2:errors xmlns:ns2="http://walmart.com/"><ns2:error>'
    b"<ns2:code>UNAUTHORIZED.GMP_GATEWAY_API</ns2:code><ns2:description>Unauthorized</ns2:description>"
    b"</ns2:error></ns2:errors>"
)
TABLE: list[tuple[int, str, type[ConnectorError]]] = [
    (400, "INVALID_REQUEST_CONTENT.GMP_ORDER_API", Rejected),
    (400, "CONTENT_NOT_FOUND.GMP_INVENTORY_API", TargetMissing),
    (401, "UNAUTHORIZED.GMP_GATEWAY_API", AuthFailed),
    (403, "FORBIDDEN.GMP_GATEWAY_API", AuthFailed),
    (404, "CONTENT_NOT_FOUND.GMP_ORDER_API", TargetMissing),
    (409, "CONFLICT.GMP_ORDER_API", Conflict),
    (413, "PAYLOAD_TOO_LARGE.GMP_ITEM_INGESTOR_API", Rejected),
    (429, "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API", RateLimited),
    (500, "SYSTEM_ERROR.GMP_GATEWAY_API", Transient),
    (503, "", Transient),
]


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(("status", "code", "kind"), TABLE)
def test_each_row_of_the_table(status: int, code: str, kind: type[ConnectorError], nested: bool) -> None:
    body = json.dumps(errors(code, "what went wrong", nested=nested)).encode() if code else b""
    error = classify(FakeAnswer(status, body), FakeCall())
    assert type(error) is kind
    assert error.status == status
    assert error.correlation_id == "c-1"
    assert error.code == (code or f"HTTP_{status}")


def test_a_good_answer_is_no_error() -> None:
    assert classify(FakeAnswer(200, b"{}"), FakeCall()) is None


def test_the_xml_twin_says_the_same() -> None:
    error = classify(FakeAnswer(401, XML_TWIN), FakeCall())
    assert isinstance(error, AuthFailed)
    assert error.code == "UNAUTHORIZED.GMP_GATEWAY_API"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"<a>", b'<!DOCTYPE x [<!ENTITY a "b">]><errors/>', b"[]", b"null", b'{"errors": null}']
)
def test_a_body_without_an_error_gives_no_rows(body: bytes) -> None:
    assert faults(body) == []


def test_an_encoding_hides_no_document_type() -> None:
    bomb = '<!DOCTYPE e [<!ENTITY a "boom">]><errors><error><code>&a;</code></error></errors>'
    assert faults(bomb.encode("utf-16-le")) == []


def test_a_system_error_is_weather_for_reads_and_doubt_for_writes_without_a_key() -> None:
    answer = FakeAnswer(400, json.dumps(errors("ODD.GMP_ORDER_API", "busy", category="SYSTEM")).encode())
    assert isinstance(classify(answer, FakeCall()), Transient)
    assert isinstance(classify(answer, FakeCall(write=True, keyed=True)), Transient)
    assert isinstance(classify(answer, FakeCall(write=True)), InDoubt)


def test_a_missing_scope_is_told_from_wrong_credentials() -> None:
    denied = classify(FakeAnswer(403), FakeCall())
    wrong = classify(FakeAnswer(401), FakeCall())
    assert isinstance(denied, AuthFailed)
    assert denied.reason is AuthReason.SCOPE
    assert isinstance(wrong, AuthFailed)
    assert wrong.reason is AuthReason.CREDENTIALS


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"X-Next-Replenishment-Time": "1767614430000"}, 30.0),
        ({"x-next-replenishment-time": "2026-01-05T12:00:30Z"}, 30.0),
        ({"X-Next-Replenishment-Time": "1000"}, 0.0),
        ({"Retry-After": "9999999"}, 86_400.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "\u00b2"}, None),
        ({"X-Next-Replenishment-Time": "99999999999999999999"}, None),
        ({"X-Next-Replenishment-Time": "0001-01-01T00:00:00+14:00"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_walmarts_own(headers: dict[str, str], expected: float | None) -> None:
    assert wait_s(headers, datetime(2026, 1, 5, 12, tzinfo=UTC)) == expected


def test_without_a_clock_the_answers_date_counts() -> None:
    headers = {"X-Next-Replenishment-Time": "1767614430000", "Date": "Mon, 05 Jan 2026 12:00:00 GMT"}
    assert wait_s(headers) == 30.0
