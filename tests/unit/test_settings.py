"""What the gateways' pools may hold together."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api_gateway.settings import LOOKING, Settings


@pytest.mark.parametrize("gateways", ["8021", "8021,8022", "8021,8022,8023,8024,8025"])
@pytest.mark.parametrize("budget", [20, 21, 22, 40, 100])
@pytest.mark.parametrize("live", [0, 1, 2, 5])
def test_pools_and_exports_together_never_exceed_the_budget(gateways: str, budget: int, live: int) -> None:
    settings = Settings(gateway_ports=gateways, connection_budget=budget, pool_size=20)
    sharing = max(live, len(settings.gateways))
    assert sharing * (settings.pool_share(live) + settings.exports + LOOKING) <= budget
    assert 1 <= settings.pool_share(live) <= 20


def test_without_a_budget_each_has_its_own_size() -> None:
    assert Settings(pool_size=7).pool_share(50) == 7


def test_a_budget_that_cannot_serve_every_gateway_is_refused() -> None:
    with pytest.raises(ValidationError, match="BANYAN_CONNECTION_BUDGET: these gateways and their exports need 8"):
        Settings(gateway_ports="1,2", connection_budget=5)
