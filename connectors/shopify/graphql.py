"""The GraphQL client: one document per file, one POST per call, and what every answer says of its cost."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from connectors.sdk.answer import Answer
from connectors.sdk.auth import Authorizer, OAuthTokens, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import ConnectorError, Rejected
from connectors.sdk.http import HttpClient
from connectors.shopify import errors
from connectors.shopify.manifest import GRAPHQL
from connectors.shopify.settings import Settings

TOKEN_HEADER: Final = "X-Shopify-Access-Token"  # noqa: S105 - the name of a header
COST_FIRST: Final = 50.0
"""What a document is taken to cost before its first answer has said."""
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_INCLUDE: Final = re.compile(r"^# include (?P<name>[a-z_]+)\n", re.MULTILINE)


@functools.cache
def document(name: str) -> str:
    """The text of `queries/<name>.graphql`, with the fragments it includes appended once each."""
    folder = resources.files("connectors.shopify") / "queries"
    parts: dict[str, str] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop(0)
        if current not in parts:
            parts[current] = (folder / f"{current}.graphql").read_text("utf-8")
            waiting += _INCLUDE.findall(parts[current])
    return "\n".join(_INCLUDE.sub("", text).strip() for text in parts.values()) + "\n"


class _FixedToken:
    """A token that never changes: refused is refused."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.access_token

    async def headers(self) -> Mapping[str, str]:
        return {TOKEN_HEADER: self._token.reveal() if self._token else ""}

    def refused(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's shape
        return False


@dataclass(frozen=True, slots=True)
class Reply:
    """`data` of a good answer (exact: decimals and ids as sent) and the price of asking."""

    data: Mapping[str, Any]
    cost: errors.Cost
    correlation_id: str | None


class GraphQL:
    """Runs the connector's documents for one account. Safe for any number of tasks of one loop."""

    def __init__(
        self, ctx: AccountContext, settings: Settings, budgets: BudgetBook, tokens: OAuthTokens | None
    ) -> None:
        self._settings = settings
        self._budgets = budgets
        self._costs: dict[str, float] = {}
        authorize: Authorizer = TokenHeader(tokens, header=TOKEN_HEADER, prefix="") if tokens else _FixedToken(settings)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=budgets,
            classify=errors.classify,
            authorize=authorize,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )

    async def run(
        self,
        name: str,
        variables: Mapping[str, Any] | None = None,
        *,
        kind: str,
        write: bool = False,
        keyed: bool = False,
        timeout_s: float | None = None,
    ) -> Reply:
        """Run `queries/<name>.graphql`.

        Raises:
            ConnectorError: As `connectors.shopify.errors` has it; a document dearer than the shop's
                limit is `Rejected` with code `MAX_COST_EXCEEDED`.
        """
        answer = await self._http.request(
            "POST",
            self._settings.graphql_path,
            json={"query": document(name), "variables": dict(variables or {})},
            kind=kind,
            write=write,
            keyed=keyed,
            cost=self._costs.get(name, COST_FIRST),
            budget=GRAPHQL,
            timeout_s=timeout_s,
        )
        body = answer.json()
        cost = errors.read_cost(answer.content)
        if cost.requested is not None:
            self._costs[name] = max(1.0, cost.requested)
        # Learnt after the call's own price was given back: the shop has counted it already.
        self._budgets.learn(GRAPHQL, remaining=cost.available, limit=cost.maximum, restore_rate=cost.restore_rate)
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise answer.call.lost(f"{kind}: an answer without data", **answer.facts("no_data"))
        return Reply(data, cost, answer.correlation_id)

    async def download(self, url: str, *, first_byte: int, bytes_max: int, kind: str) -> tuple[bytes, bool]:
        """A piece of a bulk result, and whether the file ends with it.

        The URL is signed and somewhere else: it gets no token, and passes the egress check.
        """
        answer = await self._http.request(
            "GET",
            url,
            headers={
                "range": f"bytes={first_byte}-{first_byte + bytes_max - 1}",
                "accept": "*/*",
                "accept-encoding": "identity",
            },
            kind=kind,
            budget=GRAPHQL,
            cost=0.0,
        )
        if answer.status == 416:
            # Beyond the end: the file ended exactly where the last piece did.
            return b"", True
        if answer.status == 206:
            return answer.content, _is_last_piece(answer, first_byte)
        # A server that does not know ranges sends everything; what we have read already is skipped.
        return answer.content[first_byte:], True

    async def close(self) -> None:
        await self._http.close()


def _is_last_piece(answer: Answer, first_byte: int) -> bool:
    total = (answer.header("content-range") or "").rpartition("/")[2]
    if total.isascii() and total.isdigit():
        return first_byte + len(answer.content) >= int(total)
    return not answer.content


def too_dear(error: ConnectorError) -> bool:
    """The shop refuses the query for its price alone: ask for less at once."""
    return isinstance(error, Rejected) and error.code == errors.MAX_COST
