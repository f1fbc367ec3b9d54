"""Does the contract fit: the snapshot it was written for, and the schema that is there now?"""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.check.disagreement import Code, Disagreement
from api_gateway.check.subject import Live, Subject, contract_faults
from shared_models.resources import Finding


def against_snapshot(subject: Subject) -> Iterator[Disagreement]:
    for fault in subject.faults:
        advice = f"Correct {fault.file}; if the schema has it and schema.lock.json does not, `banyan check --write`."
        yield _fault(fault, "contract_unfit", "contract and snapshot", advice)


def against_live_schema(subject: Subject, live: Live) -> Iterator[Disagreement]:
    """A schema that is the snapshot's fits as the snapshot did."""
    if subject.contract is None or live.snapshot == subject.snapshot:
        return
    for fault in contract_faults(subject.project, live.snapshot):
        advice = "The schema has changed under the contract: change the contract, or the schema back."
        yield _fault(fault, "contract_broken", "contract and live schema", advice)


def _fault(fault: Finding, code: Code, between: str, advice: str) -> Disagreement:
    return Disagreement(
        code=code,
        severity="error",
        between=between,
        message=f"{fault.resource}: {fault.message}",
        advice=advice,
        file=fault.file,
        line=fault.line,
        table=fault.table,
        column=fault.column,
    )
