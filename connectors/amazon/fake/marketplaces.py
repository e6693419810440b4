"""The marketplaces a sandbox seller may sell on.

Source: developer-docs.amazon.com/sp-api, "Marketplace IDs" (2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Marketplace:
    id: str
    name: str
    country: str
    currency: str
    language: str
    domain: str
    region: str
    fba_channel: str

    @property
    def smallest(self) -> Decimal:
        """The currency's smallest unit."""
        return Decimal(1) if self.currency == "JPY" else Decimal("0.01")


MARKETPLACES: Final = {
    each.id: each
    for each in (
        Marketplace("ATVPDKIKX0DER", "Amazon.com", "US", "USD", "en_US", "www.amazon.com", "na", "AMAZON_NA"),
        Marketplace("A2EUQ1WTGCTBG2", "Amazon.ca", "CA", "CAD", "en_CA", "www.amazon.ca", "na", "AMAZON_NA"),
        Marketplace("A1F83G8C2ARO7P", "Amazon.co.uk", "GB", "GBP", "en_GB", "www.amazon.co.uk", "eu", "AMAZON_EU"),
        Marketplace("A1PA6795UKMFR9", "Amazon.de", "DE", "EUR", "de_DE", "www.amazon.de", "eu", "AMAZON_EU"),
        Marketplace("A1VC38T7YXB528", "Amazon.co.jp", "JP", "JPY", "ja_JP", "www.amazon.co.jp", "fe", "AMAZON_JP"),
    )
}
US: Final = "ATVPDKIKX0DER"
