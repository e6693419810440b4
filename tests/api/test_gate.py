"""The operator API lets in who holds a live token, and only as far as its role goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from hub.api.auth import Gate, Role, mint
from hub.api.problem import Problem
from hub.ports.store import ApiToken

DAY = 86_400_000_000


@dataclass
class Book:
    tokens: list[ApiToken] = field(default_factory=list)
    now: int = 1_000 * DAY
    loads: int = 0

    async def load(self) -> list[ApiToken]:
        self.loads += 1
        return list(self.tokens)

    def add(self, role: str = "viewer") -> str:
        value, digest = mint()
        self.tokens.append(ApiToken(f"t{len(self.tokens)}", digest, role, "", self.now, self.now + 90 * DAY))
        return value


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def gate(book: Book) -> Gate:
    return Gate(book.load, lambda: book.now)


async def test_a_live_token_gives_its_role(book: Book, gate: Gate) -> None:
    """The caller carries the token's role and is named by the token's id, never by the token."""
    value = book.add("operator")
    caller = await gate.caller(f"Bearer {value}", "10.0.0.1")
    assert caller.role is Role.OPERATOR
    assert value not in repr(caller)
    caller.require(Role.VIEWER)
    with pytest.raises(Problem) as refused:
        caller.require(Role.ADMIN)
    assert refused.value.status == 403


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer hub_wrong", "Basic abc"])
async def test_no_or_wrong_token_is_401(book: Book, gate: Gate, header: str | None) -> None:
    """Nothing but a known token opens the gate."""
    book.add()
    with pytest.raises(Problem) as refused:
        await gate.caller(header, "10.0.0.1")
    assert refused.value.status == 401


async def test_expired_and_revoked_tokens_are_401_within_seconds(book: Book, gate: Gate) -> None:
    """Revocation takes effect at the next reload, at most five seconds later."""
    value = book.add()
    await gate.caller(f"Bearer {value}", "10.0.0.1")
    book.tokens[0] = replace(book.tokens[0], revoked_at=book.now)
    book.now += 5_000_000
    with pytest.raises(Problem):
        await gate.caller(f"Bearer {value}", "10.0.0.1")
    late = book.add()
    book.now += 91 * DAY
    with pytest.raises(Problem):
        await gate.caller(f"Bearer {late}", "10.0.0.2")


async def test_ten_wrong_tokens_lock_a_source_for_a_minute_and_no_other(book: Book, gate: Gate) -> None:
    """Guessing is stopped per source; a good token from elsewhere still works, and time unlocks."""
    value = book.add()
    for _ in range(10):
        with pytest.raises(Problem):
            await gate.caller("Bearer hub_guess", "10.0.0.9")
    with pytest.raises(Problem) as locked:
        await gate.caller(f"Bearer {value}", "10.0.0.9")
    assert locked.value.status == 429
    assert (await gate.caller(f"Bearer {value}", "10.0.0.1")).role is Role.VIEWER
    book.now += 61_000_000
    assert (await gate.caller(f"Bearer {value}", "10.0.0.9")).role is Role.VIEWER


async def test_the_store_is_not_asked_for_every_request(book: Book, gate: Gate) -> None:
    """A thousand requests within the trust window cost one load."""
    value = book.add()
    for _ in range(1000):
        await gate.caller(f"Bearer {value}", "10.0.0.1")
    assert book.loads == 1
