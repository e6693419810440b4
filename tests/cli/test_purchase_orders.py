"""`trunkline purchase-orders` on a hub's folder: orders made, changed, received, imported, and shown as they match."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.commands.purchase_files import FORM
from tests.support import folders
from tests.support.cli import Operator


def supplier(folder: Path) -> dict[str, Any]:
    transport = {
        "folder": {"inbox": str(folder / "in"), "archive": str(folder / "kept"), "outbox": str(folder / "out")}
    }
    return {"connector": "edi", "options": {"partner": "supplier", "transport": transport}, "currency": "USD"}


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    accounts = {"market": folders.walmart(mode="shadow"), "supplier-demo": supplier(tmp_path)}
    return Operator(folders.write(tmp_path, accounts, "sku,components\nMUG,\nBOX,\nSET,MUG:2;BOX:1\n"))


CREATE = (
    "purchase-orders",
    "create",
    "OUR-1",
    "MUG=20@2.50",
    "BOX=6",
    "--supplier",
    "supplier-demo",
    "--location",
    "main",
)


def test_an_order_from_making_to_closing(operator: Operator) -> None:
    """Each act says what it did; `show` has every quantity side by side, what differs and what is owed."""
    done = operator(*CREATE, "--expected", "2026-12-10")
    assert done.out == "OUR-1: sent, revision 0; the supplier is sent it\n", done.err
    assert "(done already)" in operator(*CREATE, "--expected", "2026-12-10").out
    listed = operator("purchase-orders", "list", "--json").json
    assert [(one["type"], one["number"], one["state"]) for one in listed] == [("purchase_order", "OUR-1", "sent")]
    assert operator("purchase-orders", "list", "--supplier", "nobody", "--json").json == []
    change = operator("purchase-orders", "change", "OUR-1", "--quantity", "1=24", "--remove", "2", "--price", "1=2.40")
    assert (change.code, "named twice" in change.err) == (1, True)
    done = operator("purchase-orders", "change", "OUR-1", "--quantity", "1=24", "--remove", "2", "--add", "BOX=3@1")
    assert done.out == "OUR-1: sent, revision 1; the supplier is sent it\n", done.err
    done = operator("purchase-orders", "receive", "OUR-1", "MUG=10", "--damaged", "MUG=2", "--receipt", "R1", "--json")
    assert done.json["state"] == "partially_received"
    assert operator("purchase-orders", "receive", "OUR-1", "MUG=10", "--damaged", "MUG=2", "--receipt", "R1").code == 0
    shown = operator("purchase-orders", "show", "OUR-1", "--json").json
    assert [(line["ordered"], line["received"], line["damaged"]) for line in shown["lines"]] == [
        (24, 12, 2),
        (0, 0, 0),
        (3, 0, 0),
    ]
    assert {one["set"] for one in shown["awaited"]} == {"855", "865", "856", "810"}
    done = operator("purchase-orders", "receive", "OUR-1", "MUG=1", "MUG=2")
    assert (done.code, "MUG named twice" in done.err) == (2, True)
    text = operator("purchase-orders", "show", "OUR-1").out
    assert "line 1: 12 received, 24 as ordered: 12 fewer" in text
    total = operator("stock", "show", "MUG", "--json").json["total"]
    assert (total["on_hand"], total["quarantine"]) == (10, 2)
    assert operator("purchase-orders", "close", "OUR-1").out == "OUR-1: closed, revision 1\n"
    assert operator("stock", "verify").code == 0


def test_a_draft_is_kept_until_it_is_sent_and_a_cancelled_order_is_over(operator: Operator) -> None:
    """`--draft` sends nothing; `send` does, once; after `cancel` a change is a conflict."""
    assert operator(*CREATE, "--draft").out == "OUR-1: draft, revision 0\n"
    assert operator("purchase-orders", "send", "OUR-1").out == "OUR-1: sent, revision 0; the supplier is sent it\n"
    assert operator("purchase-orders", "send", "OUR-1").code == 1
    assert operator("purchase-orders", "cancel", "OUR-1", "--reason", "too late").code == 0
    done = operator("purchase-orders", "change", "OUR-1", "--quantity", "1=1")
    assert (done.code, "is cancelled and cannot be changed" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("show", "NOPE"), 1, "no purchase order 'NOPE'"),
        (("cancel", "NOPE"), 1, "no purchase order 'NOPE'"),
        (("create", "P", "MUG", "--supplier", "S", "--location", "main"), 2, "'MUG' is not NAME=VALUE"),
        (("create", "P", "MUG=x", "--supplier", "S", "--location", "main"), 2, "not a whole number"),
        (("create", "P", "NOPE=1", "--supplier", "S", "--location", "main"), 1, "'NOPE' is not in the catalogue"),
        (("create", "P", "MUG=1", "--supplier", "S", "--location", "moon"), 1, "'moon' is not one of ours"),
        (("create", "P", "MUG=1", "--supplier", "market", "--location", "main"), 1, "market is no supplier's"),
        (("create", "P", "MUG=1@free", "--supplier", "S", "--location", "main"), 1, "unit_cost"),
        (("change", "P"), 2, "say what"),
        (("receive", "P"), 2, "say what"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(operator: Operator, words: tuple[str, ...], code: int, named: str) -> None:
    """The exit code tells usage from refusal, and nothing is made."""
    assert operator("stock", "set", "MUG", "main", "1").code == 0
    done = operator("purchase-orders", *words)
    assert (done.code, len(done.err.splitlines())) == (code, 1), done
    assert named in done.err
    assert operator("purchase-orders", "list").out == "no purchase orders\n"


CSV = """number,supplier,location,currency,sku,quantity,uom,eaches_per_unit,unit_cost
P-1,supplier-demo,main,USD,MUG,24,CA,12,30.00
P-1,supplier-demo,main,USD,BOX,6,,,1.00
P-2,Invented Pottery,main,,MUG,5,,,
"""


def test_files_of_orders(operator: Operator, tmp_path: Path) -> None:
    """Rows of one number are one order; read again nothing is made twice; one refused order does not hold up others."""
    file = tmp_path / "orders.csv"
    file.write_text(CSV)
    assert operator("purchase-orders", "import", str(file)).out == (
        "2 orders read: 2 made, 1 sent, 0 known already, 0 refused\n"
    )
    assert "0 made, 0 sent, 2 known already" in operator("purchase-orders", "import", str(file)).out
    lines = [
        {"number": "P-3", "supplier": "S", "location": "main", "lines": [{"sku": "NOPE", "quantity": 1}]},
        {"number": "P-4", "supplier": "S", "location": "main", "lines": [{"sku": "MUG", "quantity": 1}]},
    ]
    more = tmp_path / "orders.jsonl"
    more.write_text("\n".join(json.dumps(line) for line in lines))
    done = operator("purchase-orders", "import", str(more))
    assert (done.code, "orders.jsonl:1: line 1: SKU 'NOPE'" in done.err) == (1, True)
    numbers = {one["number"] for one in operator("purchase-orders", "list", "--json").json}
    assert numbers == {"P-1", "P-2", "P-4"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("number,sku\nP,MUG\n", "bad.csv:1: column location, quantity, supplier missing"),
        ("number,supplier,location,sku,quantity,colour\n", "unknown column colour"),
        ("number,supplier,location,sku,quantity\nP,S,main,MUG,many\n", "bad.csv:2: 'many' is not a whole number"),
        ("number,supplier,location,sku,quantity\nP,S,main,,1\n", "bad.csv:2: sku must not be empty"),
        ("number,supplier,location,sku,quantity\nP,S,main,MUG,1\nP,T,main,MUG,1\n", "bad.csv:3: supplier is 'T' here"),
        ("number,supplier,location,sku,quantity\nP,S,main,MUG,1,200\n", "bad.csv:2: has more cells than columns"),
        ("number,supplier,location,sku,quantity,sku\nP,S,main,MUG,1,CUP\n", "bad.csv:1: a column is named twice"),
        ("number,supplier,location,sku,quantity\nP,S,main,MUG," + "1" * 200_000 + "\n", "bad.csv:2: field larger"),
        ('{"number": "P"}\nnonsense {\n', "bad.csv:2: invalid literal"),
        ('{"order": "P"}\n', "no JSON object with a `number`"),
    ],
)
def test_a_file_with_a_fault_in_its_form_is_refused_whole(
    operator: Operator, tmp_path: Path, text: str, named: str
) -> None:
    """Every fault names file and line, and no order of the file is made."""
    file = tmp_path / "bad.csv"
    file.write_text(text)
    done = operator("purchase-orders", "import", str(file))
    assert done.code == 2, done
    assert named in done.err


def test_a_line_ends_where_the_file_ends_it() -> None:
    """A note may hold what Unicode takes for the end of a line; JSON does not."""
    body = {"number": "OUR-1", "note": "ring\u2028the bell\x85twice"}
    raw = (json.dumps(body, ensure_ascii=False) + "\n").encode()
    assert list(FORM.read("orders.jsonl", raw)) == [("orders.jsonl:1", body)]
