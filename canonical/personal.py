"""Taking personal data out of a document's JSON, and putting it back.

Names, addresses, e-mail, phone and free notes are kept apart, encrypted, so that deleting a key
deletes the person. Every document declares these fields in `PERSONAL`, and declares them last: its
JSON is therefore a plain head and a personal tail, and splitting and joining are cuts of text that
give back the identical bytes. What an operator maps into `attributes`, and what a channel puts into
`properties`, stays in the head: it is the mapping's author who decides what goes there.
"""

from __future__ import annotations

import json
from functools import cache

from canonical.documents import DOCUMENT_TYPES, DocumentBase
from canonical.json_form import dump


@cache
def _empty_tail(cls: type[DocumentBase]) -> str:
    """The tail of a document of which nothing personal is known (or known any more)."""
    return "," + ",".join(f'"{name}":null' for name in cls.PERSONAL) + "}"


@cache
def _first(cls: type[DocumentBase]) -> str:
    """What the tail starts with. Nothing inside a tail has the name of one, so its last place is the tail's own."""
    return f',"{cls.PERSONAL[0]}":'


def split_personal(doc: DocumentBase) -> tuple[str, str | None]:
    """JSON without personal data, and JSON of the personal data (null when there is none).

    The first is a valid document whose personal fields are null.
    """
    cls = type(doc)
    whole = dump(doc)
    fields = doc.__dict__
    for name in cls.PERSONAL:
        if fields[name] is not None:
            cut = whole.rindex(_first(cls))
            return whole[:cut] + _empty_tail(cls), "{" + whole[cut + 1 :]
    return whole, None


def join_personal(document_json: str, personal_json: str | None) -> str:
    """The document with its personal data again; unchanged when there is none.

    Works on text as `split_personal` wrote it, byte for byte, and on any other JSON of a document.

    Raises:
        ValueError: Either text is not a JSON object, or the type is none of ours.
    """
    if personal_json is None:
        return document_json
    for tail in _tails():
        if document_json.endswith(tail) and _names_match(personal_json, tail):
            return document_json[: -len(tail)] + "," + personal_json[1:]
    return _join_parsed(document_json, personal_json)


@cache
def _tails() -> tuple[str, ...]:
    """Longest first, since a short tail may end a long one."""
    tails = {_empty_tail(cls) for cls in DOCUMENT_TYPES.values() if cls.PERSONAL}
    return tuple(sorted(tails, key=len, reverse=True))


def _names_match(personal_json: str, tail: str) -> bool:
    first = tail[1 : tail.index(":")]
    return personal_json.startswith("{" + first + ":")


def _join_parsed(document_json: str, personal_json: str) -> str:
    document, personal = json.loads(document_json), json.loads(personal_json)
    if not isinstance(document, dict) or not isinstance(personal, dict):
        raise ValueError("a document and its personal data are JSON objects")  # noqa: TRY004
    if document.get("type") not in DOCUMENT_TYPES:
        raise ValueError("the document's type is none of the canonical ones")
    return json.dumps({**document, **personal}, ensure_ascii=False, separators=(",", ":"))
