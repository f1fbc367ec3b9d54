"""Who is signed in at the API, and API keys that expire, that have fewer scopes, or that only try.

Phase: expand        Way back: signs everybody out; keys that had an end or fewer scopes are revoked
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEYS = """
ALTER TABLE banyan.credential
    ADD COLUMN expires timestamptz,
    ADD COLUMN scopes  text[],
    ADD COLUMN is_test boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN banyan.credential.scopes IS 'null: the consumer''s; else those of them that this key has';
COMMENT ON COLUMN banyan.credential.is_test IS 'all it writes is rolled back';
"""

SIGN_INS = """
CREATE TABLE banyan.account_session (
    id         text PRIMARY KEY,
    source     text NOT NULL,
    account    text NOT NULL,
    seal       text NOT NULL,
    scopes     text[] NOT NULL,
    legacy     text,
    created    timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires    timestamptz NOT NULL,
    ended      timestamptz,
    why        text
);
CREATE INDEX account_session_account ON banyan.account_session (source, account) WHERE ended IS NULL;
CREATE INDEX account_session_ended ON banyan.account_session (ended) WHERE ended IS NOT NULL;
CREATE INDEX account_session_expiry ON banyan.account_session (expires);
COMMENT ON COLUMN banyan.account_session.source IS 'of banyan.toml: [accounts.NAME]';
COMMENT ON COLUMN banyan.account_session.account IS 'the id of the legacy row, as text';
COMMENT ON COLUMN banyan.account_session.seal IS 'changes with the account''s password';
COMMENT ON COLUMN banyan.account_session.legacy IS
    'encrypted: the session of the legacy app that it was born of, and ends with';
COMMENT ON COLUMN banyan.account_session.why IS 'of its end';

CREATE TABLE banyan.refresh_token (
    hash     bytea PRIMARY KEY,
    session  text NOT NULL REFERENCES banyan.account_session (id) ON DELETE CASCADE,
    created  timestamptz NOT NULL DEFAULT clock_timestamp(),
    used     timestamptz,
    salt     bytea
);
CREATE INDEX refresh_token_session ON banyan.refresh_token (session);
COMMENT ON COLUMN banyan.refresh_token.hash IS 'sha256 of the token; the token itself is kept nowhere';
COMMENT ON COLUMN banyan.refresh_token.salt IS 'of the token that followed';
"""


def upgrade() -> None:
    op.execute(KEYS)
    op.execute(SIGN_INS)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.refresh_token, banyan.account_session")
    # Without these columns such a key would be worth more than it was made for.
    op.execute(
        "WITH ended AS (UPDATE banyan.credential SET revoked = clock_timestamp()"
        " WHERE revoked IS NULL AND (expires IS NOT NULL OR scopes IS NOT NULL OR is_test) RETURNING id)"
        " UPDATE banyan.register SET version = version + 1 WHERE EXISTS (SELECT FROM ended)"
    )
    op.execute("ALTER TABLE banyan.credential DROP COLUMN expires, DROP COLUMN scopes, DROP COLUMN is_test")
