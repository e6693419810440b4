"""The catalogue as a list, and names that mean the same at every channel, on both engines."""

from __future__ import annotations

from hub.ports.store import ReadSet, SkuRow, State, WriteSet
from tests.support.stores import Bench


async def test_the_catalogue_is_listed_whole_by_sku(bench: Bench) -> None:
    """Page by page, in order, each article once with its aliases and parts."""
    rows = [SkuRow(f"S{at:02}", gtin=f"{at:013}", aliases=(("shop", f"a{at}"),)) for at in range(7)]
    rows.append(SkuRow("KIT", components=(("S01", 2), ("S02", 1))))
    await bench.store.replace_catalogue(rows, "v1")
    found: list[SkuRow] = []
    cursor: str | None = None
    while True:
        page, cursor = await bench.queries.skus(limit=3, cursor=cursor)
        assert len(page) <= 3
        found += page
        if cursor is None:
            break
    assert found == sorted(rows, key=lambda row: row.sku)


async def test_a_name_of_everybody_finds_its_article(bench: Bench) -> None:
    """An alias of no account is looked up as such, and is nobody's channel SKU."""
    await bench.store.replace_catalogue([SkuRow("MUG", aliases=(("", "gtin:12345678905"),))], "v1")
    seen: list[State] = []

    def look(state: State) -> WriteSet:
        seen.append(state)
        return WriteSet()

    await bench.store.run(ReadSet(skus={("", "gtin:12345678905"), ("shop", "gtin:12345678905")}), look)
    assert seen[-1].resolved == {("", "gtin:12345678905"): "MUG"}
