"""Interchanges made up for tests of answers, with every control number and count right unless asked otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mappings.edi.acknowledge import InterchangeVerdict, Stamp, acknowledge, judge_all
from mappings.edi.grammar.profile import STANDARD, Profile
from mappings.edi.reading import read

STAMP = Stamp(501, 77, datetime(2026, 11, 21, 12, 30))  # noqa: DTZ001 - an envelope's time has no zone
ORDER = ("BEG*00*SA*PO-1**20261101", "PO1*1*12*EA*7.25**VN*MUG", "CTT*1")
SHIPPING_ORDER = ("W05*N*ORDER-9", "LX*1", "W01*3*EA**VN*MUG", "W76*3")


def x12_set(
    kind: str, body: Sequence[str], control: str = "0001", *, count: int | None = None, end: str | None = None
) -> list[str]:
    """One set with its header and trailer; `count` and `end` stand in SE01 and SE02 when given."""
    return [f"ST*{kind}*{control}", *body, f"SE*{len(body) + 2 if count is None else count}*{end or control}"]


def x12(
    sets: Sequence[Sequence[str]],
    *,
    group: str = "PO",
    version: str = "004010",
    declared: int | None = None,
    group_end: str = "7",
    groups: int = 1,
    end: str = "000000042",
    asks: str = "0",
    usage: str = "P",
) -> bytes:
    """One interchange 000000042 with one group 7."""
    syntax, mark = ("00501", "^") if version >= "005010" else ("00401", "U")
    head = (
        f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*RETAILER       *ZZ*HUB            "
        f"*261121*1130*{mark}*{syntax}*000000042*{asks}*{usage}*>"
    )
    lines = [head, f"GS*{group}*RETAPP*HUBAPP*20261121*1130*7*X*{version}"]
    for each in sets:
        lines += each
    lines += [f"GE*{len(sets) if declared is None else declared}*{group_end}", f"IEA*{groups}*{end}"]
    return "".join(f"{line}~" for line in lines).encode()


def edifact(messages: Sequence[Sequence[str]], *, count: int | None = None, end: str = "77") -> bytes:
    """One interchange 77 without groups."""
    lines = ["UNB+UNOC:3+4000001000005:14+4000002000004:14+261121:1130+77"]
    for each in messages:
        lines += each
    lines.append(f"UNZ+{len(messages) if count is None else count}+{end}")
    return "".join(f"{line}'" for line in lines).encode("latin-1")


def message(kind: str, body: Sequence[str], control: str = "1", *, count: int | None = None) -> list[str]:
    """One message of D.96A with its header and trailer; `count` stands in UNT01 when given."""
    segments = len(body) + 2 if count is None else count
    return [f"UNH+{control}+{kind}:D:96A:UN:EAN008", *body, f"UNT+{segments}+{control}"]


def judged(source: bytes, profile: Profile = STANDARD) -> InterchangeVerdict:
    """The verdict on a file of one interchange."""
    (verdict,) = judge_all(read(source), profile)
    return verdict


def answered(source: bytes, profile: Profile = STANDARD) -> list[str]:
    """The answer to a file of one interchange, as segments."""
    answer = acknowledge(judged(source, profile), STAMP, profile)
    assert answer is not None
    mark = "~" if answer.startswith(b"ISA") else "'"
    return answer.decode("ascii").split(mark)[:-1]


def among(segments: Sequence[str], *tags: str) -> list[str]:
    """Those of the segments with one of the tags."""
    return [segment for segment in segments if segment[:3].rstrip("*+") in tags]
