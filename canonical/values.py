"""Value types shared by all documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as core

from canonical.codes import ProblemLevel, WeightUnit
from canonical.scalars import (
    Attributes,
    Code,
    Country,
    Currency,
    Date,
    DateOrInstant,
    DecimalText,
    Flag,
    FreeText,
    Instant,
    Json,
    Measured,
    Quantity,
    SignedMeasured,
    SignedQuantity,
    Text,
    instant_of,
)

__all__ = [
    "Address",
    "Attributes",
    "Code",
    "Country",
    "Currency",
    "Date",
    "DateOrInstant",
    "DecimalText",
    "Flag",
    "FreeText",
    "Hold",
    "Instant",
    "Json",
    "Measured",
    "MeasuredValue",
    "Money",
    "Place",
    "PostalAddress",
    "Problem",
    "Quantity",
    "SignedMeasured",
    "SignedQuantity",
    "Source",
    "Text",
    "Value",
    "Weight",
    "instant_of",
]


class Value(BaseModel):
    """Frozen, and strict about unknown fields. Errors never show the input, which may be personal."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Money(Value):
    """An amount exactly as the channel stated it, its scale included. `currency` is null where nobody states it."""

    amount: DecimalText
    currency: Currency | None = None


class Address(Value):
    """A party and where it is. Every field is a real value or null, never blank.

    `region` is the code where the channel gives one.
    """

    name: Text | None = None
    company: Text | None = None
    line1: Text | None = None
    line2: Text | None = None
    line3: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Country | None = None
    phone: Text | None = None
    email: Text | None = None

    def is_empty(self) -> bool:
        """True when nothing is known. The usual first fields are asked first: this runs for every order."""
        return (
            self.country is None
            and self.city is None
            and self.line1 is None
            and all(value is None for value in self.__dict__.values())
        )


class MeasuredValue(Value):
    """A line that may count in a unit of its own: a decimal quantity is refused unless `uom` names the unit."""

    @model_validator(mode="after")
    def _unit_beside_decimals(self) -> Self:
        values = self.__dict__
        if values.get("uom") is None and any(type(value) is Decimal for value in values.values()):
            raise PydanticCustomError("unit_missing", "a decimal quantity needs its unit in `uom`")
        return self


def _nothing_is_null(address: Address | None) -> Address | None:
    return None if address is None or address.is_empty() else address


class _NullWhenEmpty:
    """An address of nothing but nulls is no address."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.no_info_after_validator_function(_nothing_is_null, handler(source))


PostalAddress = Annotated[Address | None, _NullWhenEmpty]
"""A document's address field: an all-null address becomes null."""


class Place(Value):
    """Where a parcel was scanned: a facility or a town, not a person's address."""

    facility: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Country | None = None
    raw: FreeText | None = None


class Weight(Value):
    value: DecimalText
    unit: WeightUnit


class Hold(Value):
    """Why an order waits for a person. `name` is stable, `reason` is read by people."""

    name: Text
    reason: FreeText | None = None


class Problem(Value):
    """Something wrong with the input around a document (a count that does not add up).

    `position` is the segment's place in the file, `code` the acknowledgement code it gets.
    """

    level: ProblemLevel = "warning"
    code: Text
    position: Text | None = None
    message: FreeText


class Source(Value):
    """Where a document came from.

    `kind` is the vendor's word for the thing, `id` the vendor's id of it, unique per (account, kind).
    `version` orders two states of one thing: the vendor's version, else its updated-at. `digest` is
    of the raw payload, `mapping` the mapping's name and content hash. `test` documents are shown and
    never applied.
    """

    connector: Text
    account: Text | None = None
    kind: Text
    id: Text
    version: Text | None = None
    occurred_at: DateOrInstant | None = None
    received_at: Instant | None = None
    digest: Text | None = None
    mapping: Text | None = None
    test: Flag = False
    problems: tuple[Problem, ...] = ()
