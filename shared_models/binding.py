"""Bind a contract to a snapshot: find every table and column it names, check every type, and report all faults at once.

bind(contract, snapshot)             raises ContractError naming file, line, table and column of each fault
bind_what_fits(contract, snapshot)   takes out what does not fit, and serves the rest (`fitting`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any, ForwardRef, get_type_hints

from pydantic.fields import FieldInfo

from shared_models import contract as c
from shared_models.binder import NAME, Binder, api_name, link_marker, target_of
from shared_models.fitting import fitting
from shared_models.links import bind_link, check_rows
from shared_models.places import Places
from shared_models.resources import BoundResource, ContractError, Finding, Link, Resources
from shared_models.schema_names import clashes
from shared_models.snapshot import Snapshot
from shared_models.tables import Sources
from shared_models.writing import check_writing


def bind(module: ModuleType, snapshot: Snapshot, *, zone: str = "UTC") -> Resources:
    """Every resource of a contract module. `zone` is that of a LocalTime which names none. Raises ContractError."""
    resources, findings = _bind(module, snapshot, zone)
    if findings:
        raise ContractError(findings)
    return resources


def bind_what_fits(
    module: ModuleType,
    snapshot: Snapshot,
    *,
    zone: str = "UTC",
    besides: Callable[[Resources], Iterable[Finding]] = lambda _: (),
) -> Resources:
    """As `bind`, but what does not fit is out of service instead of an error: a resource, a verb of it, a link.

    `besides`: what else is wrong with resources that are bound, and takes them out as well.
    """
    resources, findings = _bind(module, snapshot, zone)
    what_fits = fitting(resources, [*findings, *besides(resources)], classes_of(module))
    return replace(what_fits, bound=_with_columns_of_links(what_fits.bound))


def _bind(module: ModuleType, snapshot: Snapshot, zone: str) -> tuple[Resources, list[Finding]]:
    places, sources = Places(), Sources()
    findings: list[Finding] = []
    bound: dict[type[c.Resource], BoundResource] = {}
    for cls in classes_of(module):
        resource, faults = Binder(cls, snapshot, zone, places, sources).bind()
        findings += faults
        if resource is not None:
            bound[cls] = resource
    for cls, resource in list(bound.items()):
        bound[cls], faults = _linked(resource, bound, places)
        findings += faults
    for cls, resource in bound.items():
        findings += [places.finding(cls, resource.table.qualified, None, text) for text in check_rows(resource, bound)]
        findings += [
            places.finding(cls, resource.table.qualified, one.column, one.message, one.attribute, verbs=one.verbs)
            for one in check_writing(resource, bound)
        ]
    findings += _doubled_paths(bound.values(), places)
    findings += [places.finding(one.cls, one.table.qualified, None, why) for one, why in clashes(bound)]
    return Resources(_with_columns_of_links(bound)), findings


def classes_of(module: ModuleType) -> list[type[c.Resource]]:
    """The resources a contract module holds, and those they lead to, in the order of the file."""
    found: dict[type[c.Resource], None] = {}
    waiting = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, c.Resource)]
    while waiting:
        cls = waiting.pop(0)
        if cls in found or cls.__definition__ is None:
            continue
        found[cls] = None
        _read_annotations(cls, vars(module))
        waiting += [target for info in cls.model_fields.values() if (target := target_of(info.annotation))]
    return list(found)


def _read_annotations(cls: type[c.Resource], namespace: Mapping[str, Any]) -> None:
    """Those that name what is defined further down. A rebuild of the model would also make validators of all it names.

    What cannot be read stays as it is: it is reported field by field.
    """
    if cls.__pydantic_fields_complete__:
        return
    with suppress(NameError):
        hints = get_type_hints(cls, localns=dict(namespace), include_extras=True)
        for name, info in list(cls.model_fields.items()):
            if isinstance(info.annotation, (str, ForwardRef)):
                cls.model_fields[name] = _read(hints[name], info)


def _read(hint: Any, unread: FieldInfo) -> FieldInfo:
    """The field as pydantic would have made it, had it known the annotation's names."""
    if unread.is_required():
        return FieldInfo.from_annotation(hint)
    is_field = unread.default_factory or unread.alias or unread.serialization_alias or unread.description
    return FieldInfo.from_annotated_attribute(hint, unread if is_field else unread.default)


def tables_of(module: ModuleType) -> frozenset[tuple[str, str]]:
    """(schema, name) of every table that a contract module names."""
    definitions = (cls.__definition__ for cls in classes_of(module))
    return frozenset((d.schema, d.table) for d in definitions if d is not None)


def _linked(
    resource: BoundResource, bound: Mapping[type[c.Resource], BoundResource], places: Places
) -> tuple[BoundResource, list[Finding]]:
    links: dict[str, Link] = {}
    findings: list[Finding] = []
    for attribute, info in resource.cls.model_fields.items():
        target, marker = target_of(info.annotation), link_marker(info)
        if target is None and marker is None:
            continue
        name = api_name(attribute, info)
        try:
            if target is None or marker is None:
                raise ValueError("a Parent or Children marker and a resource belong together")
            if name in resource.fields or name in links or not NAME.fullmatch(name):
                raise ValueError(f"the name {name!r} is taken or no name")
            links[name] = bind_link(resource, bound.get(target), target, marker, name, attribute, info)
        except ValueError as error:
            place = resource.table.qualified
            findings.append(places.finding(resource.cls, place, None, str(error), attribute, link=name))
    return replace(resource, links=links), findings


def _doubled_paths(bound: Iterable[BoundResource], places: Places) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for resource in bound:
        if resource.path is None:
            continue
        if taken.get(resource.path, resource.name) != resource.name:
            message = f"the path {resource.path!r} is {taken[resource.path]}'s already"
            yield places.finding(resource.cls, resource.table.qualified, None, message)
        taken[resource.path] = resource.name


def _with_columns_of_links(
    bound: Mapping[type[c.Resource], BoundResource],
) -> dict[type[c.Resource], BoundResource]:
    """Each resource with every column that its fields, rules and links, in both directions, have to read."""
    needed: dict[type[c.Resource], set[str]] = {cls: own_columns(resource) for cls, resource in bound.items()}
    for cls, resource in bound.items():
        for link in resource.links.values():
            needed[cls].update(own for own, _ in link.pairs)
            needed[link.target].update(other for _, other in link.pairs)
    return {cls: replace(resource, columns=frozenset(needed[cls])) for cls, resource in bound.items()}


def own_columns(resource: BoundResource) -> set[str]:
    columns = {name for field in resource.fields.values() for name in field.column_names} | resource.rows.columns()
    return columns | ({resource.soft_delete[0]} if resource.soft_delete is not None else set())
