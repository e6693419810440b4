"""What a bench says: our figure, what it is measured against, the ratio, the target, met or missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one value: `Target(">=", 0.60)`."""

    sign: str
    bound: float
    unit: str = "x"

    def met_by(self, value: float) -> bool:
        return value >= self.bound if self.sign == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {number(self.bound)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Side:
    """Repetitions of one measured thing; the median speaks for them."""

    name: str
    values: tuple[float, ...]
    unit: str

    @property
    def value(self) -> float:
        return median(self.values)

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}"

    def spread(self) -> str:
        return f"{number(min(self.values))}…{number(max(self.values))}" if len(self.values) > 1 else ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a bench's table.

    `judged` is what the target is about: the ratio where there is a floor or a peer, else our own
    value. None where the target could not be judged in this run; `note` then says why.
    """

    name: str
    ours: Side | None
    against: Side | None = None
    target: Target | None = None
    ratio: float | None = None
    note: str = ""

    @property
    def judged(self) -> float | None:
        if self.against is not None:
            return self.ratio
        return None if self.ours is None else self.ours.value

    @property
    def met(self) -> bool | None:
        if self.target is None or self.judged is None:
            return None
        return self.target.met_by(self.judged)

    def verdict(self) -> str:
        if self.ours is None:
            return "NOT RUN"
        return {None: "", True: "met", False: "MISSED"}[self.met]


def compared(name: str, ours: Side, against: Side, target: Target | None, note: str = "") -> Figure:
    """Ours over the other side; the ratio is the median over repetitions measured next to each other."""
    pairs = list(zip(ours.values, against.values, strict=False))
    ratio = median(mine / other for mine, other in pairs) if all(other for _, other in pairs) else None
    return Figure(name, ours, against, target, ratio, note)


def not_run(name: str, why: str, target: Target | None = None) -> Figure:
    return Figure(name, None, None, target, None, why)


@dataclass(slots=True)
class Report:
    """All figures of one bench."""

    bench: str
    about: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        rows = [asdict(figure) | {"judged": figure.judged, "met": figure.met} for figure in self.figures]
        for row, figure in zip(rows, self.figures, strict=True):
            row["ours_median"] = None if figure.ours is None else figure.ours.value
            row["against_median"] = None if figure.against is None else figure.against.value
        return {"bench": self.bench, "about": self.about, "figures": rows, "notes": self.notes}

    def as_text(self) -> str:
        header = ("", "ours", "", "floor or peer", "", "ratio", "target", "")
        rows = [_cells(figure) for figure in self.figures]
        lines = [f"== {self.bench}: {self.about}", *_aligned([header, *rows])]
        lines += [f"   {figure.name}: {figure.note}" for figure in self.figures if figure.note]
        lines += [f"   {note}" for note in self.notes]
        return "\n".join(lines)


def number(value: float) -> str:
    """Three significant digits or whole numbers, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _cells(figure: Figure) -> tuple[str, ...]:
    ours, against = figure.ours, figure.against
    return (
        figure.name,
        str(ours) if ours else "–",
        ours.spread() if ours else "",
        f"{against.name}: {against}" if against else "",
        against.spread() if against else "",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        str(figure.target) if figure.target else "",
        figure.verdict(),
    )


def _aligned(rows: Sequence[Iterable[str]]) -> list[str]:
    table = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    ]
