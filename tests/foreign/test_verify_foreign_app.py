"""`banyan verify` on Adminer: a PHP app behind a login, tokens in its forms. banyan.toml says all there is to know."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api_gateway.consumers import Register
from api_gateway.project import Project, load_project
from api_gateway.verify.run import Plan, Prepared, ask, prepared
from shared_models.migrations import BANYAN, upgrade
from tests.foreign.adminer.prepare import main as prepare
from tests.support.commands import Banyan

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "tests" / "foreign" / "adminer"
ROUTES = {"stock.export", "stock.supplier-rows", "stock.new-supplier"}

pytestmark = [pytest.mark.xdist_group("adminer"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def database_url(clone: Callable[[str], str]) -> str:
    url = clone("template1")
    prepare(url)
    upgrade(url, BANYAN)
    return url


@pytest.fixture(scope="module")
def ready(database_url: str) -> Iterator[Prepared]:
    with prepared(load_project(PROJECT), Register.of(1, [], []), database_url) as both:
        yield both


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], Path]:
    """The project with one text of its mimics changed."""

    def change(old: str, new: str) -> Path:
        folder = tmp_path / f"adminer_{abs(hash(new))}"
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
        serve, mimics = folder / "serve.py", folder / "mimics.py"
        serve.write_text(serve.read_text().replace("__file__", repr(str(PROJECT / "serve.py"))))
        assert mimics.read_text().count(old) == 1
        mimics.write_text(mimics.read_text().replace(old, new))
        return folder

    return change


def places(project: Project, ready: Prepared, route: str) -> list[str]:
    plan = Plan(1, 60.0, only_first=True, shrinks=False)
    report = ask(project, [project.routes[route]], ready, plan, lambda *_: None)
    return [difference.path for found in report.found for difference in found.trial.comparison.differences]


def test_right_mimics_of_a_php_app_differ_in_nothing_and_no_database_need_run(tmp_path: Path) -> None:
    answer = Banyan(tmp_path, {})("verify", "--project", str(PROJECT), "--seed", "1", "--requests", "45", "--json")
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["found"] == []
    assert answer.json["routes"].keys() == ROUTES
    for route in answer.json["routes"].values():
        assert route["verdicts"]["match"] + route["verdicts"]["ignored"] == route["asked"] > 5
    assert answer.json["routes"]["stock.new-supplier"]["wrote"] > 0, "signed in, with the token of the form"


def test_a_seeded_bug_is_named_with_its_place_and_kept_without_the_session(
    tmp_path: Path, database_url: str, changed: Callable[[str, str], Path]
) -> None:
    project = changed(r"|\.\d*0$", "")
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": database_url})
    answer = banyan("verify", "stock.export", "--project", str(project), "--first", "--no-record")
    assert answer.code == 1, answer.out + answer.err
    assert "1. stock.export: once; the smallest that shows it:" in answer.out
    assert "line[3] (value)" in answer.out
    [case] = [path.read_text() for path in (project / "cases").iterdir()]
    assert "adminer_sid" not in case
    assert "token" not in case


@pytest.mark.parametrize(
    ("route", "old", "new", "place"),
    [
        ("stock.supplier-rows", '_code(row["act_fl"])', 'row["act_fl"]', "/html/"),
        ("stock.new-supplier", "nm=name[:60]", "nm=name[:60].lower()", "written.public.supplier[1].nm"),
    ],
)
def test_a_bug_in_a_page_and_one_in_a_row_are_named(
    ready: Prepared, changed: Callable[[str, str], Path], route: str, old: str, new: str, place: str
) -> None:
    found = places(load_project(changed(old, new)), ready, route)
    assert any(each.startswith(place) for each in found), found
