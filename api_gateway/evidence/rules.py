"""What does not count, and why: noise of the protocol, ignore rules, intended differences, and what is masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from api_gateway.routes import Ignore, Intended

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
# Differ between any two answers of one server, or describe the connection and the framing rather than the answer.
NOISE_HEADERS = HOP_BY_HOP | frozenset(
    {
        "accept-ranges", "age", "alt-svc", "content-encoding", "content-length", "date", "etag", "expires",
        "host", "last-modified", "server", "server-timing", "set-cookie", "traceparent", "tracestate", "vary", "via",
        "x-envoy-upstream-service-time", "x-powered-by", "x-request-id", "x-runtime",
    }
)  # fmt: skip
# Instructions to a browser; a program that reads JSON, XML, CSV or text never looks at them.
BROWSER_HEADERS = frozenset(
    {
        "content-security-policy", "cross-origin-embedder-policy", "cross-origin-opener-policy",
        "cross-origin-resource-policy", "permissions-policy", "referrer-policy", "strict-transport-security",
        "x-content-type-options", "x-frame-options", "x-xss-protection",
    }
)  # fmt: skip
_SECRET_NAME = re.compile(r"token|(^|_)tok($|_)|passw|(^|_)pw($|_)|pwd|secret|api.?key|authoriz|session|cookie|csrf")


@dataclass(frozen=True, slots=True)
class Rules:
    """What `compare` is told about a route.

    numbers  "value": 1.50 and 1.5 are one number in JSON; "exact": their spelling counts too.
    times    "exact": their spelling counts; "instant": 12:00Z and 13:00+01:00 are one time in JSON.
    masked   names (JSON keys, XML elements, CSV columns) whose values are never shown.
    secrets  values that are never shown wherever they appear, such as the caller's token.
    """

    ignore: tuple[Ignore, ...] = ()
    intended: tuple[Intended, ...] = ()
    numbers: Literal["value", "exact"] = "value"
    times: Literal["exact", "instant"] = "exact"
    masked: frozenset[str] = frozenset()
    secrets: frozenset[str] = field(default_factory=frozenset, repr=False)

    @classmethod
    def of(
        cls,
        ignore: Iterable[Ignore],
        *,
        today: date,
        intended: Iterable[Intended] = (),
        masked: Iterable[str] = (),
        secrets: Iterable[str] = (),
        numbers: Literal["value", "exact"] = "value",
        times: Literal["exact", "instant"] = "exact",
    ) -> Rules:
        """The rules in force on a day: an ignore rule ends with the day in `expires` (ISO 8601)."""
        return cls(
            ignore=tuple(rule for rule in ignore if rule.expires is None or date.fromisoformat(rule.expires) >= today),
            intended=tuple(intended),
            numbers=numbers,
            times=times,
            masked=frozenset(name.lower() for name in masked),
            secrets=frozenset(secret for secret in secrets if len(secret) >= 4),
        )

    def ignored_by(self, path: str, control: str | None = None, candidate: str | None = None) -> Ignore | None:
        """The rule that takes out a difference at `path` between these two values."""
        return next((rule for rule in self.ignore if _takes_out(rule, path, control, candidate)), None)

    def intended_by(self, path: str) -> Intended | None:
        return next((rule for rule in self.intended if matches(rule.path, path)), None)

    def hides(self, path: str) -> bool:
        """True when the place's own name says that its value is not to be shown."""
        name = re.split(r"[.\[\]/@]", path.rstrip("]0123456789["))[-1].lower()
        return name in self.masked or _SECRET_NAME.search(name) is not None


def _takes_out(rule: Ignore, path: str, control: str | None, candidate: str | None) -> bool:
    """With a pattern, only when the two are equal without what it matches."""
    if not matches(rule.path, path):
        return False
    if rule.pattern is None:
        return True
    return (
        control is not None
        and candidate is not None
        and re.sub(rule.pattern, "", control) == re.sub(rule.pattern, "", candidate)
    )


def matches(pattern: str, path: str) -> bool:
    """Whether a rule's path names this place. `*` is anything within one step, `**` any number of steps."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces: Mapping[str, str] = {"**": r".*", "*": r"[^./\[\]]*"}
    steps = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join(pieces.get(step, re.escape(step)) for step in steps), re.DOTALL)


def rules_of(route: Any, *, today: date, secrets: Iterable[str] = ()) -> Rules:
    """The rules of a listed route on a day."""
    return Rules.of(
        route.ignore,
        today=today,
        intended=route.intended,
        masked=route.masked,
        secrets=secrets,
        numbers=route.numbers,
        times=route.times,
    )
