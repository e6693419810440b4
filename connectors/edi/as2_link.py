"""Trading over AS2: messages posted to the partner, and the partner's taken, kept and only then confirmed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import structlog

from connectors.edi import as2_check
from connectors.edi.errors import judged
from connectors.edi.journal import Journal
from connectors.edi.link import interchange, shortened
from connectors.edi.manifest import CONFLICT, EVIDENCE, RECEIPT, SEND_RECEIPT
from connectors.edi.outward import OutgoingFile, owed_body, receipt_of
from connectors.edi.transport.arrival import Arrival, Keeping
from connectors.edi.transport.as2 import receipts
from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.certificates import CertificateUnusable
from connectors.edi.transport.as2.exchange import OwedReceipt
from connectors.edi.transport.as2.partner import Partner, Receipt
from connectors.edi.transport.as2.posting import classify, posting
from connectors.edi.transport.as2.receiving import Receiver, Response
from connectors.edi.transport.as2.sending import Outgoing, Sent, State, compose, send, send_receipt, settle
from connectors.edi.transport.mailbox import NameRefused
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Cursor,
    Effect,
    EffectResult,
    Envelope,
    Page,
    Settlement,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import AuthFailed, Rejected, Transient
from connectors.sdk.files import Keeper, Kept
from connectors.sdk.http import HttpClient

RECEIPT_WAIT_S: Final = 5.0
"""An asynchronous receipt mostly comes at once; who waits for it here need not ask for it later."""
DONE: Final = "done"
AWAITED: Final = "awaited"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is known of a sending; `mark` names the asynchronous receipt that says so, empty when none does."""

    sent: Sent
    mark: str = ""


@dataclass(frozen=True, slots=True)
class _IdsOf:
    """Identifiers that are the same at every try: the Message-ID is the partner's key against repetition.

    The wrapping itself is made anew, with another content key; what the partner's receipt has the hash of is the
    payload's part, and that is equal each time.
    """

    key: str
    _made: list[None]

    def uuid(self) -> str:
        self._made.append(None)
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"as2:{self.key}:{len(self._made)}"))


class As2Link:
    """For one event loop; any number of requests and sendings at once."""

    def __init__(self, ctx: AccountContext, partner: Partner) -> None:
        self._ctx = ctx
        self._partner = partner
        self._sent = Journal(ctx.tokens, "as2-sent")
        self._receipts = Journal(ctx.tokens, "as2-receipts", shards=64)
        self._arrived: dict[str, asyncio.Event] = {}
        address = partner.url or next(iter(partner.receipt_urls), "")
        self._client = (
            HttpClient(ctx, base_url=origin(address), budgets=BudgetBook(ctx.clock, ()), classify=classify)
            if address
            else None
        )

    # --- inward ----------------------------------------------------------------------------------

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page:  # noqa: ARG002 - named by the contract
        """Nothing: the partner comes to us."""
        return Page((), {}, more=False)

    async def receive(self, request: WebhookRequest, keeper: Keeper) -> WebhookReply:
        async def store(arrival: Arrival) -> Keeping:
            return await self._keep(arrival, keeper)

        async def keep_receipt(_: Partner, received: receipts.Received) -> None:
            await self._keep_receipt(received, keeper)

        async def owe(owed: OwedReceipt) -> None:
            await keeper.owe(SEND_RECEIPT, f"receipt:{shortened(owed.original_message_id)}", owed_body(owed))

        receiver = Receiver(self._known, store, keep_receipt, owe, self._ctx.clock, self._ctx.ids)
        response = await receiver.receive(request.headers.items(), request.body)
        self._tell(response, len(request.body))
        return WebhookReply(response.status, response.body, headers=dict(response.headers))

    def _known(self, own_name: str, partner_name: str) -> Partner | None:
        agreed = (self._partner.own_name, self._partner.partner_name)
        return self._partner if (own_name, partner_name) == agreed else None

    async def _keep(self, arrival: Arrival, keeper: Keeper) -> Keeping:
        file = interchange(arrival)
        envelopes = [file]
        if arrival.evidence:
            # In the same unit: what proves the sender is there whenever the file is.
            key = f"{file.dedupe_key}:evidence"
            envelopes.append(Envelope(EVIDENCE, key, key, arrival.evidence, headers=file.headers))
        kept = (await keeper.keep(envelopes))[0]
        if kept is Kept.CONFLICT:
            key = f"{file.dedupe_key}:{arrival.sha256[:32]}"
            await keeper.keep([replace(file, topic=CONFLICT, dedupe_key=key, ordering_key=key)])
        return Keeping(kept.value)

    async def _keep_receipt(self, received: receipts.Received, keeper: Keeper) -> None:
        about = received.original_message_id
        await keeper.keep([_evidence(received)])
        await self._receipts.note(_bare(about), _facts(received))
        if (waiting := self._arrived.get(_bare(about))) is not None:
            waiting.set()

    def _tell(self, response: Response, size: int) -> None:
        say = _log.warning if response.why is not None or response.status >= 400 else _log.info
        say(
            "as2.answered",
            account=self._ctx.account,
            outcome=response.outcome.value,
            status=response.status,
            reference=response.message_id,
            reason=response.detail,
            bytes=size,
        )

    # --- outward ---------------------------------------------------------------------------------

    async def deliver(self, file: OutgoingFile) -> EffectResult:
        """Once in effect: the same Message-ID at every try, and none where the answer is known already."""
        client, outgoing = self._reach(), await self._composed(file)
        noted = await self._sent.find(file.key)
        if noted.get("state") == DONE:
            return EffectResult(vendor_id=outgoing.message_id, note="confirmed before")
        # A receipt may have come although the try before it was left without an answer.
        heard = await self._heard(outgoing, noted)
        if heard.sent.state is State.AWAITED and noted.get("state") != AWAITED:
            heard = await self._post(client, file, outgoing, noted)
        result = await self._judged(file, outgoing, heard)
        await self._sent.note(file.key, {"state": DONE})
        receipt = heard.sent.receipt
        if receipt is None or not receipt.raw:
            return result
        return replace(result, evidence=(_evidence(receipt),))

    async def settle(self, file: OutgoingFile) -> Settlement:
        """Without a word of the partner's it counts as not applied: under its Message-ID it may go again."""
        noted = await self._sent.find(file.key)
        if noted.get("state") == DONE:
            return Settlement.APPLIED
        if self._partner.receipt is not Receipt.ASYNC:
            return Settlement.NOT_APPLIED
        outgoing = await self._composed(file)
        heard = await self._heard(outgoing, noted)
        if heard.sent.state is State.AWAITED:
            return Settlement.UNKNOWN if noted.get("state") == AWAITED else Settlement.NOT_APPLIED
        await self._judged(file, outgoing, heard)
        await self._sent.note(file.key, {"state": DONE})
        return Settlement.APPLIED

    async def acknowledge(self, effect: Effect) -> EffectResult:
        owed = receipt_of(effect)
        if (await self._sent.find(effect.idempotency_key)).get("state") != DONE:
            await send_receipt(owed, posting(self._reach()))
            await self._sent.note(effect.idempotency_key, {"state": DONE})
        return EffectResult(vendor_id=owed.original_message_id, note="receipt posted")

    async def acknowledged(self, effect: Effect) -> Settlement:
        noted = (await self._sent.find(effect.idempotency_key)).get("state")
        return Settlement.APPLIED if noted == DONE else Settlement.NOT_APPLIED

    async def check(self) -> CheckReport:
        return await as2_check.check(self._partner, self._client, self._ctx.clock.now())

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _composed(self, file: OutgoingFile) -> Outgoing:
        moment = self._ctx.clock.now()
        try:
            return await compose(file.content, file.name, self._partner, _IdsOf(file.key, []), moment)
        except CertificateUnusable as error:
            raise AuthFailed(str(error), code="as2_certificate") from error
        except NameRefused as error:
            raise Rejected(str(error), code="bad_file_name") from error

    async def _post(
        self, client: HttpClient, file: OutgoingFile, outgoing: Outgoing, noted: Mapping[str, str]
    ) -> _Heard:
        about = _bare(outgoing.message_id)
        arrived = self._arrived[about] = asyncio.Event()
        try:
            sent = await send(outgoing, self._partner, posting(client), self._ctx.clock.now())
            if sent.state is not State.AWAITED:
                return _Heard(sent)
            noted = {**noted, "state": AWAITED}
            await self._sent.note(file.key, noted)
            heard = await self._heard(outgoing, noted)
            if heard.sent.state is State.AWAITED:
                # It may come to another process: what is stored counts, also when nobody wakes us.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), RECEIPT_WAIT_S)
                heard = await self._heard(outgoing, noted)
            return heard
        finally:
            del self._arrived[about]

    async def _heard(self, outgoing: Outgoing, noted: Mapping[str, str]) -> _Heard:
        """What the partner's asynchronous receipt says, or that it is awaited: one judged before is no new one."""
        if self._partner.receipt is not Receipt.ASYNC and noted.get("state") != AWAITED:
            return _Heard(Sent(State.AWAITED))
        facts = await self._receipts.find(_bare(outgoing.message_id))
        mark = facts.get("mark", "")
        if not facts or (mark and mark == noted.get("judged")):
            return _Heard(Sent(State.AWAITED))
        return _Heard(settle(_received(facts), outgoing.message_id, outgoing.mics, self._partner), mark)

    async def _judged(self, file: OutgoingFile, outgoing: Outgoing, heard: _Heard) -> EffectResult:
        """Raises: ConnectorError: See `judged`. The next try is posted again, and this receipt says nothing of it."""
        try:
            return judged(heard.sent, outgoing.message_id)
        except (Rejected, Transient):
            if heard.mark:
                await self._sent.note(file.key, {"judged": heard.mark})
            raise

    def _reach(self) -> HttpClient:
        if self._client is None or not self._partner.url:
            raise Rejected("this partner has no address to send to (options.transport.as2.url)", code="no_url")
        return self._client


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _evidence(received: receipts.Received) -> Envelope:
    """A receipt as it came, headers and signature included."""
    about = received.original_message_id
    key = shortened(f"receipt:{about}:{sha256(received.raw).hexdigest()}")
    return Envelope(RECEIPT, key, key, received.raw, headers={"about": about})


def _bare(message_id: str) -> str:
    """Some products leave the angle brackets away when they quote a Message-ID."""
    return shortened(message_id.strip().strip("<>"))


def _facts(received: receipts.Received) -> Mapping[str, str]:
    return {
        "about": received.original_message_id,
        "disposition": received.disposition,
        "mic": base64.b64encode(received.mic).decode("ascii"),
        "digest": received.digest.value if received.digest else "",
        "signer": received.signer,
        "mark": sha256(received.raw).hexdigest()[:32],
    }


def _received(facts: Mapping[str, str]) -> receipts.Received:
    digest = facts.get("digest", "")
    return receipts.Received(
        facts.get("about", ""),
        facts.get("disposition", ""),
        base64.b64decode(facts.get("mic", "")),
        Digest(digest) if digest else None,
        facts.get("signer", ""),
        b"",
    )
