"""From what the database said to the page's values. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from api_gateway.console.needs import needs
from api_gateway.console.values import (
    Answers,
    Caller,
    Calls,
    Cell,
    Consumer,
    Frozen,
    Hour,
    Mismatch,
    Outage,
    Overview,
    Place,
    Process,
    Proof,
    Row,
    Rows,
    Rules,
)
from api_gateway.evidence.checks import checks_of
from api_gateway.evidence.gate import GATE, Evidence, criteria
from api_gateway.evidence.record import NOT_CALLS
from api_gateway.evidence.verified import verified_of
from api_gateway.ledger import reasons_of
from api_gateway.routes import Route
from api_gateway.stages import Stage, StageTable

COLUMNS = 24
RULES = Rules()
_POSITION = re.compile(r"\[\d+\]")


def overview(routes: Mapping[str, Route], answers: Answers, rules: Rules = RULES) -> Overview:
    """Put the page together from the listed routes and what the database said."""
    table = StageTable(
        answers.version,
        {(row["route"], row["consumer"]): Stage(row["stage"]) for row in answers.stages},
        {row["route"]: float(row["share"]) for row in answers.stages if row.get("share") is not None},
    )
    calls = _calls(answers.calls)
    proofs = tuple(_proofs(routes, table, calls, answers, rules))
    frozen = next((Frozen(row["at"], row["actor"], row["reason"]) for row in answers.freeze if row["frozen"]), None)
    everybody = _everybody(table, calls, answers.consumers)
    columns = _columns(everybody, table, calls)
    outages = _outages(answers.outages)
    out = {outage.name for outage in outages if outage.subject == "route" and not outage.back}
    rows = tuple(_rows(routes, table, calls, columns, proofs, out))
    processes = _processes(answers.processes, answers.version)
    return Overview(
        now=answers.now,
        version=answers.version,
        figures=sum(calls.values(), Calls()),
        hours=_hours(answers.hours, answers.now),
        ladder=_ladder(rows, table),
        needs=tuple(needs(rows, proofs, processes, outages, answers.failed_jobs)),
        columns=columns,
        rows=rows,
        proofs=proofs,
        callers=_callers(everybody, calls),
        unshown=len(everybody) - len(columns),
        moves=tuple(answers.moves),
        outages=outages,
        frozen=frozen,
        processes=processes,
    )


def _calls(rows: Rows) -> dict[tuple[str, str], Calls]:
    """By route and consumer. A failure of modern is told beside the call, which legacy answered: not one more call."""
    found: dict[tuple[str, str], Calls] = {}
    for row in rows:
        if row["outcome"] in NOT_CALLS:
            one = Calls(failed=int(row["count"]) if row["outcome"] == "failed" else 0)
        else:
            count = int(row["count"])
            one = Calls(count, count if row["answerer"] == "modern" else 0, 0, row["last_at"])
        place = (row["route"], row["consumer"])
        found[place] = found.get(place, Calls()) + one
    return found


def _everybody(table: StageTable, calls: Mapping[tuple[str, str], Calls], known: Rows) -> tuple[Consumer, ...]:
    """Who is registered, has a stage of their own, or called within 30 days; those whom nobody named come last."""
    names = {row["code"]: row["name"] for row in known}
    codes = {*names, *(code for _, code in table.stages if code), *(code for _, code in calls if code)}
    everybody = [Consumer(code, names.get(code, "")) for code in sorted(codes)]
    if any(code == "" for _, code in calls):
        everybody.append(Consumer("", "nobody was named"))
    return tuple(everybody)


def _columns(
    everybody: Sequence[Consumer], table: StageTable, calls: Mapping[tuple[str, str], Calls]
) -> tuple[Consumer, ...]:
    """All of them while they are few; else those who moved, then the busiest, as many as a person can look through."""
    if len(everybody) <= COLUMNS:
        return tuple(everybody)
    moved = {code for _, code in table.stages}
    busy = sorted(everybody, key=lambda one: (one.code not in moved, -_made_by(one, calls).count, one.code))
    return tuple(sorted(busy[:COLUMNS], key=lambda one: (one.code == "", one.code)))


def _made_by(consumer: Consumer, calls: Mapping[tuple[str, str], Calls]) -> Calls:
    return sum((made for (_, code), made in calls.items() if code == consumer.code), Calls())


def _rows(
    routes: Mapping[str, Route],
    table: StageTable,
    calls: Mapping[tuple[str, str], Calls],
    columns: Sequence[Consumer],
    proofs: Iterable[Proof],
    out: Collection[str],
) -> Iterable[Row]:
    """The listed routes in their own order, then those that the ledger still holds away from legacy."""
    blocked = {(proof.route, proof.consumer) for proof in proofs if not proof.complete}
    unlisted = sorted({name for (name, _), stage in table.stages.items() if stage is not Stage.legacy} - set(routes))
    for name in (*routes, *unlisted):
        cells = tuple(
            Cell(
                consumer=consumer,
                stage=table.stage(name, consumer.code or None),
                own=bool(consumer.code) and (name, consumer.code) in table.stages,
                calls=calls.get((name, consumer.code), Calls()),
                blocked=(name, consumer.code) in blocked,
            )
            for consumer in columns
        )
        total = sum((made for (of, _), made in calls.items() if of == name), Calls())
        share = table.shares.get(name)
        yield Row(name, routes.get(name), table.stage(name), total, cells, (name, None) in blocked, name in out, share)


def _outages(rows: Rows) -> tuple[Outage, ...]:
    """What is out comes first."""
    found = []
    for row in rows:
        why = "; ".join(map(str, reasons_of(row["reasons"])))
        found.append(Outage(row["subject"], row["name"], row["at"], why, row["change"] == "back"))
    return tuple(sorted(found, key=lambda outage: outage.back))


def _proofs(
    routes: Mapping[str, Route],
    table: StageTable,
    calls: Mapping[tuple[str, str], Calls],
    answers: Answers,
    rules: Rules,
) -> Iterable[Proof]:
    """One for every place that stands at shadow or canary: there evidence is gathered, and there it decides."""
    for name, route in routes.items():
        own = sorted((code, stage) for (of, code), stage in table.stages.items() if of == name and code)
        for consumer, stage in [(None, table.stage(name)), *own]:
            if stage not in (Stage.shadow, Stage.canary):
                continue
            evidence = _evidence(name, consumer, calls, answers)
            wanted = criteria(
                evidence,
                has_mimic=route.mimic is not None,
                is_read=route.is_read,
                now=answers.now,
                gate=rules.gates.get(name, GATE),
                checks=checks_of(answers.checks, rules.checks, name),
                for_live=stage is Stage.canary,
            )
            mismatch = _mismatch(answers.mismatches, name, consumer)
            took = _durations(answers.durations, name, consumer)
            yield Proof(name, consumer, stage, evidence, tuple(wanted), mismatch, took)


def _evidence(route: str, consumer: str | None, calls: Mapping[tuple[str, str], Calls], answers: Answers) -> Evidence:
    """A route's own evidence is that of everybody who calls it."""
    verdicts = [row for row in answers.verdicts if _is_of(row, route, consumer)]
    shapes = [row for row in answers.shapes if _is_of(row, route, consumer)]
    counts = {
        name: sum(int(row["count"]) for row in verdicts if row["verdict"] == name)
        for name in ("match", "mismatch", "ignored", "intended", "inconclusive")
    }
    by_shape = _summed(shapes, "shape")
    took = _durations(answers.durations, route, consumer)
    return Evidence(
        matches=counts["match"],
        mismatches=counts["mismatch"],
        ignored=counts["ignored"],
        intended=counts["intended"],
        inconclusive=counts["inconclusive"],
        shapes=by_shape,
        outcomes=_summed((row for row in answers.outcomes if _is_of(row, route, consumer)), "outcome"),
        control_ms=took[0] if took is not None else None,
        candidate_ms=took[1] if took is not None else None,
        at_canary=sum(int(row["count"]) for row in answers.canary if _is_of(row, route, consumer)),
        first=min((row["first"] for row in verdicts), default=None),
        last=max((row["last"] for row in verdicts), default=None),
        calls=sum(made.count for (of, who), made in calls.items() if of == route and consumer in (None, who)),
        verified=verified_of(row for row in answers.verified if row["route"] == route),
    )


def _summed(rows: Iterable[Mapping[str, Any]], by: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in rows:
        total[row[by]] = total.get(row[by], 0) + int(row["count"])
    return total


def _durations(rows: Rows, route: str, consumer: str | None) -> tuple[float, float] | None:
    """Medians of control and candidate, when both sides were timed."""
    for row in rows:
        whose = row["whole"] == 1 if consumer is None else row["whole"] == 0 and row["consumer"] == consumer
        if row["route"] == route and whose and None not in (row["control_ms"], row["candidate_ms"]):
            return float(row["control_ms"]), float(row["candidate_ms"])
    return None


def _is_of(row: Mapping[str, Any], route: str, consumer: str | None) -> bool:
    return row["route"] == route and (consumer is None or row["consumer"] == consumer)


def _mismatch(rows: Rows, route: str, consumer: str | None) -> Mismatch | None:
    mine = [row for row in rows if _is_of(row, route, consumer)]
    if not mine:
        return None
    newest = max(mine, key=lambda row: row["at"])
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for difference in newest["differences"]:
        groups.setdefault((_POSITION.sub("[*]", difference["path"]), difference["kind"]), []).append(difference)
    places = (
        Place(path, kind, len(found), found[0]["control"], found[0]["candidate"])
        for (path, kind), found in groups.items()
    )
    return Mismatch(newest["at"], newest["shape"], tuple(sorted(places, key=lambda place: -place.count)))


def _hours(rows: Rows, now: datetime) -> tuple[Hour, ...]:
    """The last 24 hours, the empty ones too, oldest first."""
    current = now.replace(minute=0, second=0, microsecond=0)
    counts: dict[datetime, dict[str, int]] = {}
    for row in rows:
        hour = counts.setdefault(row["hour"], {})
        side = "modern" if row["answerer"] == "modern" else "legacy"
        hour[side] = hour.get(side, 0) + int(row["count"])
    moments = [current - timedelta(hours=back) for back in range(23, -1, -1)]
    return tuple(Hour(moment, **counts.get(moment, {})) for moment in moments)


def _ladder(rows: Iterable[Row], table: StageTable) -> dict[Stage, int]:
    """Routes by the furthest stage at which anybody stands."""
    ladder = dict.fromkeys(Stage, 0)
    for row in rows:
        ladder[max(table.stages_of(row.name), key=lambda stage: stage.rank)] += 1
    return ladder


def _callers(everybody: Iterable[Consumer], calls: Mapping[tuple[str, str], Calls]) -> tuple[Caller, ...]:
    """The busiest first; who has been silent for 30 days last."""
    callers = []
    for consumer in everybody:
        made = [one for (_, code), one in calls.items() if code == consumer.code]
        callers.append(Caller(consumer, sum(made, Calls()), sum(1 for one in made if one.count)))
    return tuple(sorted(callers, key=lambda caller: -caller.calls.count))


def _processes(rows: Rows, version: int) -> tuple[Process, ...]:
    """Along the way of a request; those that are taken for dead come last."""
    found = [
        Process(
            kind=row["kind"],
            host=row["host"],
            pid=row["pid"],
            build=row["build"],
            started=row["started"],
            seen=row["seen"],
            acknowledged=row["acknowledged"],
            behind=max(0, version - row["acknowledged"]),
            silent=not row["live"],
        )
        for row in rows
    ]
    order = ("edge", "app", "observer", "worker")
    return tuple(sorted(found, key=lambda process: (process.silent, order.index(process.kind))))
