"""One line of an access log, read: common and combined format (Apache, nginx), Envoy's text, JSON of Envoy and others.

There is a library for Apache's formats, apachelogs: exact, and 17,000 lines a second, where a year of logs has tens of
millions. Here one regular expression finds what an inventory needs, at more than ten times that.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from api_gateway.inventory.calls import Call

NO_LINE, NO_REQUEST, NO_TIME = "no line of a known format", "no HTTP request in it", "no time in it"

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# host identity user [time] "request" status …; a virtual host may stand before it, and a user may hold blanks
_COMMON = re.compile(rf"(\S+) \S+ (\S+) \[([^\]]{{1,40}})\] {_QUOTED} (\d{{3}})\b")
_COMMON_ODD = re.compile(
    rf"(?:\S+:\d+ )?([^\s,]+)(?:, ?[^\s,]+)* \S+ (.{{0,200}}?) \[([^\]]{{1,40}})\] {_QUOTED} (\d{{3}})\b"
)
_ENVOY = re.compile(
    rf'\[([^\]]{{1,40}})\] {_QUOTED} (\d{{1,3}}) \S+ (?:[^\s"]+ [^\s"]+ "[^"]*" )?\d+ \d+ \d+ [^\s"]+ "([^",]*)'
)
_METHOD = re.compile(r"[A-Z][A-Z_-]{0,19}")
_KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLF_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.\d+)? ([+-])(\d\d)(\d\d)")
_ESCAPED = re.compile(r'\\(?:x([0-9a-fA-F]{2})|(["\\]))')
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}

_NAMES = {  # of JSON logs, the first that is there
    "method": ("method", ":method", "request_method", "RequestMethod"),
    "target": ("path", "x-envoy-original-path", ":path", "request_uri", "uri", "RequestPath"),
    "status": ("status", "response_code", "DownstreamStatus", "OriginStatus"),
    "at": ("at", "start_time", "time", "time_local", "time_iso8601", "timestamp", "@timestamp", "ts", "StartUTC"),
    "address": ("peer", "downstream_remote_address", "x_forwarded_for", "remote_addr", "client_ip", "ClientHost"),
    "user": ("user", "remote_user", "ClientUsername"),
}


class Unreadable(Exception):
    """The line tells no call; the argument says why."""


class LineReader:
    """Reads lines of one source; remembers the minute of the last one, since most lines share it."""

    def __init__(self) -> None:
        self._minutes: dict[str, float] = {}

    def read(self, line: str) -> Call:
        """`line`: as latin-1, so that every byte is one letter. Raises Unreadable."""
        found = _COMMON.match(line)
        if found is None:
            if line.startswith("{"):
                return self._object(line)
            if line.startswith("[") and (envoy := _ENVOY.match(line)):
                when, request, status, address = envoy.groups()
                return self._call(request, int(status), when, _without_port(address), "")
            found = _COMMON_ODD.match(line)
            if found is None:
                raise Unreadable(NO_LINE)
        address, user, when, request, code = found.groups()
        return self._call(request, int(code), when, address, "" if user == "-" else user.strip('"'))

    def _call(self, request: str, status: int, when: str, address: str, user: str) -> Call:
        if "\\" in request:
            request = _ESCAPED.sub(lambda e: chr(int(e[1], 16)) if e[1] else e[2], request)
        method, target = _asked(request)
        return Call(method, target, status, self._moment(when), address, user)

    def _moment(self, text: str) -> float:
        """`10/Oct/2000:13:55:36 -0700`, or as RFC 3339."""
        minute = self._minutes.get(text[:17] + text[20:])
        if minute is not None:
            try:
                return minute + int(text[18:20])
            except ValueError:
                raise Unreadable(NO_TIME) from None
        found = _CLF_TIME.fullmatch(text)
        if found is None:
            return moment(text)
        day, month, year, hour, minutes, seconds, sign, off_hours, off_minutes = found.groups()
        try:
            offset = timedelta(hours=int(off_hours), minutes=int(off_minutes)) * (1 if sign == "+" else -1)
            zone = timezone(offset)
            begun = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minutes), tzinfo=zone)
        except (KeyError, ValueError):
            raise Unreadable(NO_TIME) from None
        if len(self._minutes) > 10_000:
            self._minutes.clear()
        start = begun.timestamp()
        self._minutes[text[:17] + text[20:]] = start
        return start + int(seconds)

    def _object(self, line: str) -> Call:
        try:
            document = orjson.loads(line.encode("latin-1"))
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            raise Unreadable(NO_LINE) from None
        given = {key: _first(document, names) for key, names in _NAMES.items()}
        method, target = given["method"], given["target"]
        if method is None and isinstance(document.get("request"), str):
            method, target = _asked(document["request"])
        if not isinstance(method, str) or not isinstance(target, str) or not _METHOD.fullmatch(method):
            raise Unreadable(NO_REQUEST)
        status, address = given["status"], str(given["address"] or "").partition(",")[0]
        return Call(
            method,
            target.encode("utf-8", "replace").decode("latin-1"),
            int(status) if str(status).isdigit() else 0,
            self._moment(given["at"]) if isinstance(given["at"], str) else moment(given["at"]),
            _without_port(address),
            "" if given["user"] in (None, "-") else str(given["user"]),
        )


def _asked(request: str) -> tuple[str, str]:
    """Method and target; a request of HTTP/0.9 has no version."""
    method, _, rest = request.partition(" ")
    target, separator, version = rest.rpartition(" ")
    if not separator or not version.startswith("HTTP/"):
        target = rest
    if not target or not (method in _KNOWN or _METHOD.fullmatch(method)) or not target.isprintable():
        raise Unreadable(NO_REQUEST)
    return method, target


def moment(given: Any) -> float:
    """Seconds since 1970 of what a log or an archive says: RFC 3339, or a number of seconds or milliseconds."""
    try:
        if isinstance(given, str) and not given.replace(".", "", 1).isdigit():
            read = datetime.fromisoformat(given)
            return read.timestamp() if read.tzinfo is not None else read.astimezone().timestamp()
        number = float(given)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Unreadable(NO_TIME) from None
    number = number / 1000 if number > 1e11 else number
    if not 0 <= number < 1e11:
        raise Unreadable(NO_TIME)
    return number


def _first(document: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((document[name] for name in names if document.get(name) is not None), None)


def _without_port(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.rpartition(":")
    return host if port.isdigit() and host.count(".") == 3 else address
