"""Authorizers for logins that never change: an API key in a header of its own, or a pair in `Authorization`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.sdk.login import basic
from connectors.sdk.ports import Secret


class FixedHeader:
    """The same header with every call to the account's own address; a refusal is final."""

    def __init__(self, name: str, value: Callable[[], str]) -> None:
        self._name = name
        self._value = value

    async def headers(self) -> Mapping[str, str]:
        return {self._name: self._value()}

    def refused(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - named by the protocol
        return False


def key_header(name: str, key: Secret) -> FixedHeader:
    """An API key under the header the vendor reads it from."""
    return FixedHeader(name.lower(), key.reveal)


def basic_header(user: Secret, password: Secret) -> FixedHeader:
    """User and password, as RFC 7617 has it."""
    return FixedHeader("authorization", lambda: basic(user, password))
