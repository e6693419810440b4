"""Sets into an interchange: headers, trailers and counts around rows, by a partner's profile and given control numbers.

Control numbers are allocated by the caller in the transaction that queues the file; the same arguments give the
same bytes, so a resend is the file that was sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from mappings.edi.acknowledge.stamps import Stamp
from mappings.edi.edifact.service import CHARSETS
from mappings.edi.grammar import grammar_for
from mappings.edi.model import Separators
from mappings.edi.partners.model import PartnerProfile
from mappings.edi.partners.parts import Envelope, Identities, Identity
from mappings.edi.writing import Composite, Element, NotWritable, Repeated, Row, encode

_UNA_DEFAULT: Final = Separators("+", ":", "'", None, "?")
_MESSAGE_VERSION: Final = re.compile(r"([A-Z])\.(\d{2}[A-Z])(?::([A-Z0-9]{1,6}))?")
_CONTROLS: Final = dict.fromkeys([*range(32), 127], " ")
_HIGHEST: Final = 999_999_999
_SPELT: Final = str.maketrans(
    dict.fromkeys("‘’‚‛′", "'")
    | dict.fromkeys("“”„‟″", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"⁄": "/", "×": "x", "ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D"}
    | {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th"}
)
"""Signs without an accent to lose, spelt with what there is. Telephones make ’ of an apostrophe."""


@dataclass(frozen=True, slots=True)
class OutgoingSet:
    """One set without its ST and SE (UNH and UNT): tags and elements as plain text."""

    kind: str
    rows: Sequence[Sequence[Element]]


@dataclass(frozen=True, slots=True)
class SentSet:
    """How the partner's acknowledgement will name a set: GS01, GS06, ST01, ST02. EDIFACT has no group: both empty."""

    functional_id: str
    group: str
    kind: str
    control: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An interchange as bytes. `sets` are in the order given; `groups` says how many group numbers were used."""

    content: bytes
    control: str
    sets: tuple[SentSet, ...]
    groups: int


def envelop(sets: Sequence[OutgoingSet], partner: PartnerProfile, stamp: Stamp) -> Sent:
    """One interchange. Neighbouring sets of one functional id and version share a group; ST02 restarts in each.

    Args:
        sets: at least one.
        partner: its identities, envelope and versions are used.
        stamp: ISA13 or UNB05, the first GS06, and the time in the sender's zone.

    Raises:
        NotWritable: no identities, an address or a control number too long for its place, a set unknown here, a
            separator in a value where the partner allows no substitute, text the character set does not have.
    """
    if not sets:
        raise NotWritable("an interchange needs at least one set")
    if partner.agreed.envelope.syntax == "edifact":
        return _edifact(sets, partner, stamp)
    return _x12(sets, partner, stamp)


def _x12(sets: Sequence[OutgoingSet], partner: PartnerProfile, stamp: Stamp) -> Sent:
    envelope, identities = partner.agreed.envelope, _identities(partner)
    control, header = f"{stamp.interchange:09d}", _isa(partner, stamp)
    rows: list[Row] = []
    sent: list[SentSet] = []
    groups = 0
    for (functional, version), members in groupby(sets, key=lambda each: _group_of(each, partner)):
        number = str((stamp.group + groups - 1) % _HIGHEST + 1)
        groups += 1
        rows.append(
            ["GS", functional, identities.us.group_id, identities.them.group_id,
             f"{stamp.at:%Y%m%d}", f"{stamp.at:%H%M}", number, "X", version]
        )  # fmt: skip
        count = 0
        for count, each in enumerate(members, 1):
            name = f"{count:04d}"
            rows += _framed(["ST", each.kind, name], each.rows, ["SE", "", name], envelope)
            sent.append(SentSet(functional, number, each.kind, name))
        rows.append(["GE", str(count), number])
    rows.append(["IEA", str(groups), control])
    line_end = envelope.line_end.encode("ascii")
    body = encode(rows, envelope.separators, line_end=line_end, charset="ascii", substitute=envelope.substitute)
    return Sent(header.encode("ascii") + line_end + body, control, tuple(sent), groups)


def _isa(partner: PartnerProfile, stamp: Stamp) -> str:
    """Fixed width: every element is padded, and the component separator stands in ISA16 as it is."""
    envelope, identities = partner.agreed.envelope, _identities(partner)
    marks = envelope.separators
    us, them = identities.us, identities.them
    elements = (
        "ISA", "00", " " * 10, "00", " " * 10, *_address(us), *_address(them), f"{stamp.at:%y%m%d}",
        f"{stamp.at:%H%M}", marks.repetition or "U", envelope.version, f"{stamp.interchange:09d}",
        "1" if envelope.request_ta1 else "0", identities.usage, marks.component,
    )  # fmt: skip
    addresses = us.id, them.id, us.group_id, them.group_id
    if any(mark in address for address in addresses for mark in (marks.element, marks.component, marks.segment)):
        raise NotWritable("an address of the interchange holds a separator; choose other separators")
    return marks.element.join(elements) + marks.segment


def _address(identity: Identity) -> tuple[str, str]:
    if len(identity.qualifier) > 2 or len(identity.id) > 15:
        raise NotWritable(f"{identity.qualifier} {identity.id}: ISA has room for 2 and 15 characters")
    return f"{identity.qualifier:2}", f"{identity.id:15}"


def _group_of(each: OutgoingSet, partner: PartnerProfile) -> tuple[str, str]:
    version = partner.version_of(each.kind)
    grammar = grammar_for(each.kind, version)
    if grammar is None or not grammar.group:
        raise NotWritable(f"no functional group is known for the set {each.kind}")
    return grammar.group, version


def _edifact(sets: Sequence[OutgoingSet], partner: PartnerProfile, stamp: Stamp) -> Sent:
    envelope, identities = partner.agreed.envelope, _identities(partner)
    syntax, _, syntax_version = envelope.version.partition(":")
    control = str(stamp.interchange)
    day = f"{stamp.at:%Y%m%d}" if syntax_version >= "4" else f"{stamp.at:%y%m%d}"
    test = ["", "", "", "", "", "1"] if identities.usage == "T" else []
    rows: list[Row] = [
        ["UNB", Composite((syntax, syntax_version)), _party(identities.us), _party(identities.them),
         Composite((day, f"{stamp.at:%H%M}")), control, *test]
    ]  # fmt: skip
    sent: list[SentSet] = []
    for count, each in enumerate(sets, 1):
        version = _MESSAGE_VERSION.fullmatch(partner.version_of(each.kind))
        if version is None:
            raise NotWritable(f"{partner.version_of(each.kind)!r} is no message version such as D.96A or D.96A:EAN008")
        name = str(count)
        head = Composite((each.kind, version[1], version[2], "UN", version[3] or ""))
        rows += _framed(["UNH", name, head], each.rows, ["UNT", "", name], envelope)
        sent.append(SentSet("", "", each.kind, name))
    rows.append(["UNZ", str(len(sets)), control])
    marks = envelope.separators
    una = "" if marks == _UNA_DEFAULT else _una(marks)
    body = encode(rows, marks, line_end=envelope.line_end.encode("ascii"), charset=_charset(envelope))
    return Sent(una.encode("ascii") + body, control, tuple(sent), 0)


def _una(marks: Separators) -> str:
    return f"UNA{marks.component}{marks.element}{marks.decimal}{marks.release}{marks.repetition or ' '}{marks.segment}"


def _party(identity: Identity) -> Composite:
    return Composite((identity.id, identity.qualifier))


def _framed(
    head: Sequence[Element], rows: Iterable[Sequence[Element]], end: list[Element], envelope: Envelope
) -> list[Row]:
    """A set with header and trailer; the trailer counts both."""
    body: list[Row] = [[_fit(element, envelope) for element in row] for row in rows]
    end[1] = str(len(body) + 2)
    return [head, *body, end]


def _fit(element: Element, envelope: Envelope) -> Element:
    """Text as the partner can take it: no control characters, in its character set, in capitals where agreed."""
    if isinstance(element, Composite):
        return Composite(tuple(_text(part, envelope) for part in element.components))
    if isinstance(element, Repeated):
        return Repeated(
            tuple(
                Composite(tuple(_text(part, envelope) for part in each.components))
                if isinstance(each, Composite)
                else _text(each, envelope)
                for each in element.repetitions
            )
        )
    return _text(element, envelope)


def _text(text: str, envelope: Envelope) -> str:
    text = text.translate(_CONTROLS).strip()
    if not text.isascii():
        charset = _charset(envelope)
        text = "".join(_spelt(char, charset) for char in unicodedata.normalize("NFC", text))
    return text.upper() if envelope.uppercase else text


def _spelt(char: str, charset: str) -> str:
    """Accents go, letters stay; what has no such letter is refused by the encoder, with its place."""
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        bare = (each for each in unicodedata.normalize("NFKD", char) if not unicodedata.combining(each))
        return "".join(bare).translate(_SPELT)
    return char


def _charset(envelope: Envelope) -> str:
    """What X12 and EDIFACT's plainest levels are written in is ASCII."""
    return CHARSETS.get(envelope.version.partition(":")[0], "ascii")


def _identities(partner: PartnerProfile) -> Identities:
    found = partner.agreed.identities
    if found is None:
        raise NotWritable(f"the profile {partner.name} has no identities: who writes to whom?")
    return found
