"""Schema `banyan` comes up, goes down without a trace, and comes up again; or nothing happens, and a line says why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api_gateway.postgres import Server, running
from shared_models import state
from shared_models.migrations import BANYAN, MigrationFault, downgrade, project_history, status, upgrade
from shared_models.migrations.jobs import take_over_jobs
from tests.migration.dumps import dump

HERE = Path(__file__).parent
REVISIONS = sorted(path.name[:4] for path in BANYAN.versions.glob("[0-9]*.py"))

REVISION = '''
"""Make room for long names."""
from alembic import op
revision, down_revision, branch_labels, depends_on = "p1", None, None, None
def upgrade(): op.execute("ALTER TABLE customer ADD COLUMN long_nm text")
def downgrade(): op.execute("ALTER TABLE customer DROP COLUMN long_nm")
'''


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose roles are nobody else's business."""
    with running(tmp_path_factory.mktemp("own") / "data") as started:
        yield started


@pytest.fixture
def legacy_url(own_server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A legacy database on a server without roles of ours."""
    execute(own_server.url(), "CREATE DATABASE legacy_t")
    url = own_server.url("legacy_t")
    execute(url, (HERE / "legacy.sql").read_text())
    yield url
    execute(own_server.url(), "DROP DATABASE legacy_t WITH (FORCE)")
    for role in (*state.ROLES, "legacy_clerk_t", "boss_t"):
        execute(own_server.url(), f"DROP ROLE IF EXISTS {role}")


def execute(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_up_down_up_leaves_the_database_as_it_was_in_between(own_server: Server, legacy_url: str) -> None:
    before = dump(own_server, legacy_url)
    upgrade(legacy_url)
    assert "banyan" in dump(own_server, legacy_url)
    downgrade(legacy_url)
    assert dump(own_server, legacy_url) == before
    upgrade(legacy_url)
    assert status(legacy_url).pending == ()


def test_going_down_takes_back_every_privilege_that_our_roles_were_given(own_server: Server, legacy_url: str) -> None:
    before = dump(own_server, legacy_url)
    upgrade(legacy_url)
    execute(legacy_url, (HERE / "grants.sql").read_text())
    execute(legacy_url, "GRANT CONNECT, TEMPORARY ON DATABASE legacy_t TO banyan_api")
    assert "banyan_api" in dump(own_server, legacy_url)
    downgrade(legacy_url)
    assert dump(own_server, legacy_url) == before


def test_our_roles_come_into_a_database_that_does_not_let_everybody_in(own_server: Server, legacy_url: str) -> None:
    execute(legacy_url, "REVOKE CONNECT ON DATABASE legacy_t FROM PUBLIC")
    before = dump(own_server, legacy_url)
    upgrade(legacy_url)
    for role in state.ROLES:
        psycopg.connect(own_server.url("legacy_t", user=role)).close()
    downgrade(legacy_url)
    assert dump(own_server, legacy_url) == before


def test_going_down_in_one_database_leaves_the_next_one_alone(own_server: Server, legacy_url: str) -> None:
    upgrade(legacy_url)
    execute(own_server.url(), "CREATE DATABASE other_t")
    try:
        upgrade(own_server.url("other_t"))
        execute(own_server.url(), "GRANT CONNECT ON DATABASE other_t TO banyan_api")
        other = dump(own_server, own_server.url("other_t"))
        downgrade(legacy_url)
        assert dump(own_server, own_server.url("other_t")) == other
    finally:
        execute(own_server.url(), "DROP DATABASE other_t WITH (FORCE)")


def test_the_migrated_tables_are_the_ones_the_program_knows(own_server: Server, legacy_url: str) -> None:
    upgrade(legacy_url)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(legacy_url), poolclass=NullPool)

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == state.SCHEMA
        return kind != "table" or not str(name).startswith(("procrastinate_", "alembic_version"))

    def apart_from_the_queue(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        """The one key that leads out of our own tables: a job of ours is gone with procrastinate's."""
        return kind != "foreign_key_constraint" or not thing.elements[0].target_fullname.startswith("banyan.procrast")

    with engine.connect() as connection:
        options = {"include_schemas": True, "include_name": ours, "compare_server_default": True}
        options["include_object"] = apart_from_the_queue
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, state.metadata) == []


def test_everything_in_the_schema_belongs_to_the_owner_role(legacy_url: str) -> None:
    upgrade(legacy_url)
    owners = rows(
        legacy_url,
        "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'banyan'::regnamespace"
        " UNION SELECT DISTINCT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'banyan'::regnamespace"
        " UNION SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'banyan'",
    )
    assert owners == [("banyan_owner",)]


def test_migrating_twice_changes_nothing_the_second_time(own_server: Server, legacy_url: str) -> None:
    upgrade(legacy_url)
    once = dump(own_server, legacy_url)
    upgrade(legacy_url)
    assert dump(own_server, legacy_url) == once


def test_one_step_at_a_time_comes_to_the_same(own_server: Server, legacy_url: str) -> None:
    upgrade(legacy_url)
    whole = dump(own_server, legacy_url)
    for revision in reversed(REVISIONS[:-1]):
        downgrade(legacy_url, revision="-1")
        assert status(legacy_url).current == revision
    for _ in REVISIONS[1:]:
        upgrade(legacy_url, revision="+1")
    assert dump(own_server, legacy_url) == whole


def test_the_database_owner_who_may_create_roles_needs_no_superuser(own_server: Server, legacy_url: str) -> None:
    execute(own_server.url(), "CREATE ROLE boss_t LOGIN CREATEROLE; ALTER DATABASE legacy_t OWNER TO boss_t")
    boss_url = own_server.url("legacy_t", user="boss_t")
    before = dump(own_server, legacy_url)
    upgrade(boss_url)
    assert status(boss_url).pending == ()
    downgrade(boss_url)
    assert dump(own_server, legacy_url) == before
    execute(own_server.url(), "ALTER DATABASE legacy_t OWNER TO postgres")


def test_who_may_not_create_roles_is_told_the_sql_to_have_run(own_server: Server, legacy_url: str) -> None:
    execute(own_server.url(), "CREATE ROLE boss_t LOGIN; ALTER DATABASE legacy_t OWNER TO boss_t")
    boss_url = own_server.url("legacy_t", user="boss_t")
    before = dump(own_server, legacy_url)
    with pytest.raises(MigrationFault) as caught:
        upgrade(boss_url)
    assert dump(own_server, legacy_url) == before
    _, _, needed = caught.value.message.partition("An administrator runs once: ")
    execute(own_server.url(), needed)
    upgrade(boss_url)
    assert status(boss_url).pending == ()
    execute(own_server.url(), "ALTER DATABASE legacy_t OWNER TO postgres")


def test_who_may_not_create_a_schema_is_told_the_sql_to_have_run(own_server: Server, legacy_url: str) -> None:
    execute(own_server.url(), "CREATE ROLE boss_t LOGIN CREATEROLE")
    boss_url = own_server.url("legacy_t", user="boss_t")
    with pytest.raises(MigrationFault) as caught:
        upgrade(boss_url)
    execute(legacy_url, caught.value.message.partition("runs once: ")[2])
    upgrade(boss_url)
    assert status(boss_url).pending == ()
    downgrade(legacy_url)
    execute(legacy_url, "REVOKE CREATE ON DATABASE legacy_t FROM boss_t")


def test_a_schema_of_that_name_that_is_not_ours_is_left_alone(own_server: Server, legacy_url: str) -> None:
    execute(legacy_url, "CREATE SCHEMA banyan; CREATE TABLE banyan.trees (id int)")
    before = dump(own_server, legacy_url)
    with pytest.raises(MigrationFault, match="belongs to postgres: it is not ours"):
        upgrade(legacy_url)
    assert dump(own_server, legacy_url) == before


def test_a_lock_that_is_not_to_be_had_leaves_nothing_half_done(own_server: Server, legacy_url: str) -> None:
    upgrade(legacy_url)
    before = dump(own_server, legacy_url)
    with psycopg.connect(legacy_url) as reader:
        reader.execute("SELECT count(*) FROM banyan.comparison")
        with pytest.raises(MigrationFault, match="waiting for a lock; nothing was changed"):
            downgrade(legacy_url)
    assert dump(own_server, legacy_url) == before


def test_two_deployers_at_once_both_find_it_done(legacy_url: str) -> None:
    failures: list[MigrationFault] = []

    def deploy() -> None:
        try:
            upgrade(legacy_url)
        except MigrationFault as error:
            failures.append(error)

    deployers = [threading.Thread(target=deploy) for _ in range(3)]
    for deployer in deployers:
        deployer.start()
    for deployer in deployers:
        deployer.join()
    assert failures == []
    assert status(legacy_url).pending == ()


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        ("CREATE VIEW public.moves AS SELECT route FROM banyan.ledger", "moves depends on schema banyan"),
        ("CREATE TABLE public.note (who text REFERENCES banyan.consumer)", "note depends on schema banyan"),
        ("CREATE TABLE public.job (state banyan.procrastinate_job_status)", "job.state depends on schema banyan"),
        ("CREATE TABLE banyan.notes (t text)", "something else is in schema banyan"),
    ],
)
def test_going_down_stops_at_what_somebody_built_on_our_schema(
    own_server: Server, legacy_url: str, theirs: str, told: str
) -> None:
    upgrade(legacy_url)
    execute(legacy_url, theirs)
    before = dump(own_server, legacy_url)
    with pytest.raises(MigrationFault, match="nothing was changed") as caught:
        downgrade(legacy_url)
    assert told.split()[0] in caught.value.message
    assert dump(own_server, legacy_url) == before


def test_a_projects_own_history_has_its_own_version(own_server: Server, legacy_url: str, tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "p1_long_names.py").write_text(REVISION)
    project = project_history(tmp_path)
    before = dump(own_server, legacy_url)
    with pytest.raises(MigrationFault, match="schema banyan is not there yet"):
        upgrade(legacy_url, project)
    upgrade(legacy_url)
    upgrade(legacy_url, project)
    assert (status(legacy_url).current, status(legacy_url, project).current) == (REVISIONS[-1], "p1")
    with pytest.raises(MigrationFault, match=r"project's own migrations are applied up to p1"):
        downgrade(legacy_url)
    downgrade(legacy_url, project)
    downgrade(legacy_url)
    assert dump(own_server, legacy_url) == before


def test_an_unknown_revision_is_one_line(legacy_url: str) -> None:
    with pytest.raises(MigrationFault, match="9999"):
        upgrade(legacy_url, revision="9999")
    assert status(legacy_url, BANYAN).current is None


def test_a_database_that_is_away_is_one_line_without_its_password() -> None:
    with pytest.raises(MigrationFault, match="the database is away") as caught:
        upgrade("postgresql://ann:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in caught.value.message


def test_a_later_procrastinate_brings_only_its_later_steps(legacy_url: str, tmp_path: Path) -> None:
    upgrade(legacy_url)
    (tmp_path / "03.04.00_50_old.sql").write_text("SELECT 1 / 0")
    (tmp_path / "99.00.00_01_pre_new.sql").write_text("CREATE TABLE procrastinate_new (share text DEFAULT '5 %')")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(legacy_url), poolclass=NullPool)
    for _ in range(2):
        with engine.begin() as connection:
            take_over_jobs(connection, sorted(tmp_path.glob("*.sql")))
            assert connection.scalar(text("SELECT to_regclass('banyan.procrastinate_new') IS NOT NULL"))
    downgrade(legacy_url)


@pytest.fixture
def role(own_server: Server, legacy_url: str) -> Callable[[str], psycopg.Connection[Any]]:
    upgrade(legacy_url)
    return lambda name: psycopg.connect(own_server.url("legacy_t", user=name), autocommit=True)


@pytest.mark.parametrize("table", ["consumer", "credential", "ledger", "comparison", "console_account", "process"])
def test_the_apis_role_cannot_read_who_calls_or_move_a_route(
    table: str, role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    for name in (state.API, state.READ):
        with role(name) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("SELECT * FROM banyan.{}").format(sql.Identifier(table)))


def test_the_apis_role_writes_its_journal_and_cannot_change_it(
    role: Callable[[str], psycopg.Connection[Any]],
) -> None:
    with role(state.API) as connection:
        connection.execute(
            'INSERT INTO banyan.journal (principal, operation, verb, schema, "table", key, columns)'
            " VALUES ('a', 'b', 'update', 'public', 'c', '{}', '{}')"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM banyan.journal")


def test_the_apis_role_enqueues_a_job_in_its_own_transaction(
    role: Callable[[str], psycopg.Connection[Any]],
) -> None:
    enqueue = (
        "SELECT banyan.procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'mail', 0, NULL, NULL, '{}', NULL)"
        "::banyan.procrastinate_job_to_defer_v1])"
    )
    with role(state.API) as connection:
        connection.execute("SET search_path = public")
        with connection.transaction(force_rollback=True):
            connection.execute(enqueue)
        with connection.transaction():
            connection.execute(enqueue)
    with role(state.OWNER) as connection:
        assert connection.execute("SELECT count(*) FROM banyan.procrastinate_jobs").fetchone() == (1,)


def test_the_ledger_can_only_be_added_to(role: Callable[[str], psycopg.Connection[Any]]) -> None:
    with role(state.OWNER) as connection:
        for statement in (
            "UPDATE banyan.ledger SET reason = ''",
            "DELETE FROM banyan.ledger",
            "TRUNCATE banyan.ledger",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
