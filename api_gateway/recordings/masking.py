"""From an exchange as the edge copied it to a recording that may be kept. Pure.

Headers are kept by name (what changes an answer, what describes one), never left out by name: cookies and credentials
cannot slip through under a new name.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote_to_bytes

from api_gateway.edge.exchange import Exchange
from api_gateway.edge.spellings import values
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import rules_of
from api_gateway.evidence.shapes import outcome_class, request_shape
from api_gateway.recordings.bodies import LeftOut, form_of, text_of
from api_gateway.recordings.hiding import Headers, Hiding, all_secrets
from api_gateway.recordings.recording import Message, Pairs, Recording
from api_gateway.routes import FormToken, HeaderToken, PathToken, QueryToken, Route
from shared_models.grants import touches_of

REQUEST_HEADERS = frozenset(
    {
        "accept", "accept-charset", "accept-encoding", "accept-language", "content-type", "if-match",
        "if-modified-since", "if-none-match", "if-unmodified-since", "range", "soapaction", "user-agent",
        "x-http-method-override", "x-requested-with",
    }
)  # fmt: skip
RESPONSE_HEADERS = frozenset(
    {
        "allow", "cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "etag",
        "last-modified", "location", "retry-after", "vary",
    }
)  # fmt: skip
_LONGEST_VALUE = 2000


def recording_of(route: Route, exchange: Exchange, consumer: str | None) -> Recording:
    """What may be kept of a complete exchange whose path is spelled as the route's template has it."""
    secrets = all_secrets(route, exchange.target, exchange.request_headers, exchange.request_body)
    rules = rules_of(route, today=datetime.now(UTC).date(), secrets=secrets)
    hiding = Hiding(replace(rules, masked=rules.masked | _secret_columns(route)), secrets)
    answer = Observation.answer(exchange.status, exchange.response_headers, exchange.response_body)
    query = exchange.target.partition("?")[2]
    fields, request = _request(route, exchange, hiding)
    return Recording(
        route.name,
        consumer,
        exchange.method,
        _places(route, exchange.target, hiding),
        _query(route, query, hiding),
        request,
        exchange.status,
        _response(answer, hiding),
        tuple(sorted(hiding.names)),
        request_shape(route, query, form=fields, method=exchange.method),
        outcome_class(replace(answer, body=_without_secrets(answer.body, hiding))),
        (exchange.finished - exchange.started) * 1000,
    )


def _without_secrets(content: bytes, hiding: Hiding) -> bytes:
    """What the class of an outcome is told by: a name of an element or a member may be a token, too."""
    return hiding.text(content.decode("latin-1")).encode("latin-1", "replace")


def _secret_columns(route: Route) -> set[str]:
    """What the mimic declares as never to be journalled is not to be recorded either."""
    touched = touches_of([route.mimic] if route.mimic is not None else [])
    return {name.lower() for one in touched for columns in one.secret.values() for name in columns}


def _places(route: Route, target: str, hiding: Hiding) -> Pairs:
    path = unquote_to_bytes(target.partition("?")[0]).decode("latin-1")
    found = values(route.path, path.rstrip("/") if route.path.endswith("/") else path) or {}
    token = route.consumer.name if isinstance(route.consumer, PathToken) else None
    return tuple((name, hiding.value(name, _as_utf8(value))) for name, value in found.items() if name != token)


def _as_utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _query(route: Route, query: str, hiding: Hiding) -> Pairs:
    token = route.consumer.name if isinstance(route.consumer, QueryToken) else None
    pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace")
    return tuple(
        (name[:200], hiding.value(name, value)[:_LONGEST_VALUE])
        for name, value in pairs
        if name != token and route.query.get(name) != value
    )


def _headers(headers: Headers, names: frozenset[str], hiding: Hiding, leaving_out: str | None = None) -> Pairs:
    kept = []
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        if name in names and name != leaving_out:
            value = raw_value.decode("latin-1")[:_LONGEST_VALUE]
            kept.append((name, hiding.text(value) if name == "location" else hiding.value(name, value)))
    return tuple(kept)


def _request(route: Route, exchange: Exchange, hiding: Hiding) -> tuple[dict[str, str], Message]:
    """The fields that make its shape, and what is kept."""
    token = route.consumer.name.lower() if isinstance(route.consumer, HeaderToken) else None
    headers = _headers(exchange.request_headers, REQUEST_HEADERS - {*map(str.lower, route.header)}, hiding, token)
    content, media = exchange.request_body, dict(exchange.request_headers).get(b"content-type", b"").decode("latin-1")
    if not content:
        return {}, Message(headers, media)
    try:
        form = form_of(content, media)
        if form is None:
            return {}, Message(headers, media, body=text_of(content, media, hiding))
        pairs, files = form
    except LeftOut as why:
        return {}, Message(headers, media, left_out=(str(why),))
    name_of_token = route.consumer.name if isinstance(route.consumer, FormToken) else None
    sent = [(name, value) for name, value in pairs if name != name_of_token and route.form.get(name) != value]
    fields = tuple((name[:200], hiding.value(name, value)) for name, value in sent)
    return dict(sent), Message(headers, media, fields, left_out=files)


def _response(answer: Observation, hiding: Hiding) -> Message:
    pairs = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers)
    headers = _headers(pairs, RESPONSE_HEADERS, hiding)
    media = answer.header("content-type") or ""
    try:
        return Message(headers, media, body=text_of(answer.content(), media, hiding))
    except LeftOut as why:
        return Message(headers, media, left_out=(str(why),))
    except ValueError:
        return Message(headers, media, left_out=("unreadable",))
