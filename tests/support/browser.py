"""Debian's chromium without a screen, for pages as people see them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


def browser() -> str:
    """The program; without one the test is skipped, except in CI, where it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to have chromium: apt-get install chromium")
        pytest.skip("no chromium on this machine")
    return found


async def _run(*arguments: str) -> str:
    with tempfile.TemporaryDirectory(prefix="trunkline-browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            browser(),
            *FLAGS,
            f"--user-data-dir={profile}",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), 180)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return out.decode(errors="replace")


async def dom(url: str) -> str:
    """The document as the browser holds it after loading."""
    return await _run("--dump-dom", url)


async def picture(url: str, file: Path, *, width: int = 1280, height: int = 1400) -> None:
    """A PNG of the page."""
    await _run(f"--window-size={width},{height}", f"--screenshot={file}", url)
    assert file.exists()
