"""What waits for a person: one sentence each, most urgent first, with the command that would do something about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from api_gateway.console.values import Need, Outage, Process, Proof, Row
from api_gateway.stages import Stage


def needs(
    rows: Sequence[Row],
    proofs: Sequence[Proof],
    processes: Sequence[Process],
    outages: Sequence[Outage] = (),
    failed_jobs: int = 0,
) -> Iterable[Need]:
    live = [process for process in processes if not process.silent]
    if missing := [kind for kind in ("edge", "app", "observer") if all(kind != process.kind for process in live)]:
        sentence = "not running, as far as the database knows; legacy traffic flows all the same."
        yield Need("act", ", ".join(missing), sentence, "processes")
    for process in live:
        if process.behind:
            name = f"{process.kind} {process.pid}"
            yield Need("act", name, f"acts on ledger version {process.acknowledged}, not the newest.", "processes")
    for outage in outages:
        if not outage.back:
            sentence = "is out of service: the database's schema has changed."
            yield Need("act", f"{outage.subject} {outage.name}", sentence, "outages", "banyan check")
    if failed_jobs:
        yield Need("act", _plural(failed_jobs, "job"), "failed, and will not be tried again.", "/jobs?state=failed")
    for proof in _telling(proofs):
        if proof.evidence.mismatches:
            command = _rollback(proof) if proof.stage is Stage.canary else None
            sentence = f"differs: {_plural(proof.evidence.mismatches, 'mismatch')}."
            yield Need("act", proof.place, sentence, "evidence", command)
    for row in rows:
        if row.calls.failed:
            sentence = f"{_plural(row.calls.failed, 'call')} in 24 h that modern could not answer."
            yield Need("act", row.name, sentence, "routes")
        if row.route is None:
            yield Need("act", row.name, "has moved, but routes.py no longer lists it.", "routes")
    for proof in proofs:
        if proof.complete:
            target = Stage.canary if proof.stage is Stage.shadow else Stage.live
            yield Need("look", proof.place, f"the evidence for {target} is complete.", "evidence", _move(proof, target))
    for row in rows:
        if row.route is not None and row.route.mimic is not None and _untouched(row):
            command = f"banyan routes move {row.name} shadow --reason '…'"
            yield Need("next", row.name, "has a mimic and still stands at legacy.", "routes", command)


def _telling(proofs: Sequence[Proof]) -> list[Proof]:
    """Without a route's own evidence where that of its consumers says the same and says whose it is."""
    told = {proof.route for proof in proofs if proof.consumer and proof.evidence.mismatches}
    return [proof for proof in proofs if proof.consumer or proof.route not in told]


def _untouched(row: Row) -> bool:
    return row.stage is Stage.legacy and not any(cell.own and cell.stage is not Stage.legacy for cell in row.cells)


def _move(proof: Proof, stage: Stage) -> str:
    return f"banyan routes move {proof.route} {stage}{_whose(proof)} --reason '…'"


def _rollback(proof: Proof) -> str:
    return f"banyan routes rollback {proof.route}{_whose(proof)} --reason '…'"


def _whose(proof: Proof) -> str:
    return f" --consumer {shlex.quote(proof.consumer)}" if proof.consumer else ""


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "es" if word.endswith("ch") else "s")
