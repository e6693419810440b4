"""Checks of an account's section of the configuration. Each error names the key that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sdk.ports import Secret


def refuse_unknown(section: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Raises: ValueError: A key that is not among `known`, which the message lists."""
    for name in given:
        if name not in known:
            raise ValueError(f"{section}.{name}: unknown; known are {', '.join(known)}")


def secret(credentials: Mapping[str, Secret], name: str) -> Secret | None:
    """A credential; an empty one counts as absent."""
    found = credentials.get(name)
    return found if found is not None and found.reveal() else None


def required(credentials: Mapping[str, Secret], name: str, meaning: str) -> Secret:
    """Raises: ValueError: The credential is absent or empty; the message says what it is."""
    found = secret(credentials, name)
    if found is None:
        raise ValueError(f"credentials.{name}: missing; it is the {meaning}")
    return found


def choice(options: Mapping[str, Any], name: str, allowed: Sequence[str], default: str) -> str:
    """Raises: ValueError: The option is none of `allowed`."""
    value = options.get(name, default)
    if value not in allowed:
        raise ValueError(f"options.{name}: {value!r} is not one of {', '.join(allowed)}")
    return str(value)


def text(options: Mapping[str, Any], name: str) -> str | None:
    """A text without the blanks around it; None where the key is absent.

    Raises:
        ValueError: It is empty or no text.
    """
    value = options.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"options.{name}: must be a text that is not empty")
    return value.strip()
