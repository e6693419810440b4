"""Tokens are fetched once for everybody, renewed early, kept over a restart, and never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from connectors.sdk.auth import OAuthTokens, Token
from connectors.sdk.clock import ManualClock, MemoryTokens
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Transient
from connectors.sdk.ports import Secret

Account = Callable[..., AccountContext]


class Vendor:
    """Gives numbered tokens; `failing` is raised instead, `gate` holds answers back."""

    def __init__(self, life_s: float | None = 600) -> None:
        self.fetched = 0
        self.life_s = life_s
        self.failing: ConnectorError | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self) -> Token:
        self.fetched += 1
        number = self.fetched
        if self.gate is not None:
            await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        return Token(f"token-{number}", self.life_s, {"scope": "all"})


async def test_many_tasks_fetch_once(account: Account) -> None:
    """A hundred tasks that ask at once cost one login."""
    vendor = Vendor()
    vendor.gate = asyncio.Event()
    tokens = OAuthTokens(account(), "access", vendor)
    tasks = [asyncio.create_task(tokens.get()) for _ in range(100)]
    await asyncio.sleep(0)
    vendor.gate.set()
    assert set(await asyncio.gather(*tasks)) == {"token-1"}
    assert vendor.fetched == 1


async def test_a_failure_is_shared(account: Account) -> None:
    """A wrong secret is tried once, not once per waiting task; the next round tries again."""
    vendor = Vendor()
    vendor.gate = asyncio.Event()
    vendor.failing = AuthFailed("wrong")
    tokens = OAuthTokens(account(), "access", vendor)
    tasks = [asyncio.create_task(tokens.get()) for _ in range(20)]
    await asyncio.sleep(0)
    vendor.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, AuthFailed) for outcome in outcomes)
    assert vendor.fetched == 1
    vendor.failing = None
    assert await tokens.get() == "token-2"


async def test_a_cancelled_fetch_hands_over(account: Account) -> None:
    """The task that fetches is cancelled: the next waiter fetches, nobody hangs."""
    vendor = Vendor()
    vendor.gate = asyncio.Event()
    tokens = OAuthTokens(account(), "access", vendor)
    first = asyncio.create_task(tokens.get())
    second = asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    vendor.gate.set()
    assert await second == "token-2"
    assert first.cancelled()


async def test_renewed_before_it_ends(account: Account, clock: ManualClock) -> None:
    """A token is renewed two minutes early, or a fifth of a short life."""
    vendor = Vendor(life_s=600)
    tokens = OAuthTokens(account(), "access", vendor)
    assert await tokens.get() == "token-1"
    clock.advance(479)
    assert await tokens.get() == "token-1"
    clock.advance(2)
    assert await tokens.get() == "token-2"


@pytest.mark.parametrize("trouble", [Transient("down"), RateLimited("busy")])
async def test_a_vendor_that_is_down_costs_nothing_while_the_token_is_good(
    account: Account, clock: ManualClock, trouble: ConnectorError
) -> None:
    """Early renewal may fail; the old token serves until it ends, asked again every half minute."""
    vendor = Vendor(life_s=600)
    tokens = OAuthTokens(account(), "access", vendor)
    await tokens.get()
    clock.advance(500)
    vendor.failing = trouble
    for _ in range(5):
        assert await tokens.get() == "token-1"
    assert vendor.fetched == 2
    clock.advance(101)
    with pytest.raises(type(trouble)):
        await tokens.get()


async def test_kept_over_a_restart(account: Account, clock: ManualClock) -> None:
    """A second instance with the same store and login uses the stored token and its extras."""
    store, vendor = MemoryTokens(), Vendor()
    await OAuthTokens(account(tokens=store), "access", vendor).get()
    clock.advance(60)
    again = OAuthTokens(account(tokens=store), "access", vendor)
    assert await again.get() == "token-1"
    assert again.kept == {"scope": "all"}
    assert vendor.fetched == 1


async def test_changed_credentials_mean_a_new_login(account: Account) -> None:
    """A stored token of other credentials is not used."""
    store, vendor = MemoryTokens(), Vendor()
    await OAuthTokens(account(tokens=store), "access", vendor).get()
    rotated = account(tokens=store, credentials={"client_id": Secret("id-1"), "client_secret": Secret("newer")})
    assert await OAuthTokens(rotated, "access", vendor).get() == "token-2"


@pytest.mark.parametrize("odd", [{}, {"value": ""}, {"expires_at": "soon"}, {"expires_at": "2026-01-05T12:00:00"}])
async def test_an_odd_stored_record_is_worth_one_login(account: Account, odd: dict[str, str]) -> None:
    """What cannot be read is fetched anew instead of failing."""
    store, vendor = MemoryTokens(), Vendor()
    await OAuthTokens(account(tokens=store), "access", vendor).get()
    stored = dict(await store.load("access") or {})
    await store.save("access", {**stored, **odd} if odd else {})
    assert await OAuthTokens(account(tokens=store), "access", vendor).get() == ("token-2")


async def test_invalidating_drops_that_token_only(account: Account) -> None:
    """A late report about an old token does not throw away its successor."""
    vendor = Vendor(life_s=None)
    tokens = OAuthTokens(account(), "access", vendor)
    first = await tokens.get()
    tokens.invalidate(first)
    assert await tokens.get() == "token-2"
    tokens.invalidate(first)
    assert await tokens.get() == "token-2"


async def test_tokens_are_not_shown(account: Account) -> None:
    """Neither the token nor its keeper shows the value."""
    tokens = OAuthTokens(account(), "access", Vendor())
    await tokens.get()
    assert "token-1" not in f"{tokens!r} {tokens._held!r} {Token('token-1', 5)!r}"
