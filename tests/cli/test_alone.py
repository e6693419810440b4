"""Commands when no hub runs: straight to the database, with the same effects and shapes."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hub import bootstrap
from tests.support import folders
from tests.support.cli import ROOT, Operator, process


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    accounts = {"market": folders.walmart(mode="shadow")}
    return Operator(folders.write(tmp_path, accounts, "sku,components\nMUG,\nBOX,\nSET,MUG:2;BOX:1\n"))


def test_writing_makes_the_database_and_reading_finds_it(operator: Operator) -> None:
    """The first write makes the database with the catalogue in it; what was written is read."""
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    assert operator("stock", "adjust", "MUG", "main", "3", "--bucket", "incoming").code == 0
    total = operator("stock", "show", "MUG", "--json").json["total"]
    assert total == {"on_hand": 7, "reserved": 0, "incoming": 3, "quarantine": 0, "available": 7}
    assert operator("stock", "verify").code == 0
    assert operator("status", "--json").json["accounts"][0]["account"] == "market"


def test_reading_before_anything_was_written_says_what_to_do(operator: Operator, tmp_path: Path) -> None:
    """No database yet: one line, exit 1, and reading does not make one."""
    done = operator("stock", "export")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "data" / "hub.db").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("stock", "set", "NOPE", "main", "1"), "NOPE"),
        (("stock", "set", "MUG", "moon", "1"), "moon"),
        (("stock", "set", "SET", "main", "1"), "SET"),
        (("stock", "set", "MUG", "main", "-1"), "0 or more"),
        (("stock", "adjust", "MUG", "main", "0"), "other than 0"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_cannot_be_counted_is_refused_by_name(operator: Operator, words: tuple[str, ...], named: str) -> None:
    """Unknown SKU, unknown location, a kit, a negative count: nothing changes and the reason is told."""
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    done = operator(*words)
    assert done.code == 1, done
    assert named in done.err
    assert operator("stock", "show", "MUG", "--json").json["total"]["on_hand"] == 7


def test_pausing_and_tokens_work_without_a_hub(operator: Operator) -> None:
    """Acts of an operator are stored for the hub that starts later."""
    assert operator("accounts", "pause", "market", "--json").json["mode"] == "paused"
    assert operator("accounts", "list", "--json").json[0]["mode"] == "paused"
    made = operator("token", "create", "--role", "viewer", "--json").json
    (row,) = operator("token", "list", "--json").json
    assert row["id"] == made["id"]
    pulled = operator("accounts", "pull", "market")
    assert pulled.code == 1
    assert "trunkline run" in pulled.err
    assert operator("failures", "replay", "--all", "--json").json["count"] == 0


def test_an_account_is_checked_without_a_hub(operator: Operator) -> None:
    """The vendor is asked and its answer told, whether or not a hub runs: here nobody listens."""
    done = operator("accounts", "check", "market")
    assert done.code == 1
    assert "checking market" in done.err
    assert "reading only" not in done.err


def test_a_socket_left_by_a_killed_hub_is_no_hub(operator: Operator) -> None:
    """A stale socket file does not stop commands from going straight to the database."""
    assert operator("stock", "set", "MUG", "main", "1").code == 0
    left = bootstrap.socket_path(operator.config)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    assert left.exists()
    assert operator("stock", "set", "MUG", "main", "2").code == 0
    assert operator("stock", "show", "MUG", "--json").json["total"]["on_hand"] == 2


def test_upgrade_check_backup_and_restore_to_a_checked_position(operator: Operator, tmp_path: Path) -> None:
    """A restored backup has the position it was taken with, verified against its ledger; the replaced one is kept."""
    upgraded = operator("db", "upgrade")
    assert upgraded.code == 0
    assert operator("db", "upgrade").code == 0
    assert operator("db", "check", "--json").json == []
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    copy = tmp_path / "copy.db"
    assert operator("db", "backup", str(copy)).code == 0
    assert operator("stock", "set", "MUG", "main", "1").code == 0
    assert operator("db", "restore", str(copy)).code == 0
    assert operator("stock", "show", "MUG", "--json").json["total"]["on_hand"] == 7
    assert operator("stock", "verify").code == 0
    assert operator("db", "check").code == 0
    assert (tmp_path / "data" / "hub.db.replaced").exists()
    assert operator("db", "restore", str(tmp_path / "nothing")).code == 1
    broken = tmp_path / "broken.db"
    broken.write_bytes(copy.read_bytes()[:3000] + b"\0" * 9000)
    assert operator("db", "restore", str(broken)).code == 1
    assert operator("stock", "show", "MUG", "--json").json["total"]["on_hand"] == 7


def test_a_ledger_that_does_not_add_up_is_found(operator: Operator, tmp_path: Path) -> None:
    """`stock verify` ends with 1 and names the position that is not the sum of its ledger."""
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    database = sqlite3.connect(tmp_path / "data" / "hub.db")
    with database:
        database.execute("update positions set on_hand = 8 where sku = 'MUG'")
    database.close()
    done = operator("stock", "verify", "--json")
    assert done.code == 1
    assert '"ledger": 7' in done.out
    assert '"position": 8' in done.out


def test_another_key_opens_nothing(operator: Operator, tmp_path: Path) -> None:
    """A database sealed with one key is refused with another, naming the key and no bytes of it."""
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    key = tmp_path / "data" / "hub.key"
    assert key.stat().st_mode & 0o077 == 0
    kept = key.read_text()
    key.write_text("00" * 32 + "\n")
    for words in (("stock", "set", "MUG", "main", "8"), ("stock", "show", "MUG")):
        done = operator(*words)
        assert done.code == 1, words
        assert "key" in done.err
        assert kept.strip() not in done.err
    key.chmod(0o644)
    open_to_others = operator("stock", "show", "MUG")
    assert open_to_others.code == 1
    assert "chmod 600" in open_to_others.err


def test_an_export_is_imported_as_it_was(tmp_path: Path) -> None:
    """A SKU that a spreadsheet would take for a formula comes back from its own export, not as another SKU."""
    names = ("-5C", "=A", "@B", "'-D", "''+E", "'F")
    operator = Operator(folders.write(tmp_path, {}, "sku\n" + "\n".join(names) + "\n"))
    counts = {name: number for number, name in enumerate(names, 1)}
    counted = tmp_path / "counted.jsonl"
    lines = [json.dumps({"sku": name, "location": "main", "on_hand": count}) for name, count in counts.items()]
    counted.write_text("\n".join(lines))
    assert operator("stock", "import", str(counted)).code == 0
    exported = tmp_path / "exported.csv"
    exported.write_text(operator("stock", "export").out)
    assert not [line for line in exported.read_text().splitlines() if line[0] in "=+-@"]
    counted.write_text("\n".join(json.dumps({"sku": name, "location": "main", "on_hand": 90}) for name in names))
    assert operator("stock", "import", str(counted)).code == 0
    done = operator("stock", "import", str(exported))
    assert done.code == 0, done.err
    assert {row["sku"]: row["on_hand"] for row in operator("stock", "export", "--json").json} == counts


@pytest.mark.parametrize("second", ["5", "[1]", '"MUG"', "null", "{"])
def test_a_stock_line_that_is_no_object_is_named(operator: Operator, tmp_path: Path, second: str) -> None:
    """JSON lines: the line's number and what to write; exit 2, nothing stored, no traceback."""
    path = tmp_path / "counted.jsonl"
    path.write_text('{"sku": "MUG", "location": "main", "on_hand": 1}\n' + second + "\n")
    done = operator("stock", "import", str(path))
    assert done.code == 2
    assert f"{path}:2:" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("words", [("run",), ("status",), ("stock", "show", "MUG"), ("check",)], ids=" ".join)
def test_a_connector_that_does_not_exist_is_named_with_its_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whatever is asked, the fault has file, line and the known names, and nothing is made before it is told."""
    operator = Operator(folders.write(tmp_path, {"shop": {"connector": "shopfy"}}))
    done = operator(*words)
    told = done.out + done.err
    assert done.code == 1
    assert "Traceback" not in told
    assert "hub.yaml:" in told
    assert "no connector 'shopfy'" in told
    assert "shopify" in told
    assert not (tmp_path / "data" / "hub.db").exists()


def test_an_instant_no_calendar_shows_is_refused(operator: Operator) -> None:
    """Outside the years 1 to 9999 once in UTC: refused as it is given, since it could never be shown again."""
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    for words in (
        ("stock", "explain", "MUG", "--account", "market", "--at", "0001-01-01T00:00:00+23:00"),
        ("stock", "set", "MUG", "main", "1", "--as-of", "9999-12-31T23:59:59-12:00"),
    ):
        done = operator(*words)
        assert done.code == 2, words
        assert "is not an instant" in done.err


def test_output_piped_into_head_ends_quietly(operator: Operator) -> None:
    """A reader that leaves is no failure and no traceback."""
    assert operator("stock", "set", "MUG", "main", "7").code == 0
    command = f"{sys.executable} -m hub stock export --config {operator.config} | true"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_onto_a_full_disk_is_told_in_one_line() -> None:
    """A disk that fills while an answer is written: exit 1 and the reason, no traceback, nothing at the exit."""
    command = f"{sys.executable} -m hub config schema > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1
    assert done.stderr == "trunkline: config did not end: No space left on device\n"


def test_a_long_path_still_has_a_socket(tmp_path: Path) -> None:
    """Where the database's path is too long for a socket, another place is found, the same one each time."""
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5)
    deep.mkdir(parents=True)
    config = folders.write(deep, {})
    place = bootstrap.socket_path(config)
    assert len(str(place)) < 104
    assert place == bootstrap.socket_path(config)
    assert place != bootstrap.socket_path(folders.write(tmp_path, {}))


def test_no_secret_reaches_the_database_file(tmp_path: Path) -> None:
    """Credentials of the configuration stay in it."""
    config = folders.write(tmp_path, {"shop-us": folders.shopify()})
    assert Operator(config)("stock", "set", "MUG", "main", "7").code == 0
    content = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert b"shpat_invented" not in content


def test_schema_is_printed_as_json() -> None:
    """`config schema` needs no configuration at all."""
    done = process("config", "schema")
    assert done.code == 0
    assert done.json["type"] == "object"


def test_a_refused_count_is_named_by_its_line_of_the_file(tmp_path: Path) -> None:
    """However a large file is sent: the line is the file's, and what was taken in before it is said."""
    names = [f"S{number}" for number in range(501)]
    operator = Operator(folders.write(tmp_path, {}, "sku\n" + "\n".join(names) + "\n"))
    counted = tmp_path / "counted.csv"
    counted.write_text("sku,location,on_hand\n" + "".join(f"{name},main,1\n" for name in [*names, "NOPE"]))
    done = operator("stock", "import", str(counted))
    assert done.code == 1
    assert "line 503: SKU 'NOPE' is not in the catalogue" in done.err
    assert "(500 lines before were taken in, 500 positions changed)" in done.err
    counted.write_text("sku,location,on_hand\n" + "".join(f"{name},main,1\n" for name in [*names, "S0"]))
    done = operator("stock", "import", str(counted))
    assert done.code == 2
    assert f"{counted}:503: S0 at main is counted in line 2 already" in done.err
