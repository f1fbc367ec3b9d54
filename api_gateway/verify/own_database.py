"""A database of verify's own, where none is given: embedded, filled as the legacy app prepares a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.errors import UsageError
from api_gateway.postgres import running
from api_gateway.project import Project
from api_gateway.up.database import embedded_database, prepare_legacy
from shared_models.migrations import BANYAN, upgrade

Tell = Callable[[str], None]


@contextmanager
def own_database(project: Project, tell: Tell) -> Iterator[tuple[str, Register]]:
    """Its URL, and the project's simulated partners as they would be registered; all of it is gone afterwards.

    Raises UsageError when banyan.toml does not say how a new database is filled.
    """
    if not project.configuration.legacy.prepare:
        raise UsageError(
            "nothing says where the database is.",
            hint="Set BANYAN_DATABASE_URL, or say in banyan.toml how a new one is filled: [legacy] prepare = …",
        )
    with TemporaryDirectory(prefix="banyan-verify-") as folder, running(Path(folder) / "postgres") as server:
        url = embedded_database(server, project.configuration.name)
        prepare_legacy(project.folder, project.configuration, url, tell)
        upgrade(url, BANYAN)
        yield url, _partners(project)


def _partners(project: Project) -> Register:
    traffic = project.configuration.traffic
    partners = project.module(traffic).partners if traffic is not None else []
    return Register.of(
        1,
        [Consumer(each.code, each.name, frozenset(each.scopes), dict(each.values)) for each in partners],
        [Credential(each.code, kind, secret_hash(secret)) for each in partners for kind, secret in each.credentials],
    )
