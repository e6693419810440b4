"""Partner profiles: everything about one trading partner that is agreed, not programmed."""

from mappings.edi.partners.model import PartnerProfile
from mappings.edi.partners.reading import find_partner, read_partner, shipped_partners

__all__ = ["PartnerProfile", "find_partner", "read_partner", "shipped_partners"]
