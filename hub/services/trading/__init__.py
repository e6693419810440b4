"""Trading by EDI: what partners' files do to the hub, and how documents become files."""

from hub.services.trading.desk import Trading
from hub.services.trading.queueing import INTERCHANGE, OUTGOING, outgoing

__all__ = ["INTERCHANGE", "OUTGOING", "Trading", "outgoing"]
