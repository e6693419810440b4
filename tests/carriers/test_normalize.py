"""`normalize` and `mapping` serve carriers' mappings as they serve channels'."""

from __future__ import annotations

import pytest

from mappings import SHIPPED, names
from tests.support.cli import command


def test_a_carriers_answer_is_printed_as_documents() -> None:
    """Scans oldest first, then the latest status."""
    file = SHIPPED / "ups" / "fixtures" / "track.json"
    done = command("normalize", "ups", "tracking", str(file))
    assert done.code == 0, done
    assert [document["milestone"] for document in done.json] == [
        "label_created", "in_transit", None, "out_for_delivery", "out_for_delivery",
    ]  # fmt: skip
    assert [document["current"] for document in done.json] == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("arguments", "body", "named"),
    [
        (
            ("ups", "tracking"),
            b'{"response": {"errors": [{"code": "10429", "message": "Too Many Requests"}]}}',
            "10429",
        ),
        (("dhl", "tracking"), b"<data code='100'/>", "XML"),
        (("fedex", "orders"), b"{}", "unknown_topic"),
        (("acme_parcels", "tracking"), b"{}", "usps"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(arguments: tuple[str, ...], body: bytes, named: str) -> None:
    """The carrier's code, the format, the topic, or the names there are; exit 2 and nothing on stdout."""
    done = command("normalize", *arguments, "-", stdin=body)
    assert (done.code, done.out) == (2, "")
    assert named in done.err
    assert "Traceback" not in done.err


def test_lint_and_test_know_carriers() -> None:
    """By name, like any connector."""
    assert "no faults" in command("mapping", "lint", "usps").out
    tried = command("mapping", "test", "fedex")
    assert (tried.code, "0 failed" in tried.out) == (0, True)
    assert {"amazon", "shopify", "ups", "aftership"} <= set(names())
    assert "carriers" not in names()
