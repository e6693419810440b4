"""What the EDI connector can do, and what it calls its inputs.

Source: X12 004010 and 005010 and EDIFACT D.96A name the sets; RFC 4130 the receipts (2005-07).
"""

from __future__ import annotations

from typing import Final

from connectors.edi import settings
from connectors.sdk.manifest import Capability, EffectKind, Manifest, Stream, Topic

INTERCHANGE: Final = "interchange"
OUTGOING: Final = "outgoing"
CONFLICT: Final = "conflict"
"""A file under the number of another one that came before; kept, and never opened by itself."""
EVIDENCE: Final = "evidence"
RECEIPT: Final = "receipt"

SEND_FILE: Final = "send_file"
SEND_RECEIPT: Final = "send_receipt"

FILES: Final = "files"

SETS: Final = (
    "214", "810", "820", "824", "846", "850", "852", "855", "856", "860", "861", "865", "940", "943", "944",
    "945", "947", "997", "999", "APERAK", "CONTRL", "DESADV", "IFTSTA", "INVOIC", "INVRPT", "ORDCHG", "ORDERS",
    "ORDRSP", "RECADV",
)  # fmt: skip
"""Kinds of sets a mapping reads; each is an input of its own once the interchange it came in has been judged."""
_BY_HAND: Final = {
    "832": "a catalogue changes nothing here by itself: read it with `trunkline normalize edi 832`, take over what you "
    "sell, and let this input be",
    "753": "a request for routing is answered by hand: give the partner carrier and pickup, and let this input be",
    "754": "routing instructions are followed by hand: book the carrier they name, and let this input be",
}
"""Kinds that are read and acknowledged, and that a person deals with."""

MANIFEST: Final = Manifest(
    name="edi",
    title="EDI with a trading partner (X12, EDIFACT)",
    capabilities=frozenset({Capability.PULL, Capability.EFFECTS, Capability.CHECK, Capability.FILES}),
    topics=(
        Topic(INTERCHANGE),
        Topic(OUTGOING),
        Topic(
            CONFLICT,
            parked="an AS2 message with this Message-ID was kept before with other content; ask the partner which of "
            "the two counts, and have that one sent under a Message-ID of its own",
        ),
        Topic(EVIDENCE, ignored=True),
        Topic(RECEIPT, ignored=True),
        *(Topic(kind) for kind in SETS),
        *(Topic(kind, parked=why) for kind, why in _BY_HAND.items()),
    ),
    streams=(Stream(FILES, interval_s=60, page_max=50),),
    # Both look for what an earlier try has done before they do anything, so a repeat is as good as a key.
    effects=(EffectKind(SEND_FILE, keyed=True), EffectKind(SEND_RECEIPT, keyed=True)),
    trades=True,
    dedupe_by="name, time and content of a file; Message-ID of an AS2 message; numbers and hash of a set",
    clock_quirks="dates and times of a set are the partner's local time unless its profile names a zone",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "X12": "https://x12.org/",
        "EDIFACT": "https://unece.org/trade/uncefact/introducing-unedifact",
        "AS2": "https://www.rfc-editor.org/rfc/rfc4130",
        "SFTP": "https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02",
    },
)
