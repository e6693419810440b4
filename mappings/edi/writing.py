"""Writing: what was read, byte for byte, and sets that were changed or made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mappings.edi.model import Interchange, Piece, Segment, Segments, Separators, TransactionSet

_TRAILERS = {"SE", "UNT"}


class NotWritable(ValueError):
    """Something that cannot be told in this syntax with these separators; the message names the place."""


@dataclass(frozen=True, slots=True)
class Composite:
    """Components of one element."""

    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Repetitions of one element."""

    repetitions: tuple[str | Composite, ...]


Element = str | Composite | Repeated
Row = Segment | Sequence[Element]
"""A segment as it was read, written as received; or its tag and elements as plain text."""


def write(
    interchanges: Iterable[Interchange], edit: Callable[[TransactionSet], object] | None = None
) -> Iterator[bytes]:
    """The bytes of interchanges as `read` gives them, by runs; equal to the source where nothing was changed.

    `edit` sees each set before it is written and may `rewrite` it. The interchanges must not have
    been iterated before.

    Raises:
        NotWritable: bytes had to be let go while reading (a run longer than memory allows).
    """
    held = Piece()
    for piece in _pieces(interchanges):
        # What follows a piece is known once the next one has been found.
        yield held.raw
        yield held.tail
        if edit is not None and isinstance(piece, TransactionSet):
            edit(piece)
        held = piece
    yield held.raw
    yield held.tail


def _pieces(interchanges: Iterable[Interchange]) -> Iterator[Piece]:
    for interchange in interchanges:
        yield Piece(interchange.lead)
        yield interchange.head
        for group in interchange.groups:
            if not group.implicit:
                yield group.head
            yield from group.sets
            if group.end is not None:
                yield group.end
        if interchange.end is not None:
            yield interchange.end
        if not interchange.lossless:
            raise NotWritable(f"interchange {interchange.control}: parts of it were too long to keep")


def rewrite(found: TransactionSet, rows: Iterable[Row], *, substitute: str | None = None) -> None:
    """Give a set other segments, header and trailer included; the trailer's count is made right.

    Line ends between segments are kept as they were. See `encode` for `substitute`.
    """
    separators = found.segments.separators
    counted = _counted(list(rows))
    line_end = _line_end(found.raw, separators)
    raw = encode(counted, separators, line_end=line_end, charset=found.charset, substitute=substitute)
    raw = raw.rstrip(b"\r\n") + (separators.segment_bytes if separators.segment in "\r\n" else b"")
    texts: list[str | list[str]] = [_text(row, separators, at, substitute) for at, row in enumerate(counted, 1)]
    found.raw = raw
    found.segments = Segments(texts, separators, raw, found.offset)


def encode(
    rows: Iterable[Row],
    separators: Separators,
    *,
    line_end: bytes = b"",
    charset: str = "utf-8",
    substitute: str | None = None,
) -> bytes:
    """Segments as bytes, trailing empty elements and components left out.

    X12 has no escape: a separator within a value is refused, or written as `substitute` where the
    partner wants that. EDIFACT puts its release character before it.

    Raises:
        NotWritable: a separator in a value of X12, or text that the character set does not have.
    """
    out = []
    for position, row in enumerate(rows, 1):
        text = _text(row, separators, position, substitute)
        try:
            out.append(text.encode(charset))
        except UnicodeEncodeError as error:
            raise NotWritable(f"segment {position}: {text[error.start]!r} is not in {charset}") from None
        out.append(separators.segment_bytes + line_end)
    return b"".join(out)


def _counted(rows: list[Row]) -> list[Row]:
    """The trailer's first element says how many segments there are now."""
    if not rows:
        return rows
    last = rows[-1]
    plain = [last.tag, *last.elements] if isinstance(last, Segment) else list(last)
    if plain and plain[0] in _TRAILERS:
        plain[1:2] = [str(len(rows))]
        rows = [*rows[:-1], plain]
    return rows


def _text(row: Row, separators: Separators, position: int, substitute: str | None) -> str:
    if isinstance(row, Segment):
        return separators.element.join([row.tag, *row.elements])
    texts = [_element(value, separators, (position, at), substitute) for at, value in enumerate(row)]
    while len(texts) > 1 and not texts[-1]:
        texts.pop()
    return separators.element.join(texts)


def _element(value: Element, separators: Separators, place: tuple[int, int], substitute: str | None) -> str:
    if isinstance(value, Repeated):
        if separators.repetition is None:
            raise NotWritable(f"segment {place[0]} element {place[1]}: these separators have no repetition")
        return separators.repetition.join(_element(each, separators, place, substitute) for each in value.repetitions)
    if isinstance(value, Composite):
        parts = [_value(each, separators, place, substitute) for each in value.components]
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        return separators.component.join(parts)
    return _value(value, separators, place, substitute)


def _value(text: str, separators: Separators, place: tuple[int, int], substitute: str | None) -> str:
    marks = [separators.element, separators.component, separators.segment, separators.repetition, separators.release]
    special = {mark for mark in marks if mark}
    if separators.segment not in "\r\n":
        special |= {"\r", "\n"}
    if not any(char in special for char in text):
        return text
    if separators.release is not None and not any(char in "\r\n" for char in text):
        return "".join(separators.release + char if char in special else char for char in text)
    if substitute is None:
        met = next(char for char in text if char in special)
        raise NotWritable(
            f"segment {place[0]} element {place[1]}: {met!r} separates and cannot stand in a value; "
            "choose other separators or a substitute"
        )
    return "".join(substitute if char in special else char for char in text)


def _line_end(raw: bytes, separators: Separators) -> bytes:
    """What stands between the first two segments, as far as it is a line end."""
    after = raw[raw.find(separators.segment_bytes) + len(separators.segment_bytes) :][:2]
    return next((end for end in (b"\r\n", b"\n", b"\r") if after.startswith(end)), b"")
