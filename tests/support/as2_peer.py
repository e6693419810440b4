"""The other side of an AS2 conversation, by pyas2lib, which shares nothing with ours.

Run by a Python of its own that has pyas2lib (GPL: it is never imported by the product nor installed with it):

    python -m venv /tmp/peer && /tmp/peer/bin/pip install pyas2lib
    TRUNKLINE_AS2_PEER=/tmp/peer/bin/python python -m pytest tests/connectors/edi/test_as2_peer.py

Reads one JSON request on standard input, answers one JSON object on standard output; bytes are base64.
"""

import base64
import json
import re
import sys

_search = re.search


def _tolerant(pattern, string, flags=0):
    """oscrypto 1.3.0 knows OpenSSL versions of one digit each and refuses to be imported beside 3.0.19."""
    if isinstance(pattern, str) and pattern.startswith("\\b(\\d\\.\\d\\.\\d"):
        pattern = "\\b(\\d+\\.\\d+\\.\\d+[a-z]*)\\b"
    return _search(pattern, string, flags)


re.search = _tolerant
from pyas2lib import as2  # noqa: E402


def text(raw):
    return base64.b64encode(raw).decode()


def sides(request):
    key = request["key"].encode()
    us = as2.Organization(as2_name="Big Box", sign_key=key, decrypt_key=key, domain="bigbox.example")
    them = as2.Partner(
        as2_name="Hub",
        verify_cert=request["certificate"].encode(),
        encrypt_cert=request["certificate"].encode(),
        validate_certs=False,
        compress="compress" in request["wraps"],
        sign="sign" in request["wraps"],
        encrypt="encrypt" in request["wraps"],
        enc_alg="aes_256_cbc",
        digest_alg=request["digest"],
        mdn_mode="SYNC",
        mdn_digest_alg=request["digest"],
    )
    return us, them


def receive(request):
    """Take a message of ours and answer it."""
    us, them = sides(request)
    message = as2.Message()
    status, (error, _), mdn = message.parse(
        base64.b64decode(request["message"]), find_org_cb=lambda _: us, find_partner_cb=lambda _: them
    )
    return {
        "status": status,
        "error": str(error or ""),
        "payload": text(message.content or b""),
        "headers": list(mdn.headers.items()),
        "body": text(mdn.content),
    }


def send(request):
    """Make a message for us; the receipt is judged by `judge`."""
    us, them = sides(request)
    message = as2.Message(us, them)
    message.build(
        base64.b64decode(request["payload"]),
        filename="po.edi",
        content_type=request["content_type"],
        disposition_notification_to="edi@bigbox.example",
    )
    return {
        "headers": list(message.headers.items()),
        "body": text(message.content),
        "message_id": message.message_id,
        "mic": message.mic.decode() if message.mic else "",
    }


def judge(request):
    """What the peer thinks of our receipt for its message."""
    us, them = sides(request)
    message = as2.Message(us, them)
    message.message_id, message.mic = request["message_id"], request["mic"].encode() or None
    status, detail = as2.Mdn().parse(base64.b64decode(request["message"]), lambda *_: message)
    return {"status": status, "detail": detail or ""}


asked = json.load(sys.stdin)
json.dump({"receive": receive, "send": send, "judge": judge}[asked["do"]](asked), sys.stdout)
