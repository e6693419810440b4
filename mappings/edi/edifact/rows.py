"""A message's bytes as rows of text, in the character set the interchange names."""

from __future__ import annotations

from mappings.edi.model import Separators
from mappings.edi.splitting import parts_of

BLANKS = " \t\r\n\0"


def text_of(raw: bytes, charset: str) -> tuple[str, str]:
    """The text, and the encoding it was in: the declared one if it can be.

    Text that is valid UTF-8 beyond ASCII is UTF-8 whatever was declared: a single-byte text is that by
    accident only in theory. Anything else undeclared is read as Latin-1, which loses no byte.
    """
    if raw.isascii():
        return raw.decode("ascii"), charset
    for encoding in ("utf-8", charset):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return raw.decode("iso8859-1"), "iso8859-1"


def rows_of(text: str, separators: Separators) -> list[str | list[str]]:
    """Every segment that is not empty; line ends inside a segment are wrapped lines unless they terminate it."""
    mark, release = separators.segment, separators.release
    folded = "\n" in text or "\r" in text
    if folded:
        for line_end in "\r\n":
            if line_end != mark:
                text = text.replace(line_end, "")
    rows: list[str | list[str]] = parts_of(text, mark, release)  # type: ignore[assignment]
    if not rows[-1]:
        rows.pop()
    # The smallest row tells at once whether any is empty or begins with a blank.
    if rows and (str(min(rows)) < "!" or (folded and f" {mark}" in text)):
        return [row for each in rows if (row := _trimmed(str(each), release))]
    return rows


def _trimmed(row: str, release: str | None) -> str:
    """Outer blanks taken away; a blank that is released at the end is data."""
    bare = row.strip(BLANKS)
    return row.lstrip(BLANKS) if release is not None and bare.endswith(release) else bare
