"""A folder gives whole files once, keeps them before it moves them, and receives whole files or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.edi.transport.arrival import Arrival, Delivered, Keeping
from connectors.edi.transport.folder import FolderSettings, FolderTransport
from connectors.edi.transport.mailbox import MailboxRules, NameRefused, checked_name, is_temporary
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, Rejected, Transient
from tests.support.edi_partners import Kept

ORDER = b"ISA*00*~GS*PO~ST*850*0001~\nSE*1*0001~"


@pytest.fixture
def places(tmp_path: Path) -> FolderSettings:
    for name in ("in", "archive", "out"):
        (tmp_path / name).mkdir()
    return FolderSettings(tmp_path / "in", tmp_path / "archive", tmp_path / "out", MailboxRules(quiet_s=10))


def inbox(places: FolderSettings) -> Path:
    assert places.inbox is not None
    return places.inbox


def archived(places: FolderSettings) -> list[str]:
    assert places.archive is not None
    return sorted(path.name for path in places.archive.rglob("*") if path.is_file())


def with_rules(places: FolderSettings, rules: MailboxRules) -> FolderSettings:
    return FolderSettings(places.inbox, places.archive, places.outbox, rules)


async def test_a_growing_file_is_left_until_it_has_been_quiet(places: FolderSettings) -> None:
    """Neither the first look nor one after a change takes a file, however old it says it is."""
    clock, store = ManualClock(), Kept()
    folder = FolderTransport(places, clock)
    path = inbox(places) / "po.edi"
    path.write_bytes(ORDER[:10])
    os.utime(path, ns=(1, 1))
    assert (await folder.collect(store)).waiting == ("po.edi",)
    clock.advance(20)
    with path.open("ab") as file:
        file.write(ORDER[10:])
    assert (await folder.collect(store)).waiting == ("po.edi",)
    clock.advance(9)
    assert (await folder.collect(store)).waiting == ("po.edi",)
    clock.advance(1)
    assert (await folder.collect(store)).kept == (("po.edi", Keeping.NEW),)
    assert [arrival.body for arrival in store.arrivals] == [ORDER]
    assert archived(places) == ["po.edi"]
    assert list(inbox(places).iterdir()) == []


async def test_temporary_names_links_folders_and_foreign_patterns_are_not_files(places: FolderSettings) -> None:
    """Only a regular file with a final name that matches is taken."""
    clock, store = ManualClock(), Kept()
    folder = FolderTransport(with_rules(places, MailboxRules(patterns=("*.edi",), quiet_s=0)), clock)
    for name in (".a.edi", "a.edi.tmp", "a.edi.filepart", "~a.edi", "readme.txt", "empty.edi"):
        (inbox(places) / name).write_bytes(b"" if name == "empty.edi" else ORDER)
    (inbox(places) / "folder.edi").mkdir()
    (inbox(places) / "link.edi").symlink_to("/etc/hostname")
    os.mkfifo(inbox(places) / "pipe.edi")
    (inbox(places) / "good.edi").write_bytes(ORDER)
    await folder.collect(store)
    collected = await folder.collect(store)
    assert [name for name, _ in collected.kept] == ["good.edi"]
    assert collected.waiting == ("empty.edi",)


async def test_a_file_is_moved_only_after_it_is_kept(places: FolderSettings) -> None:
    """While the store fails the file stays; a crash after storing brings it again under the same key."""
    clock, store = ManualClock(), Kept()
    folder = FolderTransport(with_rules(places, MailboxRules(quiet_s=0)), clock)
    (inbox(places) / "po.edi").write_bytes(ORDER)
    await folder.collect(store)
    store.failing = OSError(errno.ENOSPC, "full")
    with pytest.raises(OSError, match="full"):
        await folder.collect(store)
    assert (inbox(places) / "po.edi").read_bytes() == ORDER
    store.failing = None
    assert places.archive is not None
    places.archive.chmod(0o500)
    places.archive.rename(places.archive.with_name("away"))
    failed = (await folder.collect(store)).failed
    assert isinstance(failed["po.edi"], Transient)
    places.archive.with_name("away").rename(places.archive)
    places.archive.chmod(0o700)
    assert (await folder.collect(store)).kept == (("po.edi", Keeping.KNOWN),)
    assert len(store.arrivals) == 1


async def test_one_name_used_daily_is_a_file_each_time(places: FolderSettings) -> None:
    """The same name with the same bytes at another time is another file; nothing in the archive is lost."""
    clock, store = ManualClock(), Kept()
    folder = FolderTransport(with_rules(places, MailboxRules(quiet_s=0)), clock)
    for time_ns in (1_000, 2_000, 3_000):
        path = inbox(places) / "po.edi"
        path.write_bytes(ORDER)
        os.utime(path, ns=(time_ns, time_ns))
        await folder.collect(store)
        assert (await folder.collect(store)).kept == (("po.edi", Keeping.NEW),)
    assert len(archived(places)) == 3


async def test_a_done_file_announces_and_goes_with_its_file(places: FolderSettings) -> None:
    """With done-files agreed, a quiet file waits for its own, and both leave the inbox."""
    clock, store = ManualClock(), Kept()
    folder = FolderTransport(with_rules(places, MailboxRules(quiet_s=0, done_suffix=".done")), clock)
    (inbox(places) / "po.edi").write_bytes(ORDER)
    await folder.collect(store)
    assert (await folder.collect(store)).waiting == ("po.edi",)
    (inbox(places) / "po.edi.done").touch()
    assert (await folder.collect(store)).kept == (("po.edi", Keeping.NEW),)
    assert list(inbox(places).iterdir()) == []


async def test_a_done_file_without_its_file_does_not_announce_the_next(places: FolderSettings) -> None:
    """Left by a crash, it goes before a new file of that name could be taken half written; others' are not touched."""
    rules = MailboxRules(patterns=("*.edi",), quiet_s=0, done_suffix=".done")
    folder = FolderTransport(with_rules(places, rules), ManualClock())
    for name in ("po.edi.done", "other.txt.done"):
        (inbox(places) / name).touch()
    await folder.collect(Kept())
    assert (inbox(places) / "po.edi.done").exists()
    await folder.collect(Kept())
    assert [path.name for path in inbox(places).iterdir()] == ["other.txt.done"]
    (inbox(places) / "po.edi").write_bytes(ORDER[:5])
    assert (await folder.collect(Kept())).waiting == ("po.edi",)


async def test_one_large_file_does_not_hold_the_others(places: FolderSettings) -> None:
    """What is over the limit stays and is named; the rest goes on, oldest first."""
    clock, store = ManualClock(), Kept()
    folder = FolderTransport(with_rules(places, MailboxRules(quiet_s=0, bytes_max=100)), clock)
    for number, (name, body) in enumerate([("z.edi", ORDER), ("large.edi", b"x" * 101), ("a.edi", ORDER)]):
        (inbox(places) / name).write_bytes(body)
        os.utime(inbox(places) / name, ns=(number, number))
    await folder.collect(store)
    collected = await folder.collect(store)
    assert [name for name, _ in collected.kept] == ["z.edi", "a.edi"]
    assert collected.failed["large.edi"].code == "file_too_large"
    assert (inbox(places) / "large.edi").exists()


async def test_a_delivery_is_whole_repeatable_and_overwrites_nothing(places: FolderSettings) -> None:
    """A second try is known by its bytes, other bytes are refused, an interrupted try leaves no trace."""
    folder = FolderTransport(places, ManualClock())
    assert places.outbox is not None
    (places.outbox / ".asn.edi.tmp").write_bytes(b"half of an earlier tr")
    assert await folder.deliver("asn.edi", ORDER) is Delivered.WRITTEN
    assert await folder.deliver("asn.edi", ORDER) is Delivered.ALREADY_THERE
    with pytest.raises(Rejected, match="other content"):
        await folder.deliver("asn.edi", b"another")
    assert {path.name: path.read_bytes() for path in places.outbox.iterdir()} == {"asn.edi": ORDER}


async def test_a_full_disk_shows_no_half_file(places: FolderSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the sync fails the final name has not appeared, and the error says to try again."""
    folder = FolderTransport(places, ManualClock())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Transient):
            await folder.deliver("asn.edi", ORDER)
    assert places.outbox is not None
    assert not (places.outbox / "asn.edi").exists()
    assert await folder.deliver("asn.edi", ORDER) is Delivered.WRITTEN


async def test_a_file_system_without_links_still_overwrites_nothing(
    places: FolderSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    folder = FolderTransport(places, ManualClock())
    assert await folder.deliver("asn.edi", ORDER) is Delivered.WRITTEN
    assert await folder.deliver("asn.edi", ORDER) is Delivered.ALREADY_THERE
    with pytest.raises(Rejected):
        await folder.deliver("asn.edi", b"another")


@pytest.mark.parametrize("name", ["", "..", "../x.edi", "a/b", "a\\b", "c:x", "x\n.edi", ".hidden", "x.tmp", "a" * 260])
def test_names_that_could_leave_the_folder_or_never_be_taken_are_refused(name: str) -> None:
    with pytest.raises(NameRefused):
        checked_name(name)


def test_our_own_temporary_names_are_temporary_to_a_hub_on_the_other_side() -> None:
    """Two hubs over one folder do not read each other's half files."""
    assert is_temporary(".po.edi.tmp")
    assert not is_temporary("po.edi")


async def test_check_names_the_folder_that_is_wrong(places: FolderSettings) -> None:
    """A missing folder is named, and so is one that may not be written."""
    folder = FolderTransport(places, ManualClock())
    await folder.check()
    inbox(places).rmdir()
    with pytest.raises(Transient, match="in"):
        await folder.check()
    inbox(places).mkdir(mode=0o500)
    if os.access(inbox(places), os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(AuthFailed):
        await folder.check()


@pytest.mark.parametrize(
    "make",
    [
        lambda at: FolderSettings(),
        lambda at: FolderSettings(inbox=at),
        lambda at: FolderSettings(inbox=at, archive=at),
        lambda at: FolderSettings(inbox=at, archive=at / "a", outbox=at / "x" / ".."),
    ],
)
def test_settings_that_would_lose_files_are_refused(make: Callable[[Path], FolderSettings], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"folder|archive"):
        make(tmp_path)


def test_an_arrival_knows_its_content(tmp_path: Path) -> None:
    arrival = Arrival("key", "name", b"abc", ManualClock().now())
    assert arrival.sha256.startswith("ba7816bf")


async def test_a_name_that_is_not_utf8_is_named_and_the_others_go_on(places: FolderSettings) -> None:
    """It could be written into no key; in a page with others it would keep all of them from being stored."""
    folder = FolderTransport(with_rules(places, MailboxRules(quiet_s=0)), ManualClock())
    odd = os.fsencode(inbox(places)) + b"/Bestellung_f\xfcr.edi"
    Path(os.fsdecode(odd)).write_bytes(ORDER)
    (inbox(places) / "po.edi").write_bytes(ORDER)
    await folder.look(50, 1_000_000)
    looked = await folder.look(50, 1_000_000)
    assert [arrival.name for _, arrival in looked.held] == ["po.edi"]
    (error,) = looked.failed.values()
    assert isinstance(error, Rejected)
    assert error.message.isascii()
    assert "rename the file" in error.message
