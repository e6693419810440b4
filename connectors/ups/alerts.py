"""Track Alert: having UPS push what happens to a parcel.

A subscription lasts 14 days and then ends in silence; asking again starts it anew. It brings no history:
what happened before has to be polled. Only small parcels (1Z) and Roadie's (1R) can be watched.

Source: UPS Track Alert v2 OpenAPI document (2026-07): frequently asked questions, TrackingNumber pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from connectors.sdk.answer import Answer
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import ConnectorError, Rejected
from connectors.sdk.tracking import TrackedNumber, Watched
from connectors.ups import errors
from connectors.ups.api import Api
from connectors.ups.manifest import WATCH_BATCH_MAX, WATCH_LIFE_S

WATCHABLE: Final = re.compile(r"1Z[0-9A-Z]{16}|1R[0-9A-Z]{14}|1R[0-9A-Z]{26}")


class Alerts:
    """Subscriptions of one account. `is_heard`: UPS has been given something by which to be believed here."""

    def __init__(self, ctx: AccountContext, api: Api, *, is_heard: bool) -> None:
        self._ctx = ctx
        self._api = api
        self._is_heard = is_heard

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        if len(numbers) > WATCH_BATCH_MAX:
            raise Rejected(f"UPS takes at most {WATCH_BATCH_MAX} numbers at a time", code="too_many")
        if not self._is_heard:
            deaf = Rejected("credentials.webhook_secret is not set: no alert would be believed", code="no_secret")
            return [Watched(each, error=deaf) for each in numbers]
        wanted = list(dict.fromkeys(each.number for each in numbers if WATCHABLE.fullmatch(each.number)))
        taken: frozenset[str] = frozenset()
        refusal: ConnectorError = Rejected("UPS did not confirm the subscription", code="not_confirmed")
        if wanted:
            try:
                taken = _taken(await self._api.subscribe(wanted))
            except Rejected as error:
                if error.code not in errors.NONE_VALID:
                    raise
                refusal = error
        until = self._ctx.clock.now() + timedelta(seconds=WATCH_LIFE_S)
        return [_watched(each, taken, until, refusal) for each in numbers]


def _taken(answer: Answer) -> frozenset[str]:
    """The numbers UPS says it watches now; those it does not name are not watched."""
    body = answer.json()
    valid = body.get("validTrackingNumbers") if isinstance(body, Mapping) else None
    return frozenset(str(number) for number in valid) if isinstance(valid, list) else frozenset()


def _watched(number: TrackedNumber, taken: frozenset[str], until: datetime, refusal: ConnectorError) -> Watched:
    if number.number in taken:
        return Watched(number, until=until)
    if not WATCHABLE.fullmatch(number.number):
        unfit = Rejected("UPS sends alerts for 1Z and 1R numbers only", code="not_watchable")
        return Watched(number, error=unfit)
    return Watched(number, error=refusal)
