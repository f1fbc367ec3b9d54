"""From the shape of a write to its statement: one round trip writes the row, its children and the journal.

    insert   one row of: transaction id, is it the principal's?, parents that are not there, image, document,
             included children, key
    update   one row of: as insert
    delete   one row of: transaction id, the document as it was, image, key
    lock     one row of: document, image, key; the row stays locked

The document is the whole one, as a GET would give it; NULL where triggers may still change the row, so that it must be
read again. The image is what the journal keeps of the columns that were written; NULL where the statement keeps it.
Where the row is none of the principal's, or leads to a parent that is not there for it, nothing may be committed.
Parameters: `w0`, `w1`… the fields, `c0`, `c1`… children as JSON arrays, `k0`… the key, `before`, and the journal's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import CTE, NamedFromClause

from api_gateway.api.compared import joined
from api_gateway.api.filling import filled_value, implied_value
from api_gateway.api.journal import image, journalled
from api_gateway.api.visible import Place, Places, visible
from api_gateway.api.write_shapes import Brought, DeleteShape, InsertShape, LockShape, UpdateShape, WriteShape
from shared_models.prepared import Prepared, parameter, prepared
from shared_models.resources import BoundResource, Field, Filled, Link, Resources
from shared_models.rows import AllRows, implied
from shared_models.spelling import cast_to, quoted_text
from shared_models.values import Expression

_KEPT = 1000
_NOTHING: Expression = sa.cast(sa.null(), sa.Text)


@dataclass(frozen=True, slots=True)
class WriteStatement:
    """`places`: what the principal has to say. `is_whole`: it gives the document; else the row is read again."""

    prepared: Prepared
    places: Mapping[str, Place]
    is_whole: bool


class WriteStatements:
    """The writing statements of a contract by shape; the least recently used are forgotten."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._made: OrderedDict[WriteShape, WriteStatement] = OrderedDict()

    def of(self, shape: WriteShape) -> WriteStatement:
        found = self._made.get(shape)
        if found is not None:
            self._made.move_to_end(shape)
            return found
        made = self._made[shape] = write_statement(shape, self._resources)
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made


def write_statement(shape: WriteShape, resources: Resources) -> WriteStatement:
    builder = _Builder(resources, shape.kind)
    resource = resources.by_path[shape.path]
    match shape:
        case InsertShape():
            statement, is_whole = builder.insert(resource, shape)
        case UpdateShape():
            statement, is_whole = builder.update(resource, shape)
        case DeleteShape():
            statement, is_whole = builder.delete(resource, shape), True
        case LockShape():
            statement, is_whole = builder.lock(resource, shape), True
    return WriteStatement(prepared(statement), builder.places.found, is_whole)


class _Builder:
    def __init__(self, resources: Resources, kind: str) -> None:
        self.resources, self.kind, self.places = resources, kind, Places()

    def insert(self, resource: BoundResource, shape: InsertShape) -> tuple[sa.Select[*tuple[Any, ...]], bool]:
        values = self._given(resource, shape.fields)
        for name, condition in implied(resource.rows, self.kind).items():
            values.setdefault(name, implied_value(resource, name, condition, self.places))
        values |= self._filled(resource.writing.on_create)
        new = sa.insert(resource.source).values(values).returning(*_readable(resource)).cte("new")
        brought = [self._children(resource, new, part, n) for n, part in enumerate(shape.brought)]
        targets = {part.link: self.resources.of(resource.links[part.link].target) for part in shape.brought}
        is_whole = all(_stays(r, "insert") for r in (resource, *targets.values()))
        is_whole = is_whole and all(isinstance(t.rows, AllRows) and t.soft_delete is None for t in targets.values())
        kept = self._journal(resource, new, "insert", sorted(values), None)
        document = self._document(resource, new) if is_whole else _NOTHING
        children = self._included(resource, _together(shape.brought, brought)) if is_whole else _NOTHING
        answer = self._answer(
            resource, new, document, children, shape.fields, None if shape.journal else sorted(values)
        )
        return answer.add_cte(*brought, *([kept] if shape.journal else [])), is_whole

    def update(self, resource: BoundResource, shape: UpdateShape) -> tuple[sa.Select[*tuple[Any, ...]], bool]:
        values = self._given(resource, shape.fields)
        reset = [column.name for name in shape.reset for column in resource.fields[name].columns]
        values |= {name: sa.literal_column("DEFAULT") for name in reset}
        changed = sorted(values)
        values |= self._filled(resource.writing.on_delete if shape.removal else resource.writing.on_write)
        if shape.removal and resource.soft_delete is not None:
            changed = [resource.soft_delete[0]]
        statement = sa.update(resource.source).where(*_keyed(resource.key, resource.source)).values(values)
        new = statement.returning(*_readable(resource)).cte("new")
        before = cast_to(parameter("before"), "jsonb")
        kept = [self._journal(resource, new, "update", changed, before)] if shape.journal else []
        fields = (*shape.fields, *shape.reset)
        is_whole = _stays(resource, "update") or shape.removal
        document = self._document(resource, new) if is_whole else _NOTHING
        answer = self._answer(resource, new, document, _NOTHING, fields, None if shape.journal else changed)
        return answer.add_cte(*kept), is_whole

    def delete(self, resource: BoundResource, shape: DeleteShape) -> sa.Select[*tuple[Any, ...]]:
        rows = resource.source
        mine = visible(resource, rows, self.kind, self.resources, self.places)
        old = sa.delete(rows).where(*_keyed(resource.key, rows), *mine).returning(*_readable(resource)).cte("old")
        kept = [self._journal(resource, old, "delete", sorted(resource.columns), None)] if shape.journal else []
        images = self._image(resource, old, None if shape.journal else sorted(resource.columns))
        keys = [sa.cast(old.c[field.column.name], sa.Text) for field in resource.key]
        found = sa.select(_transaction(), self._document(resource, old), images, *keys)
        return found.select_from(old).add_cte(*kept)

    def lock(self, resource: BoundResource, shape: LockShape) -> sa.Select[*tuple[Any, ...]]:
        row = resource.source.alias("t1")
        named = resource.writing.natural_key if shape.natural else resource.key
        mine = visible(resource, row, self.kind, self.resources, self.places)
        keys = [sa.cast(row.c[field.column.name], sa.Text) for field in resource.key]
        document = self._document(resource, row)
        images = sa.cast(image(row, sorted(resource.columns)), sa.Text)
        found = sa.select(document, images, *keys).select_from(row).where(*_keyed(named, row), *mine)
        return found.with_for_update(of=row, key_share=True) if resource.table.kind != "view" else found

    def _given(self, resource: BoundResource, names: Iterable[str]) -> dict[str, Expression]:
        found: dict[str, Expression] = {}
        for n, name in enumerate(names):
            found |= resource.fields[name].written(parameter(f"w{n}"))
        return found

    def _filled(self, fills: Iterable[Filled]) -> dict[str, Expression]:
        return {filled.column.name: filled_value(filled, self.places) for filled in fills}

    def _children(self, parent: BoundResource, new: CTE, part: Brought, n: int) -> CTE:
        """The rows of one JSON array: each says its own, the parent's new row says the rest."""
        link: Link = parent.links[part.link]
        target = self.resources.of(link.target)
        item = sa.func.json_array_elements(cast_to(parameter(f"c{n}"), "json")).table_valued("value").alias(f"i{n}")
        own: dict[str, Expression] = {}
        for m, name in enumerate(part.fields):
            text = item.c.value.op("->>")(sa.literal_column(str(m), sa.Integer))
            own |= target.fields[name].written(text)
        own |= self._filled(target.writing.on_create)
        own |= {other: new.c[mine] for mine, other in link.pairs}
        rows = sa.select(*own.values()).select_from(new.join(item, sa.true()))
        insert = sa.insert(target.source).from_select(list(own), rows, include_defaults=False)
        return insert.returning(*_readable(target)).cte(f"new{n}")

    def _document(self, resource: BoundResource, row: NamedFromClause[Any]) -> Expression:
        whole = sa.select(*_shown(resource, row)).correlate(row).subquery("document")
        return sa.select(sa.cast(_as_json(whole), sa.Text)).select_from(whole).scalar_subquery()

    def _included(self, resource: BoundResource, children: Mapping[str, Iterable[CTE]]) -> Expression:
        if not children:
            return _NOTHING
        links = [(name, self.resources.of(resource.links[name].target), parts) for name, parts in children.items()]
        columns = [self._listed(target, parts).label(name) for name, target, parts in links]
        whole = sa.select(*columns).subquery("included")
        return sa.select(sa.cast(_as_json(whole), sa.Text)).select_from(whole).scalar_subquery()

    def _listed(self, target: BoundResource, parts: Iterable[CTE]) -> Expression:
        rows = sa.union_all(*(sa.select(*part.c) for part in parts)).subquery("brought")
        order = [rows.c[target.fields[s.field].column.name] for s in target.sort + target.order]
        lines = sa.select(*_shown(target, rows)).select_from(rows).order_by(*order).subquery("lines")
        nothing: Expression = sa.literal_column("'[]'::pg_catalog.json")
        whole = sa.func.coalesce(sa.func.json_agg(_as_json(lines)), nothing)
        return sa.select(whole).select_from(lines).scalar_subquery()

    def _journal(
        self, resource: BoundResource, row: CTE, verb: str, columns: Iterable[str], before: Expression | None
    ) -> CTE:
        return journalled(resource, row, verb, [c for c in columns if c in resource.columns], before)

    def _answer(
        self,
        resource: BoundResource,
        new: CTE,
        document: Expression,
        children: Expression,
        fields: Iterable[str],
        imaged: list[str] | None,
    ) -> sa.Select[*tuple[Any, ...]]:
        keys = [sa.cast(new.c[field.column.name], sa.Text) for field in resource.key]
        mine = visible(resource, new, self.kind, self.resources, self.places)
        inside = sa.cast(sa.func.coalesce(sa.and_(sa.true(), *mine), sa.false()), sa.Text)
        lost = self._lost_parents(
            resource, new, frozenset(c.name for name in fields for c in resource.fields[name].columns)
        )
        images = self._image(resource, new, imaged)
        return sa.select(_transaction(), inside, lost, images, document, children, *keys).select_from(new)

    def _image(self, resource: BoundResource, row: CTE, columns: list[str] | None) -> Expression:
        if columns is None:
            return _NOTHING
        return sa.cast(image(row, [name for name in columns if name in resource.columns]), sa.Text)

    def _lost_parents(self, resource: BoundResource, new: CTE, written: frozenset[str]) -> Expression:
        """Names of the parents that the written columns lead to, and that the principal does not see.

        One that is hidden from it must look like one that is not there, or writing would tell who is.
        """
        names: list[Expression] = []
        for link in resource.links.values():
            target = self.resources.of(link.target)
            is_open = isinstance(target.rows, AllRows) and target.soft_delete is None
            if link.kind != "parent" or is_open or not written.intersection(own for own, _ in link.pairs):
                continue
            parent = target.source.alias(f"parent_{len(names)}")
            pairs = joined(new, parent, link.pairs)
            mine = visible(target, parent, self.kind, self.resources, self.places)
            found = sa.exists(sa.select(sa.literal_column("1")).select_from(parent).where(*pairs, *mine).correlate(new))
            none = [self._is_none(resource, new, own) for own, _ in link.pairs]
            name: Expression = sa.literal_column(quoted_text(link.name))
            names.append(sa.case((sa.not_(sa.or_(found, *none)), name)))
        return sa.func.concat_ws(sa.literal_column("','"), *names) if names else _NOTHING

    def _is_none(self, resource: BoundResource, row: CTE, column: str) -> Expression:
        """NULL, or what the contract reads as null."""
        fields = [field for field in resource.fields.values() if field.column.name == column]
        return sa.or_(row.c[column].is_(None), *(field.value.read(row.c[column]).is_(None) for field in fields))


def _readable(resource: BoundResource) -> list[sa.Column[Any]]:
    return [resource.source.c[name] for name in sorted(resource.columns)]


def _shown(resource: BoundResource, row: sa.FromClause) -> list[Any]:
    return [field.value.read(row.c[field.column.name]).label(field.name) for field in resource.fields.values()]


def _as_json(row: NamedFromClause[Any]) -> Expression:
    return sa.func.row_to_json(sa.literal_column(f'"{row.name}".*'))


def _keyed(named: Iterable[Field], row: sa.FromClause) -> list[Expression]:
    keys = enumerate(named)
    return [row.c[field.column.name] == cast_to(parameter(f"k{n}"), field.value.spelling) for n, field in keys]


def _transaction() -> Expression:
    """The transaction's id: with it the outcome of a commit can be asked for on another connection."""
    return sa.cast(sa.func.pg_current_xact_id(), sa.Text)


def _together(parts: Iterable[Brought], ctes: Iterable[CTE]) -> dict[str, list[CTE]]:
    found: dict[str, list[CTE]] = {}
    for part, cte in zip(parts, ctes, strict=True):
        found.setdefault(part.link, []).append(cte)
    return found


def _stays(resource: BoundResource, event: str) -> bool:
    """Is the row that RETURNING shows the one that is there after the statement?"""
    table = resource.table
    later = [t for t in table.triggers if t.enabled and t.timing != "before" and event in t.events]
    return not later and not table.rules and not table.is_view
