"""The tables of stages, evidence, consumers and idempotency, and what each role may do on them.

Phase: expand        Way back: loses all of it, the ledger included
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE banyan.consumer (
    code     text PRIMARY KEY,
    name     text NOT NULL,
    scopes   text[] NOT NULL DEFAULT '{}',
    values   jsonb NOT NULL DEFAULT '{}',
    created  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN banyan.consumer.values IS 'row scoping: principal.value(name)';

CREATE TABLE banyan.credential (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer   text NOT NULL REFERENCES banyan.consumer (code),
    kind       text NOT NULL,
    hash       bytea NOT NULL,
    hint       text NOT NULL,
    created    timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked    timestamptz,
    last_used  timestamptz,
    CONSTRAINT credential_kind CHECK (kind IN ('api_key', 'query', 'form', 'header', 'basic', 'path'))
);
CREATE UNIQUE INDEX credential_live ON banyan.credential (kind, hash) WHERE revoked IS NULL;
CREATE INDEX credential_consumer ON banyan.credential (consumer);
COMMENT ON COLUMN banyan.credential.hash IS 'sha256 of the secret; the secret itself is kept nowhere';
COMMENT ON COLUMN banyan.credential.hint IS 'enough to tell two credentials apart, too little to use one';

CREATE TABLE banyan.register (
    "only"   boolean PRIMARY KEY DEFAULT true,
    version  bigint NOT NULL DEFAULT 0,
    CONSTRAINT register_has_one_row CHECK ("only")
);
INSERT INTO banyan.register DEFAULT VALUES;

CREATE TABLE banyan.ledger (
    version     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text NOT NULL,
    kind        text NOT NULL,
    route       text NOT NULL,
    consumer    text,
    from_stage  text NOT NULL,
    to_stage    text NOT NULL,
    reason      text NOT NULL,
    evidence    jsonb,
    overridden  text,
    CONSTRAINT ledger_kind CHECK (kind IN ('promotion', 'rollback', 'automatic'))
);
CREATE INDEX ledger_place ON banyan.ledger (route, consumer, version DESC);
COMMENT ON COLUMN banyan.ledger.consumer IS 'null: the route itself, for everyone without a stage of their own';
COMMENT ON COLUMN banyan.ledger.evidence IS 'the gate''s criteria as they stood at the move';
COMMENT ON COLUMN banyan.ledger.overridden IS 'who moved it without the evidence';

CREATE TABLE banyan.process (
    id                text PRIMARY KEY,
    kind              text NOT NULL,
    host              text NOT NULL,
    pid               integer NOT NULL,
    build             text NOT NULL,
    started           timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen              timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged      bigint NOT NULL,
    register_version  bigint NOT NULL,
    CONSTRAINT process_kind CHECK (kind IN ('app', 'worker', 'observer', 'edge'))
) WITH (fillfactor = 50);
COMMENT ON COLUMN banyan.process.acknowledged IS 'ledger version this process acts on';

CREATE TABLE banyan.call_count (
    hour      timestamptz NOT NULL,
    route     text NOT NULL,
    consumer  text NOT NULL,
    stage     text NOT NULL,
    answerer  text NOT NULL,
    outcome   text NOT NULL,
    count     bigint NOT NULL,
    last_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (hour, route, consumer, stage, answerer, outcome)
);
COMMENT ON COLUMN banyan.call_count.consumer IS 'empty: nobody was named';

CREATE TABLE banyan.comparison (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    route         text NOT NULL,
    consumer      text,
    fingerprint   text NOT NULL,
    verdict       text NOT NULL,
    shape         text NOT NULL,
    outcome       text NOT NULL,
    differences   jsonb NOT NULL DEFAULT '[]',
    control_ms    double precision,
    candidate_ms  double precision,
    request       jsonb NOT NULL,
    CONSTRAINT comparison_verdict
        CHECK (verdict IN ('match', 'mismatch', 'ignored', 'intended', 'inconclusive'))
);
CREATE INDEX comparison_evidence ON banyan.comparison (route, consumer, fingerprint, at);
COMMENT ON COLUMN banyan.comparison.fingerprint IS 'of the candidate; a changed candidate starts from zero';
COMMENT ON COLUMN banyan.comparison.shape IS 'of the request';
COMMENT ON COLUMN banyan.comparison.outcome IS 'of the control: status and media type';
COMMENT ON COLUMN banyan.comparison.differences IS 'masked';
COMMENT ON COLUMN banyan.comparison.request IS 'masked';

CREATE TABLE banyan.idempotency (
    consumer      text NOT NULL,
    operation     text NOT NULL,
    key           text NOT NULL,
    request_hash  bytea NOT NULL,
    status        integer,
    headers       jsonb,
    body          bytea,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at    timestamptz NOT NULL,
    PRIMARY KEY (consumer, operation, key)
);
CREATE INDEX idempotency_expiry ON banyan.idempotency (expires_at);
COMMENT ON COLUMN banyan.idempotency.status IS 'null until the answer of the claiming transaction is known';

CREATE TABLE banyan.journal (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    principal  text NOT NULL,
    operation  text NOT NULL,
    "table"    text NOT NULL,
    key        jsonb NOT NULL,
    columns    text[] NOT NULL,
    before     jsonb,
    after      jsonb
);
CREATE INDEX journal_time ON banyan.journal (at);

CREATE TABLE banyan.console_account (
    username       text PRIMARY KEY,
    password_hash  text NOT NULL,
    role           text NOT NULL,
    created        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT console_account_role CHECK (role IN ('viewer', 'operator'))
);
"""

# The API writes its journal and keeps its idempotency keys; it neither reads who the consumers are nor moves a route.
# The ledger's own owner can only add to it: history is not corrected by accident.
PRIVILEGES = """
GRANT USAGE ON SCHEMA banyan TO banyan_api;
GRANT INSERT ON banyan.journal TO banyan_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON banyan.idempotency TO banyan_api;
REVOKE UPDATE, DELETE, TRUNCATE ON banyan.ledger FROM banyan_owner;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute(
        "DROP TABLE banyan.console_account, banyan.journal, banyan.idempotency, banyan.comparison, banyan.call_count,"
        " banyan.process, banyan.ledger, banyan.register, banyan.credential, banyan.consumer"
    )
    op.execute("REVOKE USAGE ON SCHEMA banyan FROM banyan_api")
