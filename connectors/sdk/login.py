"""The part of an OAuth client-credentials login that is the same everywhere: reading the answer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from connectors.sdk.answer import Answer
from connectors.sdk.auth import Token
from connectors.sdk.errors import Transient
from connectors.sdk.ports import Secret
from connectors.sdk.whole import whole

KEPT_LENGTH_MAX: Final = 4_000


def basic(user: Secret, password: Secret) -> str:
    """The value of an `Authorization` header (RFC 7617)."""
    pair = f"{user.reveal()}:{password.reveal()}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def token_of(answer: Answer, *, life_s: float, keep: tuple[str, ...] = ()) -> Token:
    """The token of a good answer. `life_s` counts where it states no `expires_in`, which some write as text.

    Raises:
        Transient: There is none in it; the answer is not the vendor's.
    """
    body = answer.json()
    fields = body if isinstance(body, Mapping) else {}
    value = fields.get("access_token")
    if not isinstance(value, str) or not value:
        raise Transient(f"{answer.call.kind}: the answer holds no access token", code="no_token", status=answer.status)
    kept = {name: text for name in keep if isinstance(text := fields.get(name), str) and len(text) <= KEPT_LENGTH_MAX}
    return Token(value, float(whole(fields.get("expires_in")) or life_s), kept)
