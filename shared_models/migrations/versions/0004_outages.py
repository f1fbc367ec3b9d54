"""The ledger's second half: what a changed schema took out of service, and what came back.

Phase: expand        Way back: loses that history
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE banyan.outage (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor    text NOT NULL,
    subject  text NOT NULL,
    name     text NOT NULL,
    change   text NOT NULL,
    reasons  jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT outage_subject CHECK (subject IN ('resource', 'operation', 'route')),
    CONSTRAINT outage_change CHECK (change IN ('out', 'back'))
);
CREATE INDEX outage_place ON banyan.outage (subject, name, id DESC);
COMMENT ON COLUMN banyan.outage.reasons IS 'table, column and message of each';
REVOKE UPDATE, DELETE, TRUNCATE ON banyan.outage FROM banyan_owner;
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.outage")
