"""`normalize` and `mapping`: payloads become canonical documents, wrong mappings and payloads are told by place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import payloads
from canonical import parse_documents
from connectors import registry
from tests.support import folders
from tests.support.cli import Operator, command
from tests.support.walmart_payloads import page, single, split_order

SHOPIFY = payloads.body(7, [("MUG", 2), ("BOX", 1), ("TRAY", 3)])


def _walmart() -> bytes:
    return json.dumps(page(split_order())).encode()


@pytest.mark.parametrize(
    ("connector", "topic", "payload"),
    [
        ("shopify", "orders/create", SHOPIFY),
        ("shopify", "orders/updated", SHOPIFY),
        ("walmart", "orders", _walmart()),
        ("walmart", "order", single(split_order())),
    ],
)
def test_a_payload_becomes_canonical_documents(connector: str, topic: str, payload: bytes, tmp_path: Path) -> None:
    """From a file and from standard input alike: one JSON array that the canonical model reads back."""
    file = tmp_path / "payload.json"
    file.write_bytes(payload)
    from_file = command("normalize", connector, topic, str(file))
    assert (from_file.code, from_file.err) == (0, "")
    documents = parse_documents(from_file.out)
    assert "order" in {document.type for document in documents}
    from_stdin = command("normalize", connector, topic, "-", stdin=payload)
    assert [d["type"] for d in from_stdin.json] == [d["type"] for d in from_file.json]


def test_numbers_survive_to_the_last_digit(tmp_path: Path) -> None:
    """Ids above 2^53 and amounts come out as the text they came in as."""
    order = payloads.order(7, [("MUG", 2)])
    order["id"] = 9_223_372_036_854_775_807
    order["line_items"][0]["id"] = 9_007_199_254_740_993
    text = json.dumps(order)
    (document,) = (d for d in command("normalize", "shopify", "orders/create", "-", stdin=text.encode()).json
                   if d["type"] == "order")  # fmt: skip
    assert document["source"]["id"] == "9223372036854775807"
    assert document["lines"][0]["id"] == "9007199254740993"
    assert document["lines"][0]["unit_price"]["amount"] == "19.90"


def _with(**changes: object) -> bytes:
    order = payloads.order(7, [("MUG", 2), ("BOX", 1)])
    order["line_items"][1].update(changes)
    return json.dumps(order).encode()


@pytest.mark.parametrize(
    ("topic", "payload", "named"),
    [
        ("orders/create", _with(quantity="a few"), ("quantity", "lines[1]")),
        ("orders/create", _with(id=None), ("lines[1].id", "order.yaml:")),
        ("orders/create", b"{not json", ("JSON",)),
        ("orders/create", b"", ("empty",)),
        ("orders/create", b"5", ("JSON object",)),
        ("orders/create", b"[]", ("JSON object",)),
        ("orders/create", b"null", ("JSON object",)),
        ("orders/create", b"\xff\xfe", ()),
        ("no/such/topic", SHOPIFY, ("no/such/topic", "orders/create")),
    ],
)
def test_a_mapping_error_ends_with_2_and_names_the_field(topic: str, payload: bytes, named: tuple[str, ...]) -> None:
    """Nothing is printed as a result; target and payload path are on stderr; values of the payload are not."""
    done = command("normalize", "shopify", topic, "-", stdin=payload)
    assert done.code == 2, done
    assert done.out == ""
    assert "Traceback" not in done.err
    for word in named:
        assert word in done.err
    assert "Invented Street" not in done.err


@pytest.mark.parametrize("connector", registry.names())
def test_shipped_mappings_are_without_fault(connector: str) -> None:
    """`mapping lint`, `show` and `test` on what ships, without any configuration."""
    assert command("mapping", "lint", connector, "--json").json == []
    assert "no faults" in command("mapping", "lint", connector).out
    rows = command("mapping", "show", connector, "--json").json
    assert {"topic", "document", "field", "expression", "layer", "file", "line"} == set(rows[0])
    assert {row["layer"] for row in rows} == {"shipped"}
    tried = command("mapping", "test", connector, "--json")
    assert all(result["passed"] for result in json.loads(tried.out)), tried.out
    assert tried.code == (0 if json.loads(tried.out) else 1), tried.err


@pytest.fixture
def overlaid(tmp_path: Path) -> tuple[Operator, Path]:
    overlay = tmp_path / "mappings" / "shop-us"
    overlay.mkdir(parents=True)
    config = folders.write(tmp_path, {"shop-us": folders.shopify(mappings="mappings/shop-us")})
    return Operator(config), overlay / "order.yaml"


OVERLAY = """\
document: order
topics: [orders/create]
fields:
  attributes.gift_message: note_attributes[name="gift"].value
tests:
  - {payload: gift.json, expect: {attributes.gift_message: "no"}}
"""


def test_an_overlay_is_linted_shown_tested_and_used(overlaid: tuple[Operator, Path], tmp_path: Path) -> None:
    """An account's overlay wins field by field and is named where its fields come from."""
    operator, file = overlaid
    file.write_text(OVERLAY)
    (file.parent / "gift.json").write_bytes(SHOPIFY)
    assert operator("mapping", "lint", "shop-us").code == 0
    mine = [row for row in operator("mapping", "show", "shop-us", "--json").json if row["layer"] == "overlay"]
    assert {row["field"] for row in mine} == {"attributes.gift_message"}
    assert mine[0]["line"] == 4
    (tried,) = [r for r in operator("mapping", "test", "shop-us", "--json").json if r["payload"] == "gift.json"]
    assert tried["passed"]
    payload = tmp_path / "order.json"
    payload.write_bytes(SHOPIFY)
    plain = operator("normalize", "shopify", "orders/create", str(payload)).json
    mapped = operator("normalize", "shopify", "orders/create", str(payload), "--account", "shop-us").json
    assert [d["attributes"].get("gift_message") for d in (*plain, *mapped) if d["type"] == "order"] == [None, "no"]
    file.write_text(OVERLAY.replace('"no"', '"yes"'))
    failed = operator("mapping", "test", "shop-us")
    assert failed.code == 1
    assert "attributes.gift_message" in failed.out


@pytest.mark.parametrize(
    ("line", "number", "named"),
    [
        ("  no_such_field: name", 4, "no_such_field"),
        ("  number: 'name ('", 4, "number"),
        ("  number: $lookup_nowhere(name)", 4, "nowhere"),
    ],
)
def test_a_wrong_overlay_is_told_by_file_and_line(
    overlaid: tuple[Operator, Path], line: str, number: int, named: str
) -> None:
    """`mapping lint` and `check` name file, line and field; a hub does not start on it, and nothing is a traceback."""
    operator, file = overlaid
    file.write_text(f"document: order\ntopics: [orders/create]\nfields:\n{line}\n")
    for words in (("mapping", "lint", "shop-us"), ("check", "--offline"), ("run",), ("mapping", "show", "shop-us")):
        done = operator(*words)
        assert done.code == 1, words
        assert f"order.yaml:{number}" in done.out + done.err, words
        assert named in done.out + done.err
        assert "Traceback" not in done.err


def test_an_error_that_quotes_an_expression_is_one_line() -> None:
    """A long expression of a mapping stands in the message as one line, exit 2, nothing on standard output."""
    done = command("normalize", "amazon", "inventory", "-", stdin=b'{"orders": []}')
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "amazon/stock_report.yaml" in done.err


SAMPLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"
PUBLISHED = [(name, path) for name in ("amazon", "ebay") for path in sorted((SAMPLES / name).glob("*"))]


@pytest.mark.slow
@pytest.mark.parametrize(("connector", "file"), PUBLISHED, ids=lambda value: getattr(value, "name", value))
def test_a_published_payload_is_read_or_refused_in_one_line(connector: str, file: Path) -> None:
    """Documents and silence, or exit 2 and one line: never a traceback, whatever the file is."""
    topic = "ORDER_CHANGE" if "OrderChange" in file.name else "order"
    done = command("normalize", connector, topic, str(file))
    if done.code == 0:
        assert done.err == ""
        parse_documents(done.out)
        return
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
