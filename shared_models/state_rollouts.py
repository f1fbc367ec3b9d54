"""Tables of schema `banyan` about moves that nobody makes by hand: `state` tells of them beside all others."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from shared_models.state_metadata import JSONB, metadata, moment

freeze = Table(
    "freeze",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("frozen", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
)

pulse = Table(
    "pulse",
    metadata,
    Column("route", Text, primary_key=True),
    Column("place", Text, primary_key=True, comment="whose stage decided: a consumer, or empty for the route itself"),
    Column("side", Text, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True, comment="the beginning of ten seconds"),
    Column("version", BigInteger, primary_key=True, comment="of the ledger, as the process knew it"),
    Column("outcome", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("log_sum", Double, nullable=False, comment="of the logarithms of milliseconds"),
    Column("log_square", Double, nullable=False, comment="of their squares"),
    CheckConstraint("side in ('modern', 'legacy', 'compared')", name="pulse_side"),
    CheckConstraint("outcome in ('ok', 'failed', 'match', 'mismatch')", name="pulse_outcome"),
    Index("pulse_time", "at"),
)

check_result = Table(
    "check_result",
    metadata,
    Column("name", Text, primary_key=True),
    moment("at"),
    Column("verdict", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1"), comment="how often in a row it said so"),
    moment("since"),
    CheckConstraint("verdict in ('fine', 'broken', 'inconclusive')", name="check_result_verdict"),
)

plan = Table(
    "plan",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("route", Text, nullable=False),
    moment("created"),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("step", Integer, nullable=False, server_default=text("0"), comment="the next one, from 0"),
    Column("state", Text, nullable=False, server_default=text("'running'")),
    Column(
        "since",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="when the last step was taken",
    ),
    Column(
        "version",
        BigInteger,
        nullable=False,
        comment="of the ledger, after the last step: a later move by anybody else pauses it",
    ),
    Column("why", Text, nullable=False, server_default=text("''"), comment="what it waits for, or why it stopped"),
    CheckConstraint("state in ('running', 'paused', 'done', 'ended')", name="plan_state"),
    Index("plan_present", "route", unique=True, postgresql_where=text("state in ('running', 'paused')")),
)
