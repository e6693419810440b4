"""Files that commands read by and by instead of at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hub.commands.common import EXIT_USAGE, CommandError


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file to read bytes from, or standard input for `-`."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as source:
            yield source
    except BrokenPipeError:
        # The reader of our answer has left, which is not about the file.
        raise
    except OSError as error:
        raise CommandError(f"reading {name}: {error.strerror}", exit_code=EXIT_USAGE) from None
