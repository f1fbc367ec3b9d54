"""Every foreign database that can be had here, loaded and drafted once for all tests that only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from api_gateway.draft.init import Report, init_project
from api_gateway.postgres import Server
from tests.support.foreign import loads


@dataclass(frozen=True, slots=True)
class Foreign:
    """`url` is the administrator's, `api_url` that of banyan_api."""

    name: str
    url: str
    api_url: str
    folder: Path
    report: Report


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in sorted(loads())]
)
def foreign(
    request: pytest.FixtureRequest,
    clone: Callable[[str], str],
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Foreign:
    name: str = request.param
    url = clone("template1")
    loads()[name](url)
    folder = tmp_path_factory.mktemp(name) / f"{name}_api"
    report = init_project(folder, url, legacy_url="http://127.0.0.1:9")
    return Foreign(name, url, server.url(url.rsplit("/", 1)[1], user="banyan_api"), folder, report)
