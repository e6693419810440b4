"""The page of vendor errors, made by asking each connector what it makes of an error and the engine what follows.

`python -m tests.support.vendor_errors` writes the page anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx

from connectors.aftership import errors as aftership
from connectors.amazon import errors as amazon
from connectors.dhl import errors as dhl
from connectors.easypost import errors as easypost
from connectors.ebay import errors as ebay
from connectors.ebay import trading
from connectors.fedex import errors as fedex
from connectors.sdk.answer import Answer, Call
from connectors.sdk.clock import FixedJitter
from connectors.sdk.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    InDoubt,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from connectors.shipengine import errors as shipengine
from connectors.shippo import errors as shippo
from connectors.shipstation import errors as shipstation
from connectors.shopify import errors as shopify
from connectors.shopify import login as shopify_login
from connectors.ups import errors as ups
from connectors.usps import errors as usps
from connectors.walmart import errors as walmart
from hub.delivery.decision import Action, decide

PAGE = Path(__file__).resolve().parents[2] / "docs" / "vendor_errors.md"
STATUSES = (400, 401, 402, 403, 404, 408, 409, 410, 413, 422, 423, 425, 429, 430, 500, 502, 503, 504)
GRAPHQL = "/admin/api/2026-10/graphql.json"
OTHER = "*any other*"

INTRO = """# Vendor errors

What each channel's and carrier's errors become, and what the hub does then. The page is made from the connectors' own
tables (`connectors/<vendor>/errors.py`) and checked against them by the tests. No answer at all, a broken connection
and an answer that cannot be read are *Transient* for a read and for a write that may be repeated, *InDoubt* otherwise;
so is every Transient error below that comes with a 5xx.

"""
MEANING: Mapping[Action, str] = {
    Action.RETRY: "tried again on the schedule (seconds to hours); parked when it is used up",
    Action.HOLD_LANE: "the lane waits as long as the channel says, then goes on; no try is used up",
    Action.HOLD_ACCOUNT: "the account is held and an operator told; nothing is lost, input is still taken",
    Action.QUARANTINE: "this one item is parked with the reason; its neighbours go on",
    Action.SETTLE: "read first, then sent again only if it was not carried out",
    Action.REDO: "read again, computed again, sent with a new key at once",
}

Made = Callable[[Call], ConnectorError | None]


class Row(NamedTuple):
    """One error of one channel. `made` gives its class for a call."""

    group: str
    error: str
    made: Made


def rendered() -> str:
    """The whole page."""
    parts = [INTRO, *_classes()]
    sections = (
        ("Shopify", _shopify()),
        ("Walmart", _walmart()),
        ("eBay", _ebay()),
        ("Amazon", _amazon()),
        ("UPS", _ups()),
        ("FedEx", _fedex()),
        ("USPS", _usps()),
        ("DHL", _statuses(dhl.classify, dhl.BY_STATUS)),
        ("ShipStation", _statuses(shipstation.classify, {*shipstation.BY_STATUS, 404})),
        ("AfterShip", _statuses(aftership.classify, {*aftership.BY_STATUS, 404})),
        ("EasyPost", _statuses(easypost.classify, {*easypost.BY_STATUS, 404})),
        ("Shippo", _statuses(shippo.classify, shippo.BY_STATUS)),
        ("ShipEngine", _shipengine()),
    )
    for name, rows in sections:
        parts.append(f"\n## {name}\n")
        if name == "Amazon":
            parts.append("\nSeller and vendor accounts (`amazon`, `amazon_vendor`) share this table.\n")
        group = None
        for row in rows:
            if row.group != group:
                group = row.group
                parts.append(f"\n**{group}**\n\n| error | becomes |\n|---|---|\n")
            parts.append(f"| {row.error} | {_outcome(row.made)} |\n")
    return "".join(parts)


def _classes() -> Iterator[str]:
    yield "| class | the hub |\n|---|---|\n"
    kinds: list[ConnectorError] = [
        *(kind("x") for kind in (Transient, RateLimited, AuthFailed, Rejected, TargetMissing, InDoubt, Conflict))
    ]
    for error in kinds:
        action = decide(error, failed_tries=0, jitter=FixedJitter()).action
        yield f"| {type(error).__name__} | {MEANING[action]} |\n"


def _outcome(made: Made) -> str:
    """The class; both where a write that must not happen twice gets another."""
    read, write = _name(made(_call())), _name(made(_call(write=True)))
    return read if read == write else f"{read}; {write} on a write without a key"


def _name(error: ConnectorError | None) -> str:
    assert error is not None
    reason = f" ({error.reason.value})" if isinstance(error, AuthFailed) else ""
    return type(error).__name__ + reason


def _call(*, write: bool = False, path: str = "/x") -> Call:
    return Call("POST" if write else "GET", f"http://vendor.example{path}", path, "page", write=write)


def _answer(call: Call, status: int, body: object = None) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return Answer(call, status, httpx.Headers({"content-type": "application/json"}), content, 0.1)


def _statuses(classify: Callable[[Answer, Call], ConnectorError | None], listed: Iterable[int]) -> Iterator[Row]:
    """What the status alone says; those that are no different from any other are left out."""
    usual = {4: _name(classify(_answer(_call(), 418), _call())), 5: _name(classify(_answer(_call(), 599), _call()))}
    for status in sorted({*STATUSES, *listed}):
        made = _by_status(classify, status)
        if _name(made(_call())) != usual[status // 100]:
            yield Row("HTTP status", f"`{status}`", made)
    yield Row("HTTP status", "any other 4xx", _by_status(classify, 418))
    yield Row("HTTP status", "5xx", _by_status(classify, 599))


def _by_status(classify: Callable[[Answer, Call], ConnectorError | None], status: int) -> Made:
    return lambda call: classify(_answer(call, status), call)


def _body(classify: Callable[[Answer, Call], ConnectorError | None], status: int, body: object) -> Made:
    return lambda call: classify(_answer(call, status, body), call)


def _shopify() -> Iterator[Row]:
    def graphql(status: int, body: object = None) -> Made:
        def made(call: Call) -> ConnectorError | None:
            inner = _call(write=call.write, path=GRAPHQL)
            return shopify.classify(_answer(inner, status, body), inner)

        return made

    def on_graphql(answer: Answer, call: Call) -> ConnectorError | None:
        return graphql(answer.status)(call)

    yield from _statuses(on_graphql, shopify._STATUS)
    for code in [*shopify._ERRORS, OTHER]:
        error = {"message": "said", "extensions": {"code": code}}
        yield Row("GraphQL error in a 200", _code(code), graphql(200, {"errors": [error]}))
    stated = [*sorted(shopify.STALE), *sorted(shopify._NEW_KEY), "IDEMPOTENCY_CONCURRENT_REQUEST"]
    for code in [*stated, *sorted(shopify._GONE), OTHER]:
        user = shopify.UserError(code, "said")
        yield Row("`userErrors` of a mutation", _code(code), partial(_user_error, user))
    for code in ("invalid_client", "app_not_installed"):
        yield Row("Login", _code(code), _body(shopify_login._classify, 400, {"error": code}))


def _walmart() -> Iterator[Row]:
    yield from _statuses(walmart.classify, walmart.BY_STATUS)
    for code in walmart.BY_CODE:
        body = {"errors": {"error": [{"code": f"{code}.GMP_ORDER_API", "description": "said"}]}}
        yield Row(
            "Code in the body, whatever the status but 401 and 429", _code(code), _body(walmart.classify, 400, body)
        )


def _ebay() -> Iterator[Row]:
    yield from _statuses(ebay.classify, ebay.BY_STATUS)
    for number in ebay.BY_ID:
        body = {"errors": [{"errorId": int(number), "message": "said"}]}
        group = "Error id in the body or in an entry of a 200 or 207, whatever the status but 401 and 429"
        yield Row(group, _code(number), _body(ebay.classify, 400, body))
    for status in (0, 400, 404, 409, 429, 500):
        shown = f"`{status}`" if status else "no status"
        yield Row("An entry of a 200 or 207 without a known id", shown, _entry(status))
    for code in ebay.BY_OAUTH_CODE:
        yield Row("Login", _code(code), _body(ebay.classify_login, 400, {"error": code}))
    for code, kind in trading.BY_CODE.items():
        yield Row("Trading (XML)", _code(code), partial(_of_kind, kind))
    fresh = "`401` or `403` to a token fresh from the login"
    yield Row("Post-Order", fresh, lambda _: ebay.post_order_refused(AuthFailed("said"), "IAF"))


def _entry(status: int) -> Made:
    return lambda call: ebay.entry_error({"statusCode": status} if status else {}, _answer(call, 207), "page")


def _amazon() -> Iterator[Row]:
    yield from _statuses(amazon.classify, amazon.BY_STATUS)
    for code in amazon.BY_OAUTH_CODE:
        yield Row("Login", _code(code), _body(amazon.classify_login, 400, {"error": code}))
    refused = "status INVALID in a 200, or an error of its message in a processing report"
    yield Row("A listing", refused, lambda _: amazon.listing_issue("90220", "said"))
    for status in (403, 404, 400):
        yield Row("A feed's or report's document", f"`{status}`", _by_status(amazon.classify_document, status))
    group = "FBA stock, refunds, returns, and notification types but ORDER_CHANGE"
    yield Row(group, "`403` to a renewed token", lambda _: amazon.role_missing(AuthFailed("said")))


def _ups() -> Iterator[Row]:
    yield from _statuses(ups.classify, ())
    for code in ups.BY_CODE:
        body = {"response": {"errors": [{"code": code, "message": "said"}]}}
        yield Row("Code in the body, whatever the status but 429", _code(code), _body(ups.classify, 400, body))
    yield Row("Login", "any 4xx but 429", _by_status(ups.classify_login, 400))


def _fedex() -> Iterator[Row]:
    yield from _statuses(fedex.classify, ())
    for code in fedex.BY_CODE:
        body = {"errors": [{"code": code, "message": "said"}]}
        group = "Code in the body, whatever the status but 403 and 429"
        yield Row(group, _code(code), _body(fedex.classify, 400, body))
    yield Row("Login", "`403` without a code of FedEx's own", _by_status(fedex.classify_login, 403))
    yield Row("Login", "any other 4xx but 429", _by_status(fedex.classify_login, 400))


def _usps() -> Iterator[Row]:
    yield from _statuses(usps.classify, ())
    body = {"error": {"code": "401", "message": "said", "errors": [{"title": usps.SCOPE_TITLE}]}}
    yield Row("Title in the body of a 401", _code(usps.SCOPE_TITLE), _body(usps.classify, 401, body))
    yield Row("Login", "any 4xx but 429", _by_status(usps.classify_login, 400))


def _shipengine() -> Iterator[Row]:
    yield from _statuses(shipengine.classify, shipengine.BY_STATUS)
    own = {"error_source": "shipengine", "message": "said"}
    for code in (*shipengine.BY_CODE, shipengine.LIMIT_CODE):
        group = "Code in the body, whatever the status but 429"
        yield Row(group, _code(code), _body(shipengine.classify, 400, {"errors": [{**own, "error_code": code}]}))
    passed_on = {"errors": [{"error_source": shipengine.CARRIER, "error_code": "unauthorized", "message": "said"}]}
    for status in (401, 403, 502):
        yield Row("Passed on from a carrier", f"`{status}`", _body(shipengine.classify, status, passed_on))


def _user_error(error: shopify.UserError, _: Call) -> ConnectorError:
    return shopify.by_user_error(error, "page")


def _of_kind(kind: type[ConnectorError], _: Call) -> ConnectorError:
    return kind("said")


def _code(code: str) -> str:
    return "any other" if code == OTHER else f"`{code}`"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
