"""The typed API as partners meet it: through a real edge and two real gateways, beside a worker and an observer.

Every answer is held against the API's document, as in-process ones are. Limits hold for the gateways together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import psycopg
import pytest

from api_gateway.doctor.budget import ours
from api_gateway.settings import Settings
from tests.support.answers import Judge
from tests.support.instance import Instance, copy_of_the_example, up

pytestmark = pytest.mark.xdist_group("up")

BUDGET = 12
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str], northgate_template: str) -> str:
    return clone(northgate_template)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("everything")
    copy_of_the_example(folder)
    environment = {"BANYAN_CONNECTION_BUDGET": str(BUDGET), "BANYAN_EXPORTS": "1"}
    with up(folder, "--project", "northgate_api", "--database-url", url, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def partner(instance: Instance) -> Iterator[httpx2.Client]:
    """A partner's program. What it is answered must be what the document says."""
    described = instance.description()
    judge = Judge(httpx2.get(f"{described['edge']}/api/openapi.json").json())

    def held(answer: httpx2.Response) -> None:
        path = answer.request.url.raw_path.partition(b"?")[0].decode()
        judge(answer.request.method, path, answer.status_code, answer.headers, answer.read())

    key = described["keys"]["acme"]
    with httpx2.Client(
        base_url=described["edge"],
        headers={"x-api-key": key},
        timeout=60,
        event_hooks={"response": [held]},
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "orders?limit=2&include=customer,lines.item", {}, 200),
        ("HEAD", "orders?limit=2", {}, 200),
        ("OPTIONS", "orders", {}, 204),
        ("GET", "orders:export?limit=3", {}, 200),
        ("GET", "orders:export?limit=3", {"headers": {"accept": "application/x-ndjson"}}, 200),
        ("GET", "orders?limit=3", {"headers": {"accept": "text/csv"}}, 200),
        ("GET", "orders:aggregate?by=status&sum=total", {}, 200),
        ("GET", "orders?nope=1", {}, 400),
        ("GET", "orders", {"headers": {"x-api-key": "nobody's"}}, 401),
        ("GET", "orders/0", {}, 404),
        ("GET", "nothing", {}, 404),
        ("PATCH", "orders", {"json": {}}, 405),
        ("GET", "orders", {"headers": {"accept": "image/png"}}, 406),
        ("POST", "customer-notes", {"content": b"x" * (1024 * 1024 + 1), "headers": JSON}, 413),
        ("GET", f"orders?reference={'x' * 17_000}", {}, 414),
        ("POST", "customer-notes", {"content": b"x", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", "customer-notes", {"content": b"x", "headers": {**JSON, "content-encoding": "gzip"}}, 415),
        ("POST", "customer-notes", {"content": b"{", "headers": JSON}, 400),
        ("POST", "orders", {"json": {"lines": []}}, 422),
    ],
)
def test_every_kind_of_answer_comes_through_the_edge_as_the_document_says(
    partner: httpx2.Client, method: str, path: str, more: Any, status: int
) -> None:
    answer = partner.request(method, f"/api/v1/{path}", **more)
    assert answer.status_code == status, answer.text


def test_a_row_is_written_through_the_edge_as_the_document_says(partner: httpx2.Client) -> None:
    number = partner.get("/api/v1/customers?limit=1").json()["data"][0]["number"]
    note = {"customer_number": number, "text": "through everything"}
    assert partner.post("/api/v1/customer-notes?dry_run=true", json=note).status_code == 200
    key = {"idempotency-key": "through-everything"}
    made = [partner.post("/api/v1/customer-notes", json=note, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[1].headers["idempotency-replayed"] == "true"
    place = made[0].headers["location"]
    tag = partner.get(place).headers["etag"]
    assert partner.get(place, headers={"if-none-match": tag}).status_code == 304
    assert partner.patch(place, json={"text": "changed"}, headers={"if-match": '"another"'}).status_code == 412
    assert partner.patch(place, json={"text": "changed"}, headers={"if-match": tag}).status_code == 200
    assert partner.patch(place, json={"text": "again"}, headers={"prefer": "return=minimal"}).status_code == 204
    assert partner.delete(place).status_code == 204
    assert partner.get(place).status_code == 404


def test_two_gateways_let_a_consumers_limit_through_together(instance: Instance) -> None:
    """Each of them its half; what comes back while they are asked is counted in."""
    described = instance.description()
    consumer, limit = "bolt", 40
    key = {"x-api-key": described["keys"][consumer]}
    set_ = instance.banyan("consumers", "limit", consumer, "--per-minute", str(limit))
    assert set_.returncode == 0, set_.stderr
    for gateway in described["gateway"]:
        began = time.monotonic()
        answers = [_asked(gateway, key)]
        while answers[-1].status_code == 200:
            answers.append(_asked(gateway, key))
            if answers[-1].headers["ratelimit-policy"] != f'"consumer";q={limit};w=60':  # not known here yet
                answers.clear()
                answers.append(_asked(gateway, key))
        came_back = (time.monotonic() - began) * limit / 2 / 60
        assert limit // 2 - 3 <= len(answers) - 1 <= limit // 2 + came_back + 1
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1


def _asked(gateway: str, key: dict[str, str]) -> httpx2.Response:
    return httpx2.get(f"{gateway}/api/v1/items?limit=1", headers=key, timeout=60)


CONNECTIONS = """
SELECT count(*) FILTER (WHERE usename = 'banyan_api' AND application_name <> 'banyan job'), count(*)
  FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'banyan%'
"""


def test_no_more_connections_are_open_than_the_budget_and_the_doctor_say(instance: Instance, url: str) -> None:
    described = instance.description()
    key = {"x-api-key": described["keys"]["acme"]}
    of_gateways = of_all = 0
    with psycopg.connect(url, autocommit=True) as watching, ThreadPoolExecutor(40) as pool:
        asked = [
            pool.submit(httpx2.get, f"{gateway}/api/v1/orders{what}", headers=key, timeout=60)
            for _ in range(40)
            for gateway in described["gateway"]
            for what in ("?limit=200&include=customer,lines.item", ":export")
        ]
        while not all(one.done() for one in asked):
            row = watching.execute(CONNECTIONS).fetchone()
            assert row is not None
            of_gateways, of_all = max(of_gateways, row[0]), max(of_all, row[1])
    assert {one.result().status_code for one in asked} <= {200, 503}
    assert 2 < of_gateways <= BUDGET
    assert of_gateways < of_all <= ours(Settings(connection_budget=BUDGET, exports=1), accounts=True)
