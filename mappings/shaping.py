"""From what an expression gave to what the model takes, without losing or inventing anything.

Nothing (null, missing, a blank text, an object of nothing) becomes absent; a lone value of a list
becomes a list; whole numbers become text where ids are text, and the other way round where eaches
are counted. A number that JSONata computed inexactly is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from mappings.arithmetic import BadArgument, decimal_of, exact, text_of, whole
from mappings.functions import instant
from mappings.targets import Kind, Slot, fields_of

Shaper = Callable[[Any], Any]
"""Takes anything but None; gives None for nothing. Raises `BadArgument` or `Misfit`."""


class Misfit(ValueError):
    """A value that does not fit, and where: `path` is field names and list indexes from the document down."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: list[str | int] = []


def _single(value: Any) -> Any:
    if value.__class__ is list:
        raise BadArgument("the expression gives several values where the field takes one")
    if value.__class__ is int:
        return exact(value)
    return whole(value) if value.__class__ is float else value


def text(value: Any) -> Any:
    """Text as it is, blank is nothing, a whole number (an id) as its digits."""
    if value.__class__ is str:
        return value if value and not value.isspace() else None
    value = _single(value)
    return str(value) if value.__class__ is int else value


def moment(value: Any) -> Any:
    """ISO text as it is, milliseconds since 1970 as an instant."""
    if value.__class__ is str:
        return value if value and not value.isspace() else None
    value = _single(value)
    return instant(value) if value.__class__ is int else value


def integer(value: Any) -> Any:
    """A whole number, also where it is stated as text ("2", "2.0")."""
    if value.__class__ is int:
        return value
    if value.__class__ is str:
        return _whole_or_text(value)
    return _single(value)


def _whole_or_text(value: str) -> Any:
    if not value or value.isspace():
        return None
    number = decimal_of(value)
    return int(number) if number == number.to_integral_value() else text_of(number)


def decimal(value: Any) -> Any:
    """A decimal as plain text, its scale kept."""
    if value.__class__ is str:
        if not value or value.isspace():
            return None
        return value if value.isascii() and "e" not in value and "E" not in value else text_of(decimal_of(value))
    value = _single(value)
    return str(value) if value.__class__ is int else value


def flag(value: Any) -> Any:
    """True or false; the model refuses the rest."""
    return None if value == "" else _single(value)


def money(value: Any) -> Any:
    """Money, or nothing where there is no amount."""
    if value.__class__ is not dict:
        raise BadArgument("money is an amount with its currency: $money(amount, currency)")
    amount = value.get("amount")
    amount = None if amount is None else decimal(amount)
    return None if amount is None else {**value, "amount": amount, "currency": value.get("currency") or None}


def free(value: Any) -> Any:
    """Any JSON, every number in it checked to be exact."""
    kind = value.__class__
    if kind is float:
        return whole(value)
    if kind is int:
        return exact(value)
    if kind is list:
        return [item if item is None or item.__class__ is str else free(item) for item in value]
    if kind is dict:
        return {name: item if item is None or item.__class__ is str else free(item) for name, item in value.items()}
    return value


def _as_is(value: Any) -> Any:
    return value


class _Fields(dict[str, Shaper]):
    """Names the model does not have pass through; the model names them in its error."""

    def __missing__(self, name: str) -> Shaper:
        return _as_is


class ObjectShaper:
    """Shapes an object field by field.

    Args:
        fields: Shaper by name.
        constants: Values that do not depend on the payload.
        optional: An object in which nothing but constants was found is absent.
    """

    __slots__ = ("_constants", "_fields", "_optional")

    def __init__(self, fields: Mapping[str, Shaper], constants: Mapping[str, Any], *, optional: bool) -> None:
        self._fields = _Fields(fields)
        self._constants = dict(constants)
        self._optional = optional and bool(fields or not constants)

    def __call__(self, value: Any) -> Any:
        if value.__class__ is not dict:
            raise BadArgument("an object with fields is needed")
        fields, shaped, name = self._fields, {}, ""
        try:
            for name, item in value.items():
                if item is not None:
                    item = fields[name](item)  # noqa: PLW2901
                    if item is not None:
                        shaped[name] = item
        except BadArgument as problem:
            raise _at(name, Misfit(str(problem))) from None
        except Misfit as misfit:
            raise _at(name, misfit) from None
        if self._optional and not shaped:
            return None
        if self._constants:
            shaped.update(self._constants)
        return shaped


class ListShaper:
    """Shapes every item and leaves out those that are nothing."""

    __slots__ = ("_item",)

    def __init__(self, item: Shaper) -> None:
        self._item = item

    def __call__(self, value: Any) -> list[Any]:
        if value.__class__ is not list:
            value = [value]
        item, shaped = self._item, []
        try:
            for found in value:
                if found is not None:
                    result = item(found)
                    if result is not None:
                        shaped.append(result)
        except BadArgument as problem:
            raise _at(len(shaped), Misfit(str(problem))) from None
        except Misfit as misfit:
            raise _at(len(shaped), misfit) from None
        return shaped


def _at(step: str | int, misfit: Misfit) -> Misfit:
    misfit.path.insert(0, step)
    return misfit


_BY_KIND: Final[Mapping[Kind, Shaper]] = {
    Kind.TEXT: text,
    Kind.TIME: moment,
    Kind.INTEGER: integer,
    Kind.MEASURED: integer,
    Kind.DECIMAL: decimal,
    Kind.FLAG: flag,
    Kind.MONEY: money,
    Kind.FREE: free,
}


def shaper_for(slot: Slot) -> Shaper:
    """The shaper of a field that one expression fills whole."""
    if slot.kind is Kind.LIST and slot.item is not None:
        return ListShaper(
            _model_shaper(slot.item.model, optional=False) if _is_object(slot.item) else shaper_for(slot.item)
        )
    if _is_object(slot):
        return _model_shaper(slot.model, optional=True)
    return _BY_KIND[slot.kind]


def _is_object(slot: Slot) -> bool:
    return slot.kind is Kind.OBJECT


@cache
def _model_shaper(model: type[BaseModel] | None, *, optional: bool) -> Shaper:
    fields = {} if model is None else fields_of(model)
    return ObjectShaper({name: shaper_for(slot) for name, slot in fields.items()}, {}, optional=optional)
