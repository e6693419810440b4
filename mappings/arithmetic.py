"""Exact decimals for expressions: text in, text out, never a binary fraction.

Null means nothing stated. A sum of nothing is "0"; a difference, product or quotient with nothing
is nothing.
"""

from __future__ import annotations

from decimal import Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, Final

from canonical import exact_unit_price

_EXACT: Final = Context(prec=120, traps=[Inexact, InvalidOperation, Overflow, Clamped])
_DIGITS_MAX: Final = 40
"""Longer figures are no amounts, and an exponent such as 1e999999 would fill the memory with zeros."""
_INTEGER_MAX: Final = 2**53 - 1
_add: Final = _EXACT.add
_subtract: Final = _EXACT.subtract
_multiply: Final = _EXACT.multiply


class BadArgument(ValueError):
    """An argument a mapping function cannot work with. The text never shows the value of free text."""


def decimal_of(value: Any) -> Decimal:
    """The decimal a JSON text or whole number states.

    Raises:
        BadArgument: Anything else, or more than 40 digits before or after the point.
    """
    kind = value.__class__
    if kind is str:
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise BadArgument('a decimal such as "12.30" is needed, not other text') from None
        if len(value) > _DIGITS_MAX or "e" in value or "E" in value or not number.is_finite():
            _check_size(number)
        return number
    if kind is int:
        return Decimal(exact(value))
    if kind is float:
        return Decimal(whole(value))
    raise BadArgument(f"a decimal is needed, not {_word(value)}")


def whole(value: float) -> int:
    """A whole number that JSONata's arithmetic gave.

    Raises:
        BadArgument: The number has a fraction, is not finite, or is too large to be exact.
    """
    if value - value != 0:
        raise BadArgument("the expression divides by zero or gives a number that is not finite")
    if not value.is_integer():
        raise BadArgument("the number is computed inexactly; use $dadd, $dsub, $dmul, $dsum or $ddiv_exact")
    return exact(int(value))


def exact(value: int) -> int:
    """The integer itself. Payloads state larger ones as text, so a larger one was computed and rounded.

    Raises:
        BadArgument: It is beyond 2^53 - 1.
    """
    if -_INTEGER_MAX <= value <= _INTEGER_MAX:
        return value
    raise BadArgument("the number is too large to be exact; keep it as text")


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "nothing"


def _check_size(number: Decimal) -> None:
    if not number.is_finite():
        raise BadArgument("NaN and infinity are no amounts")
    exponent = number.as_tuple().exponent
    if number.adjusted() >= _DIGITS_MAX or (isinstance(exponent, int) and exponent < -_DIGITS_MAX):
        raise BadArgument("a number of more than 40 digits is no amount")


def text_of(number: Decimal) -> str:
    """Plain digits, scale kept, no exponent, no negative zero."""
    text = str(number or number.copy_abs())
    return text if "E" not in text else format(number or number.copy_abs(), "f")


def dadd(*terms: Any) -> str | None:
    """The sum of what is stated, null when nothing is."""
    stated = [term for term in terms if term is not None]
    return dsum(stated) if stated else None


def dsum(terms: Any = None) -> str:
    """The sum of a list; one value counts as a list of one, nothing as zero."""
    total: Decimal | None = None
    for term in terms if terms.__class__ is list else (terms,):
        if term is not None:
            number = decimal_of(term)
            total = number if total is None else _add(total, number)
    return "0" if total is None else text_of(total)


def dsub(first: Any = None, *others: Any) -> str | None:
    """`first` less all others that are stated; null when `first` is."""
    if first is None:
        return None
    left = decimal_of(first)
    for other in others:
        if other is not None:
            left = _subtract(left, decimal_of(other))
    return text_of(left)


def dmul(*factors: Any) -> str | None:
    """The product, null when a factor is."""
    if not factors or None in factors:
        return None
    product = decimal_of(factors[0])
    for factor in factors[1:]:
        is_count = factor.__class__ is int and -_INTEGER_MAX <= factor <= _INTEGER_MAX
        product = _multiply(product, factor if is_count else decimal_of(factor))
    return text_of(product)


def ddiv_exact(dividend: Any = None, divisor: Any = None) -> str | None:
    """The quotient when it has an end within 18 decimals, else null; also null for a divisor of zero."""
    if dividend is None or divisor is None:
        return None
    top, bottom = decimal_of(dividend), decimal_of(divisor)
    if not bottom:
        return None
    if bottom == bottom.to_integral_value():
        quotient = exact_unit_price(top if bottom > 0 else top.copy_negate(), abs(int(bottom)))
    else:
        quotient = _divide(top, bottom)
    if quotient is None or not _exponent(quotient) >= -18:
        return None
    return text_of(quotient)


def _divide(top: Decimal, bottom: Decimal) -> Decimal | None:
    try:
        return _EXACT.divide(top, bottom)
    except Inexact:
        return None


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def dneg(value: Any = None) -> str | None:
    """The opposite; zero stays zero."""
    return None if value is None else text_of(decimal_of(value).copy_negate())


def dabs(value: Any = None) -> str | None:
    """Without its sign."""
    return None if value is None else text_of(decimal_of(value).copy_abs())


def dcmp(first: Any = None, second: Any = None) -> int | None:
    """-1, 0 or 1; null when either is."""
    if first is None or second is None:
        return None
    a, b = decimal_of(first), decimal_of(second)
    return (a > b) - (a < b)
