"""One world of real processes for everything that is rolled out and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.support.rollout import World, world
from tests.support.upstream import Upstream


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def hook() -> AsyncIterator[Upstream]:
    """Whoever listens where notices are sent."""
    listening = Upstream()
    await listening.start()
    yield listening
    await listening.stop()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def running(
    clone: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory, hook: Upstream
) -> AsyncIterator[World]:
    environment = {"BANYAN_NOTICE_WEBHOOK": f"http://127.0.0.1:{hook.port}/told"}
    folder = tmp_path_factory.mktemp("rollout")
    async with world(folder, clone("template1"), environment=environment, gateways=2) as started:
        yield started
