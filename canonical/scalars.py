"""The scalar types documents are made of.

Every constraint here is checked by pydantic's compiled core, not by Python code: an order holds
some two hundred scalars and is validated on the hot path. The only Python callables are the
fallback for instants with an offset, and the two serialisers whose text differs from pydantic's.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from math import isfinite
from operator import methodcaller
from typing import Annotated, Any, Final

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue, Strict, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core import core_schema as core

QUANTITY_MAX: Final = 2**53 - 1
"""The largest integer every JSON reader keeps exactly; also far inside a 64-bit column."""

_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(60))
_DECIMAL: Final = r"^-?[0-9]{1,28}(\.[0-9]{1,18})?$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CLOCK: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"


def instant_text(value: datetime) -> str:
    """`2026-11-20T17:23:00Z`; a fraction only where it is not zero, three digits where three suffice."""
    # Table look-ups cost a third of `isoformat`, and every document carries several instants.
    date_part = f"{value.year:04d}-{_TWO_DIGITS[value.month]}-{_TWO_DIGITS[value.day]}"
    text = f"{date_part}T{_TWO_DIGITS[value.hour]}:{_TWO_DIGITS[value.minute]}:{_TWO_DIGITS[value.second]}"
    micros = value.microsecond
    if not micros:
        return text + "Z"
    return f"{text}.{micros:06d}Z" if micros % 1000 else f"{text}.{micros // 1000:03d}Z"


def moment_text(value: date) -> str:
    """An instant as `instant_text`, a pure date as `2026-06-19`."""
    return instant_text(value) if isinstance(value, datetime) else value.isoformat()


def instant_of(value: date, zone: tzinfo = UTC) -> datetime:
    """An instant to compare or sort by: a pure date counts from its first moment in `zone`."""
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)


def measured_json(value: int | Decimal) -> int | str:
    """A whole number as it is, a decimal as plain text."""
    return value if isinstance(value, int) else format(value, "f")


def finite(value: Any) -> Any:
    """The value itself; `ValueError` when a NaN or an infinity, which JSON does not have, is in it."""
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError("NaN and Infinity are no JSON values")
    elif isinstance(value, list | dict):
        for item in value if isinstance(value, list) else value.values():
            if item.__class__ is not str:
                finite(item)
    return value


def _named_error(schema: CoreSchema, kind: str, message: str) -> CoreSchema:
    return core.custom_error_schema(schema, custom_error_type=kind, custom_error_message=message)


def _decimal_core() -> CoreSchema:
    text = core.chain_schema([core.str_schema(strict=True, pattern=_DECIMAL), core.decimal_schema(allow_inf_nan=True)])
    # The same bounds as the pattern's, so that whatever code constructs can be read back.
    exact = core.decimal_schema(strict=True, max_digits=46, decimal_places=18)
    return core.json_or_python_schema(
        json_schema=text,
        python_schema=core.union_schema([text, exact], mode="left_to_right"),
        serialization=core.plain_serializer_function_ser_schema(
            methodcaller("__format__", "f"), return_schema=core.str_schema(), when_used="json"
        ),
    )


def _instant_core() -> CoreSchema:
    to_utc = core.no_info_plain_validator_function(methodcaller("astimezone", UTC))
    text = core.chain_schema(
        [
            core.str_schema(strict=True, pattern=_CLOCK + r"(Z|[+-][0-9]{2}:[0-9]{2})$"),
            core.union_schema(
                [
                    core.datetime_schema(tz_constraint=0),
                    core.chain_schema([core.datetime_schema(tz_constraint="aware"), to_utc]),
                ],
                mode="left_to_right",
            ),
        ]
    )
    in_utc = core.datetime_schema(strict=True, tz_constraint=0)
    aware = core.chain_schema([core.datetime_schema(strict=True, tz_constraint="aware"), to_utc])
    stated = core.chain_schema(
        [core.is_instance_schema(datetime), core.union_schema([in_utc, aware], mode="left_to_right")]
    )
    return core.json_or_python_schema(
        json_schema=text, python_schema=core.union_schema([text, stated], mode="left_to_right")
    )


def _date_core() -> CoreSchema:
    text = core.chain_schema([core.str_schema(strict=True, pattern=_DATE), core.date_schema()])
    return core.json_or_python_schema(
        json_schema=text,
        python_schema=core.union_schema([text, core.date_schema(strict=True)], mode="left_to_right"),
    )


def _text_or(schema: CoreSchema) -> CoreSchema:
    """Text, the commonest value, without asking anyone further."""
    both = core.union_schema([core.str_schema(strict=True), schema], mode="left_to_right")
    return _named_error(both, "json", "must be a JSON value, which NaN and infinity are not")


class _DecimalText:
    """A decimal kept exactly, its scale included; JSON text, never a JSON number."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = _decimal_core()
        schema = _named_error(inner, "decimal_text", 'must be a decimal as text such as "12.30", never a number')
        schema["serialization"] = inner["serialization"]  # type: ignore[index]
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": _DECIMAL, "examples": ["12.30"]}


class _Instant:
    """An aware instant, held in UTC."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = _named_error(
            _instant_core(), "instant", 'must be an instant with an offset such as "2026-11-20T17:23:00Z"'
        )
        schema["serialization"] = core.plain_serializer_function_ser_schema(  # type: ignore[index]
            instant_text, return_schema=core.str_schema(), when_used="json"
        )
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time", "examples": ["2026-11-20T17:23:00Z"]}


class _Date:
    """A calendar date."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _named_error(_date_core(), "date", 'must be a date such as "2026-06-19"')

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date", "examples": ["2026-06-19"]}


class _DateOrInstant:
    """An instant, or a pure date where the vendor states no more."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = _named_error(
            core.union_schema([_instant_core(), _date_core()], mode="left_to_right"),
            "date_or_instant",
            'must be an instant with an offset such as "2026-11-20T17:23:00Z" or a date such as "2026-06-19"',
        )
        schema["serialization"] = core.plain_serializer_function_ser_schema(  # type: ignore[index]
            moment_text, return_schema=core.str_schema(), when_used="json"
        )
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
            "examples": ["2026-11-20T17:23:00Z", "2026-06-19"],
        }


class _Measured:
    """Whole eaches, or an exact decimal in a unit that is none. `low` is the least whole number allowed."""

    def __init__(self, low: int) -> None:
        self.low = low

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        decimal = _decimal_core()
        schema = _named_error(
            core.union_schema(
                [core.int_schema(strict=True, ge=self.low, le=QUANTITY_MAX), decimal], mode="left_to_right"
            ),
            "quantity",
            'must be a whole number of eaches, or a decimal as text such as "2.50" with its unit in `uom`',
        )
        schema["serialization"] = core.plain_serializer_function_ser_schema(  # type: ignore[index]
            measured_json, return_schema=core.any_schema(), when_used="json"
        )
        return schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = {"type": "integer", "minimum": self.low, "maximum": QUANTITY_MAX}
        return {"anyOf": [whole, {"type": "string", "pattern": _DECIMAL}]}


class _Json:
    """Any JSON value. Read from JSON it is valid by construction; from Python it is checked."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.json_or_python_schema(
            json_schema=_text_or(core.no_info_after_validator_function(finite, core.any_schema())),
            python_schema=_text_or(core.no_info_after_validator_function(finite, handler.generate_schema(JsonValue))),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {}


DecimalText = Annotated[Decimal, _DecimalText]
"""Exact decimal: `Decimal` inside, text in JSON."""
Instant = Annotated[datetime, _Instant]
"""Aware, UTC; an offset is converted, a time without one is refused."""
Date = Annotated[date, _Date]
DateOrInstant = Annotated[datetime | date, _DateOrInstant]
"""`datetime` is tested before `date` everywhere, because it is one."""

Text = Annotated[str, StringConstraints(strict=True, min_length=1, pattern=r"\S")]
"""A name, an id, a code: never blank, because absent is null."""
FreeText = Annotated[str, Strict()]
"""What a person typed or a vendor phrased; kept as it is."""
Currency = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""
Country = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Code = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9][a-z0-9_]*$")]
"""A word of an open list, such as a carrier: lower case, `unknown` where the vendor's word is unknown."""
DocumentId = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z]{2,4}_[0-9A-Za-z]+$")]
"""Ours: prefix, underscore, time-sortable rest; see `canonical.ids`."""
LocalTime = Annotated[
    str,
    StringConstraints(
        strict=True, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
    ),
]
"""The time on the wall where it happened, without an offset."""
UtcOffset = Annotated[str, StringConstraints(strict=True, pattern=r"^[+-][0-9]{2}:[0-9]{2}$")]

Flag = Annotated[bool, Strict()]
Quantity = Annotated[int, Field(strict=True, ge=0, le=QUANTITY_MAX)]
"""Eaches."""
SignedQuantity = Annotated[int, Field(strict=True, ge=-QUANTITY_MAX, le=QUANTITY_MAX)]
"""Eaches that may be below zero: a change, or a level a channel shows as oversold."""
Measured = Annotated[int | Decimal, _Measured(0)]
"""Eaches as an integer; or, on documents that are no demand, a decimal in the line's own `uom` (text in JSON)."""
SignedMeasured = Annotated[int | Decimal, _Measured(-QUANTITY_MAX)]
Json = Annotated[Any, _Json]
Attributes = dict[str, Json]
"""Free JSON by name. Numbers that must stay exact are text."""
