"""From snapshot and sample to the draft: pure, and the same for the same input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from api_gateway.draft.columns import annotation, is_sortable, unreadable, with_beyond
from api_gateway.draft.names import (
    RESERVED_PARAMETERS,
    Names,
    TableNames,
    attribute,
    field_name,
    is_exact_path,
    python_string,
)
from api_gateway.draft.plan import Draft, DraftEnum, DraftField, DraftResource, LeftOut, TableName
from api_gateway.draft.proposals import Line, proposals
from api_gateway.draft.relating import relate
from api_gateway.draft.sample import Sample, seen_dates
from api_gateway.draft.secrecy import secrecy
from api_gateway.draft.whole import Bases, inherited, soft_delete, unfilled, view_key
from shared_models.snapshot import Column, Snapshot, Table

Aliases = Mapping[tuple[str, str], str]
Referenced = Counter[tuple[str, str, frozenset[str]]]  # how many foreign keys point to these columns of a table


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tables are drafted: shell patterns on `table` or `schema.table`; nothing included means everything."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def refuses(self, table: Table) -> str | None:
        names = (table.name, table.qualified)
        if self.include and not any(fnmatchcase(name, pattern) for name in names for pattern in self.include):
            return "not named by --include"
        if any(fnmatchcase(name, pattern) for name in names for pattern in self.exclude):
            return "named by --exclude"
        return None


def select(snapshot: Snapshot, selection: Selection, sample: Sample | None = None) -> tuple[list[Table], list[LeftOut]]:
    """The tables to draft, and those left out with the reason."""
    drafted, left_out = [], []
    for table in snapshot.tables:
        reason = selection.refuses(table) or _not_for_an_api(table, sample or Sample())
        if reason:
            left_out.append(LeftOut(table.schema, table.name, None, reason))
        else:
            drafted.append(table)
    return drafted, left_out


def _not_for_an_api(table: Table, sample: Sample) -> str | None:
    if table.extension is not None:
        return f"belongs to the extension {table.extension}"
    if table.partition_of is not None:
        return f"is a partition of {'.'.join(table.partition_of)}, which has its rows"
    shown = [column for column in table.columns if _left_out_reason(table, column, sample) is None]
    if not shown:
        return "has no column that an API could show"
    if not any(is_sortable(column.type) for column in shown):
        return "has no column with an order, so it cannot be read by pages"
    return None


def draft(snapshot: Snapshot, selection: Selection, sample: Sample) -> Draft:
    """The whole draft. `sample` may be empty; then nothing rests on what the rows hold."""
    tables, left_out = select(snapshot, selection, sample)
    names = TableNames()
    named = {(t.schema, t.name): names.claim(t.schema, t.name) for t in sorted(tables, key=_precedence)}
    enums = list(_enums(snapshot, tables, names))
    aliases = {(enum.schema, enum.type): enum.name for enum in enums}
    references = Counter(
        (key.target_schema, key.target_table, frozenset(key.target_columns)) for t in tables for key in t.foreign_keys
    )
    drafted = {
        (t.schema, t.name): _resource(t, *named[t.schema, t.name], aliases, snapshot, sample, references)
        for t in tables
    }
    resources, related = relate(drafted, snapshot, sample)
    declared = sum(len(table.foreign_keys) for table in tables)
    return Draft(tuple(_parents_first(resources)), tuple(enums), tuple(left_out), declared, related)


def _precedence(table: Table) -> tuple[object, ...]:
    """Plain names, and those that are the path already, choose first: a later twin gets the number."""
    plain = table.name.isidentifier() and table.name == table.name.lower()
    return table.is_view, table.schema != "public", not plain, not is_exact_path(table.name), table.schema, table.name


def _enums(snapshot: Snapshot, tables: Iterable[Table], names: TableNames) -> Iterator[DraftEnum]:
    used = {(c.type.schema, c.type.name) for table in tables for c in table.columns if c.type.kind == "enum"}
    for enum in snapshot.enums:
        if enum.labels and (enum.schema, enum.name) in used:
            yield DraftEnum(names.claim_class(enum.schema, enum.name), enum.schema, enum.name, enum.labels)


def _resource(
    table: Table,
    class_name: str,
    path: str,
    enums: Aliases,
    snapshot: Snapshot,
    sample: Sample,
    references: Referenced,
) -> DraftResource:
    reasons = {column.name: _left_out_reason(table, column, sample) for column in table.columns}
    key = _key_of(table, reasons, references)
    shown = [column for column in table.columns if reasons[column.name] is None]
    shown.sort(key=lambda column: key.index(column.name) if column.name in key else len(key))
    public = _field_names(shown)
    return DraftResource(
        class_name=class_name,
        path=path,
        schema=table.schema,
        table=table.name,
        kind=table.kind,
        comment=table.comment,
        key=key,
        fields=tuple(_field(table, c, public[c.name], c.name in key, enums, sample, snapshot) for c in shown),
        left_out=tuple(LeftOut(table.schema, table.name, n, reason) for n, reason in reasons.items() if reason),
        proposals=(
            *soft_delete(table, sample),
            *view_key(table, _bases(table, snapshot, sample, references), public),
            *inherited(table),
            *unfilled(table),
        ),
    )


def _key_of(table: Table, reasons: Mapping[str, str | None], references: Referenced) -> tuple[str, ...]:
    possible = [key for key in table.unique_keys() if all(_can_be_key(table, name, reasons) for name in key)]
    return _most_referenced(table, possible, references)


def _bases(view: Table, snapshot: Snapshot, sample: Sample, references: Referenced) -> Bases:
    """The tables that a view reads, each with the key that its own resource has."""
    for name in view.reads if view.is_view else ():
        base = snapshot.table(*name)
        if base is not None:
            reasons = {column.name: _left_out_reason(base, column, sample) for column in base.columns}
            yield base, _key_of(base, reasons, references)


def _most_referenced(table: Table, keys: list[tuple[str, ...]], references: Referenced) -> tuple[str, ...]:
    """The primary key, unless all that point to the table point to another key of it."""
    counts = [references[table.schema, table.name, frozenset(key)] for key in keys]
    if keys and counts[0] == 0 and max(counts) > 0:
        return keys[counts.index(max(counts))]
    return keys[0] if keys else ()


def _field_names(columns: Iterable[Column]) -> dict[str, str]:
    """The API's names by column. `unit_price` takes its own name before `Unit Price` can."""
    public = Names()
    plain_first = sorted(columns, key=lambda column: (field_name(column.name) != column.name, column.name))
    return {column.name: public.claim(field_name(column.name)) for column in plain_first}


def _can_be_key(table: Table, name: str, reasons: Mapping[str, str | None]) -> bool:
    column = table.column(name)
    return column is not None and reasons[name] is None and is_sortable(column.type)


def _left_out_reason(table: Table, column: Column, sample: Sample) -> str | None:
    if ((table.schema, table.name), column.name) in sample.secret:
        return "its values look like secrets"
    return secrecy(table, column) or unreadable(column.type)


def _field(
    table: Table, column: Column, public: str, is_key: bool, enums: Aliases, sample: Sample, snapshot: Snapshot
) -> DraftField:
    name = attribute(public)
    shown = with_beyond(annotation(column.type, enums), column, seen_dates(table, column, sample, snapshot))
    alias = public if public != name else None
    marker = "Key" if is_key else "Column"
    hidden = ", filter=False" if public in RESERVED_PARAMETERS else ""
    plain = not is_key and column.name == name and not hidden
    return DraftField(
        attribute=name,
        alias=alias,
        annotation=shown,
        marker=None if plain else f"{marker}({python_string(column.name)}{hidden})",
        optional=column.nullable and not is_key,
        column=column.name,
        comment=column.comment,
        # A key is what it is stored as: under another meaning no row of its table would have an address.
        proposals=() if is_key else tuple(proposals(table, column, sample, Line(name, alias, column.name), shown)),
    )


def _parents_first(resources: Mapping[TableName, DraftResource]) -> Iterator[DraftResource]:
    """Alphabetical, but a parent stands before its children where there is no circle."""
    done: set[TableName] = set()
    for start in sorted(resources):
        path = [start]
        while path:
            waiting = (p for p in _parents_of(resources[path[-1]]) if p not in done and p not in path)
            above = next(waiting, None)
            if above is not None:
                path.append(above)
                continue
            name = path.pop()
            if name not in done:
                done.add(name)
                yield resources[name]


def _parents_of(resource: DraftResource) -> list[TableName]:
    return sorted(r.target for r in resource.relations if r.kind == "parent" and not r.proposed)
