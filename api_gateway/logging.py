"""The one interpreter of events: each becomes one log line.

A line is a JSON object with `time` (RFC 3339, UTC), `level`, `service` and `event`, then the event's own fields, those
that are None left out. Where a terminal reads along, `BANYAN_LOG_FORMAT=console` prints the same for people.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict
from typing import Any, Literal, TextIO, assert_never

import structlog

from api_gateway import events
from api_gateway.events import Event

Level = Literal["debug", "info", "warning", "error"]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def configure(service: str, *, form: Literal["json", "console"], level: Level, stream: TextIO | None = None) -> None:
    """Set how this process logs: once, at its start. `service` stands in every line. Default stream: standard error."""
    stream = stream if stream is not None else sys.stderr
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time" if form == "json" else "timestamp"),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    _quiet_libraries()


def report(event: Event) -> None:
    """Log an event. Before `configure`, as on the command line, nothing is written: a command speaks for itself.

    Never raises: a full disk behind the log must not fail a request.
    """
    if not structlog.is_configured():
        return
    fields = {name: value for name, value in asdict(event).items() if value is not None}
    emit = {"debug": _log.debug, "info": _log.info, "warning": _log.warning, "error": _log.error}[level_of(event)]
    try:
        emit(_name(event), **{_RENAMED.get(name, name): _plain(value) for name, value in fields.items()})
    except (OSError, ValueError):
        return


def level_of(event: Event) -> Level:
    """How loud an event is."""
    match event:
        case events.RequestAnswered():
            return "warning" if event.status >= 500 else "info"
        case events.RequestDeclined():
            return "warning" if event.failed else "info"
        case events.ComparisonRecorded():
            return "warning" if event.verdict == "mismatch" else "debug"
        case events.ConsoleSignedIn():
            return "info" if event.accepted else "warning"
        case events.JobFinished():
            return "warning" if event.outcome in ("failed", "refused") else "info"
        case (
            events.ProcessStarted()
            | events.ProcessStopped()
            | events.StageMoved()
            | events.StagesTaken()
            | events.DatabaseBack()
            | events.BackInService()
            | events.EdgeTableWritten()
            | events.ConsumerChanged()
        ):
            return "info"
        case (
            events.ChildEnded()
            | events.TaskFailed()
            | events.ExchangeSkipped()
            | events.RequestTooExpensive()
            | events.SchemaNotSeen()
            | events.WriteReverted()
            | events.JobTakenUp()
        ):
            return "warning"
        case (
            events.RequestFailed()
            | events.StagesRefused()
            | events.StagesNotKept()
            | events.DatabaseLost()
            | events.TakenOut()
            | events.EdgeTableRefused()
        ):
            return "error"
        case _:
            assert_never(event)


_RENAMED = {"event": "what"}  # the name of structlog's own field


def _name(event: Event) -> str:
    """RequestAnswered -> request answered: what a person searches for."""
    name = type(event).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _plain(value: Any) -> Any:
    """Control characters of partner-controlled text are escaped, so that a line stays a line on any terminal."""
    if isinstance(value, str) and not value.isprintable():
        return value.encode("unicode_escape").decode("ascii")
    return round(value, 3) if isinstance(value, float) else value


def _quiet_libraries() -> None:
    """What libraries say by themselves may hold tokens and PostgreSQL's text: only that, and where, is told."""
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(logging.WARNING)


class _LibraryHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        _log.warning("library warning", library=record.name, place=f"{record.module}:{record.lineno}", error=error)
