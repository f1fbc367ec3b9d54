"""What we know of a job besides what procrastinate does: on whose behalf it runs, how far it is, why it failed.

Phase: expand        Way back: loses the progress and the owners of jobs, those that wait included
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE banyan.job (
    id        bigint PRIMARY KEY REFERENCES banyan.procrastinate_jobs (id) ON DELETE CASCADE,
    ref       uuid NOT NULL DEFAULT gen_random_uuid(),
    owner     text NOT NULL,
    request   text,
    deadline  double precision,
    created   timestamptz NOT NULL DEFAULT clock_timestamp(),
    started   timestamptz,
    finished  timestamptz,
    run       integer NOT NULL DEFAULT 0,
    failures  integer NOT NULL DEFAULT 0,
    step      bigint NOT NULL DEFAULT 0,
    done      bigint NOT NULL DEFAULT 0,
    total     bigint,
    position  jsonb,
    result    jsonb,
    error     jsonb
);
CREATE UNIQUE INDEX job_ref ON banyan.job (ref);
CREATE INDEX job_owner ON banyan.job (owner, id);
COMMENT ON COLUMN banyan.job.id IS 'procrastinate''s, and gone with it';
COMMENT ON COLUMN banyan.job.ref IS 'its name outside';
COMMENT ON COLUMN banyan.job.owner IS 'kind and code of the principal';
COMMENT ON COLUMN banyan.job.request IS 'id of the request that enqueued it';
COMMENT ON COLUMN banyan.job.deadline IS 'seconds a run may take; null: as the task says';
COMMENT ON COLUMN banyan.job.run IS 'the present one: an earlier one can commit nothing more';
COMMENT ON COLUMN banyan.job.failures IS 'a worker that was stopped is no failure';
COMMENT ON COLUMN banyan.job.step IS 'counts changes that a watcher may see';
COMMENT ON COLUMN banyan.job.position IS 'where it goes on after an interruption; the task''s own';
COMMENT ON COLUMN banyan.job.result IS 'what the task tells its owner';
COMMENT ON COLUMN banyan.job.error IS 'class and place, or the problem the task raised';

GRANT SELECT, INSERT, UPDATE ON banyan.job TO banyan_api;
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE banyan.job")
