"""What changed between two OpenAPI documents of one API, and whether a caller of the old one would notice.

Structural, for documents as this program writes them: paths, parameters, bodies, answers, and the named schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
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


def differences(old: Document, new: Document) -> Iterator[Difference]:
    """What a caller of `old` would miss or be refused, and what is merely new."""
    old_paths, new_paths = old.get("paths", {}), new.get("paths", {})
    for path in sorted(old_paths.keys() | new_paths.keys()):
        for breaking, message in _path(path, old_paths.get(path), new_paths.get(path), old, new):
            yield Difference(breaking, message, frozenset({path}))
    old_schemas, new_schemas = _schemas(old), _schemas(new)
    sent = _reached(new, "requestBody")
    for name in sorted(old_schemas.keys() & new_schemas.keys()):
        paths = _paths_of(name, old)
        for breaking, message in _schema(name, old_schemas[name], new_schemas[name], sent=name in sent):
            yield Difference(breaking, message, paths)


def _schemas(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return found


def _path(
    path: str, old: Document | None, new: Document | None, old_whole: Document, new_whole: Document
) -> Iterator[tuple[bool, str]]:
    if old is None or new is None:
        yield new is None, f"{path} {'is new' if old is None else 'is gone'}"
        return
    for method in _METHODS:
        before, after = old.get(method), new.get(method)
        operation = f"{method.upper()} {path}"
        if before is None and after is None:
            continue
        if before is None or after is None:
            yield after is None, f"{operation} {'is gone' if after is None else 'is new'}"
            continue
        were, are = _all_parameters(old, before, old_whole), _all_parameters(new, after, new_whole)
        yield from _parameters(operation, were, are)
        sent, sends = _seen(before.get("requestBody"), old_whole), _seen(after.get("requestBody"), new_whole)
        yield from _body(operation, sent, sends)
        yield from _answers(operation, before.get("responses", {}), after.get("responses", {}), old_whole, new_whole)


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
    operation: str, before: dict[tuple[str, str], Document], after: dict[tuple[str, str], Document]
) -> Iterator[tuple[bool, str]]:
    for place in sorted(before.keys() | after.keys()):
        name = place[1]
        if place not in after:
            yield True, f"{operation}: parameter {name} is gone"
        elif place not in before:
            required = bool(after[place].get("required"))
            yield required, f"{operation}: {'required ' if required else ''}parameter {name} is new"
        elif after[place].get("required") and not before[place].get("required"):
            yield True, f"{operation}: parameter {name} is required now"
        elif _meaning(before[place].get("schema")) != _meaning(after[place].get("schema")):
            shown = f"was {_shown(before[place].get('schema'))}, is {_shown(after[place].get('schema'))}"
            wider = _takes_all(before[place].get("schema"), after[place].get("schema"))
            yield not wider, f"{operation}: parameter {name} {shown}"


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


def _body(operation: str, old: Any, new: Any) -> Iterator[tuple[bool, str]]:
    if new is None or old is None:
        if old is not None:
            yield True, f"{operation}: no body is taken any more"
        elif new is not None:
            yield bool(new.get("required")), f"{operation}: a body is taken now"
        return
    if new.get("required") and not old.get("required"):
        yield True, f"{operation}: the body is required now"
    yield from _media(f"{operation}: body", old.get("content", {}), new.get("content", {}))


def _answers(
    operation: str, old: Document, new: Document, old_whole: Document, new_whole: Document
) -> Iterator[tuple[bool, str]]:
    for status in sorted(old.keys() | new.keys()):
        succeeds = status.startswith("2")
        if status not in new:
            yield succeeds, f"{operation}: answer {status} is gone"
        elif status not in old:
            yield False, f"{operation}: answer {status} is new"
        else:
            before, after = _seen(old[status], old_whole), _seen(new[status], new_whole)
            yield from _media(f"{operation}: answer {status}", before.get("content", {}), after.get("content", {}))


def _media(place: str, old: Document, new: Document) -> Iterator[tuple[bool, str]]:
    for media in sorted(old.keys() | new.keys()):
        if media not in new:
            yield True, f"{place}: {media} is gone"
        elif media not in old:
            yield False, f"{place}: {media} is new"
        elif _meaning(old[media].get("schema")) != _meaning(new[media].get("schema")):
            yield True, f"{place}: was {_shown(old[media].get('schema'))}, is {_shown(new[media].get('schema'))}"


def _schema(name: str, old: Document, new: Document, *, sent: bool) -> Iterator[tuple[bool, str]]:
    """`sent`: callers send it, so that a new required field refuses those who do not know it."""
    before, after = old.get("properties", {}), new.get("properties", {})
    required, was_required = set(new.get("required", [])), set(old.get("required", []))
    for field in sorted(before.keys() | after.keys()):
        if field not in after:
            yield True, f"{name}.{field} is gone"
        elif field not in before:
            demanded = sent and field in required
            yield demanded, f"{name}.{field} is new{', and required' if demanded else ''}"
        elif _meaning(before[field]) != _meaning(after[field]):
            yield True, f"{name}.{field} was {_shown(before[field])}, is {_shown(after[field])}"
        elif sent and field in required - was_required:
            yield True, f"{name}.{field} is required now"
        elif not sent and field in was_required - required:
            yield True, f"{name}.{field} may be missing now"
    if not before and not after and _meaning(old) != _meaning(new):
        yield True, f"{name} was {_shown(old)}, is {_shown(new)}"


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
