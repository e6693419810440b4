"""The profiles by which the hub trades with the sandboxes' partners; identities are invented."""

from __future__ import annotations

from typing import Final

RETAILER: Final = """\
name: Sandbox Retailer
role: retailer
versions: ["004010"]
sets: ["850", "860", "997", "824", "820"]
acknowledge: {form: 997, detail: every, ta1: requested}
identities: {us: {qualifier: ZZ, id: SANDBOXSELLER}, them: {qualifier: "08", id: "9250000001"}}
envelope: {version: "00401", line_end: "\\n", substitute: " "}
deadlines: {acknowledgement: 10m, sets: {"997": 10m, "855": 10m, "856": 1h, "810": 1h}}
product_ids: {buyer: [SK], seller: [VN], gtin: [UP], out: {VN: seller, UP: gtin}}
asn: {structure: "0001", levels: SOPI, sscc: "20", ctt: levels, tracking: [MAN CP, REF CN]}
inventory: {out: "33", out_scope: full, every: 1h}
currency: USD
"""

WAREHOUSE: Final = """\
name: Sandbox Warehouse
role: warehouse
versions: ["004010"]
sets: ["945", "944", "947", "846", "997", "824"]
acknowledge: {form: 997, detail: every, ta1: requested}
identities: {us: {qualifier: ZZ, id: SANDBOXOWNER}, them: {qualifier: ZZ, id: SANDBOX3PL}}
envelope: {version: "00401", line_end: "\\n", substitute: " "}
deadlines: {acknowledgement: 10m, sets: {"997": 10m, "945": 1h}}
product_ids: {buyer: [SK], seller: [VN], gtin: [UP], out: {VN: sku}}
inventory: {qualifiers: {"17": on_hand}, scope: full}
warehouse: {damaged_included: false, sign: 1, change: R, cancel: F}
time_zone: UTC
tables:
  movement_reason: {inward: {"05": damaged, "06": count, AA: correction}}
  receipt_condition: {inward: {"01": damaged}}
"""

SUPPLIER: Final = """\
name: Sandbox Supplier
role: supplier
versions: ["004010"]
sets: ["855", "865", "856", "810", "997", "824"]
acknowledge: {form: 997, detail: every, ta1: requested}
identities: {us: {qualifier: ZZ, id: SANDBOXBUYER}, them: {qualifier: "01", id: "000000017"}}
envelope: {version: "00401", line_end: "\\n", substitute: " "}
deadlines: {acknowledgement: 10m, sets: {"997": 10m, "855": 10m}}
product_ids: {buyer: [BP], seller: [VN], gtin: [UP], out: {BP: sku}}
inventory: {qualifiers: {"33": available}, scope: full}
currency: USD
"""
