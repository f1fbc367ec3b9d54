"""The job tables, which are procrastinate's, and the right of the API to enqueue a job in its own transaction.

Phase: expand        Way back: loses the jobs, those that wait included
"""

from __future__ import annotations

from alembic import op

from shared_models.migrations.jobs import lay_jobs, lift_jobs

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# procrastinate's functions and triggers run with the rights of whoever enqueues.
PRIVILEGES = """
GRANT SELECT, INSERT, UPDATE ON banyan.procrastinate_jobs TO banyan_api;
GRANT SELECT, INSERT ON banyan.procrastinate_events TO banyan_api;
GRANT USAGE ON SEQUENCE banyan.procrastinate_jobs_id_seq, banyan.procrastinate_events_id_seq TO banyan_api;
"""


def upgrade() -> None:
    lay_jobs(op.get_bind())
    op.execute(PRIVILEGES)


def downgrade() -> None:
    lift_jobs(op.get_bind())
