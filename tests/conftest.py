"""The counts of the rigs are a result: they are printed for passing runs as well, before the closing line."""

from __future__ import annotations

import pytest


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
