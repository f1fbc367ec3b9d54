"""The ledger's second half: what a changed schema took out of service, and what came back. Append-only as the first.

Every process notices by itself, and writes what it noticed; who comes second finds it written and adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from sqlalchemy import Select, func, insert, select

from api_gateway.ledger.freezing import APPENDING
from shared_models import state
from shared_models.statements import run

Subject = Literal["resource", "operation", "route"]
Change = Literal["out", "back"]

ACTOR = "banyan"


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """`table` is `schema.table`; `column` None: the table itself, or what the message says."""

    table: str
    column: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.table if self.column is None else f'{self.table}.{self.column}'}: {self.message}"


@dataclass(frozen=True, slots=True)
class Outage:
    """A resource (by its path), an operation or a route that is out of service, and why."""

    subject: Subject
    name: str
    reasons: tuple[Reason, ...]

    @property
    def place(self) -> tuple[Subject, str]:
        return self.subject, self.name

    @property
    def why(self) -> str:
        return "; ".join(map(str, self.reasons))


@dataclass(frozen=True, slots=True)
class OutageEntry:
    """An outage that began (`out`), began to have other reasons (`out` again), or ended (`back`)."""

    id: int
    at: datetime
    actor: str
    change: Change
    outage: Outage

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "actor": self.actor,
            "subject": self.outage.subject,
            "name": self.outage.name,
            "change": self.change,
            "reasons": [asdict(reason) for reason in self.outage.reasons],
        }


def append_outages(connection: Connection[Any], present: Iterable[Outage]) -> list[OutageEntry]:
    """Write what differs between the outages `present` and those on file; returns what was written.

    Takes the ledger's lock: of several processes that notice the same, one writes it.
    """
    wanted = {outage.place: outage for outage in present}
    with connection.transaction():
        run(connection, select(func.pg_advisory_xact_lock(APPENDING)))
        known = {entry.outage.place: entry.outage for entry in current_outages(connection)}
        changes: list[tuple[Change, Outage]] = [("out", one) for one in wanted.values() if known.get(one.place) != one]
        changes += [("back", Outage(*place, ())) for place in known if place not in wanted]
        return [_append(connection, change, outage) for change, outage in changes]


def current_outages(connection: Connection[Any]) -> list[OutageEntry]:
    """What is out of service now, by the last entry of each."""
    rows = run(connection, current_query())
    return [_entry(row) for row in rows]


def current_query() -> Select[Any]:
    entry = state.outage.c
    newest = select(func.max(entry.id)).group_by(entry.subject, entry.name)
    return select(state.outage).where(entry.id.in_(newest), entry.change == "out").order_by(entry.subject, entry.name)


def outage_history(
    connection: Connection[Any], *, subject: Subject | None = None, name: str | None = None, limit: int = 100
) -> list[OutageEntry]:
    """The newest entries first; of one kind, of one name, or all."""
    query = select(state.outage).order_by(state.outage.c.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(state.outage.c.subject == subject)
    if name is not None:
        query = query.where(state.outage.c.name == name)
    return [_entry(row) for row in run(connection, query)]


def _append(connection: Connection[Any], change: Change, outage: Outage) -> OutageEntry:
    values = {
        "actor": ACTOR,
        "subject": outage.subject,
        "name": outage.name,
        "change": change,
        "reasons": [asdict(reason) for reason in outage.reasons],
    }
    return _entry(run(connection, insert(state.outage).values(values).returning(state.outage))[0])


def _entry(row: Mapping[str, Any]) -> OutageEntry:
    outage = Outage(row["subject"], row["name"], reasons_of(row["reasons"]))
    return OutageEntry(row["id"], row["at"], row["actor"], row["change"], outage)


def reasons_of(kept: Sequence[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """As they stand in the database."""
    return tuple(Reason(one["table"], one["column"], one["message"]) for one in kept)
