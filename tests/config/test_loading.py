"""A good configuration reads into typed settings, and every path, line and default is what is documented."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

import config
from config import ConfigurationInvalid, KeyFile, Listen, Settings
from connectors.sdk.ports import Secret
from hub.services.retention import DAY_S, Keep

ENV = {"SHOP_TOKEN": "tok-very-secret", "SHOP_SECRET": "sec-very-secret", "N": "7", "KEY": "5ec4e7" * 10 + "beef"}

FULL = """\
hub:
  database: sqlite:///data/hub.db          # or postgresql://user@host/db
  listen: 127.0.0.1:8700
  public_url: https://hub.example.com/
  encryption_key: {file: data/hub.key}
  mappers: 2
  retention: {payloads: 45d, personal: 90d}
  log: {format: console}
locations:
  east: {name: East warehouse, time_zone: America/New_York}
  west:
accounts:
  shop-us:
    connector: shopify
    base_url: http://127.0.0.1:9001
    credentials: {access_token: ${SHOP_TOKEN}, webhook_secret: ${SHOP_SECRET}}
    options: {shop: example.myshopify.com, api_version: 2026-10, ratio: 1.10, nodes: [1, "2", 003], deep: {on: true}}
    locations: {"gid://shopify/Location/1": east}
    poll: {orders: 60s, stock: 15m, all: 1.5h}
    availability: {locations: [west, east], buffer: 2, share: 0.8, cap: 500, minimum: 1}
    mode: shadow
    mappings: mappings/shop-us
    stock_source: true
    time_zone: UTC
    currency: USD
  other:
    connector: walmart
skus: skus.csv
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "mappings" / "shop-us").mkdir(parents=True)
    (tmp_path / "skus.csv").write_text("sku\nMUG\n")
    return tmp_path


def _load(home: Path, text: str) -> Settings:
    path = home / "config" / "hub.yaml"
    path.write_text(text)
    return config.load(path, ENV)


def test_a_full_configuration(home: Path) -> None:
    """Every key arrives typed, relative paths start beside the config folder, versions stay text."""
    settings = _load(home, FULL)
    assert settings.hub.database == f"sqlite:///{home}/data/hub.db"
    assert settings.hub.listen == Listen("127.0.0.1", 8700)
    assert settings.hub.public_url == "https://hub.example.com"
    assert settings.hub.encryption_key == KeyFile(home / "data" / "hub.key")
    assert settings.hub.mappers == 2
    assert settings.hub.retention.payloads_s == 45 * 86400
    assert (settings.hub.log.format, settings.hub.log.level) == ("console", "info")
    assert settings.locations["east"].time_zone == "America/New_York"
    assert settings.locations["west"].name == "west"
    assert settings.skus == home / "skus.csv"
    shop = settings.accounts["shop-us"]
    assert shop.credentials == {"access_token": Secret("tok-very-secret"), "webhook_secret": Secret("sec-very-secret")}
    assert shop.options == {
        "shop": "example.myshopify.com", "api_version": "2026-10", "ratio": "1.10", "nodes": [1, "2", "003"],
        "deep": {"on": True},
    }  # fmt: skip
    assert shop.locations == {"gid://shopify/Location/1": "east"}
    assert shop.poll_s == {"orders": 60.0, "stock": 900.0, "all": 5400.0}
    assert shop.availability.share == Decimal("0.8")
    assert shop.availability.locations == shop.routing == ("west", "east")
    assert (shop.mode, shop.stock_source, shop.time_zone, shop.currency) == ("shadow", True, "UTC", "USD")
    assert shop.mappings == home / "mappings" / "shop-us"


def test_defaults(home: Path) -> None:
    """An account that says little is live, sells from every location and shows everything."""
    other = _load(home, FULL).accounts["other"]
    assert other.mode == "live"
    assert other.availability.locations == other.routing == ("east", "west")
    assert (other.availability.buffer, other.availability.share, other.availability.cap) == (0, Decimal(1), None)
    assert dict(other.credentials) == {}
    hub = _load(home, "locations: {}\n").hub
    assert hub.database == f"sqlite:///{home}/data/hub.db"
    assert hub.encryption_key == KeyFile(home / "data" / "hub.key")
    assert (str(hub.listen), hub.mappers, hub.webhook_max_bytes) == ("127.0.0.1:8700", 0, 5 * 1024 * 1024)


def test_an_account_without_a_pool_sells_from_the_locations_it_maps(home: Path) -> None:
    """Mapped locations are the pool, in the order written and each once."""
    text = "locations: {a: , b: , c: }\naccounts:\n  x:\n    connector: y\n    locations: {'2': b, '1': a, '3': b}\n"
    account = _load(home, text).accounts["x"]
    assert account.availability.locations == account.routing == ("b", "a")


def test_lines_of_keys(home: Path) -> None:
    """A caller can point at the line of any key, of its nearest parent when it is absent."""
    settings = _load(home, FULL)
    lines = FULL.splitlines()
    for key in ("accounts.shop-us.credentials.access_token", "accounts.shop-us.options.shop", "hub.listen", "skus"):
        assert key.rpartition(".")[2] in lines[settings.line_of(key) - 1]
    assert settings.line_of("accounts.shop-us.options.deep.on") == settings.line_of("accounts.shop-us.options")
    assert settings.line_of("accounts.other.credentials.client_id") == settings.line_of("accounts.other")
    assert settings.line_of("nothing.like.it") == 1
    assert settings.where("hub.listen") == f"{home}/config/hub.yaml:3"


def test_secrets_do_not_show(home: Path) -> None:
    """No repr of any setting holds a secret."""
    text = FULL.replace("encryption_key: {file: data/hub.key}", "encryption_key: ${KEY}")
    settings = _load(home, text.replace("sqlite:///data/hub.db", "postgresql://me:${SHOP_SECRET}@h/db"))
    assert "very-secret" not in repr(settings)
    assert "5ec4e7" not in repr(settings)
    assert settings.hub.database == "postgresql://me:sec-very-secret@h/db"
    assert settings.hub.encryption_key == Secret(ENV["KEY"])


def test_references(home: Path) -> None:
    """`${NAME}` stands anywhere in a value and fills numbers too, `$${NAME}` is the text, `{file:}` reads a file."""
    (home / "token.txt").write_text("from-file\r\n")
    text = """\
hub: {mappers: ${N}}
accounts:
  x:
    connector: y
    credentials: {a: "p-${SHOP_TOKEN}-s", b: {file: token.txt}, c: $${SHOP_TOKEN}, d: 0123, e: 'it''s ${N}'}
    options: {shop: ${SHOP_TOKEN}, key: {file: token.txt}}  # ${NOT_READ_IN_COMMENTS}
"""
    settings = _load(home, text)
    assert settings.hub.mappers == 7
    account = settings.accounts["x"]
    assert {name: secret.reveal() for name, secret in account.credentials.items()} == {
        "a": "p-tok-very-secret-s", "b": "from-file", "c": "${SHOP_TOKEN}", "d": "0123", "e": "it's 7",
    }  # fmt: skip
    assert account.options == {"shop": "tok-very-secret", "key": "from-file"}


def test_values_are_never_parsed_as_yaml(home: Path) -> None:
    """An environment value cannot add keys, however it looks."""
    path = home / "config" / "hub.yaml"
    path.write_text("accounts: {x: {connector: y, credentials: {a: ${EVIL}}}}\n")
    evil = "b, mode: paused}\n  mode: live # *x"
    account = config.load(path, {"EVIL": evil}).accounts["x"]
    assert account.credentials["a"].reveal() == evil
    assert account.mode == "live"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u@h/d", "postgresql://u@h/d"),
        ("postgresql+asyncpg://u@h:5432/d", "postgresql://u@h:5432/d"),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=/run/pg"),
        ("sqlite:////var/lib/hub.db", "sqlite:////var/lib/hub.db"),
    ],
)
def test_database_urls(home: Path, given: str, kept: str) -> None:
    """URLs keep their meaning and lose only spellings of one driver."""
    assert _load(home, f"hub: {{database: '{given}'}}\n").hub.database == kept


@pytest.mark.parametrize(("given", "host", "port"), [("0.0.0.0:0", "0.0.0.0", 0), ("'[::1]:8700'", "::1", 8700)])
def test_listen_addresses(home: Path, given: str, host: str, port: int) -> None:
    """IPv4 and bracketed IPv6 addresses are read, and written the same again."""
    listen = _load(home, f"hub: {{listen: {given}}}\n").hub.listen
    assert listen == Listen(host, port)
    assert str(listen) == given.strip("'")


def test_paths_start_from_the_files_folder_when_it_is_not_called_config(tmp_path: Path) -> None:
    """`hub.yaml` on its own counts from its own folder."""
    (tmp_path / "skus.csv").write_text("sku\n")
    path = tmp_path / "hub.yaml"
    path.write_bytes(b"\xef\xbb\xbfskus: skus.csv\r\nhub: {}\r\n")
    settings = config.load(str(path), {})
    assert settings.skus == tmp_path / "skus.csv"
    assert settings.root == tmp_path


def test_the_starter_is_valid_and_complete(tmp_path: Path) -> None:
    """What `init` writes loads in an empty environment, and its comments are valid once uncommented."""
    for name, text in config.starter().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings = config.load(tmp_path / "config" / "hub.yaml", {})
    assert settings.skus is not None
    assert [entry.sku for entry in config.read_skus(settings.skus)] == ["MUG", "BOX", "MUG-SET"]
    names = [line.partition("=")[0] for line in config.starter()[".env.example"].splitlines() if line[0] != "#"]
    lines = config.starter()["config/hub.yaml"].splitlines()
    opened = [line.replace("  # ", "  ", 1) if line.startswith("  # ") else line for line in lines]
    (tmp_path / "config" / "hub.yaml").write_text("\n".join(line for line in opened if line.strip() != "#"))
    settings = config.load(tmp_path / "config" / "hub.yaml", dict.fromkeys(names, "x"))
    assert set(settings.accounts) == {"shop-us", "walmart-us", "ebay-us", "amazon-us", "big-box"}


def test_schema_agrees_with_the_reader(home: Path) -> None:
    """The JSON Schema is valid, accepts what loads, and refuses an unknown key."""
    from ruamel.yaml import YAML

    schema = config.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    plain = YAML(typ="safe", pure=True).load(FULL.replace("${SHOP_TOKEN}", "a").replace("${SHOP_SECRET}", "b"))
    plain["accounts"]["shop-us"]["options"]["api_version"] = "2026-10"
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(plain)
    plain["hub"]["databse"] = "x"
    assert not validator.is_valid(plain)
    _load(home, FULL)


def test_settings_travel_between_processes(home: Path) -> None:
    """Settings pickle, secrets included, because mapper processes are given theirs."""
    settings = _load(home, FULL)
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize("span", ["29d", "7d", "1h"])
def test_what_the_configuration_lets_through_the_hub_can_start_with(tmp_path: Path, span: str) -> None:
    """The shortest keep of payloads is the pruning's own: one that loads never fails the start."""
    path = tmp_path / "hub.yaml"
    path.write_text(f"hub:\n  retention: {{payloads: {span}}}\n")
    with pytest.raises(ConfigurationInvalid, match="use at least 30d"):
        config.load(path, {})
    path.write_text("hub:\n  retention: {payloads: 30d, attempts: 1h, personal: 1h}\n")
    kept = config.load(path, {}).hub.retention
    Keep(kept.payloads_s / DAY_S, kept.attempts_s / DAY_S)
