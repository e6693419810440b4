"""Getting onto a partner's SFTP server, and only onto that one: host keys are pinned, nothing is learnt on first use.

Source: OpenSSH `sshd(8)` for the forms of keys and fingerprints; asyncssh 2.24 for what it reads unasked (2026-10).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import asyncssh

from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, Rejected, TargetMissing, Transient
from connectors.sdk.ports import Secret

CONNECTION_LOST: Final = "sftp_connection"
"""The code of errors after which the session is of no use."""
_FINGERPRINT: Final = "SHA256:"


class LoginUnusable(ValueError):
    """A key, pin or combination that can never log in; says which."""


@dataclass(frozen=True, slots=True)
class SftpLogin:
    """Where and as whom.

    Args:
        host_keys: Pins, each a public key as in `known_hosts` (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`).
            Several while the partner changes keys. Prefer keys: a server with keys of several kinds is then asked
            for the pinned one.
        private_key: In PEM or OpenSSH form, opened with `passphrase` where it has one.
        connect_timeout_s: For connection and login together.
    """

    host: str
    username: str
    host_keys: tuple[str, ...]
    port: int = 22
    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None
    connect_timeout_s: float = 20.0
    keepalive_s: float = 15.0

    def __post_init__(self) -> None:
        if not self.host_keys:
            raise LoginUnusable("at least one host key is pinned: without it anybody between could read the files")
        if self.password is None and self.private_key is None:
            raise LoginUnusable("a password or a private key is needed")
        self.pins()
        self.client_key()

    def pins(self) -> tuple[list[asyncssh.SSHKey], frozenset[str]]:
        """Pinned keys, and fingerprints."""
        keys = []
        for pin in self.host_keys:
            if pin.startswith(_FINGERPRINT):
                continue
            try:
                keys.append(asyncssh.import_public_key(pin))
            except (asyncssh.KeyImportError, ValueError) as error:
                raise LoginUnusable(f"the host key {pin[:24]!r} is neither a public key nor a fingerprint") from error
        return keys, frozenset(pin.rstrip("=") for pin in self.host_keys if pin.startswith(_FINGERPRINT))

    def client_key(self) -> asyncssh.SSHKey | None:
        if self.private_key is None:
            return None
        passphrase = self.passphrase.reveal() if self.passphrase is not None else None
        try:
            return asyncssh.import_private_key(self.private_key.reveal(), passphrase)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            # The library's message may quote the key.
            raise LoginUnusable("the private key cannot be read, or its passphrase is wrong") from error


class _Pinned(asyncssh.SSHClient):
    """Asked for every host key that is not among the pinned ones: lets pinned fingerprints in and notes the others."""

    def __init__(self, fingerprints: frozenset[str]) -> None:
        self._fingerprints = fingerprints
        self.presented = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 - the library's shape
        self.presented = key.get_fingerprint()
        return self.presented.rstrip("=") in self._fingerprints


@asynccontextmanager
async def session(login: SftpLogin) -> AsyncIterator[asyncssh.SFTPClient]:
    """A logged-in session; closed at the end, also when the body is cancelled.

    Raises:
        AuthFailed: The host key is not pinned (nothing secret has been sent by then), or the login was refused.
        Transient: No connection, or it broke.
    """
    keys, fingerprints = login.pins()
    client_key = login.client_key()
    client = _Pinned(fingerprints)
    with _login_errors(login, client):
        connection = await asyncssh.connect(
            login.host,
            login.port,
            username=login.username,
            password=login.password.reveal() if login.password is not None else None,
            client_keys=[client_key] if client_key is not None else None,
            known_hosts=(keys, [], []),
            client_factory=lambda: client,
            connect_timeout=login.connect_timeout_s,
            login_timeout=login.connect_timeout_s,
            keepalive_interval=login.keepalive_s,
            # Nothing of the machine's user may decide: no ~/.ssh/config, no agent, no other ways in.
            config=None,
            agent_path=None,
            gss_auth=False,
            gss_kex=False,
            host_based_auth=False,
        )
    try:
        with sftp_errors("the SFTP session"):
            # One name in another character set must not make the whole listing unreadable.
            sftp = await connection.start_sftp_client(path_errors="surrogateescape")
        yield sftp
    finally:
        connection.abort()
        await connection.wait_closed()


@contextmanager
def _login_errors(login: SftpLogin, client: _Pinned) -> Iterator[None]:
    where = f"{login.host}:{login.port}"
    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        raise AuthFailed(
            f"{where} shows the host key {client.presented or 'of another kind'}, which is not pinned",
            code="host_key_not_pinned",
        ) from error
    except asyncssh.PermissionDenied as error:
        raise AuthFailed(f"{where} refused the login of {login.username}", code="sftp_login") from error
    except asyncssh.KeyExchangeFailed as error:
        raise AuthFailed(
            f"{where} and we have no common way to connect: {error.reason}", code="sftp_algorithms"
        ) from error
    except (OSError, TimeoutError, asyncssh.Error) as error:
        raise Transient(f"{where}: no SFTP connection", code=CONNECTION_LOST) from error


@contextmanager
def sftp_errors(what: str) -> Iterator[None]:
    """A server's errors as the engine's."""
    try:
        yield
    except asyncssh.Error as error:
        raise _decided(error, what) from error
    except (OSError, TimeoutError) as error:
        raise Transient(f"{what}: the connection broke or gave no answer in time", code=CONNECTION_LOST) from error


def _decided(error: asyncssh.Error, what: str) -> ConnectorError:
    if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
        return AuthFailed(f"{what}: permission denied", reason=AuthReason.SCOPE, code="sftp_permission")
    if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
        return TargetMissing(f"{what}: there is no such file or folder", code="sftp_missing")
    if isinstance(error, asyncssh.SFTPInvalidFilename | asyncssh.SFTPNotADirectory | asyncssh.SFTPFileIsADirectory):
        return Rejected(f"{what}: {error.reason}", code="sftp_name")
    if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection | asyncssh.DisconnectError):
        return Transient(f"{what}: the connection broke", code=CONNECTION_LOST)
    if isinstance(error, asyncssh.ChannelOpenError):
        return Rejected(f"{what}: the server gives this login no SFTP", code="sftp_subsystem")
    # Most servers answer a plain "failure" to a full disk, a lock and everything else.
    return Transient(f"{what}: {error.reason}", code="sftp_failure")
