"""Relations and rules about rows that would read a large table from end to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api_gateway.check.disagreement import Disagreement
from api_gateway.check.subject import Live, Subject
from shared_models.snapshot import Table
from shared_models.spelling import quoted

LARGE = 100_000  # rows, as the planner estimates them


def missing_indexes(subject: Subject, live: Live) -> Iterator[Disagreement]:
    resources = subject.contract.resources if subject.contract is not None else None
    if resources is None:
        return
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for resource in resources:
        for link in resource.links.values():
            target = resources.of(link.target).table
            columns = tuple(there for _, there in link.pairs)
            table = live.snapshot.table(target.schema, target.name)
            if table is None or table.row_estimate < LARGE or _has_index(table, columns):
                continue
            if (table.qualified, columns) not in seen:
                seen.add((table.qualified, columns))
                yield _warning(table, columns, f"{resource.name}.{link.attribute}")


def _has_index(table: Table, columns: Iterable[str]) -> bool:
    wanted = set(columns)
    leading = (index.columns[: len(wanted)] for index in table.indexes if index.valid and index.predicate is None)
    return table.is_view or any(set(names) == wanted for names in leading)


def _warning(table: Table, columns: tuple[str, ...], needed_by: str) -> Disagreement:
    statement = (
        f"CREATE INDEX CONCURRENTLY ON {quoted(table.schema)}.{quoted(table.name)} ({', '.join(map(quoted, columns))});"
    )
    return Disagreement(
        code="index_missing",
        severity="warning",
        between="contract and live schema",
        message=f"{needed_by} looks rows up by {', '.join(columns)}: about {table.row_estimate:,} rows, "
        "and no index begins so",
        advice=statement,
        table=table.qualified,
        column=", ".join(columns),
        details={"statement": statement},
    )
