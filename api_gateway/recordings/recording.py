"""One recorded exchange as a value: what was asked and what legacy said, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from api_gateway.routes import Route

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One direction. `form`: decoded fields, None where the body is no form; `body`: text, None where none is kept.

    left_out  why a body is not kept: `binary`, `longer than 65536 bytes`, `unreadable`, files of a form
    """

    headers: Pairs = ()
    media: str = ""
    form: Pairs | None = None
    body: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of what is kept of the body."""
        pieces = [self.body or "", *(text for pair in self.form or () for text in pair)]
        return sum(len(piece.encode("utf-8", "replace")) for piece in pieces)

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"headers": self.headers, "media": self.media}
        document |= {"form": self.form} if self.form is not None else {}
        document |= {"body": self.body} if self.body is not None else {}
        return document | ({"left_out": self.left_out} if self.left_out else {})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Message:
        form = document.get("form")
        return cls(
            _pairs(document["headers"]),
            str(document["media"]),
            None if form is None else _pairs(form),
            document.get("body"),
            tuple(document.get("left_out", ())),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A request as its route's caller sent it, and legacy's answer.

    consumer   who called; None: nobody whom we know
    path       values of the template's places, by name
    query      decoded parameters besides the route's discriminators and the caller's token, in their order
    request    its headers (a few that change answers), and its form or body, likewise without discriminators
    status, response  legacy's answer
    masked     names whose values are `•••` here
    shape, outcome    of what kind request and answer were, as the gate counts them
    duration_ms       how long legacy took
    id, at     None before it is stored
    """

    route: str
    consumer: str | None
    method: str
    path: Pairs
    query: Pairs
    request: Message
    status: int
    response: Message
    masked: tuple[str, ...]
    shape: str
    outcome: str
    duration_ms: float
    id: int | None = None
    at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it can be sent again as it was, but for the caller's own secret."""
        return not self.masked and not self.request.left_out

    def target(self, route: Route) -> str:
        """Path and query as they can be sent, the route's discriminators with them."""
        places = dict(self.path)
        path = re.sub(r"\{([^}]*)\}", lambda place: quote(places.get(place[1], "•••"), safe=""), route.path)
        pairs = [*route.query.items(), *self.query]
        query = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in pairs)
        return path + (f"?{query}" if query else "")

    def as_row(self) -> dict[str, Any]:
        """The columns of `banyan.recording` that are known here."""
        same = ("route", "consumer", "method", "status", "shape", "outcome", "duration_ms")
        return {name: getattr(self, name) for name in same} | {
            "request": {"path": self.path, "query": self.query, **self.request.as_json()},
            "response": self.response.as_json(),
            "masked": list(self.masked),
            "bytes": self.request.size + self.response.size,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Recording:
        request = row["request"]
        return cls(
            row["route"],
            row["consumer"],
            row["method"],
            _pairs(request["path"]),
            _pairs(request["query"]),
            Message.from_json(request),
            row["status"],
            Message.from_json(row["response"]),
            tuple(row["masked"]),
            row["shape"],
            row["outcome"],
            row["duration_ms"],
            row["id"],
            row["at"],
        )


def _pairs(given: Any) -> Pairs:
    return tuple((str(name), str(value)) for name, value in given)
