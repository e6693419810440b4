"""The page of vendor errors says what the connectors do: it cannot be older than their tables."""

from __future__ import annotations

from connectors.sdk.errors import AuthReason
from tests.support.vendor_errors import PAGE, rendered


def test_the_page_is_what_the_connectors_decide() -> None:
    """Made anew from the connectors' tables it is the same page; else run `python -m tests.support.vendor_errors`."""
    assert PAGE.read_text(encoding="utf-8") == rendered()


def test_every_outcome_and_every_reason_has_an_example() -> None:
    """A class or a reason that no vendor error leads to would be a promise nobody keeps."""
    page = rendered()
    examples = page.partition("## Shopify")[2]
    for name in ("Transient", "RateLimited", "Rejected", "TargetMissing", "InDoubt", "Conflict"):
        assert f" {name}" in examples
    for reason in AuthReason:
        assert f"AuthFailed ({reason.value})" in examples
