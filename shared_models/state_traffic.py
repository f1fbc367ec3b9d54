"""Tables of schema `banyan` about legacy traffic: what of it is kept, and what is not listed. Part of `state`."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Date, Double, Identity, Index, Integer, Table, Text, text

from shared_models.state_metadata import JSONB, metadata, moment

recording = Table(
    "recording",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    moment("expires_at", default=False),
    Column("route", Text, nullable=False),
    Column("consumer", Text),
    Column("method", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("duration_ms", Double, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("response", JSONB, nullable=False),
    Column("masked", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="names of replaced values"),
    Column("bytes", BigInteger, nullable=False, comment="of both bodies as they are kept"),
    Index("recording_route", "route", "id"),
    Index("recording_expiry", "expires_at"),
)

unlisted = Table(
    "unlisted",
    metadata,
    Column("day", Date, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("path", Text, primary_key=True, comment="a template; what looked like a value is not kept"),
    Column("caller", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("count", BigInteger, nullable=False, comment="as estimated from the share that was looked at"),
    moment("last_at"),
)
