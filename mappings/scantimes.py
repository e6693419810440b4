"""Times of carrier scans, which are the scanning place's own and often say no more than that.

Source: shapes seen in answers of UPS Track and Track Alert, FedEx Track v1, USPS v3, DHL Unified, EasyPost,
Shippo, ShipEngine and AfterShip (2024 to 2026-11).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical import instant_text
from mappings.arithmetic import BadArgument

_STATED: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[T ]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d\d[:.]?\d\d)?",
    re.ASCII,
)
_OFFSET: Final = re.compile(r"([+-])(?:(\d\d?)[:.]|(\d\d))(\d\d)", re.ASCII)
_MINUTES: Final = re.compile(r"-?\d{1,3}", re.ASCII)
"""Without a sign of hours; `-0500` is no minutes but five hours."""
_OFFSET_MINUTES_MAX: Final = 18 * 60


def scanned(local: Any = None, offset: Any = None, utc: Any = None) -> dict[str, str] | None:
    """What a scan's time says: `{at, local_time, utc_offset, precision}`, each only where it is known.

    Nothing is guessed: without an offset there is no `at`, and a day alone has neither. A time given
    in UTC (`Z`) has no `local_time`, because where it happened it was another hour.

    Args:
        local: ISO 8601 or `20240212T152415`, with or without an offset of its own.
        offset: Of the place: `-06:00`, `-7:00`, `-04.00`, `-0500` or whole minutes. An offset in `local` wins.
        utc: The same moment in UTC where the carrier states it; decides only when no offset does.

    Raises:
        BadArgument: Not a time.
    """
    if local is None or local == "":
        return None
    if local.__class__ is not str:
        raise BadArgument("a scan's time is text")
    return _scanned(local, _offset_text(offset), utc or None)


def zoned_scan(local: Any = None, zones: Any = None, claimed: Any = None) -> dict[str, str] | None:
    """As `scanned`, for a local time whose place lies in one of `zones` (IANA names, blank between).

    Some aggregators work out UTC with the wrong zone. What they claim is believed only if one of the
    zones agrees, or if no zone is known; otherwise a single zone decides, and several leave it open.
    """
    stated = scanned(local)
    if stated is None:
        return scanned(claimed)
    if "at" in stated or len(stated["local_time"]) == 10:
        return stated
    claim = scanned(claimed)
    if claim is not None and "at" not in claim:
        claim = None
    if not zones:
        return stated if claim is None else _with(stated, datetime.fromisoformat(claim["at"]))
    moments = [_in_zone(stated["local_time"], name) for name in str(zones).split()]
    for moment in moments:
        if claim is not None and datetime.fromisoformat(claim["at"]) == moment:
            return _with(stated, moment)
    return _with(stated, moments[0]) if len(moments) == 1 else stated


def expected(value: Any = None) -> str | None:
    """When a carrier expects to deliver: a day, or an instant where it states one.

    Midnight, in UTC or without an offset, is how carriers write a day. What is no time at all gives
    null: an estimate that cannot be read must not hide the scan it came with.
    """
    if value.__class__ is not str:
        return None
    match = _STATED.fullmatch(value.strip())
    if match is None:
        return None
    try:
        stated = _scanned(value.strip(), None, None)
    except BadArgument:
        return None
    is_midnight = not any(int(part) for part in match.groups()[3:7] if part) and match[8] in (
        None, "Z", "+00:00", "+0000",
    )  # fmt: skip
    if is_midnight or "at" not in stated:
        return "-".join(match.groups()[:3])
    return stated["at"]


def key(*parts: Any) -> str | None:
    """An id of its parts, a stroke between; parts that say nothing leave their place empty.

    Raises:
        BadArgument: A part is a list or an object.
    """
    texts = []
    for part in parts:
        if isinstance(part, list | dict | float):
            raise BadArgument("a part of an id is text or a whole number")
        texts.append("" if part is None else str(part).strip().replace("/", "_"))
    joined = "/".join(texts)
    return joined if joined.strip("/") else None


@lru_cache(maxsize=4096)
def _parsed(local: str, offset: str | None, utc: str | None) -> tuple[tuple[str, str], ...]:
    match = _STATED.fullmatch(local.strip())
    if match is None:
        raise BadArgument("this is no time of a scan: ISO 8601 or 20240212T152415")
    year, month, day, hour, minute, second, fraction, own = match.groups()
    try:
        if hour is None:
            return (("local_time", date(int(year), int(month), int(day)).isoformat()), ("precision", "date"))
        micros = int((fraction or "0").ljust(6, "0")[:6])
        wall = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros)  # noqa: DTZ001
    except ValueError:
        raise BadArgument("there is no such time") from None
    precision = ("precision", "instant" if second else "minute")
    if own == "Z":
        return (("at", instant_text(wall.replace(tzinfo=UTC))), precision)
    text = (f"{year}-{month}-{day}T{hour}:{minute}" + (f":{second}" if second else "")) + _fraction(micros)
    span = _span(own) if own else _span(offset) if offset else _between(wall, utc)
    if span is None:
        return (("local_time", text), precision)
    moment = wall.replace(tzinfo=timezone(span)).astimezone(UTC)
    return (("at", instant_text(moment)), ("local_time", text), ("utc_offset", _span_text(span)), precision)


def _scanned(local: str, offset: str | None, utc: str | None) -> dict[str, str]:
    return dict(_parsed(local, offset, utc))


def _fraction(micros: int) -> str:
    return f".{micros:06d}".rstrip("0") if micros else ""


def _offset_text(offset: Any) -> str | None:
    """An offset as text; whole minutes are written out."""
    if offset is None or offset == "":
        return None
    if offset.__class__ is int or (isinstance(offset, str) and _MINUTES.fullmatch(offset.strip())):
        minutes = int(offset)
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if offset.__class__ is not str:
        raise BadArgument("an offset is text such as -06:00 or whole minutes")
    return str(offset)


def _span(text: str) -> timedelta:
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        raise BadArgument("an offset is -06:00, -06.00, -0600 or whole minutes")
    minutes = int(match[2] or match[3]) * 60 + int(match[4])
    if minutes > _OFFSET_MINUTES_MAX or int(match[4]) > 59:
        raise BadArgument("no place is that far from UTC")
    return timedelta(minutes=-minutes if match[1] == "-" else minutes)


def _between(wall: datetime, utc: str | None) -> timedelta | None:
    """The offset that two statements of one moment imply; none if it is no offset any place has."""
    match = _STATED.fullmatch(utc.strip()) if utc else None
    if match is None or match[4] is None:
        return None
    parts = [int(part) for part in match.groups()[:6] if part]
    try:
        span = wall.replace(microsecond=0) - datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    minutes, seconds = divmod(span.total_seconds(), 60)
    is_offset = not seconds and minutes % 15 == 0 and abs(minutes) <= _OFFSET_MINUTES_MAX
    return span if is_offset else None


def _span_text(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _in_zone(local_time: str, zone: str) -> datetime:
    try:
        return datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadArgument("this zone is not in the IANA list") from None


def _with(stated: dict[str, str], moment: datetime) -> dict[str, str]:
    """`stated` at `moment`; the offset is what lies between."""
    wall = datetime.fromisoformat(stated["local_time"]).replace(tzinfo=UTC)
    span = timedelta(seconds=round((wall - moment).total_seconds()))
    found = {**stated, "at": instant_text(moment)}
    return {**found, "utc_offset": _span_text(span)} if abs(span) <= timedelta(hours=18) else found
