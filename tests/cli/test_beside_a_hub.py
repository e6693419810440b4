"""Commands beside a running hub: reading ones look, changing ones go through it, all answer in the fixed shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Shop, unmappable
from tests.support.cli import process

BUCKETS = {"on_hand", "reserved", "incoming", "quarantine", "available"}
FLOW = {"lag_s", "pending", "oldest_age_s", "last_success"}


def test_status_has_the_public_shape(shop: Shop) -> None:
    """`status --json`: totals, and per account both directions, circuit and budget."""
    status = shop.run("status", "--json").json
    assert {"inbox_pending", "outbox_pending", "failures", "accounts"} <= status.keys()
    assert status["failures"] == 1
    assert [account["account"] for account in status["accounts"]] == ["shop-us", "market"]
    for account in status["accounts"]:
        assert {"account", "connector", "mode", "in", "out", "circuit", "budget"} <= account.keys()
        assert set(account["in"]) == set(account["out"]) == FLOW
    assert status["accounts"][1]["mode"] == "shadow"
    text = shop.run("status")
    assert text.code == 0
    assert "shop-us" in text.out
    assert "market" in text.out


def test_stock_show_has_the_public_shape(shop: Shop) -> None:
    """`stock show SKU --json`: totals, locations with versions, channels; orders have reserved."""
    stock = shop.run("stock", "show", "MUG", "--json").json
    assert {"sku", "total", "locations", "channels"} <= stock.keys()
    assert set(stock["total"]) == BUCKETS
    assert stock["total"]["on_hand"] == 50
    assert stock["total"]["reserved"] == 3
    assert stock["total"]["available"] == 47
    (place,) = stock["locations"]
    assert set(place) == {"location", "version"} | BUCKETS
    assert shop.run("stock", "show", "MUG").code == 0


def test_an_unknown_sku_order_or_failure_ends_with_1(shop: Shop) -> None:
    """What is not there is an error of one line, also for scripts."""
    for words in (("stock", "show", "NOPE"), ("orders", "show", "nope"), ("orders", "timeline", "nope")):
        done = shop.run(*words)
        assert (done.code, done.out) == (1, ""), words
        assert len(done.err.splitlines()) == 1
    done = shop.run("failures", "show", "999999")
    assert (done.code, done.out) == (1, "")
    assert shop.run("accounts", "pause", "nobody").code == 1
    assert shop.run("stock", "explain", "MUG", "--account", "nobody").code == 1


def test_orders_are_canonical_documents(shop: Shop) -> None:
    """`orders list --json` is one array of canonical orders, newest first; show and timeline take its ids."""
    orders = shop.run("orders", "list", "--json").json
    assert [order["number"] for order in orders] == ["#3", "#1"]
    assert all(order["type"] == "order" for order in orders)
    assert [o["number"] for o in shop.run("orders", "list", "--number", "#1", "--json").json] == ["#1"]
    assert len(shop.run("orders", "list", "--limit", "1", "--json").json) == 1
    assert shop.run("orders", "list", "--account", "market", "--json").json == []
    identity = orders[1]["id"]
    shown = shop.run("orders", "show", identity).json
    assert shown["state"] == "open"
    reserved = [part["units"] * line["reserved"] for line in shown["allocations"] for part in line["parts"]]
    assert sum(reserved) == 3
    timeline = shop.run("orders", "timeline", identity, "--json").json
    assert {"at", "kind", "summary", "detail"} == set(timeline[0])
    assert "posting" in {entry["kind"] for entry in timeline}
    assert [entry["at"] for entry in timeline] == sorted(entry["at"] for entry in timeline)
    assert shop.run("orders", "timeline", identity).out.count("\n") >= len(timeline)
    assert "#1" in shop.run("orders", "list").out


def test_a_parked_payload_names_its_field(shop: Shop) -> None:
    """`failures list --json`: the public shape, and the path of the field that could not be mapped."""
    (failure,) = shop.run("failures", "list", "--json").json
    public = {"id", "account", "kind", "error", "code", "path", "message", "age_s", "attempts", "state"}
    assert public <= failure.keys()
    assert failure["account"] == "shop-us"
    assert failure["kind"] == "inbound"
    assert failure["state"] == "open"
    assert "quantity" in failure["path"] + failure["message"]
    assert shop.run("failures", "show", str(failure["id"])).json == failure | {
        "age_s": pytest.approx(failure["age_s"], abs=300)
    }
    assert shop.run("failures", "list", "--kind", "availability", "--json").json == []
    assert shop.run("failures", "list", "--older-than", "1d", "--json").json == []
    text = shop.run("failures", "list")
    assert str(failure["id"]) in text.out


def test_replay_counts_first(shop: Shop) -> None:
    """`replay --dry-run` says what would be done and changes nothing; without a filter nothing is done at all."""
    (before,) = shop.run("failures", "list", "--json").json
    dry = shop.run("failures", "replay", str(before["id"]), "--dry-run", "--json").json
    assert dry["count"] == 1
    assert dry["by_kind"] == {"inbound": 1}
    assert [row["id"] for row in shop.run("failures", "list", "--json").json] == [before["id"]]
    refused = shop.run("failures", "replay")
    assert refused.code == 2
    assert "--all" in refused.err
    assert shop.run("failures", "discard", "--account", "market", "--json").json["count"] == 0


def test_accounts(shop: Shop) -> None:
    """Listed with mode and capabilities; paused and resumed through the hub, at once visible in its status."""
    accounts = shop.run("accounts", "list", "--json").json
    assert [(a["account"], a["connector"], a["mode"]) for a in accounts] == [
        ("shop-us", "shopify", "live"),
        ("market", "walmart", "shadow"),
    ]
    assert shop.run("accounts", "pause", "market", "--json").json["mode"] == "paused"
    assert shop.run("status", "--json").json["accounts"][1]["mode"] == "paused"
    assert shop.run("accounts", "resume", "market", "--json").json["mode"] == "shadow"
    assert shop.run("accounts", "list").code == 0


def test_a_vendor_that_is_down_fails_the_check_and_a_pull_is_taken(shop: Shop) -> None:
    """`accounts check` ends with 1 and says why; `pull` begins and names the streams."""
    down = shop.run("accounts", "check", "shop-us")
    assert down.code == 1
    assert "shop-us" in down.err
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    pulled = shop.run("accounts", "pull", "shop-us", "--since", yesterday, "--json").json
    assert "orders" in pulled["streams"]
    too_far = shop.run("accounts", "pull", "shop-us", "--since", "1999-01-01")
    assert too_far.code in (0, 1)
    assert "Traceback" not in too_far.err


def test_stock_is_adjusted_imported_exported_verified_explained(shop: Shop, tmp_path: Path) -> None:
    """The stock commands agree with each other, and the ledger with the positions."""
    before = shop.run("stock", "show", "BOX", "--json").json["total"]
    done = shop.run("stock", "adjust", "BOX", "main", "-2", "--reason", "damaged", "--json").json
    assert done["changed"] == 1
    assert shop.run("stock", "show", "BOX", "--json").json["total"]["on_hand"] == before["on_hand"] - 2
    counted = tmp_path / "counted.csv"
    counted.write_text("sku,location,on_hand\nBOX,main,40\n")
    assert shop.run("stock", "import", str(counted), "--json").json == {"lines": 1, "changed": 1}
    lines = b'{"sku":"BOX","location":"main","on_hand":41}\n\n'
    assert shop.run("stock", "import", "-", "--json", stdin=lines).json == {"lines": 1, "changed": 1}
    exported = shop.run("stock", "export").out.splitlines()
    assert exported[0].startswith("sku,location,on_hand,reserved")
    assert any(row.startswith("BOX,main,41,") for row in exported)
    rows = shop.run("stock", "export", "--json").json
    assert {row["sku"] for row in rows} == {"MUG", "BOX"}
    assert shop.run("stock", "verify", "--json").json == []
    assert "equals" in shop.run("stock", "verify").out
    explained = shop.run("stock", "explain", "BOX", "--account", "market", "--json").json
    assert explained["steps"]
    assert explained["postings"]
    assert explained["steps"][-1]["value"] == 41 - 1
    past = shop.run("stock", "explain", "BOX", "--account", "market", "--at", "2020-01-01", "--json").json
    assert past["postings"] == []
    assert "damaged" in shop.run("stock", "explain", "BOX", "--account", "market").out


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sku,on_hand\nBOX,4\n", "location"),
        ("sku,location,on_hand\nBOX,main,many\n", ":2"),
        ("sku,location,on_hand\n,main,4\n", ":2"),
        ("sku,location,on_hand\nBOX,main,4.5\n", ":2"),
        ("sku,location,on_hand\nBOX,main,4\nMUG,main,1,200\n", ":3: has more cells than columns"),
        ('{"sku":"BOX"}\n', ":1"),
        ("{broken\n", ":1"),
    ],
)
def test_a_wrong_stock_file_changes_nothing(shop: Shop, tmp_path: Path, text: str, named: str) -> None:
    """The whole file is refused, with the line that is wrong."""
    before = shop.run("stock", "show", "BOX", "--json").json["total"]
    counted = tmp_path / "counted.csv"
    counted.write_text(text)
    done = shop.run("stock", "import", str(counted))
    assert done.code == 2, done
    assert named in done.err
    assert shop.run("stock", "show", "BOX", "--json").json["total"] == before


def test_tokens_are_made_listed_and_ended(shop: Shop) -> None:
    """The token is shown once and never listed; it opens the API over --url until it is revoked."""
    made = shop.run("token", "create", "--role", "viewer", "--label", "a board", "--json").json
    token = made["token"]
    assert token.startswith("hub_")
    listed = shop.run("token", "list", "--json")
    assert made["id"] in [row["id"] for row in listed.json]
    assert token not in listed.out
    away = shop.run("status", "--json", "--url", shop.hub.url, "--token", token)
    assert away.json["accounts"]
    refused = shop.run("stock", "set", "BOX", "main", "1", "--url", shop.hub.url, "--token", token)
    assert refused.code == 1
    assert "operator" in refused.err
    wrong = shop.run("status", "--url", shop.hub.url, "--token", "hub_wrong")
    assert wrong.code == 1
    assert "hub_wrong" not in wrong.err
    assert shop.run("token", "revoke", made["id"], "--json").json["revoked_at"]
    assert shop.run("token", "revoke", "nothing").code == 1
    shown = shop.run("token", "create", "--role", "admin", "--days", "1")
    assert shown.out.startswith("hub_")
    assert shop.run("token", "create", "--role", "admin", "--days", "1000").code == 1


def test_an_address_nobody_listens_on_is_told(shop: Shop) -> None:
    """`--url` to nowhere is one line and exit 1."""
    done = shop.run("status", "--url", "http://127.0.0.1:9", "--token", "hub_x")
    assert done.code == 1
    assert "127.0.0.1:9" in done.err


def test_a_backup_is_taken_beside_the_hub_and_restoring_under_it_is_refused(shop: Shop, tmp_path: Path) -> None:
    """`db backup` works while the hub runs and never overwrites; `db restore` and `db upgrade` name the hub's pid."""
    file = tmp_path / "copy.db"
    assert shop.run("db", "backup", str(file)).code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert shop.run("db", "backup", str(file)).code == 1
    assert shop.run("db", "check").code == 0
    refused = shop.run("db", "restore", str(file))
    assert refused.code == 1
    assert str(shop.hub.pid) in refused.err


def test_a_second_hub_is_refused_by_pid_and_a_taken_port_is_told(shop: Shop, tmp_path: Path) -> None:
    """Two mistakes of starting: the same database twice, the same port twice."""
    second = process("run", "--config", str(shop.hub.config))
    assert second.code == 1
    assert str(shop.hub.pid) in second.err
    assert "Traceback" not in second.err
    document = json.loads(shop.hub.config.read_text())
    other = tmp_path / "config" / "hub.yaml"
    other.parent.mkdir()
    (tmp_path / "skus.csv").write_text("sku\nMUG\n")
    other.write_text(json.dumps(document))
    taken = process("run", "--config", str(other))
    assert taken.code == 1
    assert str(shop.hub.port) in taken.err
    assert "listen" in taken.err
    assert len(taken.err.splitlines()) == 1, taken.err


def test_mappings_of_an_account_are_shown_and_compared(shop: Shop, tmp_path: Path) -> None:
    """`mapping diff` maps what was recorded with an overlay and with the mappings shipped, and changes nothing."""
    same = shop.run("mapping", "diff", "shop-us", "--json")
    assert same.json == []
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "order.yaml").write_text(
        "document: order\ntopics: [orders/create, orders/updated]\nfields:\n  number: '\"N\" & name'\n"
    )
    changed = shop.run("mapping", "diff", "shop-us", "--against", str(overlay), "--json").json
    assert {"number"} == {change["field"] for change in changed}
    assert {(change["old"], change["new"]) for change in changed} == {("N#1", "#1"), ("N#3", "#3")}
    assert shop.run("orders", "list", "--number", "#1", "--json").json
    shown = shop.run("mapping", "show", "shop-us", "--json").json
    assert {"topic", "document", "field", "expression", "layer", "file", "line"} == set(shown[0])


def test_normalize_uses_the_accounts_overlay(shop: Shop, tmp_path: Path) -> None:
    """`normalize --account` maps as that account does; an account of another connector is refused."""
    file = tmp_path / "order.json"
    file.write_bytes(unmappable(9))
    done = shop.run("normalize", "shopify", "orders/create", str(file), "--account", "shop-us")
    assert done.code == 2
    assert "quantity" in done.err
    assert shop.run("normalize", "walmart", "order", str(file), "--account", "shop-us").code == 2
