"""Replays are paced by what they spend, not by a budget they never touch."""

from __future__ import annotations

import pytest

from connectors import registry
from connectors.sdk.manifest import Budget
from hub.delivery.lanes import REPLAY_SHARE, UNDECLARED_RATE, replay_rate

BUDGETS = (Budget("search", rate=0.005, burst=20), Budget("read", rate=0.5, burst=30), Budget("write", rate=5, burst=5))


def test_the_tightest_budget_paces_replays() -> None:
    """A quarter of it; without any declared, a quarter of a guess."""
    assert replay_rate(BUDGETS) == REPLAY_SHARE * 0.005
    assert replay_rate(()) == REPLAY_SHARE * UNDECLARED_RATE


def test_a_manifest_may_name_those_that_replays_spend() -> None:
    """A search granted once in three minutes would stretch ten replays over hours."""
    assert replay_rate(BUDGETS, ("read", "write")) == REPLAY_SHARE * 0.5


@pytest.mark.parametrize("connector", registry.names())
def test_the_budgets_named_are_declared(connector: str) -> None:
    """A name that is none of the manifest's would silently pace nothing."""
    manifest = registry.get(connector).manifest
    assert set(manifest.replay_budgets) <= {budget.name for budget in manifest.budgets}
    assert replay_rate(manifest.budgets, manifest.replay_budgets) >= 0.05 or connector != "amazon"
