"""Groups of conditions as a regular expression: what `or=(…)` and `lines.where=(…)` may hold, name by name.

The pattern covers conditions and one level of groups among them; groups go deeper than a pattern can say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache

from api_gateway.api.openapi.schemas import Json
from shared_models.resources import BoundResource, Field, Resources
from shared_models.values import Schema, Value

_QUOTED = r'"(?:[^"\\\u0000]|\\["\\])*"'
_TEXT = rf'(?:{_QUOTED}|[^\u0000,()"][^\u0000,()]*)'
_LIKE = r'[^\u0000,()"\\][^\u0000,()\\]{0,99}'
_DATE = r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:[01][1-9]|2[0-8])"
_FORMATS = {
    "date": _DATE,
    "date-time": _DATE + r"T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:Z|[+-]0[0-9]:00)",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
_ITEMS = 8
_SINGLE = ("eq", "ne", "lt", "lte", "gt", "gte")
_COMPARING = frozenset({*_SINGLE, "in"})


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
    reached = (
        (f, f.operators_behind_parent if behind else f.operators)
        for behind, fields in _reached(resource, resources)
        for f in fields.values()
    )
    return any(True for field, taken in reached for _ in _tests(field, taken))


def filter_schemas(resources: Resources) -> Json:
    schemas = {f"{resource.name}Filter": filter_schema(resource, resources) for resource in resources}
    return {name: schema for name, schema in schemas.items() if schema is not None}


def _conditions(resource: BoundResource, resources: Resources) -> Iterator[str]:
    """One alternative for all fields, own ones and parents', that take the same operators and the same values."""
    alike: dict[str, dict[str, list[str]]] = {}
    for behind, fields in _reached(resource, resources):
        for field in fields.values():
            for test in _tests(field, field.operators_behind_parent if behind else field.operators):
                alike.setdefault(test, {}).setdefault(behind, []).append(field.name)
    for test, names in alike.items():
        yield _one_of(f"{behind}{_one_of(each)}" for behind, each in names.items()) + test


def _reached(resource: BoundResource, resources: Resources) -> Iterator[tuple[str, Mapping[str, Field]]]:
    yield "", resource.fields
    for name, link in resource.links.items():
        if link.kind == "parent" and resource.include_depth > 0:
            yield re.escape(name).replace(r"\-", "-") + r"\.", resources.of(link.target).fields


def _one_of(parts: Iterable[str]) -> str:
    listed = list(parts)
    return listed[0] if len(listed) == 1 else f"(?:{'|'.join(listed)})"


def _tests(field: Field, taken: frozenset[str]) -> Iterator[str]:
    """What may stand behind a field's name: operators, and what they take."""
    is_text, is_numeric = "like" in field.operators, field.column.type.name == "numeric"
    operand = _operand(field.value, is_text=is_text, is_numeric=is_numeric)
    if operand is not None and taken & _COMPARING:
        yield _comparison(operand, taken & _COMPARING)
    if "like" in taken:
        yield rf"\[i?like\]={_LIKE}"
    if "null" in taken:
        yield r"\[null\]=(?:true|false)"


@cache
def _comparison(operand: str, taken: frozenset[str]) -> str:
    single = _one_of(operator for operator in _SINGLE if operator in taken)
    several = rf"in\]=\({operand}(?:,{operand}){{0,{_ITEMS - 1}}}\)"
    return rf"\[(?:{single}\]={operand}|{several})" if "in" in taken else rf"\[{single}\]={operand}"


@lru_cache(maxsize=8192)
def _operand(value: Value, *, is_text: bool, is_numeric: bool) -> str | None:
    return operand_pattern(value.schema, is_text=is_text, is_numeric=is_numeric)


def operand_pattern(schema: Schema, *, is_text: bool, is_numeric: bool) -> str | None:
    """Of one value; None where no pattern can say it."""
    if "enum" in schema:
        plain = [_json_text(label) for label in schema["enum"]]
        return _one_of(map(re.escape, plain)) if all(map(_is_plain, plain)) else None
    if schema.get("type") == "boolean":
        return "(?:true|false)"
    if schema.get("type") == "integer":
        digits = len(str(schema.get("maximum", 0))) - 1
        return ("-?" if schema.get("minimum", 0) < 0 else "") + f"[0-9]{{1,{digits}}}" if digits else None
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if is_text:
        return _TEXT
    return r"-?[0-9]{1,12}(?:\.[0-9]{1,12})?" if is_numeric else None


def _json_text(label: object) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _is_plain(text: str) -> bool:
    return bool(text) and not set(text) & set(',()"\\') and text.isprintable()
