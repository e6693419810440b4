"""Every command explains itself, and wrong usage ends with 2, one line, no traceback, no secret."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import cli
from tests.support import folders
from tests.support.cli import command, process


def _commands(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command's words, groups included."""
    yield path
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from _commands(child, (*path, name))


COMMANDS = sorted(_commands(cli.parser()))


def test_the_surface_is_there() -> None:
    """Every command that scripts rely on exists."""
    promised = {
        *(("init",), ("check",), ("run",), ("demo",), ("sandbox",), ("normalize",), ("status",)),
        *(("mapping", verb) for verb in ("lint", "show", "test", "diff")),
        *(("stock", verb) for verb in ("show", "set", "adjust", "import", "export", "verify", "explain")),
        *(("orders", verb) for verb in ("list", "show", "timeline")),
        ("shipments", "late"),
        *(("parcels", verb) for verb in ("list", "show")),
        *(("failures", verb) for verb in ("list", "show", "replay", "discard")),
        *(("accounts", verb) for verb in ("list", "check", "pause", "resume", "pull")),
        *(("db", verb) for verb in ("upgrade", "check", "backup", "restore")),
        *(("token", verb) for verb in ("create", "list", "revoke")),
        *(("edi", verb) for verb in ("inspect", "validate", "ack")),
        ("config", "schema"),
    }
    assert promised <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    """`--help` ends with 0, says what the command does, and every command takes --config, --json and --debug."""
    done = command(*words, "--help")
    assert done.code == 0
    assert done.err == ""
    assert "usage: trunkline" in done.out
    for option in ("--config", "--json", "--debug"):
        assert option in done.out
    text = done.out.split("\n\n", 2)
    assert "".join(text[1:2]).strip(), "nothing is said about it"


@pytest.mark.parametrize("words", [w for w in COMMANDS if w], ids=" ".join)
def test_an_unknown_option_ends_with_2(words: tuple[str, ...]) -> None:
    """A misspelt option is refused before anything is done."""
    done = command(*words, "--no-such-option")
    assert done.code == 2
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("no-such-command",),
        ("stock",),
        ("stock", "no-such-verb"),
        ("stock", "set", "MUG", "main", "many"),
        ("stock", "set", "MUG", "main", "4.5"),
        ("stock", "adjust", "MUG", "main", "99999999999999999999"),
        ("stock", "explain", "MUG"),
        ("accounts", "pull", "shop-us", "--since", "yesterday"),
        ("failures", "list", "--kind", "strange"),
        ("failures", "list", "--older-than", "-3s"),
        ("failures", "list", "--limit", "-1"),
        ("orders", "list", "--limit", "0"),
        ("sandbox", "shopify", "--port", "99999"),
        ("demo", "--port", "-1"),
        ("token", "create", "--role", "king"),
        ("run", "--role", "boss"),
        ("demo", "--seconds", "soon"),
        ("demo", "--fault", "no-such-profile"),
        ("demo", "--rate", "0"),
        ("sandbox", "nobody"),
        ("sandbox", "walmart", "--fault", "slow=2"),
        ("sandbox", "walmart", "--partner", "retailer"),
        ("sandbox", "edi", "--partner", "bank"),
        ("normalize", "nobody", "orders/create", "-"),
        ("normalize", "shopify", "orders/create", "/no/such/file"),
        ("mapping", "show", "nobody"),
        ("edi", "inspect", "/no/such/file"),
        ("edi", "validate", "/no/such/file"),
        ("edi", "ack", "--control", "0", "/no/such/file"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_one_reason(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Bad input is told on stderr and never as a traceback; nothing is printed as a result."""
    config = folders.write(tmp_path, {})
    done = command(*arguments, *(("--config", str(config)) if len(arguments) > 1 else ()))
    assert done.code == 2, done
    assert done.err.strip()
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_missing_configuration_is_named_with_what_to_do(tmp_path: Path) -> None:
    """The path that was looked for is in the message."""
    done = command("status", "--config", str(tmp_path / "none.yaml"))
    assert done.code == 1
    assert "none.yaml" in done.err
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) == 1


def test_the_configuration_comes_from_the_environment_too(tmp_path: Path) -> None:
    """`$TRUNKLINE_CONFIG` is used when no --config is given."""
    config = folders.write(tmp_path, {})
    done = process("check", "--offline", cwd=tmp_path / "config", env={"TRUNKLINE_CONFIG": str(config)})
    assert done.code == 0, done.err
    assert "Traceback" not in done.err


def test_version_is_printed() -> None:
    """`--version` names program and version."""
    done = command("--version")
    assert done.code == 0
    assert done.out.startswith("trunkline ")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """`--debug` is for those who look for the place; without it there is one line."""
    done = process("status", "--debug", "--config", str(tmp_path / "none.yaml"))
    assert done.code != 0
    assert "Traceback" in done.err
