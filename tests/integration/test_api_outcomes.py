"""What a write comes to when others are in its way, or the wire is cut at COMMIT: done once, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from api_gateway.api import performing
from api_gateway.api.contract import Contract
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from api_gateway.postgres import Server
from shared_models import outcome
from shared_models.grants import touches
from tests.integration import writes_contract
from tests.support.api import Api
from tests.support.cutting import Cut, Wire, wire_to
from tests.support.writes import laid, served

SQL = (Path(__file__).parent / "writes.sql").read_text("utf-8")
SHAKY = """
CREATE SEQUENCE tries;
CREATE FUNCTION shaky() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN IF NEW.value LIKE 'shaky%' AND nextval('public.tries') % 3 <> 0 OR NEW.value LIKE 'never%' THEN
   RAISE EXCEPTION 'not now' USING ERRCODE = 'serialization_failure'; END IF;
   UPDATE public.client SET name = name WHERE NEW.value = 'crossing' AND id = 1; RETURN NEW; END $$;
CREATE TRIGGER shaky BEFORE INSERT OR UPDATE ON setting FOR EACH ROW EXECUTE FUNCTION shaky();
"""
setting = sa.table("setting", sa.column("name"), sa.column("value"))


class NewSetting(BaseModel):
    name: str
    value: str


@operation("kept", scope="settings:write", status=201)
@touches(insert={"setting": ["name", "value"]})
async def keep(new: NewSetting, tx: Write) -> dict[str, str]:
    await tx.execute(sa.insert(setting).values(name=new.name, value=new.value))
    return {"name": new.name}


@operation("kept-once", scope="settings:write", status=201, again=False)
@touches(insert={"setting": ["name", "value"]})
async def keep_once(new: NewSetting, tx: Write) -> None:
    await tx.execute(sa.insert(setting).values(name=new.name, value=new.value))


@pytest.fixture(scope="module")
def template(clone: Callable[[str], str]) -> tuple[str, Contract]:
    url = clone("template1")
    module = ModuleType("contract")
    vars(module).update(vars(writes_contract), operations=[keep, keep_once])
    return url.rsplit("/", 1)[1], laid(url, SQL + SHAKY, module)


@pytest.fixture
def url(clone: Callable[[str], str], template: tuple[str, Contract]) -> str:
    return clone(template[0])


@pytest.fixture
def api(url: str, template: tuple[str, Contract], server: Server) -> Iterator[Api]:
    with served(server, url, template[1]) as api:
        yield api


@pytest.fixture
def cut(url: str, template: tuple[str, Contract], server: Server) -> Iterator[tuple[Api, Wire]]:
    with wire_to(url) as (wire, through), served(Through(server, through), url, template[1]) as api:
        yield api, wire


class Through:
    """A server that is reached through a wire."""

    def __init__(self, server: Server, through: str) -> None:
        self._server, self._through = server, through

    def url(self, name: str, *, user: str) -> str:
        address = self._through.rsplit("@", 1)[-1].rsplit("/", 1)[0].removeprefix("postgresql://")
        return f"postgresql://{user}@{address}/{name}"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def put(api: Api, name: str, value: str, key: str | None = None, path: str = "settings") -> Any:
    headers = {} if key is None else {"idempotency-key": key}
    return api.ask("POST", path, "ACME", json={"name": name, "value": value}, headers=headers)


@pytest.mark.parametrize("path", ["settings", "kept"])
def test_a_write_that_lost_against_another_is_done_again_and_done_once(api: Api, url: str, path: str) -> None:
    assert put(api, "a", "shaky", "k", path).status_code == 201
    assert put(api, "b", "shaky 2", None, path).status_code == 201
    assert rows(url, "SELECT count(*), last_value FROM setting, tries WHERE value LIKE 'shaky%' GROUP BY 2") == [(2, 6)]


def test_a_write_that_always_loses_is_given_up_at_the_deadline_and_leaves_nothing(
    api: Api, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performing, "RETRY_SECONDS", 0.1)
    answer = put(api, "a", "never", "k")
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    assert answer.headers["retry-after"]
    assert rows(url, "SELECT count(*) FROM banyan.idempotency") == [(0,)]


def test_an_operation_may_say_that_it_is_not_to_be_run_again(api: Api) -> None:
    assert put(api, "a", "shaky", None, "kept-once").status_code == 503


def test_the_victim_of_a_deadlock_with_the_legacy_app_is_done_again(api: Api, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.execute("SELECT current_database()").fetchone()
        assert name
        connection.execute(f"ALTER DATABASE {name[0]} SET deadlock_timeout = '50ms'".encode())
    api.get("settings", "ACME")
    with psycopg.connect(url) as legacy:
        legacy.execute("SET deadlock_timeout = '20s'; SET lock_timeout = '15s'")
        legacy.execute("UPDATE client SET name = 'legacy' WHERE id = 1")
        answers: list[Any] = []
        headers = {"content-type": "application/merge-patch+json", "if-match": "*"}
        write = Thread(
            target=lambda: answers.append(
                api.ask("PATCH", "settings/zone", "ACME", json={"value": "crossing"}, headers=headers)
            )
        )
        write.start()
        waits = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename = 'banyan_api' AND wait_event_type = 'Lock' AND datname = current_database()"
        )
        while rows(url, waits) != [(1,)]:
            pass
        legacy.execute("UPDATE setting SET weight = 7 WHERE name = 'zone'")
    write.join(10)
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json() == {"name": "zone", "value": "crossing", "weight": 7, "source": "file"}


@pytest.mark.parametrize("path", ["settings", "kept"])
@pytest.mark.parametrize("way", ["lost", "vanished", "unanswered"])
def test_a_commit_whose_answer_never_came_is_looked_up(cut: tuple[Api, Wire], url: str, way: Cut, path: str) -> None:
    api, wire = cut
    wire.cut = way
    answer = put(api, "a", "x", "k", path)
    assert wire.cuts == 1
    count = "SELECT count(*) FROM setting WHERE name = 'a'"
    if way == "unanswered":
        assert answer.status_code == 201, answer.text
        assert rows(url, count) == [(1,)]
    else:
        assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
        assert rows(url, count) == [(0,)]
    again = put(api, "a", "x", "k", path)
    assert again.status_code == 201
    assert ("idempotency-replayed" in again.headers) is (way == "unanswered")
    assert rows(url, count) == [(1,)]


def test_where_nobody_can_be_asked_nothing_is_claimed(
    cut: tuple[Api, Wire], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "_LONGEST", 0.2)
    api, wire = cut
    wire.cut = "alone"
    answer = put(api, "a", "x")
    assert (answer.status_code, answer.json()["code"]) == (500, "outcome_unknown")
    assert rows(url, "SELECT count(*) FROM setting WHERE name = 'a'") == [(1,)]
