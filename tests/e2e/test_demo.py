"""`trunkline demo` as a newcomer runs it: clean, and clean under every kind of bad manners."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.sdk.sandbox import FAULT_PROFILES
from tests.support.cli import ROOT, process

SUMMARY = {
    "orders_in",
    "pushes_out",
    "lag_p50_s",
    "lag_p99_s",
    "oversold",
    "lost",
    "duplicated",
    "unproven",
    "confirmed",
    "unconfirmed",
    "accounts",
    "parcels",
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("profile", sorted(set(FAULT_PROFILES) - {"outage"}))
def test_the_demo_ends_clean(profile: str) -> None:
    """Nothing oversold, lost, duplicated or unproven whatever the vendors' manners; bad ones did strike."""
    done = process("demo", "--seconds", "15", "--json", "--port", "0", "--fault", profile, timeout_s=860)
    assert done.code == 0, done.out + done.err
    summary = json.loads(done.out.splitlines()[-1])
    assert summary.keys() >= SUMMARY
    wrongs = (summary["oversold"], summary["lost"], summary["duplicated"], summary["unproven"])
    assert wrongs == (0, 0, 0, 0), summary["unproven_listings"]
    assert summary["unconfirmed"] == 0, summary["unconfirmed_parcels"]
    assert summary["confirmed"] > 0
    assert sum(summary["parcels"].values()) > summary["parcels"]["unheard"], "no carrier told of anything"
    assert summary["orders_in"] > 20
    assert summary["pushes_out"] > 20
    struck = {account: sum(seen["faults"].values()) for account, seen in summary["accounts"].items()}
    partners = {account: struck.pop(account) for account in summary["trade"]["sets"]}
    assert all((count > 0) == (profile != "none") for count in struck.values()), struck
    # Partners know no webhooks.
    assert (sum(partners.values()) > 0) == (profile == "bad-manners"), partners
    assert summary["trade"]["complaints"] == []
    assert summary["trade"]["shipments"] > 0
    assert all(seen["855"] > 0 for account, seen in summary["trade"]["sets"].items() if account == "retailer-demo")
    assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ctrl_c_ends_the_demo_with_its_verdict(tmp_path: Path) -> None:
    """Stopped mid-traffic it settles, says how it went, and leaves nothing running."""
    said = tmp_path / "said"
    with said.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "-m", "hub", "demo", "--port", "0"],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        deadline = time.monotonic() + 240
        while not re.search(r"sales [1-9]", said.read_text()):
            assert demo.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.1)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(600) == 0, said.read_text()
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
    out = said.read_text()
    summary, verdict = out[out.index("\n{") :].rsplit("\n}", 1)
    assert json.loads(summary + "}")["lost"] == 0
    assert verdict.split() == ["all", "sold", "once,", "all", "known,", "nothing", "lost"]
    assert "Traceback" not in out
