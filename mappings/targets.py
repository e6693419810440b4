"""Canonical field paths: what they say, and whether the model has them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from canonical import Money

_SEGMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(\[\])?")
ENGINE_FILLS: Final = frozenset(
    {"type", "id", "source.connector", "source.account", "source.received_at", "source.digest", "source.mapping"}
)
"""Fields a mapping may not set, because they follow from the envelope."""


class Kind(Enum):
    """What a field takes."""

    TEXT = auto()
    TIME = auto()
    INTEGER = auto()
    MEASURED = auto()
    DECIMAL = auto()
    FLAG = auto()
    MONEY = auto()
    OBJECT = auto()
    LIST = auto()
    FREE = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """A field of the model. `model` is set for objects and money, `item` for lists."""

    kind: Kind
    required: bool = False
    model: type[BaseModel] | None = None
    item: Slot | None = None


FREE: Final = Slot(Kind.FREE)


@dataclass(frozen=True, slots=True)
class Segment:
    """A step of a path; `many` when it ends in `[]`."""

    name: str
    many: bool


class BadTarget(ValueError):
    """A path that is no path, or that the model does not have."""


def parse_target(target: str) -> tuple[Segment, ...]:
    """`packages[].lines[].sku` as its steps. Raises `BadTarget`."""
    steps = target.split(".")
    for step in steps:
        if _SEGMENT.fullmatch(step) is None:
            raise BadTarget("a target is names joined by dots, lists marked [], such as lines[].sku")
    return tuple(Segment(step.removesuffix("[]"), step.endswith("[]")) for step in steps)


def root_slot(model: type[BaseModel]) -> Slot:
    """The slot of a whole document."""
    return Slot(Kind.OBJECT, required=True, model=model)


def child_slot(slot: Slot, segment: Segment) -> Slot:
    """The slot one step further.

    Raises:
        BadTarget: The model has no such field, or it is (not) a list.
    """
    if slot.kind is Kind.FREE:
        return FREE
    if slot.kind is Kind.LIST:
        raise BadTarget(f"a list is written with [] before its fields (…[].{segment.name})")
    if slot.model is None:
        raise BadTarget(f"has no fields, so `{segment.name}` cannot be set")
    fields = fields_of(slot.model)
    found = fields.get(segment.name)
    if found is None:
        near = difflib.get_close_matches(segment.name, fields, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; known are {', '.join(fields)}"
        raise BadTarget(f"there is no field `{segment.name}`{hint}")
    if segment.many and found.kind is not Kind.LIST:
        raise BadTarget(f"`{segment.name}` is no list")
    return found


def inside(slot: Slot, segment: Segment) -> Slot:
    """The slot of the items when `segment` is a list step, else the slot itself."""
    return slot.item if segment.many and slot.item is not None else slot


@cache
def fields_of(model: type[BaseModel]) -> Mapping[str, Slot]:
    """Every field of a model by name."""
    return {name: _slot(field.annotation, field.is_required()) for name, field in model.model_fields.items()}


def _slot(annotation: Any, required: bool) -> Slot:
    members = _members(annotation)
    if len(members) == 1:
        return _single(members.pop(), required)
    if members <= {int, Decimal}:
        return Slot(Kind.MEASURED, required)
    if all(isinstance(member, type) and issubclass(member, date) for member in members):
        return Slot(Kind.TIME, required)
    return Slot(Kind.FREE, required)


def _members(annotation: Any) -> set[Any]:
    """The alternatives of an annotation, without None and without constraints."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {member for arm in get_args(annotation) for member in _members(arm)} - {type(None)}
    return {annotation}


def _single(kind: Any, required: bool) -> Slot:
    origin = get_origin(kind)
    if origin in (tuple, list):
        return Slot(Kind.LIST, required, item=_slot(get_args(kind)[0], required=True))
    if origin is dict or kind is dict:
        return Slot(Kind.FREE, required)
    if isinstance(kind, type):
        if issubclass(kind, Money):
            return Slot(Kind.MONEY, required, model=kind)
        if issubclass(kind, BaseModel):
            return Slot(Kind.OBJECT, required, model=kind)
        for base, result in _SCALARS:
            if issubclass(kind, base):
                return Slot(result, required)
    return Slot(Kind.FREE if kind is Any else Kind.TEXT, required)  # closed lists of words are text


_SCALARS: Final = (
    (bool, Kind.FLAG),
    (int, Kind.INTEGER),
    (Decimal, Kind.DECIMAL),
    (date, Kind.TIME),
    (str, Kind.TEXT),
)
