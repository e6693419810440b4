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
    head = tag("thead", tag("tr", *(tag("th", heading, scope="col") for heading in headings)))
    body = tag("tbody", *(tag("tr", *(_cell(cell) for cell in row)) for row in rows))
    return tag("section", tag("h2", caption), tag("div", tag("table", head, body), class_="scroll"))


def _cell(value: Piece) -> Markup:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return tag("td", value, class_="number")
    return tag("td", value)
