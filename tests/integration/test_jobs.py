"""Tasks of a project: enqueued with what their operation writes, run apart, tried again, harmless to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg
import pydantic
import pytest

from api_gateway.consumers import Principal
from api_gateway.jobs import Enqueuer
from api_gateway.postgres import Server
from tests.support.api import Api
from tests.support.jobs import Chores, until


@pytest.fixture
def chores(server: Server, clone: Callable[[str], str], chores_template: str) -> Chores:
    return Chores(server, clone(chores_template))


@pytest.fixture
def api(chores: Chores) -> Iterator[Api]:
    with chores.served() as api:
        yield api


def test_an_operation_enqueues_a_job_together_with_what_it_writes(api: Api, chores: Chores) -> None:
    answer = api.ask("POST", "chores", "ACME", json={"what": "dishes"})
    assert answer.status_code == 202
    assert chores.jobs() == [("count", "todo")]
    assert chores.rows("SELECT ref::text, owner FROM banyan.job") == [(answer.json()["job"], "consumer:ACME")]


@pytest.mark.parametrize(("then", "status"), [("raise", 500), ("refuse", 409), ("return", 409)])
def test_an_operation_that_comes_to_nothing_leaves_no_job(api: Api, chores: Chores, then: str, status: int) -> None:
    assert api.ask("POST", "chores", "ACME", json={"what": "dishes", "then": then}).status_code == status
    assert (chores.jobs(), chores.noted()) == ([], [])
    assert chores.rows("SELECT 1 FROM banyan.job") == []


async def test_a_job_runs_after_the_commit_and_sees_what_was_written_with_it(chores: Chores) -> None:
    async with chores.worker(), chores.database() as database:
        async with database.write() as tx:
            await Enqueuer(tx, Principal("consumer", "ACME"))(chores.tasks.note(what="early"))
            with psycopg.connect(chores.login("banyan_owner"), autocommit=True) as connection:
                connection.execute('NOTIFY procrastinate_any_queue_v1, \'{"type": "job_inserted", "job_id": 1}\'')
            await asyncio.sleep(0.3)
            assert chores.noted() == []
        await chores.settled()
    assert chores.noted() == ["early"]


async def test_a_task_gets_its_arguments_in_their_types_its_principal_and_the_apis_role(chores: Chores) -> None:
    tasks = chores.tasks
    async with chores.worker():
        await chores.enqueue(tasks.typed(date(2026, 3, 1), amount=Decimal("1.10"), names=["a", "b"]), tasks.say_role())
        await chores.settled()
    assert chores.rows('SELECT what, "by" FROM chore ORDER BY what') == [
        ("banyan_api", "ACME"),
        ("date Decimal('1.10') ['a', 'b']", "ACME"),
    ]


def test_a_job_with_arguments_that_do_not_fit_is_never_made(chores: Chores) -> None:
    with pytest.raises(TypeError):
        chores.tasks.note()
    with pytest.raises(pydantic.ValidationError):
        chores.tasks.note(what=1)


async def test_of_one_key_only_one_job_waits(chores: Chores) -> None:
    note = chores.tasks.note
    (first,) = await chores.enqueue(note(what="a"), key="k")
    (again,) = await chores.enqueue(note(what="b"), key="k")
    (other,) = await chores.enqueue(chores.tasks.count(of="c"), key="k")
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert (again.ref, len(chores.jobs())) == (first.ref, 2)
    async with chores.worker():
        await chores.settled()
        (later,) = await chores.enqueue(note(what="d"), key="k")
        assert later.is_new
        await chores.settled()
    assert chores.noted() == ["0 of c", "a", "d"]


async def test_a_job_that_waits_under_a_key_begins_only_after_whoever_counted_on_it_has_committed(
    chores: Chores,
) -> None:
    await chores.enqueue(chores.tasks.count(of="late"), key="late")
    async with chores.database() as database:
        async with database.write() as tx:
            assert not (
                await Enqueuer(tx, Principal("consumer", "ACME"))(chores.tasks.count(of="late"), key="late")
            ).is_new
            async with chores.worker():
                await chores.enqueue(chores.tasks.note(what="somebody else's"))
                await until(lambda: chores.noted() == ["somebody else's"])
                assert chores.jobs()[0] == ("count", "todo")
                await tx.execute(chores.project.module("tables").chore.insert().values(what="late", by="", run=0))
        async with chores.worker():
            await chores.settled()
    assert "1 of late" in chores.noted()


async def test_a_job_waits_for_its_moment(chores: Chores) -> None:
    async with chores.worker():
        await chores.enqueue(chores.tasks.note(what="next year"), at=datetime.now(UTC) + timedelta(days=365))
        await chores.enqueue(chores.tasks.note(what="now"), at=datetime.now(UTC) - timedelta(seconds=1))
        await until(lambda: chores.jobs() == [("note", "todo"), ("note", "succeeded")])
    assert chores.noted() == ["now"]
    with pytest.raises(ValueError, match="zone"):
        await chores.enqueue(chores.tasks.note(what="x"), at=datetime(2026, 1, 1))


async def test_a_failed_run_leaves_nothing_and_is_tried_again_a_few_times(chores: Chores) -> None:
    async with chores.worker(concurrency=2):
        await chores.enqueue(chores.tasks.third_time(), chores.tasks.never_works())
        assert sorted(await chores.settled()) == [("never_works", "failed"), ("third_time", "succeeded")]
    assert chores.noted() == ["at last"]
    found = chores.rows("SELECT run, failures, error FROM banyan.job ORDER BY id")
    (well, failed) = found
    assert well == (3, 2, None)
    assert failed[:2] == (2, 2)
    assert failed[2]["error"] == "LookupError"
    assert failed[2]["place"].startswith("tasks.py:")
    assert "secret" not in str(found)


async def test_a_task_that_refuses_is_not_tried_again_and_says_why(chores: Chores) -> None:
    async with chores.worker():
        await chores.enqueue(chores.tasks.refuses())
        assert await chores.settled() == [("refuses", "failed")]
    ((run, error),) = chores.rows("SELECT run, error FROM banyan.job")
    assert (run, error["kind"], error["code"], error["title"]) == (1, "refused", "not_today", "Not today.")


async def test_a_poisoned_job_stops_nobody_else(chores: Chores) -> None:
    tasks = chores.tasks
    poison = [
        (tasks.hangs(busily=True), "deadline"),
        (tasks.hangs(busily=False), "deadline"),
        (tasks.ends_its_process(how="os._exit"), "exited"),
        (tasks.ends_its_process(how="sys.exit"), "exception"),
        (tasks.eats_memory(), "exception"),
    ]
    async with chores.worker(concurrency=2):
        for job, _ in poison:
            await chores.enqueue(job, tasks.note(what=f"after {job.task.name}"))
        await chores.settled(60)
    kinds = [
        kind for (kind,) in chores.rows("SELECT error->>'kind' FROM banyan.job WHERE error IS NOT NULL ORDER BY id")
    ]
    assert kinds == [kind for _, kind in poison]
    assert [what for what in chores.noted() if what.startswith("after")] == sorted(
        f"after {job.task.name}" for job, _ in poison
    )
    assert "hung" not in chores.noted()


async def test_a_worker_that_stops_puts_its_job_back_and_the_next_one_goes_on_where_it_was(chores: Chores) -> None:
    await chores.enqueue(chores.tasks.in_steps(steps=20, pause=0.05))
    async with chores.worker():
        await until(lambda: "step 2" in chores.noted())
    assert chores.jobs() == [("in_steps", "todo")]
    async with chores.worker():
        assert await chores.settled() == [("in_steps", "succeeded")]
    assert sorted(chores.noted()) == sorted(f"step {n}" for n in range(20))
    assert chores.rows("SELECT failures, done, total, result FROM banyan.job") == [(0, 20, 20, {"last": 19})]
