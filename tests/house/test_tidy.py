"""The habits of the house that the linters cannot see hold for every file of the product."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import registry

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("canonical", "mappings", "connectors", "config", "hub")
MODULE_LINES_MAX = 460
BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "misc", "common_utils"}
# Word stems that mean money or a count of goods; a float beside one of them is a rounding bug to come.
EXACT = re.compile(r"price|amount|total|quantity|money|on_hand|reserved|discount|unit_cost|tax", re.IGNORECASE)


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sources()}


def test_every_module_says_what_it_is_for(trees: dict[Path, ast.Module]) -> None:
    """Each module opens with a docstring."""
    assert [relative(path) for path, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_modules_stay_small() -> None:
    """No module outgrows what one sitting can read."""
    large = {
        relative(path): lines for path in sources() if (lines := len(path.read_text().splitlines())) > MODULE_LINES_MAX
    }
    # One vocabulary (the store port) and one schema stay in one place on purpose; a migration is a record.
    vocabularies = {"hub/ports/store.py", "hub/storage/tables.py"}
    assert {name for name in large if name not in vocabularies and "/migrations/versions/" not in name} == set()


def test_no_module_is_named_for_nothing() -> None:
    """A module's name says what is in it."""
    assert [relative(path) for path in sources() if path.stem in BANNED_NAMES] == []


def test_no_float_touches_money_or_quantity(trees: dict[Path, ast.Module]) -> None:
    """`float` never annotates or converts anything named as money or goods."""
    found = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and "float" in ast.unparse(node.annotation):
                name = ast.unparse(node.target)
                if EXACT.search(name) and not name.endswith(("_s", "_at")):
                    found.append(f"{relative(path)}:{node.lineno} {name}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
                text = " ".join(ast.unparse(argument) for argument in node.args)
                if EXACT.search(text):
                    found.append(f"{relative(path)}:{node.lineno} float({text})")
    assert found == []


def test_only_worker_boundaries_catch_everything(trees: dict[Path, ast.Module]) -> None:
    """`except Exception` stands at the worker boundary only, and nothing is suppressed wholesale."""
    # The intake flusher is a worker too: it hands each error to the request it belongs to. So is the
    # server, to which a request is a piece of work like any other.
    boundaries = ("hub/workers/", "hub/storage/postgres/intake.py", "hub/api/server.py")
    found = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in {"Exception", "everything"} and not relative(path).startswith(boundaries):
                    found.append(f"{relative(path)}:{node.lineno}")
            if isinstance(node, ast.Call) and ast.unparse(node) in {
                "contextlib.suppress(Exception)",
                "suppress(Exception)",
                "contextlib.suppress(BaseException)",
            }:
                found.append(f"{relative(path)}:{node.lineno}")
    assert found == []


def test_nothing_is_left_unfinished() -> None:
    """No note of unfinished work is committed."""
    word = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|NotImplemented" + r"Error")
    found = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".yaml", ".md", ".graphql"} or path.name == "Makefile"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if word.search(line)
    ]
    assert found == []


def test_nothing_of_one_machine_is_committed() -> None:
    """No absolute path of a developer's machine and no package index address is in the tree."""
    machine = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/|--(?:extra-)?index-url|file:///")
    found = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix not in {".db", ".png", ".svg"} and path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if machine.search(line) and path.name != "requirements.lock"
    ]
    assert found == []


def test_connector_folders_are_complete() -> None:
    """Each connector has a manifest, an error table, a sandbox, mappings and a contract suite."""
    missing = []
    for folder in sorted((ROOT / "connectors").iterdir()):
        if not (folder / "__init__.py").exists() or folder.name == "sdk":
            continue
        vendor = folder.name
        if vendor == "edi" and vendor not in registry.names():
            continue  # transports only; the day it is registered as a connector it is asked for everything else
        parts = (
            f"connectors/{vendor}/manifest.py",
            f"connectors/{vendor}/errors.py",
            f"connectors/{vendor}/sandbox.py",
            f"mappings/{vendor}/lookups.yaml",
            f"tests/connectors/test_{vendor}_contract.py",
        )
        missing += [part for part in parts if not (ROOT / part).exists()]
    assert missing == []


def test_vendor_tables_name_their_source() -> None:
    """Every vendor module with rules of the vendor says where they come from and as of when."""
    found = []
    for folder in sorted((ROOT / "connectors").iterdir()):
        if folder.name == "sdk" or not (folder / "errors.py").exists():
            continue
        for name in ("manifest.py", "errors.py"):
            text = (folder / name).read_text()
            if not re.search(r"Source", text) or not re.search(r"20\d\d-\d\d", text):
                found.append(relative(folder / name))
    assert found == []


def test_architecture_page_matches_the_tree() -> None:
    """`docs/architecture.md` names every package folder, and no folder that is not there."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    folders = {
        relative(path.parent)
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
        if "migrations" not in path.parts
    }
    named = set(re.findall(r"`((?:canonical|mappings|connectors|config|hub)(?:/[a-z_0-9]+)*)/?`", page))
    modules = {name for name in named if (ROOT / f"{name}.py").exists()}
    assert sorted(folders - named) == []
    assert sorted(name for name in named - modules if not (ROOT / name).is_dir()) == []


def test_changelog_has_entries_that_say_where() -> None:
    """The changelog's newest section has entries, and each opens with its area."""
    text = (ROOT / "CHANGELOG.md").read_text()
    newest = text.split("\n## ")[1]
    entries = [line for line in newest.splitlines() if line.startswith("- ")]
    assert entries
    assert [entry for entry in entries if not re.match(r"- \*\*[^*]+\*\*: ", entry)] == []
