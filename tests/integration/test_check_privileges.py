"""`banyan check` proves that each role can do what the contract needs and nothing else; what is wrong has its fix."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from api_gateway.api.contract import load_contract, wanted_grants
from api_gateway.check import Disagreement, disagreements
from api_gateway.draft.init import init_project
from api_gateway.postgres import Server
from api_gateway.project import Project, load_project
from shared_models.granting import MayNot, apply, plan
from shared_models.trials import Trial, failed
from tests.support.api import NORTHGATE, prepare
from tests.support.commands import Banyan

_OURS = ("role_", "grant_", "server_", "privileges_")


@pytest.fixture(scope="module")
def northgate() -> Project:
    return load_project(NORTHGATE)


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def found(project: Project, url: str) -> list[Disagreement]:
    return [one for one in disagreements(project, url) if one.code.startswith(_OURS)]


@contextmanager
def undone(url: str, do: str, undo: str) -> Iterator[None]:
    """For what belongs to the whole server."""
    run(url, do)
    try:
        yield
    finally:
        run(url, undo)


@contextmanager
def login(url: str, server: Server) -> Iterator[tuple[str, str]]:
    """A role without rights: its name, and its URL in the same database."""
    name = f"visitor_{uuid.uuid4().hex[:8]}"
    run(url, f"CREATE ROLE {name} LOGIN")
    try:
        yield name, server.url(url.rsplit("/", 1)[1], user=name)
    finally:
        run(url, f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_the_example_as_installed_is_exactly_what_its_contract_needs(northgate: Project, writing_url: str) -> None:
    assert found(northgate, writing_url) == []


def test_before_banyan_is_installed_there_is_nothing_to_say(northgate: Project, northgate_shared_url: str) -> None:
    assert found(northgate, northgate_shared_url) == []


def test_what_was_granted_beyond_the_contract_is_an_error_that_apply_repairs(
    northgate: Project, writing_url: str, tmp_path: Path
) -> None:
    run(
        writing_url,
        "GRANT SELECT (pw_hash) ON user_acct TO banyan_api",
        "GRANT INSERT, DELETE ON item TO banyan_read",
    )
    wrong = found(northgate, writing_url)
    assert [(one.code, one.severity) for one in wrong] == [("grant_excess", "error")] * 2
    assert [one.details and one.details["tables"] for one in wrong] == [
        {"public.user_acct": ["SELECT"]},
        {"public.item": ["DELETE", "INSERT"]},
    ]
    banyan = Banyan(tmp_path, {"BANYAN_PROJECT": str(NORTHGATE), "BANYAN_DATABASE_URL": writing_url})
    assert banyan("check").code == 1
    assert banyan("grants", "--apply").code == 0
    assert found(northgate, writing_url) == []


def test_what_is_needed_and_not_granted_is_told_by_table_and_column(northgate: Project, writing_url: str) -> None:
    run(writing_url, "REVOKE SELECT (nm, zip) ON customer FROM banyan_api", "REVOKE ALL ON item FROM banyan_read")
    run(writing_url, "REVOKE SELECT (item_no) ON item FROM banyan_read")
    wrong = {(one.message, one.table, one.column) for one in found(northgate, writing_url)}
    assert ("banyan_api may not SELECT", "public.customer", "nm, zip") in wrong
    assert any(message == "banyan_read may not SELECT" and table == "public.item" for message, table, _ in wrong)


def test_what_everybody_may_is_a_warning_with_the_revoke_and_legacy_is_left_alone(
    northgate: Project, writing_url: str
) -> None:
    run(writing_url, "GRANT ALL ON user_acct, partner TO PUBLIC", "GRANT CREATE ON SCHEMA public TO PUBLIC")
    wrong = found(northgate, writing_url)
    assert {(one.code, one.severity) for one in wrong} == {("grant_public", "warning")}
    statement = 'REVOKE ALL ON "public"."partner", "public"."user_acct" FROM PUBLIC;'
    assert statement in [one.details["statement"] for one in wrong if one.details]
    assert any("may create tables and functions in schema public" in one.message for one in wrong)
    target = wanted_grants(northgate, load_contract(northgate))
    with psycopg.connect(writing_url, autocommit=True) as connection:
        assert apply(connection, target) == []
    run(writing_url, statement, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    assert found(northgate, writing_url) == []


def test_what_a_role_has_through_another_is_an_error(northgate: Project, writing_url: str, server: Server) -> None:
    with login(writing_url, server) as (name, _):
        run(writing_url, f"GRANT SELECT ON user_acct TO {name}", f"GRANT {name} TO banyan_read")
        (wrong,) = found(northgate, writing_url)
        assert (wrong.code, wrong.severity) == ("grant_inherited", "error")
        assert wrong.advice == f'REVOKE "{name}" FROM banyan_read;'
        run(writing_url, wrong.advice)
        assert found(northgate, writing_url) == []


@pytest.mark.parametrize("power", ["BYPASSRLS", "CREATEROLE", "SUPERUSER"])
def test_a_role_with_powers_beside_its_grants_is_an_error(northgate: Project, writing_url: str, power: str) -> None:
    with undone(writing_url, f"ALTER ROLE banyan_api {power}", f"ALTER ROLE banyan_api NO{power}"):
        wrong = found(northgate, writing_url)
        assert [(one.code, one.severity) for one in wrong] == [("role_too_strong", "error")]
        assert wrong[0].advice == f"ALTER ROLE banyan_api NO{power};"


def test_a_role_that_can_become_a_superuser_is_an_error(northgate: Project, writing_url: str, server: Server) -> None:
    with login(writing_url, server) as (name, _):
        run(writing_url, f"ALTER ROLE {name} SUPERUSER", f"GRANT {name} TO banyan_api")
        assert f"banyan_api can become {name}" in " ".join(one.message for one in found(northgate, writing_url))


def test_a_function_that_acts_with_its_owners_rights_is_a_warning(northgate: Project, writing_url: str) -> None:
    run(
        writing_url,
        "CREATE FUNCTION peep(n int) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT pw_hash FROM user_acct'",
    )
    wrong = found(northgate, writing_url)
    assert {(one.code, one.severity) for one in wrong} == {("grant_public", "warning")}
    assert wrong[0].details == {"role": "banyan_api", "functions": ["public.peep(integer)"]}


def test_a_role_that_is_not_there_is_told_and_made_by_apply(
    northgate: Project, writing_url: str, server: Server
) -> None:
    target = wanted_grants(northgate, load_contract(northgate))
    with undone(
        writing_url,
        "ALTER ROLE banyan_read RENAME TO banyan_read_aside",
        "DROP OWNED BY banyan_read; DROP ROLE banyan_read; ALTER ROLE banyan_read_aside RENAME TO banyan_read",
    ):
        assert "role_missing" in [one.code for one in found(northgate, writing_url)]
        with login(writing_url, server) as (_, url), psycopg.connect(url, autocommit=True) as connection:
            with pytest.raises(MayNot) as refusal:
                apply(connection, target)
            assert refusal.value.statements[0] == 'CREATE ROLE "banyan_read" LOGIN'
        with psycopg.connect(writing_url, autocommit=True) as connection:
            assert 'CREATE ROLE "banyan_read" LOGIN' in apply(connection, target)
            assert plan(connection, target) == []
        assert [one for one in found(northgate, writing_url) if one.code != "grant_excess"] == []


def test_a_login_that_may_not_act_as_our_roles_says_so_or_uses_their_own_urls(
    northgate: Project, writing_url: str, server: Server, tmp_path: Path
) -> None:
    name = writing_url.rsplit("/", 1)[1]
    with login(writing_url, server) as (_, url):
        banyan = Banyan(tmp_path, {"BANYAN_PROJECT": str(NORTHGATE), "BANYAN_DATABASE_URL": url})
        said = [one for one in banyan("check", "--json").json["findings"] if one["code"].startswith(_OURS)]
        assert [(one["code"], one["severity"]) for one in said] == [("privileges_untried", "note")] * 2
        urls = {
            f"BANYAN_{role.upper()}_DATABASE_URL": server.url(name, user=f"banyan_{role}") for role in ("api", "read")
        }
        answer = banyan("check", "--json", **urls)
        assert [one for one in answer.json["findings"] if one["code"].startswith(_OURS)] == []


@pytest.fixture(scope="module")
def drafted(clone: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """An installed draft: a view with its caller's rights, hidden columns, an enum in another schema, a serial."""
    url = clone("template1")
    run(
        url,
        """CREATE SCHEMA kinds; CREATE TYPE kinds.state AS ENUM ('new', 'done'); CREATE SCHEMA "odd; schema";
        CREATE TABLE base (id serial PRIMARY KEY, seen text, secret text, state kinds.state);
        INSERT INTO base (seen, state) VALUES ('x', 'new');
        CREATE VIEW invoked WITH (security_invoker) AS SELECT id, seen, secret FROM base;
        CREATE TABLE "odd; schema"."o'dd" ("a;b" int PRIMARY KEY, "c""d" text)""",
    )
    folder = tmp_path_factory.mktemp("privileges") / "privileges_api"
    init_project(folder, url, schemas=["public", "odd; schema"])
    project = load_project(folder)
    prepare(url, project, load_contract(project))
    return project, url


def test_a_view_with_its_callers_rights_is_found_by_trying(drafted: tuple[Project, str]) -> None:
    """It reads a column that the contract does not show; every grant that the contract asks for is there."""
    project, url = drafted
    wrong = found(project, url)
    assert [(one.code, one.severity, one.table) for one in wrong] == [("server_refuses", "error", "public.invoked")] * 2
    assert [one.message.split(":")[0] for one in wrong] == ["banyan_api", "banyan_read"]
    assert all(one.details and one.details["statement"].startswith("EXPLAIN SELECT") for one in wrong)


def test_apply_gives_back_what_is_not_needed_any_more_and_is_then_done(drafted: tuple[Project, str]) -> None:
    project, url = drafted
    target = wanted_grants(project, load_contract(project))
    run(
        url,
        "GRANT USAGE, SELECT ON SEQUENCE base_id_seq TO banyan_api, banyan_read",
        "CREATE SCHEMA unneeded",
        "GRANT USAGE, CREATE ON SCHEMA unneeded TO banyan_read",
        "REVOKE USAGE ON SCHEMA kinds FROM banyan_api",
    )
    with psycopg.connect(url, autocommit=True) as connection:
        done = apply(connection, target)
        assert set(done) == {
            'REVOKE USAGE ON SEQUENCE public.base_id_seq FROM "banyan_api"',
            'REVOKE SELECT ON SEQUENCE public.base_id_seq FROM "banyan_api"',
            'REVOKE USAGE ON SEQUENCE public.base_id_seq FROM "banyan_read"',
            'REVOKE SELECT ON SEQUENCE public.base_id_seq FROM "banyan_read"',
            'REVOKE ALL ON SCHEMA "unneeded" FROM "banyan_read"',
            'GRANT USAGE ON SCHEMA "kinds" TO "banyan_api"',
        }
        assert apply(connection, target) == []


def test_trying_leaves_nothing_behind(drafted: tuple[Project, str]) -> None:
    project, url = drafted
    with psycopg.connect(url, autocommit=True) as connection:
        count = "SELECT count(*), (SELECT count(*) FROM base), (SELECT last_value FROM base_id_seq) FROM pg_class"
        before = connection.execute(count).fetchone()
        found(project, url)
        assert connection.execute(count).fetchone() == before


def test_a_trial_that_the_server_allows_and_must_not_is_reported(drafted: tuple[Project, str]) -> None:
    _, url = drafted
    must_not = Trial("EXPLAIN SELECT id FROM public.base", False, "SELECT")
    gone = Trial("EXPLAIN SELECT nothing FROM public.base", True, "SELECT")
    with psycopg.connect(url, autocommit=True) as connection:
        assert failed(connection, "banyan_api", [must_not, gone]) == [must_not]
