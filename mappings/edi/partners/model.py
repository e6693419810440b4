"""A partner profile, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import Field

from mappings.edi.grammar.profile import STANDARD, Profile
from mappings.edi.model import Party
from mappings.edi.partners.parts import (
    AsnRules,
    Code,
    Deadlines,
    Duplicates,
    Eaches,
    Envelope,
    Identities,
    InventoryRules,
    ProductIds,
    SdqRules,
    SetKind,
    WarehouseRules,
)
from mappings.edi.partners.tables import Tables

Role = Literal["retailer", "marketplace", "warehouse", "supplier"]


class Agreement(Tables):
    """Everything of a profile but the judging (`mappings.edi.grammar.profile`), as the YAML file has it.

    `fill_or_kill`: `order` accepts or refuses an order whole, `line` each line whole; `none` takes partial
    quantities. `units` translates the partner's unit codes into ours, `packs` says how many eaches a unit
    holds where the document does not. `sends` are the sets we answer with; null is what the role usually
    gets. `transport` is the connector's business and kept as written.
    """

    role: Role = "retailer"
    identities: Identities | None = None
    envelope: Envelope = Envelope()
    set_versions: Mapping[SetKind, str] = Field(default_factory=dict)
    deadlines: Deadlines = Deadlines()
    product_ids: ProductIds = ProductIds()
    units: Mapping[str, Code] = Field(default_factory=dict)
    packs: Mapping[Code, Eaches] = Field(default_factory=dict)
    asn: AsnRules = AsnRules()
    sdq: SdqRules = SdqRules()
    inventory: InventoryRules = InventoryRules()
    warehouse: WarehouseRules = WarehouseRules()
    fill_or_kill: Literal["none", "line", "order"] = "none"
    duplicates: Duplicates = Duplicates()
    sends: tuple[SetKind, ...] | None = None
    time_zone: str | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    transport: Mapping[str, Any] = Field(default_factory=dict)


_USUALLY: Final[Mapping[Role, tuple[str, ...]]] = MappingProxyType(
    {
        "retailer": ("855", "865", "856", "810", "846"),
        "marketplace": ("855", "865", "856", "810", "846"),
        "warehouse": ("940", "943"),
        "supplier": ("850", "860"),
    }
)
_EDIFACT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "850": "ORDERS", "860": "ORDCHG", "855": "ORDRSP", "865": "ORDRSP", "856": "DESADV", "810": "INVOIC",
        "846": "INVRPT",
    }
)  # fmt: skip

AGREEMENT_KEYS: Final = tuple(Agreement.model_fields)


@dataclass(frozen=True)
class PartnerProfile:
    """One partner. Immutable, and safe to use from any thread.

    Args:
        judging: how the partner's files are judged and acknowledged; its `name` is the partner's.
        agreed: everything else.
    """

    judging: Profile = STANDARD
    agreed: Agreement = field(default_factory=Agreement)

    @property
    def name(self) -> str:
        return self.judging.name

    def version_of(self, kind: str) -> str:
        """The version we write a set in: its own, else the first agreed, else the syntax's commonest."""
        usual = "D.96A" if self.agreed.envelope.syntax == "edifact" else "004010"
        return self.agreed.set_versions.get(kind) or next(iter(self.judging.versions), usual)

    def sends(self, kind: str) -> bool:
        """Whether the partner is sent a set, named as X12 does (`855` is an ORDRSP to an EDIFACT partner)."""
        wanted = self.agreed.sends if self.agreed.sends is not None else _USUALLY[self.agreed.role]
        return kind in wanted or self.set_named(kind) in wanted

    def set_named(self, kind: str) -> str:
        """What the partner's syntax calls an X12 set: `855` is `855`, or `ORDRSP`."""
        return _EDIFACT.get(kind, kind) if self.agreed.envelope.syntax == "edifact" else kind

    def is_between(self, sender: Party, receiver: Party) -> bool:
        """Whether an interchange with these addresses is from this partner to us."""
        identities = self.agreed.identities
        if identities is None:
            return False
        theirs = [identities.them, *identities.also]
        return (receiver.qualifier, receiver.id) == (identities.us.qualifier, identities.us.id) and any(
            (sender.qualifier, sender.id) == (each.qualifier, each.id) for each in theirs
        )

    @cached_property
    def terms(self) -> Mapping[str, Any]:
        """What mappings read as `_partner`: JSON-like, and only what differs from the mappings' own answer."""
        agreed = self.agreed
        found: dict[str, Any] = {
            "name": self.name,
            "role": agreed.role,
            "inward": {name: dict(table.inward) for name, table in agreed.tables.items() if table.inward},
            "outward": {name: dict(table.outward) for name, table in agreed.tables.items() if table.outward},
            "units": dict(agreed.units),
            "packs": dict(agreed.packs),
            "sdq": agreed.sdq.mode,
            "fill_or_kill": agreed.fill_or_kill,
            "product_ids": agreed.product_ids.model_dump(mode="json"),
            "inventory": agreed.inventory.model_dump(mode="json"),
            "warehouse": agreed.warehouse.model_dump(mode="json"),
            "asn": agreed.asn.model_dump(mode="json"),
        }
        return MappingProxyType({key: value for key, value in found.items() if value not in ({}, None)})
