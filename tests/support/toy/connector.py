"""The toy connector: the smallest complete one, and the model for writing another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from connectors.sdk import exact, signing
from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    ConnectorType,
    Cursor,
    Effect,
    EffectResult,
    Envelope,
    ListingRef,
    Page,
    PushItem,
    PushResult,
    PushState,
    Settlement,
    ShownLevel,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, Rejected, TargetMissing
from connectors.sdk.http import Answer, Call, HttpClient, by_status
from connectors.sdk.manifest import Manifest
from tests.support.toy.manifest import MANIFEST
from tests.support.toy.sandbox import ToySandbox

OVERLAP: Final = timedelta(minutes=5)
WANTED_TOPICS: Final = ("order.changed", "order.placed")
NEEDED_SCOPES: Final = frozenset({"orders", "stock"})


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """The error table: one place says what each answer means."""
    if answer.ok:
        return None
    body = answer.json_or_none()
    code = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    message = f"{call.kind}: the market answered {answer.status} {code}".strip()
    weather = by_status(answer, message, code)
    if weather is not None:
        return weather
    if answer.status in (401, 403):
        reason = AuthReason.SCOPE if answer.status == 403 else AuthReason.CREDENTIALS
        return AuthFailed(message, reason=reason, **answer.facts(code))
    kind = TargetMissing if answer.status == 404 else Rejected
    return kind(message, **answer.facts(code))


class ToyConnector:
    """One account. For one event loop; any number of tasks."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        _validate(ctx)
        self._ctx = ctx
        self.budgets = budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        base_url = ctx.base_url or "https://api.toy.example"
        self._login = HttpClient(ctx, base_url=base_url, budgets=budgets, classify=classify)
        tokens = OAuthTokens(ctx, "access", self._fetch_token)
        header = TokenHeader(tokens, header="x-toy-token", prefix="")
        self._http = HttpClient(ctx, base_url=base_url, budgets=budgets, classify=classify, authorize=header)

    def __repr__(self) -> str:
        return f"ToyConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._login.close()
        await self._http.close()

    # Webhooks.

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:
        return None

    def verify(self, request: WebhookRequest) -> None:
        secret = self._ctx.credentials.get("webhook_secret")
        signing.verify(
            [secret.reveal().encode()] if secret else [],
            request.body,
            request.headers.get("x-toy-signature"),
            signing.hmac_sha256_base64,
        )

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        topic = request.headers.get("x-toy-topic", "")
        event = request.headers.get("x-toy-event", "")
        try:
            body = exact.loads(request.body)
        except exact.NotJson:
            body = None
        order = body if isinstance(body, Mapping) else {}
        return [
            Envelope(
                topic=topic,
                dedupe_key=f"{topic}:{event}",
                ordering_key=f"order:{order.get('id', event)}",
                payload=request.body,
                occurred_at=_instant(order.get("updated_at")),
                headers={"event": event},
            )
        ]

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        hooks = (await self._http.request("GET", "/hooks", kind="hooks.read", budget="calls")).json()["hooks"]
        if any(hook["url"] == callback_url and sorted(hook["topics"]) == list(WANTED_TOPICS) for hook in hooks):
            return []
        wanted = {"url": callback_url, "topics": list(WANTED_TOPICS)}
        await self._http.request(
            "PUT", "/hooks", json=wanted, kind="hooks.write", write=True, keyed=True, budget="calls"
        )
        return [f"subscribed {callback_url} to {', '.join(WANTED_TOPICS)}"]

    # Reading.

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        """`{"from", "after"}`: where the walk began, and the vendor's own cursor inside it."""
        began = self._ctx.clock.now()
        start = dict(cursor) if cursor else {"from": since.isoformat() if since else "", "after": ""}
        params = {"limit": limit, **{key: start[key] for key in ("from", "after") if start.get(key)}}
        answer = await self._http.request("GET", f"/{stream}", params=params, kind=f"{stream}.read", budget="calls")
        body = answer.json()
        envelopes = [_envelope(stream, item) for item in body["items"]]
        if body["next"]:
            return Page(envelopes, {**start, "after": body["next"], "mark": start.get("mark", began.isoformat())}, True)
        # The next walk begins before this one did: what was written meanwhile is seen then.
        mark = datetime.fromisoformat(start.get("mark", began.isoformat()))
        following = {"from": (mark - OVERLAP).isoformat() if stream == "orders" else "", "after": ""}
        return Page(envelopes, following, False, watermark=mark)

    async def check(self) -> CheckReport:
        me = (await self._http.request("GET", "/me", kind="login.check", budget="calls")).json()
        missing = NEEDED_SCOPES - set(me["scopes"])
        if missing:
            raise AuthFailed(f"the login lacks {', '.join(sorted(missing))}", reason=AuthReason.SCOPE)
        return CheckReport(who=me["seller"])

    # Publishing.

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        wanted = [{"listing": item.ref.listing_id, "quantity": item.quantity, "key": item.key} for item in items]
        answer = await self._http.request(
            "PUT", "/stock", json={"items": wanted}, kind="stock.write", write=True, keyed=True, budget="calls"
        )
        outcomes = answer.json()["items"]
        return [self._result(item, outcome) for item, outcome in zip(items, outcomes, strict=True)]

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        raise Rejected("the toy market takes every batch at once", code="no_receipts")

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        answer = await self._http.request(
            "GET", "/stock", params={"listing": [ref.listing_id for ref in refs]}, kind="stock.read", budget="calls"
        )
        shown = answer.json()["items"]
        now = self._ctx.clock.now()
        return [
            ShownLevel(ref, shown.get(ref.listing_id), read_at=now, missing=ref.listing_id not in shown) for ref in refs
        ]

    # Effects.

    async def send(self, effect: Effect) -> EffectResult:
        order_id = effect.references["order_id"]
        answer = await self._http.request(
            "POST",
            f"/orders/{order_id}/shipment",
            json={"tracking": effect.body["tracking"]},
            kind="shipment.write",
            write=True,
            budget="calls",
        )
        return EffectResult(vendor_id=str(answer.json()["id"]), correlation_id=answer.correlation_id)

    async def settle(self, effect: Effect) -> Settlement:
        order_id = effect.references["order_id"]
        order = (await self._http.request("GET", f"/orders/{order_id}", kind="order.read", budget="calls")).json()
        return Settlement.APPLIED if order["tracking"] == effect.body["tracking"] else Settlement.NOT_APPLIED

    async def _fetch_token(self) -> Token:
        pair = {key: self._ctx.credentials[key].reveal() for key in ("client_id", "client_secret")}
        answer = await self._login.request("POST", "/login", data=pair, kind="login", budget="calls")
        body = answer.json()
        return Token(str(body["access_token"]), expires_in_s=int(body["expires_in"]))

    @staticmethod
    def _result(item: PushItem, outcome: Mapping[str, Any]) -> PushResult:
        if outcome["ok"]:
            return PushResult(item, PushState.ACCEPTED)
        error = TargetMissing("no such listing", code=str(outcome["error"]))
        return PushResult(item, PushState.FAILED, error=error)


def _envelope(stream: str, item: Mapping[str, Any]) -> Envelope:
    thing = {"orders": "order", "listings": "listing"}[stream]
    return Envelope(
        topic=thing,
        dedupe_key=f"{thing}:{item['id']}:{item['updated_at']}",
        ordering_key=f"{thing}:{item['id']}",
        payload=exact.dumps(item),
        occurred_at=_instant(item["updated_at"]),
    )


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _validate(ctx: AccountContext) -> None:
    unknown = sorted(set(ctx.options) - set(MANIFEST.options))
    if unknown:
        raise ValueError(f"options.{unknown[0]}: unknown; known are {json.dumps(sorted(MANIFEST.options))}")
    for key in ("client_id", "client_secret"):
        if key not in ctx.credentials:
            raise ValueError(f"credentials.{key}: missing")


CONNECTOR: Final = ConnectorType(manifest=MANIFEST, open=ToyConnector, sandbox=ToySandbox)
