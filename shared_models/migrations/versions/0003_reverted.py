"""The journal says whose table and which request; what of it somebody else put back has a table of its own.

Phase: expand        Way back: loses which writes were seen to be reverted
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JOURNAL = """
ALTER TABLE banyan.journal
    ADD COLUMN schema text NOT NULL DEFAULT 'public',
    ADD COLUMN verb text NOT NULL DEFAULT 'update',
    ADD COLUMN request text,
    ADD CONSTRAINT journal_verb CHECK (verb IN ('insert', 'update', 'delete'));
ALTER TABLE banyan.journal ALTER schema DROP DEFAULT, ALTER verb DROP DEFAULT;
COMMENT ON COLUMN banyan.journal.request IS 'the request''s id';
"""

REVERTED = """
CREATE TABLE banyan.reverted (
    journal    bigint PRIMARY KEY,
    seen       timestamptz NOT NULL DEFAULT clock_timestamp(),
    written    timestamptz NOT NULL,
    principal  text NOT NULL,
    operation  text NOT NULL,
    request    text,
    schema     text NOT NULL,
    "table"    text NOT NULL,
    key        jsonb NOT NULL,
    columns    text[] NOT NULL,
    before     jsonb NOT NULL,
    after      jsonb
);
CREATE INDEX reverted_time ON banyan.reverted (seen);
COMMENT ON COLUMN banyan.reverted.journal IS 'the entry, which is cut back sooner';
COMMENT ON COLUMN banyan.reverted.written IS 'when the API wrote it';
COMMENT ON COLUMN banyan.reverted.columns IS 'those that hold what they held before';
"""


def upgrade() -> None:
    op.execute(JOURNAL)
    op.execute(REVERTED)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.reverted")
    op.execute("ALTER TABLE banyan.journal DROP COLUMN schema, DROP COLUMN verb, DROP COLUMN request")
