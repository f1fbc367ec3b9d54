"""What changed between the committed snapshot and the live schema: an error where the contract uses what broke."""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.check.disagreement import Code, Disagreement, Severity
from api_gateway.check.subject import Live, Subject
from shared_models.drift import Drift, compare
from shared_models.resources import Resources


def drifted(subject: Subject, live: Live) -> Iterator[Disagreement]:
    resources = subject.contract.together() if subject.contract is not None else None
    for drift in compare(subject.snapshot, live.snapshot):
        code, severity = _weighed(drift, resources)
        yield Disagreement(
            code=code,
            severity=severity,
            between="snapshot and live schema",
            message=drift.message,
            advice="Look at it, then `banyan check --write` refreshes schema.lock.json.",
            file="schema.lock.json",
            table=drift.schema if drift.table is None else f"{drift.schema}.{drift.table}",
            column=drift.column,
        )


def _weighed(drift: Drift, resources: Resources | None) -> tuple[Code, Severity]:
    if drift.kind != "breaking":
        return "drift_additive", "note"
    return ("drift_breaking", "error") if _is_used(drift, resources) else ("drift_aside", "warning")


def _is_used(drift: Drift, resources: Resources | None) -> bool:
    if resources is None or drift.table is None:
        return resources is None or any(schema == drift.schema for schema, _ in resources.columns())
    columns = resources.columns().get((drift.schema, drift.table))
    return columns is not None and (drift.column is None or drift.column in columns)
