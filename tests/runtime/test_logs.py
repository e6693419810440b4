"""Log lines carry only fields that are known to be harmless, and every field in use is known."""

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from connectors.sdk.errors import Transient
from hub.runtime import logs

ROOT = Path(logs.__file__).resolve().parents[2]
METHODS = {"debug", "info", "warning", "error", "critical", "exception"}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    out = io.StringIO()
    logs.configure(json_lines=True, level="debug", stream=out)
    yield out
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_unknown_field_is_dropped_and_named(stream: io.StringIO) -> None:
    """What nobody has thought of stays out of the log, and the gap is seen."""
    structlog.get_logger().info("order.applied", account="shop", email="ada@example.com", body={"name": "Ada"})
    (line,) = lines(stream)
    assert line["dropped"] == ["body", "email"]
    assert "Ada" not in stream.getvalue()
    assert "ada@example.com" not in stream.getvalue()
    assert (line["event"], line["account"], line["level"]) == ("order.applied", "shop", "info")


def test_a_foreign_exception_shows_its_class_and_place_only(stream: io.StringIO) -> None:
    """Messages of other people's code may quote a payload; locals always may."""
    try:
        secret = "ada@example.com"
        int(secret)
    except ValueError as error:
        structlog.get_logger().error("loop.died", exc_info=error)
    (line,) = lines(stream)
    assert "ValueError" in str(line["exception"])
    assert "test_logs.py" in str(line["exception"])
    assert "ada@example.com" not in stream.getvalue()


def test_our_own_errors_keep_their_sentence(stream: io.StringIO) -> None:
    """They are written for the operator, without values of a payload."""
    structlog.get_logger().error("job.failed", exc_info=Transient("connection refused by the vendor"))
    assert "connection refused by the vendor" in str(lines(stream)[0]["exception"])


def test_long_texts_are_cut(stream: io.StringIO) -> None:
    """A log line is no place for a document."""
    structlog.get_logger().info("x.happened", reason="a" * 5_000)
    assert len(str(lines(stream)[0]["reason"])) < 600


def test_lines_for_people_are_no_json() -> None:
    """The other format is readable on a terminal and filtered in the same way."""
    out = io.StringIO()
    logs.configure(json_lines=False, stream=out)
    try:
        structlog.get_logger().info("hub.started", url="http://127.0.0.1:8700", token="t0ps3cret")
    finally:
        structlog.reset_defaults()
    assert "hub.started" in out.getvalue()
    assert "t0ps3cret" not in out.getvalue()


def test_a_level_that_is_none_is_refused() -> None:
    """The error lists the levels there are."""
    with pytest.raises(ValueError, match="known: debug, info, warning, error"):
        logs.configure(json_lines=True, level="loud")


def calls() -> Iterator[tuple[str, str, list[str]]]:
    """Every call of a module logger of the hub: place, event, fields."""
    for path in sorted((ROOT / "hub").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
                continue
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("_log", "log", "logger"):
                event = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
                fields = [keyword.arg for keyword in node.keywords if keyword.arg]
                yield f"{path.relative_to(ROOT)}:{node.lineno}", str(event), fields


def test_every_field_in_use_is_allowed() -> None:
    """A field that would be dropped is found here and not in production."""
    found = list(calls())
    assert len(found) > 20, "the scan sees the hub's log calls"
    unknown = [
        (place, field) for place, _, fields in found for field in fields
        if field not in logs.ALLOWED_FIELDS and field != "exc_info"
    ]  # fmt: skip
    assert unknown == [], "harmless fields are added to ALLOWED_FIELDS; others are not logged"


def test_events_are_named_noun_and_past_verb() -> None:
    """`noun.past_verb`, so that lines can be grouped and found."""
    odd = [(place, event) for place, event, _ in calls() if event and not _well_named(event)]
    assert odd == []


def _well_named(event: str) -> bool:
    noun, dot, verb = event.partition(".")
    return bool(dot and noun and verb) and event == event.lower() and " " not in event


def test_a_closed_stream_ends_no_work() -> None:
    """Whoever read the lines is gone: they are lost, and the thread that wrote them goes on."""
    out = io.StringIO()
    before = structlog.get_config()
    try:
        logs.configure(json_lines=True, stream=out)
        out.close()
        structlog.get_logger("hub.test").warning("store.checkpoint_failed", error="x")
    finally:
        structlog.configure(**before)
