"""The acting operations of the operator API (SURFACE): what each asks the hub to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from hub.api.auth import Role
from hub.api.backend import Acts, BadRequest
from hub.api.bodies import ADJUSTMENT, FILTER, PREVIEW, PULL, REPORT, checked, failure_filter, lines
from hub.api.spec import OBJECT, Call, Json, Operation, page, page_of
from hub.services.moments import stated

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Acting:
    """Handlers over the acts."""

    acts: Acts

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "pauseAccount",
                "POST",
                "/accounts/{id}/pause",
                Role.OPERATOR,
                "Stop calls to this account",
                self.pause,
                answer=OBJECT,
            ),
            Operation(
                "resumeAccount",
                "POST",
                "/accounts/{id}/resume",
                Role.OPERATOR,
                "Let calls go on",
                self.resume,
                answer=OBJECT,
            ),
            Operation(
                "pullAccount",
                "POST",
                "/accounts/{id}/pull",
                Role.OPERATOR,
                "Read again from an instant on",
                self.pull,
                body=PULL,
                answer=OBJECT,
            ),
            Operation(
                "adjustStock",
                "POST",
                "/stock/adjustments",
                Role.OPERATOR,
                "Change stock by deltas",
                self.adjust,
                body=ADJUSTMENT,
                answer=OBJECT,
            ),
            Operation(
                "reportStock",
                "POST",
                "/stock/reports",
                Role.OPERATOR,
                "State counted stock, correct as of its time",
                self.report,
                body=REPORT,
                answer=OBJECT,
            ),
            Operation(
                "replayFailures",
                "POST",
                "/failures/replay",
                Role.OPERATOR,
                "Run failed work again",
                self.replay,
                body=FILTER,
                answer=OBJECT,
            ),
            Operation(
                "discardFailures",
                "POST",
                "/failures/discard",
                Role.ADMIN,
                "Give up failed work, kept in the audit log",
                self.discard,
                body=FILTER,
                answer=OBJECT,
            ),
            Operation(
                "previewMapping",
                "POST",
                "/mappings/preview",
                Role.VIEWER,
                "Map a payload, storing nothing",
                self.preview,
                body=PREVIEW,
                changes=False,
                answer=page_of(OBJECT),
            ),
        ]

    async def pause(self, call: Call) -> Json:
        return await self.acts.pause(call.path["id"], call.caller.name)

    async def resume(self, call: Call) -> Json:
        return await self.acts.resume(call.path["id"], call.caller.name)

    async def pull(self, call: Call) -> Json:
        given = checked(call.body, PULL).get("since")
        return await self.acts.pull(call.path["id"], stated(given) if given else None, call.caller.name)

    async def adjust(self, call: Call) -> Json:
        changes = lines(call.body, ADJUSTMENT)
        return await self.acts.adjust(changes, key=call.key, actor=call.caller.name)

    async def report(self, call: Call) -> Json:
        changes = lines(call.body, REPORT)
        return await self.acts.report(changes, key=call.key, actor=call.caller.name)

    async def replay(self, call: Call) -> Json:
        which, dry_run = failure_filter(call.body)
        return await self.acts.replay(which, dry_run=dry_run, actor=call.caller.name)

    async def discard(self, call: Call) -> Json:
        which, dry_run = failure_filter(call.body)
        return await self.acts.discard(which, dry_run=dry_run, actor=call.caller.name)

    async def preview(self, call: Call) -> Json:
        body = checked(call.body, PREVIEW)
        return page(await self.acts.preview(body["account"], body["topic"], _as_given(call.raw)))


def _as_given(raw: bytes) -> bytes:
    """The payload's own bytes: decoded and written again, its decimals would not be what they were."""
    try:
        return bytes(_MEMBERS.decode(raw)["payload"])
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest("`payload` is nested too deep.") from None
