"""What the documents say is what there is: metrics, commands, operations of the API."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import cli
from hub.runtime.metrics import Build, Metrics

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _exposed() -> dict[str, str]:
    """Metric → type, as a scraper sees them."""
    metrics = Metrics({"shop": "shopify"}, Build("1", "3.11", "sqlite"))
    metrics.measure([])
    body, _ = metrics.render()
    rows = re.findall(r"^# TYPE (trunkline_\w+) (\w+)$", body.decode(), re.MULTILINE)
    return {name: kind for name, kind in rows if not name.endswith("_created")}


def test_the_metrics_page_is_what_is_exposed() -> None:
    """Every metric with its type stands on the page, and nothing else does."""
    table = re.findall(r"^\| `(trunkline_\w+)` \| (\w+) \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    assert dict(table) == _exposed()


def test_alerts_name_metrics_there_are() -> None:
    """An alert on a metric that does not exist never fires."""
    known = set(_exposed())
    for page in PAGES:
        for name in re.findall(r"trunkline_[a-z_]+", page.read_text()):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert name in known or base in known, f"{page.name}: {name}"


def _commands() -> Iterator[tuple[Path, str]]:
    """Every `trunkline …` in the pages, in code spans and code blocks."""
    for page in PAGES:
        text = page.read_text()
        for found in re.findall(r"`trunkline ([^`\n]+)`", text):
            yield page, found
        for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL):
            for line in block.splitlines():
                if match := re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?trunkline (.+?)(?:\s+#.*)?$", line):
                    yield page, match[1]


def _words(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    """Whether these words name a command, and its options exist."""
    for word in words:
        groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if groups and not word.startswith("-"):
            if word.split("|")[0] not in groups[0].choices:
                return False
            parser = groups[0].choices[word.split("|")[0]]
        elif word.startswith("--") and word.partition("=")[0] not in parser._option_string_actions:
            return False
    return True


@pytest.mark.parametrize(("page", "line"), list(_commands()), ids=lambda value: getattr(value, "name", value))
def test_a_documented_command_exists(page: Path, line: str) -> None:
    """A reader can copy any command of the pages: the words and the options are there."""
    words = [word for word in shlex.split(line.replace("[", " ").replace("]", " ").replace("…", "")) if word]
    assert _words(cli.parser(), words), f"{page.name}: trunkline {line}"
