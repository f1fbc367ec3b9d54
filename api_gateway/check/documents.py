"""What changed between two OpenAPI documents of one API, and whether a caller of the old one would notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def differences(old: Document, new: Document) -> Iterator[tuple[bool, str]]:
    """(breaking, message): what a caller of `old` would miss or be refused, and what is merely new."""
    old_paths, new_paths = old.get("paths", {}), new.get("paths", {})
    for path in sorted(old_paths.keys() | new_paths.keys()):
        yield from _path(path, old_paths.get(path), new_paths.get(path))
    old_schemas, new_schemas = _schemas(old), _schemas(new)
    for name in sorted(old_schemas.keys() & new_schemas.keys()):
        yield from _schema(name, old_schemas[name], new_schemas[name])


def _schemas(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return found


def _path(path: str, old: Document | None, new: Document | None) -> Iterator[tuple[bool, str]]:
    if old is None or new is None:
        yield new is None, f"{path} {'is new' if old is None else 'is gone'}"
        return
    for method in sorted((old.keys() | new.keys()) - {"parameters", "summary", "description"}):
        if method not in new or method not in old:
            yield method not in new, f"{method.upper()} {path} {'is gone' if method not in new else 'is new'}"
            continue
        yield from _parameters(f"{method.upper()} {path}", old[method], new[method])


def _parameters(operation: str, old: Document, new: Document) -> Iterator[tuple[bool, str]]:
    before, after = _by_name(old), _by_name(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield True, f"{operation}: parameter {name} is gone"
        elif name not in before:
            required = bool(after[name].get("required"))
            yield required, f"{operation}: {'required ' if required else ''}parameter {name} is new"
        elif after[name].get("required") and not before[name].get("required"):
            yield True, f"{operation}: parameter {name} is required now"


def _by_name(operation: Document) -> dict[str, Document]:
    return {p["name"]: p for p in operation.get("parameters", []) if "name" in p}


def _schema(name: str, old: Document, new: Document) -> Iterator[tuple[bool, str]]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for field in sorted(before.keys() | after.keys()):
        if field not in after:
            yield True, f"{name}.{field} is gone"
        elif field not in before:
            yield False, f"{name}.{field} is new"
        elif _meaning(before[field]) != _meaning(after[field]):
            yield True, f"{name}.{field} was {_shown(before[field])}, is {_shown(after[field])}"


def _meaning(schema: Any) -> Any:
    """A schema without what only people read."""
    if isinstance(schema, dict):
        return {key: _meaning(part) for key, part in schema.items() if key not in ("description", "title", "examples")}
    return [_meaning(part) for part in schema] if isinstance(schema, list) else schema


def _shown(schema: Any) -> str:
    text = json.dumps(_meaning(schema))
    return text if len(text) <= 80 else f"{text[:77]}…"
