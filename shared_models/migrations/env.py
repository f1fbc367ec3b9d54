"""Run by Alembic: walks a history on the connection that `history` opened, in its transaction and under its locks."""

from __future__ import annotations

from alembic import context

from shared_models.migrations.history import History
from shared_models.state import SCHEMA, metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run `banyan migrate`: it takes the lock, sets the timeouts and makes the roles.")
history: History = context.config.attributes["history"]

context.configure(
    connection=connection,
    target_metadata=metadata if history.as_owner else None,
    version_table=history.version_table,
    version_table_schema=SCHEMA,
    include_schemas=True,
    transaction_per_migration=False,
)
context.run_migrations()
