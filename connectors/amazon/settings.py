"""One account's section of the configuration, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.egress import check_base_url
from connectors.sdk.ports import Secret

LOGIN_URL: Final = "https://api.amazon.com"
HOSTS: Final[Mapping[str, str]] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
"""Source: developer-docs.amazon.com/sp-api "SP-API endpoints" (read 2026-11)."""

REGION_OF: Final[Mapping[str, str]] = {
    "ATVPDKIKX0DER": "na",  # United States
    "A2EUQ1WTGCTBG2": "na",  # Canada
    "A1AM78C64UM0Y8": "na",  # Mexico
    "A1F83G8C2ARO7P": "eu",  # United Kingdom
    "A1PA6795UKMFR9": "eu",  # Germany
    "A1VC38T7YXB528": "fe",  # Japan
    "A39IBJ37TRP1C6": "fe",  # Australia
}
"""Marketplaces whose region needs no option. Source: developer-docs.amazon.com/sp-api "marketplace ids" (2026-11)."""

REQUIRED_CREDENTIALS: Final = ("client_id", "client_secret", "refresh_token")
CREDENTIALS: Final[Mapping[str, str]] = {
    "client_id": "client id of the application's Login with Amazon (LWA) credentials",
    "client_secret": "client secret of the same credentials; Amazon wants a new one every 180 days",
    "refresh_token": "the selling partner's refresh token; one per region",
    "aws_access_key_id": "for the queue; without it the AWS default chain is asked (environment, profile, role)",
    "aws_secret_access_key": "belongs to aws_access_key_id",
}
COMMON_OPTIONS: Final[Mapping[str, str]] = {
    "region": "na, eu or fe; by default the region of the first marketplace",
    "marketplace_ids": "list of marketplace ids this account sells in; the first one is published to and confirmed in",
    "secret_issued_on": "the day the client secret was made (YYYY-MM-DD), for a warning from day 150 of its 180",
}
OPTIONS: Final[Mapping[str, str]] = {
    **COMMON_OPTIONS,
    "seller_id": "the seller's merchant token (A…); every listings call names it",
    "queue_url": "URL of the SQS standard queue notifications arrive in; without it orders are found by polling only",
    "queue_region": "AWS region of the queue where its host does not say it; us-east-1 (default)",
    "feed_from": "so many items at once go as one JSON_LISTINGS_FEED instead of a PATCH each; 100 (default)",
    "report_from": "more listings than this are swept by report instead of page by page; 1000 (default, and the most)",
    "issue_locale": "language of the issues Amazon reports about listings; en_US (default)",
}
FEED_FROM: Final = 100
REPORT_FROM: Final = 1_000
QUEUE_REGION: Final = "us-east-1"
_QUEUE_HOST: Final = re.compile(r"sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_LOCALE: Final = re.compile(r"[a-z]{2}_[A-Z]{2}")
MARKETPLACES_MAX: Final = 50
"""Source: orders_2026-01-01, searchOrders: marketplaceIds has at most 50 (2026-08)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`queue_url` None means polling only; the two AWS keys are set together or not at all.

    `seller_id` is empty for a vendor (retail) account, which has none.
    """

    base_url: str
    auth_url: str
    region: str
    client_id: Secret
    client_secret: Secret
    refresh_token: Secret
    seller_id: str
    marketplace_ids: tuple[str, ...]
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    queue_url: str | None = None
    queue_region: str = QUEUE_REGION
    secret_issued_on: date | None = None
    feed_from: int = FEED_FROM
    report_from: int = REPORT_FROM
    issue_locale: str = "en_US"

    @property
    def marketplace(self) -> str:
        """The first one: where numbers are published and shipments confirmed unless an order says otherwise."""
        return self.marketplace_ids[0]


def read(
    ctx: AccountContext,
    *,
    credentials: Mapping[str, str] = CREDENTIALS,
    options: Mapping[str, str] = OPTIONS,
    seller: bool = True,
) -> Settings:
    """Turn an account's section into settings.

    Args:
        credentials, options: The keys this flavour of the connector knows.
        seller: A seller id is needed; a vendor account has none.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    _refuse_unknown("credentials", ctx.credentials, credentials)
    _refuse_unknown("options", ctx.options, options)
    for name in REQUIRED_CREDENTIALS:
        if _secret(ctx.credentials, name) is None:
            raise ValueError(f"credentials.{name}: missing; it is the {CREDENTIALS[name]}")
    marketplaces = _marketplaces(ctx.options)
    region = _region(ctx.options, marketplaces)
    queue_url = _queue_url(ctx.options)
    key_id, key = _aws_keys(ctx.credentials)
    return Settings(
        base_url=(ctx.base_url or HOSTS[region]).rstrip("/"),
        auth_url=(ctx.auth_url or ctx.base_url or LOGIN_URL).rstrip("/"),
        region=region,
        client_id=ctx.credentials["client_id"],
        client_secret=ctx.credentials["client_secret"],
        refresh_token=ctx.credentials["refresh_token"],
        seller_id=_seller(ctx.options, needed=seller),
        marketplace_ids=marketplaces,
        aws_access_key_id=key_id,
        aws_secret_access_key=key,
        queue_url=queue_url,
        queue_region=_queue_region(ctx.options, queue_url),
        secret_issued_on=day(ctx.options, "secret_issued_on"),
        feed_from=count(ctx.options, "feed_from", FEED_FROM),
        report_from=count(ctx.options, "report_from", REPORT_FROM),
        issue_locale=_locale(ctx.options),
    )


def _refuse_unknown(section: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{section}.{name}: unknown; known are {', '.join(known)}")


def _secret(credentials: Mapping[str, Secret], name: str) -> Secret | None:
    found = credentials.get(name)
    return found if found is not None and found.reveal() else None


def _aws_keys(credentials: Mapping[str, Secret]) -> tuple[Secret | None, Secret | None]:
    key_id, key = _secret(credentials, "aws_access_key_id"), _secret(credentials, "aws_secret_access_key")
    if (key_id is None) != (key is None):
        missing = "aws_access_key_id" if key_id is None else "aws_secret_access_key"
        raise ValueError(f"credentials.{missing}: missing; the two AWS keys belong together")
    return key_id, key


def _marketplaces(options: Mapping[str, Any]) -> tuple[str, ...]:
    given = options.get("marketplace_ids")
    names = [given] if isinstance(given, str) else given
    if (
        not isinstance(names, Sequence)
        or not names
        or not all(isinstance(each, str) and each.strip() for each in names)
    ):
        raise ValueError("options.marketplace_ids: must be a list of marketplace ids, such as [ATVPDKIKX0DER]")
    found = tuple(each.strip() for each in names)
    if len(set(found)) != len(found) or len(found) > MARKETPLACES_MAX:
        raise ValueError(f"options.marketplace_ids: at most {MARKETPLACES_MAX} ids, each once")
    return found


def _region(options: Mapping[str, Any], marketplaces: tuple[str, ...]) -> str:
    region = options.get("region", REGION_OF.get(marketplaces[0]))
    if region is None:
        raise ValueError(
            f"options.region: missing; {marketplaces[0]} is not one of the marketplaces whose region is known"
        )
    if region not in HOSTS:
        raise ValueError(f"options.region: {region!r} is not one of {', '.join(HOSTS)}")
    for marketplace in marketplaces:
        # A refresh token is good for one region, so an account never spans two.
        if REGION_OF.get(marketplace, region) != region:
            raise ValueError(
                f"options.marketplace_ids: {marketplace} belongs to {REGION_OF[marketplace]}, not to {region}"
            )
    return str(region)


def _seller(options: Mapping[str, Any], *, needed: bool) -> str:
    seller = text(options, "seller_id")
    if seller is None and needed:
        raise ValueError(f"options.seller_id: missing; it is {OPTIONS['seller_id']}")
    return seller or ""


def _queue_url(options: Mapping[str, Any]) -> str | None:
    given = text(options, "queue_url")
    if given is None:
        return None
    parsed = check_base_url(given, key="options.queue_url")
    if not parsed.path.strip("/"):
        raise ValueError(f"options.queue_url: {given!r} names no queue")
    if parsed.path.endswith(".fifo"):
        # Source: developer-docs.amazon.com/sp-api notifications guide (2026-11): a FIFO queue silently gets nothing.
        raise ValueError(f"options.queue_url: {given!r} is a FIFO queue; Amazon delivers to standard queues only")
    return given


def _queue_region(options: Mapping[str, Any], queue_url: str | None) -> str:
    host = _QUEUE_HOST.search(queue_url or "")
    return host.group(1) if host else text(options, "queue_region") or QUEUE_REGION


def _locale(options: Mapping[str, Any]) -> str:
    found = text(options, "issue_locale") or "en_US"
    if not _LOCALE.fullmatch(found):
        raise ValueError(f"options.issue_locale: {found!r} is no locale such as en_US")
    return found


def count(options: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number above zero."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"options.{name}: {value!r} is no whole number above zero")
    return value


def text(options: Mapping[str, Any], name: str) -> str | None:
    """A text that is not empty; None where the key is absent."""
    value = options.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"options.{name}: must be a text that is not empty")
    return value.strip()


def day(options: Mapping[str, Any], name: str) -> date | None:
    """A day, as YAML or as YYYY-MM-DD."""
    value = options.get(name)
    if value is None or (isinstance(value, date) and type(value) is date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"options.{name}: {value!r} is no day (YYYY-MM-DD)") from None
