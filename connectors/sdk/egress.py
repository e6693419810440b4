"""Where the hub may connect to. An operator's base URL is trusted; an address out of a payload is not.

An untrusted URL must be https on an allowed port, and every address its name resolves to must be
public. It is resolved once and the connection goes to that very address, so a name that changes
its mind between the check and the connect gains nothing. Redirects are never followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from connectors.sdk.errors import Rejected, Transient

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → every address of the host; raises `OSError` when there is none."""

PORTS_ALLOWED: Final = frozenset({443, 8443})
URL_LENGTH_MAX: Final = 8_192
_LOOPBACK_NAMES: Final = frozenset({"localhost"})
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Source: RFC 6052 section 2.1 (October 2010); the address behind it is what counts.

_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
# Spelt out because what a Python release calls global has changed with its patch level. Tunnels
# (6to4, Teredo) are refused whole: nobody serves reports from there.
# Source: IANA IPv4 and IPv6 special-purpose address registries (read 2026-11).

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be called; `address` None leaves the resolving to the connection."""

    url: httpx.URL
    address: str | None = None


async def system_resolver(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def check_base_url(url: str, *, key: str = "base_url") -> httpx.URL:
    """An operator's address of a vendor: https anywhere, or plain http on this machine (a sandbox).

    Raises:
        ValueError: With the configuration key and what is wrong.
    """
    parsed = _parse(url)
    if parsed is None or not parsed.host:
        raise ValueError(f"{key}: {url!r} is not a URL with a host")
    if parsed.userinfo:
        raise ValueError(f"{key}: credentials do not belong into the URL")
    if parsed.query or parsed.fragment:
        raise ValueError(f"{key}: {url!r} must not carry a query or a fragment")
    if parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(parsed.host)):
        return parsed
    raise ValueError(f"{key}: {url!r} must be https (plain http only to this machine, for a sandbox)")


def origin_of(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, _port(url)


async def allow(
    url: str,
    *,
    trusted: Iterable[httpx.URL] = (),
    resolver: Resolver | None = system_resolver,
    ports: frozenset[int] = PORTS_ALLOWED,
) -> Target:
    """Decide about a URL somebody else gave us (a report to fetch, a callback, a label).

    Args:
        trusted: The account's own addresses; the same scheme, host and port pass without a check.
        resolver: None skips resolving, for tests whose transport has no network.

    Raises:
        Rejected: Not https, a port outside the list, or an address that is not public.
        Transient: The name does not resolve at the moment.
    """
    parsed = _parse(url)
    if parsed is None or not parsed.host:
        raise Rejected("the URL to fetch is malformed", code="url_refused")
    if origin_of(parsed) in {origin_of(base) for base in trusted}:
        return Target(parsed)
    if parsed.scheme != "https":
        raise Rejected("the URL to fetch is not https", code="url_refused")
    if parsed.userinfo:
        raise Rejected("the URL to fetch carries credentials", code="url_refused")
    if _port(parsed) not in ports:
        raise Rejected(f"the URL to fetch uses port {_port(parsed)}", code="url_refused")
    literal = _literal(parsed.host)
    if literal is not None:
        return Target(parsed, _public([literal]))
    if _looks_numeric(parsed.host):
        # 127.1, 0x7f000001 and 2130706433 are addresses to some resolvers and names to others.
        raise Rejected("the URL to fetch has a host that is a disguised number", code="url_refused")
    if resolver is None:
        return Target(parsed)
    return Target(parsed, _public(await _resolve(resolver, parsed)))


def is_public(address: Address) -> bool:
    """Reachable by anyone on the internet, also after unwrapping an address that carries another one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def _public(addresses: Sequence[Address]) -> str:
    """All of them, since which one is used would otherwise be the attacker's choice."""
    if not addresses:
        raise Transient("the host of the URL to fetch has no address", code="dns")
    if not all(is_public(address) for address in addresses):
        raise Rejected("the URL to fetch leads to an address that is not public", code="url_refused")
    return str(addresses[0])


async def _resolve(resolver: Resolver, url: httpx.URL) -> Sequence[Address]:
    try:
        found = await resolver(url.host, _port(url))
    except (OSError, UnicodeError) as error:
        raise Transient("the host of the URL to fetch does not resolve", code="dns") from error
    addresses = [_literal(text) for text in found]
    if any(address is None for address in addresses):
        raise Rejected("the URL to fetch leads to an address that is not public", code="url_refused")
    return [address for address in addresses if address is not None]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _looks_numeric(host: str) -> bool:
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or (last.startswith("0x") and all(digit in "0123456789abcdef" for digit in last[2:]))


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return literal.is_loopback if literal is not None else host in _LOOPBACK_NAMES


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _parse(url: str) -> httpx.URL | None:
    if len(url) > URL_LENGTH_MAX or any(ord(sign) <= 32 or ord(sign) == 127 for sign in url):
        return None
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return None
