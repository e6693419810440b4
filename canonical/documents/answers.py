"""Answers about documents: acknowledgements of interchange, application advice, remittance."""

from __future__ import annotations

from typing import Literal

from canonical.codes import AcknowledgementState, GroupState
from canonical.documents.base import DocumentBase
from canonical.scalars import Currency, DateOrInstant, FreeText, Quantity, Text
from canonical.values import Money, Value


class AcknowledgedGroup(Value):
    functional_id: Text
    control_number: Text


class SetError(Value):
    """`position` counts segments of the set from 1, `element` names the element within the segment."""

    segment: Text | None = None
    position: Quantity | None = None
    element: Text | None = None
    code: Text | None = None
    value: FreeText | None = None


class AcknowledgedSet(Value):
    set_id: Text
    control_number: Text
    state: GroupState
    state_raw: FreeText | None = None
    errors: tuple[SetError, ...] = ()


class FunctionalAcknowledgement(DocumentBase):
    """What the partner's translator made of a group we sent."""

    type: Literal["functional_acknowledgement"] = "functional_acknowledgement"
    group: AcknowledgedGroup
    state: GroupState
    state_raw: FreeText | None = None
    sets: tuple[AcknowledgedSet, ...] = ()
    at: DateOrInstant | None = None


class Reference(Value):
    """A document this one speaks about; `kind` is its canonical type or the partner's code."""

    kind: Text
    value: Text
    state: AcknowledgementState | None = None
    state_raw: FreeText | None = None
    amount: Money | None = None


class AdviceError(Value):
    code: Text | None = None
    message: FreeText | None = None
    reference: Text | None = None
    value: FreeText | None = None


class ApplicationAdvice(DocumentBase):
    """What the partner's application, not its translator, made of our documents."""

    type: Literal["application_advice"] = "application_advice"
    number: Text
    references: tuple[Reference, ...] = ()
    errors: tuple[AdviceError, ...] = ()
    at: DateOrInstant | None = None


class Remittance(DocumentBase):
    """A payment and what it pays for."""

    type: Literal["remittance"] = "remittance"
    number: Text
    amount: Money | None = None
    currency: Currency | None = None
    paid_on: DateOrInstant | None = None
    references: tuple[Reference, ...] = ()
    errors: tuple[AdviceError, ...] = ()
