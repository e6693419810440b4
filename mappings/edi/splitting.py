"""Splitting text at a separator, with EDIFACT's release character where there is one."""

from __future__ import annotations


def parts_of(text: str, mark: str, release: str | None) -> list[str]:
    """Split at every `mark` that is not released; release characters stay in the parts.

    A mark is released by an odd number of release characters before it.
    Source: ISO 9735, service string advice and release character.
    """
    parts = text.split(mark)
    if release is None or release not in text:
        return parts
    joined: list[str] = []
    open_part: list[str] = []
    for part in parts:
        open_part.append(part)
        if not _released_at_end(part, release):
            joined.append(mark.join(open_part))
            open_part = []
    if open_part:
        # The last part ends with a lone release character: nothing follows that it could release.
        joined.append(mark.join(open_part))
    return joined


def plain(text: str, release: str | None) -> str:
    """The text meant: each release character taken away, what it releases kept."""
    if release is None or release not in text:
        return text
    chars = iter(text)
    return "".join(next(chars, "") if char == release else char for char in chars)


def _released_at_end(part: str, release: str) -> bool:
    return (len(part) - len(part.rstrip(release))) % 2 == 1
