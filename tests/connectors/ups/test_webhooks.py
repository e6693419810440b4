"""Track Alert's pushes are believed by the proof agreed on with UPS, and by nothing else."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import WebhookReply
from connectors.sdk.errors import SignatureInvalid
from connectors.ups import CONNECTOR
from tests.support.carriers import context, incoming

PAIR = {"webhook_client_id": "ups-at-ours", "webhook_secret": "s3cret:with colon"}
SECTION = {"credentials": {"client_id": "id", "client_secret": "secret", **PAIR}}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVENT = json.dumps({"trackingNumber": "1Z5R89390357567127", "activityStatus": {"type": "D"}}).encode()
FORM = "application/x-www-form-urlencoded"


def opened(section: dict[str, Any] = SECTION) -> Any:
    return CONNECTOR.open(context(ManualClock(), section))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def asked(connector: Any, header: str | None, **form: str) -> WebhookReply:
    fields = {"grant_type": "client_credentials", **form}
    headers = {"Content-Type": f"{FORM}; charset=utf-8"} | ({"Authorization": header} if header else {})
    reply = connector.challenge(incoming(urlencode(fields).encode(), headers, NOW))
    assert reply is not None
    return reply


def token(connector: Any) -> str:
    reply = asked(connector, basic(PAIR["webhook_client_id"], PAIR["webhook_secret"]))
    assert reply.status == 200
    body = json.loads(reply.body)
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    return str(body["access_token"])


def event(bearer: str, at: datetime = NOW, key: str = PAIR["webhook_client_id"]) -> Any:
    headers = {"Authorization": f"Bearer {bearer}", "x-api-key": key, "Content-Type": "application/json"}
    return incoming(EVENT, headers, at)


def test_ups_logs_in_here_and_is_believed() -> None:
    """The pair given to UPS buys a token, and the token is good for events until its hour is over."""
    connector = opened()
    bearer = token(connector)
    connector.verify(event(bearer))
    connector.verify(event(bearer, NOW + timedelta(minutes=59)))
    with pytest.raises(SignatureInvalid, match="ended"):
        connector.verify(event(bearer, NOW + timedelta(minutes=61)))


def test_a_token_outlives_a_restart_and_a_change_of_secret() -> None:
    """Nothing is remembered: another process believes the token, and so does one to which the secret is the former."""
    bearer = token(opened())
    opened().verify(event(bearer))
    later = {"webhook_secret": "newer", "webhook_secret_previous": PAIR["webhook_secret"]}
    opened({"credentials": {**SECTION["credentials"], **later}}).verify(event(bearer))
    with pytest.raises(SignatureInvalid):
        opened({"credentials": {**SECTION["credentials"], "webhook_secret": "newer"}}).verify(event(bearer))


def test_every_login_has_a_token_of_its_own() -> None:
    """Two logins in the same second give two tokens."""
    connector = opened()
    assert token(connector) != token(connector)


@pytest.mark.parametrize(
    ("header", "form", "status", "code"),
    [
        (None, {}, 401, "invalid_client"),
        (basic("ups-at-ours", "wrong"), {}, 401, "invalid_client"),
        (basic("somebody", PAIR["webhook_secret"]), {}, 401, "invalid_client"),
        ("Basic %%%", {}, 401, "invalid_client"),
        (basic(*PAIR.values()), {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (None, {"client_id": "ups-at-ours", "client_secret": PAIR["webhook_secret"]}, 200, None),
    ],
)
def test_only_the_pair_buys_a_token(header: str | None, form: dict[str, str], status: int, code: str | None) -> None:
    """In the header or, as RFC 6749 also allows, in the form; anything else is refused in the standard's words."""
    reply = asked(opened(), header, **form)
    assert reply.status == status
    assert json.loads(reply.body).get("error") == code


@pytest.mark.parametrize("change", ["key", "token", "ends", "scheme", "none"])
def test_any_other_proof_is_refused(change: str) -> None:
    """Another client id, a token not issued here, a later end written into it, another scheme, no proof at all."""
    connector = opened()
    bearer = token(connector)
    _, rest = bearer.split(".", 1)
    request = {
        "key": lambda: event(bearer, key="another"),
        "token": lambda: event(bearer[:-1] + ("0" if bearer[-1] != "0" else "1")),
        "ends": lambda: event(f"{int(NOW.timestamp()) + 999_999}.{rest}"),
        "scheme": lambda: incoming(EVENT, {"Authorization": f"Basic {bearer}", "x-api-key": "ups-at-ours"}, NOW),
        "none": lambda: incoming(EVENT, {}, NOW),
    }[change]()
    with pytest.raises(SignatureInvalid):
        connector.verify(request)


def test_a_fixed_credential_where_that_was_agreed() -> None:
    """`webhook_auth: credential` compares the header; there is then nothing to log in at."""
    section = {
        "credentials": {"client_id": "id", "client_secret": "secret", "webhook_secret": "agreed"},
        "options": {"webhook_auth": "credential"},
    }
    connector = opened(section)
    connector.verify(incoming(EVENT, {"credential": "agreed"}, NOW))
    for headers in ({"credential": "Agreed"}, {}, {"Authorization": "Bearer agreed"}):
        with pytest.raises(SignatureInvalid):
            connector.verify(incoming(EVENT, headers, NOW))
    assert asked(connector, basic("", "agreed")).status == 401


def test_without_a_secret_nobody_is_believed_and_nothing_is_issued() -> None:
    """An account that polls only refuses every event and every login."""
    connector = opened({"credentials": {"client_id": "id", "client_secret": "secret"}})
    with pytest.raises(SignatureInvalid):
        connector.verify(incoming(EVENT, {"credential": ""}, NOW))
    assert asked(connector, basic("", "")).status == 401


def test_an_alert_is_one_envelope_in_its_parcels_lane() -> None:
    """Named by its bytes, since UPS gives no id; dated by its GMT time."""
    body = json.dumps(
        {"trackingNumber": "1Z5R89390357567127", "gmtActivityDate": "20261105", "gmtActivityTime": "145004"}
    ).encode()
    (envelope,) = opened().envelopes(incoming(body, {}))
    assert (envelope.topic, envelope.ordering_key) == ("track_alert", "parcel:1Z5R89390357567127")
    assert envelope.occurred_at == datetime(2026, 11, 5, 14, 50, 4, tzinfo=UTC)
    (again,) = opened().envelopes(incoming(body, {}))
    (other,) = opened().envelopes(incoming(body + b" ", {}))
    assert again.dedupe_key == envelope.dedupe_key != other.dedupe_key
