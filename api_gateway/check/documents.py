"""What changed between two OpenAPI documents of one API, and whether a caller of the old one would notice.

Structural, for documents as this program writes them: paths, parameters, bodies, answers, and the named schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

Document = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_FOR_PEOPLE = frozenset({"description", "title", "examples", "example", "summary", "externalDocs"})


@dataclass(frozen=True, slots=True)
class Difference:
    """`paths`: where a caller meets it, as far as that can be told."""

    breaking: bool
    message: str
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Change:
    """`what` happened at `place`: an operation, a path, a named schema."""

    breaking: bool
    place: str
    what: str


def differences(old: Document, new: Document) -> Iterator[Difference]:
    """What a caller of `old` would miss or be refused, and what is merely new; what operations share is told once."""
    old_paths, new_paths = old.get("paths", {}), new.get("paths", {})
    shared: dict[tuple[bool, str], list[tuple[str, str]]] = {}
    for path in sorted(old_paths.keys() | new_paths.keys()):
        for change in _path(path, old_paths.get(path), new_paths.get(path), old, new):
            shared.setdefault((change.breaking, change.what), []).append((change.place, path))
    for (breaking, what), met in shared.items():
        places = _enumerated([place for place, _ in met])
        message = f"{places} {what}" if what in _OF_WHOLES else f"{places}: {what}"
        yield Difference(breaking, message, frozenset(path for _, path in met))
    old_schemas, new_schemas = _schemas(old), _schemas(new)
    sent = _reached(new, "requestBody")
    for name in sorted(old_schemas.keys() & new_schemas.keys()):
        whole = name.removeprefix("Sparse")
        told = {change.what for change in _schema(whole, old_schemas.get(whole), new_schemas.get(whole), sent=False)}
        for change in _schema(name, old_schemas[name], new_schemas[name], sent=name in sent):
            if name == whole or change.what not in told:
                yield Difference(change.breaking, f"{name}{change.what}", _paths_of(name, old))


_OF_WHOLES = frozenset({"is new", "is gone"})
_NAMED = 3  # operations of one message


def _enumerated(places: list[str]) -> str:
    more = len(places) - _NAMED
    return ", ".join(places[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _schemas(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return found


def _path(
    path: str, old: Document | None, new: Document | None, old_whole: Document, new_whole: Document
) -> Iterator[_Change]:
    if old is None or new is None:
        yield _Change(new is None, path, "is new" if old is None else "is gone")
        return
    for method in _METHODS:
        before, after = old.get(method), new.get(method)
        operation = f"{method.upper()} {path}"
        if before is None and after is None:
            continue
        if before is None or after is None:
            yield _Change(after is None, operation, "is gone" if after is None else "is new")
            continue
        were, are = _all_parameters(old, before, old_whole), _all_parameters(new, after, new_whole)
        sent, sends = _seen(before.get("requestBody"), old_whole), _seen(after.get("requestBody"), new_whole)
        answered, answers = before.get("responses", {}), after.get("responses", {})
        changes = chain(_parameters(were, are), _body(sent, sends), _answers(answered, answers, old_whole, new_whole))
        yield from (_Change(breaking, operation, what) for breaking, what in changes)


def _seen(part: Any, whole: Document) -> Any:
    """What a `$ref` stands for, one step; anything else itself."""
    if not isinstance(part, dict) or "$ref" not in part:
        return part
    target: Any = whole
    for step in str(part["$ref"]).removeprefix("#/").split("/"):
        target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
    return target


def _all_parameters(path: Document, operation: Document, whole: Document) -> dict[tuple[str, str], Document]:
    parts = [_seen(part, whole) for part in (*path.get("parameters", []), *operation.get("parameters", []))]
    return {(part.get("in", ""), part["name"]): part for part in parts if "name" in part}


def _parameters(
    before: dict[tuple[str, str], Document], after: dict[tuple[str, str], Document]
) -> Iterator[tuple[bool, str]]:
    yield from ((True, f"{named} gone") for named in _stems(before.keys() - after.keys()))
    added = after.keys() - before.keys()
    demanded = {place for place in added if after[place].get("required")}
    yield from ((True, f"required parameter {name} is new") for _, name in sorted(demanded))
    yield from ((False, f"{named} new") for named in _stems(added - demanded))
    for place in sorted(before.keys() & after.keys()):
        if after[place].get("required") and not before[place].get("required"):
            yield True, f"parameter {place[1]} is required now"
        elif _meaning(before[place].get("schema")) != _meaning(after[place].get("schema")):
            yield from _values(f"parameter {place[1]}", before[place].get("schema"), after[place].get("schema"))


def _stems(places: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names of parameters, a filter with all its operators told as one: `price`, for `price`, `price[gt]`, …"""
    names = {name for _, name in places}
    told = sorted(name for name in names if name.partition("[")[0] not in names - {name})
    if told:
        yield f"parameter{'s' * (len(told) > 1)} {', '.join(told)} {'are' if len(told) > 1 else 'is'}"


def _values(parameter: str, old: Any, new: Any) -> Iterator[tuple[bool, str]]:
    listed = _listed(old), _listed(new)
    if listed[0] and listed[1]:
        lost, added = [v for v in listed[0] if v not in listed[1]], [v for v in listed[1] if v not in listed[0]]
        if lost:
            yield True, f"{parameter} does not take {', '.join(map(str, lost))} any more"
        if added:
            yield False, f"{parameter} takes {', '.join(map(str, added))} as well"
        if lost or added:
            return
    yield not _takes_all(old, new), f"{parameter} was {_shown(old)}, is {_shown(new)}"


def _listed(schema: Any) -> list[Any]:
    """The values that an enumeration, or a list of its values, names."""
    if not isinstance(schema, dict):
        return []
    found = schema.get("items", schema) if schema.get("type") == "array" else schema
    values = found.get("enum") if isinstance(found, dict) else None
    return values if isinstance(values, list) else []


def _takes_all(old: Any, new: Any) -> bool:
    """Does the new schema, of what a caller sends, take everything that the old one took? Only where that is plain."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    if old.get("type") == new.get("type") == "array" and {**old, "items": 0} == {**new, "items": 0}:
        return _takes_all(old.get("items"), new.get("items"))
    if isinstance(old.get("anyOf"), list) and isinstance(new.get("anyOf"), list):
        return all(any(_takes_all(one, other) for other in new["anyOf"]) for one in old["anyOf"])
    if isinstance(old.get("enum"), list) and isinstance(new.get("enum"), list):
        rest = {"enum"}
        same = {k: v for k, v in old.items() if k not in rest} == {k: v for k, v in new.items() if k not in rest}
        return same and all(value in new["enum"] for value in old["enum"])
    return bool(_meaning({k: v for k, v in old.items() if k in new}) == _meaning(new))


def _body(old: Any, new: Any) -> Iterator[tuple[bool, str]]:
    if new is None or old is None:
        if old is not None:
            yield True, "no body is taken any more"
        elif new is not None:
            yield bool(new.get("required")), "a body is taken now"
        return
    if new.get("required") and not old.get("required"):
        yield True, "the body is required now"
    yield from _media("body", old.get("content", {}), new.get("content", {}))


def _answers(old: Document, new: Document, old_whole: Document, new_whole: Document) -> Iterator[tuple[bool, str]]:
    for status in sorted(old.keys() | new.keys()):
        succeeds = status.startswith("2")
        if status not in new:
            yield succeeds, f"answer {status} is gone"
        elif status not in old:
            yield False, f"answer {status} is new"
        else:
            before, after = _seen(old[status], old_whole), _seen(new[status], new_whole)
            yield from _media(f"answer {status}", before.get("content", {}), after.get("content", {}))


def _media(place: str, old: Document, new: Document) -> Iterator[tuple[bool, str]]:
    for media in sorted(old.keys() | new.keys()):
        if media not in new:
            yield True, f"{place}: {media} is gone"
        elif media not in old:
            yield False, f"{place}: {media} is new"
        elif _meaning(old[media].get("schema")) != _meaning(new[media].get("schema")):
            yield True, f"{place}: was {_shown(old[media].get('schema'))}, is {_shown(new[media].get('schema'))}"


def _schema(name: str, old: Document | None, new: Document | None, *, sent: bool) -> Iterator[_Change]:
    """`sent`: callers send it, so that a new required field refuses those who do not know it."""
    if old is None or new is None or _is_conditions(old, new):
        return
    before, after = old.get("properties", {}), new.get("properties", {})
    required, was_required = set(new.get("required", [])), set(old.get("required", []))
    for field in sorted(before.keys() | after.keys()):
        if field not in after:
            yield _Change(True, name, f".{field} is gone")
        elif field not in before:
            demanded = sent and field in required
            yield _Change(demanded, name, f".{field} is new{', and required' if demanded else ''}")
        elif _meaning(before[field]) != _meaning(after[field]):
            yield _Change(True, name, f".{field} was {_shown(before[field])}, is {_shown(after[field])}")
        elif sent and field in required - was_required:
            yield _Change(True, name, f".{field} is required now")
        elif not sent and field in was_required - required:
            yield _Change(True, name, f".{field} may be missing now")
    if not before and not after and _meaning(old) != _meaning(new):
        yield _Change(True, name, f" was {_shown(old)}, is {_shown(new)}")


def _is_conditions(old: Document, new: Document) -> bool:
    """Groups of conditions: what they may hold are the list's own parameters, of which each change is told."""
    return all(one.get("type") == "string" and str(one.get("pattern", "")).startswith(r"^\(") for one in (old, new))


def _reached(document: Document, part: str) -> frozenset[str]:
    """Names of the schemas that this part of any operation leads to."""
    found: set[str] = set()
    for item in document.get("paths", {}).values():
        for method in _METHODS:
            if method in item and part in item[method]:
                found |= _names(item[method][part], document)
    return frozenset(found)


def _paths_of(name: str, document: Document) -> frozenset[str]:
    paths = document.get("paths", {})
    return frozenset(path for path, item in paths.items() if name in _names(item, document))


def _names(part: Any, document: Document) -> set[str]:
    found: set[str] = set()
    waiting = [part]
    seen: set[str] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            reference = one.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                if reference.startswith("#/components/schemas/"):
                    found.add(reference.rsplit("/", 1)[1])
                waiting.append(_seen(one, document))
            waiting += one.values()
    return found


def _meaning(schema: Any) -> Any:
    """A schema without what only people read."""
    if isinstance(schema, dict):
        return {key: _meaning(part) for key, part in schema.items() if key not in _FOR_PEOPLE}
    return [_meaning(part) for part in schema] if isinstance(schema, list) else schema


def _shown(schema: Any) -> str:
    text = json.dumps(_meaning(schema))
    return text if len(text) <= 80 else f"{text[:77]}…"
