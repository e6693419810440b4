"""What carriers without a mapping say is refused by every mapping there is, never half read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from canonical import MappingError
from mappings import MapContext, MappingSet
from tests.carriers.test_mappings import CARRIERS, SAMPLES

OTHERS = sorted((SAMPLES / "other").glob("*")) if SAMPLES.exists() else []
MADE = {
    "soap": b'<?xml version="1.0"?><TrackResponse><TrackInfo ID="9274890109527000983902"/></TrackResponse>',
    "json": b'{"payload": {"trackingId": "89108749065090", "eventHistory": [{"eventCode": "PickupDone"}]}}',
    "refusal": b'{"error": "not_found", "error_description": "The resource you requested was not found."}',
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", MADE)
def test_a_foreign_answer_is_refused(carrier: str, name: str) -> None:
    """XML, another carrier's JSON and another's refusal."""
    refused(carrier, MADE[name])


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("path", OTHERS, ids=[path.stem for path in OTHERS])
def test_a_captured_foreign_answer_is_refused(carrier: str, path: Path) -> None:
    """The same of real ones."""
    refused(carrier, path.read_bytes())


def refused(carrier: str, payload: bytes) -> None:
    context = MapContext(None, carrier, datetime(2026, 11, 21, tzinfo=UTC))
    with pytest.raises(MappingError) as caught:
        MappingSet.load(carrier).map("tracking", payload, context)
    assert str(caught.value)
