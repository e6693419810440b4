"""Looking at deals before they are decided: which articles they name cannot be known from the message alone."""

from __future__ import annotations

from hub.orders import content
from hub.orders import deal as deals
from hub.orders.articles import key_of
from hub.orders.deal import DEAL
from hub.ports.store import ReadSet, State, Store, WriteSet
from hub.services.partners.following import Partners


async def look_at_deals(store: Store, partners: Partners, reads: ReadSet) -> None:
    """Add to `reads` what partners' orders in it need: their deals, and the articles of orders and of changes to them.

    Reads only; costs nothing where nobody trades.
    """
    keys = {key for key in reads.orders if partners.concerns(key[0])}
    if not keys:
        return
    for key in keys:
        partners.reads(reads, key)
    bought = {key for key in keys if partners.trades(key[0])}
    if not bought:
        return
    seen: list[State] = []

    def look(state: State) -> WriteSet:
        seen.append(state)
        return WriteSet()

    await store.run(ReadSet(documents={(key[0], DEAL, key[1]) for key in bought}), look)
    for (account, _, _), row in seen[-1].documents.items():
        deal = deals.load(row.document)
        lines = content.lines_in(deal.order) if deal.order is not None else ()
        names = {name for line in lines for name in (line.sku, *line.others)} | deals_names(deal)
        reads.skus |= {key_of(account, name) for name in names if name}


def deals_names(deal: deals.Deal) -> set[str]:
    """Articles that changes of an order name."""
    return {
        name
        for amendment in deal.amendments
        for line in content.lines_in({"lines": [{**one, "quantity": 0} for one in amendment.lines]})
        for name in (line.sku, *line.others)
    }
