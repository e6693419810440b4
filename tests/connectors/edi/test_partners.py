"""The partners' sandboxes write X12 that we accept, and find the faults that are put into ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import asyncssh
import pytest

from connectors.edi import CONNECTOR
from connectors.edi.fake import checks, x12
from connectors.edi.fake.partner import PartnerSandbox
from connectors.edi.fake.x12 import Identity, Set
from connectors.edi.sandbox import PARTNERS, RetailerSandbox, SupplierSandbox, WarehouseSandbox
from connectors.sdk.errors import AuthFailed, Transient
from connectors.sdk.faults import Faults
from mappings import MapContext, MappingSet
from mappings.edi import judge_all, read
from mappings.edi.acknowledge import Status
from mappings.edi.documents import documents_of
from mappings.edi.partners import read_partner
from tests.support.edi_accounts import context, file_effect

DAY = "20261121"


@asynccontextmanager
async def opened(make: Callable[..., PartnerSandbox], faults: Faults | None = None) -> AsyncIterator[Any]:
    """A partner whose letters are caught instead of delivered."""
    partner: Any = make(seed=1, faults=faults)
    sent: list[bytes] = []

    async def put(_: str, content: bytes) -> None:
        sent.append(content)

    partner.letters._put = put
    await partner.start()
    partner.sent = sent
    try:
        yield partner
    finally:
        await partner.stop()


async def told(partner: Any, count: int, within_s: float = 60.0) -> list[bytes]:
    """The first letters, once there are that many."""
    async with asyncio.timeout(within_s):
        while len(partner.sent) < count:  # noqa: ASYNC110 - a list is no event
            await asyncio.sleep(0.02)
    return list(partner.sent)


def from_hub(partner: Any, *sets: tuple[str, list[list[str]]], number: int = 1) -> bytes:
    """What the hub might send, by the partner's own writer."""
    moment = partner.clock.now()
    return x12.write(sets, partner.hub, partner.us, interchange=number, group=number, moment=moment)


def ordered(number: str = "0001-A", units: str = "4") -> list[list[str]]:
    return [
        ["W05", "N", number, "PO1"],
        ["N1", "ST", "STORE", "92", "0012"],
        ["LX", "1"],
        ["W01", units, "EA", "", "VN", "TEA"],
        ["N9", "LI", "7"],
        ["W76", units],
    ]


def bought(units: str = "10") -> list[list[str]]:
    return [
        ["BEG", "00", "SA", "OURS-1", "", DAY],
        ["PO1", "1", units, "EA", "4.00", "", "BP", "TEA"],
        ["CTT", "1"],
    ]


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


def accepted(content: bytes, partner: Any, mapping: MappingSet) -> list[Any]:
    """The documents it becomes; every set is accepted by the profile without a word."""
    profile = read_partner(partner.profile_path())
    for verdict in judge_all(read(content), profile.judging):
        assert verdict.status is Status.ACCEPTED, verdict
        assert [each.told for group in verdict.groups for each in group.sets if each.told] == []
    context = MapContext("partner", "edi", partner.clock.now())
    found = list(documents_of(content, mapping, context, profile))
    errors = [each.error for one in found for each in one.sets if each.error]
    assert errors == []
    return [document for one in found for each in one.sets for document in each.documents]


async def test_a_retailers_order_is_accepted_and_understood(mapping: MappingSet) -> None:
    """850 with its store, and 860 that calls it off."""
    async with opened(RetailerSandbox) as retailer:
        number = await retailer.sell([("TEA", 12), ("MUG", 3)])
        (content,) = await told(retailer, 1)
        (order,) = accepted(content, retailer, mapping)
        assert (order.type, order.source.id, order.purchase_order_number) == ("order", number, number)
        assert [(line.channel_sku, line.quantity) for line in order.lines] == [("TEA", 12), ("MUG", 3)]
        await retailer.cancel(number)
        (cancellation,) = accepted((await told(retailer, 2))[1], retailer, mapping)
        assert cancellation.type == "order_cancellation"


async def test_a_warehouse_ships_short_and_breaks_things(mapping: MappingSet) -> None:
    """945 with what was short, 944 with damage, 947 signed and 846 counted, all accepted and understood."""
    faults = Faults()
    async with opened(WarehouseSandbox, faults) as warehouse:
        warehouse.stock("TEA", 100)
        faults.force("partial_acceptance", 2)
        await warehouse.arrived(from_hub(warehouse, ("940", ordered())))
        acknowledged, advice = await told(warehouse, 2)
        (found,) = accepted(acknowledged, warehouse, mapping)
        assert found.type == "functional_acknowledgement"
        (shipment,) = accepted(advice, warehouse, mapping)
        assert (shipment.order, shipment.packages[0].lines[0].quantity) == ("0001-A", 3)
        assert shipment.packages[0].lines[0].line_id == "7"
        assert shipment.packages[0].sscc
        assert warehouse.shown("TEA") == 97
        transfer = [["W06", "F", "T-1", DAY], ["W04", "5", "EA", "", "VN", "TEA"], ["W03", "5"]]
        await warehouse.arrived(from_hub(warehouse, ("943", transfer), number=2))
        (receipt,) = accepted((await told(warehouse, 4))[3], warehouse, mapping)
        assert (receipt.lines[0].quantity, receipt.lines[0].damaged_quantity) == (4, 1)
        warehouse.adjust("TEA", -2)
        (movement,) = accepted((await told(warehouse, 5))[4], warehouse, mapping)
        assert movement.lines[0].delta == -2
        warehouse.report()
        (report,) = accepted((await told(warehouse, 6))[5], warehouse, mapping)
        assert report.levels[0].on_hand == 99
        assert warehouse.complaints == []


async def test_a_supplier_answers_ships_and_bills(mapping: MappingSet) -> None:
    """855 with a part for later, 856 of what was promised, 810 that balances; 865 to a change."""
    faults = Faults()
    async with opened(SupplierSandbox, faults) as supplier:
        faults.force("partial_acceptance")
        await supplier.arrived(from_hub(supplier, ("850", bought())))
        letters = await told(supplier, 4)
        documents = [document for content in letters for document in accepted(content, supplier, mapping)]
        kinds = [document.type for document in documents]
        assert sorted(kinds) == ["functional_acknowledgement", "invoice", "order_acknowledgement", "ship_notice"]
        answer = next(document for document in documents if document.type == "order_acknowledgement")
        said = [(each.status, each.quantity) for line in answer.lines for each in line.acknowledged]
        assert sorted(said) == [("accepted", 9), ("backordered", 1)]
        invoice = next(document for document in documents if document.type == "invoice")
        assert str(invoice.totals.grand_total.amount) == "36.00"
        change = [
            ["BCH", "04", "SA", "OURS-1", "", "1", DAY],
            ["POC", "1", "QI", "12", "12", "EA", "4.00", "", "BP", "T"],
        ]
        await supplier.arrived(from_hub(supplier, ("860", change), number=2))
        (refusal,) = accepted((await told(supplier, 6))[5], supplier, mapping)
        assert refusal.lines[0].acknowledged[0].status == "rejected"


@pytest.mark.parametrize("fault", ["wrong_count", "damaged_file", "duplicate_interchange", "control_reset"])
async def test_what_was_spoiled_is_sent_again_until_it_is_accepted(fault: str) -> None:
    """Whatever went out first, a sound file with numbers of its own follows once nobody acknowledges."""
    faults = Faults()
    async with opened(RetailerSandbox, faults) as retailer:
        retailer.letters.patience_s = 0.05
        await retailer.sell([("TEA", 1)])
        await told(retailer, 1)
        retailer.letters.answered(_answer(retailer.sent[-1], "A"))
        first = len(retailer.sent)
        faults.force(fault)
        number = await retailer.sell([("TEA", 2)])
        letters = (await told(retailer, first + 5))[first:]
        assert faults.counts[fault] == 1
        sound = [content for content in letters if not _faults(content) and number.encode() in content]
        assert sound
        retailer.letters.answered(_answer(retailer.sent[-1], "A"))
        assert retailer.letters.waiting == 0


async def test_a_rejected_set_is_written_anew_and_its_neighbours_are_not() -> None:
    """997 R: the set goes again under other numbers."""
    async with opened(RetailerSandbox) as retailer:
        await retailer.sell([("TEA", 1)])
        (content,) = await told(retailer, 1)
        retailer.letters.answered(_answer(content, "R"))
        again = (await told(retailer, 2))[1]
        assert x12.read(again)[0].control != x12.read(content)[0].control
        assert x12.read(again)[0].sets[0].rows == x12.read(content)[0].sets[0].rows


async def test_acknowledgements_are_late_or_left_out_on_request() -> None:
    """A partner that took an order and says nothing."""
    faults = Faults()
    async with opened(SupplierSandbox, faults) as supplier:
        faults.force("missing_ack")
        await supplier.arrived(from_hub(supplier, ("850", bought())))
        (answer, *_) = await told(supplier, 1)
        assert x12.read(answer)[0].sets[0].kind == "855"
        assert supplier.happenings("ack.left_out")


async def test_a_file_that_comes_again_is_acknowledged_again_without_effect() -> None:
    """One order, two 997s."""
    async with opened(WarehouseSandbox) as warehouse:
        warehouse.stock("TEA", 10)
        content = from_hub(warehouse, ("940", ordered()))
        await warehouse.arrived(content)
        await warehouse.arrived(content)
        letters = await told(warehouse, 3)
        kinds = sorted(x12.read(each)[0].sets[0].kind for each in letters)
        assert kinds == ["945", "997", "997"]
        assert (len(warehouse.orders()), warehouse.complaints) == (1, [])


ANSWER: list[list[str]] = [["BAK", "00", "AD", "?", DAY], ["PO1", "1", "12", "EA", "12.50", "", "VN", "TEA"]]
NOTICE: list[list[str]] = [
    ["BSN", "00", "S1", DAY, "1200", "0001"],
    ["HL", "1", "", "S"],
    ["HL", "2", "1", "O"],
    ["PRF", "?"],
    ["HL", "3", "2", "P"],
    ["MAN", "GM", "00006141411234567890"],
    ["HL", "4", "3", "I"],
    ["LIN", "1", "VN", "TEA"],
    ["SN1", "1", "12", "EA"],
    ["CTT", "4"],
]
BILL: list[list[str]] = [
    ["BIG", DAY, "I1", "", "?"],
    ["IT1", "1", "12", "EA", "12.50", "", "VN", "TEA"],
    ["TDS", "15000"],
    ["CTT", "1"],
]


@pytest.mark.parametrize(
    ("kind", "rows", "found"),
    [
        ("855", [*ANSWER, ["ACK", "IA", "12", "EA"]], ""),
        ("855", [*ANSWER, ["ACK", "IA", "10", "EA"]], "answers 10 of 12"),
        ("855", [ANSWER[0], ["PO1", "1", "12", "EA", "12.50", "", "VN", "MUG"], ["ACK", "IA", "12"]], "does not echo"),
        ("855", [*ANSWER, ["ACK", "XX", "12", "EA"]], "nobody knows the status"),
        ("855", [["BAK", "00", "AD", "NOBODY", DAY]], "never ordered"),
        ("856", NOTICE, ""),
        ("856", [*NOTICE[:5], ["MAN", "GM", "00006141411234567891"], *NOTICE[6:]], "wrong check digit"),
        ("856", [*NOTICE[:9], ["CTT", "5"]], "CTT counts 5"),
        ("856", [*NOTICE[:6], ["HL", "4", "9", "I"], *NOTICE[7:]], "has not come"),
        ("856", [*NOTICE[:8], ["SN1", "1", "13", "EA"], NOTICE[9]], "13 of line 1 are shipped"),
        ("810", BILL, ""),
        ("810", [*BILL[:2], ["TDS", "15001"], BILL[3]], "TDS says 150.01"),
        ("810", [*BILL[:2], ["SAC", "A", "C310", "", "", "500"], ["TDS", "14500"], BILL[3]], ""),
        ("832", [], "nobody agreed"),
    ],
)
async def test_a_retailer_finds_what_is_wrong_with_ours(kind: str, rows: list[list[str]], found: str) -> None:
    """Every fault of a chargeback has its sentence, and what is right has none."""
    async with opened(RetailerSandbox) as retailer:
        number = await retailer.sell([("TEA", 12)])
        body = [[number if part == "?" else part for part in row] for row in rows]
        retailer.take(Set(kind, "0001", body))
        assert [sentence for sentence in retailer.complaints if found and found in sentence] == retailer.complaints
        assert bool(retailer.complaints) == bool(found)


async def test_envelopes_are_counted_and_addresses_compared() -> None:
    """A wrong SE01, an interchange to somebody else, the same number with other content, and no interchange at all."""
    async with opened(SupplierSandbox) as supplier:
        content = from_hub(supplier, ("850", bought()))
        await supplier.arrived(content.replace(b"SE*5", b"SE*6"))
        await supplier.arrived(from_hub(supplier, ("850", bought("11"))))
        stranger = x12.write(
            [("850", bought())], Identity("ZZ", "X"), supplier.us, interchange=9, group=9, moment=supplier.clock.now()
        )
        await supplier.arrived(stranger)
        await supplier.arrived(b"hello")
        said = "\n".join(supplier.complaints)
        for part in ("SE01 is 6, not 5", "other content", "from X to", "no interchange"):
            assert part in said


def test_an_sscc_is_checked_by_its_last_digit() -> None:
    """With and without the identifier in front."""
    assert checks.sscc_is_sound("006141411234567890")
    assert checks.sscc_is_sound("00006141411234567890")
    assert not checks.sscc_is_sound("006141411234567891")
    assert not checks.sscc_is_sound("0061414112345678")


@pytest.mark.parametrize("role", sorted(PARTNERS))
async def test_each_gives_the_account_that_reaches_it(role: str) -> None:
    """A connector opened on it checks, and its end takes a file."""
    partner = PARTNERS[role](seed=1)
    await partner.start()
    try:
        section = partner.account_section()
        arrived: list[bytes] = []

        async def keep(content: bytes) -> None:
            arrived.append(content)

        partner.end._take = partner.arrived = keep  # type: ignore[method-assign,attr-defined]
        ctx = context(account=role, credentials=section["credentials"], options=section["options"])
        connector: Any = CONNECTOR.open(ctx)
        try:
            assert (await connector.check()).who
            await connector.send(file_effect(content=b"ISA"))
        finally:
            await connector.close()
        with pytest.raises(Transient) if role == "retailer" else nullcontext():
            await partner.end.send("x.edi", b"ISA")
    finally:
        await partner.stop()


async def test_a_server_with_another_key_is_not_logged_in_to() -> None:
    """The key it shows is named, and nothing secret was sent; a wrong password is told apart."""
    partner = WarehouseSandbox(seed=1)
    await partner.start()
    try:
        section = partner.account_section()
        transport = section["options"]["transport"]["sftp"]
        pin = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        strange = section["options"] | {"transport": {"sftp": transport | {"host_keys": [pin]}}}
        for options, credentials, code in (
            (strange, section["credentials"], "host_key_not_pinned"),
            (section["options"], {"password": "mistyped"}, "sftp_login"),
        ):
            connector: Any = CONNECTOR.open(context(credentials=credentials, options=options))
            with pytest.raises(AuthFailed) as caught:
                await connector.check()
            assert caught.value.code == code
    finally:
        await partner.stop()


def _answer(content: bytes, verdict: str) -> Any:
    """The 997 to a letter."""
    found = x12.read(content)[0]
    rows = [
        ["AK1", found.sets[0].functional_id, found.sets[0].group],
        ["AK2", found.sets[0].kind, found.sets[0].control],
        ["AK5", verdict],
        ["AK9", verdict, "1", "1", "1"],
    ]
    return x12.Interchange("1", found.receiver, found.sender, False, [Set("997", "0001", rows)])


def _faults(content: bytes) -> list[str]:
    found = x12.read(content)[0]
    return [*found.faults, *(fault for each in found.sets for fault in each.faults)] or (
        [] if found.sets else ["empty"]
    )
