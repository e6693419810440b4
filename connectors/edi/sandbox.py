"""Trading partners to try against: a retailer over AS2, a warehouse over SFTP and a supplier over folders.

Each has its own X12, its own books and its own opinion of what it is sent (`complaints`). Bad manners come by
`--fault`: late and missing 997s, files twice, wrong counts, control numbers that begin again, parts of what was asked
for, files that break off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from connectors.edi.fake.partner import PartnerSandbox
from connectors.edi.fake.retailer import RetailerSandbox
from connectors.edi.fake.supplier import SupplierSandbox
from connectors.edi.fake.warehouse import WarehouseSandbox

PARTNERS: Final[Mapping[str, Callable[..., PartnerSandbox]]] = {
    "retailer": RetailerSandbox,
    "warehouse": WarehouseSandbox,
    "supplier": SupplierSandbox,
}

__all__ = ["PARTNERS", "PartnerSandbox", "RetailerSandbox", "SupplierSandbox", "WarehouseSandbox"]
