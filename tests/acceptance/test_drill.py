"""The drill: one route, one partner, from legacy through shadow and canary to live, and back, with partners calling.

No partner may see a failed request at any time; the simulated partners count theirs, and so does a hammer of our own.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psycopg
import pytest

from api_gateway.up.instance import claim, end_leftovers
from tests.support.instance import Instance, copy_of_the_example, start_up, wait_until_ready

pytestmark = [pytest.mark.xdist_group("drill"), pytest.mark.timeout(240)]


def token(partner: str) -> str:
    return hashlib.sha256(f"northgate-demo-token-{partner}".encode()).hexdigest()[:32]


def orders_of(partner: str, **parameters: str) -> str:
    query = "".join(f"&{name}={value}" for name, value in parameters.items())
    return f"/partner/orders.xml?token={token(partner)}{query}"


def status_of(number: int | str) -> str:
    return f"/partner/order_status?no={number}"


@dataclass(slots=True)
class Hammer:
    """Calls paths one after the other until stopped, and keeps every answer that is no success."""

    edge: str
    requests: list[tuple[str, dict[str, str]]]
    failures: list[str] = field(default_factory=list)
    count: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Hammer:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        with httpx2.Client(base_url=self.edge, timeout=10) as client:
            while not self._stop.is_set():
                path, headers = self.requests[self.count % len(self.requests)]
                try:
                    answer = client.get(path, headers=headers)
                    if answer.status_code != 200:
                        self.failures.append(f"{path}: {answer.status_code}")
                except httpx2.HTTPError as error:
                    self.failures.append(f"{path}: {error!r}")
                self.count += 1
                time.sleep(0.01)


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, clone: Callable[[str], str], northgate_template: str
) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("drill")
    copy_of_the_example(folder)
    instance = start_up(folder, "--project", "northgate_api", "--traffic", "--database-url", clone(northgate_template))
    try:
        wait_until_ready(instance)
        yield instance
    finally:
        if instance.process.poll() is None:
            instance.process.send_signal(signal.SIGTERM)
            instance.process.wait(20)
        folder_again = claim(instance.state)
        end_leftovers(folder_again)
        folder_again.lock.close()


def until(what: str, ask: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.3)
    return answer


def evidence(world: Instance, route: str, consumer: str) -> dict[str, Any]:
    answer = world.banyan("evidence", route, "--consumer", consumer, "--json")
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))


def moved(world: Instance, *words: str) -> None:
    answer = world.banyan("routes", *words, "--reason", "the drill")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def call(world: Instance, path: str, **headers: str) -> httpx2.Response:
    answer = httpx2.get(world.edge + path, headers=headers, timeout=10)
    assert answer.status_code == 200
    return answer


def counted(world: Instance, answerer: str, consumer: str, stage: str) -> int:
    with psycopg.connect(world.description()["database"]) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(count), 0) FROM banyan.call_count"
            " WHERE route = 'orders.list' AND answerer = %s AND consumer = %s AND stage = %s",
            [answerer, consumer, stage],
        ).fetchone()
    return int(row[0]) if row else 0


def failures_of_partners(world: Instance) -> int:
    stats: dict[str, Any] = json.loads((world.state / "traffic.json").read_text())
    assert stats["requests"] > 0
    return int(stats["failed"])


def vary(world: Instance, partner: str, rounds: int = 8) -> None:
    """Calls of many shapes, as a partner's program makes them over weeks."""
    for number in range(1, rounds + 1):
        call(world, orders_of(partner))
        call(world, orders_of(partner, page=str(number)))
        call(world, orders_of(partner, since=f"2026-10-{number:02d}"))
        call(world, orders_of(partner, status="40"))


def test_one_route_moves_for_one_partner_and_nobody_sees_a_failure(world: Instance) -> None:
    before = call(world, orders_of("ACME", status="40")).content
    refused = world.banyan("routes", "move", "orders.list", "canary", "--consumer", "acme", "--reason", "x", "--json")
    assert refused.returncode == 1, refused.stdout + refused.stderr
    criteria = json.loads(refused.stdout)
    assert all(set(criterion) >= {"criterion", "have", "need", "eta"} for criterion in criteria)

    moved(world, "move", "orders.list", "shadow", "--consumer", "acme")

    def proven() -> bool:
        vary(world, "ACME", rounds=2)
        return all(c["met"] for c in evidence(world, "orders.list", "acme")["criteria"])

    until("twenty comparisons", proven)

    moved(world, "move", "orders.list", "canary", "--consumer", "acme")
    assert call(world, orders_of("ACME", status="40")).content == before
    until("modern answers acme", lambda: counted(world, "modern", "acme", "canary") > 0)
    call(world, orders_of("BOLT"))
    until("legacy answers bolt", lambda: counted(world, "legacy", "bolt", "legacy") > 0)

    moved(world, "move", "orders.list", "live", "--consumer", "acme")
    assert call(world, orders_of("ACME", status="40")).content == before
    until("modern answers acme live", lambda: counted(world, "modern", "acme", "live") > 0)
    assert failures_of_partners(world) == 0


def test_a_broken_mimic_is_seen_at_shadow_refused_and_rolled_back(world: Instance) -> None:
    moved(world, "move", "orders.list", "shadow", "--consumer", "bolt")

    def compared() -> int:
        vary(world, "BOLT", rounds=1)
        return int(evidence(world, "orders.list", "bolt")["verdicts"]["match"])

    until("comparisons of bolt", compared)
    mimic = world.folder / "northgate_api" / "mimics" / "order_list.py"
    right = mimic.read_text()
    assert "PAGE = 50\n" in right
    mimic.write_text(right.replace("PAGE = 50\n", "PAGE = 49\n"))
    try:

        def mismatches() -> int:
            vary(world, "BOLT", rounds=1)
            return int(evidence(world, "orders.list", "bolt")["verdicts"]["mismatch"])

        until("a mismatch", mismatches)
        refused = world.banyan(
            "routes", "move", "orders.list", "canary", "--consumer", "bolt", "--reason", "x", "--json"
        )
        assert refused.returncode == 1
        unmet = {c["criterion"]: c["have"] for c in json.loads(refused.stdout)}
        assert unmet["mismatches"] not in (0, "0")
        assert evidence(world, "orders.list", "bolt")["differences"]
        moved(world, "rollback", "orders.list", "--consumer", "bolt")
        moved(world, "rollback", "orders.list", "--consumer", "acme")
    finally:
        mimic.write_text(right)
    history = json.loads(world.banyan("routes", "history", "orders.list", "--json").stdout)
    assert [entry["to"] for entry in history[:2]] == ["canary", "legacy"]
    assert failures_of_partners(world) == 0


def test_with_every_process_of_ours_killed_reads_go_on_without_a_failure(world: Instance) -> None:
    """Envoy and the legacy app (and its database) are all that is left."""
    described = world.description()
    requests = [
        (orders_of("ACME"), {}),  # at canary
        (orders_of("CRANE"), {}),  # at legacy
        (status_of(1), {"X-Partner-Token": token("ACME")}),
        ("/admin/login/", {}),
    ]
    moved(world, "move", "orders.status", "shadow")
    victims = [
        world.process.pid,
        described["pids"]["edge_supervisor"],
        described["pids"]["worker"],
        described["pids"]["observer"],
        described["pids"]["traffic"],
        *described["pids"]["gateway"],
    ]
    with Hammer(described["edge"], requests) as hammer:
        until("the hammer is at work", lambda: hammer.count > 20)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        world.process.wait()
        reached = hammer.count
        until("the hammer goes on", lambda: hammer.count > reached + 200)
    assert hammer.failures == []
