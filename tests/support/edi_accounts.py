"""Accounts of the EDI connector for tests: a section, a store in memory, and a partner on the other end."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.edi import CONNECTOR
from connectors.edi.connector import EdiConnector
from connectors.edi.transport.as2.certificates import OwnCertificate
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, Effect, Envelope, JsonObject, WebhookRequest
from connectors.sdk.files import Kept
from connectors.sdk.ports import Secret

ORDER = b"ISA*00*~GS*PO~ST*850*0001~\nSE*1*0001~"


def context(root: Path | None = None, *, account: str = "big-box", **given: Any) -> AccountContext:
    """An account's section as the hub hands it over."""
    base: dict[str, Any] = {
        "base_url": None,
        "auth_url": None,
        "credentials": {},
        "options": {},
        "locations": {},
        "public_url": "https://hub.example",
        "clock": ManualClock(),
        "ids": SeededIds(7),
        "jitter": FixedJitter(),
        "tokens": MemoryTokens(),
        "root": root,
    }
    base |= given
    base["credentials"] = {name: Secret(value) for name, value in base["credentials"].items()}
    return AccountContext(account=account, **base)


def folders(root: Path, **given: Any) -> dict[str, Any]:
    """Options of an account over folders, which are made."""
    for name in ("in", "archive", "out"):
        (root / name).mkdir(exist_ok=True)
    folder = {"inbox": "in", "archive": "archive", "outbox": "out", "quiet": "0s"} | given
    return {"partner": "big-box", "transport": {"folder": folder}}


def pems(own: OwnCertificate) -> tuple[str, str]:
    """Certificate and key as an operator's files hold them."""
    key = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return own.certificate.public_bytes(Encoding.PEM).decode(), key.decode()


def opened(ctx: AccountContext) -> EdiConnector:
    connector = CONNECTOR.open(ctx)
    assert isinstance(connector, EdiConnector)
    return connector


def file_effect(name: str = "850_1.edi", content: bytes = ORDER, *, key: str = "file:1") -> Effect:
    return Effect("1", "send_file", "out", key, {"name": name, "content": b64encode(content).decode()})


@dataclass
class Store:
    """What the hub keeps. `failing` is raised instead."""

    envelopes: list[Envelope] = field(default_factory=list)
    owed: list[Effect] = field(default_factory=list)
    failing: Exception | None = None
    owes: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, envelopes: Sequence[Envelope]) -> Sequence[Kept]:
        if self.failing is not None:
            raise self.failing
        return [self._one(envelope) for envelope in envelopes]

    def _one(self, envelope: Envelope) -> Kept:
        before = next((each for each in self.envelopes if each.dedupe_key == envelope.dedupe_key), None)
        if before is None:
            self.envelopes.append(envelope)
            return Kept.NEW
        return Kept.KNOWN if before.payload == envelope.payload else Kept.CONFLICT

    async def owe(self, kind: str, key: str, body: JsonObject) -> None:
        if self.failing is not None:
            raise self.failing
        digest = hashlib.sha256(repr(body).encode()).hexdigest()
        self.owed.append(Effect(str(len(self.owed)), kind, key, digest, body))
        self.owes.set()

    def topics(self) -> list[str]:
        return [envelope.topic for envelope in self.envelopes]


@dataclass
class Side:
    """One end of an AS2 relationship: its connector, its store, and how its requests travel."""

    store: Store = field(default_factory=Store)
    connector: EdiConnector | None = None
    requests: list[WebhookRequest] = field(default_factory=list)
    lose_answers: int = 0
    """answers that never arrive although the request was taken"""
    get_status: int = 405

    async def take(self, request: httpx.Request) -> httpx.Response:
        assert self.connector is not None
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = WebhookRequest(request.method, request.url.path, headers, request.content, ManualClock().now())
        if request.method == "GET":
            return httpx.Response(self.get_status)
        self.requests.append(incoming)
        reply = await self.connector.receive(incoming, self.store)
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadError("the connection broke")
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)


def as2_pair(
    tmp_path: Path, ours: OwnCertificate, theirs: OwnCertificate, *, tokens: MemoryTokens | None = None, **agreed: Any
) -> tuple[Side, Side]:
    """Hub and partner, each an account of the connector, connected without a network."""
    hub, partner = Side(), Side()
    for side, other, name, names, own, other_own in (
        (hub, partner, "big-box", ("Hub", "Big Box"), ours, theirs),
        (partner, hub, "hub", ("Big Box", "Hub"), theirs, ours),
    ):
        certificate, key = pems(own)
        options: Mapping[str, Any] = {
            "us": names[0],
            "them": names[1],
            "url": f"https://{'partner' if side is hub else 'hub'}.example/as2/{'hub' if side is hub else 'big-box'}",
            "certificates": [pems(other_own)[0]],
            "receipt_urls": ["https://partner.example/", "https://hub.example/"],
        }
        ctx = context(
            tmp_path,
            account=name,
            credentials={"as2_certificate": certificate, "as2_key": key},
            options={"partner": "big-box", "transport": {"as2": {**options, **agreed}}},
            public_url=f"https://{'hub' if side is hub else 'partner'}.example",
            tokens=tokens if tokens is not None and side is hub else MemoryTokens(),
            transport=httpx.MockTransport(other.take),
        )
        side.connector = opened(ctx)
    return hub, partner
