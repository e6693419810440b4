"""Calls to AS2 servers by the one HTTP client of the product: its time limits, its budget, its egress check."""

from __future__ import annotations

from connectors.edi.transport.as2.exchange import Pairs, Post, Reply
from connectors.edi.transport.as2.sending import refusal
from connectors.sdk.answer import Answer, Call
from connectors.sdk.errors import ConnectorError
from connectors.sdk.http import HttpClient


def classify(answer: Answer, _: Call) -> ConnectorError | None:
    """The error table to make the client with."""
    return None if answer.ok else refusal(answer.status, answer.retry_after_s)


def posting(client: HttpClient, *, timeout_s: float = 120.0) -> Post:
    """A `Post` over a client whose `base_url` is the partner's address.

    Receipts to other addresses pass the client's check of addresses out of payloads: https, and public. The calls
    count as keyed: the Message-ID is the partner's key against repetition, so seconds-long retries are harmless.

    Args:
        timeout_s: A partner that unpacks 60 MB before it answers takes its time.
    """

    async def post(url: str, headers: Pairs, body: bytes) -> Reply:
        answer = await client.request(
            "POST",
            url,
            headers={"Accept": "*/*", **dict(headers)},
            content=body,
            kind="as2.post",
            write=True,
            keyed=True,
            timeout_s=timeout_s,
        )
        return Reply(answer.status, tuple(answer.headers.multi_items()), answer.content)

    return post
