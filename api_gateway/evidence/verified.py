"""What `banyan verify` proved: one entry for each route and run. Of each seed the newest run of a candidate counts:
the same requests twice prove nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from psycopg import Connection
from sqlalchemy import Select, insert, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from api_gateway.evidence.gate import Verified
from shared_models import state
from shared_models.statements import run

_entry = state.verified.c


def note_verified(
    connection: Connection[Any], actor: str, seed: int, proofs: Iterable[tuple[str, str, Verified]]
) -> None:
    """Note a run. `proofs`: route, fingerprint of the candidate, what came of it."""
    rows = [
        {"actor": actor, "seed": seed, "route": route, "fingerprint": fingerprint, **asdict(proof)}
        for route, fingerprint, proof in proofs
    ]
    if rows:
        run(connection, insert(state.verified).values(rows).inline())


def runs(candidates: Iterable[tuple[str, str]]) -> Select[Any]:
    """The newest run of each seed, of each candidate: (route, fingerprint)."""
    return (
        select(state.verified)
        .ext(distinct_on(_entry.route, _entry.fingerprint, _entry.seed))
        .where(tuple_(_entry.route, _entry.fingerprint).in_(list(candidates)))
        .order_by(_entry.route, _entry.fingerprint, _entry.seed, _entry.id.desc())
    )


def verified_of(rows: Iterable[Mapping[str, Any]]) -> Verified:
    """What the runs of one candidate prove together."""
    rows = list(rows)
    return Verified(
        asked=sum(int(row["asked"]) for row in rows),
        mismatches=sum(int(row["mismatches"]) for row in rows),
        inconclusive=sum(int(row["inconclusive"]) for row in rows),
        wrote=sum(int(row["wrote"]) for row in rows),
        shapes=_sum(row["shapes"] for row in rows),
        outcomes=_sum(row["outcomes"] for row in rows),
    )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def read_verified(connection: Connection[Any], route: str, fingerprint: str) -> Verified:
    """Of one candidate; nothing proved when it was never verified."""
    return verified_of(run(connection, runs([(route, fingerprint)])))
