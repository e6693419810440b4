"""Names under which mappings ship."""

from __future__ import annotations

from connectors import registry


def known_mappings() -> tuple[str, ...]:
    """Every connector, and `edi`, whose mappings read partners' files whatever carried them."""
    return tuple(sorted({*registry.names(), "edi"}))
