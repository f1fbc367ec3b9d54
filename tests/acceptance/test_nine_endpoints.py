"""All nine partner endpoints are carried through their stages, through the real edge, while four partners call.

Proven by verify and by live comparisons, promoted partner by partner, rolled back once, promoted again; one is retired
at the end while an exempt partner stays at legacy. No partner sees a failed request on the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import psycopg
import pytest

from api_gateway import ledger, moves
from api_gateway.project import Project, load_project
from api_gateway.stages import Stage
from tests.support.instance import BANYAN, ROOT, Instance, copy_of_the_example, up

pytestmark = [pytest.mark.xdist_group("nine"), pytest.mark.timeout(600)]

PARTNERS = ("acme", "bolt")
EXEMPT = "bolt"
RETIRED = "orders.status"
GATE = """
[gate]                          # a test has seconds where a project has days
comparisons = 6
comparisons_verified = 3
shapes = 1
verified = 8
wrote = 1
"""


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, clone: Callable[[str], str], northgate_template: str
) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("nine")
    project = copy_of_the_example(folder)
    toml = project / "banyan.toml"
    toml.write_text(toml.read_text("utf-8") + GATE)
    traffic = project / "traffic.py"
    text = traffic.read_text("utf-8")
    assert "PAUSE = (0.8, 1.8)" in text
    traffic.write_text(text.replace("PAUSE = (0.8, 1.8)", "PAUSE = (0.02, 0.08)"))
    with up(folder, "--traffic", environment={"DATABASE_URL": clone(northgate_template)}) as instance:
        yield instance


def until(what: str, ask: Callable[[], Any], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return answer


class Carrier:
    """Moves as `banyan routes` does, without a new process for each."""

    def __init__(self, running: Instance) -> None:
        self.project: Project = load_project(running.folder / "northgate_api")
        self.connection = psycopg.connect(running.description()["database"], autocommit=True)
        self.connection.execute("SET ROLE banyan_owner")

    def move(self, route: str, stage: Stage, consumer: str | None) -> None:
        """Once the evidence suffices, and until every process acts on it. Nobody overrides anything."""

        def moved() -> bool:
            try:
                outcome = moves.move(
                    self.connection, self.project, route, stage,
                    consumer=consumer, actor="ann", reason="carried through", timeout=20.0,
                )  # fmt: skip
            except moves.Refused as refused:
                self.lacks = refused.message
                return False
            assert not outcome.laggards
            return True

        self.lacks = ""
        try:
            until(f"{route} to {stage} for {consumer}", moved)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.lacks}") from None

    def stage(self, route: str, consumer: str | None) -> Stage:
        return ledger.read_table(self.connection).stage(route, consumer)

    def answered(self, route: str, consumer: str, answerer: str, stage: str) -> int:
        query = (
            "SELECT coalesce(sum(count), 0) FROM banyan.call_count"
            " WHERE (route, consumer, answerer, stage) = (%s, %s, %s, %s) AND outcome NOT IN ('failed', 'skipped')"
        )
        row = self.connection.execute(query.encode(), [route, consumer, answerer, stage]).fetchone()
        return int(row[0]) if row else 0


def failures_of_partners(running: Instance) -> list[Any]:
    statistics = json.loads((running.state / "traffic.json").read_text("utf-8"))
    assert statistics["requests"] > 0
    return list(statistics["failures"])


def test_all_nine_go_from_legacy_to_live_and_one_is_retired(running: Instance) -> None:
    proving = subprocess.Popen(
        [*BANYAN, "verify", "--seed", "1", "--requests", "260", "--budget", "120s"],
        cwd=running.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **running.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    carrier = Carrier(running)
    routes = list(carrier.project.routes)
    assert len(routes) == 9
    for route in routes:
        for partner in PARTNERS:
            carrier.move(route, Stage.shadow, partner)
    said, _ = proving.communicate(timeout=400)
    assert proving.returncode == 0, said
    for partner in PARTNERS:
        for stage in (Stage.canary, Stage.live):
            for route in routes:
                carrier.move(route, stage, partner)
    assert {carrier.stage(route, partner) for route in routes for partner in PARTNERS} == {Stage.live}
    called = [route for route in routes if route not in ("customers.create", "prices.upload")]  # no partner calls those
    until("modern answers all", lambda: all(carrier.answered(route, "acme", "modern", "live") for route in called))

    moves.rollback(
        carrier.connection, carrier.project, "orders.list", consumer="acme", to=Stage.shadow,
        actor="ann", reason="rolled back once", timeout=20.0,
    )  # fmt: skip
    before = carrier.answered("orders.list", "acme", "legacy", "shadow")
    until("legacy answers again", lambda: carrier.answered("orders.list", "acme", "legacy", "shadow") > before)
    for stage in (Stage.canary, Stage.live):
        carrier.move("orders.list", stage, "acme")
    assert failures_of_partners(running) == []

    carrier_exempts(carrier)
    for stage in (Stage.shadow, Stage.canary, Stage.live, Stage.retired):
        carrier.move(RETIRED, stage, None)
    carrier.move(RETIRED, Stage.retired, "acme")
    tokens = {code: _token(code) for code in ("ACME", "BOLT", "CRANE")}
    answers = {
        code: httpx2.get(f"{running.edge}/partner/order_status?no=1", headers={"X-Partner-Token": token}, timeout=20)
        for code, token in tokens.items()
    }
    assert {code: answer.status_code for code, answer in answers.items()} == {"ACME": 410, "BOLT": 200, "CRANE": 410}
    assert 'rel="successor-version"' in answers["ACME"].headers["link"]
    assert carrier.project.routes[RETIRED].successor in answers["ACME"].headers["link"]
    history = ledger.history(carrier.connection, limit=1000)
    assert {entry.move.overridden for entry in history} == {None}
    assert not [entry for entry in history if entry.move.kind == "automatic"]


def carrier_exempts(carrier: Carrier) -> None:
    """The partner who cannot change its program yet stays at legacy, by a stage of its own."""
    moves.rollback(
        carrier.connection, carrier.project, RETIRED, consumer=EXEMPT, to=Stage.legacy,
        actor="ann", reason="cannot change before the summer", timeout=20.0,
    )  # fmt: skip


def _token(partner: str) -> str:
    return hashlib.sha256(f"northgate-demo-token-{partner}".encode()).hexdigest()[:32]
