"""The sandbox's own paths under `/_sandbox/`: a browser or a script plays shopper and seller."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from connectors.sdk.faults import FAULT_PROFILES, Faults

if TYPE_CHECKING:
    from connectors.sdk.sandbox import Sandbox

CONTROL_PREFIX: Final = "/_sandbox/"
EVENTS_SHOWN_MAX: Final = 1_000


def control_routes(sandbox: Sandbox) -> Iterable[web.AbstractRouteDef]:
    control = _Control(sandbox)
    return [
        web.get(f"{CONTROL_PREFIX}state", control.state),
        web.post(f"{CONTROL_PREFIX}stock", control.stock),
        web.post(f"{CONTROL_PREFIX}sell", control.sell),
        web.post(f"{CONTROL_PREFIX}cancel", control.cancel),
        web.post(f"{CONTROL_PREFIX}ship", control.ship),
        web.post(f"{CONTROL_PREFIX}faults", control.faults),
    ]


class _Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def state(self, request: web.Request) -> web.Response:
        """What is listed, ordered and happened; `?after=N` continues the log."""
        sandbox = self._sandbox
        after = _whole(request.query.get("after", "0"), "after")
        events = sandbox.happenings(after=after)
        return web.json_response(
            {
                "name": sandbox.name,
                "base_url": sandbox.base_url,
                "listings": {sku: sandbox.shown(sku) for sku in sandbox.skus()},
                "orders": [dict(order) for order in sandbox.orders()],
                "faults": {"rates": dict(sandbox.faults.rates), "counts": dict(sandbox.faults.counts)},
                "webhooks_pending": sandbox.webhooks_pending,
                "defects": sandbox.defects,
                "complaints": list(sandbox.complaints),
                "events": [
                    {"number": line.number, "at": line.at.isoformat(), "kind": line.kind, **line.facts}
                    for line in events[-EVENTS_SHOWN_MAX:]
                ],
            }
        )

    async def stock(self, request: web.Request) -> web.Response:
        """`{"sku", "quantity", "title"?}`"""
        wanted = await _object(request)
        sku = _text(wanted, "sku")
        try:
            self._sandbox.stock(sku, _whole(wanted.get("quantity"), "quantity"), title=str(wanted.get("title", "")))
        except LookupError as error:
            raise _bad(str(error)) from None
        return web.json_response({"sku": sku, "shown": self._sandbox.shown(sku)})

    async def sell(self, request: web.Request) -> web.Response:
        """`{"lines": [[sku, quantity], …]}`; 409 when the numbers shown do not allow it."""
        wanted = await _object(request)
        order_id = await self._sandbox.sell(_lines(wanted.get("lines")))
        return web.json_response({"order_id": order_id}, status=200 if order_id else 409)

    async def cancel(self, request: web.Request) -> web.Response:
        """`{"order_id"}`"""
        order_id = self._order(await _object(request))
        await self._sandbox.cancel(order_id)
        return web.json_response({"order_id": order_id})

    async def ship(self, request: web.Request) -> web.Response:
        """`{"order_id"}`"""
        order_id = self._order(await _object(request))
        await self._sandbox.ship(order_id)
        return web.json_response({"order_id": order_id})

    async def faults(self, request: web.Request) -> web.Response:
        """`{"profile"}` replaces all rates, `{"rates": {…}}` sets some, `{"force": {name: times}}` is certain."""
        wanted = await _object(request)
        faults = self._sandbox.faults
        try:
            _change(faults, wanted)
        except (ValueError, TypeError, AttributeError) as error:
            raise _bad(str(error)) from None
        return web.json_response({"rates": dict(faults.rates), "counts": dict(faults.counts)})

    def _order(self, wanted: Mapping[str, Any]) -> str:
        order_id = _text(wanted, "order_id")
        if all(str(order["id"]) != order_id for order in self._sandbox.orders()):
            raise web.HTTPNotFound(text=json.dumps({"error": "no such order"}), content_type="application/json")
        return order_id


def _change(faults: Faults, wanted: Mapping[str, Any]) -> None:
    if "profile" in wanted:
        profile = str(wanted["profile"])
        if profile not in FAULT_PROFILES:
            raise ValueError(f"no profile is called {profile!r}; known are: {', '.join(FAULT_PROFILES)}")
        faults.calm()
        for name, rate in FAULT_PROFILES[profile].items():
            faults.set(name, rate)
    for name, rate in wanted.get("rates", {}).items():
        faults.set(name, float(rate))
    for name, times in wanted.get("force", {}).items():
        faults.force(name, int(times))


async def _object(request: web.Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise _bad("the body is not JSON") from None
    if not isinstance(body, dict):
        raise _bad("the body is not an object")
    return body


def _text(wanted: Mapping[str, Any], key: str) -> str:
    value = wanted.get(key)
    if not isinstance(value, str) or not value:
        raise _bad(f"{key} is missing")
    return value


def _whole(value: Any, key: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise _bad(f"{key} is not a whole number from 0 up")
    return int(text)


def _lines(value: Any) -> Sequence[tuple[str, int]]:
    if not isinstance(value, list) or not value:
        raise _bad("lines are missing")
    lines = []
    for entry in value:
        pair = (entry.get("sku"), entry.get("quantity")) if isinstance(entry, dict) else entry
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise _bad("a line is [sku, quantity]")
        lines.append((pair[0], _whole(pair[1], "quantity")))
    return lines


def _bad(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": message}), content_type="application/json")
