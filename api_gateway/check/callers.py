"""Whom a breaking change of the API would hit: the consumers that may call what breaks, and when they last did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import psycopg

from api_gateway.api.operations import operation_of
from api_gateway.check.accounts import given_scopes
from api_gateway.check.disagreement import Disagreement
from api_gateway.check.subject import Live, Subject
from api_gateway.consumers import consumer_summaries, load_register


def scopes_of(subject: Subject, paths: Iterable[str]) -> list[str]:
    """The scopes of what is served at these paths of the OpenAPI document."""
    if subject.contract is None:
        return []
    prefix = subject.project.configuration.api.prefix
    by_place: dict[str, set[str]] = {}
    for version in subject.contract.versions:
        place = f"{prefix}/{version.version}"
        for path, resource in version.resources.by_path.items():
            by_place.setdefault(f"{place}/{path}", set()).update(
                scope for scope in resource.scopes if scope is not None
            )
        for handler in version.operations:
            declared = operation_of(handler)
            by_place.setdefault(f"{place}/{declared.path}", set()).add(declared.scope)
    found: set[str] = set()
    for path in paths:
        resource_path = "/".join(path.partition(":")[0].split("/")[: prefix.count("/") + 3])
        found |= by_place.get(path, set()) | by_place.get(resource_path, set())
    return sorted(found)


def with_callers(found: Iterable[Disagreement], subject: Subject, live: Live) -> list[Disagreement]:
    """Breaking changes of the API with those who have the scope: consumers, accounts, issuers. Others as they are."""
    listed = list(found)
    if not any(one.code == "openapi_breaking" for one in listed):
        return listed
    try:
        with live.connection.transaction():
            register, used = load_register(live.connection), _last_used(live)
    except psycopg.errors.Error:  # schema banyan is not there, or not ours to read: as far as we see, nobody is known
        return listed
    consumers = {c.code: c.scopes for c in register.all}
    return [_with(one, consumers, used, given_scopes(subject)) for one in listed]


def _with(
    found: Disagreement,
    scopes: Mapping[str, frozenset[str]],
    used: Mapping[str, datetime],
    given: Mapping[str, frozenset[str]],
) -> Disagreement:
    if found.code != "openapi_breaking" or found.details is None:
        return found
    wanted = set(found.details["scopes"])
    hit = sorted(code for code, has in scopes.items() if wanted & has)
    told = [f"{code} (last seen {used[code]:%Y-%m-%d})" if code in used else f"{code} (never seen)" for code in hit]
    names = f" It would hit {', '.join(told)}." if hit else " No registered consumer has the scope."
    sources = sorted(place for place, has in given.items() if wanted & has)
    names += f" So it would everybody of {', '.join(sources)}." if sources else ""
    consumers = [{"code": code, "last_used": used[code].isoformat() if code in used else None} for code in hit]
    return replace(
        found,
        message=found.message + "." + names,
        details={**found.details, "consumers": consumers, "sources": sources},
    )


def _last_used(live: Live) -> dict[str, datetime]:
    """When each consumer was last seen by any of its credentials."""
    found: dict[str, datetime] = {}
    for summary in consumer_summaries(live.connection):
        moments = [one["last_used"] for one in summary["credentials"] if one["last_used"] is not None]
        if moments:
            found[summary["code"]] = max(moments)
    return found
