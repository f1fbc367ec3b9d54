"""How many requests a consumer may make in a minute.

Phase: expand        Way back: loses the limits of single consumers
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMN = """
ALTER TABLE banyan.consumer
    ADD COLUMN per_minute integer CONSTRAINT consumer_per_minute CHECK (per_minute >= 0);
COMMENT ON COLUMN banyan.consumer.per_minute IS 'requests of the typed API; 0: any number; null: as the project says';
"""


def upgrade() -> None:
    op.execute(COLUMN)


def downgrade() -> None:
    op.execute("ALTER TABLE banyan.consumer DROP COLUMN per_minute")
