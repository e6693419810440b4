"""Where another interchange begins, told from its header alone and whatever its separators.

Source: ASC X12.5 (ISA), ISO 9735 (UNA). A bare UNB is not looked for here: with the separators of the
interchange before it, it is an envelope segment like others; with other ones it needs a UNA to be read at all.
"""

from __future__ import annotations

from mappings.edi.edifact import service
from mappings.edi.window import Window
from mappings.edi.x12 import isa

_ADVICE_AND_TAG = 32
_UNA = 9


def first_beginning(window: Window, start: int, stop: int) -> int | None:
    """Offset of the first header that begins within a range; one cut by the range's end counts as well."""
    found = [at for at in (_isa(window, start, stop), _una(window, start, stop)) if at is not None]
    return min(found, default=None)


def _isa(window: Window, start: int, stop: int) -> int | None:
    at = window.find(b"ISA", start, stop + 2)
    while at >= 0:
        if isa.begins(window, at):
            return at
        at = window.find(b"ISA", at + 1, stop + 2)
    return None


def _una(window: Window, start: int, stop: int) -> int | None:
    at = window.find(b"UNA", start, stop + 2)
    while at >= 0:
        window.ensure(at + _ADVICE_AND_TAG)
        raw = window.slice(at, at + _ADVICE_AND_TAG)
        if raw[_UNA:].lstrip()[:3] == b"UNB" and service.read(raw) is not None:
            return at
        at = window.find(b"UNA", at + 1, stop + 2)
    return None
