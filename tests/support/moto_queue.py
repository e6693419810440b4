"""A real SQS-speaking server on this machine, and a seller's hand that puts messages into its queues."""

from __future__ import annotations

import http.client
import itertools
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import ThreadedMotoServer

_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=seller/20260105/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
)


class Server:
    """One moto server. Queues have names of their own, so tests may share it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._names = itertools.count(1)

    def make_queue(self) -> str:
        """A new standard queue; gives its URL."""
        answer = self._ask("CreateQueue", {"QueueName": f"notifications-{next(self._names)}"})
        return str(answer["QueueUrl"])

    def put(self, queue_url: str, body: object) -> str:
        """Send one message, an object as JSON; gives its MessageId."""
        text = body if isinstance(body, str) else json.dumps(body)
        return str(self._ask("SendMessage", {"QueueUrl": queue_url, "MessageBody": text})["MessageId"])

    def count(self, queue_url: str) -> int:
        """Messages there are at all, given out or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._ask("GetQueueAttributes", {"QueueUrl": queue_url, "AttributeNames": names})
        return sum(int(answer["Attributes"][name]) for name in names)

    def deny_all(self, *, after: str = "0") -> None:
        """From now on only keys IAM knows are let in; `after="inf"` lets everybody in again."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", "/moto-api/reset-auth", body=after)
            connection.getresponse().read()
        finally:
            connection.close()

    def _ask(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        headers = {
            "authorization": _AUTHORIZATION,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"AmazonSQS.{action}",
        }
        try:
            connection.request("POST", "/", body=json.dumps(body), headers=headers)
            answer = connection.getresponse()
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
        finally:
            connection.close()
        assert answer.status == 200, found
        return found


@contextmanager
def moto_server() -> Iterator[Server]:
    """A server on a free port, gone afterwards."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield Server(port)
    finally:
        server.stop()
