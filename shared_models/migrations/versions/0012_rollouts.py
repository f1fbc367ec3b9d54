"""Moves of several routes and of a share, the freeze of what moves by itself, plans, and how modern fares just now.

Phase: expand        Way back: loses plans, checks' results and the freeze; moves of shares stand as moves for everyone
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE banyan.ledger ADD COLUMN members text[], ADD COLUMN share double precision;
ALTER TABLE banyan.ledger ADD CONSTRAINT ledger_share
    CHECK (share IS NULL OR share > 0 AND share < 100 AND consumer IS NULL);
COMMENT ON COLUMN banyan.ledger.members IS 'routes of a group that this entry moves together; null: the route alone';
COMMENT ON COLUMN banyan.ledger.share IS 'percent of those whom nobody names; null: everyone';

CREATE TABLE banyan.freeze (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor   text NOT NULL,
    frozen  boolean NOT NULL,
    reason  text NOT NULL
);

CREATE TABLE banyan.pulse (
    route      text NOT NULL,
    place      text NOT NULL,
    side       text NOT NULL CONSTRAINT pulse_side CHECK (side in ('modern', 'legacy', 'compared')),
    at         timestamptz NOT NULL,
    version    bigint NOT NULL,
    outcome    text NOT NULL CONSTRAINT pulse_outcome CHECK (outcome in ('ok', 'failed', 'match', 'mismatch')),
    count      bigint NOT NULL,
    log_sum    double precision NOT NULL,
    log_square double precision NOT NULL,
    PRIMARY KEY (route, place, side, at, version, outcome)
);
COMMENT ON COLUMN banyan.pulse.place IS 'whose stage decided: a consumer, or empty for the route itself';
COMMENT ON COLUMN banyan.pulse.at IS 'the beginning of ten seconds';
COMMENT ON COLUMN banyan.pulse.version IS 'of the ledger, as the process knew it';
COMMENT ON COLUMN banyan.pulse.log_sum IS 'of the logarithms of milliseconds';
COMMENT ON COLUMN banyan.pulse.log_square IS 'of their squares';
CREATE INDEX pulse_time ON banyan.pulse (at);

CREATE TABLE banyan.check_result (
    name     text PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    verdict  text NOT NULL CONSTRAINT check_result_verdict CHECK (verdict in ('fine', 'broken', 'inconclusive')),
    detail   text NOT NULL,
    times    integer NOT NULL DEFAULT 1,
    since    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN banyan.check_result.times IS 'how often in a row it said so';

CREATE TABLE banyan.plan (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    route    text NOT NULL,
    created  timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor    text NOT NULL,
    reason   text NOT NULL,
    steps    jsonb NOT NULL,
    step     integer NOT NULL DEFAULT 0,
    state    text NOT NULL DEFAULT 'running'
             CONSTRAINT plan_state CHECK (state in ('running', 'paused', 'done', 'ended')),
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    version  bigint NOT NULL,
    why      text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX plan_present ON banyan.plan (route) WHERE state in ('running', 'paused');
COMMENT ON COLUMN banyan.plan.step IS 'the next one, from 0';
COMMENT ON COLUMN banyan.plan.since IS 'when the last step was taken';
COMMENT ON COLUMN banyan.plan.version IS 'of the ledger, after the last step: a later move by anybody else pauses it';
COMMENT ON COLUMN banyan.plan.why IS 'what it waits for, or why it stopped';

REVOKE UPDATE, DELETE, TRUNCATE ON banyan.freeze FROM banyan_owner;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.plan, banyan.check_result, banyan.pulse, banyan.freeze")
    op.execute("ALTER TABLE banyan.ledger DROP COLUMN members, DROP COLUMN share")
