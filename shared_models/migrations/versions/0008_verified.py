"""What `banyan verify` proved of a candidate, on copies of the database.

Phase: expand        Way back: loses that evidence; it can be made again
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE banyan.verified (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor         text NOT NULL,
    route         text NOT NULL,
    fingerprint   text NOT NULL,
    seed          bigint NOT NULL,
    asked         bigint NOT NULL,
    mismatches    bigint NOT NULL,
    inconclusive  bigint NOT NULL,
    wrote         bigint NOT NULL,
    shapes        jsonb NOT NULL DEFAULT '{}',
    outcomes      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX verified_candidate ON banyan.verified (route, fingerprint, id DESC);
COMMENT ON COLUMN banyan.verified.asked IS 'requests that were put to both sides';
COMMENT ON COLUMN banyan.verified.wrote IS 'requests of them that left rows behind';
REVOKE UPDATE, TRUNCATE ON banyan.verified FROM banyan_owner;
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.verified")
