"""Gives the drafted resources their relations, and says of every foreign key that became none why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from api_gateway.draft.names import Names, attribute, field_name
from api_gateway.draft.plan import DraftRelation, DraftResource, LeftOut, TableName
from api_gateway.draft.relations import (
    Reference,
    comparable,
    evidence,
    is_composition,
    possible_links,
    references,
    relation_name,
)
from api_gateway.draft.sample import Link, Sample
from shared_models.snapshot import Snapshot, Table


def relate(
    resources: Mapping[TableName, DraftResource], snapshot: Snapshot, sample: Sample
) -> tuple[dict[TableName, DraftResource], int]:
    """The resources with their relations, and how many of the tables' foreign keys became one."""
    work = _Relating(resources, snapshot, sample)
    tables = [table for name in sorted(resources) if (table := snapshot.table(*name)) is not None]
    for table in tables:
        work.add_parents(table)
    for link in possible_links(tables):
        work.propose(link)
    return work.resources, work.related


class _Relating:
    def __init__(self, resources: Mapping[TableName, DraftResource], snapshot: Snapshot, sample: Sample) -> None:
        self.resources = dict(resources)
        self.related = 0
        self._references: dict[TableName, tuple[Reference, ...]] = {}
        self._snapshot, self._sample = snapshot, sample
        self._names = {name: Names(_taken(resource)) for name, resource in resources.items()}

    def add_parents(self, table: Table) -> None:
        name, declared = (table.schema, table.name), {key.name for key in table.foreign_keys}
        done: set[object] = set()
        self._references[name] = references(table, self._snapshot)
        for reference in self._references[name]:
            reason = self._refusal(name, reference)
            if reason is None:
                self.related += reference.name in declared
                # Some schemas declare one and the same foreign key twice.
                if reference.ends not in done:
                    self._add(table, reference)
                    done.add(reference.ends)
            elif not table.is_view:
                self._leave_out(name, f"foreign key {reference.name}", reason)

    def propose(self, link: Link) -> None:
        """Relations that nobody declared stand as comments, and only where the rows do not speak against them."""
        reason = evidence(link, self._sample)
        reference = Reference("", (link.column,), link.target, (link.key,))
        if reason is not None and self._refusal(link.table, reference) is None:
            parent = self._parent(link.table, reference)
            self._attach(link.table, replace(parent, proposed=True, evidence=reason))

    def _refusal(self, name: TableName, reference: Reference) -> str | None:
        """Why a reference cannot be a relation: both ends must be exposed, and comparable, in all their columns."""
        target, here = self._snapshot.table(*reference.target), self._snapshot.table(*name)
        if reference.target not in self.resources or target is None or here is None:
            return f"{'.'.join(reference.target)} is not drafted"
        if not set(reference.columns) <= self._shown(name):
            return "its columns are left out"
        if not set(reference.target_columns) <= self._shown(reference.target):
            return f"the columns of {'.'.join(reference.target)} that it points to are left out"
        for own, other in zip(reference.columns, reference.target_columns, strict=True):
            left, right = here.column(own), target.column(other)
            if left is None or right is None or not comparable(left, right):
                return f"{own} and {other} are of types that cannot be compared"
        return None

    def _add(self, table: Table, reference: Reference) -> None:
        name = (table.schema, table.name)
        parent = self._parent(name, reference)
        self._attach(name, parent)
        target = self._snapshot.table(*reference.target)
        if target is not None and is_composition(table, reference, target):
            public = self._names[reference.target].claim(_plural_attribute(self.resources[name]))
            self._attach(reference.target, _relation("children", public, name, reference.columns, parent.to))

    def _parent(self, name: TableName, reference: Reference) -> DraftRelation:
        names = self._names[name]
        public = names.claim(relation_name(reference, names.is_free, is_only=self._is_only(name, reference)))
        to = () if reference.target_columns == self.resources[reference.target].key else reference.target_columns
        return _relation("parent", public, reference.target, reference.columns, to)

    def _is_only(self, name: TableName, reference: Reference) -> bool:
        others = self._references.get(name, ())
        return not any(o.target == reference.target and o.columns != reference.columns for o in others)

    def _shown(self, name: TableName) -> set[str]:
        return {field.column for field in self.resources[name].fields}

    def _attach(self, name: TableName, relation: DraftRelation) -> None:
        resource = self.resources[name]
        self.resources[name] = replace(resource, relations=(*resource.relations, relation))

    def _leave_out(self, name: TableName, what: str, reason: str) -> None:
        resource = self.resources[name]
        self.resources[name] = replace(resource, left_out=(*resource.left_out, LeftOut(*name, what, reason)))


def _taken(resource: DraftResource) -> list[str]:
    return [name for field in resource.fields for name in (field.attribute, field.alias) if name]


def _relation(
    kind: Literal["parent", "children"], public: str, target: TableName, columns: Sequence[str], to: Sequence[str]
) -> DraftRelation:
    name = attribute(public)
    return DraftRelation(kind, name, public if public != name else None, target, tuple(columns), tuple(to))


def _plural_attribute(child: DraftResource) -> str:
    return field_name(child.path)
