"""The contract suite can fail: each bug planted in the toy connector is caught by the rule made for it."""

from __future__ import annotations

import asyncio
import inspect
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sdk import signing
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    ConnectorType,
    Cursor,
    Effect,
    EffectResult,
    Envelope,
    ListingRef,
    Page,
    PushItem,
    PushResult,
    PushState,
    Settlement,
    ShownLevel,
    WebhookRequest,
)
from connectors.sdk.errors import (
    AuthFailed,
    ConnectorError,
    InDoubt,
    RateLimited,
    Rejected,
    SignatureInvalid,
    Transient,
)
from connectors.sdk.manifest import Capability, Manifest
from mappings import MappingSet
from tests.sdk.test_toy_contract import MAPPINGS, ToyContract
from tests.support.toy.connector import CONNECTOR, ToyConnector
from tests.support.toy.manifest import MANIFEST


class BelievesEverybody(ToyConnector):
    def verify(self, request: WebhookRequest) -> None:
        return


class StripsBeforeVerifying(ToyConnector):
    def verify(self, request: WebhookRequest) -> None:
        super().verify(replace(request, body=request.body.strip()))


class ComparesAPrefix(ToyConnector):
    def verify(self, request: WebhookRequest) -> None:
        secret = self._ctx.credentials["webhook_secret"].reveal().encode()
        expected = signing.hmac_sha256_base64(secret, request.body)
        if not expected.startswith(request.headers.get("x-toy-signature", "")[:40]):
            raise SignatureInvalid("no")


class WorksWithoutASecret(ToyConnector):
    def verify(self, request: WebhookRequest) -> None:
        if "webhook_secret" in self._ctx.credentials:
            super().verify(request)


class KeysByArrival(ToyConnector):
    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return [replace(e, dedupe_key=str(request.received_at)) for e in super().envelopes(request)]


class HidesItsBudgets(ToyConnector):
    def __init__(self, ctx: AccountContext) -> None:
        super().__init__(ctx)
        del self.budgets


class KeysByOrderOnly(ToyConnector):
    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return [replace(e, dedupe_key=e.ordering_key) for e in super().envelopes(request)]


class KeepsTheSignature(ToyConnector):
    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return [replace(e, headers=dict(request.headers)) for e in super().envelopes(request)]


class TrustsTheBody(ToyConnector):
    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        json.loads(request.body)["id"]
        return super().envelopes(request)


class SubscribesEachTime(ToyConnector):
    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        await super().ensure_subscriptions(callback_url)
        return ["subscribed"]


class IgnoresTheLimit(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        return await super().fetch(stream, cursor, 50, since)


class KeepsItsPlaceInMemory(ToyConnector):
    _place: Cursor | None = None

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        page = await super().fetch(stream, self._place if cursor else None, limit, since)
        self._place = page.cursor
        return replace(page, cursor={"at": page.cursor["after"]})


class TurnsInCircles(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        page = await super().fetch(stream, None, limit, since)
        return replace(page, more=True)


class MarksAfterReading(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        page = await super().fetch(stream, cursor, limit, since)
        late = self._ctx.clock.now() + timedelta(seconds=2)
        return page if page.more else replace(page, cursor={"from": late.isoformat(), "after": ""})


class KeysReadsByTime(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        page = await super().fetch(stream, cursor, limit, since)
        return replace(page, envelopes=[replace(e, dedupe_key=self._ctx.ids.uuid()) for e in page.envelopes])


class KeysReadsByOrder(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        page = await super().fetch(stream, cursor, limit, since)
        return replace(page, envelopes=[replace(e, dedupe_key=e.ordering_key) for e in page.envelopes])


class FailsTheWholeBatch(ToyConnector):
    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        results = await super().publish(items)
        for result in results:
            if result.error is not None:
                raise Rejected("one is bad, so all are")
        return results


class MixesUpAnswers(ToyConnector):
    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return list(reversed(await super().publish(items)))


class SendsADelta(ToyConnector):
    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        changed = [replace(item, quantity=abs(item.quantity - (item.expected or 0))) for item in items]
        results = await super().publish(changed)
        return [replace(result, item=item) for result, item in zip(results, items, strict=True)]


class ReadsMissingAsZero(ToyConnector):
    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        return [replace(level, quantity=level.quantity or 0, missing=False) for level in await super().read_back(refs)]


class SwallowsTrouble(ToyConnector):
    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        try:
            return await super().publish(items)
        except Transient:
            return [PushResult(item, PushState.ACCEPTED) for item in items]


class RepeatsUnkeyedWrites(ToyConnector):
    async def send(self, effect: Effect) -> EffectResult:
        for _ in range(2):
            try:
                return await super().send(effect)
            except InDoubt:
                continue
        return await super().send(effect)


class TakesSilenceForYes(ToyConnector):
    async def send(self, effect: Effect) -> EffectResult:
        try:
            return await super().send(effect)
        except InDoubt:
            return EffectResult()


class AlwaysSettlesYes(ToyConnector):
    async def settle(self, effect: Effect) -> Settlement:
        return Settlement.APPLIED


class ConfusesScopeWithLogin(ToyConnector):
    async def check(self) -> CheckReport:
        try:
            return await super().check()
        except AuthFailed as error:
            raise AuthFailed(error.message) from error


class BlamesTheLogin(ToyConnector):
    async def check(self) -> CheckReport:
        try:
            return await super().check()
        except Transient as error:
            raise AuthFailed("cannot log in") from error


class ChecksNothing(ToyConnector):
    async def check(self) -> CheckReport:
        return CheckReport(who="somebody")


class ShowsItsSecrets(ToyConnector):
    def __repr__(self) -> str:
        return f"ToyConnector({ {key: secret.reveal() for key, secret in self._ctx.credentials.items()} })"


class LeavesTasksBehind(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        self._task = asyncio.create_task(asyncio.sleep(3600))
        return await super().fetch(stream, cursor, limit, since)


class HammersABusyVendor(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        for _ in range(20):
            try:
                return await super().fetch(stream, cursor, limit, since)
            except RateLimited as error:
                await self._ctx.clock.sleep(error.retry_after_s or 60)
        raise Transient("busy")


class GivesUpAtOnce(ToyConnector):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        raise Rejected("no")


class AcceptsAnyOption(ToyConnector):
    def __init__(self, ctx: AccountContext) -> None:
        super().__init__(replace(ctx, options={}))


OVERSTATED = replace(MANIFEST, capabilities=MANIFEST.capabilities | {Capability.RESOLVE})
UNDERSTATED = replace(MANIFEST, capabilities=MANIFEST.capabilities - {Capability.CHECK})
UNDOCUMENTED = replace(MANIFEST, docs={})


class Overstates(ToyConnector):
    manifest = OVERSTATED


class Understates(ToyConnector):
    manifest = UNDERSTATED


# A rule fails by its own words, or by an error of the contract that nobody was to raise there.
Caught = (AssertionError, pytest.fail.Exception, ConnectorError)


@dataclass(frozen=True)
class Planted:
    """A bug and the rule that must catch it."""

    connector: type[ToyConnector]
    rule: str
    manifest: Manifest = MANIFEST
    told_by: tuple[type[BaseException], ...] = Caught


PLANTED = (
    Planted(BelievesEverybody, "test_a_flipped_bit_in_the_body_is_refused"),
    Planted(BelievesEverybody, "test_another_secret_is_refused"),
    Planted(StripsBeforeVerifying, "test_a_flipped_bit_in_the_body_is_refused"),
    Planted(ComparesAPrefix, "test_a_changed_signature_is_refused"),
    Planted(WorksWithoutASecret, "test_without_a_secret_nothing_is_believed"),
    Planted(KeysByArrival, "test_a_redelivery_has_the_same_key"),
    Planted(KeysByOrderOnly, "test_a_newer_version_has_another_key"),
    Planted(KeepsTheSignature, "test_envelopes_are_named_and_hold_the_bytes"),
    Planted(TrustsTheBody, "test_an_odd_body_never_breaks_naming", told_by=(ValueError,)),
    Planted(SubscribesEachTime, "test_subscriptions_are_made_once_and_deliver"),
    Planted(IgnoresTheLimit, "test_pages_keep_the_limit_and_end"),
    Planted(TurnsInCircles, "test_pages_keep_the_limit_and_end"),
    Planted(KeepsItsPlaceInMemory, "test_a_walk_resumes_anywhere"),
    Planted(MarksAfterReading, "test_every_order_is_found_and_maps"),
    Planted(KeysReadsByTime, "test_reading_again_is_harmless"),
    Planted(KeysReadsByOrder, "test_a_changed_order_has_another_key"),
    Planted(FailsTheWholeBatch, "test_one_bad_item_stops_no_other"),
    Planted(MixesUpAnswers, "test_a_pushed_number_is_shown"),
    Planted(SendsADelta, "test_a_pushed_number_is_shown"),
    Planted(ReadsMissingAsZero, "test_a_missing_listing_reads_as_missing"),
    Planted(SwallowsTrouble, "test_a_busy_channel_answers_no_item_wrongly"),
    Planted(RepeatsUnkeyedWrites, "test_a_write_that_never_arrived_settles_as_not_applied"),
    Planted(TakesSilenceForYes, "test_a_lost_answer_is_doubt_unless_keyed"),
    Planted(AlwaysSettlesYes, "test_an_effect_is_applied_and_settles"),
    Planted(ConfusesScopeWithLogin, "test_check_tells_a_missing_scope"),
    Planted(BlamesTheLogin, "test_check_tells_a_vendor_that_is_down"),
    Planted(ChecksNothing, "test_check_tells_wrong_credentials"),
    Planted(ShowsItsSecrets, "test_secrets_are_shown_nowhere"),
    Planted(LeavesTasksBehind, "test_cancellation_leaks_nothing"),
    Planted(HammersABusyVendor, "test_a_spent_budget_is_rate_limited"),
    Planted(GivesUpAtOnce, "test_a_vendor_in_trouble_is_transient"),
    Planted(GivesUpAtOnce, "test_a_short_trouble_is_survived"),
    Planted(AcceptsAnyOption, "test_unknown_option_and_missing_credentials_are_named"),
    Planted(Overstates, "test_manifest_declares_exactly_what_the_code_can_do", OVERSTATED),
    Planted(Understates, "test_manifest_declares_exactly_what_the_code_can_do", UNDERSTATED),
    Planted(HidesItsBudgets, "test_declared_budgets_are_shown"),
    Planted(ToyConnector, "test_manifest_is_documented", UNDOCUMENTED),
)


def suite_of(connector: type[ToyConnector], manifest: Manifest) -> ToyContract:
    class Suite(ToyContract):
        pass

    Suite.connector = ConnectorType(manifest=manifest, open=connector, sandbox=CONNECTOR.sandbox)
    return Suite()


async def run(suite: Any, rule: str) -> None:
    outcome = getattr(suite, rule)()
    if inspect.isawaitable(outcome):
        await outcome


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.connector.__name__}-{p.rule.removeprefix('test_')}")
async def test_a_planted_bug_is_caught(planted: Planted) -> None:
    """The rule passes on the sound connector and fails on the one with the bug."""
    await run(suite_of(ToyConnector, MANIFEST), planted.rule)
    with pytest.raises(planted.told_by):
        await run(suite_of(planted.connector, planted.manifest), planted.rule)
    strays = asyncio.all_tasks() - {asyncio.current_task()}
    for task in strays:
        task.cancel()
    await asyncio.gather(*strays, return_exceptions=True)


@dataclass(frozen=True)
class Mismapped:
    """A change of the toy's order mapping and the rule that must catch it."""

    sound: str
    wrong: str
    rule: str


MISMAPPED = (
    Mismapped("    default: unknown", "    default: paid", "test_an_unknown_code_becomes_unknown"),
    Mismapped("  payment_state_raw: payment\n", "", "test_an_unknown_code_becomes_unknown"),
    Mismapped("$money(total, currency)", "$money($string($number(total)), currency)", "test_money_survives"),
    Mismapped(
        "lines[].quantity: quantity", "lines[].quantity: 'quantity > 100 ? 100 : quantity'", "test_quantities_survive"
    ),
    Mismapped(
        "lines[].quantity: quantity",
        "lines[].quantity: '$exists(quantity) ? quantity : 1'",
        "test_a_missing_required_field_is_named",
    ),
    Mismapped("[order, order.placed, order.changed]", "[order, order.placed]", "test_mapped_topics_have_a_mapping"),
    Mismapped("source.id: id", "source.id: '\"1\"'", "test_every_order_is_found_and_maps"),
)


@pytest.mark.parametrize("change", MISMAPPED, ids=lambda change: f"{change.wrong.strip()[:40]}-{change.rule[5:]}")
async def test_a_wrong_mapping_is_caught(change: Mismapped, tmp_path: Path) -> None:
    """A mapping that guesses, rounds or forgets fails the rule made for it."""
    shutil.copytree(MAPPINGS, tmp_path, dirs_exist_ok=True)
    order = tmp_path / "toy" / "order.yaml"
    text = order.read_text()
    assert change.sound in text
    order.write_text(text.replace(change.sound, change.wrong))

    class Suite(ToyContract):
        def mapping(self) -> MappingSet:
            return MappingSet.load("toy", root=tmp_path)

    with pytest.raises(Caught):
        await run(Suite(), change.rule)
