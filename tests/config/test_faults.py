"""Whatever is wrong with a configuration is said in one line each, all at once, with file, line, key and remedy."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import config
from config import ConfigurationInvalid

SECRET = "hunter2-hunter2"


def _faults(tmp_path: Path, text: str | bytes, env: dict[str, str] | None = None) -> list[str]:
    path = tmp_path / "hub.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationInvalid) as caught:
        config.load(path, env or {})
    assert caught.value.faults
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [str(fault).removeprefix(f"{path}:").removeprefix(f"{path}: ") for fault in caught.value.faults]


def _account(inner: str) -> str:
    return f"locations: {{east: , west: }}\naccounts:\n  a:\n    connector: y\n    {inner}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hub: {databse: x}", "1: hub.databse: is no known key: did you mean 'database'?"),
        ("hubb: {}", "1: hubb: is no known key: did you mean 'hub'?"),
        ("hub:\n  listen: here", "2: hub.listen: 'here' is no address to listen on: write host:port, for example"),
        ("hub:\n  listen: 1.2.3.4:99999", "2: hub.listen: '1.2.3.4:99999' is no address"),
        ("hub:\n  database: mysql://x/y", "2: hub.database: is neither SQLite nor PostgreSQL"),
        ("hub:\n  database: 'sqlite://'", "2: hub.database: names no database file"),
        ("hub:\n  database: 'sqlite:///:memory:'", "2: hub.database: names no database file"),
        ("hub:\n  database: postgresql://me@h", "2: hub.database: names no database"),
        ("hub:\n  encryption_key: short", "2: hub.encryption_key: is no key: write 64 hexadecimal digits"),
        ("hub:\n  public_url: hub.example.com", "2: hub.public_url: is no http or https URL"),
        ("hub:\n  public_url: https://u:p@h", "2: hub.public_url: holds a user name or password"),
        ("hub:\n  public_url: https://h/?a=1", "2: hub.public_url: has a query"),
        ("hub:\n  mappers: many", "2: hub.mappers: 'many' is no whole number"),
        ("hub:\n  mappers: 1.0", "2: hub.mappers: '1.0' is no whole number"),
        ("hub:\n  mappers: 65", "2: hub.mappers: '65' is out of range: use a number from 0 to 64"),
        ("hub:\n  mappers:", "2: hub.mappers: has no value: give it one or remove the key"),
        ("hub:\n  mappers: [1]", "2: hub.mappers: must be a single value"),
        ("hub:\n  log: loud", "2: hub.log: must be a table of keys: known keys: format, level"),
        ("hub: []", "1: hub: must be a table of keys"),
        ("hub:\n  retention: {payloads: forever}", "2: hub.retention.payloads: 'forever' is no duration"),
        ("hub:\n  retention: {payloads: 1s}", "2: hub.retention.payloads: '1s' is out of range: use at least 30d"),
        ("hub: {}\nhub: {}", "2: hub: is given twice, first in line 1: keep one of them"),
        ("hub:\n  log: {level: info, level: info}", "2: hub.log.level: is given twice, first in line 2"),
        ("locations:\n  b@d: {}", "2: locations.b@d: 'b@d' is not a name that fits into a URL"),
        ("locations:\n  a: {time_zone: Mars/X}", "2: locations.a.time_zone: 'Mars/X' is no known time zone"),
        ("locations: [a]", "1: locations: must be a table of keys"),
        ("accounts:\n  shop us: {connector: x}", "2: accounts.shop us: 'shop us' is not a name that fits"),
        ("accounts:\n  a: {}", "2: accounts.a.connector: is missing: add it"),
        ("accounts:\n  a: {connector: Shopify}", "2: accounts.a.connector: 'Shopify' is not a connector's name"),
        (_account("mode: liv"), "5: accounts.a.mode: 'liv' is no choice here: did you mean 'live'?"),
        (_account("poll: {orders: 60}"), "5: accounts.a.poll.orders: '60' is no duration: write a number and a unit"),
        (_account("poll: {orders: 0s}"), "5: accounts.a.poll.orders: '0s' is out of range"),
        (_account("locations: {1: eats}"), "5: accounts.a.locations.1: 'eats' is no location of this hub: did you"),
        (_account("routing: [north]"), "5: accounts.a.routing[0]: 'north' is no location of this hub"),
        (_account("routing: []"), "5: accounts.a.routing: names no location"),
        (_account("routing: [east, east]"), "5: accounts.a.routing[1]: 'east' is listed twice"),
        (_account("routing: east"), "5: accounts.a.routing: must be a list: write it as [one, two]"),
        (_account("availability: {share: 1.5}"), "5: accounts.a.availability.share: '1.5' is no share"),
        (_account("availability: {share: .nan}"), "5: accounts.a.availability.share: '.nan' is no share"),
        (_account("availability: {buffer: '2'}"), "5: accounts.a.availability.buffer: '2' is no whole number"),
        (_account("availability: {cap: 1, minimum: 2}"), "5: accounts.a.availability.cap: 1 is less than minimum 2"),
        (_account("availability: {locations: [x]}"), "5: accounts.a.availability.locations[0]: 'x' is no location"),
        (_account("stock_source: yes"), "5: accounts.a.stock_source: 'yes' is neither true nor false"),
        (_account("currency: usd"), "5: accounts.a.currency: 'usd' is not an ISO 4217 code: write three capitals"),
        (_account("mappings: none/here"), "5: accounts.a.mappings: there is no folder 'none/here'"),
        (_account("credentials: {t: ${NOPE}}"), "5: accounts.a.credentials.t: needs the environment variable NOPE"),
        (_account("credentials: {t: ${EMPTY}}"), "5: accounts.a.credentials.t: needs the environment variable EMPTY"),
        (_account("credentials: {t: ${no name}}"), "5: accounts.a.credentials.t: has a `${…}` that names no variable"),
        (_account("credentials: {${NOPE}: x}"), "5: accounts.a.credentials: has a key that is not plain text"),
        (_account("credentials: {t: {file: no.txt}}"), "5: accounts.a.credentials.t: the file 'no.txt' does not exist"),
        (_account("credentials: {t: {file: .}}"), "5: accounts.a.credentials.t: the file '.' cannot be read"),
        (_account("credentials: {t: {file: empty.txt}}"), "5: accounts.a.credentials.t: the file 'empty.txt' is empty"),
        (_account("credentials: {t: [a]}"), "5: accounts.a.credentials.t: must be a single value"),
        (_account("credentials: {t: ''}"), "5: accounts.a.credentials.t: has no value"),
        (_account("<<: {mode: live}"), "5: accounts.a.<<: merge keys are not supported"),
        ("skus: nope.csv", "1: skus: there is no file 'nope.csv'"),
        ("", "is empty: write a starter configuration with `trunkline init`"),
        ("# nothing\n", "is empty"),
        ("[a]", "1: must be a table of keys"),
        ("hub: {}\n---\nhub: {}", "2: holds more than one YAML document"),
        ("hub:\n\tlisten: x", "2: is indented with a tab: indent with spaces"),
        ("hub:\n  log: {\tformat: json}\n  listen: 'x", "is not valid YAML"),
        ("hub: {listen: x", "is not valid YAML"),
        ("hub: a: b", "1: has a colon where none is allowed"),
        ("hub: *x", "1: uses an alias (*name) that no anchor"),
        ("a: &a [*a]", "values"),
        ("hub: \ue000", "contains characters U+E000"),
        (b"hub:\n  listen: \xff", "2: is not UTF-8 text"),
    ],
)  # fmt: skip
def test_each_fault_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    """One mistake gives exactly one line that says where, what and what to do."""
    (tmp_path / "empty.txt").write_text("\n")
    found = _faults(tmp_path, text, {"EMPTY": ""})
    assert len(found) == 1, found
    assert said in found[0]


def test_all_faults_at_once(tmp_path: Path) -> None:
    """A file with many mistakes is reported in one go, in the order of its lines."""
    found = _faults(tmp_path, "hub:\n  x: 1\n  listen: y\naccounts:\n  a:\n    mode: z\n    poll: {o: 1}\nskus: no\n")
    assert [line.partition(":")[0] for line in found] == ["2", "3", "5", "6", "7", "8"]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """Neither a missing file nor a folder in its place is a traceback."""
    with pytest.raises(ConfigurationInvalid, match="does not exist: write one with `trunkline init`"):
        config.load(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        config.load(tmp_path, {})


def test_aliases_cannot_explode(tmp_path: Path) -> None:
    """A few lines of nested aliases are refused quickly instead of filling memory."""
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" if n else "l0: &l0 [x]" for n in range(9)]
    assert "has more than" in _faults(tmp_path, "\n".join(levels))[0]


@pytest.mark.parametrize(
    "text",
    [
        "hub: {database: ${S}, listen: ${S}, public_url: ${S}, encryption_key: ${S}, mappers: ${S}}",
        "hub: {log: {level: ${S}}, retention: {payloads: ${S}}}",
        "locations: {a: {time_zone: ${S}}}",
        _account("mode: ${S}"),
        _account("poll: {o: ${S}}"),
        _account("availability: {share: ${S}, buffer: ${S}}"),
        _account("stock_source: ${S}"),
        _account("mappings: ${S}"),
        _account("credentials: {t: {file: ${S}}}"),
        _account("options: {t: {file: ${S}}}"),
        "hub: {mappers: {file: secret.txt}}",
        "skus: ${S}",
        f"hub: {{encryption_key: {SECRET}}}",
        f"hub: {{database: 'postgresql://me:{SECRET}@h'}}",
        f"hub: {{public_url: 'https://me:{SECRET}@h'}}",
        _account(f"credentials: {{t: [{SECRET}]}}"),
        _account(f"credentials: {{t: {SECRET}: x}}"),
        _account(f"credentials: {{t: '{SECRET}}}"),
        _account(f"credentials: {{t: %{SECRET}}}"),
        _account(f"credentials: {{t: *{SECRET}}}"),
        _account(f"credentials: {{t: !{SECRET}!x y}}"),
    ],
)
def test_no_fault_shows_a_secret(tmp_path: Path, text: str) -> None:
    """Values from the environment, from files and of credentials stay out of every message."""
    (tmp_path / "secret.txt").write_text(SECRET)
    found = _faults(tmp_path, text, {"S": SECRET})
    assert SECRET not in "\n".join(found)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(st.sampled_from("hub: {}[]\n\t -#'\"&*!|>%@`$xacountsmode1,.~?"))
    | st.text(max_size=60)
    | st.binary(max_size=60)
)
@example("? [a]\n: b")
@example("hub: !!python/object:os.system x")
@example("a: 1\n\x00")
def test_any_bytes_load_or_are_refused(tmp_path: Path, text: str | bytes) -> None:
    """No content of the file leads to anything but settings or `ConfigurationInvalid`."""
    path = tmp_path / "hub.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    with suppress(ConfigurationInvalid):
        config.load(path, {})
