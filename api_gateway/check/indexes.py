"""What a consumer may ask for that would read a large table from end to end: filters, orders, relations, row rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api_gateway.check.disagreement import Disagreement
from api_gateway.check.subject import Live, Subject
from shared_models.resources import BoundResource, Resources
from shared_models.snapshot import Table
from shared_models.spelling import quoted

LARGE = 100_000  # rows, as the planner estimates them: a scan of as many takes tens of milliseconds of a CPU

Columns = tuple[str, ...]


def missing_indexes(subject: Subject, live: Live) -> Iterator[Disagreement]:
    """One warning per table and columns, that names everything which needs them."""
    resources = subject.contract.together() if subject.contract is not None else None
    if resources is None:
        return
    needed: dict[tuple[str, str, Columns], list[str]] = {}
    for resource in resources:
        for place, columns, why in [*_by_links(resource, resources), *_by_lists(resource)]:
            needed.setdefault((*place, columns), []).append(why)
    for (schema, name, columns), reasons in needed.items():
        table = live.snapshot.table(schema, name)
        if table is None or table.is_view or table.row_estimate < LARGE or not all(map(table.column, columns)):
            continue
        if not _has_index(table, columns, _scope(resources, table)):
            yield _warning(table, columns, list(dict.fromkeys(reasons)))


def _by_links(resource: BoundResource, resources: Resources) -> Iterator[tuple[tuple[str, str], Columns, str]]:
    for link in resource.links.values():
        target = resources.of(link.target).table
        columns = tuple(there for _, there in link.pairs)
        yield (target.schema, target.name), columns, f"{resource.name}.{link.attribute} looks rows up"


def _by_lists(resource: BoundResource) -> Iterator[tuple[tuple[str, str], Columns, str]]:
    """Keyset pages need an index that begins with what they are ordered by; a row rule one on its own column."""
    if resource.path is None or "list" not in resource.verbs:
        return
    place = (resource.table.schema, resource.table.name)
    for column in sorted(resource.rows.columns()):
        yield place, (column,), f"{resource.name}: its rows are chosen"
    order = [resource.fields[sort.field].column.name for sort in (*resource.sort, *resource.order)]
    if order:
        yield place, (order[0],), f"{resource.name}: a list without parameters is ordered"
    for field in resource.fields.values():
        filtered = bool(field.operators) and not field.value.by_reading
        words = [word for word, is_so in (("filtered", filtered), ("sorted", field.sortable)) if is_so]
        if words:
            yield place, (field.column.name,), f"{resource.name}.{field.attribute} may be {' and '.join(words)}"


def _scope(resources: Resources, table: Table) -> frozenset[str]:
    """Columns that row rules fix to one value: an index may begin with one of them."""
    rules = (r.rows.columns() for r in resources if (r.table.schema, r.table.name) == (table.schema, table.name))
    return frozenset(name for names in rules for name in names)


def _has_index(table: Table, columns: Columns, scope: Iterable[str]) -> bool:
    wanted, fixed = set(columns), set(scope)
    for index in table.indexes:
        if not index.valid or index.predicate is not None:
            continue
        for start in (0, 1) if index.columns[:1] and index.columns[0] in fixed else (0,):
            if set(index.columns[start : start + len(wanted)]) == wanted:
                return True
    return False


def _warning(table: Table, columns: Columns, reasons: list[str]) -> Disagreement:
    names = ", ".join(map(quoted, columns))
    statement = f"CREATE INDEX CONCURRENTLY ON {quoted(table.schema)}.{quoted(table.name)} ({names});"
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    only_asked_for = all(" may be " in reason for reason in reasons)
    instead = " Or say filter=False, sort=False in the contract." if only_asked_for else ""
    return Disagreement(
        code="index_missing",
        severity="warning",
        between="contract and live schema",
        message=f"{reasons[0]} by {', '.join(columns)}{more}: about {table.row_estimate:,} rows, "
        "and no index begins so",
        advice=statement + instead,
        table=table.qualified,
        column=", ".join(columns),
        details={"statement": statement, "needed_by": reasons},
    )
