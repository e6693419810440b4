"""Files of trading partners in the operator API, what is awaited from whom, and sending a file again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from hub.api.auth import Role
from hub.api.backend import BadRequest
from hub.api.spec import OBJECT, PAGE, Call, Json, Operation, Param, page, page_of
from hub.ports.queries import Queries
from hub.ports.store import FileRow, Micros, Store, StoreConflict
from hub.services.trading import views
from hub.services.trading.resending import CannotResend, Resending, UnknownFile
from hub.trading.outbound import sending_key

STATES = ("open", "met", "failed", "dropped")
FILE_STATES = ("taking", "taken", "parked", "made")
_SETS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Trade:
    """Handlers over the read side, and one act. `woken` is called when something was queued to be sent."""

    queries: Queries
    store: Store | None
    now: Callable[[], Micros]
    woken: Callable[[], None]

    def operations(self) -> list[Operation]:
        account = Param("account", about="one account only")
        return [
            Operation(
                "listExpectations",
                "GET",
                "/edi/expectations",
                Role.VIEWER,
                "What partners owe us and we owe them, by deadline, soonest first",
                self.expectations,
                params=(
                    account,
                    Param("kind", about="the document awaited, such as 997 or 855"),
                    Param("state", enum=STATES, about="`open` unless said"),
                    Param("overdue", "boolean", "only what is past its deadline"),
                    Param("subject", about="our id of what it is about"),
                    *PAGE,
                ),
                answer=page_of(OBJECT),
            ),
            Operation(
                "listFiles",
                "GET",
                "/edi/files",
                Role.VIEWER,
                "Files received from and made for trading partners, newest first",
                self.files,
                params=(account, Param("direction", enum=("in", "out")), Param("state", enum=FILE_STATES), *PAGE),
                answer=page_of(OBJECT),
            ),
            Operation(
                "getFile",
                "GET",
                "/edi/files/{id}",
                Role.VIEWER,
                "One file: its interchanges, its sets (the first 1,000) with their problems, its sendings",
                self.file,
                answer=OBJECT,
            ),
            Operation(
                "getFileContent",
                "GET",
                "/edi/files/{id}/content",
                Role.OPERATOR,
                "The bytes of a file, in base64, while they are kept",
                self.content,
                answer=OBJECT,
            ),
            Operation(
                "resendFile",
                "POST",
                "/edi/files/{id}/resend",
                Role.OPERATOR,
                "Send a file of ours again: the same bytes, the same control numbers",
                self.resend,
                body={"type": "object", "additionalProperties": False},
                answer=OBJECT,
                problems=(404, 409),
            ),
        ]

    async def expectations(self, call: Call) -> Json:
        query = dict(call.query)
        query["overdue_only"] = bool(query.pop("overdue"))
        query["state"] = query["state"] or "open"
        rows, following = await self.queries.expectations(**query)
        now = self.now()
        return page([views.expectation(row, now) for row in rows], following)

    async def files(self, call: Call) -> Json:
        rows, following = await self.queries.files(**call.query)
        return page([views.file_line(row) for row in rows], following)

    async def file(self, call: Call) -> Json:
        return await self._shown(await self._named(call.path["id"]))

    async def content(self, call: Call) -> Json:
        row = await self._named(call.path["id"])
        content = await self.queries.file_content(row.id)
        if not content:
            raise BadRequest(f"The bytes of {row.id} are forgotten.", status=404)
        return {"id": row.id, "name": row.name, "content": base64.b64encode(content).decode("ascii")}

    async def resend(self, call: Call) -> Json:
        if self.store is None:
            raise BadRequest("The database is open for reading only.", status=409)
        resending = Resending(self.store, self.queries)
        try:
            row = await resending.resend(call.path["id"], now=self.now(), actor=call.caller.name)
        except UnknownFile as error:
            raise BadRequest(f"{error}.", status=404) from None
        except CannotResend as error:
            raise BadRequest(f"{error}.", status=409) from None
        except StoreConflict:
            raise BadRequest("Somebody else is sending it again right now.", status=409) from None
        self.woken()
        return await self._shown(await self._named(row.id))

    async def _named(self, id_: str) -> FileRow:
        row = await self.queries.file(id_)
        if row is None:
            raise BadRequest(f"There is no file {id_}.", status=404)
        return row

    async def _shown(self, row: FileRow) -> Json:
        sets = await self.queries.file_sets(row.id, limit=_SETS_MAX)
        keys = [sending_key(row.id, number) for number in range(1, row.sends + 1)]
        return views.file(row, sets, await self.queries.sendings(keys))
