"""Names on the disk: a file that is synced but whose folder is not may be gone after a power cut."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

_NOTHING_TO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP})
"""Answers of file systems that know no sync of a folder; their names are as durable as they get."""


def sync_names(folder: Path) -> None:
    """Make every name in `folder` durable.

    Raises:
        OSError: The disk did not confirm it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOTHING_TO_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, each name durable before anything is put inside."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_names(folder.parent)
