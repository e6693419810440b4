"""Functions every mapping may call besides JSONata's own.

All are pure: equal arguments, equal results. Missing and null both arrive as None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical import UnknownUnit, instant_text
from canonical import eaches as canonical_eaches
from mappings.arithmetic import BadArgument, dabs, dadd, dcmp, ddiv_exact, decimal_of, dmul, dneg, dsub, dsum, text_of
from mappings.countries import alpha2
from mappings.scantimes import expected, key, scanned, zoned_scan

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_COMPACT_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
_CLOCK: Final = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d")
_EPOCH_MS: Final = re.compile(r"\d{12,15}")
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(value: Any = None, zone: Any = None) -> str | None:
    """A canonical instant, or the date itself when there is no time of day.

    Args:
        value: ISO 8601 text, `20261120`, or milliseconds since 1970 as a number or as text.
        zone: IANA name or offset for a time that states none; without it such a time is refused,
            because guessing moves it by hours.

    Raises:
        BadArgument: Not a time, no zone where one is needed, or an unknown zone.
    """
    if value is None or value == "":
        return None
    if value.__class__ is not str:
        return _from_epoch(value)
    if value[10:11] == "T" and value[19:] in ("Z", "+00:00") and value[7] == "-":
        return _checked_utc(value)
    if _DATE.fullmatch(value):
        return _checked_date(value)
    if compact := _COMPACT_DATE.fullmatch(value):
        return _checked_date("-".join(compact.groups()))
    if _EPOCH_MS.fullmatch(value):
        return _from_epoch(int(value))
    if not _CLOCK.match(value):
        raise BadArgument("this is no date and no time in ISO 8601")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_zone(zone))
        return instant_text(moment.astimezone(UTC))
    except (ValueError, OverflowError) as problem:
        if isinstance(problem, BadArgument):
            raise
        raise BadArgument("this is no time in ISO 8601") from None


def _from_epoch(value: Any) -> str:
    if value.__class__ is float:
        value = int(value) if value.is_integer() else None
    if value.__class__ is not int:
        raise BadArgument("a time is text or whole milliseconds since 1970")
    try:
        return instant_text(_EPOCH + timedelta(milliseconds=value))
    except OverflowError:
        raise BadArgument("milliseconds since 1970 are out of range") from None


def _checked_utc(text: str) -> str:
    """The commonest spelling, `2026-11-20T17:23:00` in UTC, is canonical but for its end."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise BadArgument("this is no time in ISO 8601") from None
    return text[:19] + "Z"


def _checked_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise BadArgument("there is no such date") from None
    return text


def _zone(zone: Any) -> tzinfo:
    if not zone:
        raise BadArgument("a time without an offset needs a zone: $instant(x, $time_zone), with time_zone set")
    if zone.__class__ is not str:
        raise BadArgument("a zone is a name such as Europe/Berlin or an offset such as -05:00")
    return _named_zone(zone)


@lru_cache(maxsize=256)
def _named_zone(zone: str) -> tzinfo:
    if zone in ("Z", "UTC"):
        return UTC
    if offset := _OFFSET.fullmatch(zone):
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if span >= timedelta(hours=24):
            raise BadArgument("an offset is less than a day")
        return timezone(span if offset[1] == "+" else -span)
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadArgument("this zone is not in the IANA list") from None


def money(amount: Any = None, currency: Any = None) -> dict[str, Any] | None:
    """Money, or null when there is no amount. `currency` may be null: nobody stated it."""
    if amount is None or amount == "":
        return None
    if amount.__class__ is not str or "e" in amount or "E" in amount:
        amount = text_of(decimal_of(amount))
    return {"amount": amount, "currency": currency or None}


def blank(value: Any = None) -> Any:
    """The value, or null when it is missing, null, or nothing but white space."""
    if value.__class__ is str and (not value or value.isspace()):
        return None
    return value


def country(value: Any = None) -> str | None:
    """ISO 3166-1 alpha-2 of an alpha-2, an alpha-3 or an English name; null for nothing.

    Raises:
        BadArgument: No such country.
    """
    if value is None:
        return None
    if value.__class__ is not str:
        raise BadArgument("a country is a code or a name")
    text = value.strip()
    if not text:
        return None
    found = alpha2(text)
    if found is None:
        raise BadArgument("there is no country of this code or name in ISO 3166-1")
    return found


def eaches(quantity: Any = None, unit: Any = None, pack: Any = None) -> int | None:
    """Eaches of a quantity stated in a unit.

    Args:
        quantity: Number or decimal text.
        unit: Unit code; nothing means eaches.
        pack: Eaches in one `unit` as the payload states it, or an object of them by unit.

    Raises:
        BadArgument: A unit of unknown size, or a result that is not whole.
    """
    if quantity is None or quantity == "":
        return None
    if unit is not None and unit.__class__ is not str:
        raise BadArgument("a unit is a code such as EA")
    try:
        return canonical_eaches(decimal_of(quantity), unit or None, _packs(unit, pack))
    except UnknownUnit as problem:
        raise BadArgument(str(problem)) from None
    except BadArgument:
        raise
    except ValueError:
        raise BadArgument("the quantity is not a whole number of eaches") from None


def _packs(unit: str | None, pack: Any) -> dict[str, int] | None:
    if pack is None or not unit:
        return None
    stated = pack if isinstance(pack, dict) else {unit: pack}
    sizes: dict[str, int] = {}
    for name, size in stated.items():
        number = decimal_of(size)
        if number <= 0 or number != number.to_integral_value():
            raise BadArgument("a pack holds a whole number of eaches, at least one")
        sizes[name] = int(Decimal(number))
    return sizes


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "instant": instant,
        "money": money,
        "blank": blank,
        "country": country,
        "eaches": eaches,
        "dadd": dadd,
        "dsub": dsub,
        "dmul": dmul,
        "dsum": dsum,
        "ddiv_exact": ddiv_exact,
        "dneg": dneg,
        "dabs": dabs,
        "dcmp": dcmp,
        "scanned": scanned,
        "zoned_scan": zoned_scan,
        "expected": expected,
        "key": key,
    }
)
"""By the name after `$`."""
