"""Invented shoppers: names and addresses that belong to nobody."""

from __future__ import annotations

from typing import Any, Final

_FIRST: Final = ("Ada", "Bruno", "Carla", "Devi", "Emil", "Freya", "Goran", "Hana", "Ivo", "Jun")
_LAST: Final = ("Examplesen", "Testerman", "Placeholder", "Sampleton", "Fictus", "Mockford", "Nowhere", "Dummont")
_PLACES: Final = (
    ("Springfield", "IL", "Illinois", "62701", "US", "United States"),
    ("Portland", "OR", "Oregon", "97201", "US", "United States"),
    ("Toronto", "ON", "Ontario", "M5H 2N2", "CA", "Canada"),
    ("Austin", "TX", "Texas", "78701", "US", "United States"),
)


def shopper(number: int) -> dict[str, Any]:
    """The same person for the same number, in REST's spelling of an address, plus id and e-mail."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // 10 % len(_LAST)]
    city, code, region, postcode, country_code, country = _PLACES[number // 80 % len(_PLACES)]
    return {
        "id": 6_900_000_000_000 + number,
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "address": {
            "first_name": first,
            "last_name": last,
            "name": f"{first} {last}",
            "company": None,
            "address1": f"{number % 900 + 1} Example Street",
            "address2": None,
            "city": city,
            "zip": postcode,
            "province": region,
            "province_code": code,
            "country": country,
            "country_code": country_code,
            "phone": f"+1555{number % 10**7:07d}",
        },
    }
