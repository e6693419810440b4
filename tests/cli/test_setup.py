"""A newcomer's first minutes: init, check, a wrong line, a database that is there or not."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.support import folders
from tests.support.cli import Operator, command, process

SECRET = "shpat-canary-4711"


def test_init_then_check_passes_as_it_is(tmp_path: Path) -> None:
    """The starter needs no edit to pass, and works before any database exists."""
    made = process("init", "hub", cwd=tmp_path)
    assert made.code == 0, made.err
    checked = process("check", "--offline", cwd=tmp_path / "hub")
    assert (checked.code, checked.err) == (0, "")
    assert not (tmp_path / "hub" / "data").exists(), "checking must not make a database"


def test_init_never_overwrites(tmp_path: Path) -> None:
    """A second init changes nothing and says which file is in the way."""
    assert command("init", str(tmp_path)).code == 0
    config = tmp_path / "config" / "hub.yaml"
    config.write_text("hub: {listen: 127.0.0.1:1}\n")
    again = command("init", str(tmp_path))
    assert again.code == 1
    assert "hub.yaml" in again.err
    assert config.read_text() == "hub: {listen: 127.0.0.1:1}\n"


def test_the_starter_passes_its_own_schema(tmp_path: Path) -> None:
    """`config schema` is a valid JSON Schema, and the starter is valid under it."""
    schema = command("config", "schema").json
    jsonschema.Draft202012Validator.check_schema(schema)
    assert command("init", str(tmp_path)).code == 0
    document = YAML(typ="safe").load((tmp_path / "config" / "hub.yaml").read_text())
    jsonschema.validate(json.loads(json.dumps(document)), schema)
    wrong = json.loads(json.dumps(document)) | {"unknown": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


WRONG = f"""\
hub:
  database: sqlite:///data/hub.db
  listne: 127.0.0.1:8700
locations:
  main: {{name: Main}}
accounts:
  shop-us:
    connector: shopify
    credentials: {{access_token: {SECRET}, webhook_secret: "{SECRET}-2"}}
    options: {{shop: example.myshopify.com}}
    availability: {{buffer: minus-two}}
    poll: {{orders: often}}
"""


@pytest.mark.parametrize("verb", [("check", "--offline"), ("run",), ("status",)], ids=lambda verb: verb[0])
def test_a_wrong_file_is_told_line_by_line(tmp_path: Path, verb: tuple[str, ...]) -> None:
    """One line per fault: file, line and key; exit 1; no traceback, no secret."""
    (tmp_path / "config").mkdir()
    config = tmp_path / "config" / "hub.yaml"
    config.write_text(WRONG)
    done = Operator(config)(*verb)
    assert done.code == 1
    lines = done.err.splitlines()
    for number, key in ((3, "listne"), (11, "buffer"), (12, "orders")):
        assert any(f"hub.yaml:{number}" in line and key in line for line in lines), (number, key, lines)
    assert len(lines) == 3
    assert "Traceback" not in done.err
    assert SECRET not in done.err + done.out


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    """Text that is no YAML at all is told with its line."""
    (tmp_path / "config").mkdir()
    config = tmp_path / "config" / "hub.yaml"
    config.write_text("hub:\n  listen: [127.0.0.1\n")
    done = Operator(config)("check", "--offline")
    assert done.code == 1
    assert "hub.yaml:" in done.err
    assert "Traceback" not in done.err


def test_a_connectors_own_keys_are_checked(tmp_path: Path) -> None:
    """A missing credential and an unknown connector name file, line and key; no secret is repeated."""
    section = folders.shopify()
    section["credentials"] = {"webhook_secret": SECRET}
    config = folders.write(tmp_path, {"shop-us": section, "ghost": {"connector": "nobody"}})
    done = Operator(config)("check", "--offline")
    assert done.code == 1
    assert "hub.yaml:" in done.out + done.err
    assert "accounts.shop-us" in done.out + done.err
    assert SECRET not in done.out + done.err


def test_an_unset_variable_is_named(tmp_path: Path) -> None:
    """`${NAME}` that is not set names the variable and the line."""
    section = folders.shopify()
    section["credentials"]["access_token"] = "${TRUNKLINE_TEST_NOT_SET}"
    done = Operator(folders.write(tmp_path, {"shop-us": section}))("check", "--offline")
    assert done.code == 1
    assert "TRUNKLINE_TEST_NOT_SET" in done.err
    assert "hub.yaml:" in done.err


def test_check_asks_the_vendor_and_names_what_is_wrong(tmp_path: Path) -> None:
    """A vendor that cannot be reached is one line with the account's place; --offline does not ask."""
    operator = Operator(folders.write(tmp_path, {"market": folders.walmart()}))
    assert operator("check", "--offline").code == 0
    done = operator("check")
    assert done.code == 1
    assert "accounts.market" in done.out
    assert "not-a-real-secret" not in done.out + done.err
    assert "Traceback" not in done.err


def test_check_sees_a_database_that_is_not_ours(tmp_path: Path) -> None:
    """A file that is no database is a fault of its own."""
    config = folders.write(tmp_path, {})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hub.db").write_bytes(b"this is no database" * 100)
    done = Operator(config)("check", "--offline")
    assert done.code == 1
    assert "hub.db" in done.out
