"""The observer: every exchange is counted, candidates are compared at shadow, and none of them harms anybody."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from api_gateway import recordings
from api_gateway.consumers import Credential, Register, secret_hash
from api_gateway.edge.exchange import UNLISTED, Copy
from api_gateway.evidence.read import read_calls, read_differences, read_evidence
from api_gateway.inventory.stock import Stock
from api_gateway.observer.exchanges import Exchanges
from api_gateway.stages import Stage, StageTable
from tests.support.observed import Observer, exchange

pytestmark = pytest.mark.asyncio(loop_scope="module")

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


class TestUnlisted:
    async def test_what_is_not_listed_is_taken_stock_of_and_is_no_call(
        self, observer: Observer, url: str, connection: Any
    ) -> None:
        connection.execute("TRUNCATE banyan.unlisted")
        async with Stock(url, 1.0, application_name="test") as stock:
            exchanges = Exchanges(
                observer.project,
                observer.standing,
                observer.recorder,
                observer.candidates,
                legacy_url=None,
                stock=stock,
            )
            await exchanges.take(exchange("", "", why=UNLISTED, copied=Copy.head, target="/panel/7?token=tok-acme"))
        await observer.recorder.flush()
        assert read_calls(connection) == []
        stored = connection.execute("SELECT path, caller, count FROM banyan.unlisted").fetchall()
        assert stored == [("/panel/{id}", "acme", 1)]


class TestRecording:
    async def test_a_route_that_wants_it_is_recorded_at_every_stage_and_only_when_plain_and_whole(
        self, observer: Observer, connection: Any
    ) -> None:
        connection.execute("DELETE FROM banyan.recording")
        for stage in ("legacy", "canary"):
            observer.standing.table = StageTable(1, {("kept", None): Stage(stage)})
            await observer.exchanges.take(exchange("kept", f"said at {stage}"))
        await observer.exchanges.take(exchange("kept", "", copied=Copy.head))
        await observer.exchanges.take(exchange("kept", "odd", target="//kept", why="spelling"))
        await observer.exchanges.take(exchange("good", "not asked for"))
        await observer.keeper.flush()
        kept = [*recordings.read(connection, "kept"), *recordings.read(connection, "good")]
        assert [(each.consumer, each.response.body) for each in kept] == [
            ("acme", "said at legacy"),
            ("acme", "said at canary"),
        ]

    async def test_what_cannot_be_recorded_is_counted_as_a_call_all_the_same(
        self, observer: Observer, connection: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise RuntimeError("row 4711")

        monkeypatch.setattr(observer.keeper, "offer", refuse)
        await observer.exchanges.take(exchange("kept", "x"))
        await observer.recorder.flush()
        assert [c.route for c in read_calls(connection)] == ["kept"]


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

    async def test_a_candidate_that_ends_its_transaction_itself_may_write_nothing_either(
        self, observer: Observer, connection: Any
    ) -> None:
        connection.execute("TRUNCATE banyan.unlisted")
        connection.execute("INSERT INTO banyan.unlisted VALUES (current_date, 'GET', '/', '', '200', 1)")
        observer.shadow("committing", "good")
        await observer.exchanges.take(exchange("committing", "good"))
        await observer.exchanges.take(exchange("good", "good acme ", finished=time.monotonic() + 60))
        committing, good = await observer.compared(connection, 2)
        assert (committing["verdict"], good["verdict"]) == ("inconclusive", "match")
        assert connection.execute("SELECT count(*) FROM banyan.unlisted").fetchone() == (1,)

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
