"""Duties towards trading partners: answers in time, what may be sold by each one's schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.ports.accounts import Mode
from hub.services import moments
from hub.services.apply import Apply
from hub.services.partners.deadlines import Deadlines
from hub.services.partners.stock_advice import StockAdvice
from hub.workers.channel import Channel, Tools
from hub.workers.timetable import Job

ANSWERS_S = 30.0
"""Deadlines are hours; the shortest margin in use is some minutes."""
ADVICE_S = 60.0


def partner_jobs(channels: Mapping[str, Channel], tools: Tools, apply: Apply) -> Iterator[Job]:
    """Jobs for the timetable; none where no partner trades."""
    trading = {name: channel for name, channel in channels.items() if channel.plan.partner is not None}
    if not trading:
        return
    plans = {name: channel.plan for name, channel in channels.items()}
    yield _deadlines(Deadlines(plans, tools.store, tools.queries, apply), tools)
    for channel in trading.values():
        advice = StockAdvice(channel.plan, tools.store, tools.queries, tools.clock)
        if advice.wanted():
            yield _advice(channel, advice, tools)


def _deadlines(deadlines: Deadlines, tools: Tools) -> Job:
    async def look() -> None:
        outcome = await deadlines.look(moments.now(tools.clock))
        if outcome.applied:
            tools.wakes.received()
        if outcome.dirty:
            tools.wakes.dirtied()

    return Job("partners.answers", ANSWERS_S, look, first_s=ANSWERS_S)


def _advice(channel: Channel, advice: StockAdvice, tools: Tools) -> Job:
    account = channel.plan.account

    async def tell() -> None:
        if tools.accounts.mode(account) is Mode.LIVE and await channel.duty.held() and await advice.tell_due():
            tools.wakes.received()

    return Job(f"advice:{account}", ADVICE_S, tell, first_s=5.0)
