"""Invented interchanges of the shape retailers send, of any size, in memory or as a file that is made while read."""

from __future__ import annotations

import io
from collections.abc import Iterator

_LINES = 34
ISA = (
    b"ISA*00*          *00*          *ZZ*BENCHBUYER     *ZZ*BENCHSELLER    "
    b"*261120*1200*U*00401*000000001*0*T*>~GS*PO*BUYER*SELLER*20261120*1200*1*X*004010~"
)
UNB = b"UNA:+.? 'UNB+UNOC:3+4000000000006:14+4000000000013:14+261120:1200+BENCH1'"


def order(number: int, count: int = _LINES) -> bytes:
    """An 850; with its 34 lines 3.7 KB and 117 segments. No line ends."""
    control = b"%09d" % number
    head = (
        b"ST*850*%s~BEG*00*SA*45%s**20261120~CUR*BY*USD~REF*DP*042~REF*IA*123456~PER*BD*INVENTED BUYER*TE*5550100~"
        b"FOB*CC~DTM*010*20261125~DTM*001*20261202~TD5*Z****ROUTE AS TOLD~N1*ST*STORE 42*92*0042~"
        b"N3*1 INVENTED ROAD~N4*SPRINGFIELD*IL*62701*US~" % (control, control)
    )
    lines = b"".join(
        b"PO1*%d*12*EA*9.95**UP*012345678905*VN*ABC-%d*IN*77%05d~PID*F****INVENTED GOODS NUMBER %d~PO4*1*12*EA~"
        % (line, line, line, line)
        for line in range(1, count + 1)
    )
    return head + lines + b"CTT*%d~SE*%d*%s~" % (count, 13 + 3 * count + 2, control)


def x12(size: int) -> bytes:
    """One interchange, one group, at least `size` bytes."""
    return b"".join(_x12(size))


def group(sets: int) -> bytes:
    """One interchange with one group of 850s, one to five lines each, three on average."""
    body = b"".join(order(number, number % 5 + 1) for number in range(1, sets + 1))
    return ISA + body + b"GE*%d*1~IEA*1*000000001~" % sets


def three_lines(orders: int) -> bytes:
    """One interchange with one group of 850s of three lines."""
    body = b"".join(order(number, 3) for number in range(1, orders + 1))
    return ISA + body + b"GE*%d*1~IEA*1*000000001~" % orders


def _x12(size: int) -> Iterator[bytes]:
    yield ISA
    written, number = 0, 0
    while written < size:
        number += 1
        text = order(number)
        written += len(text)
        yield text
    yield b"GE*%d*1~IEA*1*000000001~" % number


def edifact(size: int) -> bytes:
    """One interchange of ORDERS, a released character in every tenth line, at least `size` bytes."""
    parts, written, number = [UNB], 0, 0
    while written < size:
        number += 1
        lines = b"".join(
            b"LIN+%d++4000000%06d:SRV'PIA+1+ABC-%d:SA'IMD+F++:::INVENTED GOODS%s %d'QTY+21:12'PRI+AAA:9.95'"
            % (line, line, line, b" ?+ MORE" if line % 10 == 0 else b"", line)
            for line in range(1, _LINES + 1)
        )
        text = (
            b"UNH+%d+ORDERS:D:96A:UN:EAN008'BGM+220+45%09d+9'DTM+137:20261120:102'NAD+BY+4000000000006::9'"
            b"NAD+SU+4000000000013::9'%sUNS+S'CNT+2:%d'UNT+%d+%d'"
            % (number, number, lines, _LINES, 5 + 5 * _LINES + 3, number)
        )
        written += len(text)
        parts.append(text)
    parts.append(b"UNZ+%d+BENCH1'" % number)
    return b"".join(parts)


class Made(io.RawIOBase):
    """An X12 file of a size, made while it is read: neither disk nor memory holds it."""

    def __init__(self, size: int) -> None:
        self._parts = _x12(size)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, held = [self._rest], len(self._rest)
        while held < size and (part := next(self._parts, None)) is not None:
            parts.append(part)
            held += len(part)
        text = b"".join(parts)
        self._rest = text[size:]
        return text[:size]
