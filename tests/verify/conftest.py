"""Both sides of the example, prepared once: its copies, its legacy app, its partners. Candidates are changed copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.project import Project, load_project
from api_gateway.verify.run import Prepared, prepared
from northgate_api.traffic import partners
from shared_models.migrations import BANYAN, upgrade

ROOT = Path(__file__).parent.parent.parent


def northgate_register() -> Register:
    """The simulated partners of the demonstration, as `banyan up` registers them."""
    return Register.of(
        1,
        [Consumer(each.code, each.name, frozenset(each.scopes), dict(each.values)) for each in partners],
        [Credential(each.code, kind, secret_hash(secret)) for each in partners for kind, secret in each.credentials],
    )


@pytest.fixture(scope="session")
def northgate() -> Project:
    return load_project(ROOT / "northgate_api")


@pytest.fixture(scope="session")
def ready(clone: Callable[[str], str], northgate_template: str, northgate: Project) -> Iterator[Prepared]:
    url = clone(northgate_template)
    upgrade(url, BANYAN)
    with prepared(northgate, northgate_register(), url) as both:
        yield both


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Project]:
    """The example with one text of one file changed, under a name of its own, so that it can be loaded beside it."""

    numbers = count(1)

    def change(file: str, old: str, new: str) -> Project:
        name = f"northgate_{next(numbers)}"
        folder = tmp_path_factory.mktemp("changed") / name
        shutil.copytree(ROOT / "northgate_api", folder, ignore=shutil.ignore_patterns("__pycache__"))
        for path in folder.rglob("*.py"):
            path.write_text(path.read_text("utf-8").replace("northgate_api", name), "utf-8")
        target = folder / file
        text = target.read_text("utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
        target.write_text(text.replace(old, new), "utf-8")
        return load_project(folder)

    return change
