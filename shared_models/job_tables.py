"""procrastinate's own tables as we read and write them; `shared_models.migrations.jobs` lays them.

Its triggers write the events and wake the workers, whoever inserts a job.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import ENUM, JSONB

from shared_models.state import SCHEMA

STATUSES = ("todo", "doing", "succeeded", "failed", "cancelled", "aborting", "aborted")
UNFINISHED = ("todo", "doing")

_metadata = MetaData(schema=SCHEMA)
_status = ENUM(*STATUSES, name="procrastinate_job_status", schema=SCHEMA, create_type=False)

queued = Table(
    "procrastinate_jobs",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("queue_name", Text),
    Column("task_name", Text),
    Column("priority", Integer),
    Column("lock", Text),
    Column("queueing_lock", Text),
    Column("args", JSONB),
    Column("status", _status),
    Column("scheduled_at", DateTime(timezone=True)),
    Column("attempts", Integer),
    Column("abort_requested", Boolean),
    Column("worker_id", BigInteger),
)

job_event = Table(
    "procrastinate_events",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("job_id", BigInteger),
    Column("type", Text),
    Column("at", DateTime(timezone=True)),
)

job_worker = Table(
    "procrastinate_workers",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("last_heartbeat", DateTime(timezone=True)),
)


def status_is(*names: str) -> ColumnElement[bool]:
    """The job has one of these. Compared as what it is: PostgreSQL has no operator between its type and text."""
    kind = f"{SCHEMA}.procrastinate_job_status"
    return or_(*(queued.c.status == literal_column(f"'{name}'::{kind}", _status) for name in names))
