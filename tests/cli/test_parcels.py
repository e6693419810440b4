"""`trunkline parcels` and `trunkline shipments late` beside a running hub, for people and for scripts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.conftest import Shop

NUMBER = "1Z879E930346834440"


def _ship(shop: Shop, folder: Path, order: str, number: str, **more: object) -> None:
    body = {"order": order, "account": "shop-us", "packages": [{"tracking_number": number, "carrier": "UPS"}], **more}
    file = folder / f"{number}.jsonl"
    file.write_text(json.dumps(body) + "\n", encoding="utf-8")
    done = shop.run("shipments", "import", str(file))
    assert done.code == 0, done.err


def test_a_shipped_parcel_is_listed_shown_and_late(shop: Shop, tmp_path: Path) -> None:
    """By id and by number however it is spelt; shipped long ago and never scanned, it is late and says by how much."""
    long_ago = datetime.now(UTC) - timedelta(days=100)
    _ship(shop, tmp_path, "#1", NUMBER, shipped_at=long_ago.isoformat())
    (parcel,) = shop.run("parcels", "list", "--json").json
    assert (parcel["tracking_number"], parcel["carrier"], parcel["milestone"]) == (NUMBER, "ups", None)
    assert parcel["carries"][0]["account"] == "shop-us"
    assert parcel["tracking_url"].startswith("https://")
    spelt = "1z 879e93 0346834440"
    assert [one["id"] for one in shop.run("parcels", "list", "--number", spelt, "--json").json] == [parcel["id"]]
    assert shop.run("parcels", "show", parcel["id"], "--json").json["events"] == []
    shown = shop.run("parcels", "show", spelt)
    assert (shown.code, NUMBER in shown.out) == (0, True)
    assert NUMBER in shop.run("parcels", "list").out
    assert shop.run("parcels", "list", "--orphans", "--json").json == []
    late = shop.run("shipments", "late", "--json").json
    (item,) = [one for one in late["items"] if one["kind"] == "unscanned"]
    assert (item["tracking_number"], item["number"]) == (NUMBER, "#1")
    assert item["late_s"] > 90 * 86_400
    (account,) = late["accounts"]
    assert (account["account"], account["unscanned"], account["to_ship"]) == ("shop-us", 1, 1)
    text = shop.run("shipments", "late")
    assert text.code == 0
    assert "no carrier has scanned it" in text.out
    assert shop.run("shipments", "late", "--kind", "delivered_late", "--json").json["items"] == []
    assert shop.run("shipments", "late", "--unscanned-after", "900d", "--json").json["items"] == []


def test_a_parcel_nobody_knows_ends_with_1(shop: Shop) -> None:
    """One line, exit 1, nothing on stdout."""
    done = shop.run("parcels", "show", "nothing-like-it")
    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_status_says_what_no_account_can_ask(shop: Shop, tmp_path: Path) -> None:
    """No carrier's account is configured here, so the open parcel is named as one nobody asks about."""
    _ship(shop, tmp_path, "#3", "1Z12345E0291980793")
    deadline = time.monotonic() + 90
    while "no account can ask about" not in shop.run("status").out:
        assert time.monotonic() < deadline
    assert shop.run("status", "--json").json["parcels"]["unasked"] >= 1
