"""Every bench runs to its end at its smallest size and says what it measured beside what.

A bench that cannot run any more tells nobody that something became slower.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import payloads
from bench.__main__ import BENCHES
from bench.report import Report, Side, Target, compared, not_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", BENCHES)
def test_bench_runs(name: str, tmp_path: Path) -> None:
    """The bench ends well and every figure it judges has a value."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench", name, "--size", "tiny", "--json", "--folder", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=860, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (bench,) = json.loads(done.stdout.splitlines()[-1])["benches"]
    assert bench["bench"] == name
    assert bench["figures"]
    for figure in bench["figures"]:
        # What is not installed is skipped, and the figure then says how to install it.
        assert figure["ours"] is not None or "install" in figure["note"], figure
    assert list(tmp_path.iterdir()) == []


def test_a_missed_target_is_called_missed() -> None:
    """The verdict follows the ratio of neighbouring repetitions, in the direction the target has."""
    slow = compared("x", Side("", (50.0, 60.0), "1/s"), Side("floor", (100.0, 100.0), "1/s"), Target(">=", 0.6))
    assert slow.ratio == pytest.approx(0.55)
    assert slow.met is False
    assert slow.verdict() == "MISSED"
    quick = compared("x", Side("", (50.0, 60.0), "us"), Side("floor", (10.0, 10.0), "us"), Target("<=", 8.0))
    assert quick.met is True


def test_what_did_not_run_is_never_met() -> None:
    """A figure without a measurement has no verdict but that, and its reason stands in the table."""
    figure = not_run("x", "SKIPPED: nothing there", Target(">=", 1.0))
    assert figure.met is None
    text = Report("b", "about", [figure]).as_text()
    assert "NOT RUN" in text
    assert "SKIPPED: nothing there" in text


def test_an_unknown_bench_is_refused() -> None:
    """A misspelt name ends with 2 and the names there are."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "aply"], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 2
    assert "intake, apply" in done.stderr


@pytest.mark.parametrize("size", [4096, 8192])
def test_bodies_have_the_size_asked_for(size: int) -> None:
    """The 4 KB of the intake bench are 4 KB, and still an order."""
    body = payloads.body_of(size, 1)
    assert len(body) == size
    assert json.loads(body)["line_items"][0]["sku"] == "SKU-1"
