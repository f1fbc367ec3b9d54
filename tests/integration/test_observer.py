"""The observer: every exchange is counted, candidates are compared at shadow, and none of them harms anybody."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.edge.exchange import Copy, Exchange
from api_gateway.evidence.isolation import CandidatePool, CandidateSetting
from api_gateway.evidence.read import read_calls, read_differences, read_evidence
from api_gateway.evidence.record import Recorder
from api_gateway.observer.exchanges import Exchanges
from api_gateway.project import Project, load_project
from api_gateway.stages import Stage, StageTable
from shared_models.migrations import BANYAN, upgrade

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILES = {
    "banyan.toml": 'name = "observed"\n',
    "routes.py": """
        from api_gateway.routes import FormToken, QueryToken, Route
        from observed.mimics import deeds

        def route(name, **given):
            # whoever is to be late is so soon; whoever is to answer is given time, since the machine may be busy
            timeout = 20.0 if name in ("good", "bad") else 1.0
            mimic = getattr(deeds, name)
            return Route(name, "GET", f"/{name}", QueryToken("token"), mimic=mimic, timeout=timeout, **given)

        names = "good bad raising exiting ending hanging burning huge hungry writing sleeping secrets printing".split()
        routes = [
            *(route(name) for name in names),
            Route("form", "POST", "/form", FormToken("token")),
            Route("unwritten", "GET", "/unwritten", QueryToken("token")),
        ]
    """,
    "mimics/deeds.py": """
        import asyncio, os, time

        import sqlalchemy as sa
        from fastapi import Response

        from api_gateway.api.transactions import Read, Write
        from api_gateway.evidence.mimic import LegacyCaller

        async def good(caller: LegacyCaller, q: str = "") -> Response:
            return Response(f"good {caller.code if caller else 'nobody'} {q}", media_type="text/plain")

        async def bad(caller: LegacyCaller) -> Response:
            return Response("bad", media_type="text/plain")

        async def raising() -> Response:
            raise ValueError("row 4711")

        async def exiting() -> Response:
            raise SystemExit(1)

        async def ending() -> Response:
            os._exit(3)

        async def hanging() -> Response:
            await asyncio.Event().wait()

        async def burning() -> Response:
            while True:
                pass

        def sleeping() -> Response:
            time.sleep(3600)

        async def huge() -> Response:
            return Response(b"x" * 100_000_000)

        async def hungry() -> Response:
            return Response(b"x" * 2_000_000_000)

        async def writing(tx: Write) -> Response:
            return Response("written")

        async def secrets(tx: Read) -> Response:
            found = [name for name in os.environ if name.startswith(("BANYAN_", "PGPASS"))]
            return Response(",".join(found), media_type="text/plain")

        async def printing() -> Response:
            print("x" * 1_000_000, flush=True)
            return Response("good", media_type="text/plain")
    """,
}
HARMFUL = {
    "raising": "raised: ValueError at mimics/deeds.py:",
    "exiting": "exited: SystemExit",
    "ending": "exited: process ended",
    "hanging": "timed out",
    "burning": "hung: process killed",
    "sleeping": "hung: after 1 s",
    "huge": "too large",
    "hungry": "raised: MemoryError",
    "writing": "raised: ReadOnly",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("projects") / "observed"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return load_project(folder)


@pytest.fixture(scope="module")
def url(clone: Any) -> str:
    fresh: str = clone("template1")
    upgrade(fresh, BANYAN)
    return fresh.replace("postgres@", "banyan_owner@")


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE banyan.call_count, banyan.comparison")
        yield connection


@dataclass
class Standing:
    """Stages and register, as a watcher holds them."""

    table: StageTable
    register: Register


@dataclass
class Observer:
    """The working parts of an observer, without its receiver."""

    exchanges: Exchanges
    recorder: Recorder
    candidates: CandidatePool
    standing: Standing
    project: Project

    def shadow(self, *routes: str) -> None:
        self.standing.table = StageTable(1, {(route, None): Stage.shadow for route in routes})

    async def compared(self, connection: psycopg.Connection[Any], number: int) -> list[dict[str, Any]]:
        """The comparisons, once there are that many. Fails when they do not come."""
        columns = "route, consumer, verdict, shape, fingerprint, differences, request"
        query = f"SELECT {columns} FROM banyan.comparison ORDER BY id"
        for _ in range(600):
            await self.recorder.flush()
            with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
                rows = cursor.execute(query).fetchall()
            if len(rows) >= number:
                return rows
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(rows)} of {number} comparisons came")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def candidates(project: Project, url: str) -> AsyncIterator[CandidatePool]:
    pool = CandidatePool(CandidateSetting(str(project.folder), url.replace("banyan_owner@", "banyan_read@")), 1)
    yield pool
    await pool.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def observer(project: Project, url: str, connection: Any, candidates: CandidatePool) -> AsyncIterator[Observer]:
    consumers, key = [Consumer("acme", "Acme")], Credential("acme", "query", secret_hash("tok-acme"))
    standing = Standing(StageTable(), Register.of(1, consumers, [key]))
    async with Recorder(url, application_name="test") as recorder:
        exchanges = Exchanges(project, standing, recorder, candidates, legacy_url=None, waiting=4)
        work = asyncio.create_task(exchanges.work())
        yield Observer(exchanges, recorder, candidates, standing, project)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def exchange(name: str, answer: str, **given: Any) -> Exchange:
    now = time.monotonic()
    plain = Exchange(
        route_name=name,
        why="",
        copied=Copy.whole,
        declined=False,
        method="GET",
        target=f"/{name}?token=tok-acme",
        request_headers=((b"host", b"x"),),
        request_body=b"",
        status=200,
        response_headers=((b"content-type", b"text/plain; charset=utf-8"),),
        response_body=answer.encode(),
        complete=True,
        truncated=False,
        source_address="127.0.0.1",
        started=now - 0.01,
        finished=now,
    )
    return replace(plain, **given)


class TestCounting:
    async def test_calls_are_counted_by_consumer_at_every_stage(self, observer: Observer, connection: Any) -> None:
        for stage in Stage:
            observer.standing.table = StageTable(1, {("good", None): stage})
            await observer.exchanges.take(exchange("good", "good acme ", copied=Copy.head))
        await observer.exchanges.take(exchange("good", "", target="/good?token=who", status=403))
        await observer.recorder.flush()
        counted = {(c.consumer, c.stage, c.outcome): c.count for c in read_calls(connection, "good")}
        assert counted == {
            **{("acme", str(stage), "2xx"): 1 for stage in Stage},
            (None, "retired", "4xx"): 1,
        }

    async def test_a_caller_named_in_a_form_is_counted(self, observer: Observer, connection: Any) -> None:
        observer.standing.register = Register.of(
            2, observer.standing.register.all, [Credential("acme", "form", secret_hash("tok-acme"))]
        )
        headers = ((b"content-type", b"application/x-www-form-urlencoded"),)
        given = {"method": "POST", "target": "/form", "copied": Copy.form, "request_headers": headers}
        await observer.exchanges.take(exchange("form", "OK", request_body=b"a=1&token=tok-acme", **given))
        await observer.recorder.flush()
        assert [(c.route, c.consumer) for c in read_calls(connection)] == [("form", "acme")]

    async def test_an_answer_that_never_came_is_counted_as_incomplete(
        self, observer: Observer, connection: Any
    ) -> None:
        await observer.exchanges.take(exchange("good", "", status=0, complete=False))
        await observer.recorder.flush()
        assert [c.outcome for c in read_calls(connection)] == ["incomplete"]

    async def test_what_means_no_listed_route_is_not_counted(self, observer: Observer, connection: Any) -> None:
        await observer.exchanges.take(exchange("", "", why="climbs", target="/a/../elsewhere"))
        await observer.recorder.flush()
        assert read_calls(connection) == []


class TestComparing:
    async def test_at_shadow_the_candidate_is_compared(self, observer: Observer, connection: Any) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good acme 7", target="/good?token=tok-acme&q=7"))
        [row] = await observer.compared(connection, 1)
        assert (row["verdict"], row["consumer"], row["shape"]) == ("match", "acme", "GET q=integer token=code")
        assert read_evidence(connection, "good", "acme", row["fingerprint"]).matches == 1

    async def test_a_mismatch_is_kept_with_its_place_and_without_the_token(
        self, observer: Observer, connection: Any
    ) -> None:
        observer.shadow("bad")
        await observer.exchanges.take(exchange("bad", "good tok-acme"))
        [row] = await observer.compared(connection, 1)
        assert row["verdict"] == "mismatch"
        assert row["differences"] == [{"path": "line[1]", "kind": "value", "control": "good •••", "candidate": "bad"}]
        assert row["request"] == {"method": "GET", "target": "/bad?token=•••", "looks": 3}
        [group] = read_differences(connection, "bad", None, row["fingerprint"])
        assert (group.path, group.count) == ("line[*]", 1)

    @pytest.mark.parametrize("stage", ["legacy", "canary", "live"])
    async def test_at_other_stages_no_candidate_runs(self, observer: Observer, stage: str) -> None:
        observer.standing.table = StageTable(1, {("good", None): Stage(stage)})
        await observer.exchanges.take(exchange("good", "x"))
        assert observer.exchanges.waiting == 0

    async def test_heads_alone_routes_without_mimic_and_odd_paths_are_not_compared(self, observer: Observer) -> None:
        observer.shadow("good", "unwritten")
        await observer.exchanges.take(exchange("good", "", copied=Copy.head))
        await observer.exchanges.take(exchange("unwritten", "x"))
        await observer.exchanges.take(exchange("good", "x", target="//good", why="spelling"))
        assert observer.exchanges.waiting == 0

    async def test_an_escaped_path_that_every_stack_reads_alike_is_compared(
        self, observer: Observer, connection: Any
    ) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good nobody ", target="/g%6fod", why="spelling"))
        assert [row["verdict"] for row in await observer.compared(connection, 1)] == ["match"]

    async def test_an_incomplete_copy_is_inconclusive(self, observer: Observer, connection: Any) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good ac", complete=False))
        [row] = await observer.compared(connection, 1)
        assert (row["verdict"], row["request"]["why"]) == ("inconclusive", "control incomplete")

    async def test_what_is_too_much_is_skipped_whole_and_counted(self, observer: Observer, connection: Any) -> None:
        observer.shadow("good")
        for _ in range(20):
            await observer.exchanges.take(exchange("good", "good acme "))
        await observer.recorder.flush()
        counted = {(c.answerer, c.outcome): c.count for c in read_calls(connection, "good")}
        assert counted == {("legacy", "2xx"): 20, ("candidate", "skipped"): 16}

    async def test_what_waited_too_long_is_skipped(self, observer: Observer, connection: Any) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good acme ", finished=time.monotonic() - 60))
        await observer.exchanges.take(exchange("good", "good acme "))
        assert len(await observer.compared(connection, 1)) == 1
        assert read_evidence(connection, "good", "acme", "any").skipped == 1


class TestHarmless:
    async def test_whatever_a_candidate_does_the_next_one_is_compared(
        self, observer: Observer, connection: Any
    ) -> None:
        observer.shadow("good", *HARMFUL)
        for done, name in enumerate(HARMFUL):
            await observer.exchanges.take(exchange(name, "legacy"))
            await observer.exchanges.take(exchange("good", "good acme ", finished=time.monotonic() + 60))
            *_, harmful, good = await observer.compared(connection, 2 * done + 2)
            assert (harmful["route"], harmful["verdict"]) == (name, "mismatch")
            assert harmful["differences"][0]["candidate"].startswith(HARMFUL[name])
            assert "4711" not in str(harmful["differences"])
            assert (good["route"], good["verdict"], name) == ("good", "match", name)

    @pytest.mark.parametrize(("name", "answer"), [("secrets", ""), ("printing", "good")])
    async def test_a_candidate_finds_no_secrets_and_prints_into_nothing(
        self, observer: Observer, connection: Any, monkeypatch: pytest.MonkeyPatch, name: str, answer: str
    ) -> None:
        monkeypatch.setenv("BANYAN_OWNER_DATABASE_URL", "postgresql://owner")
        observer.candidates.renew()
        observer.shadow(name)
        await observer.exchanges.take(exchange(name, answer))
        assert [row["verdict"] for row in await observer.compared(connection, 1)] == ["match"]

    async def test_candidate_processes_run_at_low_priority(self, observer: Observer, connection: Any) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good acme "))
        await observer.compared(connection, 1)
        [pid] = observer.candidates.pids
        assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)


class TestRenewal:
    async def test_a_change_is_noticed_once_and_not_again_when_the_new_candidate_runs(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good acme "))
        await observer.compared(connection, 1)
        present = observer.candidates.fingerprint("good")
        assert not observer.candidates.is_outdated("good", present)
        assert observer.candidates.is_outdated("good", "another")
        observer.candidates.renew()
        assert not observer.candidates.is_outdated("good", "another")

    async def test_a_changed_candidate_is_run_and_starts_from_zero(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        observer.shadow("bad")
        await observer.exchanges.take(exchange("bad", "mended"))
        [before] = await observer.compared(connection, 1)
        path = project.folder / "mimics" / "deeds.py"
        source = path.read_text()
        try:
            path.write_text(source.replace('Response("bad"', 'Response("mended"'))
            observer.candidates.renew()
            await observer.exchanges.take(exchange("bad", "mended"))
            _, after = await observer.compared(connection, 2)
        finally:
            path.write_text(source)
            observer.candidates.renew()
        assert (before["verdict"], after["verdict"]) == ("mismatch", "match")
        assert before["fingerprint"] != after["fingerprint"]

    async def test_a_project_that_cannot_be_imported_is_inconclusive(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        path: Path = project.folder / "mimics" / "deeds.py"
        source = path.read_text()
        observer.shadow("good")
        try:
            path.write_text(source + "\nimport nothing_of_this_name\n")
            observer.candidates.renew()
            await observer.exchanges.take(exchange("good", "good acme "))
            [row] = await observer.compared(connection, 1)
        finally:
            path.write_text(source)
        assert (row["verdict"], row["request"]["why"]) == ("inconclusive", "candidate unavailable")

    async def test_sources_that_change_while_they_are_loaded_earn_nothing(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        """Else the old code's runs would count for the new candidate."""
        path: Path = project.folder / "mimics" / "deeds.py"
        late = path.with_name("late.py")
        source = path.read_text()
        observer.shadow("good")
        try:
            changing = f"import pathlib, time\npathlib.Path({str(late)!r}).write_text(str(time.time_ns()))\n"
            path.write_text(f"{source}\n{changing}")
            observer.candidates.renew()
            await observer.exchanges.take(exchange("good", "good acme "))
            [row] = await observer.compared(connection, 1)
        finally:
            path.write_text(source)
            late.unlink(missing_ok=True)
        assert (row["verdict"], row["request"]["why"]) == ("inconclusive", "candidate unavailable")
