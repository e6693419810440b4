"""The key that wraps everything secret in the database; made on first start, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from config.settings import KeyFile
from connectors.sdk.ports import Secret
from hub.storage.folders import make_folder, sync_names

_BYTES = 32


class KeyUnusable(Exception):
    """The encryption key cannot be read, made or used; the message says which file and what to do."""


def load(source: KeyFile | Secret, *, make: bool) -> bytes:
    """The 32 key bytes; a missing file is made when `make` is set.

    A file that others can read is refused: a key that has been readable is no key.
    """
    if isinstance(source, Secret):
        return _decoded(source.reveal(), "hub.encryption_key")
    path = source.path
    if not path.exists():
        if not make:
            raise KeyUnusable(f"the key file {path} does not exist; the hub makes it on its first start")
        _make(path)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"reading the key file {path}: {error}") from None
    if mode & 0o077:
        raise KeyUnusable(f"the key file {path} can be read by others; run: chmod 600 {path}")
    return _decoded(text, str(path))


def _make(path: Path) -> None:
    """Written under a temporary name and renamed, so that no half-written key is ever found."""
    # Never a name used before: in a container every start has the same process id, and a start that
    # was killed here must not stand in the way of the next.
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        make_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails where another process has been faster; then that one's key counts.
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        # What is sealed from now on outlives a power cut only as long as its key does.
        sync_names(path.parent)
    except OSError as error:
        raise KeyUnusable(f"making the key file {path}: {error.strerror or error}") from None


def _decoded(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise KeyUnusable(f"{where} is not a key: {_BYTES * 2} hexadecimal digits are needed")
    return key
