"""Nothing out of a payload makes the hub connect to an address that is not public."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx
import pytest

from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.egress import allow
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import HttpClient, by_status
from connectors.sdk.transport import PINNED

BYPASSES = (
    # plain http, other schemes, odd ports, credentials
    "http://files.example/a", "ftp://files.example/a", "file:/etc/passwd", "gopher://files.example/",
    "data:text/plain,x", "https://files.example:22/a", "https://files.example:6379/", "https://files.example:80/",
    "https://user:pw@files.example/a", "//files.example/a", "https:///a", "https://", "", "not a url",
    "https://files.example/a b", "https://files.example/\r\nX: y",
    # loopback, private, link-local, metadata, carrier-grade NAT, reserved, multicast, unspecified
    "https://127.0.0.1/", "https://127.1.2.3/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://100.127.255.254/", "https://0.0.0.0/",
    "https://0.1.2.3/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/", "https://192.0.2.1/",
    "https://198.18.0.1/", "https://198.51.100.1/", "https://203.0.113.1/", "https://192.0.0.8/",
    # the same in other spellings
    "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/",
    "https://017700000001/", "https://127.0.0.1./", "https://1/", "https://10.1/",
    # IPv6: loopback, unspecified, mapped, compatible, NAT64, 6to4, Teredo, link-local, unique local, multicast
    "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/", "https://[2002:a00:1::1]/", "https://[2001:0:0:1:0:0:80ff:fffe]/", "https://[fe80::1]/",
    "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[100::1]/",
)  # fmt: skip
PRIVATE_ANSWERS: tuple[Sequence[str], ...] = (
    ["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["100.64.0.1"], ["::1"], ["fd00::1"], ["::ffff:192.168.0.1"],
    ["93.184.215.14", "127.0.0.1"], ["93.184.215.14", "fe80::1%eth0"], ["0.0.0.0"], ["nonsense"],
)  # fmt: skip
PUBLIC = "93.184.215.14"


async def public(host: str, port: int) -> Sequence[str]:
    return [PUBLIC]


@pytest.mark.parametrize("url", BYPASSES)
async def test_a_bypass_is_refused(url: str) -> None:
    """Whatever the spelling, even when the name service says the host is public."""
    with pytest.raises(Rejected) as caught:
        await allow(url, resolver=public)
    assert caught.value.code == "url_refused"


@pytest.mark.parametrize("addresses", PRIVATE_ANSWERS, ids=str)
async def test_a_name_that_leads_inside_is_refused(addresses: Sequence[str]) -> None:
    """One address that is not public is enough."""

    async def answer(host: str, port: int) -> Sequence[str]:
        return addresses

    with pytest.raises(Rejected):
        await allow("https://files.example/a", resolver=answer)


async def test_the_name_is_resolved_once_and_pinned(account: Callable[..., AccountContext]) -> None:
    """A name that changes its mind after the check is connected to where it was checked."""
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []
    pinned: list[object] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        pinned.append((request.url.host, request.headers["host"], request.extensions[PINNED]))
        return httpx.Response(503 if len(pinned) < 3 else 200)

    ctx = account(transport=httpx.MockTransport(answer))
    http = HttpClient(
        ctx,
        base_url="https://api.vendor.example",
        budgets=BudgetBook(ctx.clock),
        classify=lambda answer, call: by_status(answer, "bad"),
        resolver=rebinding,
    )
    await http.request("GET", "https://files.example/a?sig=1", kind="report.read")
    assert asked == ["files.example"]
    assert pinned == [("files.example", "files.example", PUBLIC)] * 3


@pytest.mark.parametrize(
    "url", ["https://files.example/a?x=%2F", "https://files.example:8443/a", f"https://{PUBLIC}/a"]
)
async def test_a_public_address_is_allowed(url: str) -> None:
    """The URL stays as it was, the address is the one checked."""
    target = await allow(url, resolver=public)
    assert (str(target.url), target.address) == (url, PUBLIC)


async def test_the_accounts_own_address_needs_no_check() -> None:
    """Same scheme, host and port as configured: a sandbox hands out links to itself."""
    own = httpx.URL("http://127.0.0.1:9001")
    assert (await allow("http://127.0.0.1:9001/reports/1", trusted=[own])).address is None
    for other in ("http://127.0.0.1:9002/", "http://127.0.0.1/", "https://127.0.0.1:9001/"):
        with pytest.raises(Rejected):
            await allow(other, trusted=[own], resolver=public)


async def test_a_name_service_that_fails_is_weather() -> None:
    """Not found now may be found later."""

    async def fails(host: str, port: int) -> Sequence[str]:
        raise OSError("no answer")

    with pytest.raises(Transient):
        await allow("https://files.example/a", resolver=fails)


def test_there_are_enough_bypasses() -> None:
    """The promise speaks of sixty and more."""
    assert len(BYPASSES) + len(PRIVATE_ANSWERS) >= 60
