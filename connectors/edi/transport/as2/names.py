"""AS2-From and AS2-To: how they are quoted, and that they are compared sign for sign.

Source: RFC 4130 section 6.2 (2005-07).
"""

from __future__ import annotations

import re
from typing import Final

NAME_LENGTH_MAX: Final = 128
_PLAIN: Final = re.compile(r"[!#-\[\]-~]{1,128}")


class BadName(ValueError):
    """No AS2 name."""


def quoted(name: str) -> str:
    """A name as the header carries it.

    Raises:
        BadName: Empty, too long, or with signs AS2 does not have.
    """
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not all(" " <= sign <= "~" for sign in name):
        raise BadName(f"an AS2 name has 1 to {NAME_LENGTH_MAX} printable ASCII signs, {name!r} does not")
    if _PLAIN.fullmatch(name):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def unquoted(header: str) -> str:
    """The name a header carries. Unquoted names with a space in them occur and are taken as they are.

    Raises:
        BadName: Empty or too long.
    """
    text = header.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    if not 1 <= len(text) <= NAME_LENGTH_MAX:
        raise BadName("the AS2 name is missing or too long")
    return text
