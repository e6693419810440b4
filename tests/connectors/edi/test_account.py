"""A trading account's section is checked key by key before anything is connected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.edi import CONNECTOR
from connectors.edi.manifest import MANIFEST
from connectors.edi.settings import read
from connectors.edi.transport.as2.partner import Partner, Receipt
from connectors.edi.transport.folder import FolderSettings
from connectors.edi.transport.sftp import SftpSettings
from connectors.sdk.contract import Checks, Pulls, SendsEffects
from connectors.sdk.errors import Rejected
from connectors.sdk.files import ReceivesFiles
from tests.support.edi_accounts import context, folders, opened, pems
from tests.support.edi_partners import certified

SFTP = {"host": "sftp.example", "user": "hub", "host_keys": ["SHA256:abc"], "inbox": "out", "archive": "done"}
LOGIN = {"password": "secret"}


def section(kind: str, transport: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"options": {"partner": "big-box", "transport": {kind: transport}}} | changes


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"options": {"transport": {"folder": {}}}}, r"^options\.partner"),
        ({"options": {"partner": "no-such-partner"}}, r"^options\.partner: .*no-such-partner"),
        ({"options": {"partner": "big-box"}}, r"^options\.transport"),
        ({"options": {"partner": "big-box", "transport": {"ftp": {}}}}, r"^options\.transport\.ftp: unknown"),
        ({"options": {"partner": "big-box", "transport": {"folder": {}, "sftp": {}}}}, r"^options\.transport"),
        ({"options": {"partner": "big-box", "transport": {"folder": "in"}}}, r"^options\.transport\.folder"),
        (section("folder", {}), r"^options\.transport\.folder: .*inbox"),
        (section("folder", {"inbox": "in"}), r"^options\.transport\.folder: .*archive"),
        (section("folder", {"outbox": "out", "colour": "x"}), r"^options\.transport\.folder\.colour"),
        (section("folder", {"outbox": "out", "quiet": "soon"}), r"^options\.transport\.folder\.quiet"),
        (section("folder", {"outbox": "out", "patterns": 3}), r"^options\.transport\.folder\.patterns"),
        (section("folder", {"outbox": "out", "bytes_max": 1}), r"^options\.transport\.folder\.bytes_max"),
        (section("sftp", SFTP), r"^credentials\.password"),
        (section("sftp", {**SFTP, "host_keys": []}, credentials=LOGIN), r"^options\.transport\.sftp\.host_keys"),
        (section("sftp", {**SFTP, "port": "22"}, credentials=LOGIN), r"^options\.transport\.sftp\.port"),
        (section("sftp", {**SFTP, "remove": True}, credentials=LOGIN), r"^options\.transport\.sftp: .*archive"),
        (section("sftp", SFTP, credentials={"private_key": "none"}), r"^options\.transport\.sftp: .*private key"),
        (section("sftp", SFTP, credentials={**LOGIN, "token": "x"}), r"^credentials\.token"),
        (section("as2", {"us": "Hub"}), r"^options\.transport\.as2\.them"),
        (section("as2", {"us": "Hub", "them": "Big Box"}), r"^options\.transport\.as2: .*certificate"),
        (section("as2", {"us": "Hub", "them": "B", "url": "http://b.example/"}), r"^options\.transport\.as2\.url"),
        (section("as2", {"us": "Hub", "them": "B", "wraps": ["seal"]}), r"^options\.transport\.as2\.wraps"),
        (section("as2", {"us": "H", "them": "B", "receipt": "async"}, public_url=None), r"receipt: .*public_url"),
        (section("as2", {"us": "H", "them": "B", "certificates": ["no.pem"]}), r"certificates: no\.pem cannot"),
        (section("as2", {"us": "H", "them": "B"}, credentials={"as2_key": "x"}), r"^credentials\.as2_certificate"),
    ],
)
def test_a_wrong_key_is_named(given: dict[str, Any], named: str, tmp_path: Path) -> None:
    """Whatever is missing, unknown or of the wrong kind, the message begins with its key."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(tmp_path, **given))


def test_a_faulty_profile_is_told_with_its_line(tmp_path: Path) -> None:
    """The partner's own file and line stand in the message."""
    (tmp_path / "odd.yaml").write_text("name: Odd\nrole: retailer\nfill_or_kill: sometimes\n")
    with pytest.raises(ValueError, match=r"odd\.yaml.*3"):
        CONNECTOR.open(context(tmp_path, options={"partner": "odd.yaml", "transport": {"folder": {"outbox": "out"}}}))


def test_folders_start_from_the_configuration(tmp_path: Path) -> None:
    """Relative folders and profiles are found beside the configuration, wherever the process was started."""
    found = read(context(tmp_path, options=folders(tmp_path, patterns="*.edi", done_suffix=".ok"))).transport
    assert isinstance(found, FolderSettings)
    assert found.inbox == tmp_path / "in"
    assert found.rules.patterns == ("*.edi",)
    assert found.rules.done_suffix == ".ok"


def test_the_transport_may_stand_in_the_profile(tmp_path: Path) -> None:
    """Without `transport` in the account, the partner's profile says how files come."""
    (tmp_path / "p.yaml").write_text("name: P\ntransport: {folder: {outbox: out}}\n")
    assert isinstance(read(context(tmp_path, options={"partner": "p.yaml"})).transport, FolderSettings)


def test_sftp_and_as2_have_their_usual_answers(tmp_path: Path) -> None:
    """Port 22 and ten quiet seconds; signed and encrypted with a synchronous signed receipt."""
    sftp = read(context(tmp_path, **section("sftp", SFTP, credentials=LOGIN))).transport
    assert isinstance(sftp, SftpSettings)
    assert (sftp.login.port, sftp.rules.quiet_s) == (22, 10.0)
    own, other = certified("hub"), certified("partner")
    certificate, key = pems(own)
    (tmp_path / "partner.pem").write_text(pems(other)[0])
    given = {"us": "Hub", "them": "B", "certificates": [{"certificate": "partner.pem", "use_from": "2027-01-31"}]}
    as2 = read(
        context(tmp_path, **section("as2", given, credentials={"as2_certificate": certificate, "as2_key": key}))
    ).transport
    assert isinstance(as2, Partner)
    assert as2.receipt is Receipt.SYNC
    assert as2.receipt_signed
    assert as2.theirs[0].starts_at.isoformat() == "2027-01-31T00:00:00+00:00"


def test_the_next_certificate_stands_beside_the_present_one(tmp_path: Path) -> None:
    """What is encrypted for it opens at once; it signs from the day agreed on."""
    (certificate, key), (following, following_key) = pems(certified("hub")), pems(certified("hub-2027"))
    given = {"us": "Hub", "them": "B", "certificates": [pems(certified("b"))[0]], "use_own_next_from": "2027-01-31"}
    credentials = {
        "as2_certificate": certificate,
        "as2_key": key,
        "as2_certificate_next": following,
        "as2_key_next": following_key,
    }
    found = read(context(tmp_path, **section("as2", given, credentials=credentials))).transport
    assert isinstance(found, Partner)
    assert [each.use_from is not None for each in found.own] == [False, True]
    mixed = credentials | {"as2_key_next": key}
    with pytest.raises(ValueError, match=r"^credentials\.as2_key_next: .*not the one"):
        read(context(tmp_path, **section("as2", given, credentials=mixed)))


async def test_it_can_do_what_its_manifest_says(tmp_path: Path) -> None:
    """Pulling, sending, checking and receiving files, and nothing of a shop's."""
    connector = opened(context(tmp_path, options=folders(tmp_path)))
    for protocol in (Pulls, SendsEffects, Checks, ReceivesFiles):
        assert isinstance(connector, protocol)
    assert MANIFEST.trades
    assert not MANIFEST.is_channel
    with pytest.raises(Rejected, match="no stream"):
        await connector.fetch("orders", None, 10)
    await connector.close()
