"""What follows from an order's own figures, and nothing else (no tables, no rates)."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from typing import Final

from canonical.documents.order import Order
from canonical.values import Money

_EXACT: Final = Context(prec=100)
"""Wide enough that sums of any amounts the model allows are exact."""
_WHOLE_OR_NOTHING: Final = Context(prec=28, traps=[Inexact])
"""Raises instead of rounding. Comparing a rounded quotient times its divisor with the dividend would
take 0.66…67 for an exact third of 2."""


def residual(order: Order) -> Money | None:
    """What the channel's own parts leave unexplained of its grand total.

    grand_total − (items − discount + shipping + tax + fees + tip); `tax` is left out when prices
    include it. A part the channel does not state counts as nothing. Null when the parts add up, and
    when they cannot be added: no grand total, no items, or parts in several currencies.
    """
    totals = order.totals
    if totals.grand_total is None or totals.items is None:
        return None
    tax = None if totals.tax_included else totals.tax
    currency, left = totals.grand_total.currency, totals.grand_total.amount
    for part in (totals.items, totals.shipping, tax, totals.fees, totals.tip):
        if part is not None:
            if part.currency != currency:
                return None
            left = _EXACT.subtract(left, part.amount)
    if totals.discount is not None:
        if totals.discount.currency != currency:
            return None
        left = _EXACT.add(left, totals.discount.amount)
    return Money.model_construct(amount=left, currency=currency) if left else None


def with_residual(order: Order) -> Order:
    """The order with `totals.residual` as `residual` computes it."""
    found = residual(order)
    if found == order.totals.residual:
        return order
    return order.model_copy(update={"totals": order.totals.model_copy(update={"residual": found})})


def exact_unit_price(line_amount: Decimal, quantity: int) -> Decimal | None:
    """A unit price from a line amount, or null where the amount does not divide.

    The scale of the amount is kept where the quotient fits in it, and grows where it must:
    9.99 ÷ 3 is 3.33, 1.00 ÷ 8 is 0.125, 10.00 ÷ 3 is null.
    """
    if quantity <= 0:
        return None
    try:
        quotient = _WHOLE_OR_NOTHING.divide(line_amount, Decimal(quantity))
    except Inexact:
        return None
    exponent = line_amount.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    at_scale = quotient.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    return at_scale if at_scale == quotient else quotient
