"""Parents, children, and rules about rows: what one resource says about another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_origin

from pydantic.fields import FieldInfo

from shared_models.annotations import bare, is_optional
from shared_models.contract import Children, Parent, Resource
from shared_models.meanings import stored_text
from shared_models.resources import BoundResource, Link
from shared_models.rows import Reference, Through, Where
from shared_models.snapshot import ColumnType, Table

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "oid"})
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext"})


def bind_link(
    resource: BoundResource,
    target: BoundResource | None,
    target_class: type[Resource],
    marker: Parent | Children,
    name: str,
    attribute: str,
    info: FieldInfo,
) -> Link:
    """Raises ValueError: a column that is missing, a key that is needed, types that cannot be compared."""
    if target is None:
        raise ValueError(f"{target_class.__name__} does not fit the snapshot itself")
    is_list = get_origin(bare(info.annotation)[0]) in (list, tuple)
    if is_list is isinstance(marker, Parent):
        raise ValueError("Parent is for one resource, Children for a list of them")
    if isinstance(marker, Parent):
        if not is_optional(info.annotation):
            raise ValueError("a parent that is not included, or is not there, is null: write `… | None`")
        pairs = _pairs(marker.columns, marker.to or _key_columns(target), resource, target)
        return Link(name, attribute, "parent", target_class, pairs, description=info.description)
    if info.is_required():
        raise ValueError("children are not always included: give the field a default")
    if not 1 <= marker.limit <= 10_000:
        raise ValueError("limit must be from 1 to 10000")
    pairs = _pairs(marker.to or _key_columns(resource), marker.on, resource, target)
    return Link(
        name,
        attribute,
        "children",
        target_class,
        pairs,
        marker.limit,
        info.description,
        writable=marker.writable,
        numbered=marker.numbered,
    )


def _key_columns(resource: BoundResource) -> tuple[str, ...]:
    return tuple(field.column.name for field in resource.key)


def _pairs(
    here: tuple[str, ...], there: tuple[str, ...], resource: BoundResource, target: BoundResource
) -> tuple[tuple[str, str], ...]:
    if not here or len(here) != len(there):
        ours, theirs = ", ".join(here) or "nothing", ", ".join(there) or "nothing"
        raise ValueError(f"{ours} of {resource.table.name} cannot equal {theirs} of {target.table.name}")
    for own, other in zip(here, there, strict=True):
        if not _comparable(_type(resource.table, own), _type(target.table, other)):
            raise ValueError(
                f"{resource.table.name}.{own} ({_type(resource.table, own).sql}) and "
                f"{target.table.name}.{other} ({_type(target.table, other).sql}) cannot be compared"
            )
    return tuple(zip(here, there, strict=True))


def _type(table: Table, column: str) -> ColumnType:
    found = table.column(column)
    if found is None:
        raise ValueError(f"there is no column {column!r} in {table.qualified}")
    return found.type


def _comparable(one: ColumnType, other: ColumnType) -> bool:
    if one.is_array or other.is_array:
        return False
    families = ({one.name, other.name} <= family for family in (_NUMBERS, _TEXTS))
    return (one.schema, one.name) == (other.schema, other.name) or any(families)


def check_rows(resource: BoundResource, bound: Mapping[type[Resource], BoundResource]) -> Iterator[str]:
    """What is wrong with a rule about rows."""
    for rule in resource.rows.parts():
        if isinstance(rule, Where):
            yield from _check_where(rule, resource.table)
        elif isinstance(rule, Through):
            link = resource.links.get(rule.parent)
            if link is None or link.kind != "parent":
                yield f"Rows.through({rule.parent!r}): there is no such parent"
            elif _leads_back(link.target, resource.cls, bound, frozenset()):
                yield f"Rows.through({rule.parent!r}) leads back to {resource.name}"


def _check_where(rule: Where, table: Table) -> Iterator[str]:
    for name, value in rule.conditions:
        column = table.column(name)
        if column is None:
            yield f"Rows.where({name}=…): there is no such column"
        elif not isinstance(value, Reference):
            try:
                stored_text(value, column.type)
            except ValueError as error:
                yield f"Rows.where({name}=…): {error}"


def _leads_back(
    cls: type[Resource],
    start: type[Resource],
    bound: Mapping[type[Resource], BoundResource],
    seen: frozenset[type[Resource]],
) -> bool:
    if cls is start:
        return True
    resource = bound.get(cls)
    if resource is None or cls in seen:
        return False
    parents = [
        resource.links[r.parent] for r in resource.rows.parts() if isinstance(r, Through) and r.parent in resource.links
    ]
    return any(_leads_back(link.target, start, bound, seen | {cls}) for link in parents)
