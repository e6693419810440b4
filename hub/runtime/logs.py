"""Log lines: one per state change, JSON or for people, and only fields known to be harmless.

Fields are allowed by name, not forbidden by name: what nobody has thought of stays out. Bodies,
addresses, tokens and names of people have no field to travel in.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

ALLOWED_FIELDS = frozenset(
    {
        # what and when
        "event", "level", "logger", "timestamp", "ts", "duration_s", "elapsed_s", "seconds", "wait_s", "hours", "age_s",
        # where it belongs
        "account", "connector", "direction", "kind", "topic", "stream", "lane", "origin", "role", "name", "loop", "job",
        "version", "mode", "state", "circuit", "actor", "target", "key", "path", "file", "line", "mapping", "driver",
        # which thing: ids and SKUs, never a person
        "seq", "order", "order_id", "source_id", "sku", "location", "listing", "effect_id", "receipt", "correlation_id",
        "reference", "failure_id", "event_id", "input_seq", "batch",
        # a parcel by our id, whose move it is and how far it is; its number leads to a person
        "parcel", "carrier", "milestone", "condition", "orphan",
        # how it went
        "outcome", "error", "code", "status", "reason", "reasons", "attempt", "attempts", "exception", "change",
        "finished", "dry_run", "healthy", "ready", "revision", "repeated", "sent", "full", "control",
        # how much
        "items", "inputs", "envelopes", "pages", "count", "accepted", "pending", "again", "rejected", "stale", "units",
        "calls", "parcels", "answers", "left", "levels", "orders", "requests", "compared", "seen", "missed", "applied",
        "unchanged", "failed", "duplicates", "payloads_count", "sets", "size", "personal_count",
        "attempts_count", "tables", "rows", "bytes", "limit", "lag_s", "released", "running",
        # this process: where it listens, which lease of the database it holds
        "listen", "url", "pid", "dropped", "fence", "fences", "fence_now",
    }
)  # fmt: skip

# Messages of our own errors are written without payload values; others' may quote a payload.
_OURS = ("hub.", "connectors.", "canonical.", "mappings.", "config.")
_TEXT_MAX = 500

Event = MutableMapping[str, Any]


def allow_fields(_logger: object, _method: str, event: Event) -> Event:
    """Drop every field that is not known, and name those dropped so that the gap is seen."""
    unknown = sorted(name for name in event if name not in ALLOWED_FIELDS)
    for name in unknown:
        del event[name]
    if unknown:
        event["dropped"] = unknown
    return event


def bound_text(_logger: object, _method: str, event: Event) -> Event:
    """Long texts are cut: a log line is no place for a document."""
    for name, value in event.items():
        if isinstance(value, str) and len(value) > _TEXT_MAX and name != "exception":
            event[name] = value[:_TEXT_MAX] + "…"
    return event


def plain_exception(_logger: object, _method: str, event: Event) -> Event:
    """The exception as class and places. Its message only where it is one of ours; never locals."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    if isinstance(info, BaseException):
        error: BaseException | None = info
    elif isinstance(info, tuple):
        error = info[1]
    else:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> str:
    """`Class: message | file:line function < …`, innermost place first."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    told = f": {error}"[:_TEXT_MAX] if name.startswith(_OURS) else ""
    return f"{name}{told} | {_places(error.__traceback__)}"


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames[-8:]))


def _short(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").rsplit("/", 3)[1:])


class _Unfailing:
    """Where lines go. A full disk or a closed pipe or stream loses lines; it must not end the work they tell of."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.flush()


def configure(*, json_lines: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging for the process; call once, before anything logs.

    Args:
        json_lines: One JSON object per line; otherwise aligned text for a terminal.
        level: debug, info, warning or error; critical keeps our own events quiet.
        stream: Where lines go; standard error unless given.

    Raises:
        ValueError: No such level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"no log level is called {level!r}; known: debug, info, warning, error")
    out = stream or sys.stderr
    renderer = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=out.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            plain_exception,
            allow_fields,
            bound_text,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unfailing(out))),
        cache_logger_on_first_use=False,
    )
    # Libraries speak only when something is wrong, and through the same stream.
    logging.basicConfig(
        stream=out, level=min(max(number, logging.WARNING), logging.ERROR), format="%(levelname)s %(name)s %(message)s"
    )
    # It quotes whole request lines of whoever knocks. Faults of ours are logged at the request's boundary.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL + 1)
    # A duty that is still at work when its turn comes again is skipped by design, and that is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
