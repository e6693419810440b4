"""Are the credentials right, and do they reach far enough?

Source: Walmart authentication OpenAPI document, GET /v3/token/detail (2026-06): `scopes` by API
with full_access, view_only or no_access; `expire_at` is epoch milliseconds as a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.sdk.contract import CheckReport
from connectors.sdk.errors import AuthFailed, AuthReason, Transient
from connectors.walmart.api import Api
from connectors.walmart.settings import Settings
from connectors.walmart.wire import from_millis

DETAIL_PATH: Final = "/v3/token/detail"
NEEDED: Final[Mapping[str, str]] = {
    "orders": "full_access",
    "inventory": "full_access",
    "feeds": "full_access",
    "returns": "view_only",
}
_RANK: Final = {"no_access": 0, "view_only": 1, "full_access": 2}


async def check(api: Api, settings: Settings) -> CheckReport:
    """One login and one read.

    Raises:
        AuthFailed: Wrong credentials, or credentials that lack a scope (the message names them).
        Transient: Walmart is down.
    """
    answer = await api.get(DETAIL_PATH, kind="token.detail", budget="token")
    body = answer.json()
    if not isinstance(body, Mapping):
        raise Transient("token.detail: the answer is no token detail", code="unexpected_body", status=answer.status)
    if body.get("is_valid") is False:
        raise AuthFailed("Walmart calls the token invalid", reason=AuthReason.REVOKED, code="token_invalid")
    scopes = body.get("scopes")
    granted = {str(name): str(level) for name, level in scopes.items()} if isinstance(scopes, Mapping) else {}
    lacking = [
        f"{name} ({granted[name]} instead of {level})"
        for name, level in NEEDED.items()
        if name in granted and _RANK.get(granted[name], 0) < _RANK[level]
    ]
    if lacking:
        message = f"the API key lacks access to {', '.join(lacking)}; widen it in Walmart's Developer Portal"
        raise AuthFailed(message, reason=AuthReason.SCOPE, code="scope", correlation_id=answer.correlation_id)
    return CheckReport(
        who=f"Walmart {settings.market.upper()} seller",
        detail=_detail(body, granted),
        warnings=_warnings(body, settings, granted),
    )


def _detail(body: Mapping[str, object], granted: Mapping[str, str]) -> dict[str, str]:
    detail = {f"scope {name}": level for name, level in sorted(granted.items())}
    ends = from_millis(body.get("expire_at"))
    return detail | ({"token until": ends.isoformat()} if ends else {})


def _warnings(body: Mapping[str, object], settings: Settings, granted: Mapping[str, str]) -> list[str]:
    warnings = [f"Walmart does not say whether {name} may be used" for name in NEEDED if name not in granted]
    if body.get("is_channel_match") is False:
        warnings.append("Walmart says that the channel type does not belong to this key (options.channel_type)")
    if not settings.webhook_secrets:
        warnings.append("credentials.webhook_secret is not set: orders are found by polling only")
    return warnings
