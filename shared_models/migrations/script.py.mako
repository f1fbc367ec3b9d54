"""${message}

Phase: expand | migrate | contract        Way back: complete | loses …

The code of yesterday runs while this applies, and for a while after it: add before you use, stop using before you take
away. Take short locks; backfill in batches, in a script of its own. `downgrade` is tested: up, down, up.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
