"""Requests kept for replay, masked; and what the edge saw of requests that are not listed.

Phase: expand        Way back: loses both; new traffic brings them again
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE banyan.recording (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    route        text NOT NULL,
    consumer     text,
    method       text NOT NULL,
    shape        text NOT NULL,
    outcome      text NOT NULL,
    status       integer NOT NULL,
    duration_ms  double precision NOT NULL,
    request      jsonb NOT NULL,
    response     jsonb NOT NULL,
    masked       text[] NOT NULL DEFAULT '{}',
    bytes        bigint NOT NULL
);
CREATE INDEX recording_route ON banyan.recording (route, id);
CREATE INDEX recording_expiry ON banyan.recording (expires_at);
COMMENT ON COLUMN banyan.recording.masked IS 'names of replaced values';
COMMENT ON COLUMN banyan.recording.bytes IS 'of both bodies as they are kept';
REVOKE UPDATE, TRUNCATE ON banyan.recording FROM banyan_owner;

CREATE TABLE banyan.unlisted (
    day      date NOT NULL,
    method   text NOT NULL,
    path     text NOT NULL,
    caller   text NOT NULL,
    outcome  text NOT NULL,
    count    bigint NOT NULL,
    last_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (day, method, path, caller, outcome)
);
COMMENT ON COLUMN banyan.unlisted.path IS 'a template; what looked like a value is not kept';
COMMENT ON COLUMN banyan.unlisted.count IS 'as estimated from the share that was looked at';
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.unlisted, banyan.recording")
