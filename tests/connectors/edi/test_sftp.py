"""An SFTP mailbox gives and takes whole files, each once, whatever the connection does, on the pinned server only."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh
import pytest

from connectors.edi.transport.arrival import Delivered, Keeping
from connectors.edi.transport.mailbox import MailboxRules
from connectors.edi.transport.sftp import SftpSettings, SftpTransport
from connectors.edi.transport.sftp_login import LoginUnusable, SftpLogin
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, InDoubt, Rejected, TargetMissing, Transient
from connectors.sdk.ports import Secret
from tests.support.edi_partners import Kept

ORDER = b"ISA*00*~\nGS*PO~\nST*850*0001~\n\xff\r"
QUIET = MailboxRules(quiet_s=0)


@dataclass
class PartnerServer:
    """asyncssh's server over a folder; writes down what it is asked and can break at a renaming."""

    root: Path
    host_key: asyncssh.SSHKey
    client_key: asyncssh.SSHKey
    port: int = 0
    passwords: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    break_before_rename: bool = False
    break_after_rename: bool = False
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    short: bool = False

    def login(self, **given: object) -> SftpLogin:
        base = SftpLogin("127.0.0.1", "hub", (public(self.host_key),), self.port, Secret("secret"))
        return replace(base, **given)  # type: ignore[arg-type]

    def settings(self, **given: object) -> SftpSettings:
        base = SftpSettings(self.login(), "in", "archive", outbox="out", rules=QUIET)
        return replace(base, **given)  # type: ignore[arg-type]

    def path(self, *parts: str) -> Path:
        return self.root.joinpath(*parts)


class _Login(asyncssh.SSHServer):
    def __init__(self, server: PartnerServer) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.passwords.append(password)
        return (username, password) == ("hub", "secret")

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return public_of(key) == public_of(self._server.client_key)


def files(server: PartnerServer) -> Callable[[asyncssh.SSHServerChannel], asyncssh.SFTPServer]:
    class Files(asyncssh.SFTPServer):
        def __init__(self, chan: asyncssh.SSHServerChannel) -> None:
            super().__init__(chan, chroot=str(server.root).encode())
            self._connection = chan.get_connection()

        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            server.done.append(f"open {path.decode()}" + (" to write" if pflags & asyncssh.FXF_WRITE else ""))
            return super().open(path, pflags, attrs)

        def write(self, file_obj: object, offset: int, data: bytes) -> object:
            return super().write(file_obj, offset, data[:-1] if server.short else data)

        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            server.done.append(f"rename {oldpath.decode()} {newpath.decode()}")
            if server.break_before_rename:
                self._connection.abort()
                raise asyncssh.SFTPConnectionLost("gone")
            super().rename(oldpath, newpath)
            if server.break_after_rename:
                self._connection.abort()

    return Files


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


def public_of(key: asyncssh.SSHKey) -> bytes:
    return key.public_data


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PartnerServer]:
    for name in ("in", "archive", "out"):
        (tmp_path / name).mkdir()
    made = PartnerServer(
        tmp_path, asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    )
    listener = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=lambda: _Login(made), sftp_factory=files(made),
        server_host_keys=[made.host_key, asyncssh.generate_private_key("ecdsa-sha2-nistp256")],
    )  # fmt: skip
    made.port = listener.get_port()
    yield made
    for connection in made.connections:
        connection.abort()
    listener.close()
    await listener.wait_closed()


async def twice(transport: SftpTransport, store: Kept) -> tuple[tuple[str, Keeping], ...]:
    """A look that sees the file and one that finds it unchanged."""
    async with transport.connected() as mailbox:
        await mailbox.collect(store)
        return (await mailbox.collect(store)).kept


async def test_a_file_is_fetched_whole_kept_and_archived(server: PartnerServer) -> None:
    """Over two sessions: quiet time is remembered between them; large content arrives byte for byte."""
    body = ORDER * 40_000
    server.path("in", "po.edi").write_bytes(body)
    store, clock = Kept(), ManualClock()
    transport = SftpTransport(server.settings(rules=MailboxRules(quiet_s=10)), clock)
    async with transport.connected() as mailbox:
        assert (await mailbox.collect(store)).waiting == ("po.edi",)
    clock.advance(10)
    async with transport.connected() as mailbox:
        assert (await mailbox.collect(store)).kept == (("po.edi", Keeping.NEW),)
    assert store.arrivals[0].body == body
    assert server.path("archive", "po.edi").read_bytes() == body
    assert list(server.path("in").iterdir()) == []


async def test_a_growing_file_and_temporary_names_are_left(server: PartnerServer) -> None:
    clock, store = ManualClock(), Kept()
    transport = SftpTransport(server.settings(rules=MailboxRules(("*.edi",), quiet_s=10)), clock)
    for name in ("a.edi.part", ".b.edi", "c.txt", "po.edi"):
        server.path("in", name).write_bytes(ORDER)
    server.path("in", "folder.edi").mkdir()
    server.path("in", "link.edi").symlink_to("/etc/hostname")
    async with transport.connected() as mailbox:
        for _ in range(3):
            clock.advance(20)
            with server.path("in", "po.edi").open("ab") as file:
                file.write(b"more")
            assert (await mailbox.collect(store)).waiting == ("po.edi",)
        clock.advance(10)
        assert [name for name, _ in (await mailbox.collect(store)).kept] == ["po.edi"]


async def test_a_file_stays_until_it_is_kept(server: PartnerServer) -> None:
    """While the store fails nothing moves; when archiving fails the file comes again and is known."""
    server.path("in", "po.edi").write_bytes(ORDER)
    store = Kept()
    store.failing = OSError(errno.ENOSPC, "full")
    transport = SftpTransport(server.settings(), ManualClock())
    with pytest.raises(OSError, match="full"):
        await twice(transport, store)
    assert server.path("in", "po.edi").exists()
    store.failing = None
    server.path("archive").rename(server.path("away"))
    async with transport.connected() as mailbox:
        assert isinstance((await mailbox.collect(store)).failed["po.edi"], TargetMissing)
        server.path("away").rename(server.path("archive"))
        assert (await mailbox.collect(store)).kept == (("po.edi", Keeping.KNOWN),)
    assert len(store.arrivals) == 1


async def test_a_connection_lost_while_archiving_brings_the_file_again(server: PartnerServer) -> None:
    """The look ends with `Transient`; on the next connection the file is known and goes to the archive."""
    server.path("in", "po.edi").write_bytes(ORDER)
    store, transport = Kept(), SftpTransport(server.settings(), ManualClock())
    server.break_before_rename = True
    with pytest.raises(Transient):
        await twice(transport, store)
    server.break_before_rename = False
    async with transport.connected() as mailbox:
        assert (await mailbox.collect(store)).kept == (("po.edi", Keeping.KNOWN),)
    assert server.path("archive", "po.edi").exists()


async def test_one_name_used_daily_is_a_file_each_time(server: PartnerServer) -> None:
    store, transport = Kept(), SftpTransport(server.settings(), ManualClock())
    for seconds in (1_000, 2_000, 3_000):
        server.path("in", "po.edi").write_bytes(ORDER)
        os.utime(server.path("in", "po.edi"), (seconds, seconds))
        assert await twice(transport, store) == (("po.edi", Keeping.NEW),)
    assert len(list(server.path("archive").iterdir())) == 3


async def test_a_partner_that_wants_its_files_removed_gets_that(server: PartnerServer) -> None:
    """With its done-file, and only when it was said."""
    server.path("in", "po.edi").write_bytes(ORDER)
    rules = MailboxRules(quiet_s=0, done_suffix=".done")
    transport = SftpTransport(server.settings(archive="", remove=True, rules=rules), ManualClock())
    assert await twice(transport, Kept()) == ()
    server.path("in", "po.edi.done").touch()
    async with transport.connected() as mailbox:
        assert (await mailbox.collect(Kept())).kept == (("po.edi", Keeping.NEW),)
        assert list(server.path("in").iterdir()) == []
        server.path("in", "po.edi.done").touch()  # as a connection lost between the two removals leaves it
        await mailbox.collect(Kept())
        await mailbox.collect(Kept())
    assert list(server.path("in").iterdir()) == []
    with pytest.raises(ValueError, match="archive or removed"):
        server.settings(archive="", remove=False)
    with pytest.raises(ValueError, match="archive or removed"):
        server.settings(remove=True)


async def test_an_upload_appears_by_renaming_only(server: PartnerServer) -> None:
    """The final name is never opened to write; a second delivery is known by its bytes, another content refused."""
    server.path("out", ".asn.edi.tmp").write_bytes(b"left by an earlier try, longer than what comes" * 10)
    async with SftpTransport(server.settings(), ManualClock()).connected() as mailbox:
        assert await mailbox.deliver("asn.edi", ORDER) is Delivered.WRITTEN
        assert await mailbox.deliver("asn.edi", ORDER) is Delivered.ALREADY_THERE
        with pytest.raises(Rejected, match="other content"):
            await mailbox.deliver("asn.edi", ORDER[::-1])
        with pytest.raises(Rejected):
            await mailbox.deliver("../asn.edi", ORDER)
    assert [each for each in server.done if each.endswith("to write")] == ["open out/.asn.edi.tmp to write"]
    assert {path.name: path.read_bytes() for path in server.path("out").iterdir()} == {"asn.edi": ORDER}


async def test_a_short_upload_is_not_renamed(server: PartnerServer) -> None:
    """When less arrives than was sent the final name does not appear."""
    server.short = True
    async with SftpTransport(server.settings(), ManualClock()).connected() as mailbox:
        with pytest.raises(Transient, match="bytes arrived"):
            await mailbox.deliver("asn.edi", ORDER)
    assert not server.path("out", "asn.edi").exists()


@pytest.mark.parametrize(
    ("before", "taken", "settled"),
    [(True, False, None), (False, False, Delivered.WRITTEN), (False, True, Delivered.COLLECTED)],
)
async def test_a_lost_answer_to_the_renaming_is_settled_by_looking(
    server: PartnerServer, before: bool, taken: bool, settled: Delivered | None
) -> None:
    """Not renamed: send again. Renamed: there, or already taken by the partner, and never sent twice."""
    server.break_before_rename, server.break_after_rename = before, not before
    transport = SftpTransport(server.settings(), ManualClock())
    with pytest.raises(InDoubt):
        async with transport.connected() as mailbox:
            await mailbox.deliver("asn.edi", ORDER)
    server.break_before_rename = server.break_after_rename = False
    if taken:
        server.path("out", "asn.edi").unlink()
    async with transport.connected() as mailbox:
        assert await mailbox.settle("asn.edi", ORDER) is settled
        if settled is None:
            assert await mailbox.deliver("asn.edi", ORDER) is Delivered.WRITTEN


@pytest.mark.parametrize("fingerprint", [False, True])
async def test_a_server_that_is_not_pinned_hears_no_password(server: PartnerServer, fingerprint: bool) -> None:
    """Refused before the login, naming the key it showed; the pinned one is let in, by key and by fingerprint."""
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    pin = stranger.get_fingerprint() if fingerprint else public(stranger)
    with pytest.raises(AuthFailed) as refused:
        async with SftpTransport(server.settings(login=server.login(host_keys=(pin,))), ManualClock()).connected():
            pytest.fail("connected to a server that is not pinned")
    assert refused.value.code == "host_key_not_pinned"
    assert server.passwords == []
    own = server.host_key.get_fingerprint() if fingerprint else public(server.host_key)
    login = server.login(host_keys=(pin, own))
    async with SftpTransport(server.settings(login=login), ManualClock()).connected() as mailbox:
        await mailbox.check()
    assert server.passwords == ["secret"]


async def test_keys_log_in_with_and_without_a_passphrase(server: PartnerServer) -> None:
    plain = server.client_key.export_private_key().decode()
    locked = server.client_key.export_private_key(passphrase="open").decode()
    for login in (
        server.login(password=None, private_key=Secret(plain)),
        server.login(password=None, private_key=Secret(locked), passphrase=Secret("open")),
    ):
        async with SftpTransport(server.settings(login=login), ManualClock()).connected() as mailbox:
            await mailbox.check()
    with pytest.raises(LoginUnusable) as refused:
        server.login(password=None, private_key=Secret(locked), passphrase=Secret("wrong"))
    assert locked[40:60] not in str(refused.value)
    assert plain not in repr(login)


async def test_wrong_logins_are_refused_as_logins(server: PartnerServer) -> None:
    for login in (
        server.login(password=Secret("wrong")),
        server.login(username="nobody"),
        server.login(
            password=None,
            private_key=Secret(asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()),
        ),
    ):
        with pytest.raises(AuthFailed) as refused:
            async with SftpTransport(server.settings(login=login), ManualClock()).connected():
                pytest.fail("logged in")
        assert refused.value.code == "sftp_login"
        assert "wrong" not in str(refused.value)


async def test_a_server_that_is_down_is_tried_again(server: PartnerServer) -> None:
    login = server.login(port=9, connect_timeout_s=60.0)
    with pytest.raises(Transient):
        async with SftpTransport(server.settings(login=login), ManualClock()).connected():
            pytest.fail("connected to nobody")


async def test_check_names_the_missing_folder(server: PartnerServer) -> None:
    server.path("archive").rmdir()
    async with SftpTransport(server.settings(), ManualClock()).connected() as mailbox:
        with pytest.raises(TargetMissing, match="archive"):
            await mailbox.check()


@pytest.mark.parametrize(
    "given",
    [
        {"host_keys": ()},
        {"host_keys": ("ssh-ed25519 not-a-key",)},
        {"password": None},
        {"private_key": Secret("no key")},
    ],
)
async def test_logins_that_could_never_be_safe_or_work_are_refused(
    server: PartnerServer, given: dict[str, object]
) -> None:
    with pytest.raises(LoginUnusable):
        server.login(**given)


async def test_one_large_file_does_not_hold_the_others(server: PartnerServer) -> None:
    for number, (name, body) in enumerate([("large.edi", b"x" * 1_001), ("po.edi", ORDER)], 1):
        server.path("in", name).write_bytes(body)
        os.utime(server.path("in", name), (number, number))
    transport = SftpTransport(server.settings(rules=MailboxRules(quiet_s=0, bytes_max=1_000)), ManualClock())
    store = Kept()
    async with transport.connected() as mailbox:
        await mailbox.collect(store)
        collected = await mailbox.collect(store)
    assert [name for name, _ in collected.kept] == ["po.edi"]
    assert collected.failed["large.edi"].code == "file_too_large"


async def test_a_name_that_is_not_utf8_is_named_and_the_others_go_on(server: PartnerServer) -> None:
    """One file named in another character set does not make the inbox unreadable."""
    odd = os.fsencode(server.path("in")) + b"/Bestellung_f\xfcr.edi"
    Path(os.fsdecode(odd)).write_bytes(ORDER)
    server.path("in", "po.edi").write_bytes(ORDER)
    async with SftpTransport(server.settings(), ManualClock()).connected() as mailbox:
        await mailbox.look(50, 1_000_000)
        looked = await mailbox.look(50, 1_000_000)
    assert [arrival.name for _, arrival in looked.held] == ["po.edi"]
    (error,) = looked.failed.values()
    assert isinstance(error, Rejected)
    assert "rename the file" in error.message
