"""The connections that `banyan doctor` adds up are those of the settings, and of what the project lets in."""

from __future__ import annotations

from typing import Any

import pytest

from api_gateway import connections
from api_gateway.doctor.budget import ours, pools
from api_gateway.settings import Settings

_EACH = pools(Settings()) // 2  # of the two gateways


def counted(*, accounts: bool = False, **given: Any) -> int:
    return ours(Settings(**given), accounts=accounts)


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"pool_size": 9}, 2),
        ({"exports": 3}, 2),
        ({"gateway_ports": "8021,8022,8023"}, _EACH + connections.WATCHERS + connections.GUARD),
        ({"job_concurrency": 3}, 2 + connections.RUNNER),
        ({"accounts": True}, 2 * connections.ACCOUNTS),
        ({"connection_budget": 10}, 10 - 2 * _EACH),
    ],
)
def test_each_setting_counts_for_what_it_opens(given: dict[str, Any], more: int) -> None:
    assert counted(**given) - counted() == more
