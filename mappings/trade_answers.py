"""Functions for acknowledgements: what a 997 or a 999 says about our sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mappings.trade import element, objects

_DIGITS_MAX: Final = 9


def set_errors(loops: Any = None) -> list[dict[str, Any]]:
    """Errors an acknowledgement names: one per element (AK4, IK4), or the segment's own (AK3, IK3) without any."""
    found: list[dict[str, Any]] = []
    for loop in objects(loops):
        head = loop.get("AK3") or loop.get("IK3")
        place = {"segment": element(head, "01"), "position": _number(element(head, "02"))}
        elements = objects(loop.get("AK4")) + [
            one for each in objects(loop.get("IK4_loop")) for one in objects(each.get("IK4"))
        ]
        found += [
            {**place, "element": _joined(each.get("01")), "code": element(each, "03"), "value": element(each, "04")}
            for each in elements
        ]
        if not elements:
            found.append({**place, "code": element(head, "04")})
    return [{name: value for name, value in each.items() if value not in (None, "")} for each in found]


def set_codes(loops: Any = None) -> dict[str, str] | None:
    """Why sets were refused (AK502 to 06, IK502 to 06), by control number."""
    found: dict[str, str] = {}
    for loop in objects(loops):
        said = loop.get("AK5") or loop.get("IK5")
        codes = [code for at in range(2, 7) if (code := element(said, f"{at:02d}"))]
        control = element(loop.get("AK2"), "02")
        if codes and control:
            found[control] = ",".join(codes)
    return found or None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None


def _joined(position: Any) -> str:
    """An element's position with its component: `4`, `4:2`."""
    if position.__class__ is not dict:
        return position.strip() if position.__class__ is str else ""
    return ":".join(each for at in ("01", "02", "03") if (each := element(position, at)))


ANSWER_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {"set_errors": set_errors, "set_codes": set_codes}
)
"""By the name after `$`."""
