"""A partner's AS2 address: messages signed and encrypted, receipts at once or by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.edi.fake.ends import LOOK_EVERY_S, End, Take
from connectors.edi.transport.arrival import Arrival, Keeping
from connectors.edi.transport.as2.certificates import OwnCertificate, PartnerCertificate
from connectors.edi.transport.as2.exchange import OwedReceipt, Pairs, Reply
from connectors.edi.transport.as2.partner import Partner, Receipt
from connectors.edi.transport.as2.receipts import Received
from connectors.edi.transport.as2.receiving import Receiver
from connectors.edi.transport.as2.sending import Outgoing, Sent, State, compose, send, send_receipt, settle
from connectors.sdk.clock import SystemClock, SystemIds
from connectors.sdk.errors import ConnectorError, Transient

RECEIPT_WITHIN_S: Final = 10.0
_VALID: Final = timedelta(days=365)


class As2End(End):
    """Signed and encrypted messages, with receipts in the answer or, where `receipt` says so, by themselves.

    `hub_url` is the address the hub was agreed to be reached at: `…/as2/ACCOUNT`.
    """

    receipt: Receipt = Receipt.SYNC
    """How both sides confirm; to be set before the account is asked for."""

    def __init__(self, name: str, hub_name: str, url: Callable[[], str]) -> None:
        self.hub_url = ""
        self._name, self._hub_name, self._url = name, hub_name, url
        self._take: Take | None = None
        self._seen: dict[str, bytes] = {}
        self._session: aiohttp.ClientSession | None = None
        self._outgoing: dict[str, Outgoing] = {}
        self._receipts: dict[str, asyncio.Future[Received]] = {}
        self._posting: set[asyncio.Task[None]] = set()

    async def start(self, take: Take) -> None:
        self._take = take
        self._own, self._theirs = await asyncio.gather(
            asyncio.to_thread(_certified, self._name), asyncio.to_thread(_certified, self._hub_name)
        )
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def stop(self) -> None:
        for task in list(self._posting):
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/as2", self._post), web.get("/as2", self._get)]

    def _partner(self) -> Partner:
        return Partner(
            own_name=self._name,
            partner_name=self._hub_name,
            url=self.hub_url,
            own=(self._own,),
            theirs=(PartnerCertificate(self._theirs.certificate),),
            receipt=self.receipt,
            receipt_to=f"{self._url()}/as2",
            receipt_urls=(f"{self.hub_url.partition('/as2/')[0]}/",) if self.hub_url else (),
        )

    async def _post(self, request: web.Request) -> web.Response:
        def known(own: str, theirs: str) -> Partner | None:
            return self._partner() if (own, theirs) == (self._name, self._hub_name) else None

        receiver = Receiver(known, self._store, self._confirmed, self._owe, SystemClock(), SystemIds())
        answer = await receiver.receive(request.headers.items(), await request.read())
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))

    async def _get(self, _: web.Request) -> web.Response:
        return web.Response(status=405, text="AS2 messages are sent with POST\n")

    async def _store(self, arrival: Arrival) -> Keeping:
        before = self._seen.setdefault(arrival.key, arrival.body)
        if before is not arrival.body:
            return Keeping.KNOWN if before == arrival.body else Keeping.CONFLICT
        if self._take is not None:
            await self._take(arrival.body)
        return Keeping.NEW

    async def _confirmed(self, _: Partner, received: Received) -> None:
        waiting = self._receipts.get(received.original_message_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(received)

    async def _owe(self, owed: OwedReceipt) -> None:
        """Posted a moment later, as partners do whose receipts are made by another program."""

        async def post() -> None:
            for _ in range(20):
                await asyncio.sleep(LOOK_EVERY_S)
                try:
                    await send_receipt(owed, self._transfer)
                except ConnectorError:
                    continue
                return

        task = asyncio.create_task(post(), name="partner-receipt")
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def send(self, name: str, content: bytes) -> None:
        if not self.hub_url:
            raise Transient("the hub's address is not known yet", code="no_hub")
        partner = self._partner()
        now = datetime.now(UTC)
        outgoing = self._outgoing.get(name) or await compose(content, name, partner, SystemIds(), now)
        # Another try is the same message: its number is what the hub knows it by.
        self._outgoing[name] = outgoing
        waiting = self._receipts.setdefault(outgoing.message_id, asyncio.get_running_loop().create_future())
        sent: Sent = await send(outgoing, partner, self._transfer, now)
        if sent.state is State.AWAITED:
            sent = await self._later(waiting, outgoing, partner)
        if sent.state is not State.CONFIRMED:
            raise Transient(f"the hub's receipt does not confirm: {sent.reason}", code="unconfirmed")
        del self._outgoing[name], self._receipts[outgoing.message_id]

    @staticmethod
    async def _later(waiting: asyncio.Future[Received], outgoing: Outgoing, partner: Partner) -> Sent:
        try:
            received = await asyncio.wait_for(asyncio.shield(waiting), RECEIPT_WITHIN_S)
        except TimeoutError:
            return Sent(State.UNPROVEN, "no receipt came")
        return settle(received, outgoing.message_id, outgoing.mics, partner)

    async def _transfer(self, url: str, headers: Pairs, body: bytes) -> Reply:
        if self._session is None:
            raise Transient("the AS2 end is not started", code="stopped")
        try:
            async with self._session.post(url, data=body, headers=list(headers)) as answer:
                return Reply(answer.status, tuple(answer.headers.items()), await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Transient("the hub does not answer", code="no_answer") from error

    def transport(self) -> dict[str, Any]:
        return {
            "as2": {
                "us": self._hub_name,
                "them": self._name,
                "url": f"{self._url()}/as2",
                "certificates": [_pem(self._own)],
                "receipt": self.receipt.value,
                "receipt_urls": [f"{self._url()}/"],
            }
        }

    def credentials(self) -> dict[str, str]:
        key = self._theirs.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {"as2_certificate": _pem(self._theirs), "as2_key": key}


def _pem(own: OwnCertificate) -> str:
    return own.certificate.public_bytes(Encoding.PEM).decode()


@cache
def _certified(name: str) -> OwnCertificate:
    """Self-signed: AS2 partners exchange certificates and trust no third party. One per name and process."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A suite's clock may stand years away from the machine's.
        .not_valid_before(now - 2 * _VALID)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return OwnCertificate(certificate, key=key)
