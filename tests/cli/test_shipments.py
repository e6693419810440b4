"""`trunkline shipments`: a file of shipments for tools without a connector, a list, and what a channel was told."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Shop

HEAD = "order,number,tracking_number,carrier,sku,quantity\n"


def _file(folder: Path, *rows: str, name: str = "shipments.csv") -> str:
    path = folder / name
    path.write_text(HEAD + "".join(row + "\n" for row in rows))
    return str(path)


def test_a_file_is_read_twice_and_ships_once(shop: Shop, tmp_path: Path) -> None:
    """Rows of one number are one shipment, of one tracking number one package; what is refused is named by line."""
    order = next(one for one in shop.run("orders", "list", "--json").json if len(one["lines"]) == 2)["number"]
    before = shop.run("stock", "show", "MUG", "--json").json["total"]
    file = _file(
        tmp_path,
        f"{order},W1,1Z999AA10123456784,ups,MUG,1",
        f"{order},W1,1Z999AA10123456784,ups,BOX,1",
        f"{order},W2,9400111899223197428490,usps,MUG,1",
        "nobody's,W3,X,ups,MUG,1",
    )
    for _ in range(2):
        done = shop.run("shipments", "import", file)
        assert done.code == 1
        assert "3 shipments read, 2 stored, 0 waiting for their order, 1 refused" in done.out
        assert "shipments.csv:5" in done.err
        assert "nobody's" in done.err
    after = shop.run("stock", "show", "MUG", "--json").json["total"]
    assert (after["on_hand"], after["reserved"]) == (before["on_hand"] - 2, before["reserved"] - 2)
    listed = shop.run("shipments", "list", "--json").json
    assert sorted(row["number"] for row in listed) == ["W1", "W2"]
    shown = shop.run("shipments", "show", listed[0]["id"]).json
    assert [told["kind"] for told in shown["told"]] == ["confirm_shipment"]
    assert "1Z999AA10123456784" in shop.run("shipments", "list").out


def test_a_faulty_file_is_refused_whole(shop: Shop, tmp_path: Path) -> None:
    """Every fault by line, exit 2, and nothing is sent."""
    before = len(shop.run("shipments", "list", "--json").json)
    done = shop.run("shipments", "import", _file(tmp_path, "1,W9,X,ups,MUG,many", ",W9,X,ups,MUG,1"))
    assert done.code == 2
    assert "shipments.csv:2" in done.err
    assert "shipments.csv:3" in done.err
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("orders,sku\n1,MUG\n")
    assert "column order missing" in shop.run("shipments", "import", str(wrong)).err
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"order": "1"}\n{"no": 1}\n{broken\n')
    done = shop.run("shipments", "import", str(lines))
    assert (done.code, "lines.jsonl:2" in done.err, "lines.jsonl:3" in done.err) == (2, True, True)
    assert len(shop.run("shipments", "list", "--json").json) == before
