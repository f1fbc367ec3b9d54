"""The fields of one resource, bound to the columns of its table; every fault of them is collected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args, get_origin

import sqlalchemy as sa
from pydantic.fields import FieldInfo

from shared_models import contract as c
from shared_models.aggregating import bind_aggregates
from shared_models.annotations import bare, choices, is_optional
from shared_models.calendar import kept_promise
from shared_models.containing import containing_of
from shared_models.joining import joined
from shared_models.limits import limited, limits_of
from shared_models.meanings import coded, local, stored_text, without
from shared_models.places import Places
from shared_models.resources import BoundResource, BoundSearch, Field, Finding, Sort
from shared_models.rows import NoRows, Rows
from shared_models.snapshot import Column, Snapshot, Table
from shared_models.spelling import constant, type_name
from shared_models.tables import Sources
from shared_models.values import Value, value_of
from shared_models.writing import WRITING, bind_writing

_PATH = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LANGUAGE = re.compile(r"[a-z_][a-z0-9_]*")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")


def target_of(annotation: Any) -> type[c.Resource] | None:
    """The resource in `Customer`, `Customer | None`, `list[OrderLine]`."""
    inner = bare(annotation)[0]
    if not isinstance(inner, type) and get_origin(inner) in (list, tuple) and get_args(inner):
        inner = bare(get_args(inner)[0])[0]
    return inner if isinstance(inner, type) and issubclass(inner, c.Resource) else None


def api_name(attribute: str, info: FieldInfo) -> str:
    return info.serialization_alias or info.alias or attribute


def link_marker(info: FieldInfo) -> c.Parent | c.Children | None:
    return next((m for m in info.metadata if isinstance(m, (c.Parent, c.Children))), None)


class Binder:
    """Binds the columns of one resource; links follow when every resource is known."""

    def __init__(self, cls: type[c.Resource], snapshot: Snapshot, zone: str, places: Places, sources: Sources) -> None:
        assert cls.__definition__ is not None  # noqa: S101 - classes_of() gives no others
        self.cls, self.snapshot, self.zone, self.places, self.sources = cls, snapshot, zone, places, sources
        self.definition = cls.__definition__
        self.place = f"{self.definition.schema}.{self.definition.table}"
        self.findings: list[Finding] = []

    def bind(self) -> tuple[BoundResource | None, list[Finding]]:
        table = self.snapshot.table(self.definition.schema, self.definition.table)
        if table is None:
            self._fault("there is no such table or view in the snapshot")
            return None, self.findings
        definition = self.definition
        resource = BoundResource(
            cls=self.cls,
            name=self.cls.__name__,
            path=self._path(),
            table=table,
            sources=self.sources,
            fields=self._fields(table),
            links={},
            rows=self._rows(),
            scope=definition.scope,
            verbs=definition.verbs,
            description=self.cls.__doc__,
            soft_delete=self._soft_delete(table),
            include_depth=self._depth(),
            totals=definition.totals,
            deprecated=definition.deprecated,
        )
        resource = replace(
            resource, writing=bind_writing(definition, table, resource.fields, self.zone, self._about_writing)
        )
        if definition.path is not None and not resource.key and "get" in definition.verbs:
            resource = replace(resource, verbs=("list",))
        if not resource.fields:
            self._fault("no field of it is a column")
        elif definition.path is not None and not resource.order:
            self._fault("no field can be sorted by, so there is no order for pages")
        if definition.aggregates is not None:
            resource = replace(resource, aggregates=bind_aggregates(definition.aggregates, resource, self._fault))
        return replace(resource, sort=self._sort(resource), search=self._search(resource)), self.findings

    def _path(self) -> str | None:
        path = self.definition.path
        if path is not None and not _PATH.fullmatch(path):
            self._fault(f"path {path!r} must be lower-case letters, digits, '-' and '_'")
        return path

    def _search(self, resource: BoundResource) -> BoundSearch | None:
        search = self.definition.search
        if search is None:
            return None
        columns = []
        for name in search.fields:
            field = resource.fields.get(name)
            if field is None or "like" not in field.operators or field.value.lossy or field.also:
                self._fault(f"Search({name!r}): that is no field of text that can be filtered by")
            else:
                columns.append(field.column.name)
        if not (search.fields or search.stored) or not _LANGUAGE.fullmatch(search.language):
            self._fault("Search needs fields, and the name of a text search configuration such as 'english'")
        if search.stored is not None:
            column = resource.table.column(search.stored)
            if column is None or column.type.name != "tsvector" or column.type.is_array:
                self._fault(f"Search(stored={search.stored!r}): that is no column of type tsvector", search.stored)
                return None
        return BoundSearch(tuple(columns), search.language, search.stored)

    def _depth(self) -> int:
        depth = self.definition.include_depth
        if not 0 <= depth <= c.MAX_DEPTH:
            self._fault(f"include_depth={depth} must be from 0 to {c.MAX_DEPTH}")
            return 0
        return depth

    def _rows(self) -> Rows:
        rows = self.definition.rows
        if rows is None and self.definition.path is not None:
            self._fault("say whose rows these are: rows=Rows.where(…), Rows.through(…) or Rows.all()")
            return NoRows()
        return rows if rows is not None else Rows.all()

    def _fields(self, table: Table) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for attribute, info in self.cls.model_fields.items():
            if target_of(info.annotation) is not None or link_marker(info) is not None:
                continue
            name = api_name(attribute, info)
            if not NAME.fullmatch(name):
                self._fault(f"the name {name!r} must be letters, digits, '-' and '_'", attribute)
            elif name in fields:
                self._fault(f"two fields are named {name!r}", attribute)
            else:
                field = self._field(table, attribute, name, info)
                fields.update({name: field} if field is not None else {})
        return fields

    def _field(self, table: Table, attribute: str, name: str, info: FieldInfo) -> Field | None:
        marker = next((m for m in info.metadata if isinstance(m, c.Column)), None) or c.Column(attribute)
        column = table.column(marker.column)
        if column is None:
            self._fault("there is no such column", attribute, marker.column)
            return None
        also: list[Column] = []
        for further in marker.columns[1:] if isinstance(marker, c.Joined) else ():
            one = table.column(further)
            if one is None:
                self._fault("there is no such column", attribute, further)
                return None
            also.append(one)
        try:
            is_joined = isinstance(marker, c.Joined)
            value = self._joined((column, *also), marker, info) if is_joined else self._value(column, marker, info)
        except ValueError as error:
            self._fault(str(error), attribute, marker.column)
            return None
        is_key = isinstance(marker, c.Key)
        optional = is_optional(info.annotation)
        if column.nullable and not (optional or also or value.lossy or (is_key and table.is_view)):
            self._fault("the column may be NULL: write `… | None`", attribute, marker.column)
        if is_key and (value.lossy or not value.sortable):
            self._fault("a key must have an order, and no value of it may be read as null", attribute, marker.column)
        return Field(
            name=name,
            attribute=attribute,
            column=column,
            value=value,
            is_key=is_key,
            nullable=value.lossy
            or (column.nullable and not is_key and not also)
            or (optional and table.is_view and not is_key),
            stored_null=all(one.nullable for one in (column, *also)) and not (also and not optional),
            filterable=marker.filter,
            sortable=marker.sort and value.sortable,
            description=info.description,
            write=marker.write,
            containing=None if also else containing_of(column.type),
            limits=limits_of(info) if marker.write else {},
            also=tuple(also),
        )

    def _joined(self, columns: Sequence[Column], marker: c.Column, info: FieldInfo) -> Value:
        assert isinstance(marker, c.Joined)  # noqa: S101 - the caller looked
        value = joined(columns, marker.separator, info.annotation)
        return limited(value, info) if marker.write else value

    def _value(self, column: Column, marker: c.Column, info: FieldInfo) -> Value:
        annotation = Any if info.annotation is None else info.annotation
        for extra in info.metadata:
            if isinstance(extra, c.AsString):
                annotation = c.BigInt
        value = self._meaning(column, marker, annotation)
        nullable = is_optional(annotation) or is_optional(info.annotation)
        value = kept_promise(value, nullable=nullable and not isinstance(marker, c.Key))
        sentinels = [s for m in info.metadata if isinstance(m, c.NoneWhen) for s in m.values]
        if sentinels and not nullable:
            raise ValueError("NoneWhen gives null: write `… | None`")
        limited_value = limited(value, info) if marker.write else value
        return without(limited_value, column.type, sentinels) if sentinels else limited_value

    def _meaning(self, column: Column, marker: c.Column, annotation: Any) -> Value:
        if isinstance(marker, c.Codes):
            return coded(column.type, annotation, marker.values, marker.unknown)
        if isinstance(marker, c.Flag):
            return coded(column.type, annotation, {marker.true: True, marker.false: False}, marker.unknown)
        if isinstance(marker, c.LocalTime):
            return local(column.type, annotation, marker.zone or self.zone)
        names = choices(bare(annotation)[0])
        if names is not None and column.type.kind != "enum":
            return coded(column.type, annotation, {name: name for name in names}, None)
        return value_of(column.type, annotation)

    def _soft_delete(self, table: Table) -> tuple[str, sa.ColumnElement[Any]] | None:
        rule = self.definition.soft_delete
        if rule is None:
            return None
        column = table.column(rule.column)
        if column is None:
            self._fault("there is no such column", None, rule.column)
            return None
        try:
            return rule.column, constant(stored_text(rule.deleted, column.type), type_name(column.type))
        except ValueError as error:
            self._fault(str(error), None, rule.column)
            return None

    def _sort(self, resource: BoundResource) -> tuple[Sort, ...]:
        asked = [part.strip() for part in (self.definition.sort or "").split(",") if part.strip()]
        sorts = tuple(Sort(part.lstrip("-"), part.startswith("-")) for part in asked)
        for sort in sorts:
            field = resource.fields.get(sort.field)
            if field is None or not field.sortable:
                self._fault(f"sort={self.definition.sort!r}: {sort.field!r} is no field that can be sorted by")
                return ()
        return sorts

    def _about_writing(self, message: str, column: str | None) -> None:
        self._fault(message, None, column, verbs=WRITING)

    def _fault(
        self,
        message: str,
        attribute: str | None = None,
        column: str | None = None,
        verbs: tuple[str, ...] = (),
    ) -> None:
        self.findings.append(self.places.finding(self.cls, self.place, column, message, attribute, verbs=verbs))
