"""What the tables of schema `banyan` have in common."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData, text
from sqlalchemy.dialects.postgresql import JSONB as _JSONB

SCHEMA = "banyan"

metadata = MetaData(schema=SCHEMA)

JSONB = _JSONB(none_as_null=True)


def moment(name: str, *, nullable: bool = False, default: bool = True) -> Column[object]:
    """Set by the database's clock."""
    now = text("clock_timestamp()") if default else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=now)
