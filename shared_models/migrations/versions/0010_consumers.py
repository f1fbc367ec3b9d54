"""Whom to write to about a consumer, what is to be known of it, its version of the API; and client certificates.

Phase: expand        Way back: loses contacts, notes and versions; certificates are revoked
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE banyan.consumer
    ADD COLUMN contact text NOT NULL DEFAULT '',
    ADD COLUMN notes text NOT NULL DEFAULT '',
    ADD COLUMN version text;
COMMENT ON COLUMN banyan.consumer.contact IS 'for people: whom to write to';
COMMENT ON COLUMN banyan.consumer.version IS 'of the typed API, where an address names none';
"""
KIND = """
ALTER TABLE banyan.credential DROP CONSTRAINT credential_kind;
ALTER TABLE banyan.credential ADD CONSTRAINT credential_kind CHECK (kind IN ({}));
"""
KINDS = "'api_key', 'query', 'form', 'header', 'basic', 'path'"


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(KIND.format(f"{KINDS}, 'certificate'"))


def downgrade() -> None:
    op.execute("DELETE FROM banyan.credential WHERE kind = 'certificate'")
    op.execute(KIND.format(KINDS))
    op.execute("ALTER TABLE banyan.consumer DROP COLUMN contact, DROP COLUMN notes, DROP COLUMN version")
