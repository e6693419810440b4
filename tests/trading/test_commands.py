"""The commands about what was exchanged, beside no hub: what they say when there is little to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.commands.edi_exchange import countdown
from tests.support import folders
from tests.support.cli import Operator


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "no deadline"),
        (12_000, "in 3h 20m"),
        (-176_500, "overdue by 2d 1h"),
        (59, "in less than a minute"),
        (-1, "overdue by less than a minute"),
        (86_400, "in 1d"),
        (90_061, "in 1d 1h"),
    ],
)
def test_a_countdown_names_the_two_largest_units(seconds: int | None, said: str) -> None:
    """People read hours and minutes; programs get seconds by --json."""
    assert countdown(seconds) == said


def test_nothing_exchanged_is_said_in_words_and_in_json(tmp_path: Path) -> None:
    """Empty lists, an unknown file, a choice that does not exist."""
    run = Operator(folders.write(tmp_path, {"market": folders.walmart(mode="shadow")}, "sku\nMUG\n"))
    assert run("stock", "set", "MUG", "main", "1").code == 0
    assert "no file was exchanged yet" in run("edi", "list").out
    assert run("edi", "list", "--json").json == []
    assert "nothing is awaited" in run("edi", "due").out
    assert "nothing is overdue" in run("edi", "due", "--overdue").out
    for words in (("show", "file_0"), ("show", "file_0", "--raw"), ("resend", "file_0")):
        done = run("edi", *words)
        assert (done.code, len(done.err.splitlines())) == (1, 1)
        assert "no file file_0" in done.err
    assert run("edi", "list", "--direction", "sideways").code == 2
