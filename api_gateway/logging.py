"""The one interpreter of events: each becomes one log line.

A line is a JSON object with `time` (RFC 3339, UTC), `level`, `service` and `event`, then the event's own fields, those
that are None left out. Where a terminal reads along, `BANYAN_LOG_FORMAT=console` prints the same for people.

Lines about requests that went well are written together, a twentieth of a second later; anything else is written at
once, behind what was waiting. A process that is killed loses those few; one that ends does not.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, TextIO, assert_never, get_args

import orjson
from structlog.dev import ConsoleRenderer

from api_gateway import events
from api_gateway.events import Event

Level = Literal["debug", "info", "warning", "error"]

_WAITS, _MOST_WAITING = 0.05, 1000  # seconds, lines
_LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class _Log:
    """Where lines go, and how they are written. `silent`: levels that are not; `waiting`: lines to come."""

    service: str
    silent: tuple[Level, ...]
    written: Callable[[dict[str, Any]], str]
    stream: TextIO
    waiting: list[str] = field(default_factory=list)

    def write(self, level: Level, name: str, told: Mapping[str, Any], *, soon: bool = False) -> None:
        """`soon`: with the next ones, where an event loop runs that will see to it."""
        if level in self.silent:
            return
        line = {"time": datetime.now(UTC), "level": level, "service": self.service, "event": name, **told}
        try:
            self.waiting.append(self.written(line))
        except (TypeError, ValueError):
            return
        if not soon or not self._later():
            self.flush()

    def flush(self) -> None:
        lines = list(self.waiting)
        del self.waiting[: len(lines)]
        try:
            self.stream.write("".join([f"{line}\n" for line in lines]))
            self.stream.flush()
        except (OSError, ValueError):
            return

    def _later(self) -> bool:
        if len(self.waiting) > 1:
            return len(self.waiting) < _MOST_WAITING  # the first of them has seen to it
        try:
            asyncio.get_running_loop().call_later(_WAITS, self.flush)
        except RuntimeError:
            return False
        return True


_log: _Log | None = None


def configure(service: str, *, form: Literal["json", "console"], level: Level, stream: TextIO | None = None) -> None:
    """Set how this process logs: once, at its start. `service` stands in every line. Default stream: standard error."""
    global _log
    stream = stream if stream is not None else sys.stderr
    written = _as_json if form == "json" else _for_people(colors=stream.isatty())
    unconfigure()
    _log = _Log(service, _LEVELS[: _LEVELS.index(level)], written, stream)
    _quiet_libraries()


def flush() -> None:
    """Write what waits to be written together."""
    if _log is not None:
        _log.flush()


atexit.register(flush)


def unconfigure() -> None:
    """Nothing is written any more, as before `configure`."""
    global _log
    flush()
    _log = None


def report(event: Event) -> None:
    """Log an event. Before `configure`, as on the command line, nothing is written: a command speaks for itself.

    Never raises: a full disk behind the log must not fail a request.
    """
    if _log is None:
        return
    name, words, values = _WORDS[type(event)]
    told: dict[str, Any] = {}
    for word, value in zip(words, values(event), strict=True):
        if value is None:
            continue
        kind = type(value)
        if kind is float:
            told[word] = round(value, 3)
        elif kind is int or not isinstance(value, str) or value.isprintable():
            told[word] = value
        else:
            told[word] = _escaped(value)
    level = level_of(event)
    _log.write(level, name, told, soon=level == "info" and isinstance(event, events.RequestAnswered))


def _as_json(line: dict[str, Any]) -> str:
    return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()


def _for_people(*, colors: bool) -> Callable[[dict[str, Any]], str]:
    render = ConsoleRenderer(colors=colors)

    def written(line: dict[str, Any]) -> str:
        at: datetime = line.pop("time")
        return render(None, "", {"timestamp": at.isoformat().replace("+00:00", "Z"), **line})

    return written


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
            | events.NoticeSent()
            | events.DatabaseBack()
            | events.BackInService()
            | events.EdgeTableWritten()
            | events.ConsumerChanged()
            | events.JobHandled()
            | events.AccountSignedIn()
            | events.AccountSignedOut()
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
            | events.AccountRefused()
            | events.RefreshTokenReused()
            | events.SessionsNotRead()
            | events.LegacyNotAsked()
            | events.IssuerNotReached()
        ):
            return "warning"
        case (
            events.RequestFailed()
            | events.RollbackHeldBack()
            | events.StagesRefused()
            | events.StagesNotKept()
            | events.DatabaseLost()
            | events.TakenOut()
            | events.EdgeTableRefused()
        ):
            return "error"
        case _:
            assert_never(event)


_RENAMED = {"event": "what"}  # what a line calls the event itself


def _words(kind: type[Any]) -> tuple[str, tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """RequestAnswered -> `request answered`, what a person looks for; how the line calls its fields; their values."""
    name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()
    own = [one.name for one in fields(kind)]
    get: Callable[[Any], Any] = attrgetter(*own) if own else lambda _: ()
    values = get if len(own) != 1 else lambda event: (get(event),)
    return name, tuple(_RENAMED.get(one, one) for one in own), values


_WORDS = {kind: _words(kind) for kind in get_args(Event)}


def _escaped(text: str) -> str:
    """Control characters of partner-controlled text are escaped, so that a line stays a line on any terminal."""
    return text.encode("unicode_escape").decode("ascii")


def _quiet_libraries() -> None:
    """What libraries say by themselves may hold tokens and PostgreSQL's text: only that, and where, is told."""
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(logging.WARNING)


class _LibraryHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if _log is None:
            return
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        told = {"library": record.name, "place": f"{record.module}:{record.lineno}", "error": error}
        _log.write("warning", "library warning", told)
