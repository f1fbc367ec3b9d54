"""Entries for `routes.py`, as text that a person reviews and pastes. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from api_gateway.inventory.calls import is_secret
from api_gateway.inventory.inventory import Endpoint, Place

_LISTABLE = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


def proposals(endpoints: Iterable[tuple[Place, Endpoint]], taken: Iterable[str] = ()) -> list[str]:
    """One `Route(…)` for each endpoint that legacy answers and that is not listed; the text is valid Python.

    taken  names that routes have already.
    """
    names = set(taken)
    places = [(place, endpoint) for place, endpoint in endpoints if _is_proposed(place, endpoint)]
    by_path: dict[tuple[str, object], int] = {}
    for place, _ in places:
        by_path[place.path, place.action] = by_path.get((place.path, place.action), 0) + 1
    texts = []
    for place, endpoint in places:
        name = _name(place, with_method=by_path[place.path, place.action] > 1, taken=names)
        names.add(name)
        texts.append(_route(name, place, endpoint))
    return texts


def _is_proposed(place: Place, endpoint: Endpoint) -> bool:
    return not place.routes and place.method in _LISTABLE and endpoint.is_found and "…" not in place.path


def _route(name: str, place: Place, endpoint: Endpoint) -> str:
    arguments = [_quoted(name), _quoted(place.method), _quoted(_numbered(place.path))]
    consumer = _consumer(endpoint)
    arguments += [f"consumer={consumer}"] if consumer is not None else []
    if place.action:
        pairs = ", ".join(f"{_quoted(key)}: {_quoted(value)}" for key, value in place.action)
        arguments.append(f"query={{{pairs}}}")
    return f"Route({', '.join(arguments)})"


def _quoted(text: str) -> str:
    """As Python has it, in double quotes."""
    return json.dumps(text, ensure_ascii=True)


def _consumer(endpoint: Endpoint) -> str | None:
    """How most calls name their caller."""
    half = endpoint.calls / 2
    tokens = [(count, name) for name, count in endpoint.parameters.items() if is_secret(name) and count >= half]
    if tokens:
        return f"QueryToken({_quoted(max(tokens)[1])})"
    users = sum(count for caller, count in endpoint.callers.items() if caller.startswith("user "))
    return "BasicAuth()" if users >= half else None


def _numbered(path: str) -> str:
    """Every place of a template needs a name of its own: `{id}`, `{id2}`."""
    seen: dict[str, int] = {}

    def named(found: re.Match[str]) -> str:
        seen[found[1]] = seen.get(found[1], 0) + 1
        return f"{{{found[1]}{seen[found[1]] if seen[found[1]] > 1 else ''}}}"

    return re.sub(r"\{(\w+)\}", named, path)


def _name(place: Place, *, with_method: bool, taken: set[str]) -> str:
    words = [re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in place.path.split("/") if "{" not in part]
    words += [re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_") for _, value in place.action]
    words += ["one"] if place.path.rstrip("/").endswith("}") else []
    words += [place.method.lower()] if with_method else []
    name = ".".join(word for word in words if word) or "root"
    name = re.sub(r"^[^a-z]+", "", name)[:56] or "route"
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique
