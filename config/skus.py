"""The catalogue file: CSV or JSON lines, read as a stream, with every fault named by its line.

Columns: `sku, gtin, title, brand, tags, packs, components, aliases`, only `sku` being required.
`tags` is `mug;gift`, `packs` `CA:12;PL:480` (eaches per unit), `components` (a kit) `MUG:2;BOX:1`,
`aliases` `walmart-us:WM-MUG;acme:00123`. JSON lines take the same texts, or lists and objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from config.faults import ConfigurationInvalid, Fault
from config.sku_rows import RowFault, rows

FAULTS_MAX: Final = 100
"""Enough to see what is wrong with a file; a wrong delimiter would otherwise name every line."""
_GTIN_LENGTHS: Final = (8, 12, 13, 14)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One SKU. `packs` are eaches per unit, `components` (SKU, units per kit), `aliases` (account, channel SKU)."""

    sku: str
    gtin: str | None = None
    title: str | None = None
    brand: str | None = None
    tags: tuple[str, ...] = ()
    packs: Mapping[str, int] = field(default_factory=dict)
    components: tuple[tuple[str, int], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()


def read_skus(path: Path, shown: str | None = None) -> Iterator[CatalogueEntry]:
    """Entries in the order of the file, at constant cost per entry.

    What only the whole file can tell (an unknown component) is known at its end, so a caller keeps
    nothing of a file whose reading raised.

    Args:
        path: CSV, or JSON lines when it ends in .jsonl, .ndjson or .json.
        shown: The file's name in messages; the path when absent.

    Raises:
        ConfigurationInvalid: After the last entry, with the faults found (at most 100 and a count).
    """
    catalogue = _Catalogue(shown or str(path))
    for line, row in rows(path):
        if isinstance(row, RowFault):
            catalogue.fault(line, "", row)
        elif (entry := catalogue.entry(line, row)) is not None:
            yield entry
    catalogue.finish()


def skus_digest(path: Path) -> str:
    """SHA-256 of the file's bytes: the same catalogue is loaded once."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class _Catalogue:
    """What must be remembered across lines."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._faults: list[Fault] = []
        self._unnamed = 0
        self._line_of: dict[str, int] = {}
        self._alias_of: dict[tuple[str, str], str] = {}
        self._kits: dict[str, tuple[int, tuple[str, ...]]] = {}

    def fault(self, line: int, column: str, what: RowFault) -> None:
        if len(self._faults) < FAULTS_MAX:
            self._faults.append(Fault(self._shown, line, column, what.problem, what.remedy))
        else:
            self._unnamed += 1

    def entry(self, line: int, row: Mapping[str, Any]) -> CatalogueEntry | None:
        values: dict[str, Any] = {}
        for column, cell in row.items():
            try:
                values[column] = _READERS[column](cell)
            except RowFault as what:
                self.fault(line, column, what)
        sku = values.get("sku")
        if sku is None:
            if "sku" in values or "sku" not in row:
                self.fault(line, "sku", RowFault("is missing", "every line needs a SKU"))
            return None
        entry = CatalogueEntry(**{name: value for name, value in values.items() if value is not None})
        return entry if self._fits(line, entry) else None

    def _fits(self, line: int, entry: CatalogueEntry) -> bool:
        first = self._line_of.setdefault(entry.sku, line)
        if first != line:
            self.fault(line, "sku", RowFault(f"{entry.sku!r} stands in line {first} already", "keep one line"))
            return False
        for alias in entry.aliases:
            owner = self._alias_of.setdefault(alias, entry.sku)
            if owner != entry.sku:
                what = RowFault(f"{alias[0]}:{alias[1]} is an alias of {owner!r} already", "keep it on one SKU")
                self.fault(line, "aliases", what)
        if entry.components:
            self._kits[entry.sku] = (line, tuple(sku for sku, _ in entry.components))
        return True

    def finish(self) -> None:
        for kit, (line, components) in self._kits.items():
            for sku in components:
                if sku == kit:
                    self.fault(line, "components", RowFault(f"{kit!r} contains itself", "remove it"))
                elif sku not in self._line_of:
                    what = RowFault(f"{sku!r} is no SKU of this file", "add a line for it, or correct it")
                    self.fault(line, "components", what)
                elif sku in self._kits:
                    what = RowFault(f"{sku!r} is a kit itself", "list the units it is made of")
                    self.fault(line, "components", what)
        if self._unnamed:
            self._faults.append(Fault(self._shown, 0, "", f"has {self._unnamed} more faults", "mend these first"))
        if self._faults:
            raise ConfigurationInvalid(self._faults)


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise RowFault("is no text", "put it in quotes, so that leading zeros stay")
    text = cell.strip()
    if not text.isprintable():
        raise RowFault("has unprintable characters", "remove them")
    return text or None


def _gtin(cell: Any) -> str | None:
    text = _text(cell)
    if text is not None and not (text.isascii() and text.isdigit() and len(text) in _GTIN_LENGTHS):
        raise RowFault("is no GTIN", "write 8, 12, 13 or 14 digits; a spreadsheet may have cut or rounded them")
    return text


def _parts(cell: Any) -> list[str]:
    """The pieces of a `;` list, or of a JSON list."""
    if isinstance(cell, list):
        return [text for item in cell if (text := _text(item))]
    return [piece.strip() for piece in (_text(cell) or "").split(";") if piece.strip()]


def _tags(cell: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_parts(cell)))


def _count(text: Any, name: str) -> int:
    digits = str(text).strip() if isinstance(text, int | str) and not isinstance(text, bool) else ""
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) <= 9 and int(digits) > 0):
        raise RowFault(f"{name!r} has no whole number of units", "write NAME:2;OTHER:1")
    return int(digits)


def _counts(cell: Any) -> dict[str, int]:
    """`NAME:12;OTHER:480`; the last colon separates, because a SKU may hold one."""
    if isinstance(cell, dict):
        pairs = [(str(name), count) for name, count in cell.items()]
    else:
        pairs = [(name, count) for name, _, count in (part.rpartition(":") for part in _parts(cell))]
    found: dict[str, int] = {}
    for name, count in ((name.strip(), count) for name, count in pairs):
        if not name:
            raise RowFault("has a part without a name or a number", "write NAME:2;OTHER:1")
        if name in found:
            raise RowFault(f"{name!r} is listed twice", "keep one of them")
        found[name] = _count(count, name)
    return found


def _components(cell: Any) -> tuple[tuple[str, int], ...]:
    return tuple(_counts(cell).items())


def _aliases(cell: Any) -> tuple[tuple[str, str], ...]:
    """`account:SKU;account:SKU`; the first colon separates, because a channel's SKU may hold one."""
    if isinstance(cell, dict):
        pairs = [
            (account, sku) for account, skus in cell.items() for sku in (skus if isinstance(skus, list) else [skus])
        ]
        found = [(account, _text(sku) or "") for account, sku in pairs]
    else:
        found = [(account, sku) for account, _, sku in (part.partition(":") for part in _parts(cell))]
    aliases = tuple(dict.fromkeys((account.strip(), sku.strip()) for account, sku in found))
    if not all(account and sku for account, sku in aliases):
        raise RowFault("has a part that is not account:SKU", "write walmart-us:WM-MUG;acme:00123")
    return aliases


_READERS: Final = {
    "sku": _text, "gtin": _gtin, "title": _text, "brand": _text, "tags": _tags, "packs": _counts,
    "components": _components, "aliases": _aliases,
}  # fmt: skip
