"""Rate limits as a consumer meets them, and as the register and the live processes set them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers
from api_gateway.api.contract import load_contract
from api_gateway.ledger import Watcher
from api_gateway.ledger.processes import Identity, acknowledge
from api_gateway.postgres import Server
from api_gateway.project import Limits, load_project
from tests.support.api import NORTHGATE, Api, partners, serving


@pytest.fixture(scope="module")
def limited(server: Server, clone: Callable[[str], str], api_template: str) -> Iterator[Api]:
    """acme may ask four times a minute, bolt five, addresses three; two gateways share the load."""
    project = load_project(NORTHGATE)
    project = replace(
        project,
        configuration=project.configuration.model_copy(
            update={"limits": Limits(requests_per_minute=4, anonymous_per_minute=3)}
        ),
    )
    contract = load_contract(project)
    register = [replace(one, per_minute=5) if one.code == "bolt" else one for one in partners(contract)]
    url = server.url(clone(api_template).rsplit("/", 1)[1], user="banyan_api")
    with serving(url, register, project=project, contract=contract) as api:
        yield api


def test_a_consumer_is_told_where_it_stands_and_stopped_when_nothing_is_left(limited: Api) -> None:
    answers = [limited.get("items?limit=1", "acme") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"consumer";q=4;w=60'}
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        f'"consumer";r={left}' for left in (3, 2, 1, 0, 0, 0)
    ]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 15


def test_a_consumers_own_limit_counts_and_refusals_count_too(limited: Api) -> None:
    answers = [limited.get("items?nonsense=1", "bolt") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"consumer";q=5;w=60'


def test_who_has_no_valid_key_is_counted_by_address(limited: Api) -> None:
    def ask(address: str, key: str | None) -> int:
        return limited.ask("GET", "items", key, headers={"x-forwarded-for": address}).status_code

    assert [ask("10.9.9.1", None), ask("10.9.9.1", "guess"), ask("10.9.9.1", "guess 2")] == [401, 401, 401]
    assert ask("10.9.9.1", "guess 3") == 429
    assert ask("6.6.6.6, 10.9.9.1", None) == 429
    assert ask("10.9.9.2", None) == 401
    assert ask("10.9.9.1", "catalogue") == 200


def test_a_limit_is_set_at_the_command_line_and_read_with_the_register(owner: psycopg.Connection[Any]) -> None:
    consumers.add_consumer(owner, "acme", "Acme", per_minute=10)
    assert consumers.load_register(owner).consumers["acme"].principal.per_minute == 10
    before = consumers.register_version(owner)
    consumers.limit_consumer(owner, "acme", None)
    assert consumers.load_register(owner).consumers["acme"].per_minute is None
    assert consumers.register_version(owner) == before + 1


async def test_a_gateway_knows_how_many_share_the_load(
    owner: psycopg.Connection[Any], owner_url: str, tmp_path: Path
) -> None:
    others = [Identity(kind) for kind in ("app", "app", "worker")]
    async with Watcher(owner_url, "app", tmp_path, lambda table, register: None) as watcher:
        async with asyncio.timeout(20):
            while watcher.gateways != 3:
                for other in others:
                    acknowledge(owner, other, 0)
                await asyncio.sleep(0.1)
