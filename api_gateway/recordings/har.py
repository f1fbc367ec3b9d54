"""Recordings as an HTTP archive (HAR 1.2), which browsers' tools and many others read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from api_gateway import __version__
from api_gateway.recordings.recording import Message, Pairs, Recording
from api_gateway.routes import Route


def archive(recordings: Iterable[Recording], route: Route, origin: str) -> dict[str, Any]:
    """The whole document. `origin`: of the legacy app, such as `http://legacy.example`."""
    entries = [_entry(recording, route, origin) for recording in recordings]
    return {"log": {"version": "1.2", "creator": {"name": "banyan", "version": __version__}, "entries": entries}}


def _entry(recording: Recording, route: Route, origin: str) -> dict[str, Any]:
    url = origin.rstrip("/") + recording.target(route)
    request: dict[str, Any] = {
        "method": recording.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named((*route.header.items(), *recording.request.headers)),
        "queryString": _named((*route.query.items(), *recording.query)),
        "headersSize": -1,
        "bodySize": -1,
    }
    post = _post(recording.request, route)
    return {
        "startedDateTime": recording.at.isoformat() if recording.at is not None else "",
        "time": recording.duration_ms,
        "request": request | ({"postData": post} if post is not None else {}),
        "response": _response(recording),
        "cache": {},
        "timings": {"send": 0, "wait": recording.duration_ms, "receive": 0},
        "_banyan": {
            "route": recording.route,
            "consumer": recording.consumer,
            "masked": list(recording.masked),
            "left_out": [*recording.request.left_out, *recording.response.left_out],
        },
    }


def _post(sent: Message, route: Route) -> dict[str, Any] | None:
    if sent.form is not None:
        pairs = (*route.form.items(), *sent.form)
        return {"mimeType": sent.media, "params": list(_named(pairs)), "text": urlencode(pairs)}
    if sent.body is not None:
        return {"mimeType": sent.media, "params": [], "text": sent.body}
    return None


def _response(recording: Recording) -> dict[str, Any]:
    answer = recording.response
    text = answer.body or ""
    content: dict[str, Any] = {"size": len(text.encode("utf-8", "replace")), "mimeType": answer.media, "text": text}
    return {
        "status": recording.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(answer.headers),
        "content": content,
        "redirectURL": next((value for name, value in answer.headers if name == "location"), ""),
        "headersSize": -1,
        "bodySize": -1,
    }


def _named(pairs: Pairs) -> list[dict[str, str]]:
    return list(_objects(pairs))


def _objects(pairs: Pairs) -> Iterator[dict[str, str]]:
    for name, value in pairs:
        yield {"name": name, "value": value}
