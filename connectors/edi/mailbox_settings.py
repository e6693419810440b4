"""`folder` and `sftp` of an account's transport."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from connectors.edi.keys import Keys, path_under
from connectors.edi.transport.folder import FolderSettings
from connectors.edi.transport.mailbox import FILE_BYTES_MAX, MailboxRules
from connectors.edi.transport.sftp import SftpSettings
from connectors.edi.transport.sftp_login import SftpLogin
from connectors.sdk.contract import AccountContext
from connectors.sdk.sections import secret

_RULES: Final = ("patterns", "quiet", "done_suffix", "bytes_max")
_FOLDER: Final = ("inbox", "archive", "outbox", *_RULES)
_SFTP: Final = ("host", "port", "user", "host_keys", "inbox", "archive", "remove", "outbox", "timeout", *_RULES)


def read_folder(keys: Keys, ctx: AccountContext) -> FolderSettings:
    """Folders must exist only when they are used: a share may not be mounted yet.

    Raises:
        ValueError: The message begins with the key that is wrong.
    """
    keys.refuse_unknown(_FOLDER)

    def place(name: str) -> Path | None:
        named = keys.text(name, "")
        return path_under(ctx.root, named) if named else None

    inbox, archive, outbox = place("inbox"), place("archive"), place("outbox")
    rules = _rules(keys)
    return keys.made(lambda: FolderSettings(inbox, archive, outbox, rules))


def read_sftp(keys: Keys, ctx: AccountContext) -> SftpSettings:
    """Raises: ValueError: The message begins with the key that is wrong, credentials included."""
    keys.refuse_unknown(_SFTP)
    password, private = secret(ctx.credentials, "password"), secret(ctx.credentials, "private_key")
    if password is None and private is None:
        raise ValueError("credentials.password: missing; SFTP needs password or private_key")
    host, user = keys.text("host"), keys.text("user")
    pins, port = keys.texts("host_keys"), keys.whole("port", 22, 1, 65_535)
    if not pins:
        raise keys.wrong("host_keys", "missing; pin the server's public key or its SHA256 fingerprint")
    rules = _rules(keys)
    return keys.made(
        lambda: SftpSettings(
            SftpLogin(host, user, pins, port, password, private, secret(ctx.credentials, "passphrase")),
            inbox=keys.text("inbox", ""),
            archive=keys.text("archive", ""),
            remove=keys.flag("remove", default=False),
            outbox=keys.text("outbox", ""),
            rules=rules,
            file_timeout_s=keys.seconds("timeout", "120s"),
        )
    )


def _rules(keys: Keys) -> MailboxRules:
    patterns, quiet_s = keys.texts("patterns", ("*",)), keys.seconds("quiet", "10s")
    done_suffix = keys.text("done_suffix", "")
    bytes_max = keys.whole("bytes_max", FILE_BYTES_MAX, 1024, FILE_BYTES_MAX)
    return keys.made(lambda: MailboxRules(patterns, quiet_s, done_suffix, bytes_max))
