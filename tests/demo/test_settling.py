"""The demo's verdict waits for numbers the hub will still prove by itself, for others not at all, and not for ever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub.demo import session
from hub.ports.store import LevelState


class Numbers:
    """The reading side of a hub whose one number goes through these states, one a look; the last stays."""

    def __init__(self, *states: LevelState) -> None:
        self.states = list(states)

    async def levels(self, **_: Any) -> tuple[list[Any], None]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [SimpleNamespace(state=state)], None

    async def orders(self, **_: Any) -> tuple[list[Any], None]:
        return [], None

    async def positions_at(self, *_: Any) -> list[Any]:
        return []


class NoTrade:
    """Nobody trades beside the shops."""

    letters_waiting = 0

    def orders(self) -> set[tuple[str, str]]:
        return set()

    async def is_settled(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual time is over after one look, patience not before what is waited for has come."""
    monkeypatch.setattr(session, "_QUIET_WITHIN_S", 0.05)
    monkeypatch.setattr(session, "_PATIENCE_STEP_S", 0.05)
    monkeypatch.setattr(session, "_PATIENCE_S", 60.0)


async def settled(*states: LevelState) -> tuple[LevelState, list[str]]:
    """The state when the demo stopped waiting, and what it said meanwhile."""
    numbers, said = Numbers(*states), list[str]()
    hub: Any = SimpleNamespace(queries=numbers)
    traffic: Any = SimpleNamespace(expected=dict, packing=SimpleNamespace(unconfirmed=lambda _: []))
    await session._settle(hub, {}, traffic, NoTrade(), said.append)  # type: ignore[arg-type]
    return numbers.states[0], said


async def test_a_write_that_came_to_nothing_is_waited_for() -> None:
    """Accepted, found out by its last reading, sent again, proven: the verdict is given after that."""
    way = [LevelState.ACCEPTED] * 3 + [LevelState.DRIFTED, LevelState.SENT, LevelState.VERIFIED]
    state, said = await settled(*way)
    assert state is LevelState.VERIFIED
    assert said
    assert "1 numbers are not proven" in said[0]


async def test_what_the_hub_has_given_up_is_not_waited_for() -> None:
    """A refused number stays as it is until somebody acts."""
    assert await settled(LevelState.REJECTED) == (LevelState.REJECTED, [])


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is never proven is told as unproven, not waited for until the end of days."""
    monkeypatch.setattr(session, "_PATIENCE_S", 0.5)
    state, said = await settled(LevelState.ACCEPTED)
    assert state is LevelState.ACCEPTED
    assert len(said) < 20
