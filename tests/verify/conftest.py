"""Both sides of the example, prepared once: its copies, its legacy app, its partners. Candidates are changed copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api_gateway.project import Project, load_project
from api_gateway.verify.run import Prepared, prepared
from shared_models.migrations import BANYAN, upgrade
from tests.support.changed_example import changed_example, northgate_register
from tests.support.small_project import fill_database

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def northgate() -> Project:
    return load_project(ROOT / "northgate_api")


@pytest.fixture(scope="session")
def northgate_source(clone: Callable[[str], str], northgate_template: str) -> str:
    """What is copied: the example's database, with schema banyan."""
    url = clone(northgate_template)
    upgrade(url, BANYAN)
    return url


@pytest.fixture(scope="session")
def ready(northgate_source: str, northgate: Project) -> Iterator[Prepared]:
    with prepared(northgate, northgate_register(), northgate_source) as both:
        yield both


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Project]:
    """The example with one text of one file changed, under a name of its own, so that it can be loaded beside it."""

    def change(file: str, old: str, new: str) -> Project:
        return changed_example(tmp_path_factory.mktemp("changed"), file, old, new)

    return change


@pytest.fixture(scope="session")
def small_url(clone: Callable[[str], str]) -> str:
    """What is copied of the small app; nobody changes it."""
    url = clone("template1")
    fill_database(url)
    upgrade(url, BANYAN)
    return url
