"""One event, one line: what stands in it, and what never does."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from api_gateway import events
from api_gateway.logging import configure, level_of, report, unconfigure


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure("app", form="json", level="debug", stream=stream)
    yield stream
    unconfigure()
    root.handlers, root.level = handlers, level


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def an_event(kind: type[Any]) -> events.Event:
    samples = {"str": "x", "int": 1, "float": 1.5, "bool": True, "str | None": None, "int | None": None}
    samples |= {"float | None": None}
    event: events.Event = kind(**{field.name: samples[str(field.type)] for field in dataclasses.fields(kind)})
    return event


def test_an_answered_request_is_one_line_with_its_context(lines: io.StringIO) -> None:
    report(events.RequestAnswered("r-1", "GET", "/partner/orders", 200, 3.14159, "orders.list", "acme", "live"))
    (line,) = read(lines)
    assert line.pop("time").endswith("Z")
    assert line == {
        "service": "app",
        "level": "info",
        "event": "request answered",
        "request_id": "r-1",
        "method": "GET",
        "path": "/partner/orders",
        "status": 200,
        "duration_ms": 3.142,
        "route": "orders.list",
        "consumer": "acme",
        "stage": "live",
    }


@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda kind: kind.__name__)
def test_every_event_becomes_one_line_with_its_fields(kind: type[Any], lines: io.StringIO) -> None:
    event = an_event(kind)
    report(event)
    (line,) = read(lines)
    assert line["level"] == level_of(event)
    set_fields = {name for name, value in dataclasses.asdict(event).items() if value is not None}
    assert set_fields <= set(line)


def test_an_answer_that_failed_is_a_warning(lines: io.StringIO) -> None:
    report(events.RequestAnswered("r-1", "GET", "/", 503, 1.0, code="database-away"))
    assert [(line["level"], line["code"]) for line in read(lines)] == [("warning", "database-away")]


def test_text_of_others_cannot_break_the_line_or_move_the_cursor(lines: io.StringIO) -> None:
    report(events.StagesRefused(1, "evil\n\x1b[2Jline"))
    (line,) = read(lines)
    assert line["error"] == "evil\\n\\x1b[2Jline"


def test_what_a_library_says_is_told_only_as_that_it_spoke(lines: io.StringIO) -> None:
    logging.getLogger("psycopg.pool").warning("password of %s is hunter2", "acme")
    (line,) = read(lines)
    assert line["library"] == "psycopg.pool"
    assert "hunter2" not in lines.getvalue()


def test_a_full_disk_behind_the_log_does_not_fail_the_program() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure("app", form="json", level="info", stream=Full())
    try:
        report(events.ProcessStarted("app"))
    finally:
        unconfigure()
        root.handlers, root.level = handlers, level


def test_a_command_that_did_not_configure_logging_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    report(events.ConsumerChanged("acme", "added"))
    assert capfd.readouterr() == ("", "")
