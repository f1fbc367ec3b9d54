"""Filters on fields of parents with every operator: `customer.name[ilike]=…`, `order.customer.country=…`.

They are one parameter, an object whose properties are sent as parameters of their own (style `form`, exploded), and
whose names are told by patterns: name by name they would be the greater part of the document. What a field of a
parent equals is a parameter by itself besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from api_gateway.api.openapi.patterns import operand_pattern
from api_gateway.api.openapi.schemas import Json
from api_gateway.api.openapi.shared import Shared
from shared_models.resources import BoundResource, Field, Resources

Operands = Callable[[Field, str], Json]
"""The schema of what an operator of a field takes, as a parameter of its own has it."""

_TEXT = r'[^\u0000,"][^\u0000,]*'
_WORD = r'"[A-Za-z0-9 _.-]*"'
_MEMBER = rf"{_WORD}:(?:null|{_WORD})"
_OBJECT = rf"^\{{(?:{_MEMBER}(?:,{_MEMBER})*)?\}}$"


def ways_to_parents(resource: BoundResource, resources: Resources) -> Iterator[tuple[BoundResource, list[str]]]:
    """Each resource that parents lead to, and the ways that lead there: `customer`, `order.customer`."""
    found: dict[type, list[str]] = {}
    for path, parent in _ways(resource, resources, resource.include_depth):
        found.setdefault(parent.cls, []).append(path)
    for cls, paths in found.items():
        yield resources.bound[cls], paths


def _ways(resource: BoundResource, resources: Resources, depth: int) -> Iterator[tuple[str, BoundResource]]:
    for name, link in resource.links.items() if depth > 0 else ():
        if link.kind == "parent":
            parent = resources.of(link.target)
            yield name, parent
            yield from ((f"{name}.{above}", found) for above, found in _ways(parent, resources, depth - 1))


def parents_parameter(
    resource: BoundResource, resources: Resources, operands: Operands, taken: Iterable[str], shared: Shared
) -> Json | None:
    """`taken`: names of other parameters. Its own is never sent."""
    patterns: Json = {}
    for parent, paths in ways_to_parents(resource, resources):
        direct, above = [p for p in paths if "." not in p], [p for p in paths if "." in p]
        # A parent has many children, and grandchildren.
        for names, operators, schema in shared.remembered(
            ("parent", parent.name), partial(_alike, parent, operands, shared)
        ):
            for ways, is_direct in ((direct, True), (above, False)):
                # what a field of a direct parent equals has a parameter of its own
                shown = [o for o in operators if o != "eq"] if is_direct else operators
                if ways and shown:
                    patterns[f"^{_one_of(map(re.escape, ways))}\\.{_one_of(names)}{_bracketed(shown)}$"] = schema
    if not patterns:
        return None
    name = "parents"
    while name in taken:
        name += "_"
    told = "Conditions on fields of parents, each a parameter by itself: `customer.name[ilike]=…`."
    # No other name. Generators that know no patterns take it for text, and send that.
    schema = {"type": "object", "patternProperties": patterns, "additionalProperties": {"type": "string", "not": {}}}
    return {"name": name, "in": "query", "description": told, "style": "form", "explode": True, "schema": schema}


def _alike(parent: BoundResource, operands: Operands, shared: Shared) -> Iterator[tuple[list[str], list[str], Json]]:
    """Fields, and operators of theirs, that take the same values."""
    found: dict[str, tuple[Json, dict[str, list[str]]]] = {}
    for field in parent.fields.values():
        for operator in sorted(field.operators_behind_parent):
            type_ = (field.value, field.containing, "like" in field.operators, field.column.type.name)
            ((schema, key),) = shared.remembered((type_, operator), partial(_with_key, field, operator, operands))
            found.setdefault(key, (schema, {}))[1].setdefault(field.name, []).append(operator)
    for schema, by_field in found.values():
        by_operators: dict[tuple[str, ...], list[str]] = {}
        for name, operators in by_field.items():
            by_operators.setdefault(tuple(operators), []).append(name)
        for together, names in by_operators.items():
            yield names, list(together), schema


def _with_key(field: Field, operator: str, operands: Operands) -> Iterator[tuple[Json, str]]:
    """The schema, and what it is told from others by."""
    schema = _textual(field, operator, operands)
    yield schema, repr(schema)


def _textual(field: Field, operator: str, operands: Operands) -> Json:
    """A list, and JSON, are text like any other here."""
    schema = operands(field, operator)
    if schema.get("type") == "array":
        items = schema["items"]
        one = operand_pattern(items, is_text="like" in field.operators, is_numeric=field.column.type.name == "numeric")
        return {"type": "string", "pattern": f"^{one or _TEXT}(?:,{one or _TEXT})*$"}
    return {"type": "string", "pattern": _OBJECT} if "contentMediaType" in schema else schema


def _bracketed(operators: Iterable[str]) -> str:
    """Without brackets it is `eq`."""
    listed = list(operators)
    inside = rf"\[{_one_of(listed)}\]"
    return f"(?:{inside})?" if "eq" in listed else inside


def _one_of(parts: Iterable[str]) -> str:
    listed = [part.replace(r"\-", "-") for part in parts]
    return listed[0] if len(listed) == 1 else f"(?:{'|'.join(listed)})"
