"""What a web application writes anew into every page: tokens, nonces, session ids, the time, how long it took.

Each is replaced by its kind, on each side by itself, so that one which is missing, or of another kind, still differs.
A time is taken out only when it is the time of the answer: dates of rows count like every other value.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from dateutil.parser import ParserError
from dateutil.parser import parse as parse_time

NEAR = (timedelta(seconds=-2), timedelta(seconds=30))
"""How far a printed time may be from the answer's own `Date` to be the time of the answer."""

QUARTER = timedelta(minutes=15)  # every zone's distance from UTC is a multiple of it
FARTHEST_ZONE = timedelta(hours=14)

TOKEN_NAME = re.compile(
    r"csrf|xsrf|token|nonce|captcha|session|sessid|^sid$|^_wp|viewstate|eventvalidation|form_build_id|request.?id|trace.?id",
    re.IGNORECASE,
)

_IN_URL = re.compile(r"(?P<name>[?&;]([\w.~\[\]-]{1,64})=)[^&;#\"'\s]+")
_IN_SCRIPT = re.compile(r"""(?P<name>["']?\b([\w.-]{1,64})["']?\s*[:=]\s*)(?P<quote>["'])[^"'\\]*(?P=quote)""")
_LITERAL = re.compile(r"""(?P<quote>["'])(?P<text>[\w:+/=-]{6,})(?P=quote)""")
_TOOK = re.compile(
    r"(?P<said>\b(?:generated|rendered|executed|loaded|took|elapsed|time|queries|page)\b[^\d<]{0,40})"
    r"\d+(?:[.,]\d+)?(?=\s?(?:ms|µs|s|sec|secs|seconds|milliseconds)\b)",
    re.IGNORECASE,
)
_HOUR = r"\d{1,2}:\d\d(?::\d\d)?"
_HALF = r"(?: ?[AaPp]\.?[Mm]\.?)?"
_TIME = re.compile(
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s?(?:Z\b|[+-]\d\d:?\d\d\b|UTC\b|GMT\b)?"  # ISO
    rf"|\b(?:\w{{3,9}},? )?\d{{1,2}}[ -]\w{{3,9}}[ -]\d{{4}},?(?: at)? {_HOUR}"
    r"(?: ?[AaPp]\.?[Mm]\.?| [A-Z]{3,4}\b| [+-]\d{4})?"
    rf"|\b(?:\w{{3,9}},? )?[A-Z]\w{{2,8}}\.? \d{{1,2}}, \d{{4}},?(?: at)? {_HOUR}{_HALF}"
    rf"|\b\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}},? {_HOUR}{_HALF}"
)
_TIME_OF_DAY = re.compile(r"\d{1,2}(:\d{2}){1,2}")
_EPOCH = re.compile(r"(?<![\w.])1\d{9}(?:\d{3})?(?:\.\d+)?(?![\w.])")


def moment_of(date_header: str | None) -> datetime | None:
    """The answer's own time (RFC 9110 section 6.6.1); None when it gives none that can be read."""
    try:
        moment = parsedate_to_datetime(date_header) if date_header else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def steady(text: str, moment: datetime | None) -> str:
    """Text of a page without what changes from answer to answer."""
    text = _TOOK.sub(r"\g<said>‹duration›", text)
    return text if moment is None else steady_times(text, moment)


def steady_times(text: str, moment: datetime) -> str:
    if not any(character.isdigit() for character in text):
        return text
    text = _EPOCH.sub(lambda found: "‹clock›" if _is_epoch_near(found[0], moment) else found[0], text)
    return _TIME.sub(lambda found: _clock(found[0], moment) or found[0], text)


def steady_url(url: str, moment: datetime | None) -> str:
    """A URL without session ids and tokens, wherever applications put them: query, or path parameter."""
    url = _IN_URL.sub(lambda found: f"{found['name']}‹token›" if TOKEN_NAME.search(found[2]) else found[0], url)
    return url if moment is None else steady_times(url, moment)


def steady_script(script: str, moment: datetime | None) -> str:
    """A script or style without the tokens that it assigns by name, or passes on as a literal drawn by lot."""
    script = _IN_SCRIPT.sub(
        lambda found: f"{found['name']}‹token›" if TOKEN_NAME.search(found[2]) else found[0], steady_url(script, moment)
    )
    script = _LITERAL.sub(lambda found: "‹token›" if _looks_drawn(found["text"]) else found[0], script)
    return steady(script, moment)


def _looks_drawn(text: str) -> bool:
    """Numbers joined by a sign, digits among letters: `5:840170`, `3f9a0c…`. A number, a path and a time are data."""
    if text.startswith("/") or _TIME_OF_DAY.fullmatch(text) or _TIME.fullmatch(text):
        return False
    digits = sum(character.isdigit() for character in text)
    letters = sum(character.isalpha() for character in text)
    joined = any(sign in text for sign in ":=") and digits >= 4
    return joined or (letters > 0 and digits >= 6 and len(text) >= 16)


def _is_epoch_near(digits: str, moment: datetime) -> bool:
    seconds = float(digits)
    return _is_near(datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC) - moment)


def _is_near(distance: timedelta) -> bool:
    return NEAR[0] <= distance <= NEAR[1]


def _clock(text: str, moment: datetime) -> str | None:
    """`‹clock›` with its distance from UTC when the text is the time of the answer, in whatever zone it is written."""
    try:
        said = parse_time(text)
    except (ParserError, OverflowError, ValueError):
        return None
    if said.tzinfo is not None:
        offset = said.utcoffset() or timedelta()
        distance = said - moment
    else:
        apart = said.replace(tzinfo=UTC) - moment
        offset = round(apart / QUARTER) * QUARTER
        distance = apart - offset
        if abs(offset) > FARTHEST_ZONE:
            return None
    if not re.search(r"\d:\d\d:\d\d", text):  # written to the minute: the answer was made in that minute
        distance += timedelta(seconds=moment.second) if distance < timedelta() else timedelta()
    return f"‹clock {offset}›" if _is_near(distance) else None
