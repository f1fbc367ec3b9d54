"""Job submission: a partner sends a long price list, follows it, and nothing is lost or doubled on the way.

The tests send as many rows as show it: six thousand, in batches of a thousand.
"""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from api_gateway.postgres import Server, free_port
from tests.support.api import NORTHGATE
from tests.support.both_sides import BothSides, token

HEAD = "item_number,min_quantity,price,valid_from,valid_to"
CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def work(both: BothSides, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
    """Starts a worker of our side: a process as in production."""
    name = both.url.rsplit("/", 1)[1]
    folder = tmp_path_factory.mktemp("worker")
    variables = {
        "BANYAN_PROJECT": str(NORTHGATE),
        "BANYAN_STATE_DIR": str(folder),
        "BANYAN_OWNER_DATABASE_URL": server.url(name, user="banyan_owner"),
        "BANYAN_API_DATABASE_URL": server.url(name, user="banyan_api"),
        "BANYAN_SESSION_SECRET": "of the tests",
        "BANYAN_CONSOLE_PORT": str(free_port()),
        "BANYAN_JOB_HEARTBEAT": "0.2",
    }

    @contextmanager
    def worker() -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "api_gateway.cli", "worker"]
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)

    return worker


def submit(both: BothSides, rows: list[str], who: str = "acme", **headers: str) -> httpx2.Response:
    body = "\n".join([HEAD, *rows]) + "\n"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return both.api.ask("POST", "price-imports", who, content=body.encode(), headers={**CSV, **named})


def ask(both: BothSides, place: str, who: str = "acme") -> dict[str, Any]:
    answer = both.api.client.get(place, headers={"x-api-key": who})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def follow(both: BothSides, place: str, until: Callable[[dict[str, Any]], bool], seconds: float = 90) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not until(document := ask(both, place)):
        assert time.monotonic() < deadline, document
        time.sleep(0.02)
    return document


def is_over(job: dict[str, Any]) -> bool:
    return job["status"] not in ("waiting", "running")


def items(both: BothSides) -> list[str]:
    return [row[0] for row in both.rows("SELECT item_no FROM item ORDER BY item_no")]


def to_legacy(both: BothSides, rows: list[str]) -> str:
    body = "\n".join([HEAD.replace("item_number", "item_no"), *rows]).replace(",", ";") + "\n"
    answer = httpx2.post(
        f"{both.legacy}/partner/price_upload?token={token('ACME')}", content=body.encode(), headers=CSV, timeout=60
    )
    return answer.text


def test_a_price_list_is_loaded_as_the_legacy_upload_loads_it(both: BothSides, work: Callable[[], Any]) -> None:
    one, other, third = items(both)[:3]
    rows = [
        f"{one},1,9.99,2026-12-01,2027-11-30",
        f"{one.lower()},10,8.885,2026-12-01",
        f"{other},,1.005",
        "NO-SUCH-ITEM,1,1.00",
        f"{one},0,1.00",
        f"{one},1,free",
        f"{one},1,1.00,2026-02-30",
        "",
        f"{third},5,3,2026-12-01,2026-12-31",
        f"{one},1,9.50,2026-12-01,2027-12-31",
    ]
    accepted = submit(both, rows, idempotency_key="prices-december")
    assert accepted.status_code == 202, accepted.text
    place = accepted.headers["location"]
    assert ask(both, place)["status"] == "waiting"
    with work():
        job = follow(both, place, is_over)
    assert (job["status"], job["faults"], job["done"], job["total"]) == ("succeeded", 4, 11, 11)
    assert job["result"] == {"loaded": 5, "rejected": 4}
    assert to_legacy(both, rows).startswith("LOADED 5 / REJECTED 4\n")
    # what a rejected row looked like differs by its separator alone
    both.prepare("UPDATE imp_err SET raw = replace(raw, ';', ',')")
    both.assert_same()

    report = both.api.client.get(f"{place}/faults", headers={"x-api-key": "acme"}).text
    assert [(row["row"], row["field"], row["code"]) for row in csv.DictReader(io.StringIO(report))] == [
        ("5", "item_number", "unknown_item"),
        ("6", "min_quantity", "bad_quantity"),
        ("7", "price", "bad_price"),
        ("8", "valid_from", "bad_date"),
    ]
    again = submit(both, rows, idempotency_key="prices-december")
    assert (again.headers["location"], again.headers["idempotency-replayed"]) == (place, "true")


def test_a_cancelled_import_keeps_what_it_had_loaded_and_says_so_in_the_log(
    both: BothSides, work: Callable[[], Any]
) -> None:
    known = items(both)
    rows = [f"{known[n % len(known)]},{1000 + n // len(known)},1.{n % 100:02},2027-02-01" for n in range(50_000)]
    place = submit(both, rows).headers["location"]
    with work():
        follow(both, place, lambda now: now["done"] > 0 or is_over(now))
        both.api.client.delete(place, headers={"x-api-key": "acme"})
        job = follow(both, place, is_over)
    assert job["status"] == "cancelled"
    stored = both.value("SELECT count(*) FROM price_lst WHERE vld_from = '2027-02-01'")
    assert 0 < stored == job["result"]["loaded"] < 50_000
    said = both.rows("SELECT txt FROM audit_log WHERE txt LIKE '%%cancelled'")
    assert said == [(f"loaded={stored} rejected=0 cancelled",)]


def test_a_worker_that_is_killed_loses_no_row_and_doubles_none(both: BothSides, work: Callable[[], Any]) -> None:
    known = items(both)
    rows = [f"{known[n % len(known)]},{1000 + n // len(known)},1.{n % 100:02},2027-01-01" for n in range(6000)]
    rows[2500] = "NO-SUCH-ITEM,1,1.00"
    place = submit(both, rows).headers["location"]
    kills = 0
    while not is_over(job := ask(both, place)):
        with work() as worker:
            begun = job["done"]
            job = follow(both, place, lambda now, begun=begun: is_over(now) or now["done"] > begun)
            if not is_over(job) and kills < 2:
                kills += 1
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait(10)
            else:
                job = follow(both, place, is_over)
    assert kills == 2
    assert (job["status"], job["runs"], job["done"], job["faults"]) == ("succeeded", 3, 6001, 1)
    assert job["result"] == {"loaded": 5999, "rejected": 1}
    assert both.value("SELECT count(*) FROM price_lst WHERE vld_from = '2027-01-01'") == 5999
    assert both.value("SELECT count(*) FROM imp_err WHERE row_no = 2502") == 1
    assert both.value("SELECT count(*) FROM audit_log WHERE txt = 'loaded=5999 rejected=1'") == 1


def test_another_partner_sees_nothing_of_it_and_who_is_no_partner_sends_nothing(both: BothSides) -> None:
    place = submit(both, [f"{items(both)[0]},1,1.00"]).headers["location"]
    for method in ("GET", "DELETE"):
        assert both.api.client.request(method, place, headers={"x-api-key": "bolt"}).status_code == 404
    assert submit(both, [], "nobody").json()["code"] == "no_partner"
    assert submit(both, [], "catalogue").status_code == 403
    cancelled = both.api.client.delete(place, headers={"x-api-key": "acme"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")


def test_a_file_of_other_columns_is_refused_at_once(both: BothSides) -> None:
    answer = both.api.ask("POST", "price-imports", content=b"item;price\n", headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_columns")
