"""A request as it is generated, shrunk and kept: its caller by name, never by secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from api_gateway.routes import BasicAuth, ClientCertificate, FormToken, HeaderToken, PathToken, QueryToken, Route

Pairs = tuple[tuple[str, str], ...]
FORM = "application/x-www-form-urlencoded"
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a listed route.

    path     values of the template's places, by name.
    query, headers  what is sent besides the discriminators and the caller's secret.
    form     fields of the body, None for a request without a form.
    body     text of a body that is no form, with its media type in `media`.
    caller   a consumer's code, or NOBODY.
    """

    route: str
    method: str
    path: Pairs = ()
    query: Pairs = ()
    headers: Pairs = ()
    form: Pairs | None = None
    body: str | None = None
    media: str | None = None
    caller: str = NOBODY

    def as_json(self) -> dict[str, Any]:
        document = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in document.items() if value not in (None, ())}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Call:
        """Raises ValueError when it is no call."""
        try:
            given: dict[str, Any] = {
                name: tuple((str(key), str(value)) for key, value in document[name])
                for name in ("path", "query", "headers", "form")
                if name in document
            }
            given |= {name: document[name] for name in ("body", "media", "caller") if name in document}
            return cls(str(document["route"]), str(document["method"]), **given)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a call: {error}") from None

    def __str__(self) -> str:
        """One line for people: `POST orders.cancel no=4711, as acme`."""
        sent = [f"{name}={_short(value)}" for name, value in (*self.path, *self.query, *(self.form or ()))]
        sent += [f"{name}: {_short(value)}" for name, value in self.headers]
        if self.body is not None:
            sent.append(f"{self.media or 'body'} {_short(self.body)}")
        return f"{self.method} {self.route} {' '.join(sent) or 'without parameters'}, as {self.caller}"


@dataclass(frozen=True, slots=True)
class Sent:
    """The same on the wire. `headers`: names in lower case."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def target(self) -> str:
        return self.path + (f"?{self.query}" if self.query else "")


def sent(call: Call, route: Route, secret: str | None) -> Sent:
    """Put the call on the wire, with the caller's secret where the legacy protocol has it (None: without)."""
    places = dict(call.path)
    query = [*route.query.items(), *call.query]
    form = None if call.form is None else [*route.form.items(), *call.form]
    headers = [*route.header.items(), *call.headers]
    if secret is not None:
        match route.consumer:
            case QueryToken(name):
                query.append((name, secret))
            case FormToken(name):
                form = [*(form or []), (name, secret)]
            case HeaderToken(name):
                headers.append((name, secret))
            case BasicAuth():
                headers.append(("authorization", f"Basic {base64.b64encode(secret.encode()).decode()}"))
            case PathToken(name):
                places[name] = secret
            case ClientCertificate(header, part):
                headers.append((header, secret if part is None else f"{part}={_quoted(secret)}"))
            case None:
                pass
    body = (call.body or "").encode()
    if form is not None:
        body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in form).encode()
        headers.append(("content-type", FORM))
    elif call.body is not None and call.media is not None:
        headers.append(("content-type", call.media))
    return Sent(
        call.method,
        re.sub(r"\{([^}]*)\}", lambda place: quote(places.get(place[1], ""), safe=""), route.path),
        "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in query),
        tuple((name.lower().encode("latin-1"), _header(value)) for name, value in headers),
        body,
    )


def _quoted(value: str) -> str:
    """As Envoy writes a value with its own separators in it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if re.search(r'[,;="\\]', value) else value


def _header(value: str) -> bytes:
    """Whatever was drawn, made a legal field value (RFC 9110 section 5.5)."""
    return re.sub(r"[\x00-\x1f\x7f]", "", value).strip().encode("latin-1", "replace")


def _short(value: str) -> str:
    shown = value if value.isprintable() else repr(value)[1:-1]
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
