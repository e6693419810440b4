"""For every test: logging stays as it was; the counts of the rigs, a result, are printed for passing runs too.

Property tests have no time limit per example: a slow machine is no counterexample. What was found is told so that it
can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("trunkline", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trunkline")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command run in this process sets logging up for itself; the next test must not inherit its stream."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the rigs printed, one line each; pytest itself shows it for failures only."""
    passed = [
        report
        for report in terminalreporter.stats.get("passed", [])
        if report.nodeid.startswith("tests/rig/") and report.capstdout.strip()
    ]
    if not passed:
        return
    terminalreporter.section("rigs")
    for report in sorted(passed, key=lambda each: str(each.nodeid)):
        name = report.nodeid.rpartition("::")[2]
        for line in report.capstdout.strip().splitlines():
            terminalreporter.write_line(f"{name}: {line}")
