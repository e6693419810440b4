"""Calls that show people: with a restricted data token of an hour, for the reads of direct orders alone.

Source: tokens_2021-03-01 model; developer-docs.amazon.com/sp-api "tokens API use case guide" (read 2026-11):
direct-fulfilment order reads are restricted, `dataElements` belong to the Orders API, a path may be generic.
"""

from __future__ import annotations

from typing import Final

from connectors.amazon.api import Api, Params
from connectors.sdk.auth import OAuthTokens, Token
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, Transient
from connectors.sdk.http import Answer

TOKEN_PATH: Final = "/tokens/2021-03-01/restrictedDataToken"  # noqa: S105  # a path
DIRECT_ORDERS_PATH: Final = "/vendor/directFulfillment/orders/2021-12-28/purchaseOrders"
RESOURCES: Final = (DIRECT_ORDERS_PATH, f"{DIRECT_ORDERS_PATH}/{{purchaseOrderNumber}}")
LIFE_S: Final = 3_600.0


class Restricted:
    """One account's restricted reads. For one event loop; any number of tasks share the token."""

    def __init__(self, ctx: AccountContext, api: Api) -> None:
        self._api = api
        self._tokens = OAuthTokens(ctx, "restricted", self._fetch)

    async def read(self, path: str, *, operation: str, params: Params | None = None) -> Answer:
        """One GET. A token that is refused is renewed once.

        Raises:
            AuthFailed: The role for restricted data is missing, or the login is no good.
        """
        token = await self._tokens.get()
        try:
            return await self._api.request("GET", path, operation=operation, params=params, restricted=token)
        except AuthFailed as error:
            if error.status not in {401, 403}:
                raise
        self._tokens.invalidate(token)
        token = await self._tokens.get()
        return await self._api.request("GET", path, operation=operation, params=params, restricted=token)

    async def _fetch(self) -> Token:
        body = {"restrictedResources": [{"method": "GET", "path": path} for path in RESOURCES]}
        # Asking twice makes two tokens, and either is good.
        answer = await self._api.request(
            "POST", TOKEN_PATH, operation="createRestrictedDataToken", json=body, write=True, keyed=True
        )
        found = answer.json()
        value = found.get("restrictedDataToken") if isinstance(found, dict) else None
        if not isinstance(value, str) or not value:
            raise Transient("createRestrictedDataToken: the answer holds no token", **answer.facts("no_token"))
        life = found.get("expiresIn")
        return Token(value, float(life) if isinstance(life, int) else LIFE_S)
