"""A shop of its own for every test, and a gateway that looks often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api_gateway.outages import watch
from api_gateway.postgres import Server
from tests.support.shop import Counter, Shop, open_shop, opened


@pytest.fixture
def shop(server: Server, administrator_url: str, tmp_path: Path) -> Shop:
    return open_shop(server, administrator_url, tmp_path)


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the watch reports, in order."""
    found: list[Any] = []
    monkeypatch.setattr(watch, "report", found.append)
    return found


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.1)


@pytest.fixture
async def counter(shop: Shop, tmp_path: Path, often: None) -> AsyncIterator[Counter]:
    async with opened(shop, tmp_path) as one:
        yield one
