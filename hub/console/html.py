"""HTML as values: every text is escaped where it enters, so a SKU or a name can never be markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


Piece = str | int | float | None


def text(value: Piece) -> Markup:
    """Any value as escaped text; absent shows as an en dash."""
    if isinstance(value, Markup):
        return value
    return Markup("–" if value is None else escape(str(value)))


def tag(name: str, *children: Piece, **attributes: str) -> Markup:
    """An element. `class_` and `for_` lose their underscore; other underscores become dashes."""
    rendered = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{rendered}>{''.join(text(child) for child in children)}</{name}>")


def joined(children: Iterable[Markup]) -> Markup:
    return Markup("".join(children))


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[Piece]], *, empty: str) -> Markup:
    """A captioned table; `empty` is said in its place when there are no rows."""
    if not rows:
        return tag("section", tag("h2", caption), tag("p", empty, class_="quiet"))
    head = tag("thead", tag("tr", *(_heading(heading, cell) for heading, cell in zip(headings, rows[0], strict=True))))
    body = tag("tbody", *(tag("tr", *(_cell(cell) for cell in row)) for row in rows))
    return tag("section", tag("h2", caption), tag("div", tag("table", head, body), class_="scroll"))


_LONG = 40
"""Texts from here on are wrapped, so that one of them does not push the rest off the page."""


def _heading(heading: str, below: Piece) -> Markup:
    """Stands above its column the way the column is set."""
    return tag("th", heading, scope="col", **({"class_": "number"} if _is_number(below) else {}))


def _is_number(value: Piece) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Piece) -> Markup:
    if _is_number(value):
        return tag("td", value, class_="number")
    if isinstance(value, str) and not isinstance(value, Markup) and len(value) > _LONG:
        return tag("td", value, class_="long")
    return tag("td", value)
