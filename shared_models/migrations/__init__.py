"""Two histories of one database: that of schema `banyan`, which is ours, and that of a project's own changes.

Each runs in one transaction, one deployer at a time, with short locks: it happens whole or not at all, and when it
cannot get a lock it gives up and the legacy app does not notice. Each has its own version table in schema `banyan`.
"""

from shared_models.migrations.history import BANYAN, History, Status, downgrade, project_history, status, upgrade
from shared_models.migrations.roles import MigrationFault

__all__ = [
    "BANYAN",
    "History",
    "MigrationFault",
    "Status",
    "downgrade",
    "project_history",
    "status",
    "upgrade",
]
