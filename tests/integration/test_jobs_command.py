"""`banyan jobs`: what is in the queue, why it failed, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from api_gateway.housekeeping import cuts
from api_gateway.postgres import Server
from shared_models.statements import run
from tests.support.commands import Banyan
from tests.support.jobs import Chores


@pytest.fixture
def chores(server: Server, clone: Callable[[str], str], chores_template: str) -> Chores:
    return Chores(server, clone(chores_template))


@pytest.fixture
def banyan(chores: Chores, tmp_path: Path) -> Banyan:
    return Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": chores.login("banyan_owner")})


def end(chores: Chores, number: int, status: str, *, days_ago: int = 0, error: str = "null") -> None:
    """As a worker leaves a job."""
    with psycopg.connect(chores.url) as connection:
        connection.execute("UPDATE banyan.procrastinate_jobs SET status = 'doing' WHERE id = %s", [number])
        connection.execute(
            f"UPDATE banyan.procrastinate_jobs SET status = '{status}'::banyan.procrastinate_job_status WHERE id = %s",
            [number],
        )
        connection.execute(
            "UPDATE banyan.job SET run = 4, failures = 4, error = %s::jsonb, finished = now() - %s WHERE id = %s",
            [error, timedelta(days=days_ago), number],
        )


LOOKUP = '{"kind": "exception", "error": "LookupError", "place": "tasks.py:7"}'


async def test_the_failed_ones_come_first_with_their_reason_and_the_exit_code_says_so(
    chores: Chores, banyan: Banyan
) -> None:
    assert banyan("jobs", "list").out == "there is no job.\n"
    well, failed, _ = await chores.enqueue(*(chores.tasks.note(what=what) for what in "abc"))
    end(chores, well.id, "succeeded")
    assert banyan("jobs", "list").code == 0
    end(chores, failed.id, "failed", error=LOOKUP)
    answer = banyan("jobs", "list")
    assert (answer.code, answer.complaint) == (1, "1 failed.")
    head, first, *_, counts = answer.out.splitlines()
    assert head.split() == ["JOB", "TASK", "STATE", "FOR", "DONE", "RUN", "SINCE", "WHY"]
    assert first.split()[:4] == [str(failed.id), "note", "failed", "consumer:ACME"]
    assert first.rstrip().endswith("LookupError at tasks.py:7")
    assert counts == "1 failed, 1 waiting, 1 succeeded"
    listed = banyan("jobs", "list", "--json", "--state", "waiting", "--state", "succeeded").json
    assert [row["state"] for row in listed] == ["waiting", "succeeded"]
    assert banyan("jobs", "list", "--state", "tired").complaint == "there is no state tired."


async def test_a_job_is_shown_whole(chores: Chores, banyan: Banyan) -> None:
    (job,) = await chores.enqueue(chores.tasks.note(what="dishes"), key="k", lock="l")
    end(chores, job.id, "failed", error=LOOKUP)
    out = banyan("jobs", "show", str(job.id)).out
    for line in (
        f"job {job.id}: note, failed",
        "why: LookupError at tasks.py:7",
        "for: consumer:ACME",
        'arguments: {"what": "dishes"}',
        "key: note:k",
        "lock: l",
        "runs: 4, of which 4 failed",
    ):
        assert line in out.splitlines()
    shown = banyan("jobs", "show", str(job.id), "--json").json
    assert [event["type"] for event in shown["history"]] == ["deferred", "started", "failed"]
    missing = banyan("jobs", "show", "999999")
    assert (missing.code, missing.complaint) == (2, "there is no job 999999.")


async def test_a_failed_job_is_tried_again_with_all_its_tries(chores: Chores, banyan: Banyan) -> None:
    first, second, waiting = await chores.enqueue(*(chores.tasks.note(what=what) for what in "abc"))
    for job in (first, second):
        end(chores, job.id, "failed", error=LOOKUP)
    assert banyan("jobs", "retry", str(first.id)).out == f"{first.id}: waiting again.\n"
    assert banyan("jobs", "retry", "--all").out == f"{second.id}: waiting again.\n"
    assert banyan("jobs", "retry", "--all").code == 1
    assert banyan("jobs", "retry", str(waiting.id)).complaint == f"job {waiting.id} has not failed: it is waiting."
    assert banyan("jobs", "retry").code == 2
    async with chores.worker():
        await chores.settled()
    assert (chores.noted(), banyan("jobs", "list").code) == (["a", "b", "c"], 0)


async def test_a_failed_job_whose_key_another_one_waits_under_is_not_needed(chores: Chores, banyan: Banyan) -> None:
    (old,) = await chores.enqueue(chores.tasks.note(what="a"), key="k")
    end(chores, old.id, "failed", error=LOOKUP)
    await chores.enqueue(chores.tasks.note(what="b"), key="k")
    answer = banyan("jobs", "retry", str(old.id))
    assert (answer.code, answer.out) == (1, "")
    assert chores.jobs() == [("note", "failed"), ("note", "todo")]


async def test_what_waits_is_cancelled_at_once_and_what_runs_is_stopped(chores: Chores, banyan: Banyan) -> None:
    async with chores.worker():
        running, waiting = await chores.enqueue(
            chores.tasks.in_steps(steps=500, pause=0.05), chores.tasks.note(what="never")
        )
        await _until_started(chores)
        assert banyan("jobs", "cancel", str(waiting.id)).out == f"job {waiting.id} is cancelled.\n"
        assert banyan("jobs", "cancel", str(running.id)).out == f"job {running.id} is told to stop.\n"
        assert sorted(await chores.settled()) == [("in_steps", "aborted"), ("note", "cancelled")]
    over = banyan("jobs", "cancel", str(running.id))
    assert (over.code, over.complaint) == (1, f"job {running.id} is over: it is cancelled.")
    ((done,),) = chores.rows("SELECT done FROM banyan.job WHERE id = %s", running.id)
    assert [f"step {n}" for n in range(done)] == sorted(chores.noted(), key=lambda what: int(what.split()[1]))


async def _until_started(chores: Chores) -> None:
    from tests.support.jobs import until

    await until(lambda: "step 1" in chores.noted())


async def test_jobs_that_are_over_are_kept_for_a_while_and_failed_ones_longer(chores: Chores) -> None:
    jobs = await chores.enqueue(*(chores.tasks.note(what=str(n)) for n in range(5)))
    for job, (status, days) in zip(
        jobs[:4], [("succeeded", 8), ("succeeded", 6), ("failed", 89), ("failed", 91)], strict=True
    ):
        end(chores, job.id, status, days_ago=days)
    with psycopg.connect(chores.login("banyan_owner")) as connection:
        for statement in cuts():
            run(connection, statement)
    assert chores.jobs() == [("note", "succeeded"), ("note", "failed"), ("note", "todo")]
    assert chores.rows("SELECT count(*) FROM banyan.job") == [(3,)]
