"""A file on its way to the partner, read out of the effect that asks for it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from connectors.edi.transport.as2.exchange import OwedReceipt
from connectors.sdk.contract import Effect, JsonObject
from connectors.sdk.errors import Rejected


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """`key` names the sending: the same at every try, another one when an operator sends the file again."""

    key: str
    name: str
    content: bytes


def file_of(effect: Effect) -> OutgoingFile:
    """`{"name": …, "content": base64}`.

    Raises:
        Rejected: The effect has no file in it.
    """
    name = effect.body.get("name")
    if not isinstance(name, str) or not name:
        raise Rejected("the effect names no file", code="no_file")
    return OutgoingFile(effect.idempotency_key, name, _bytes(effect.body, "content"))


def owed_body(owed: OwedReceipt) -> JsonObject:
    """A receipt as the effect `send_receipt` carries it."""
    return {
        "url": owed.url,
        "headers": [list(pair) for pair in owed.headers],
        "content": base64.b64encode(owed.body).decode("ascii"),
        "about": owed.original_message_id,
    }


def receipt_of(effect: Effect) -> OwedReceipt:
    """Raises: Rejected: The effect has no receipt in it."""
    url, headers = effect.body.get("url"), effect.body.get("headers")
    if not isinstance(url, str) or not isinstance(headers, list):
        raise Rejected("the effect holds no receipt", code="no_receipt")
    pairs = tuple((str(name), str(value)) for name, value in headers)
    return OwedReceipt(url, pairs, _bytes(effect.body, "content"), str(effect.body.get("about", "")))


def _bytes(body: JsonObject, name: str) -> bytes:
    content = body.get(name)
    if not isinstance(content, str) or not content:
        raise Rejected("the file's content is gone, past its retention; render the document again", code="no_content")
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise Rejected("the file's content is not base64", code="no_content") from error
