"""Groups of conditions as a regular expression: what `or=(…)` and `lines.where=(…)` may hold, name by name.

The pattern covers conditions and one level of groups among them; groups go deeper than a pattern can say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from api_gateway.api.openapi.schemas import Json
from shared_models.resources import BoundResource, Field, Resources

_QUOTED = r'"(?:[^"\\\u0000]|\\["\\])*"'
_TEXT = rf'(?:{_QUOTED}|[^\u0000,()"][^\u0000,()]*)'
_LIKE = r'[^\u0000,()"\\][^\u0000,()\\]{0,99}'
_DATE = r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
_FORMATS = {
    "date": _DATE,
    "date-time": _DATE + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-]0[0-9]:00)",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}
_ITEMS = 8


def filter_schema(resource: BoundResource, resources: Resources) -> Json | None:
    """The component `<Resource>Filter`; None: nothing of it can be filtered by."""
    parts = list(_conditions(resource, resources))
    if not parts:
        return None
    condition = f"(?:{'|'.join(parts)})"
    group = rf"(?:or|and|not)\({condition}(?:,{condition}){{0,{_ITEMS - 1}}}\)"
    item = f"(?:{condition}|{group})"
    return {
        "type": "string",
        "description": f"Conditions on {resource.name}, and groups of them: `(a[gt]=1,or(b=x,c[in]=(1,2)))`.",
        "pattern": rf"^\({item}(?:,{item}){{0,{_ITEMS - 1}}}\)$",
    }


def can_be_filtered(resource: BoundResource, resources: Resources) -> bool:
    """Is there a component `<Resource>Filter`?"""
    parents = (resources.of(link.target) for link in resource.links.values() if link.kind == "parent")
    taken = [(field, field.operators) for field in resource.fields.values()]
    behind = ((field, field.operators_behind_parent) for parent in parents for field in parent.fields.values())
    return any(True for field, operators in chain(taken, behind) for _ in _operands(field, operators))


def filter_schemas(resources: Resources) -> Json:
    schemas = {f"{resource.name}Filter": filter_schema(resource, resources) for resource in resources}
    return {name: schema for name, schema in schemas.items() if schema is not None}


def _conditions(resource: BoundResource, resources: Resources) -> Iterator[str]:
    yield from _of_fields(resource, "")
    for name, link in resource.links.items():
        if link.kind == "parent":
            yield from _of_fields(resources.of(link.target), re.escape(name).replace(r"\-", "-") + r"\.")


def _of_fields(resource: BoundResource, prefix: str) -> Iterator[str]:
    """One alternative for all fields that take the same operators and the same values."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for field in resource.fields.values():
        for operators, operand in _operands(field, field.operators_behind_parent if prefix else field.operators):
            alike.setdefault((operand, operators), []).append(field.name)
    for (operand, operators), names in alike.items():
        yield rf"{prefix}(?:{'|'.join(names)})\[(?:{'|'.join(operators)})\]={operand}"


def _operands(field: Field, taken: frozenset[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    value = _value(field)
    single = tuple(o for o in ("eq", "ne", "lt", "lte", "gt", "gte") if o in taken)
    if value is not None and single:
        yield single, value
    if value is not None and "in" in taken:
        yield ("in",), rf"\({value}(?:,{value}){{0,7}}\)"
    if "like" in taken:
        yield ("like", "ilike"), _LIKE
    if "null" in taken:
        yield ("null",), "(?:true|false)"


def _value(field: Field) -> str | None:
    schema = field.value.schema
    if "enum" in schema:
        plain = [_json_text(label) for label in schema["enum"]]
        return f"(?:{'|'.join(re.escape(text) for text in plain)})" if all(map(_is_plain, plain)) else None
    if schema.get("type") == "boolean":
        return "(?:true|false)"
    if schema.get("type") == "integer":
        digits = len(str(schema.get("maximum", 0))) - 1
        return ("-?" if schema.get("minimum", 0) < 0 else "") + f"[0-9]{{1,{digits}}}" if digits else None
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "like" in field.operators:
        return _TEXT
    return r"-?[0-9]{1,12}(?:\.[0-9]{1,12})?" if field.column.type.name == "numeric" else None


def _json_text(label: object) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _is_plain(text: str) -> bool:
    return bool(text) and not set(text) & set(',()"\\') and text.isprintable()
