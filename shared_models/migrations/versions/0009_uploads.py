"""Files that partners upload for a job, in parts, and what was wrong with single rows of them.

Phase: expand        Way back: loses what was uploaded and not yet worked off, and the faults of what was
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE banyan.job ADD COLUMN faults integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN banyan.job.faults IS 'rows that could not be taken';

CREATE TABLE banyan.upload (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job      bigint REFERENCES banyan.procrastinate_jobs (id) ON DELETE CASCADE,
    owner    text NOT NULL,
    created  timestamptz NOT NULL DEFAULT clock_timestamp(),
    digest   bytea,
    bytes    bigint,
    lines    bigint
);
CREATE INDEX upload_job ON banyan.upload (job);
CREATE INDEX upload_content ON banyan.upload (owner, digest);
COMMENT ON COLUMN banyan.upload.job IS 'null: it still arrives, or nobody took it';
COMMENT ON COLUMN banyan.upload.digest IS 'sha256 of the whole content';

CREATE TABLE banyan.upload_part (
    upload  bigint NOT NULL REFERENCES banyan.upload (id) ON DELETE CASCADE,
    at      bigint NOT NULL,
    data    bytea NOT NULL,
    PRIMARY KEY (upload, at)
);
COMMENT ON COLUMN banyan.upload_part.at IS 'bytes before it';
ALTER TABLE banyan.upload_part ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE banyan.job_fault (
    job     bigint NOT NULL REFERENCES banyan.procrastinate_jobs (id) ON DELETE CASCADE,
    row     bigint NOT NULL,
    n       integer NOT NULL DEFAULT 0,
    field   text,
    code    text NOT NULL,
    detail  text NOT NULL,
    raw     text,
    PRIMARY KEY (job, row, n)
);
COMMENT ON COLUMN banyan.job_fault.row IS 'line of the file, from 1';
COMMENT ON COLUMN banyan.job_fault.raw IS 'the beginning of the row as it came';

GRANT SELECT, INSERT, UPDATE, DELETE ON banyan.upload TO banyan_api;
GRANT SELECT, INSERT, DELETE ON banyan.upload_part TO banyan_api;
GRANT SELECT, INSERT, DELETE ON banyan.job_fault TO banyan_api;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.job_fault, banyan.upload_part, banyan.upload")
    op.execute("ALTER TABLE banyan.job DROP COLUMN faults")
