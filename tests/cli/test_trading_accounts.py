"""What is wrong with a trading account is said by `trunkline check`, with the file and the line it is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support import folders
from tests.support.cli import Operator


def account(**transport: Any) -> dict[str, Any]:
    return {"connector": "edi", "options": {"partner": "partners/mine.yaml", "transport": transport}}


def written(tmp_path: Path, profile: str, **transport: Any) -> Path:
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "mine.yaml").write_text(profile)
    return folders.write(tmp_path, {"mine": account(**transport)})


def test_every_fault_of_a_profile_is_told_with_its_line(tmp_path: Path) -> None:
    """All of them at once, beside the place in the configuration that names the profile."""
    config = written(tmp_path, "name: Mine\nrole: bank\nsdq: {mode: guess}\n", folder={"outbox": "out"})
    done = Operator(config)("check", "--offline")
    assert done.code == 1
    faults = [line for line in done.out.splitlines() if "accounts.mine.options.partner" in line]
    assert len(faults) == 2, done.out
    assert any("mine.yaml:2" in line and "role" in line for line in faults)
    assert any("mine.yaml:3" in line and "sdq" in line for line in faults)
    assert "Traceback" not in done.err


def test_a_wrong_key_of_the_transport_is_told_with_its_line(tmp_path: Path) -> None:
    """The line is the one the key stands in."""
    config = written(tmp_path, "name: Mine\n", folder={"outbox": "out", "quiet": "soon"})
    done = Operator(config)("check", "--offline")
    line = next(number for number, text in enumerate(config.read_text().splitlines(), 1) if '"quiet"' in text)
    assert f"hub.yaml:{line}: accounts.mine: options.transport.folder.quiet" in done.out, done.out


def test_a_sound_account_is_well_and_a_missing_folder_is_told_by_asking(tmp_path: Path) -> None:
    """--offline looks at nothing outside; without it the folder is looked for."""
    config = written(tmp_path, "name: Mine\n", folder={"outbox": "out"})
    assert Operator(config)("check", "--offline").code == 0
    asked = Operator(config)("check")
    assert asked.code == 1
    assert "accounts.mine" in asked.out
    (tmp_path / "out").mkdir()
    assert Operator(config)("check").code == 0
