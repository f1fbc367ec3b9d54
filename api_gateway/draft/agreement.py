"""Do contract, snapshot, live schema and frozen OpenAPI document agree? What does not is a Disagreement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from api_gateway.api.contract import Contract, load_contract, load_snapshot
from api_gateway.api.freeze import frozen_document
from api_gateway.draft.documents import differences
from api_gateway.draft.live import legacy_database
from api_gateway.errors import UsageError
from api_gateway.project import Project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.drift import Drift, compare
from shared_models.resources import ContractError, Finding, Resources
from shared_models.snapshot import Snapshot, Table
from shared_models.tables_source import tables_source

Severity = Literal["error", "warning", "note"]

_LARGE = 100_000  # rows from which on a relation without an index is worth a warning
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One finding of `banyan check`: between what, where, and what to do. `file` is inside the project."""

    severity: Severity
    between: str
    message: str
    advice: str
    file: str | None = None
    line: int | None = None
    table: str | None = None
    column: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        what = ".".join(part for part in (self.table, self.column) if part)
        return f"{self.severity}: {place}{what}{': ' if what else ''}{self.message}\n    {self.advice}"


def disagreements(project: Project, database_url: str | None) -> list[Disagreement]:
    """Everything found, errors first. Without a URL the live schema is not looked at.

    Raises UsageError when a file of the project is missing or cannot be read, EnvironmentFault when the database is
    away.
    """
    snapshot = load_snapshot(project)
    contract, faults = _bound(project, snapshot)
    found = [_contract_fault(fault, "contract and snapshot") for fault in faults]
    if contract is not None:
        found += _against_frozen(project, frozen_document(project, contract))
        found += _against_tables(project, snapshot)
    if database_url is not None:
        found += _against_live(project, contract, snapshot, live_snapshot(project, database_url))
    return sorted(found, key=lambda d: (_ORDER[d.severity], d.file or "", d.line or 0, d.table or "", d.column or ""))


def live_snapshot(project: Project, database_url: str) -> Snapshot:
    with legacy_database(database_url) as connection:
        return read_snapshot(connection, project.configuration.schemas)


def _bound(project: Project, snapshot: Snapshot) -> tuple[Contract | None, list[Finding]]:
    """The loaded contract, or what of it does not fit. Raises UsageError for a fault that is no finding."""
    try:
        return load_contract(project, snapshot), []
    except UsageError:
        findings = _findings(project, snapshot)
        if not findings:
            raise
        return None, findings


def _findings(project: Project, snapshot: Snapshot) -> list[Finding]:
    try:
        bind(project.module("contract"), snapshot, zone=project.configuration.api.time_zone)
    except ContractError as error:
        return error.findings
    return []


def _against_live(
    project: Project, contract: Contract | None, snapshot: Snapshot, live: Snapshot
) -> Iterator[Disagreement]:
    resources = contract.resources if contract is not None else None
    drifts = compare(snapshot, live)
    yield from (_drifted(drift, resources) for drift in drifts)
    if resources is not None:
        # A schema that has not drifted fits the contract as the snapshot did.
        faults = _findings(project, live) if drifts else []
        yield from (_contract_fault(fault, "contract and live schema") for fault in faults)
        yield from _without_index(resources, live)


def _contract_fault(finding: Finding, between: str) -> Disagreement:
    if between == "contract and snapshot":
        advice = f"Correct {finding.file}; if the schema has it and schema.lock.json does not, `banyan check --write`."
    else:
        advice = "The schema has changed under the contract: change the contract, or the schema back."
    return Disagreement(
        severity="error",
        between=between,
        message=f"{finding.resource}: {finding.message}",
        advice=advice,
        file=finding.file,
        line=finding.line,
        table=finding.table,
        column=finding.column,
    )


def _against_frozen(project: Project, document: str) -> Iterator[Disagreement]:
    path, between = project.openapi_path, "contract and frozen OpenAPI"
    freeze = "`banyan check --write` freezes the document anew."
    try:
        text = path.read_text("utf-8")
        if text == document:
            return
        before = json.loads(text)
    except FileNotFoundError:
        yield Disagreement("error", between, "the frozen document is missing", freeze, path.name)
        return
    except ValueError:
        yield Disagreement("error", between, "the frozen document is no JSON", freeze, path.name)
        return
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.") from None
    found = list(differences(before, json.loads(document))) or [(False, "descriptions or details changed")]
    for breaking, message in found:
        severity: Severity = "error" if breaking else "warning"
        told = (
            "Consumers may rely on it: bring it back, or agree with them and then " if breaking else "If it is meant: "
        )
        yield Disagreement(severity, between, message, told + freeze, path.name)


def _against_tables(project: Project, snapshot: Snapshot) -> Iterator[Disagreement]:
    """Operations are typed by `tables.py`: one of another snapshot would let the type checker approve what fails."""
    path = project.folder / "tables.py"
    if path.exists() and path.read_text("utf-8") != tables_source(snapshot):
        advice = "`banyan check --write` generates it anew."
        yield Disagreement("error", "tables.py and snapshot", "tables.py is of another snapshot", advice, path.name)


def _drifted(drift: Drift, resources: Resources | None) -> Disagreement:
    """Breaking drift is an error where the contract uses what broke, a warning elsewhere."""
    severity: Severity = "note"
    if drift.kind == "breaking":
        severity = "error" if _is_used(drift, resources) else "warning"
    return Disagreement(
        severity,
        "snapshot and live schema",
        drift.message,
        "Look at it, then `banyan check --write` refreshes schema.lock.json.",
        "schema.lock.json",
        None,
        drift.schema if drift.table is None else f"{drift.schema}.{drift.table}",
        drift.column,
    )


def _is_used(drift: Drift, resources: Resources | None) -> bool:
    if resources is None or drift.table is None:
        return resources is None or any(schema == drift.schema for schema, _ in resources.columns())
    columns = resources.columns().get((drift.schema, drift.table))
    return columns is not None and (drift.column is None or drift.column in columns)


def _without_index(resources: Resources, live: Snapshot) -> Iterator[Disagreement]:
    """Relations and row rules that would read a large table from end to end."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for resource in resources:
        for link in resource.links.values():
            target = resources.of(link.target).table
            columns = tuple(there for _, there in link.pairs)
            table = live.table(target.schema, target.name)
            if table is None or table.row_estimate < _LARGE or _has_index(table, columns):
                continue
            if (table.qualified, columns) not in seen:
                seen.add((table.qualified, columns))
                yield _index_warning(table, columns, f"{resource.name}.{link.attribute}")


def _has_index(table: Table, columns: Iterable[str]) -> bool:
    wanted = set(columns)
    leading = (index.columns[: len(wanted)] for index in table.indexes if index.valid and index.predicate is None)
    return table.is_view or any(set(names) == wanted for names in leading)


def _index_warning(table: Table, columns: tuple[str, ...], needed_by: str) -> Disagreement:
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    return Disagreement(
        "warning",
        "contract and live schema",
        f"{needed_by} looks rows up by {', '.join(columns)}: about {table.row_estimate:,} rows, and no index begins so",
        f'CREATE INDEX CONCURRENTLY ON "{table.schema}"."{table.name}" ({quoted});',
        table=table.qualified,
        column=", ".join(columns),
    )
