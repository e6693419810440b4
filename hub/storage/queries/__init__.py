"""The read side for operators: every ordinary query, in SQLAlchemy Core, the same on both engines."""

from __future__ import annotations

from hub.storage.queries.journal import JournalQueries
from hub.storage.queries.late import LateQueries
from hub.storage.queries.orders import OrderQueries
from hub.storage.queries.parcels import ParcelQueries
from hub.storage.queries.status import StatusQueries
from hub.storage.queries.stock import StockQueries
from hub.storage.queries.trading import TradingQueries


class SqlQueries(OrderQueries, StockQueries, TradingQueries, StatusQueries, JournalQueries, ParcelQueries, LateQueries):
    """All of `hub.ports.queries.Queries`. Every method reads one snapshot of its own."""
