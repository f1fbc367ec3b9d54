"""Which project a verb means: the named one, the folder it stands in, or that of the running instance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api_gateway.cli.instance import project_folder, running_instance
from api_gateway.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BANYAN_PROJECT", raising=False)
    (tmp_path / ".banyan").mkdir()
    return tmp_path


def describe(folder: Path, **document: str) -> None:
    (folder / ".banyan" / "up.json").write_text(json.dumps(document))


def test_the_running_instance_says_which_project_is_meant(folder: Path) -> None:
    describe(folder, project="/somewhere/shop")
    assert project_folder(Settings()) == Path("/somewhere/shop")


def test_a_project_named_by_its_variable_comes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(folder, project="/somewhere/shop")
    monkeypatch.setenv("BANYAN_PROJECT", "/elsewhere/shop")
    assert project_folder(Settings()) == Path("/elsewhere/shop")


def test_a_folder_that_is_a_project_is_meant_when_one_stands_in_it(folder: Path) -> None:
    describe(folder, project="/somewhere/shop")
    (folder / "banyan.toml").write_text('name = "here"')
    assert project_folder(Settings()) == Path()


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_half_written_description_is_none(folder: Path, text: str) -> None:
    (folder / ".banyan" / "up.json").write_text(text)
    assert running_instance(Settings()) == {}
    assert project_folder(Settings()) == Path("northgate_api")
