"""Making envelopes durable. The hot path of intake: name, digest, one synced commit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

import orjson

from connectors.sdk.contract import Envelope, JsonObject
from connectors.sdk.files import Kept
from connectors.sdk.ports import Clock
from hub.ports.accounts import AccountPlan
from hub.ports.store import DuplicateKey, NewEffect, NewInput, ReadSet, Store, WriteSet
from hub.services.moments import micros

DIGEST_BYTES = 16
UNKNOWN_TOPIC = "unknown"
"""What a webhook of a topic nobody knows is kept under, to be parked for a person to see."""
SAID = "said"
"""The header that holds what its connector says of it."""


def digest_of(payload: bytes) -> str:
    """Names a payload in logs and sources without showing it; equal bytes give equal digests."""
    return blake2b(payload, digest_size=DIGEST_BYTES).hexdigest()


def _json(headers: Mapping[str, str]) -> str:
    try:
        return orjson.dumps(headers).decode()
    except orjson.JSONEncodeError:
        # A header that is not UTF-8 has surrogates, which only the slower writer can spell.
        return json.dumps(dict(headers), separators=(",", ":"))


def inputs_of(plan: AccountPlan, origin: str, envelopes: Sequence[Envelope], received_at: datetime) -> list[NewInput]:
    """Rows for the inbox, in the envelopes' order. Polls store them in one unit with their cursor."""
    at = micros(received_at)
    return [
        NewInput(
            account=plan.account,
            connector=plan.connector,
            origin=origin,
            topic=envelope.topic,
            dedupe_key=envelope.dedupe_key,
            ordering_key=envelope.ordering_key,
            payload=envelope.payload,
            digest=digest_of(envelope.payload),
            received_at=at,
            occurred_at=None if envelope.occurred_at is None else micros(envelope.occurred_at),
            headers=_json(envelope.headers) if envelope.headers else "{}",
        )
        for envelope in envelopes
    ]


def of_no_topic(payload: bytes, said: str) -> Envelope:
    """What a believed sender sent under a topic its connector does not know; the same bytes are the same input."""
    name = f"{UNKNOWN_TOPIC}:{digest_of(payload)}"
    return Envelope(UNKNOWN_TOPIC, name, name, payload, headers={SAID: said})


class FileKeeper:
    """One account's `connectors.sdk.files.Keeper`: what a partner's request needs kept, or answered later.

    Args:
        stored: called after something new is durable.
    """

    def __init__(self, store: Store, plan: AccountPlan, clock: Clock, stored: Callable[[], None]) -> None:
        self._store = store
        self._plan = plan
        self._clock = clock
        self._stored = stored

    async def keep(self, envelopes: Sequence[Envelope]) -> Sequence[Kept]:
        """Raises `StoreUnavailable`: nothing was stored, and the partner is to come again."""
        inputs = inputs_of(self._plan, "webhook", envelopes, self._clock.now())
        fresh = await self._store.receive(inputs)
        if any(fresh):
            self._stored()
        return [Kept.NEW if new else await self._known(one) for new, one in zip(fresh, inputs, strict=True)]

    async def _known(self, again: NewInput) -> Kept:
        digest = await self._store.received_digest(again.account, again.dedupe_key)
        return Kept.KNOWN if digest == again.digest else Kept.CONFLICT

    async def owe(self, kind: str, key: str, body: JsonObject) -> None:
        """Raises `StoreUnavailable`."""
        text = json.dumps(body, separators=(",", ":"), sort_keys=True)
        account, now = self._plan.account, micros(self._clock.now())
        effect = NewEffect(account, kind, key, f"{kind}:{account}:{digest_of(text.encode())}", text, "{}", now, now)
        with contextlib.suppress(DuplicateKey):
            await self._store.run(ReadSet(), lambda _: WriteSet(effects=[effect]))


class Receive:
    """Stores envelopes of known accounts. Safe to call from many tasks; commits are shared."""

    def __init__(self, store: Store, plans: Mapping[str, AccountPlan]) -> None:
        self._store = store
        self._plans = plans

    async def __call__(
        self, account: str, envelopes: Sequence[Envelope], origin: str, received_at: datetime
    ) -> Sequence[bool]:
        """True per envelope that is new. Returns after the synced commit only.

        Raises:
            StoreUnavailable: Nothing was stored; the sender must be told to come again.
            LookupError: The account is not configured.
        """
        if not envelopes:
            return []
        plan = self._plans.get(account)
        if plan is None:
            raise LookupError(f"account {account!r} is not configured")
        return await self._store.receive(inputs_of(plan, origin, envelopes, received_at))
